/* blob.c - blobs/sha256: content by digest */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int store_blob_path(char path[STORE_BLOB_PATH], const char *digest,
		    struct error *err)
{
	if (!digest_valid(digest))
		return error_set(err, ERR_INPUT, "'%.80s' is no sha256 digest",
				 digest);
	snprintf(path, STORE_BLOB_PATH, "blobs/sha256/%s", digest_hex(digest));
	return 0;
}

bool blob_is_own(const struct store *s, const char *digest, uint64_t *size)
{
	char path[STORE_BLOB_PATH];
	struct stat st;

	if (store_blob_path(path, digest, NULL) < 0 ||
	    fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode))
		return false;
	if (size)
		*size = (uint64_t)st.st_size;
	return true;
}

/* The store that has it; when none does, this one. */
static const struct store *home_of(const struct store *s, const char *digest)
{
	for (size_t i = 0; i < s->n_bases && !blob_is_own(s, digest, NULL); i++)
		if (blob_is_own(s->bases[i], digest, NULL))
			return s->bases[i];
	return s;
}

const char *store_blob_base(const struct store *s, const char *digest)
{
	const struct store *home = home_of(s, digest);

	return home == s ? NULL : home->path;
}

bool store_has_blob(const struct store *s, const char *digest, uint64_t *size)
{
	return blob_is_own(home_of(s, digest), digest, size);
}

int store_open_blob(const struct store *s, const char *digest,
		    struct error *err)
{
	char path[STORE_BLOB_PATH];
	int fd;

	if (store_blob_path(path, digest, err) < 0)
		return -1;
	s = home_of(s, digest);
	fd = openat(s->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "cannot open blob %s", digest);
	return fd;
}

int store_read_blob(const struct store *s, const char *digest, size_t max,
		    struct strbuf *out, struct error *err)
{
	cleanup_close int fd = store_open_blob(s, digest, err);
	char found[DIGEST_TEXT];
	size_t before = out->len;

	if (fd < 0)
		return -1;
	if (fs_read_fd(fd, max, out, err) < 0)
		return error_wrap(err, "blob %s", digest);
	digest_bytes(out->buf + before, out->len - before, found);
	if (!str_eq(found, digest)) {
		error_set(err, ERR_SYSTEM, "blob %s is damaged", digest);
		return error_hint(err, "run: devenv store verify");
	}
	return 0;
}

/* One that is damaged is replaced by what its name says. */
static bool is_there(const struct store *s, const char *digest, size_t n)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	return blob_is_own(s, digest, NULL) &&
	       store_read_blob(s, digest, n, &text, NULL) == 0;
}

bool blob_is_wanted(const struct store *s, const void *data, size_t n,
		    char digest[DIGEST_TEXT], char path[STORE_BLOB_PATH])
{
	digest_bytes(data, n, digest);
	return !is_there(s, digest, n) && !store_blob_path(path, digest, NULL);
}

int store_put_blob(struct store *s, const void *data, size_t n,
		   char digest[DIGEST_TEXT], struct error *err)
{
	char path[STORE_BLOB_PATH];

	if (!blob_is_wanted(s, data, n, digest, path))
		return 0;
	return store_replace(s, path, data, n, true, err);
}
