/* probe.c - is a build there already, and if not, from where on? */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/history.h"
#include "build/known.h"
#include "build/probe.h"
#include "build/share.h"
#include "build/stage.h"

void build_probe_release(struct build_probe *p)
{
	size_t i;

	for (i = 0; i < p->n_bases; i++) {
		free(p->bases[i].name);
		free(p->bases[i].platform);
	}
	free(p->bases);
	free(p->image);
	free(p->tag);
	free(p->user);
	free(p->reason);
	build_result_release(&p->result);
}

static const struct build_stage *target_of(const struct build *b)
{
	return &b->stages[build_eval_target(b->ev)];
}

static bool wants_labels(const struct build_options *o)
{
	return (o->labels && o->labels->nr) || json_len(o->metadata);
}

/* --- an image as it came --- */

static bool is_base(const struct build *b)
{
	const struct build_stage *st = target_of(b);

	return st->image.n_layers == st->base_layers &&
	       st->image.config.n_history == st->base_history &&
	       !wants_labels(b->o);
}

static void take_base(const struct build *b, struct build_probe *p)
{
	const struct store_image *image = &target_of(b)->image;

	p->status = BUILD_PROBE_NOTHING;
	memcpy(p->id, image->config_digest, DIGEST_TEXT);
	memcpy(p->digest, image->manifest, DIGEST_TEXT);
	if (image->origin && *image->manifest)
		p->image = xstrfmt("%s@%s", image->origin, image->manifest);
	else if (image->reference || *image->config_digest)
		p->image = xstrdup(image->reference ? image->reference
						    : image->config_digest);
}

/* --- in a cache --- */

/* The first blob that is not there any more, or NULL. */
static int find_lost(struct build *b, const struct known_found *f,
		     const char **lost, struct error *err)
{
	cleanup_cache_place struct cache_place place = { 0 };
	const struct oci_manifest *m = &f->m.parsed;
	size_t i;
	int rc = 1;

	*lost = NULL;
	if (share_open(b, f->place, &place, err) < 0)
		return -1;
	/* A directory has been asked for them already. */
	for (i = 0; !place.dir && i <= m->n_layers && rc > 0; i++) {
		const struct oci_descriptor *d =
			i ? &m->layers[i - 1] : &m->config;

		rc = registry_has_blob(b->share, &place.ref, d->digest, err);
		if (!rc)
			*lost = d->digest;
	}
	return rc < 0 ? -1 : 0;
}

static int take_whole(struct build *b, const struct known_found *f,
		      bool verify, struct build_probe *p, struct error *err)
{
	const char *lost = NULL;

	if (verify && find_lost(b, f, &lost, err) < 0)
		return -1;
	free(p->tag);
	p->tag = xstrfmt("%s:" CACHE_IMAGE_TAG "%s", f->place, b->key);
	if (lost) {
		p->reason = xstrfmt("%s lacks %s of this image", f->place,
				    lost);
		return 0;
	}
	p->image = xstrfmt("%s@%s", f->place, f->m.digest);
	memcpy(p->digest, f->m.digest, DIGEST_TEXT);
	memcpy(p->id, f->m.parsed.config.digest, DIGEST_TEXT);
	known_all_cached(b);
	return 1;
}

static int ask_caches(struct build *b, bool verify, struct build_probe *p,
		      struct error *err)
{
	CLEANUP(known_found_release) struct known_found f = KNOWN_FOUND_INIT;
	int rc = b->o->no_cache ? 0 : known_ask(b, b->key, &f, err);

	p->tag = xstrfmt("%s:" CACHE_IMAGE_TAG "%s", b->o->cache_from->v[0],
			 b->key);
	return rc > 0 ? take_whole(b, &f, verify, p, err) : rc;
}

/* --- in the store --- */

static bool all_known(const struct build *b)
{
	size_t i, k;

	for (i = 0; i < b->n_stages; i++)
		for (k = 0; k < b->stages[i].n_plan; k++)
			if (!b->stages[i].plan[k].cached)
				return false;
	return true;
}

