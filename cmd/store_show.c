/* store_show.c - store ls and du: what is there, and what it takes */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/store.h"

#include <time.h>

#include "base/units.h"

int store_print_json(const struct json *j, struct error *err)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	json_write(&out, j, true);
	return cli_write(NULL, &out, err);
}

static const char *or_null(const char *s)
{
	return s && *s ? s : NULL;
}

static void add_age(struct strbuf *out, const char *what, int64_t then)
{
	const int64_t now = time(NULL);

	strbuf_addf(out, "  %s ", what);
	if (then <= 0)
		strbuf_addch(out, '-');
	else
		units_add_age(out, then < now ? (uint64_t)(now - then) : 0);
}

/* 0 where an image does not say it. */
static int64_t created(const struct store_image *i)
{
	struct tm tm = { 0 };

	if (!i->config.created ||
	    !strptime(i->config.created, "%Y-%m-%dT%H:%M:%S", &tm))
		return 0;
	return timegm(&tm);
}

static void add_time(struct json *j, const char *key, int64_t seconds)
{
	const time_t t = (time_t)seconds;
	char text[32];
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	json_set_str(j, key, text);
}

static struct json *image_json(const struct store *s, const char *name,
			       const struct store_image_use *u)
{
	cleanup_strvec struct strvec platforms = STRVEC_INIT;
	struct json *j = json_new_object();

	json_set_str(j, "reference", name);
	json_set_str(j, "config_digest", or_null(u->image.config_digest));
	json_set_str(j, "digest", or_null(u->image.manifest));
	store_image_platforms(s, &u->image, &platforms);
	json_set_strvec(j, "platforms", &platforms);
	json_set_int(j, "layers", (int64_t)u->image.n_layers);
	json_set_int(j, "size", (int64_t)store_image_size(s, &u->image));
	json_set_str(j, "created", or_null(u->image.config.created));
	if (u->used)
		add_time(j, "used", u->used);
	json_set_str(j, "base_store", u->image.base);
	return j;
}

static void image_text(const struct store *s, const char *name,
		       const struct store_image_use *u, struct strbuf *out)
{
	cleanup_strvec struct strvec platforms = STRVEC_INIT;
	cleanup_strbuf struct strbuf size = STRBUF_INIT;
	cleanup_strbuf struct strbuf list = STRBUF_INIT;

	store_image_platforms(s, &u->image, &platforms);
	for (size_t i = 0; i < platforms.nr; i++)
		strbuf_addf(&list, "%s%s", i ? "," : "", platforms.v[i]);
	strbuf_add_size(&size, store_image_size(s, &u->image));
	strbuf_addf(out, "%-12.12s  %7s  %-11s",
		    *u->image.config_digest ? digest_hex(u->image.config_digest)
					    : "-",
		    size.buf, list.buf);
	add_age(out, "made", created(&u->image));
	add_age(out, "used", u->used);
	strbuf_addf(out, "  %s%s\n", name,
		    u->image.base ? "  (base store)" : "");
}

/* Each under each of its names. */
static void add_images(struct store *s, const struct store_images *images,
		       struct json *all, struct strbuf *out)
{
	for (size_t i = 0; i < images->nr; i++) {
		const struct store_image_use *u = &images->v[i];

		for (size_t k = 0; k < u->references.nr; k++) {
			const char *name = u->references.v[k];

			json_push(all, image_json(s, name, u));
			image_text(s, name, u, out);
		}
	}
}

int store_show_list(struct store *s, const struct store_command *o,
		    struct cmd_call *call UNUSED, struct error *err)
{
	cleanup_store_images struct store_images images = { .nr = 0 };
	cleanup_store_images struct store_images below = { .nr = 0 };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_json struct json *all = json_new_array();

	if (store_images(s, &images, err) < 0 ||
	    store_base_images(s, &below, err) < 0)
		return -1;
	add_images(s, &images, all, &out);
	add_images(s, &below, all, &out);
	return store_wants_json(o) ? store_print_json(all, err)
				   : cli_write(NULL, &out, err);
}

