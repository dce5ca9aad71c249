/* snapshot.c - what is in a tree, to tell later what changed */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/strvec.h"

#define SECOND INT64_C(1000000000)
#define WAIT_TRIES 200 /* of 1 ms */

void snapshot_release(struct snapshot *s)
{
	strbuf_release(&s->paths);
	free(s->files);
	*s = (struct snapshot)SNAPSHOT_INIT;
}

const char *snapshot_path(const struct snapshot *s, size_t i)
{
	return s->paths.buf + s->files[i].path;
}

static int64_t ns(const struct statx_timestamp *t)
{
	return t->tv_sec * SECOND + t->tv_nsec;
}

static void fill(struct snapshot_file *f, const struct statx *x)
{
	*f = (struct snapshot_file){
		.ino = x->stx_ino,
		.size = x->stx_size,
		.dev = makedev(x->stx_rdev_major, x->stx_rdev_minor),
		.mode = x->stx_mode,
		.uid = x->stx_uid,
		.gid = x->stx_gid,
		.links = x->stx_nlink,
		.changed = ns(&x->stx_ctime),
		.modified = ns(&x->stx_mtime),
	};
	if (x->stx_mask & STATX_BTIME)
		f->born = ns(&x->stx_btime);
}

static int read_names(int fd, struct strvec *names, struct error *err)
{
	const struct dirent *d;
	/* A duplicate would share its place in the directory. */
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	int rc = 0;

	if (!dir) {
		base_close_fd(&copy);
		return error_errno(err, "cannot read a directory");
	}
	while ((errno = 0, d = readdir(dir)))
		if (!str_eq(d->d_name, ".") && !str_eq(d->d_name, ".."))
			strvec_push(names, d->d_name);
	if (errno)
		rc = error_errno(err, "cannot read a directory");
	closedir(dir);
	if (names->nr)
		strvec_sort(names);
	return rc;
}

static int walk(struct snapshot *s, int fd, struct strbuf *path,
		struct error *err);

static int visit(struct snapshot *s, int fd, const char *name,
		 struct strbuf *path, struct error *err)
{
	cleanup_close int dir = -1;
	struct snapshot_file *f;
	struct statx x;

	if (statx(fd, name, AT_SYMLINK_NOFOLLOW,
		  STATX_BASIC_STATS | STATX_BTIME, &x) < 0)
		return error_errno(err, "cannot examine '%s'", path->buf);
	if (s->nr == SNAPSHOT_MAX)
		return error_set(err, ERR_SYSTEM,
				 "more than %d files in the root", SNAPSHOT_MAX);
	GROW(s->files, s->nr, s->alloc);
	f = &s->files[s->nr++];
	fill(f, &x);
	s->newest = MAX(s->newest, f->changed);
	f->path = s->paths.len;
	strbuf_add(&s->paths, path->buf, path->len + 1);
	if (!S_ISDIR(x.stx_mode))
		return 0;
	dir = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
				       O_CLOEXEC);
	if (dir < 0)
		return error_errno(err, "cannot open '%s'", path->buf);
	return walk(s, dir, path, err);
}

static int walk(struct snapshot *s, int fd, struct strbuf *path,
		struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	size_t len = path->len, i;

	if (read_names(fd, &names, err) < 0)
		return error_wrap(err, "'%s'", path->buf);
	for (i = 0; i < names.nr; i++) {
		strbuf_addf(path, "%s%s", len ? "/" : "", names.v[i]);
		if (visit(s, fd, names.v[i], path, err) < 0)
			return -1;
		strbuf_setlen(path, len);
	}
	return 0;
}

/* Times of changes are those of a coarse clock. */
static void pass(int64_t newest)
{
	const struct timespec nap = { .tv_nsec = 1000000 };
	struct timespec now;
	int i;

	for (i = 0; i < WAIT_TRIES; i++) {
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
		if (now.tv_sec * SECOND + now.tv_nsec > newest)
			return;
		nanosleep(&nap, NULL);
	}
}

int snapshot_take(struct snapshot *s, int root, struct error *err)
{
	cleanup_strbuf struct strbuf path = STRBUF_INIT;

	if (walk(s, root, &path, err) < 0)
		return -1;
	pass(s->newest);
	return 0;
}

static int weight(char c)
{
	return c == '/' ? 1 : c ? (unsigned char)c + 1 : 0;
}

/* In the order of the walk: "a/b" comes before "a-b". */
static int compare_paths(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return weight(*a) - weight(*b);
}

static bool is_below(const char *path, const char *dir)
{
	const char *rest = dir ? str_skip(path, dir) : NULL;

	return rest && *rest == '/';
}

static bool same_inode(const struct snapshot_file *a,
		       const struct snapshot_file *b)
{
	return a->ino == b->ino && a->born == b->born &&
	       (a->mode & S_IFMT) == (b->mode & S_IFMT);
}

static bool same(const struct snapshot_file *a, const struct snapshot_file *b)
{
	return same_inode(a, b) && a->mode == b->mode && a->uid == b->uid &&
	       a->gid == b->gid && a->size == b->size && a->dev == b->dev &&
	       a->links == b->links && a->changed == b->changed &&
	       a->modified == b->modified;
}

struct compare {
	const struct snapshot *before, *after;
	snapshot_fn report;
	void *arg;
	const char *gone, *fresh; /* directories we are below, or NULL */
};

static int gone(struct compare *c, size_t i, struct error *err)
{
	const struct snapshot_file *f = &c->before->files[i];
	const char *path = snapshot_path(c->before, i);

	if (is_below(path, c->gone) || is_below(path, c->fresh))
		return 0;
	c->gone = path;
	return c->report(c->arg, SNAPSHOT_GONE, path, f, err);
}

static int there(struct compare *c, const struct snapshot_file *old, size_t i,
		 struct error *err)
{
	const struct snapshot_file *f = &c->after->files[i];
	const char *path = snapshot_path(c->after, i);
	bool fresh = is_below(path, c->fresh);

	if (old && S_ISDIR(old->mode) && !S_ISDIR(f->mode))
		c->gone = path;
	if (!fresh && old && S_ISDIR(f->mode) && S_ISDIR(old->mode) &&
	    !same_inode(old, f)) {
		c->fresh = path;
		return c->report(c->arg, SNAPSHOT_FRESH, path, f, err);
	}
	if (!fresh && old && same(old, f))
		return 0;
	return c->report(c->arg, SNAPSHOT_PUT, path, f, err);
}

int snapshot_compare(const struct snapshot *before,
		     const struct snapshot *after, snapshot_fn report,
		     void *arg, struct error *err)
{
	struct compare c = { before, after, report, arg, NULL, NULL };
	size_t i = 0, k = 0;
	int rc = 0;

	while (rc >= 0 && (i < before->nr || k < after->nr)) {
		int order = i == before->nr ? 1 :
			    k == after->nr  ? -1 :
					      compare_paths(
						      snapshot_path(before, i),
						      snapshot_path(after, k));

		if (order < 0)
			rc = gone(&c, i++, err);
		else if (order > 0)
			rc = there(&c, NULL, k++, err);
		else
			rc = there(&c, &before->files[i++], k++, err);
	}
	return rc;
}
