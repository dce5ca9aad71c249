/* note.c - manifests that say when something was used, and nothing else */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/internal.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/date.h"
#include "base/fs.h"

/* image-spec manifest.md, "Guidance for an Empty Descriptor" */
#define EMPTY_TYPE "application/vnd.oci.empty.v1+json"
#define EMPTY "{}"
#define NOTE_OF "dev.devenv.of"

static int open_empty(void *arg UNUSED, int *fd, struct error *err)
{
	cleanup_close int mem = memfd_create("empty", MFD_CLOEXEC);

	if (mem < 0)
		return error_errno(err, "cannot make a file in memory");
	if (fs_write_all(mem, EMPTY, strlen(EMPTY), err) < 0)
		return -1;
	if (lseek(mem, 0, SEEK_SET) < 0)
		return error_errno(err, "cannot rewind a file in memory");
	*fd = steal_fd(&mem);
	return 0;
}

struct registry_source cache_empty_blob(void)
{
	struct registry_source s = { .size = strlen(EMPTY),
				     .open = open_empty };

	digest_bytes(EMPTY, strlen(EMPTY), s.digest);
	return s;
}

void cache_set_empty(struct oci_descriptor *d)
{
	char digest[DIGEST_TEXT];

	digest_bytes(EMPTY, strlen(EMPTY), digest);
	oci_descriptor_set(d, EMPTY_TYPE, digest, strlen(EMPTY));
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