/* --- du --- */

static void add_bytes(struct strbuf *out, uint64_t bytes)
{
	cleanup_strbuf struct strbuf size = STRBUF_INIT;

	strbuf_add_size(&size, bytes);
	strbuf_addf(out, "%8s  ", size.buf);
}

static void usage_text(const struct store_census *c, struct strbuf *out)
{
	const struct {
		const char *what;
		uint64_t bytes;
	} rows[] = {
		{ "layers of one image", c->own },
		{ "layers that images share", c->shared },
		{ "environments", c->environments },
		{ "remembered steps", c->steps },
		{ "cache mounts", c->mounts },
		{ "digests of context files", c->context },
		{ "unused, for gc", c->unused },
		{ "records and the rest", c->other },
		{ "in all", c->total },
	};

	for (size_t i = 0; i < c->images.nr; i++) {
		const struct store_image_use *u = &c->images.v[i];

		add_bytes(out, u->own);
		add_bytes(out, u->shared);
		strbuf_addf(out, "%.12s",
			    *u->image.config_digest
				    ? digest_hex(u->image.config_digest)
				    : "-");
		for (size_t k = 0; k < u->references.nr; k++)
			strbuf_addf(out, "%s%s", k ? ", " : "  ",
				    u->references.v[k]);
		strbuf_addch(out, '\n');
	}
	if (c->images.nr)
		strbuf_prepend(out, "     own    shared  image\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		add_bytes(out, rows[i].bytes);
		strbuf_addf(out, "%s\n", rows[i].what);
	}
}

static struct json *usage_json(const struct store_census *c)
{
	struct json *j = json_new_object();
	struct json *list = json_set(j, "per_image", json_new_array());
	struct json *by = json_set(j, "needed_by", json_new_object());

	for (size_t i = 0; i < c->images.nr; i++) {
		const struct store_image_use *u = &c->images.v[i];
		struct json *one = json_push(list, json_new_object());

		json_set_strvec(one, "references", &u->references);
		json_set_str(one, "config_digest",
			     or_null(u->image.config_digest));
		json_set_int(one, "own", (int64_t)u->own);
		json_set_int(one, "shared", (int64_t)u->shared);
	}
	json_set_int(by, "one_image", (int64_t)c->own);
	json_set_int(by, "several_images", (int64_t)c->shared);
	json_set_int(by, "environments", (int64_t)c->environments);
	json_set_int(by, "steps", (int64_t)c->steps);
	json_set_int(by, "cache_mounts", (int64_t)c->mounts);
	json_set_int(by, "context", (int64_t)c->context);
	json_set_int(by, "nothing", (int64_t)c->unused);
	json_set_int(by, "store", (int64_t)c->other);
	json_set_int(j, "total", (int64_t)c->total);
	return j;
}

/* The same by directory. */
static int add_directories(struct store *s, struct json *j, struct error *err)
{
	static const char *const parts[] = { "blobs", "layers",	 "images",
					     "cache", "context", "mounts",
					     "run",   "tmp" };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		uint64_t bytes, files;

		if (store_disk_usage(s, parts[i], &bytes, &files, err) < 0)
			return -1;
		json_set_int(j, parts[i], (int64_t)bytes);
	}
	return 0;
}

int store_show_usage(struct store *s, const struct store_command *o,
		     struct cmd_call *call UNUSED, struct error *err)
{
	cleanup_store_census struct store_census c = { .total = 0 };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_json struct json *j = NULL;

	if (store_census(s, &c, err) < 0)
		return -1;
	if (!store_wants_json(o)) {
		usage_text(&c, &out);
		return cli_write(NULL, &out, err);
	}
	j = usage_json(&c);
	return add_directories(s, j, err) < 0 ? -1 : store_print_json(j, err);
}
