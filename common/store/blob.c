/* blob.c - blobs/sha256: content by digest */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define BLOB_PATH (13 + DIGEST_HEX + 1) /* "blobs/sha256/" hex NUL */

struct store_writer {
	struct store *s;
	struct store_temp temp;
	struct digest digest;
	uint64_t size;
};

static int blob_path(char path[BLOB_PATH], const char *digest,
		     struct error *err)
{
	if (!digest_valid(digest))
		return error_set(err, ERR_INPUT, "'%.80s' is no sha256 digest",
				 digest);
	snprintf(path, BLOB_PATH, "blobs/sha256/%s", digest_hex(digest));
	return 0;
}

bool store_has_blob(const struct store *s, const char *digest, uint64_t *size)
{
	char path[BLOB_PATH];
	struct stat st;

	if (blob_path(path, digest, NULL) < 0 ||
	    fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode))
		return false;
	if (size)
		*size = (uint64_t)st.st_size;
	return true;
}

int store_open_blob(const struct store *s, const char *digest,
		    struct error *err)
{
	char path[BLOB_PATH];
	int fd;

	if (blob_path(path, digest, err) < 0)
		return -1;
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

	return store_has_blob(s, digest, NULL) &&
	       store_read_blob(s, digest, n, &text, NULL) == 0;
}

int store_put_blob(struct store *s, const void *data, size_t n,
		   char digest[DIGEST_TEXT], struct error *err)
{
	char path[BLOB_PATH];

	digest_bytes(data, n, digest);
	if (is_there(s, digest, n))
		return 0;
	if (blob_path(path, digest, err) < 0)
		return -1;
	return store_replace(s, path, data, n, true, err);
}

int store_writer_new(struct store *s, struct store_writer **out,
		     struct error *err)
{
	struct store_writer *w = xcalloc(1, sizeof(*w));

	w->s = s;
	w->temp.fd = -1;
	if (store_temp_file(s, &w->temp, err) < 0) {
		free(w);
		return -1;
	}
	digest_init(&w->digest, true);
	*out = w;
	return 0;
}

int store_writer_write(struct store_writer *w, const void *data, size_t n,
		       struct error *err)
{
	if (fs_write_all(w->temp.fd, data, n, err) < 0)
		return error_wrap(err, "cannot store a blob in '%s'",
				  w->s->path);
	digest_update(&w->digest, data, n);
	w->size += n;
	return 0;
}

int store_writer_restart(struct store_writer *w, struct error *err)
{
	if (ftruncate(w->temp.fd, 0) < 0 ||
	    lseek(w->temp.fd, 0, SEEK_SET) < 0)
		return error_errno(err, "cannot start a blob again");
	digest_release(&w->digest);
	digest_init(&w->digest, true);
	w->size = 0;
	return 0;
}

int store_writer_commit(struct store_writer *w, char digest[DIGEST_TEXT],
			uint64_t *size, struct error *err)
{
	char path[BLOB_PATH], found[DIGEST_TEXT];

	digest_final_text(&w->digest, found);
	digest_init(&w->digest, true);
	if (*digest && !str_eq(digest, found))
		return error_set(err, ERR_INPUT,
				 "a blob has digest %s instead of %s", found,
				 digest);
	if (blob_path(path, found, err) < 0)
		return -1;
	if (!store_has_blob(w->s, found, NULL)) {
		if (fsync(w->temp.fd) < 0)
			return error_errno(err, "cannot sync blob %s", found);
		if (renameat(w->s->fd, w->temp.name, w->s->fd, path) < 0)
			return error_errno(err, "cannot store blob %s", found);
		w->temp.name[0] = '\0';
	}
	memcpy(digest, found, sizeof(found));
	if (size)
		*size = w->size;
	store_writer_free(w);
	return 0;
}

void store_writer_free(struct store_writer *w)
{
	if (!w)
		return;
	digest_release(&w->digest);
	store_temp_drop(w->s, &w->temp);
	free(w);
}
