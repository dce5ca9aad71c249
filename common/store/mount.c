/* mount.c - mounts/: directories that steps keep from one build to the next */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/signals.h"

/*
 * mounts/<key>/ is one cache, mounts/<key>/<number>/ an instance of it. Who
 * chooses or makes an instance holds the lock of the cache, who uses one the
 * lock of that: both are on the directories, and die with their holders. What
 * is being made is called "new", so a killed maker leaves no half of one.
 */
#define INSTANCES_MAX 1000

struct taking {
	struct store *s;
	const char *key;
	int dir; /* of the cache, locked */
};

static int open_dir(int at, const char *name)
{
	return openat(at, name,
		      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int open_cache(struct taking *t, struct error *err)
{
	char path[STORE_ID + 16];

	if (!store_is_hex(t->key, STORE_ID - 1))
		return error_set(err, ERR_SYSTEM, "'%.80s' is no key of a "
				 "cache mount", t->key);
	snprintf(path, sizeof(path), "mounts/%s", t->key);
	if (mkdirat(t->s->fd, path, 0700) < 0 && errno != EEXIST)
		return error_errno(err, "cannot make '%s/%s'", t->s->path,
				   path);
	t->dir = open_dir(t->s->fd, path);
	if (t->dir < 0)
		return error_errno(err, "cannot open '%s/%s'", t->s->path,
				   path);
	/* Whoever has it may be filling an instance. */
	while (flock(t->dir, LOCK_EX) < 0) {
		if (errno != EINTR)
			return error_errno(err, "cannot lock '%s/%s'",
					   t->s->path, path);
		if (signals_check(err) < 0)
			return -1;
	}
	return 0;
}

static int make(struct taking *t, const char *name,
		const struct store_mount_maker *maker, struct error *err)
{
	cleanup_close int fd = -1;

	if (fs_remove_tree(t->dir, "new", err) < 0)
		return -1;
	if (mkdirat(t->dir, "new", 0700) < 0 ||
	    mkdirat(t->dir, "new/fs", 0700) < 0)
		return error_errno(err, "cannot make a cache mount in '%s'",
				   t->s->path);
	fd = open_dir(t->dir, "new/fs");
	if (fd < 0)
		return error_errno(err, "cannot open a cache mount");
	if (maker->fill(maker->arg, fd, err) < 0)
		return -1;
	if (renameat(t->dir, "new", t->dir, name) < 0)
		return error_errno(err, "cannot make a cache mount in '%s'",
				   t->s->path);
	return 0;
}

/* 1: instance `n` is ours; 0: others have it; -1. */
static int try(struct taking *t, unsigned n, enum store_sharing sharing,
	       const struct store_mount_maker *maker, struct store_mount *m,
	       struct error *err)
{
	int lock = LOCK_NB | (sharing == STORE_SHARED ? LOCK_SH : LOCK_EX);
	cleanup_close int fd = -1;
	char name[16];

	snprintf(name, sizeof(name), "%u", n);
	fd = open_dir(t->dir, name);
	if (fd < 0 && errno == ENOENT) {
		if (make(t, name, maker, err) < 0)
			return -1;
		fd = open_dir(t->dir, name);
	}
	if (fd < 0)
		return error_errno(err, "cannot open a cache mount");
	if (flock(fd, lock) < 0)
		return errno == EWOULDBLOCK
			       ? 0
			       : error_errno(err, "cannot lock a cache mount");
	/* The time of use, for store_gc. */
	if (futimens(t->dir, NULL) < 0)
		log_debug("cannot set the time of a cache mount");
	m->lock_fd = steal_fd(&fd);
	m->fs = xstrfmt("%s/mounts/%s/%s/fs", t->s->path, t->key, name);
	return 1;
}

static int take(struct taking *t, enum store_sharing sharing,
		const struct store_mount_maker *maker, struct store_mount *m,
		struct error *err)
{
	unsigned n;
	int rc;

	if (open_cache(t, err) < 0)
		return -1;
	for (n = 0; n < INSTANCES_MAX; n++) {
		rc = try(t, n, sharing, maker, m, err);
		if (rc || sharing == STORE_LOCKED)
			return rc;
	}
	return error_set(err, ERR_SYSTEM, "all %d instances of a cache mount "
			 "are in use", INSTANCES_MAX);
}

int store_mount_take(struct store *s, const char *key,
		     enum store_sharing sharing,
		     const struct store_mount_maker *maker,
		     struct store_mount *m, struct error *err)
{
	struct taking t = { .s = s, .key = key, .dir = -1 };
	int rc = take(&t, sharing, maker, m, err);

	base_close_fd(&t.dir);
	return rc;
}

void store_mount_release(struct store_mount *m)
{
	free(m->fs);
	base_close_fd(&m->lock_fd);
	*m = (struct store_mount)STORE_MOUNT_INIT;
}
