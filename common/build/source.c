/* source.c - where COPY, ADD and mounts read from */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <unistd.h>

#include "base/path.h"
#include "build/stage.h"
#include "build/source.h"

/* What a name means that is no stage. */
struct build_source {
	char *name;
	bool is_tree;
	struct build_stage image; /* without a step of its own */
	struct build_tree tree;
	struct dockerfile_ignore *ignore;
	struct store_stat_cache *cache;
	int fd;
};

static void source_free(struct build_source *s)
{
	if (!s)
		return;
	stage_release(&s->image);
	dockerfile_ignore_free(s->ignore);
	store_stat_cache_close(s->cache);
	base_close_fd(&s->fd);
	free(s->name);
	free(s);
}

void source_release_all(struct build *b)
{
	while (b->n_sources)
		source_free(b->sources[--b->n_sources]);
	free(b->sources);
	source_remote_release_all(b);
}

static int set_tree(struct build *b, struct build_source *s,
		    const char *name, struct error *err)
{
	if (store_stat_cache_open(b->o->store, name, &s->cache, err) < 0)
		return -1;
	s->is_tree = true;
	s->tree = (struct build_tree){ .fd = s->fd,
				       .ignore = s->ignore,
				       .cache = s->cache };
	return 0;
}

/* A directory of this machine, with an ignore file of its own. */
static int open_dir(struct build *b, struct build_source *s, const char *dir,
		    struct error *err)
{
	s->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->fd < 0)
		return error_errno_code(err, ERR_INPUT,
					"cannot open the context '%s'", dir);
	if (build_ignore(s->fd, dir, NULL, &s->ignore, err) < 0)
		return -1;
	return set_tree(b, s, dir, err);
}

static int open_remote(struct build *b, struct build_source *s,
		       const struct build_named *named, struct error *err)
{
	struct source_view view;

	if (source_context_open(b, &named->remote, &view, err) < 0)
		return -1;
	s->fd = steal_fd(&view.tree.fd);
	return set_tree(b, s, named->value, err);
}

int source_local(struct build *b, const struct build_named *named,
		 const char *name, const struct oci_platform *platform,
		 struct store_image *image, struct error *err)
{
	const struct build_options *o = b->o;
	int rc;

	if (named && named->kind == BUILD_NAMED_LAYOUT)
		return build_layout_import(o->store, named->value, named->tag,
					   platform, image, err) < 0 ? -1 : 1;
	rc = build_find_local(o->store, named ? named->value : name, platform,
			      o->pull, image, err);
	if (rc < 0 && err && err->code == ERR_USAGE)
		err->code = ERR_INPUT; /* a file's word, no argument */
	return rc;
}

static int source_image(struct build *b, const struct build_named *named,
			const char *name, struct store_image *image,
			struct error *err)
{
	int rc = source_local(b, named, name, &b->o->platform, image, err);

	if (rc)
		return rc < 0 ? -1 : 0;
	return resolve_image(b, named ? named->value : name, &b->o->platform,
			     image, err);
}

/* A mistyped stage looks like an image that nobody has. */
static int suggest_stage(struct build *b, const char *name, struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	const char *near;
	size_t i;

	for (i = 0; i < b->n_stages; i++) {
		struct build_base base;

		build_eval_base(b->ev, i, &base);
		if (base.name)
			strvec_push(&names, base.name);
	}
	near = names.nr ? str_nearest(name, (const char *const *)names.v)
			: NULL;
	if (near)
		return error_hint(err, "did you mean the stage '%s'?", near);
	return -1;
}

static int open_image(struct build *b, struct build_source *s,
		      const struct build_named *named, struct error *err)
{
	struct build_stage *st = &s->image;

	if (!named && str_eq(s->name, "scratch")) {
		stage_base_key(&st->image, st->key);
		return 0;
	}
	if (source_image(b, named, s->name, &st->image, err) < 0)
		return suggest_stage(b, s->name, err);
	stage_name_base(st, named && named->kind == BUILD_NAMED_IMAGE
				    ? named->value : s->name);
	st->base_layers = st->image.n_layers;
	st->mounted = true;
	stage_base_key(&st->image, st->key);
	return 0;
}

