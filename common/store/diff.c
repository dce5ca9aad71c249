/* diff.c - a layer as a tar: what it changes of the layers below */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct diff {
	struct store *s;
	struct emit *emit;
	const struct store_meta *metas; /* of the chain */
	size_t top;			/* the layer in question */
	bool unpacked; /* it came as a tar, which held all its files */
};

/* A directory being walked; `up` leads to the root. It goes out when it
 * changed itself or when something in it did. */
struct frame {
	struct frame *up;
	int parent_fd;
	const char *name, *path;
	const struct stat *st;
	bool out;
	bool opaque; /* nothing of the layers below shows in it */
};

static int walk(struct diff *d, struct frame *f, int fd,
		const struct view *below, struct error *err);

static int emit_parents(struct diff *d, struct frame *f, struct error *err)
{
	if (f->out)
		return 0;
	if (emit_parents(d, f->up, err) < 0)
		return -1;
	f->out = true;
	return emit_file(d->emit, f->parent_fd, f->name, f->path, f->st,
			 &d->metas[d->top], err);
}

static int put_whiteout(struct diff *d, struct frame *dir, const char *name,
			struct error *err)
{
	if (emit_parents(d, dir, err) < 0)
		return -1;
	return emit_whiteout(d->emit, dir->path, name, err);
}

/* What the layers below have under this name, and whether it is the same. */
struct before {
	bool exists, same;
	size_t at;
	struct stat st;
};

static int look_below(struct diff *d, int fd, const char *name,
		      const struct stat *st, const struct view *below,
		      struct before *b, struct error *err)
{
	int rc = view_lookup(below, name, &b->at, &b->st, err);

	if (rc < 0)
		return -1;
	b->exists = rc > 0;
	b->same = false;
	if (!b->exists || view_is_whiteout(d->s, fd, name, st) ||
	    (d->unpacked && !S_ISDIR(st->st_mode)))
		return 0;
	rc = emit_same(d->s, fd, st, &d->metas[d->top], below->fds[b->at],
		       &b->st, &d->metas[below->layers[b->at]], name, err);
	b->same = rc > 0;
	return rc < 0 ? -1 : 0;
}

static int walk_child(struct diff *d, struct frame *f, int fd,
		      const char *name, const struct view *below,
		      const struct before *b, struct error *err)
{
	cleanup_view struct view child = { .n = 0 };
	cleanup_close int dir = openat(fd, name, O_RDONLY | O_DIRECTORY |
							 O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0)
		return error_errno(err, "cannot open '%s'", f->path);
	if (b->exists && S_ISDIR(b->st.st_mode) &&
	    view_enter(d->s, below, name, b->at, &child, err) < 0)
		return -1;
	return walk(d, f, dir, &child, err);
}

static int visit(struct diff *d, struct frame *up, int fd, const char *name,
		 const struct view *below, struct error *err)
{
	cleanup_free char *path = xstrfmt("%s%s%s", up->path,
					  *up->path ? "/" : "", name);
	struct stat st;
	struct frame f = { .up = up, .parent_fd = fd, .name = name,
			   .path = path, .st = &st, .opaque = up->opaque };
	struct before b;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, "cannot examine '%s'", path);
	if (look_below(d, fd, name, &st, below, &b, err) < 0)
		return -1;
	if (view_is_whiteout(d->s, fd, name, &st))
		return b.exists ? put_whiteout(d, up, name, err) : 0;
	if (!b.same && emit_parents(d, &f, err) < 0)
		return -1;
	if (!S_ISDIR(st.st_mode))
		return 0;
	return walk_child(d, &f, fd, name, below, &b, err);
}

/* One name of an opaque directory; `below`: it exists there. */
static int visit_opaque(struct diff *d, struct frame *f, int fd,
			const char *name, bool exists,
			const struct view *below, struct error *err)
{
	static const struct view nothing;
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return error_errno(err, "cannot examine '%s/%s'",
					   f->path, name);
		return put_whiteout(d, f, name, err);
	}
	if (view_is_whiteout(d->s, fd, name, &st))
		return exists ? put_whiteout(d, f, name, err) : 0;
	return visit(d, f, fd, name, S_ISDIR(st.st_mode) ? below : &nothing,
		     err);
}

