/* upload.c - notes of uploads that another process may go on with */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/upload.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "store/writer.h"

#define UPLOAD "upload-"
#define UPLOAD_AGE ((time_t)24 * 3600)
#define UPLOAD_PATH 80 /* "tmp/upload-" hex NUL */

static bool path_of(char path[UPLOAD_PATH], const char *name)
{
	snprintf(path, UPLOAD_PATH, "tmp/" UPLOAD "%s", name);
	return store_is_hex(name, DIGEST_HEX);
}

void store_upload_put(struct store *s, const char *name, const char *text,
		      size_t n)
{
	cleanup_strbuf struct strbuf sealed = STRBUF_INIT;
	cleanup_error struct error err = ERROR_INIT;
	char path[UPLOAD_PATH];

	if (n > STORE_UPLOAD_MAX || !path_of(path, name))
		return;
	store_seal(&sealed, text, n);
	if (store_replace(s, path, sealed.buf, sealed.len, false, &err) < 0)
		log_debug("an upload is not noted: %s", err.msg);
}

static bool is_young(const struct stat *st)
{
	return st->st_mtime + UPLOAD_AGE > time(NULL);
}

/* Of several that read it, one removes it. */
bool store_upload_take(struct store *s, const char *name, struct strbuf *text)
{
	char path[UPLOAD_PATH];
	struct stat st;

	return path_of(path, name) &&
	       fs_read_at(s->fd, path, STORE_UPLOAD_MAX + DIGEST_TEXT, text,
			  NULL) == 0 &&
	       fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       unlinkat(s->fd, path, 0) == 0 && is_young(&st) &&
	       store_unseal(text);
}

bool store_upload_waits(const char *name, const struct stat *st)
{
	return str_starts(name, UPLOAD) && S_ISREG(st->st_mode) &&
	       is_young(st);
}