static int open_source(struct build *b, struct build_source *s,
		       struct error *err)
{
	const struct build_named *named =
		build_named_find(b->o->named, s->name, &b->o->platform);

	if (named && named->kind == BUILD_NAMED_DIR)
		return open_dir(b, s, named->value, err);
	if (named && named->kind == BUILD_NAMED_REMOTE)
		return open_remote(b, s, named, err);
	return open_image(b, s, named, err);
}

static struct build_source *known_source(const struct build *b,
					 const char *name)
{
	size_t i;

	for (i = 0; i < b->n_sources; i++)
		if (str_eq(b->sources[i]->name, name))
			return b->sources[i];
	return NULL;
}

static int find_source(struct build *b, const char *name,
		       struct build_source **out, struct error *err)
{
	struct build_source *s = known_source(b, name);

	*out = s;
	if (s)
		return 0;
	s = xcalloc(1, sizeof(*s));
	s->name = xstrdup(name);
	s->fd = -1;
	if (open_source(b, s, err) < 0) {
		source_free(s);
		return -1;
	}
	GROW(b->sources, b->n_sources, b->alloc_sources);
	b->sources[b->n_sources++] = s;
	*out = s;
	return 0;
}

const struct build_stage *source_nth(const struct build *b, size_t n)
{
	return n < b->n_sources ? &b->sources[n]->image : NULL;
}

struct build_stage *source_stage(struct build *b, const struct build_from *from)
{
	struct build_source *s =
		from->name ? known_source(b, from->name) : NULL;

	return s && !s->is_tree ? &s->image : NULL;
}

/* What can be mounted (`st`), or else the tree that is there. */
static int resolve(struct build *b, const struct build_from *from,
		   struct build_stage **st, struct build_tree *tree,
		   struct error *err)
{
	struct build_source *s;

	*st = NULL;
	if (from->stage != SIZE_MAX) {
		*st = &b->stages[from->stage];
		return 0;
	}
	if (!from->name)
		return step_context_tree(b, tree, err);
	if (find_source(b, from->name, &s, err) < 0)
		return -1;
	if (s->is_tree)
		*tree = s->tree;
	else
		*st = &s->image;
	return 0;
}

int source_key(struct build *b, const struct build_from *from,
	       struct cache_key *k, struct build_tree *tree, struct error *err)
{
	struct build_stage *st;

	if (resolve(b, from, &st, tree, err) < 0)
		return -1;
	if (st)
		cache_key_add(k, "from", st->key);
	return st ? 1 : 0;
}

int source_open(struct build *b, const struct build_from *from,
		const struct store_draft *draft, struct source_view *view,
		struct error *err)
{
	cleanup_free char *mount = NULL;
	struct build_stage *st;

	*view = (struct source_view){ .tree = { .fd = -1 } };
	if (resolve(b, from, &st, &view->tree, err) < 0)
		return -1;
	if (!st)
		return 0;
	mount = xstrfmt("from-%u", b->n_mounts++);
	view->tree = (struct build_tree){ .keep_owners = true,
					  .store = b->o->store };
	view->tree.fd = stage_mount(b, st, draft, mount, err);
	if (view->tree.fd < 0)
		return -1;
	/* Without layers nothing is mounted over a draft. */
	view->dir = draft && !st->dirs.nr ? xstrdup(draft->fs)
					  : path_join(b->scratch, mount);
	view->mount = steal_ptr(&mount);
	return 0;
}

void source_close(struct build *b, struct source_view *view)
{
	if (view->mount || view->owned)
		base_close_fd(&view->tree.fd);
	if (!view->mount)
		return;
	stage_unmount(b, view->mount);
	free(steal_ptr(&view->mount));
	free(steal_ptr(&view->dir));
}
