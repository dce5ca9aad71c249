/* tree_digest.c - what a COPY reads, as one digest for its key */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "build/internal.h"

struct hashing {
	const struct build_tree *tree;
	bool with_mode;
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
	fd = openat(e->dirfd, e->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
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

static int hash_entry(void *arg, const struct tree_entry *e,
		      struct error *err)
{
	struct hashing *h = arg;
	mode_t type = e->st->st_mode & S_IFMT;
	char target[PATH_MAX];
	ssize_t n;

	if (e->leave)
		return 0;
	field(h, e->path, strlen(e->path));
	/* A directory copied as a whole gives its contents only: the root's
	 * own mode is not used. */
	number(h, h->with_mode && (*e->path || type != S_IFDIR)
			  ? e->st->st_mode
			  : type);
	if (h->tree->keep_owners) {
		number(h, e->st->st_uid);
		number(h, e->st->st_gid);
	}
	if (type == S_IFREG)
		return hash_file(h, e, err);
	if (type == S_IFLNK) {
		n = readlinkat(e->dirfd, e->name, target, sizeof(target));
		if (n < 0)
			return error_errno(err, "cannot read the link '%s'",
					   e->path);
		field(h, target, (size_t)n);
	}
	if (type == S_IFCHR || type == S_IFBLK)
		number(h, e->st->st_rdev);
	return 0;
}

int tree_digest(const struct build_tree *t, const char *path, bool with_mode,
		struct strbuf *out, struct error *err)
{
	struct hashing h = { .tree = t, .with_mode = with_mode };
	uint8_t raw[DIGEST_RAW];
	struct stat st;
	cleanup_free char *real = tree_follow(t, path, &st);

	if (!real)
		return error_errno(err, "cannot stat '%s'", path);
	digest_init(&h.d, false);
	if (tree_walk(t, real, hash_entry, &h, err) < 0) {
		digest_release(&h.d);
		return -1;
	}
	digest_final(&h.d, raw);
	strbuf_add_hex(out, raw, sizeof(raw));
	return 0;
}
