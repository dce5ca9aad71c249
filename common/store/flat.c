/* flat.c - a whole chain as one tar or one directory, without mounting */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/place.h"
#include "store/swap.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "wrap/ring.h"

struct flat {
	struct store *s;
	struct emit *emit;
	struct store_meta *metas;
	const struct store_chain *chain;
};

static int walk(struct flat *f, const struct view *v, const char *dir,
		struct error *err);

static int visit(struct flat *f, const struct view *v, const char *dir,
		 const char *name, struct error *err)
{
	cleanup_free char *path = xstrfmt("%s%s%s", dir, *dir ? "/" : "",
					  name);
	cleanup_view struct view child = { .n = 0 };
	struct stat st;
	size_t at;
	int found = view_lookup(v, name, &at, &st, err);

	if (found <= 0)
		return found;
	emit_clamp(f->emit, v->layers[at] >= f->chain->young
				    ? f->chain->latest : INT64_MAX);
	if (emit_file(f->emit, v->fds[at], name, path, &st,
		      &f->metas[v->layers[at]], err) < 0)
		return -1;
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (view_enter(f->s, v, name, at, &child, err) < 0)
		return -1;
	return walk(f, &child, path, err);
}

static int walk(struct flat *f, const struct view *v, const char *dir,
		struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (view_names(v, &names, err) < 0)
		return error_wrap(err, "'%s'", dir);
	for (size_t i = 0; i < names.nr; i++) {
		if (visit(f, v, dir, names.v[i], err) < 0)
			return -1;
	}
	return 0;
}

static int flat_tar(struct store *s, const struct store_chain *chain,
		    bool exact, store_write_fn write, void *arg,
		    struct error *err)
{
	cleanup_emit struct emit *emit = emit_new(s, write, arg);
	cleanup_free struct store_meta *metas = xcalloc(chain->n + 1,
							sizeof(*metas));
	cleanup_view struct view root = { .n = 0 };
	struct flat f = { s, emit, metas, chain };

	if (exact)
		emit_exact(emit);
	for (size_t i = 0; i < chain->n; i++) {
		if (store_get_meta(s, chain->ids[i], &metas[i], err) < 0)
			return -1;
	}
	if (view_open(s, chain->ids, chain->n, &root, err) < 0 ||
	    walk(&f, &root, "", err) < 0)
		return -1;
	return emit_end(emit, err);
}

int store_flat_tar(struct store *s, const struct store_chain *chain,
		   store_write_fn write, void *arg, struct error *err)
{
	return flat_tar(s, chain, false, write, arg, err);
}

/* The tar of one thread is what the other unpacks: one set of rules. */
struct copy {
	struct store *s;
	const struct store_chain *chain;
	struct ring *ring;
	const struct unpack_chown *chown; /* NULL: owners as they are */
	struct error err;
};

static int copy_write(void *arg, const void *data, size_t n, struct error *err)
{
	struct copy *c = arg;

	if (!ring_write(c->ring, data, n))
		return error_set(err, ERR_SYSTEM, "copy was ended");
	return 0;
}

static void copy_main(void *arg)
{
	struct copy *c = arg;

	if (flat_tar(c->s, c->chain, true, copy_write, c, &c->err) < 0)
		log_debug("copy ended early");
	ring_end(c->ring);
}

static ssize_t copy_read(void *arg, void *data, size_t n,
			 struct error *err UNUSED)
{
	struct copy *c = arg;

	return (ssize_t)ring_read(c->ring, data, n);
}

static int copy_unpack(struct copy *c, struct place *p, struct error *err)
{
	cleanup_tar struct tar *t = NULL;

	if (tar_open(&t, false, copy_read, c, err) < 0)
		return -1;
	return store_unpack_tree(p, t, c->chown, UINT64_MAX, err);
}

static int copy_tree(struct copy *c, int dest, struct error *err)
{
	struct place_options o = { .s = c->s, .owners = c->chown };
	cleanup_place struct place *p = place_new(&o, dest);
	struct ring_thread thread;
	int rc;

	ring_start(&thread, copy_main, c);
	rc = copy_unpack(c, p, err);
	if (rc < 0)
		ring_cancel(c->ring);
	ring_drain(c->ring);
	ring_join(&thread);
	/* When unpacking failed first, the other thread only heard of it. */
	if (rc == 0 && error_is(&c->err))
		return error_move(err, &c->err);
	error_release(&c->err);
	return rc;
}

static int open_empty(const char *dest, struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_close int fd = -1;

	if (fs_mkdir_p(dest, 0755, err) < 0)
		return -1;
	fd = open(dest, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "cannot open '%s'", dest);
	if (store_read_dir(fd, &names, err) < 0)
		return error_wrap(err, "'%s'", dest);
	if (names.nr)
		return error_set(err, ERR_USAGE, "'%s' is not empty", dest);
	return steal_fd(&fd);
}

static int flat_copy(struct store *s, const struct store_chain *chain,
		     const struct unpack_chown *chown, const char *dest,
		     struct error *err)
{
	cleanup_ring struct ring *ring = ring_new();
	cleanup_close int fd = open_empty(dest, err);
	struct copy c = { .s = s, .chain = chain, .ring = ring,
			  .chown = chown };

	if (fd < 0)
		return -1;
	/* The top is in no tar. */
	if (chown && fchown(fd, chown->uid, chown->gid) < 0)
		return error_errno(err, "cannot give '%s' to %u:%u", dest,
				   chown->uid, chown->gid);
	return copy_tree(&c, fd, err);
}

int store_flat_copy(struct store *s, const struct store_chain *chain,
		    const char *dest, struct error *err)
{
	return flat_copy(s, chain, NULL, dest, err);
}

int store_flat_swapped(struct store *s, const struct store_chain *chain,
		       uid_t uid, gid_t gid, const char *dest,
		       struct error *err)
{
	const struct unpack_chown chown = { uid, gid, true };

	return flat_copy(s, chain, &chown, dest, err);
}