/* The digests of what its layers hold, as far as somebody asked before. */
static bool find_diff_ids(const struct build *b, struct oci_config *c)
{
	const struct store_image *image = &target_of(b)->image;
	size_t i;

	strvec_release(&c->diff_ids);
	for (i = 0; i < image->n_layers; i++) {
		const struct store_image_layer *l = &image->layers[i];
		struct store_meta meta = { 0 };

		if (!*l->diff_id &&
		    (!store_has_layer(b->o->store, l->id) ||
		     store_get_meta(b->o->store, l->id, &meta, NULL) < 0))
			return false;
		strvec_push(&c->diff_ids, *l->diff_id ? l->diff_id
						      : meta.diff_id);
		if (!*c->diff_ids.v[i])
			return false;
	}
	return true;
}

/* The image that a build would make of layers that are all here. */
static int find_built(struct build *b, struct build_probe *p,
		      struct error *err)
{
	const struct build_stage *st = target_of(b);
	CLEANUP(oci_config_release) struct oci_config c = { 0 };
	cleanup_store_image struct store_image image = { 0 };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int rc;

	oci_config_copy(&c, &st->image.config);
	if (!find_diff_ids(b, &c))
		return 0;
	build_set_labels(b, &c);
	history_finish(&c, st->base_history, b->epoch);
	oci_config_write(&c, &text);
	digest_bytes(text.buf, text.len, p->id);
	rc = store_get_image(b->o->store, p->id, &image, err);
	if (rc > 0)
		p->image = xstrdup(p->id);
	else
		*p->id = '\0';
	return rc;
}

static int ask_store(struct build *b, struct build_probe *p, struct error *err)
{
	cleanup_store_image struct store_image image = { 0 };
	int rc = b->o->no_cache ? 0 : known_recall(b, &image, err);

	if (rc > 0) {
		memcpy(p->id, image.config_digest, DIGEST_TEXT);
		p->image = xstrdup(p->id);
		known_all_cached(b);
	} else if (!rc && all_known(b)) {
		rc = find_built(b, p, err);
	}
	return rc;
}

/* --- all of it --- */

static int find(struct build *b, bool verify, struct build_probe *p,
		struct error *err)
{
	const struct strvec *from = b->o->cache_from;
	int rc;

	known_key(b, b->key);
	memcpy(p->key, b->key, CACHE_KEY);
	if (is_base(b)) {
		take_base(b, p);
		return 0;
	}
	rc = from && from->nr ? ask_caches(b, verify, p, err)
			      : ask_store(b, p, err);
	p->status = rc > 0 ? BUILD_PROBE_HIT : BUILD_PROBE_MISS;
	if (rc)
		return rc < 0 ? -1 : 0;
	if (share_look_up(b, err) < 0)
		return -1;
	if (!p->reason && all_known(b))
		p->reason = xstrfmt("all steps are known, but the image is "
				    "not in %s", from && from->nr ? from->v[0]
							: "the store");
	return b->o->explain ? explain_missing(b, err) : 0;
}

static void tell_bases(const struct build *b, struct build_probe *p)
{
	size_t i;

	p->bases = xcalloc(b->used.nr + 1, sizeof(*p->bases));
	for (i = 0; i < b->used.nr; i++) {
		const struct build_used *u = &b->used.v[i];
		struct build_probe_base *base = &p->bases[p->n_bases++];

		base->name = xstrdup(u->name);
		base->platform = xstrdup(u->platform);
		memcpy(base->digest, *u->digest ? u->digest : u->manifest,
		       DIGEST_TEXT);
	}
}

static void tell_steps(const struct build *b)
{
	size_t i, k;

	for (i = 0; i < b->n_stages; i++) {
		for (k = 0; k < b->stages[i].n_plan; k++) {
			const struct build_planned *s = &b->stages[i].plan[k];
			struct build_step_report *rep =
				&b->result->steps[s->report];

			if (s->cached && !b->known)
				rep->created = xstrdup(s->created);
			if (b->o->explain)
				cache_key_parts(&s->text, &rep->parts);
		}
	}
}

int build_probe(const struct build_options *o, bool verify,
		struct build_probe *p, struct error *err)
{
	struct build b = { .o = o,
			   .probe = true,
			   .context_fd = -1,
			   .scratch_lock = -1,
			   .result = &p->result };
	int rc = build_prepare(&b, err);

	if (!rc)
		rc = plan_all(&b, err);
	if (!rc)
		rc = find(&b, verify, p, err);
	if (!rc) {
		p->user = xstrdup_null(target_of(&b)->image.config.user);
		tell_bases(&b, p);
		tell_steps(&b);
	}
	build_release(&b);
	return rc;
}
