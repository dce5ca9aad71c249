/* owner.c - owners and extended attributes as layers keep them */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

/* /proc/self/fd/N/name reaches a file of any type without opening it; the
 * l*xattr calls do not follow a last link. */
static char *proc_path(int dirfd, const char *name)
{
	return xstrfmt("/proc/self/fd/%d/%s", dirfd, *name ? name : ".");
}

bool store_get_xattr(int dirfd, const char *name, const char *xattr,
		     struct strbuf *value)
{
	cleanup_free char *path = proc_path(dirfd, name);
	ssize_t n;

	strbuf_reset(value);
	strbuf_grow(value, 256);
	n = lgetxattr(path, xattr, value->buf, 256);
	if (n < 0 && errno == ERANGE) {
		strbuf_grow(value, XATTR_MAX);
		n = lgetxattr(path, xattr, value->buf, XATTR_MAX);
	}
	if (n < 0)
		return false;
	strbuf_setlen(value, (size_t)n);
	return true;
}

int store_put_xattr(int dirfd, const char *name, const char *xattr,
		    const void *value, size_t n)
{
	cleanup_free char *path = proc_path(dirfd, name);

	return lsetxattr(path, xattr, value, n, 0);
}

bool store_xattr_overlay(const char *name)
{
	return str_starts(name, "trusted.overlay.") ||
	       str_starts(name, "user.overlay.");
}

/* Others (security.selinux, trusted.*, ACLs) belong to a host. */
bool store_xattr_wanted(const char *name)
{
	if (str_eq(name, CAPABILITY_XATTR))
		return true;
	return str_starts(name, "user.") && !store_xattr_overlay(name) &&
	       !str_starts(name, "user.devenv.");
}

bool store_xattr_stand_in(const char *name)
{
	return str_eq(name, DEVICE_XATTR) || str_starts(name, PARKED_XATTR);
}

/* The rest of a path in this store or one below it, or NULL. */
static const char *below_store(const struct store *s, const char *path)
{
	const char *rest = str_skip(path, s->path);

	for (size_t i = 0; !rest && i < s->n_bases; i++)
		rest = str_skip(path, s->bases[i]->path);
	return rest;
}

/*
 * Where the owner of a link or special file is kept: below the directory that
 * holds the layer's `fs`, found from where `dirfd` is. NULL: not in a layer.
 */
static char *record_path(const struct store *s, int dirfd, const char *name)
{
	cleanup_free char *link = xstrfmt("/proc/self/fd/%d", dirfd);
	char at[TAR_PATH_MAX + 512];
	struct stat st;
	ssize_t n = readlink(link, at, sizeof(at) - 1);
	const char *rest, *slash;

	if (n < 0 || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return NULL;
	at[n] = '\0';
	rest = below_store(s, at);
	if (!rest || !(str_starts(rest, "/layers/") ||
		       str_starts(rest, "/tmp/")))
		return NULL;
	slash = strchr(rest + 1, '/');
	slash = slash ? strchr(slash + 1, '/') : NULL;
	if (!slash)
		return NULL;
	return xstrfmt("%.*s/owners/%llu", (int)(slash - at), at,
		       (unsigned long long)st.st_ino);
}

static bool parse_owner(const char *text, uid_t *uid, gid_t *gid)
{
	unsigned long u, g;
	char *end;

	u = strtoul(text, &end, 10);
	if (end == text || *end != ':' || u >= UINT32_MAX)
		return false;
	text = end + 1;
	g = strtoul(text, &end, 10);
	if (end == text || *end || g >= UINT32_MAX)
		return false;
	*uid = (uid_t)u;
	*gid = (gid_t)g;
	return true;
}

static bool can_carry(mode_t mode)
{
	return S_ISREG(mode) || S_ISDIR(mode);
}

void store_owner(const struct store *s, int dirfd, const char *name,
		 const struct stat *st, const struct store_meta *meta,
		 uid_t *uid, gid_t *gid)
{
	cleanup_strbuf struct strbuf value = STRBUF_INIT;
	cleanup_free char *record = NULL;
	char text[32];
	ssize_t n;

	*uid = st->st_uid;
	*gid = st->st_gid;
	if (!s->o.single_id)
		return;
	*uid = meta ? meta->uid : 0;
	*gid = meta ? meta->gid : 0;
	if (can_carry(st->st_mode)) {
		if (store_get_xattr(dirfd, name, OWNER_XATTR, &value))
			parse_owner(value.buf, uid, gid);
		return;
	}
	record = record_path(s, dirfd, name);
	n = record ? readlink(record, text, sizeof(text) - 1) : -1;
	if (n < 0)
		return;
	text[n] = '\0';
	parse_owner(text, uid, gid);
}

static int put_record(const struct store *s, int dirfd, const char *name,
		      const char *owner)
{
	cleanup_free char *record = record_path(s, dirfd, name);
	char *slash;

	/* Seen through a mount, its inode is not the layer's: it keeps the
	 * layer's default. */
	if (!record)
		return 0;
	/* An inode number may be that of a file that is gone. */
	unlink(record);
	if (symlink(owner, record) == 0)
		return 0;
	if (errno != ENOENT)
		return -1;
	slash = strrchr(record, '/');
	*slash = '\0';
	if (mkdir(record, 0700) < 0 && errno != EEXIST)
		return -1;
	*slash = '/';
	return symlink(owner, record);
}

int store_set_owner(const struct store *s, int dirfd, const char *name,
		    uid_t uid, gid_t gid, struct error *err)
{
	char owner[32];
	struct stat st;
	int rc;

	if (!s->o.single_id) {
		if (fchownat(dirfd, name, uid, gid,
			     AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) == 0)
			return 0;
		error_errno(err, "cannot give '%s' to %u:%u", name,
			    (unsigned)uid, (unsigned)gid);
		return error_hint(err, "the id may not be mapped here; see "
				       "devenv doctor");
	}
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0)
		return error_errno(err, "cannot examine '%s'", name);
	snprintf(owner, sizeof(owner), "%u:%u", (unsigned)uid, (unsigned)gid);
	rc = can_carry(st.st_mode)
		     ? store_put_xattr(dirfd, name, OWNER_XATTR, owner,
				       strlen(owner))
		     : put_record(s, dirfd, name, owner);
	if (rc < 0)
		return error_errno(err, "cannot record the owner of '%s'",
				   name);
	return 0;
}
