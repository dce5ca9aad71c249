/* remote.c - steps in a cache that is not the store: what others built */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/internal.h"

#include <ctype.h>
#include <time.h>

#include "base/date.h"
#include "base/log.h"

#define NOTE_KEY "dev.devenv.step.key"
#define NOTE_DIFF_ID "dev.devenv.step.diff-id"
#define NOTE_CREATED "dev.devenv.step.created"
#define NOTE_BELOW "dev.devenv.step.below"
#define TIME_MAX 40

static char *tag_of(const char *key)
{
	return xstrfmt(CACHE_STEP_TAG "%s", key);
}

/* --- reading --- */

/* It becomes part of an image's configuration. */
static bool is_time(const char *text)
{
	size_t n = strlen(text);

	return n >= strlen("2006-01-02T15:04:05Z") && n < TIME_MAX &&
	       isdigit((unsigned char)*text) &&
	       text[strspn(text, "0123456789-:.TZ+")] == '\0';
}

static const char *entry_from(const struct oci_manifest *m, const char *key,
			      const char *origin, struct cache_entry *e)
{
	const char *said = json_get_str(m->annotations, NOTE_KEY);
	const char *diff_id = json_get_str(m->annotations, NOTE_DIFF_ID);
	const char *created = json_get_str(m->annotations, NOTE_CREATED);
	const char *below = json_get_str(m->annotations, NOTE_BELOW);
	const struct oci_descriptor *d = m->layers;

	if (!said || !str_eq(said, key))
		return "it belongs to another key";
	if (m->n_layers != 1)
		return "it has not one layer";
	if (!diff_id || !digest_valid(diff_id) || !created ||
	    !is_time(created))
		return "its annotations are incomplete";
	memcpy(e->layer, digest_hex(diff_id), STORE_ID);
	memcpy(e->diff_id, diff_id, DIGEST_TEXT);
	if (below && strlen(below) < STORE_ID)
		memcpy(e->below, below, strlen(below) + 1);
	e->created = xstrdup(created);
	oci_descriptor_set(&e->desc, d->media_type, d->digest, d->size);
	e->origin = xstrdup(origin);
	return NULL;
}

static void take(const struct cache_place *p, const char *key,
		 const struct cache_document *d, struct cache_entry *e)
{
	cleanup_oci_manifest struct oci_manifest m = { 0 };
	cleanup_error struct error err = ERROR_INIT;
	const char *wrong = NULL;

	if (oci_manifest_parse(&m, d->m.body.buf, d->m.body.len, &err) < 0)
		wrong = err.msg;
	else
		wrong = entry_from(&m, key, p->name, e);
	if (p->ttl && d->used)
		e->expires = d->used + (int64_t)p->ttl;
	if (wrong)
		log_warn("%s: the entry of step %.12s is not used: %s",
			 p->name, key, wrong);
}

int cache_remote_get(struct cache_place *p, const char *const *keys,
		     size_t n, struct cache_entry *found, struct error *err)
{
	cleanup_free struct cache_document *list = xcalloc(n + 1,
							   sizeof(*list));
	size_t expired = 0, i;
	int rc;

	for (i = 0; i < n; i++) {
		found[i] = (struct cache_entry){ 0 };
		list[i].tag = tag_of(keys[i]);
	}
	rc = cache_place_look_up(p, list, n, err);
	for (i = 0; i < n; i++) {
		expired += list[i].expired;
		if (!rc && list[i].there)
			take(p, keys[i], &list[i], &found[i]);
		registry_manifest_release(&list[i].m);
		free(list[i].tag);
	}
	if (expired)
		log_info("%s: %zu steps were not used for so long that they "
			 "do not count", p->name, expired);
	return rc;
}

/* --- writing --- */

static void write_manifest(const struct cache_publish *p, struct strbuf *out)
{
	cleanup_oci_manifest struct oci_manifest m = { 0 };
	const struct cache_entry *e = p->entry;
	cleanup_free char *now = date_format(time(NULL));

	cache_set_empty(&m.config);
	oci_manifest_add_layer(&m, e->desc.media_type, e->desc.digest,
			       e->desc.size);
	m.annotations = json_new_object();
	json_set_str(m.annotations, NOTE_KEY, p->key);
	json_set_str(m.annotations, NOTE_DIFF_ID, e->diff_id);
	json_set_str(m.annotations, NOTE_CREATED, e->created);
	json_set_str(m.annotations, NOTE_BELOW, e->below);
	json_set_str(m.annotations, CACHE_NOTE_USED, now);
	oci_manifest_write(&m, out);
}

/* With the empty configuration that all of them have. */
static int put_all(struct cache_place *p, struct cache_publish *list,
		   const struct cache_deposit *deposits, size_t n,
		   struct error *err)
{
	cleanup_free struct registry_source *blobs = xcalloc(n + 1,
							     sizeof(*blobs));
	size_t i;

	for (i = 0; i < n; i++)
		blobs[i] = list[i].layer;
	blobs[n] = cache_empty_blob();
	if (cache_place_put(p, blobs, n + 1, deposits, n, err) < 0)
		return -1;
	for (i = 0; i < n; i++)
		list[i].layer.how = blobs[i].how;
	return 0;
}

int cache_remote_put(struct cache_place *p, struct cache_publish *list,
		     size_t n, struct error *err)
{
	cleanup_free struct cache_deposit *deposits =
		xcalloc(n + 1, sizeof(*deposits));
	size_t i;
	int rc;

	if (!n)
		return 0;
	for (i = 0; i < n; i++) {
		deposits[i] = (struct cache_deposit){
			.tag = tag_of(list[i].key),
			.media_type = OCI_MANIFEST,
			.body = STRBUF_INIT,
		};
		write_manifest(&list[i], &deposits[i].body);
	}
	rc = put_all(p, list, deposits, n, err);
	for (i = 0; i < n; i++) {
		free(deposits[i].tag);
		strbuf_release(&deposits[i].body);
	}
	return rc;
}
