/* repair_layer.c - unpack a damaged layer again, or do without it */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/repair.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/units.h"

struct layer {
	struct repair *r;
	const char *id;
	struct store_meta meta; /* diff_id "": nothing is known */
	bool wanted;		/* an image has it */
	struct strbuf *how;
};

/* Its compressed form, from what images say of it; that is what its own meta
 * said, which may be the damage. */
static void look_at_image(struct layer *y, const struct store_image *i)
{
	for (size_t k = 0; k < i->n_layers; k++) {
		const struct store_image_layer *l = &i->layers[k];
		const char *origin = l->origin ? l->origin : i->origin;
		struct store_meta *m = &y->meta;

		if (!str_eq(l->id, y->id))
			continue;
		y->wanted = true;
		if (!*m->diff_id && digest_valid(l->diff_id))
			memcpy(m->diff_id, l->diff_id, DIGEST_TEXT);
		if (*m->blob || !*l->desc.digest)
			continue;
		memcpy(m->blob, l->desc.digest, DIGEST_TEXT);
		m->blob_size = l->desc.size;
		snprintf(m->media_type, sizeof(m->media_type), "%s",
			 l->desc.media_type ? l->desc.media_type : "");
		snprintf(m->origin, sizeof(m->origin), "%s",
			 origin ? origin : "");
	}
}

static void look_around(struct layer *y)
{
	struct store *s = y->r->s;

	if (store_get_meta(s, y->id, &y->meta, NULL) < 0)
		y->meta = (struct store_meta){ .diff_id = "" };
	for (size_t i = 0; i < y->r->n_records; i++)
		look_at_image(y, &y->r->records[i]);
}

/* 1 done, 0 it cannot be had, -1. */
static int unpack(struct layer *y, struct error *err)
{
	struct oci_descriptor d = { .media_type = y->meta.media_type,
				    .size = y->meta.blob_size };
	cleanup_error struct error why = ERROR_INIT;
	cleanup_close int fd = -1;
	struct store *s = y->r->s;

	if (!*y->meta.diff_id || !*y->meta.blob)
		return 0;
	memcpy(d.digest, y->meta.blob, DIGEST_TEXT);
	if (!store_has_blob(s, d.digest, NULL)) {
		if (!*y->meta.origin ||
		    !repair_fetch(y->r, y->meta.origin, &d, false, y->how))
			return 0;
		strbuf_addstr(y->how, ", ");
	}
	repair_say(y->r, y->how, "unpacked again from its blob");
	if (y->r->o->dry_run)
		return 1;
	fd = store_open_blob(s, d.digest, err);
	if (fd < 0)
		return -1;
	if (unpack_again(s, fd, y->meta.diff_id, y->id, &y->meta, &why) == 0)
		return 1;
	/* What is wrong with the blob is a finding of its own. */
	strbuf_reset(y->how);
	strbuf_addf(y->how, "not unpacked (%s), ", why.msg);
	return 0;
}

/* The environment that names it, malloc'ed; `running`: one that runs. */
static char *find_environment(struct layer *y, bool running)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (store_list(y->r->s, "run", &names, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_free char *path =
			xstrfmt("run/%s/state.json", names.v[i]);
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		cleanup_json struct json *j = NULL;

		if (fs_read_at(y->r->s->fd, path, REACH_TEXT_MAX, &text, NULL) <
			    0 ||
		    !strstr(text.buf, y->id))
			continue;
		j = json_parse(path, text.buf, text.len, NULL);
		if (!running || json_get(j, "pid"))
			return xstrdup(names.v[i]);
	}
	return NULL;
}

/* Who uses it now would see its files change. */
static bool in_use(struct layer *y)
{
	cleanup_free char *name = find_environment(y, true);

	if (name)
		strbuf_addf(y->how,
			    "left as it is: the environment '%s' runs "
			    "on it",
			    name);
	else if (!y->r->alone)
		strbuf_addstr(y->how, "left as it is: another devenv process "
				      "has the store open");
	return name || !y->r->alone;
}

struct forgetting {
	struct layer *y;
	size_t n;
	struct strvec keys;
};

/* A step that a registry has as well is still of use. */
static int find_step(void *arg, const char *key, const char *text, size_t n,
		     int64_t used UNUSED)
{
	struct forgetting *f = arg;

	if (memmem(text, n, f->y->id, STORE_ID - 1) &&
	    !memmem(text, n, "\"origin\"", 8))
		strvec_push(&f->keys, key);
	return 0;
}

static int forget_steps(struct layer *y, struct error *err)
{
	struct forgetting f = { .y = y };
	int rc = store_cache_each(y->r->s, find_step, &f, err);

	for (size_t i = 0; rc == 0 && !y->r->o->dry_run && i < f.keys.nr; i++)
		rc = store_cache_remove(y->r->s, f.keys.v[i], err);
	if (f.keys.nr)
		strbuf_addf(y->how, ", with %zu remembered step%s", f.keys.nr,
			    units_s(f.keys.nr));
	y->wanted = y->wanted || f.keys.nr;
	strvec_release(&f.keys);
	return rc;
}

static enum outcome do_without(struct layer *y, struct error *err)
{
	cleanup_free char *name = find_environment(y, false);
	const bool comes_back = *y->meta.origin && *y->meta.blob;

	if (name) {
		strbuf_addf(y->how,
			    "left as it is: the environment '%s' "
			    "needs it",
			    name);
		return OUTCOME_LOST;
	}
	repair_say(y->r, y->how, "removed");
	if (forget_steps(y, err) < 0)
		return OUTCOME_FAILED;
	if (!y->r->o->dry_run && layer_discard(y->r->s, y->id, err) < 0)
		return OUTCOME_FAILED;
	return y->wanted && !comes_back ? OUTCOME_LOST : OUTCOME_MENDED;
}

enum outcome repair_layer(struct repair *r, const char *id, struct strbuf *how,
			  struct error *err)
{
	struct layer y = { .r = r, .id = id, .how = how };
	int rc;

	if (in_use(&y))
		return OUTCOME_LOST;
	look_around(&y);
	rc = unpack(&y, err);
	if (rc)
		return rc < 0 ? OUTCOME_FAILED : OUTCOME_MENDED;
	return do_without(&y, err);
}
