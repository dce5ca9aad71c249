/* past.c - what the newest builds were made from */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/internal.h"
#include "cache/past.h"

#define PAST_TYPE "application/vnd.devenv.past.v1+json"
#define PAST_MAX ((uint64_t)8 << 20)
#define SALT_BYTES 16
#define SHORT_DIGEST 16 /* digits: values are few */
#define FILES_MAX 20000 /* names of one step; more explain nothing */

void cache_past_release(struct cache_past *past)
{
	json_free(past->json);
	past->json = NULL;
}

void cache_past_new(struct cache_past *past)
{
	char salt[2 * SALT_BYTES + 1];

	random_hex(salt, SALT_BYTES);
	past->json = json_new_object();
	json_set_str(past->json, "salt", salt);
	json_set(past->json, "steps", json_new_array());
}

/* Words of ours, which no file and no argument can change. */
static bool is_plain(const struct cache_field *f)
{
	static const char *const names[] = { "format", "op",	  "platform",
					     "ids",    "dir",	  "parents",
					     "link",   "network", "security" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (cache_field_is(f, names[i]))
			return true;
	return f->head;
}

static void add_hidden(struct strbuf *out, const char *salt,
		       const struct cache_field *f, size_t shown)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char digest[DIGEST_TEXT];

	strbuf_addstr(&text, salt);
	strbuf_add(&text, f->value, f->len);
	digest_bytes(text.buf, text.len, digest);
	strbuf_addf(out, "%.*s %zu:%.*s%.*s\n", (int)f->name_len, f->name,
		    shown + SHORT_DIGEST, (int)shown, f->value, SHORT_DIGEST,
		    digest_hex(digest));
}

void cache_past_hide(const struct cache_past *past, const struct cache_key *k,
		     struct strbuf *out)
{
	const char *salt = json_get_str(past->json, "salt");
	const char *at = k->text.buf, *end = at + k->text.len;
	struct cache_field f;

	while (cache_field_next(&at, end, &f)) {
		const char *equals = cache_field_is(&f, "env")
					     ? memchr(f.value, '=', f.len)
					     : NULL;

		if (is_plain(&f))
			strbuf_add(out, f.line, f.line_len);
		else
			add_hidden(out, salt ? salt : "", &f,
				   equals ? (size_t)(equals + 1 - f.value)
					  : 0);
	}
}

void cache_past_add(struct cache_past *past, const char *hex,
		    const struct cache_key *k, const struct strvec *files)
{
	struct json *step = json_new_object();
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	cache_past_hide(past, k, &text);
	json_set_str(step, "key", hex);
	json_set_str(step, "text", text.buf);
	if (files->nr && files->nr <= FILES_MAX)
		json_set_strvec(step, "files", files);
	json_push(json_get(past->json, "steps"), step);
}

/* --- in a cache --- */

static char *tag_of(const char *name)
{
	return xstrfmt(CACHE_PAST_TAG "%s", name);
}

static int take_bytes(void *arg, const void *data, size_t n,
		      struct error *err UNUSED)
{
	strbuf_add(arg, data, n);
	return 0;
}

static int take_again(void *arg, struct error *err UNUSED)
{
	strbuf_reset(arg);
	return 0;
}

static int fetch(struct cache_place *p, const struct cache_document *d,
		 struct cache_past *past, struct error *err)
{
	cleanup_oci_manifest struct oci_manifest m = { 0 };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct registry_blob blob = { .sink = { take_bytes, take_again,
						&text } };

	if (oci_manifest_parse(&m, d->m.body.buf, d->m.body.len, err) < 0)
		return -1;
	if (m.n_layers != 1 || m.layers[0].size > PAST_MAX)
		return error_set(err, ERR_INPUT, "'%s' is none of ours",
				 d->tag);
	blob.desc = m.layers[0];
	if (cache_place_pull(p, &blob, 1, err) < 0)
		return -1;
	past->json = json_parse("past", text.buf, text.len, err);
	return past->json ? 1 : -1;
}

int cache_past_get(struct cache_place *p, const char *const *names, size_t n,
		   struct cache_past *past, struct error *err)
{
	cleanup_free struct cache_document *list = xcalloc(n + 1,
							   sizeof(*list));
	size_t i, first = n;
	int rc;

	for (i = 0; i < n; i++)
		list[i].tag = tag_of(names[i]);
	rc = cache_place_look_up(p, list, n, err);
	for (i = n; !rc && i-- > 0;)
		if (list[i].there)
			first = i;
	if (!rc && first < n)
		rc = fetch(p, &list[first], past, err);
	for (i = 0; i < n; i++) {
		registry_manifest_release(&list[i].m);
		free(list[i].tag);
	}
	return rc;
}

int cache_past_put(struct cache_place *p, const char *const *names, size_t n,
		   const struct cache_past *past, struct error *err)
{
	cleanup_free struct cache_deposit *list = xcalloc(n + 1, sizeof(*list));
	cleanup_oci_manifest struct oci_manifest m = { 0 };
	cleanup_strbuf struct strbuf text = STRBUF_INIT, body = STRBUF_INIT;
	struct registry_bytes bytes;
	struct registry_source blobs[2];
	size_t i;
	int rc;

	json_write(&text, past->json, false);
	if (text.len > PAST_MAX)
		return 0;
	bytes = (struct registry_bytes){ text.buf, text.len };
	registry_source_bytes(&blobs[0], &bytes);
	blobs[1] = cache_empty_blob();
	cache_set_empty(&m.config);
	oci_manifest_add_layer(&m, PAST_TYPE, blobs[0].digest, text.len);
	oci_manifest_write(&m, &body);
	for (i = 0; i < n; i++)
		list[i] = (struct cache_deposit){ .tag = tag_of(names[i]),
						  .media_type = OCI_MANIFEST,
						  .body = body };
	rc = cache_place_put(p, blobs, ARRAY_SIZE(blobs), list, n, err);
	for (i = 0; i < n; i++)
		free(list[i].tag);
	return rc;
}
