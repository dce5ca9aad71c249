/* stage.c - what a stage stands on, its layers, its merged root */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "build/chroot.h"
#include "build/history.h"
#include "build/stage.h"

void stage_release(struct build_stage *st)
{
	size_t i;

	store_image_release(&st->image);
	for (i = 0; i < st->n_plan; i++) {
		build_step_release(&st->plan[i].step);
		cache_key_release(&st->plan[i].text);
		free(st->plan[i].created);
	}
	free(st->plan);
	chroot_free(st->tree);
	strvec_release(&st->dirs);
	runtime_user_release(&st->user);
	free(st->user_spec);
}

/* The key of what a base image holds: its files, by the digests of its layers
 * where they are known. They stay what they are when the image is pushed. */
void stage_base_key(const struct store_image *image, char key[CACHE_KEY])
{
	cleanup_cache_key struct cache_key k = CACHE_KEY_INIT;
	size_t i;

	cache_key_begin(&k, "");
	for (i = 0; i < image->n_layers; i++) {
		const struct store_image_layer *l = &image->layers[i];

		cache_key_add(&k, "layer", l->diff_id[0] ? l->diff_id : l->id);
	}
	cache_key_finish(&k, key);
}

void stage_name_base(struct build_stage *st, const char *name)
{
	st->base_name = name;
	memcpy(st->base_digest, st->image.manifest, DIGEST_TEXT);
}

/* resolve.c has found it. */
static void begin_image(struct build_stage *st, const struct build_base *base)
{
	stage_base_key(&st->image, st->key);
	stage_name_base(st, base->named && base->named->kind ==
						   BUILD_NAMED_IMAGE
				    ? base->named->value : base->image);
	st->base_history = st->image.config.n_history;
	st->base_layers = st->image.n_layers;
}

static void begin_stage(struct build_stage *st,
			const struct build_stage *from)
{
	build_copy_image(&st->image, &from->image);
	memcpy(st->key, from->key, CACHE_KEY);
	st->base_history = from->base_history;
	st->base_layers = from->base_layers;
	st->base_name = from->base_name;
	memcpy(st->base_digest, from->base_digest, DIGEST_TEXT);
	st->missed = from->missed;
}

int stage_begin(struct build *b, size_t i, struct error *err)
{
	struct build_stage *st = &b->stages[i];
	struct build_base base;

	build_eval_base(b->ev, i, &base);
	st->begun = true;
	if (base.kind == BASE_IMAGE)
		begin_image(st, &base);
	else if (base.kind == BASE_STAGE)
		begin_stage(st, &b->stages[base.stage]);
	else
		oci_platform_copy(&st->image.config.platform, base.platform);
	return build_eval_begin(b->ev, i,
				base.kind == BASE_SCRATCH ? NULL
							  : &st->image.config,
				err);
}

/* Does the newest layer say something about users? */
static void forget_user(struct build_stage *st, const char *dir)
{
	cleanup_free char *etc = path_join(dir, "etc");

	if (!st->user_spec || !fs_exists(etc))
		return;
	free(steal_ptr(&st->user_spec));
	runtime_user_release(&st->user);
}

void stage_pass(struct build *b, struct build_stage *st,
		const struct build_planned *p)
{
	if (!st->mounted)
		return;
	strvec_push_own(&st->dirs, store_layer_fs(b->o->store, p->layer));
	forget_user(st, st->dirs.v[st->dirs.nr - 1]);
}

/* A layer that stands alone is keyed alone: here it meets what it lies on. */
void stage_next_key(char key[CACHE_KEY], const struct build_step *step,
		    const char *as)
{
	cleanup_cache_key struct cache_key k = CACHE_KEY_INIT;

	if (!step->link) {
		memcpy(key, as, CACHE_KEY);
		return;
	}
	cache_key_begin(&k, key);
	cache_key_add(&k, "link", as);
	cache_key_finish(&k, key);
}

void stage_add(struct build_stage *st, const struct build_step *step,
	       const char *layer, const char *key, const char *created)
{
	if (layer) {
		build_add_layer(&st->image, layer);
		stage_next_key(st->key, step, key);
	}
	if (step->created_by)
		history_add(&st->image.config, step->created_by,
			    layer ? created : NULL);
}

void stage_digest_ids(const struct strbuf *ids, char below[STORE_ID])
{
	char digest[DIGEST_TEXT];

	if (!ids->len) {
		snprintf(below, STORE_ID, CACHE_GROUND);
		return;
	}
	digest_bytes(ids->buf, ids->len, digest);
	memcpy(below, digest_hex(digest), STORE_ID);
}

void stage_digest_layers(const struct store_image *image, size_t n,
			 char below[STORE_ID])
{
	cleanup_strbuf struct strbuf ids = STRBUF_INIT;
	size_t i;

	for (i = 0; i < n; i++)
		strbuf_addstr(&ids, image->layers[i].id);
	stage_digest_ids(&ids, below);
}

void stage_below(const struct build_stage *st, const struct build_planned *p,
		 char below[STORE_ID])
{
	size_t n = st->image.n_layers;

	while (n && !str_eq(st->image.layers[n - 1].id, p->layer))
		n--;
	/* While it is being planned it is not among them: all are below. */
	n = n ? n - 1 : *p->layer ? 0 : st->image.n_layers;
	stage_digest_layers(&st->image, n, below);
}

bool stage_fits(const struct build_stage *st, const struct build_planned *p,
		const struct cache_entry *e)
{
	char below[STORE_ID];

	if (p->step.link || !*e->below)
		return true;
	stage_below(st, p, below);
	return str_eq(e->below, below);
}

int stage_mount(struct build *b, struct build_stage *st,
		const struct store_draft *draft, const char *name,
		struct error *err)
{
	cleanup_free char *target = path_join(b->scratch, name);
	const char *place = target;
	int fd;

	if (b->o->by_chroot)
		return chroot_open(b, st, draft != NULL, err);
	if (mkdir(target, 0700) < 0 && errno != EEXIST)
		return error_errno(err, "cannot create '%s'", target);
	if (st->dirs.nr) {
		if (runtime_mount_overlay((const char *const *)st->dirs.v,
					  st->dirs.nr,
					  draft ? draft->fs : NULL,
					  draft ? draft->work : NULL, target,
					  err) < 0)
			return -1;
	} else if (draft) {
		place = draft->fs; /* nothing below: no overlay needed */
	}
	fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "cannot open '%s'", place);
	return fd;
}

void stage_unmount(struct build *b, const char *name)
{
	cleanup_free char *target = path_join(b->scratch, name);
	cleanup_error struct error err = ERROR_INIT;

	if (b->o->by_chroot)
		return;
	/* Nothing is mounted there when the stage had no layers. */
	if (runtime_umount(target, &err) < 0 && err.sys != EINVAL)
		log_debug("%s", err.msg);
}

int stage_user(struct build *b, struct build_stage *st, const char *spec,
	       const struct runtime_user **user, struct error *err)
{
	cleanup_close int root = -1;
	int rc;

	*user = &st->user;
	if (st->user_spec && str_eq(st->user_spec, spec))
		return 0;
	free(steal_ptr(&st->user_spec));
	runtime_user_release(&st->user);
	root = stage_mount(b, st, NULL, "user", err);
	if (root < 0)
		return -1;
	rc = runtime_user_lookup(root, spec, &st->user, err);
	stage_unmount(b, "user");
	if (!rc)
		st->user_spec = xstrdup(spec);
	return rc;
}
