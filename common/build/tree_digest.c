/* tree_digest.c - what a COPY reads, as one digest for its key */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fs.h"
#include "build/internal.h"

#define LIST_BYTES 8 /* of a digest: enough to see a difference */

struct hashing {
	const struct build_tree *tree;
	const char *chmod;
	struct digest d;
};

/* Every field carries its length, so that no two trees read the same. */
static void field(struct hashing *h, const void *data, size_t n)
{
	uint32_t len = (uint32_t)n;
	uint8_t head[4] = { (uint8_t)(len >> 24), (uint8_t)(len >> 16),
			    (uint8_t)(len >> 8), (uint8_t)len };

	digest_update(&h->d, head, sizeof(head));
	digest_update(&h->d, data, n);
}

static void number(struct hashing *h, uint64_t v)
{
	uint8_t raw[8];
	size_t i;

	for (i = 0; i < sizeof(raw); i++)
		raw[i] = (uint8_t)(v >> (8 * i));
	field(h, raw, sizeof(raw));
}

static int hash_file(struct hashing *h, const struct tree_entry *e,
		     struct error *err)
{
	uint8_t raw[DIGEST_RAW], buf[65536];
	cleanup_close int fd = -1;
	struct digest d;
	ssize_t n;

	if (h->tree->cache) {
		if (store_stat_cache_digest(h->tree->cache, e->dirfd, e->name,
					    e->st, raw, err) < 0)
			return -1;
		field(h, raw, sizeof(raw));
		return 0;
	}
	fd = openat(e->dirfd, e->name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "cannot open '%s'", e->path);
	digest_init(&d, true);
	while ((n = read(fd, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			digest_release(&d);
			return error_errno(err, "cannot read '%s'", e->path);
		}
		digest_update(&d, buf, (size_t)n);
	}
	digest_final(&d, raw);
	field(h, raw, sizeof(raw));
	return 0;
}

/* Kept attributes, in an order that no file system chooses. */
static int hash_xattrs(struct hashing *h, const struct tree_entry *e,
		       struct error *err)
{
	char names[XATTR_LIST_MAX], value[XATTR_SIZE_MAX];
	ssize_t n = fs_list_xattrs(e->dirfd, e->name, names, sizeof(names));
	cleanup_free char *path = NULL;
	cleanup_strvec struct strvec kept = STRVEC_INIT;
	const char *name;
	size_t i;

	if (n < 0 && errno != ENOTSUP)
		return error_errno(err, "cannot list the attributes of '%s'",
				   e->path);
	for (name = names; name < names + n; name += strlen(name) + 1)
		if (copy_keeps_xattr(h->tree, name))
			strvec_push(&kept, name);
	if (kept.nr) {
		path = xstrfmt("/proc/self/fd/%d/%s", e->dirfd, e->name);
		strvec_sort(&kept);
	}
	for (i = 0; i < kept.nr; i++) {
		ssize_t len = lgetxattr(path, kept.v[i], value, sizeof(value));
		if (len < 0)
			return error_errno(err,
					   "cannot read the attribute %s of "
					   "'%s'", kept.v[i], e->path);
		field(h, kept.v[i], strlen(kept.v[i]));
		field(h, value, (size_t)len);
	}
	number(h, kept.nr);
	return 0;
}

/* A file that is known to have no attributes, as most are. */
static bool hash_plain(struct hashing *h, const struct tree_entry *e)
{
	uint8_t raw[DIGEST_RAW];
	bool plain;

	if (!h->tree->cache ||
	    !store_stat_cache_knows(h->tree->cache, e->st, raw, &plain) ||
	    !plain)
		return false;
	number(h, 0);
	field(h, raw, sizeof(raw));
	return true;
}

/* What --chmod makes of it counts, not what it was. */
static int hash_mode(struct hashing *h, const struct tree_entry *e,
		     struct error *err)
{
	mode_t type = e->st->st_mode & S_IFMT;
	unsigned mode = e->st->st_mode & 07777;

	/* A directory copied as a whole gives its contents only, and links
	 * have no mode of their own. */
	if ((!*e->path && type == S_IFDIR) || type == S_IFLNK)
		mode = 0;
	else if (h->chmod && dockerfile_chmod(h->chmod, mode, type == S_IFDIR,
					      &mode, err) < 0)
		return -1;
	number(h, type | mode);
	return 0;
}

static int hash_link(struct hashing *h, const struct tree_entry *e,
		     struct error *err)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(e->dirfd, e->name, target, sizeof(target));

	if (n < 0)
		return error_errno(err, "cannot read the link '%s'", e->path);
	field(h, target, (size_t)n);
	return 0;
}

static int hash_entry(void *arg, const struct tree_entry *e,
		      struct error *err)
{
	struct hashing *h = arg;
	mode_t type = e->st->st_mode & S_IFMT;
	uid_t uid;
	gid_t gid;

	if (e->leave)
		return 0;
	field(h, e->path, strlen(e->path));
	if (hash_mode(h, e, err) < 0)
		return -1;
	if (!*e->path && type == S_IFDIR)
		return 0;
	if (h->tree->keep_owners) {
		store_owner(h->tree->store, e->dirfd, e->name, e->st, NULL,
			    &uid, &gid);
		number(h, uid);
		number(h, gid);
	}
	if (type == S_IFLNK)
		return hash_link(h, e, err);
	if (type == S_IFCHR || type == S_IFBLK)
		number(h, e->st->st_rdev);
	if (type != S_IFREG && type != S_IFDIR)
		return 0;
	if (type == S_IFREG && hash_plain(h, e))
		return 0;
	if (hash_xattrs(h, e, err) < 0)
		return -1;
	return type == S_IFREG ? hash_file(h, e, err) : 0;
}

int tree_digest(const struct build_tree *t, const struct tree_item *item,
		const char *chmod, struct strbuf *out, struct error *err)
{
	struct hashing h = { .tree = t,
			     .chmod = chmod && *chmod ? chmod : NULL };
	uint8_t raw[DIGEST_RAW];

	digest_init(&h.d, false);
	if (tree_walk_item(t, item, hash_entry, &h, err) < 0) {
		digest_release(&h.d);
		return -1;
	}
	digest_final(&h.d, raw);
	strbuf_add_hex(out, raw, sizeof(raw));
	return 0;
}

struct listing {
	struct hashing h;
	const char *top;
	struct strvec *out;
};

static int list_entry(void *arg, const struct tree_entry *e,
		      struct error *err)
{
	struct listing *l = arg;
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	uint8_t raw[DIGEST_RAW];
	int rc;

	if (e->leave || (!*e->path && S_ISDIR(e->st->st_mode)))
		return 0;
	digest_init(&l->h.d, false);
	rc = hash_entry(&l->h, e, err);
	digest_final(&l->h.d, raw);
	if (rc < 0)
		return -1;
	if (!str_eq(l->top, "."))
		strbuf_addf(&line, "%s%s", l->top, *e->path ? "/" : "");
	strbuf_addf(&line, "%s\t", e->path);
	strbuf_add_hex(&line, raw, LIST_BYTES);
	strvec_push(l->out, line.buf);
	return 0;
}

int tree_list(const struct build_tree *t, const struct tree_item *item,
	      const char *chmod, struct strvec *out, struct error *err)
{
	struct listing l = { .h = { .tree = t,
				    .chmod = chmod && *chmod ? chmod : NULL },
			     .top = item->path, .out = out };

	return tree_walk_item(t, item, list_entry, &l, err);
}
