/* record.c - section "image" of a record from an image of the store */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "cli/cli.h"

static const char *or_null(const char *s)
{
	return s && *s ? s : NULL;
}

void cli_image_record(struct record *r, const struct store *s,
		      const struct store_image *image)
{
	cleanup_free char *platform =
		oci_platform_format(&image->config.platform);
	struct json *j = json_new_object();

	json_set(j, "reference", json_new_str(image->reference));
	json_set(j, "digest", json_new_str(or_null(image->manifest)));
	json_set(j, "config_digest",
		 json_new_str(or_null(image->config_digest)));
	json_set_str(j, "platform", platform);
	json_set_int(j, "size", (int64_t)store_image_size(s, image));
	json_set(j, "steps", json_new_array());
	record_set(r, "image", j);
}

/* Adds to an array those images that an index names; what they run on, too. */
static void add_images(struct json *list, struct strbuf *platforms,
		       const struct build_whole *w,
		       const struct oci_index *index)
{
	size_t i;

	for (i = 0; i < index->n; i++) {
		const struct oci_entry *e = &index->v[i];
		const struct build_document *d =
			build_whole_find(w, e->desc.digest);
		cleanup_free char *platform = NULL;
		struct json *j;

		if (!e->image || d->is_index)
			continue;
		j = json_push(list, json_new_object());
		if (e->platform.os)
			platform = oci_platform_format(&e->platform);
		json_set(j, "platform", json_new_str(platform));
		json_set_str(j, "digest", d->desc.digest);
		json_set_str(j, "config_digest", d->manifest.config.digest);
		strbuf_addf(platforms, "%s%s", platforms->len ? "," : "",
			    platform ? platform : "unknown");
	}
}

void cli_whole_record(struct record *r, const struct store *s,
		      const struct store_image *image,
		      const struct build_whole *w)
{
	cleanup_strbuf struct strbuf platforms = STRBUF_INIT;
	struct json *j, *list;
	size_t i;

	cli_image_record(r, s, image);
	if (!image->index[0])
		return;
	j = record_get(r, "image");
	list = json_set(j, "images", json_new_array());
	for (i = 0; i < w->n; i++)
		if (w->v[i].is_index)
			add_images(list, &platforms, w, &w->v[i].index);
	json_set_str(j, "platform", platforms.buf);
	json_set_str(j, "digest", image->index);
}

/* Whatever files and variables brought into a configuration. */
static void mask(struct json *j)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct json *m;

	for (m = json_first(j); m; m = json_next(m))
		mask(m);
	if (!json_str(j))
		return;
	strbuf_addstr(&text, json_str(j));
	log_mask(&text);
	if (!str_eq(text.buf, json_str(j)))
		json_assign_str(j, text.buf);
}

int cli_record_write(const struct record *r, struct error *err)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	const struct json *plan = record_get(r, "plan");

	mask(json_get(plan, "config"));
	mask(json_get(plan, "args"));
	record_write(r, &out);
	return cli_write(NULL, &out, err);
}