/*
 * An opaque directory hides all that was there, in directories below it as
 * well. Names that it does not bring itself become whiteouts each, as readers
 * of `.wh..wh..opq` differ in what they hide.
 */
static int walk_opaque(struct diff *d, struct frame *f, int fd,
		       const struct view *below, struct error *err)
{
	cleanup_strvec struct strvec old = STRVEC_INIT, all = STRVEC_INIT;

	if (view_names(below, &old, err) < 0 ||
	    store_read_dir(fd, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < old.nr; i++)
		strvec_push(&all, old.v[i]);
	if (all.nr)
		strvec_sort(&all);
	for (size_t i = 0, k = 0; i < all.nr; i++) {
		const char *name = all.v[i];

		if (i && str_eq(name, all.v[i - 1]))
			continue;
		while (k < old.nr && strcmp(old.v[k], name) < 0)
			k++;
		if (visit_opaque(d, f, fd, name,
				 k < old.nr && str_eq(old.v[k], name), below,
				 err) < 0)
			return -1;
	}
	return 0;
}

static int walk(struct diff *d, struct frame *f, int fd,
		const struct view *below, struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (view_is_opaque(d->s, fd))
		f->opaque = true;
	if (below->n && f->opaque)
		return walk_opaque(d, f, fd, below, err);
	if (store_read_dir(fd, &names, err) < 0)
		return error_wrap(err, "'%s'", f->path);
	if (names.nr)
		strvec_sort(&names);
	for (size_t i = 0; i < names.nr; i++) {
		if (visit(d, f, fd, names.v[i], below, err) < 0)
			return -1;
	}
	return 0;
}

int diff_metas(struct store *s, const char *const *chain, size_t n,
	       struct store_meta *metas, struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		if (store_get_meta(s, chain[i], &metas[i], err) < 0)
			return -1;
	}
	return 0;
}

static int write_tar(struct diff *d, const struct view *chain, int64_t latest,
		     store_write_fn write, void *arg, struct error *err)
{
	cleanup_emit struct emit *emit = emit_new(d->s, write, arg);
	const size_t at = chain->n - d->top; /* the layers below begin there */
	const struct view below = { chain->fds + at, chain->layers + at,
				    d->metas[d->top].alone ? 0 : d->top, d->s };
	struct frame root = { .path = "", .name = "", .out = true };

	d->emit = emit;
	emit_clamp(emit, latest);
	if (walk(d, &root, chain->fds[at - 1], &below, err) < 0)
		return -1;
	return emit_end(emit, err);
}

int diff_tar(struct store *s, const struct view *chain, size_t top,
	     const struct store_meta *metas, store_write_fn write, void *arg,
	     struct error *err)
{
	struct diff d = { .s = s, .metas = metas, .top = top };

	return write_tar(&d, chain, INT64_MAX, write, arg, err);
}

/* One that was unpacked is named by its content. */
static bool is_unpacked(const char *id, const struct store_meta *meta)
{
	return *meta->diff_id && str_eq(digest_hex(meta->diff_id), id);
}

int store_layer_tar_until(struct store *s, const char *const *chain, size_t n,
			  int64_t latest, store_write_fn write, void *arg,
			  struct error *err)
{
	cleanup_free struct store_meta *metas = xcalloc(n, sizeof(*metas));
	cleanup_view struct view view = { .n = 0 };
	struct diff d = { .s = s, .metas = metas };

	if (store_get_meta(s, chain[n - 1], metas, err) < 0)
		return -1;
	if (metas->alone) {
		chain += n - 1;
		n = 1;
	}
	if (diff_metas(s, chain, n, metas, err) < 0 ||
	    view_open(s, chain, n, &view, err) < 0)
		return -1;
	d.top = n - 1;
	d.unpacked = is_unpacked(chain[d.top], &metas[d.top]);
	return write_tar(&d, &view, latest, write, arg, err);
}

int store_layer_tar(struct store *s, const char *const *chain, size_t n,
		    store_write_fn write, void *arg, struct error *err)
{
	return store_layer_tar_until(s, chain, n, INT64_MAX, write, arg, err);
}
