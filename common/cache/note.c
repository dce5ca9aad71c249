/* note.c - manifests that say when something was used, and nothing else */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/internal.h"

#include "base/date.h"

/* image-spec manifest.md, "Guidance for an Empty Descriptor" */
#define EMPTY "{}"
#define NOTE_OF "dev.devenv.of"

struct registry_source cache_empty_blob(void)
{
	static const struct registry_bytes empty = { EMPTY,
						     sizeof(EMPTY) - 1 };
	struct registry_source s;

	registry_source_bytes(&s, &empty);
	return s;
}

void cache_set_empty(struct oci_descriptor *d)
{
	char digest[DIGEST_TEXT];

	digest_bytes(EMPTY, strlen(EMPTY), digest);
	oci_descriptor_set(d, OCI_EMPTY, digest, strlen(EMPTY));
}

void cache_write_marker(const char *tag, const char *now, struct strbuf *out)
{
	cleanup_oci_manifest struct oci_manifest m = { 0 };

	cache_set_empty(&m.config);
	oci_manifest_add_layer(&m, m.config.media_type, m.config.digest,
			       m.config.size);
	m.annotations = json_new_object();
	/* No two markers are the same, or removing one would be removing
	 * both. */
	json_set_str(m.annotations, NOTE_OF, tag);
	json_set_str(m.annotations, CACHE_NOTE_USED, now);
	oci_manifest_write(&m, out);
}

int64_t cache_noted_use(const struct strbuf *manifest)
{
	cleanup_json struct json *j = json_parse("manifest", manifest->buf,
						 manifest->len, NULL);
	const char *note = json_get_str(json_get(j, "annotations"),
					CACHE_NOTE_USED);
	int64_t used;

	return note && date_parse(note, &used) && used > 0 ? used : 0;
}
