/* known.c - an image that somebody else has built already */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/known.h"

#include "base/log.h"
#include "build/docs.h"
#include "build/share.h"
#include "build/stage.h"
#include "store/put.h"

static const struct build_stage *target_of(const struct build *b)
{
	return &b->stages[build_eval_target(b->ev)];
}

/* --- its key --- */

/* The key of a file system as this machine goes by it, and as one does that
 * has built nothing: they differ after a stage that came out as it was. */
struct pure {
	char key[CACHE_KEY], pure[CACHE_KEY];
};

static const char *pure_of(const struct pure *list, size_t n,
			   const struct cache_field *f)
{
	size_t i;

	for (i = 0; f->len == CACHE_KEY - 1 && i < n; i++)
		if (!memcmp(list[i].key, f->value, f->len))
			return list[i].pure;
	return NULL;
}

/* A step's key with pure keys in it, of what it stands on (`parent`) and of
 * stages that it reads from. */
static void purify(const struct build_planned *p, const char *parent,
		   const struct pure *list, size_t n, char hex[CACHE_KEY])
{
	cleanup_cache_key struct cache_key k = CACHE_KEY_INIT;
	const char *at = p->text.text.buf, *end = at + p->text.text.len;
	struct cache_field f;

	while (cache_field_next(&at, end, &f)) {
		const char *other = NULL;

		if (cache_field_is(&f, "parent") && !p->step.link)
			other = parent;
		else if (cache_field_is(&f, "from"))
			other = pure_of(list, n, &f);
		if (other)
			strbuf_addf(&k.text, "%.*s %zu:%s\n",
				    (int)f.name_len, f.name, strlen(other),
				    other);
		else
			strbuf_add(&k.text, f.line, f.line_len);
	}
	cache_key_finish(&k, hex);
}

/* What a stage needs stands before it. */
static void pure_stage(const struct build *b, size_t i, struct pure *list)
{
	const struct build_stage *st = &b->stages[i];
	struct pure *own = &list[i];
	struct build_base base;
	size_t k;

	build_eval_base(b->ev, i, &base);
	memcpy(own->key, st->key, CACHE_KEY);
	if (base.kind == BASE_STAGE)
		memcpy(own->pure, list[base.stage].pure, CACHE_KEY);
	else
		memcpy(own->pure, st->n_plan ? st->plan[0].parent : st->key,
		       CACHE_KEY);
	for (k = 0; k < st->n_plan; k++) {
		char key[CACHE_KEY];

		purify(&st->plan[k], own->pure, list, i, key);
		stage_next_key(own->pure, &st->plan[k].step, key);
	}
}

/* A configuration but for what depends on when and how it was built. */
static void timeless(const struct oci_config *from, size_t base_history,
		     struct strbuf *out)
{
	CLEANUP(oci_config_release) struct oci_config c = { 0 };
	size_t i;

	oci_config_copy(&c, from);
	free(steal_ptr(&c.created));
	strvec_release(&c.diff_ids);
	for (i = base_history; i < c.n_history; i++)
		free(steal_ptr(&c.history[i].created));
	oci_config_write(&c, out);
}

static void wanted_config(const struct build *b, struct strbuf *out)
{
	const struct build_stage *st = target_of(b);
	CLEANUP(oci_config_release) struct oci_config c = { 0 };

	oci_config_copy(&c, &st->image.config);
	build_set_labels(b, &c);
	timeless(&c, st->base_history, out);
}

void known_key(const struct build *b, char hex[CACHE_KEY])
{
	cleanup_free struct pure *list = xcalloc(b->n_stages, sizeof(*list));
	cleanup_cache_key struct cache_key k = CACHE_KEY_INIT;
	cleanup_strbuf struct strbuf config = STRBUF_INIT;
	cleanup_free char *epoch = xstrfmt("%lld", (long long)b->epoch);
	size_t target = build_eval_target(b->ev), i;

	for (i = 0; i <= target; i++)
		if (b->stages[i].begun)
			pure_stage(b, i, list);
	wanted_config(b, &config);
	cache_key_begin(&k, list[target].pure);
	cache_key_add(&k, "op", "image");
	cache_key_add(&k, "config", config.buf);
	cache_key_add(&k, "epoch", epoch);
	if (b->o->annotations && b->o->annotations->nr)
		cache_key_add_list(&k, "annotation", b->o->annotations);
	cache_key_finish(&k, hex);
}

/* --- taking it over --- */

static bool lacks_step(const struct build_stage *st)
{
	size_t k;

	for (k = 0; k < st->n_plan; k++)
		if (!st->plan[k].cached)
			return true;
	return false;
}

/* Would a step of the image's own have to run? */
static bool target_lacks_step(const struct build *b)
{
	size_t at = build_eval_target(b->ev);
	struct build_base base;

	for (;; at = base.stage) {
		if (lacks_step(&b->stages[at]))
			return true;
		build_eval_base(b->ev, at, &base);
		if (base.kind != BASE_STAGE)
			return false;
	}
}

