/* layout_import.c - take an image of an OCI layout into the store */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "build/internal.h"

static int copy_bytes(int fd, struct store_writer *w, struct error *err)
{
	char buf[65536];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "cannot read a blob");
		if (store_writer_write(w, buf, (size_t)n, err) < 0)
			return -1;
	}
	return 0;
}

/* Verified against its digest as it comes in. */
static int take_blob(struct store *s, int dirfd, const char *digest,
		     struct error *err)
{
	cleanup_free char *path = xstrfmt("blobs/sha256/%s",
					  digest_hex(digest));
	struct store_writer *w = NULL;
	char expected[DIGEST_TEXT];
	cleanup_close int fd = -1;
	int rc;

	if (store_has_blob(s, digest, NULL))
		return 0;
	fd = openat(dirfd, path,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return error_errno_code(err, ERR_INPUT, "cannot open '%s'",
					path);
	if (store_writer_new(s, &w, err) < 0)
		return -1;
	memcpy(expected, digest, DIGEST_TEXT);
	rc = copy_bytes(fd, w, err);
	if (!rc)
		rc = store_writer_commit(w, expected, NULL, err);
	if (rc < 0)
		store_writer_free(w);
	return rc < 0 ? error_wrap(err, "%s", path) : 0;
}

static int take(struct store *s, int dirfd, const struct build_manifest *m,
		struct store_image *image, struct error *err)
{
	char digest[DIGEST_TEXT];
	size_t i;

	if (m->parsed.config.size > OCI_CONFIG_MAX)
		return error_set(err, ERR_INPUT,
				 "the image configuration is larger than %u "
				 "bytes", OCI_CONFIG_MAX);
	if (take_blob(s, dirfd, m->parsed.config.digest, err) < 0 ||
	    build_describe_stored(s, m->digest, &m->parsed, image, err) < 0 ||
	    store_put_blob(s, m->body.buf, m->body.len, digest, err) < 0)
		return -1;
	for (i = 0; i < image->n_layers; i++)
		if (!store_has_layer(s, image->layers[i].id) &&
		    take_blob(s, dirfd, image->layers[i].desc.digest, err) < 0)
			return -1;
	return 0;
}

int build_layout_import(struct store *s, const char *dir, const char *tag,
			const struct oci_platform *platform,
			struct store_image *image, struct error *err)
{
	cleanup_build_manifest struct build_manifest m = BUILD_MANIFEST_INIT;
	cleanup_close int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_errno_code(err, ERR_INPUT, "cannot open '%s'",
					dir);
	if (build_layout_read(fd, tag, platform, &m, err) < 0 ||
	    take(s, fd, &m, image, err) < 0)
		return error_wrap(err, "OCI layout '%s'", dir);
	return 0;
}
