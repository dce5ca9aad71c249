/* base.c - read-only stores below this one: found, judged, never written */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/path.h"

#define BASES_MAX 16
#define IDS_MAX 65536
#define IDS_MIXED "mixed\n"

/* --- who owns the files of layers --- */

/* Which ids of this namespace mean which outside of it. */
static int our_ids(struct strbuf *out, struct error *err)
{
	if (fs_read_file("/proc/self/uid_map", IDS_MAX, out, err) < 0)
		return -1;
	return fs_read_file("/proc/self/gid_map", IDS_MAX, out, err);
}

int base_note_ids(struct store *s, struct error *err)
{
	cleanup_error struct error why = ERROR_INIT;
	cleanup_strbuf struct strbuf now = STRBUF_INIT;
	cleanup_strbuf struct strbuf then = STRBUF_INIT;

	if (our_ids(&now, err) < 0)
		return -1;
	if (fs_read_at(s->fd, STORE_IDS, IDS_MAX, &then, NULL) == 0) {
		if (str_eq(now.buf, then.buf) || str_eq(then.buf, IDS_MIXED))
			return 0;
		/* Layers of either kind are in there from now on. */
		strbuf_reset(&now);
		strbuf_addstr(&now, IDS_MIXED);
	}
	if (store_replace(s, STORE_IDS, now.buf, now.len, false, &why) < 0 &&
	    why.sys != EROFS)
		return error_move(err, &why);
	return 0;
}

/* Why layers of the base cannot be mounted by us; NULL: they can. */
static const char *misfit(const struct store *s, const struct store *base)
{
	cleanup_strbuf struct strbuf ours = STRBUF_INIT;
	cleanup_strbuf struct strbuf theirs = STRBUF_INIT;

	if (!marks_same_form(s, base))
		return "their marks of what is gone are of another form (root, "
		       "a user and root without the right to mount each have "
		       "one)";
	if (fs_read_at(base->fd, STORE_IDS, IDS_MAX, &theirs, NULL) < 0)
		return "it does not say which users own their files";
	if (our_ids(&ours, NULL) < 0 || !str_eq(ours.buf, theirs.buf))
		return "their files belong to other users than they would here";
	return NULL;
}

void base_tell(struct store *s)
{
	for (size_t i = 0; i < s->bad_bases.nr; i++)
		log_warn("%s", s->bad_bases.v[i]);
	strvec_release(&s->bad_bases);
}

void base_judge(struct store *s)
{
	for (size_t i = 0; i < s->n_bases; i++) {
		struct store *base = s->bases[i];
		const char *why = base->layout ? NULL : misfit(s, base);

		base->fit = !base->layout && !why;
		if (why)
			log_warn("layers of the base store '%s' are unpacked "
				 "anew here: %s",
				 base->path, why);
	}
	base_tell(s);
}

/* --- opening --- */