static bool lacks_any_step(const struct build *b)
{
	size_t i;

	for (i = 0; i < b->n_stages; i++)
		if (lacks_step(&b->stages[i]))
			return true;
	return false;
}

void known_all_cached(struct build *b)
{
	size_t i, k;

	for (i = 0; i < b->n_stages; i++) {
		for (k = 0; k < b->stages[i].n_plan; k++) {
			struct build_planned *p = &b->stages[i].plan[k];

			b->result->cached += !p->cached;
			p->cached = true;
			b->result->steps[p->report].cached = true;
		}
	}
	b->known = true;
}

/* The n-th layer's time, by the history. */
static const char *layer_time(const struct oci_config *c, size_t n)
{
	size_t i;

	for (i = 0; i < c->n_history; i++)
		if (!c->history[i].empty_layer && !n--)
			return c->history[i].created;
	return NULL;
}

/* Its step makes no other layer from now on. */
static int take_step(struct build *b, struct build_planned *p,
		     const struct store_image *image, size_t n,
		     struct error *err)
{
	const struct store_image_layer *l = &image->layers[n];
	const char *created = layer_time(&image->config, n);
	struct cache_entry e = { .created = (char *)created,
				 .desc = l->desc, .origin = l->origin };

	if (p->cached || !created)
		return 0;
	memcpy(e.layer, l->id, STORE_ID);
	stage_digest_layers(image, n, e.below);
	memcpy(e.diff_id, l->diff_id, DIGEST_TEXT);
	return share_accept(b, p, &e, err);
}

static int take_layer(struct build *b, const char *planned,
		      const struct store_image *image, size_t n,
		      struct error *err)
{
	size_t i, k;

	for (i = 0; i < b->n_stages; i++) {
		for (k = 0; k < b->stages[i].n_plan; k++) {
			struct build_planned *p = &b->stages[i].plan[k];

			if (str_eq(p->layer, planned) &&
			    take_step(b, p, image, n, err) < 0)
				return -1;
		}
	}
	return 0;
}

/* So that a build that goes further than this one knows where they are; but
 * nothing that lies on another layer than the one made here. */
static int take_steps(struct build *b, const struct store_image *image,
		      struct error *err)
{
	const struct build_stage *st = target_of(b);
	size_t n;

	for (n = st->base_layers; n < image->n_layers; n++) {
		char planned[STORE_ID];

		memcpy(planned, st->image.layers[n].id, STORE_ID);
		if (take_layer(b, planned, image, n, err) < 0)
			return -1;
		if (!str_eq(st->image.layers[n].id, image->layers[n].id))
			return 0;
	}
	return 0;
}

static void remember_key(const char *key, char hex[CACHE_KEY])
{
	cleanup_cache_key struct cache_key k = CACHE_KEY_INIT;

	cache_key_begin(&k, "");
	cache_key_add(&k, "image", key);
	cache_key_finish(&k, hex);
}

static int remember(struct build *b, const struct known_found *f,
		    const struct strbuf *config,
		    const struct store_image *image, struct error *err)
{
	const struct store_text blobs[] = {
		{ config->buf, config->len },
		{ f->m.body.buf, f->m.body.len },
	};
	cleanup_json struct json *j = json_new_object();
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char hex[CACHE_KEY];

	json_set_str(j, "image", image->config_digest);
	json_write(&text, j, false);
	remember_key(b->key, hex);
	if (store_put_image_with(b->o->store, image, blobs, ARRAY_SIZE(blobs),
				 err) < 0)
		return -1;
	return store_cache_put(b->o->store, hex, text.buf, text.len, err);
}

/* Steps may have been made again since, or forgotten as their layers were not
 * to be had. */
static bool has_layers_of(const struct store_image *image,
			  const struct build_stage *st)
{
	size_t i;

	if (image->n_layers != st->image.n_layers)
		return false;
	for (i = 0; i < image->n_layers; i++)
		if (!str_eq(image->layers[i].id, st->image.layers[i].id))
			return false;
	return true;
}

int known_recall(struct build *b, struct store_image *image,
		 struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_json struct json *j = NULL;
	const char *id;
	char hex[CACHE_KEY];
	int rc;

	remember_key(b->key, hex);
	rc = store_cache_get(b->o->store, hex, &text, err);
	if (rc <= 0)
		return rc;
	j = json_parse("image", text.buf, text.len, NULL);
	id = json_get_str(j, "image");
	if (!id || !digest_valid(id))
		return 0;
	rc = store_get_image(b->o->store, id, image, err);
	if (rc <= 0 || has_layers_of(image, target_of(b)))
		return rc;
	store_image_release(image);
	return 0;
}

/* --- caches --- */

void known_found_release(struct known_found *f)
{
	free(steal_ptr(&f->place));
	build_manifest_release(&f->m);
}

static bool take_document(const struct cache_place *place,
			  const struct cache_document *doc,
			  struct known_found *f)
{
	cleanup_error struct error why = ERROR_INIT;

