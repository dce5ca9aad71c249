/* failed.c - the file system of a step that failed, kept to look into */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "build/failure.h"
#include "build/internal.h"

#define PREFIX 12 /* digits of a key that name a step */

/*
 * It is an entry of the step cache, so that it ages and goes as those do, but
 * under a key of its own: for the build the step was never run.
 */
static void entry_key(const char *key, char hex[CACHE_KEY])
{
	cleanup_cache_key struct cache_key k = CACHE_KEY_INIT;
	cleanup_free char *prefix = xstrndup(key, PREFIX);

	cache_key_begin(&k, "");
	cache_key_add(&k, "failed", prefix);
	cache_key_finish(&k, hex);
}

/* The entry of a step, NULL when there is none. */
static int read_entry(struct store *s, const char *key, struct json **out,
		      struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char hex[CACHE_KEY];
	int rc;

	*out = NULL;
	entry_key(key, hex);
	rc = store_cache_get(s, hex, &text, err);
	if (rc <= 0)
		return rc;
	*out = json_parse("failed step", text.buf, text.len, err);
	return *out ? 0 : -1;
}

void failed_forget(struct store *s, const char *key)
{
	cleanup_json struct json *j = NULL;
	cleanup_error struct error err = ERROR_INIT;
	const struct json *layers;
	const char *id;
	char hex[CACHE_KEY];

	if (read_entry(s, key, &j, &err) < 0)
		log_debug("%s", err.msg);
	if (!j)
		return;
	entry_key(key, hex);
	if (store_cache_remove(s, hex, &err) < 0) {
		log_debug("%s", err.msg);
		return;
	}
	layers = json_get(j, "layers");
	id = json_len(layers) ?
		     json_str(json_at(layers, json_len(layers) - 1)) : NULL;
	if (id && store_forget_layer(s, id, &err) < 0)
		log_debug("%s", err.msg);
}

/* What a shell needs to stand where the step stood. */
static void describe(const struct build_stage *st,
		     const struct build_step *step, struct oci_config *c)
{
	bool shell = step->node->form == DF_FORM_SHELL && step->argv.nr;

	oci_platform_copy(&c->platform, &st->image.config.platform);
	strvec_copy(&c->env, &step->env);
	c->user = xstrdup(step->user);
	c->workdir = xstrdup(step->cwd);
	strvec_push(&c->cmd, shell ? step->argv.v[0] : "/bin/sh");
	c->has_cmd = true;
}

int failed_keep(struct build *b, const struct build_stage *st,
		const struct build_planned *p, struct store_draft *draft,
		struct error *err)
{
	cleanup_oci_config struct oci_config c = { 0 };
	cleanup_strbuf struct strbuf config = STRBUF_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_json struct json *j = json_new_object();
	struct json *layers = json_set(j, "layers", json_new_array());
	const struct store_meta meta = { 0 };
	char id[STORE_ID], hex[CACHE_KEY];
	size_t i, below = st->image.n_layers - st->n_plan + st->next;

	store_new_id(id);
	if (store_draft_commit(b->o->store, draft, &meta, id, err) < 0)
		return -1;
	for (i = 0; i < below; i++)
		json_push(layers, json_new_str(st->image.layers[i].id));
	json_push(layers, json_new_str(id));
	describe(st, &p->step, &c);
	oci_config_write(&c, &config);
	json_set_str(j, "config", config.buf);
	json_set_str(j, "key", p->key);
	json_set_str(j, "instruction", p->step.text);
	json_write(&text, j, false);
	entry_key(p->key, hex);
	return store_cache_put(b->o->store, hex, text.buf, text.len, err);
}

static int read_image(const struct store *s, const struct json *j,
		      struct store_image *image, struct error *err)
{
	const char *config = json_get_str(j, "config");
	const struct json *layers = json_get(j, "layers");
	size_t i;

	if (!config)
		return error_set(err, ERR_SYSTEM, "the entry is damaged");
	if (oci_config_parse(&image->config, config, strlen(config), err) < 0)
		return -1;
	for (i = 0; i < json_len(layers); i++) {
		const char *id = json_str(json_at(layers, i));

		if (!id || !store_has_layer(s, id))
			return error_set(err, ERR_SYSTEM,
					 "its layers are no longer in the "
					 "store");
		build_add_layer(image, id);
	}
	return 0;
}

static int not_kept(const char *key, struct error *err)
{
	error_set(err, ERR_INPUT,
		  "no step with the key '%.80s' has failed here lately", key);
	return error_hint(err, "build it again; the failure names the key");
}

int build_find_failed(struct store *s, const char *key,
		      struct store_image *image, struct error *err)
{
	cleanup_json struct json *j = NULL;
	const char *whole;
	size_t n = strlen(key);

	if (n < PREFIX || n >= CACHE_KEY ||
	    strspn(key, "0123456789abcdef") != n)
		return error_set(err, ERR_USAGE,
				 "'%.80s' is no key of a step: %d to %d "
				 "hexadecimal digits", key, PREFIX,
				 CACHE_KEY - 1);
	if (read_entry(s, key, &j, err) < 0)
		return -1;
	whole = j ? json_get_str(j, "key") : NULL;
	if (!whole || !str_starts(whole, key))
		return not_kept(key, err);
	if (read_image(s, j, image, err) < 0)
		return error_wrap(err, "the step %.12s that failed", key);
	return 0;
}