static int check_base(struct store *b, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct stat st;

	b->fd = open(b->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->fd < 0 || fstat(b->fd, &st) < 0)
		return error_errno(err, "cannot open it");
	if (st.st_mode & 022)
		return error_set(err, ERR_SYSTEM, "others may write to it");
	if (fs_read_at(b->fd, "format", 64, &text, NULL) < 0) {
		b->layout = true;
		if (faccessat(b->fd, STORE_LAYOUT, R_OK, 0) == 0)
			return 0;
		return error_set(err, ERR_SYSTEM,
				 "it is neither a store of "
				 "devenv nor an OCI image layout");
	}
	if (!str_eq(text.buf, STORE_FORMAT))
		return error_set(err, ERR_SYSTEM, "it has another format");
	/* Whoever collects it waits for us; we wait for nobody, as anybody who
	 * may read it could have us wait for ever. */
	b->use_fd = openat(b->fd, "format", O_RDONLY | O_CLOEXEC);
	if (b->use_fd < 0)
		return error_errno(err, "cannot open its file 'format'");
	if (flock(b->use_fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return error_set(err, ERR_SYSTEM,
				 "it is being collected or "
				 "repaired");
	return 0;
}

static void add_base(struct store *s, const char *path)
{
	struct store *b = xcalloc(1, sizeof(*b));
	cleanup_error struct error why = ERROR_INIT;

	b->fd = b->use_fd = b->uploads = -1;
	b->o = s->o;
	b->path = path_absolute(path);
	b->read_only = true;
	memcpy(b->boot, s->boot, sizeof(b->boot));
	if (check_base(b, &why) == 0) {
		s->bases[s->n_bases++] = b;
		return;
	}
	strvec_pushf(&s->bad_bases, "the base store '%s' is left out: %s",
		     b->path, why.msg);
	store_close(b);
}

int base_open(struct store *s, struct error *err)
{
	const char *set = getenv("DEVENV_BASE_STORE");
	cleanup_strvec struct strvec paths = STRVEC_INIT;

	if (set)
		strvec_split(&paths, set, ",");
	if (paths.nr > BASES_MAX)
		return error_set(err, ERR_USAGE,
				 "%zu base stores, at most %d "
				 "are possible",
				 paths.nr, BASES_MAX);
	s->bases = xcalloc(paths.nr + 1, sizeof(*s->bases));
	for (size_t i = 0; i < paths.nr; i++)
		add_base(s, paths.v[i]);
	return 0;
}

void base_close(struct store *s)
{
	for (size_t i = 0; i < s->n_bases; i++)
		store_close(s->bases[i]);
	free(s->bases);
	strvec_release(&s->bad_bases);
}

/* --- which of them images here need --- */

#define USED "bases" /* a path a line */

static void read_used(const struct store *s, struct strvec *paths)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (fs_read_at(s->fd, USED, IDS_MAX, &text, NULL) == 0)
		strvec_split(paths, text.buf, "\n");
}

static bool is_noted(const struct store *s, const char *path)
{
	cleanup_strvec struct strvec paths = STRVEC_INIT;

	read_used(s, &paths);
	return strvec_has(&paths, path);
}

void base_note_used(struct store *s, const struct store_image *i)
{
	for (size_t k = 0; k < i->n_layers; k++) {
		const struct store *home = layer_home(s, i->layers[k].id);
		cleanup_strbuf struct strbuf line = STRBUF_INIT;
		cleanup_close int fd = -1;

		if (home == s || is_noted(s, home->path))
			continue;
		/* One write at the end of it: others may do the same. */
		strbuf_addf(&line, "%s\n", home->path);
		fd = openat(s->fd, USED,
			    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW |
				    O_CLOEXEC,
			    0600);
		if (fd < 0 || fs_write_all(fd, line.buf, line.len, NULL) < 0)
			log_debug("cannot note a base store");
	}
}

char *base_absent(const struct store *s)
{
	cleanup_strvec struct strvec paths = STRVEC_INIT;

	read_used(s, &paths);
	for (size_t i = 0; i < paths.nr; i++) {
		size_t k = 0;

		while (k < s->n_bases && !str_eq(s->bases[k]->path, paths.v[i]))
			k++;
		if (k == s->n_bases)
			return xstrdup(paths.v[i]);
	}
	return NULL;
}

/* --- images --- */

int base_get_image(struct store *s, const char *name, struct store_image *i)
{
	for (size_t k = 0; k < s->n_bases; k++) {
		struct store *b = s->bases[k];
		cleanup_error struct error why = ERROR_INIT;
		int found = b->layout ? base_layout_get(b, name, i, &why)
				      : image_get_own(b, name, i, &why);

		/* A registry may have what is damaged here. */
		if (found < 0)
			log_warn("base store '%s': %s", b->path, why.msg);
		if (found <= 0)
			continue;
		i->base = b->path;
		return 1;
	}
	return 0;
}

struct gathering {
	struct store *base;
	struct store_images *all;
};

static void take(struct gathering *g, int64_t used, struct store_image *i)
{
	struct store_image_use *u;

	GROW(g->all->v, g->all->nr, g->all->alloc);
	u = &g->all->v[g->all->nr++];
	*u = (struct store_image_use){ .image = *i, .used = used };
	u->image.base = g->base->path;
	strvec_push(&u->references, i->reference);
	memset(i, 0, sizeof(*i));
}

static void gather(void *arg, const char *path, struct store_image *i)
{
	struct gathering *g = arg;
	struct stat st;

	if (store_record_is_ref(path) && i->reference &&
	    fstatat(g->base->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		take(g, st.st_mtim.tv_sec, i);
}

static int gather_layout(struct gathering *g, struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (base_layout_names(g->base, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_store_image struct store_image image = { .n_layers =
									 0 };

		if (base_layout_get(g->base, names.v[i], &image, NULL) > 0)
			take(g, 0, &image);
	}
	return 0;
}

int store_base_images(struct store *s, struct store_images *out,
		      struct error *err)
{
	cleanup_store_images struct store_images all = { .nr = 0 };

	for (size_t k = 0; k < s->n_bases; k++) {
		struct gathering g = { s->bases[k], &all };

		if (g.base->layout
			    ? gather_layout(&g, err)
			    : store_each_record(g.base, true, gather, &g, err))
			return -1;
	}
	base_tell(s);
	census_sort(&all);
	*out = all;
	all = (struct store_images){ .nr = 0 };
	return 0;
}
