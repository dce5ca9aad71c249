/* record.c - section "image" of a record from an image of the store */
/* SPDX-License-Identifier: Apache-2.0 */
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

int cli_record_write(const struct record *r, struct error *err)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	record_write(r, &out);
	return cli_write(NULL, &out, err);
}
