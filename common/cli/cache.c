/* cache.c - what a cache beside the store holds, and cleaning it */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/caches.h"

#include "base/date.h"
#include "base/units.h"
#include "cache/collect.h"

#define O(member) offsetof(struct cli_cache, member)
const struct opt cli_cache_rows[] = {
	{ OPT_STR, 0, "cache-repo", "CACHE", "ENVBUILDER_CACHE_REPO",
	  "the cache: HOST/REPOSITORY or oci:DIR", O(place) },
	{ OPT_BOOL, 'n', "dry-run", NULL, OPT_NO_ENV,
	  "gc: only say what would go", O(dry_run) },
	{ OPT_STR, 0, "keep-age", "AGE", OPT_NO_ENV,
	  "gc: remove what was not used for so long (36h, 14d)", O(keep_age) },
	{ OPT_STR, 0, "keep-size", "SIZE", OPT_NO_ENV,
	  "gc: remove what was used least recently, while there is more than "
	  "this (20GB)", O(keep_size) },
	{ OPT_ENUM, 0, "format", "text|json", OPT_NO_ENV,
	  "form of the result", O(format) },
	{ OPT_BOOL, 0, "json", NULL, OPT_NO_ENV, "the same as --format=json",
	  O(json) },
	{ OPT_END },
};

static int open_place(const struct cli_cache *c, struct registry **r,
		      const struct registry_options *o,
		      struct cache_place *p, struct error *err)
{
	if (c->place && *c->place)
		return cache_place_init(p, c->place, r, o, err);
	error_set(err, ERR_USAGE, "no cache is named");
	return error_hint(err, "use --cache-repo with HOST/REPOSITORY or "
			       "oci:DIR");
}

static int print(const struct cli_cache *c, const struct json *j,
		 struct strbuf *text, struct error *err)
{
	if (c->json || c->format) {
		strbuf_reset(text);
		json_write(text, j, true);
	}
	return cli_write(NULL, text, err);
}

/* --- ls --- */

/* NULL: it is not known. */
static char *time_of(int64_t seconds)
{
	return seconds ? date_format(seconds) : NULL;
}

static void set_time(struct json *j, const char *name, int64_t seconds)
{
	cleanup_free char *text = time_of(seconds);

	json_set(j, name, json_new_str(text));
}

static struct json *item_json(const struct cache_item *item)
{
	struct json *j = json_new_object();

	json_set_str(j, "tag", item->tag);
	json_set_str(j, "kind", item->kind);
	json_set_str(j, "digest", item->digest);
	json_set_int(j, "size", (int64_t)item->size);
	json_set_bool(j, "complete", item->whole);
	set_time(j, "created", item->created);
	set_time(j, "used", item->used);
	return j;
}

static void item_text(const struct cache_item *item, struct strbuf *out)
{
	cleanup_strbuf struct strbuf size = STRBUF_INIT;
	cleanup_free char *created = time_of(item->created);
	cleanup_free char *used = time_of(item->used);

	strbuf_add_size(&size, item->size);
	strbuf_addf(out, "%-5s  %8s  %-20s  %-20s  %s%s\n", item->kind,
		    size.buf, created ? created : "-",
		    used ? used : "-", item->tag,
		    item->whole ? "" : " (incomplete)");
}

int cli_cache_list(const struct cli_cache *c,
		   const struct registry_options *o, struct error *err)
{
	cleanup_cache_list struct cache_list list = { 0 };
	cleanup_cache_place struct cache_place p = { 0 };
	cleanup_registry struct registry *r = NULL;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_json struct json *all = json_new_array();
	size_t i;

	if (open_place(c, &r, o, &p, err) < 0 ||
	    cache_list_get(&p, &list, err) < 0)
		return -1;
	strbuf_addf(&text, "%-5s  %8s  %-20s  %-20s  %s\n", "KIND", "SIZE",
		    "CREATED", "USED", "TAG");
	for (i = 0; i < list.nr; i++) {
		if (!list.v[i].kind)
			continue;
		json_push(all, item_json(&list.v[i]));
		item_text(&list.v[i], &text);
	}
	return print(c, all, &text, err);
}

/* --- gc --- */

int cli_keep_parse(struct cli_keep *k, const char *age, const char *size,
		   struct error *err)
{
	struct cli_keep got = { 0, 0 };

	if (age && units_age(age, &got.age, err) < 0)
		return -1;
	if (age && !got.age) {
		error_set(err, ERR_USAGE, "--keep-age %s keeps nothing", age);
		return error_hint(err, "--keep-size 0 says so");
	}
	if (size && units_size(size, &got.size, err) < 0)
		return -1;
	if (size && !got.size)
		got.size = 1;
	*k = got;
	return 0;
}

int cli_cache_collect(const struct cli_cache *c,
		      const struct registry_options *o, struct error *err)
{
	struct cache_gc_options limits = { .dry_run = c->dry_run };
	struct cli_keep keep = { 0 };
	cleanup_cache_place struct cache_place p = { 0 };
	cleanup_registry struct registry *r = NULL;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_json struct json *j = json_new_object();
	struct cache_gc_result result;

	if (cli_keep_parse(&keep, c->keep_age, c->keep_size, err) < 0)
		return -1;
	limits.max_age = keep.age;
	limits.keep_size = keep.size;
	if (open_place(c, &r, o, &p, err) < 0 ||
	    cache_gc(&p, &limits, &result, err) < 0)
		return -1;
	json_set_int(j, "entries", (int64_t)result.entries);
	json_set_int(j, "blobs", (int64_t)result.blobs);
	json_set_int(j, "bytes", (int64_t)result.bytes);
	strbuf_addf(&text, "%s %zu %s, %zu blob%s: ",
		    c->dry_run ? "would remove" : "removed", result.entries,
		    result.entries == 1 ? "entry" : "entries", result.blobs,
		    units_s(result.blobs));
	strbuf_add_size(&text, result.bytes);
	strbuf_addch(&text, '\n');
	return print(c, j, &text, err);
}