	memcpy(f->m.digest, doc->m.digest, DIGEST_TEXT);
	strbuf_add(&f->m.body, doc->m.body.buf, doc->m.body.len);
	f->place = xstrdup(place->name);
	if (!oci_manifest_parse(&f->m.parsed, f->m.body.buf, f->m.body.len,
				&why))
		return true;
	log_warn("%s: %s is not used: %s", place->name, doc->tag, why.msg);
	known_found_release(f);
	return false;
}

char *known_tag(const char *key)
{
	return xstrfmt(CACHE_IMAGE_TAG "%s", key);
}

static int ask_one(struct build *b, const char *name, const char *key,
		   struct known_found *f, struct error *err)
{
	cleanup_cache_place struct cache_place place = { 0 };
	cleanup_free char *tag = known_tag(key);
	struct cache_document doc = { .tag = tag };
	int rc = share_ask(b, &place, name, &doc, 1, err);

	if (rc > 0)
		rc = doc.there && take_document(&place, &doc, f);
	registry_manifest_release(&doc.m);
	return rc;
}

int known_ask(struct build *b, const char *key, struct known_found *f,
	      struct error *err)
{
	const struct strvec *from = b->o->cache_from;
	size_t i;
	int rc = 0;

	for (i = 0; from && i < from->nr && !rc; i++)
		rc = ask_one(b, from->v[i], key, f, err);
	return rc;
}

static int fetch_config(struct build *b, const struct known_found *f,
			struct strbuf *text, struct error *err)
{
	const struct oci_descriptor *d = &f->m.parsed.config;
	struct registry_blob blob;

	if (store_has_blob(b->o->store, d->digest, NULL))
		return store_read_blob(b->o->store, d->digest, OCI_CONFIG_MAX,
				       text, err);
	if (docs_sink(&blob, d, text, err) < 0)
		return -1;
	return cache_pull(&b->share, b->o->registry, f->place, &blob, 1, err);
}

static bool stands_on_base(const struct store_image *image,
			   const struct build_stage *st)
{
	size_t i;

	for (i = 0; i < st->base_layers; i++)
		if (!str_eq(image->layers[i].diff_id,
			    st->image.layers[i].diff_id))
			return false;
	return true;
}

/* Whoever writes to the cache decides what steps lead to; an image that says
 * something else of itself, or of its base, is none of this build. */
static int check(const struct build *b, const struct store_image *image,
		 struct error *err)
{
	const struct build_stage *st = target_of(b);
	cleanup_strbuf struct strbuf wanted = STRBUF_INIT, got = STRBUF_INIT;

	wanted_config(b, &wanted);
	timeless(&image->config, st->base_history, &got);
	if (str_eq(wanted.buf, got.buf) &&
	    image->n_layers == st->image.n_layers && stands_on_base(image, st))
		return 0;
	return error_set(err, ERR_INPUT, "it is not what this build makes");
}

static int read_image(struct build *b, const struct known_found *f,
		      struct strbuf *config, struct store_image *image,
		      struct error *err)
{
	size_t i;

	if (fetch_config(b, f, config, err) < 0 ||
	    oci_config_parse(&image->config, config->buf, config->len,
			     err) < 0 ||
	    build_describe(image, &f->m.parsed, err) < 0 ||
	    check(b, image, err) < 0)
		return -1;
	memcpy(image->manifest, f->m.digest, DIGEST_TEXT);
	memcpy(image->config_digest, f->m.parsed.config.digest, DIGEST_TEXT);
	image->origin = xstrdup(f->place);
	image->annotations = json_dup(f->m.parsed.annotations);
	for (i = 0; i < image->n_layers; i++)
		image->layers[i].origin = xstrdup(f->place);
	return 0;
}

static int take(struct build *b, const struct known_found *f,
		struct error *err)
{
	cleanup_store_image struct store_image image = { 0 };
	cleanup_strbuf struct strbuf config = STRBUF_INIT;
	cleanup_error struct error why = ERROR_INIT;

	if (read_image(b, f, &config, &image, &why) < 0) {
		log_warn("%s: the image of this build is not used: %s",
			 f->place, why.msg);
		return 0;
	}
	if (take_steps(b, &image, err) < 0 ||
	    remember(b, f, &config, &image, err) < 0)
		return -1;
	log_info("%s@%s is this build", f->place, f->m.digest);
	b->adopted = true;
	build_copy_image(&b->result->image, &image);
	return 1;
}

int known_find(struct build *b, struct error *err)
{
	CLEANUP(known_found_release) struct known_found f = KNOWN_FOUND_INIT;
	int rc;

	if (b->o->no_cache || !lacks_any_step(b))
		return 0;
	if (!target_lacks_step(b)) {
		rc = known_recall(b, &b->result->image, err);
	} else {
		rc = known_ask(b, b->key, &f, err);
		if (rc > 0)
			rc = take(b, &f, err);
	}
	if (rc > 0)
		known_all_cached(b);
	return rc;
}
