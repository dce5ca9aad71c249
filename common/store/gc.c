/* gc.c - remove what nothing refers to, and what was not used for long */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

/* What may go when it was not used for long: a remembered step, an image that
 * no reference shows, a cache mount, the digests of a context's files. */
struct candidate {
	char *path;
	bool tree; /* it is what takes the room, and names nothing else */
	bool mount;
	uint64_t bytes;
	struct timespec used;
	size_t *count; /* of the result */
};

struct gc {
	struct store *s;
	const struct store_gc_options *o;
	time_t now;
	struct reach reach;
	struct candidate *old;
	size_t n, alloc;
	uint64_t bytes; /* of what is kept */
	struct store_gc_result *result;
};

static void release(struct gc *g)
{
	for (size_t i = 0; i < g->n; i++)
		free(g->old[i].path);
	free(g->old);
	reach_release(&g->reach);
}

static int walk(struct gc *g, const char *dir,
		int (*visit)(struct gc *g, const char *path, const char *name,
			     struct error *err), struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (store_list(g->s, dir, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_free char *path = xstrfmt("%s/%s", dir, names.v[i]);

		if (visit(g, path, names.v[i], err) < 0)
			return -1;
	}
	return 0;
}

static int discard(struct gc *g, const char *path, uint64_t bytes,
		   size_t *count, struct error *err)
{
	g->result->bytes += bytes;
	++*count;
	return g->o->dry_run ? 0 : store_discard(g->s, path, err);
}

/* --- what must stay --- */

static int keep(struct gc *g, const char *path, struct error *err)
{
	return reach_from(&g->reach, path,
			  g->o->keep_size ? &g->bytes : NULL, err);
}

static struct candidate *add_candidate(struct gc *g, const char *path,
				       const struct stat *st, size_t *count)
{
	GROW(g->old, g->n, g->alloc);
	g->old[g->n] = (struct candidate){ .path = xstrdup(path),
					   .used = st->st_mtim,
					   .count = count };
	return &g->old[g->n++];
}

/* An image that no reference shows has one name only: its record is linked
 * once for each. */
static int visit_image(struct gc *g, const char *path, const char *name,
		       struct error *err)
{
	struct stat st;

	if (str_starts(name, "id-") &&
	    fstatat(g->s->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_nlink == 1) {
		add_candidate(g, path, &st, &g->result->images);
		return 0;
	}
	return keep(g, path, err);
}

static int visit_cache(struct gc *g, const char *path, const char *name UNUSED,
		       struct error *err)
{
	struct stat st;

	if (fstatat(g->s->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, "cannot examine '%s'", path);
	add_candidate(g, path, &st, &g->result->cache);
	return 0;
}

static int add_tree(struct gc *g, const char *path, bool mount, size_t *count,
		    struct error *err)
{
	struct candidate *c;
	struct stat st;
	uint64_t files;

	if (fstatat(g->s->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, "cannot examine '%s'", path);
	c = add_candidate(g, path, &st, count);
	c->tree = true;
	c->mount = mount;
	return store_disk_usage(g->s, path, &c->bytes, &files, err);
}

static int visit_mount(struct gc *g, const char *path, const char *name UNUSED,
		       struct error *err)
{
	return add_tree(g, path, true, &g->result->mounts, err);
}

static int visit_context(struct gc *g, const char *path,
			 const char *name UNUSED, struct error *err)
{
	return add_tree(g, path, false, &g->result->contexts, err);
}

/* --- what may go --- */

static int newest_first(const void *a, const void *b)
{
	const struct timespec *x = &((const struct candidate *)a)->used;
	const struct timespec *y = &((const struct candidate *)b)->used;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? 1 : -1;
	return (x->tv_nsec < y->tv_nsec) - (x->tv_nsec > y->tv_nsec);
}

static bool unwanted(const struct gc *g, const struct candidate *c)
{
	return (c->mount && g->o->mounts) ||
	       (g->o->max_age &&
		c->used.tv_sec + (time_t)g->o->max_age < g->now);
}

/* 1: it stays, 0: there is no room for it. */
static int try_keep(struct gc *g, const struct candidate *c,
		    struct error *err)
{
	uint64_t before = g->bytes;

	if (c->tree)
		g->bytes += c->bytes;
	else if (keep(g, c->path, err) < 0)
		return -1;
	if (!g->o->keep_size || g->bytes <= g->o->keep_size)
		return 1;
	if (!c->tree)
		reach_undo(&g->reach);
	g->bytes = before;
	return 0;
}

/* What was used last is kept first, until the size is reached; all that is
 * older goes. */
static int choose(struct gc *g, struct error *err)
{
	bool full = false;

	if (g->n)
		qsort(g->old, g->n, sizeof(*g->old), newest_first);
	for (size_t i = 0; i < g->n; i++) {
		struct candidate *c = &g->old[i];
		int stays = 0;

		if (!full && !unwanted(g, c)) {
			stays = try_keep(g, c, err);
			full = !stays;
		}
		if (stays < 0 ||
		    (!stays && discard(g, c->path, c->bytes, c->count, err) <
				       0))
			return -1;
	}
	return 0;
}

static int sweep_one(struct gc *g, struct reach_item *item, struct error *err)
{
	char path[REACH_PATH];

	g->result->bytes += reach_bytes(&g->reach, item);
	++*(item->layer ? &g->result->layers : &g->result->blobs);
	if (g->o->dry_run)
		return 0;
	if (item->layer)
		return layer_discard(g->s, item->name, err);
	reach_path(item, path);
	return store_discard(g->s, path, err);
}

static int sweep(struct gc *g, struct error *err)
{
	for (size_t i = 0; i < g->reach.n; i++) {
		struct reach_item *item = &g->reach.items[i];

		if (item->live &&
		    (!item->layer || layer_is_own(g->s, item->name)))
			continue;
		if (sweep_one(g, item, err) < 0)
			return -1;
	}
	return 0;
}

static int collect(struct gc *g, struct error *err)
{
	if (reach_init(&g->reach, g->s, err) < 0 ||
	    walk(g, "images", visit_image, err) < 0 ||
	    reach_from_runs(&g->reach, g->o->keep_size ? &g->bytes : NULL,
			    err) < 0 ||
	    walk(g, "cache", visit_cache, err) < 0 ||
	    walk(g, "mounts", visit_mount, err) < 0 ||
	    walk(g, "context", visit_context, err) < 0 || choose(g, err) < 0)
		return -1;
	return sweep(g, err);
}

int store_gc(struct store *s, const struct store_gc_options *o,
	     struct store_gc_result *result, struct error *err)
{
	struct gc g = { .s = s, .o = o, .now = time(NULL), .result = result };
	int rc;

	memset(result, 0, sizeof(*result));
	if (flock(s->use_fd, LOCK_EX | LOCK_NB) < 0) {
		error_set(err, ERR_SYSTEM,
			  "another devenv process uses store '%s'", s->path);
		return error_hint(err, "wait until it ends");
	}
	rc = collect(&g, err);
	release(&g);
	if (flock(s->use_fd, LOCK_SH) < 0)
		log_debug("cannot go back to a shared lock");
	return rc;
}
