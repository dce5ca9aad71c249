/* upload.c - notes of uploads that another process may go on with */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/upload.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "store/lock.h"
#include "store/writer.h"

#define UPLOAD "upload-"
#define UPLOAD_AGE ((time_t)24 * 3600)
#define UPLOAD_PATH 80 /* "tmp/upload-" hex NUL */

/* The path of one that is ours, or can be. */
static bool claim(struct store *s, const char *name, char path[UPLOAD_PATH])
{
	cleanup_error struct error err = ERROR_INIT;
	int rc = store_lock_add(s, name, &s->uploads, &err);

	snprintf(path, UPLOAD_PATH, "tmp/" UPLOAD "%s", name);
	if (rc < 0)
		log_debug("an upload is not noted: %s", err.msg);
	return rc > 0;
}

static bool is_young(const struct stat *st)
{
	return st->st_mtime + UPLOAD_AGE > time(NULL);
}

bool store_upload_take(struct store *s, const char *name, struct strbuf *text)
{
	char path[UPLOAD_PATH];
	struct stat st;

	return claim(s, name, path) &&
	       fs_read_at(s->fd, path, STORE_UPLOAD_MAX + DIGEST_TEXT, text,
			  NULL) == 0 &&
	       fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       unlinkat(s->fd, path, 0) == 0 && is_young(&st) &&
	       store_unseal(text);
}

bool store_upload_put(struct store *s, const char *name, const char *text,
		      size_t n)
{
	cleanup_strbuf struct strbuf sealed = STRBUF_INIT;
	cleanup_error struct error err = ERROR_INIT;
	char path[UPLOAD_PATH];

	if (n > STORE_UPLOAD_MAX || !claim(s, name, path))
		return false;
	store_seal(&sealed, text, n);
	if (store_replace(s, path, sealed.buf, sealed.len, false, &err) == 0)
		return true;
	log_debug("an upload is not noted: %s", err.msg);
	return false;
}

void store_upload_drop(struct store *s, const char *name)
{
	char path[UPLOAD_PATH];

	if (claim(s, name, path))
		unlinkat(s->fd, path, 0);
	store_lock_drop(s->uploads, name);
}

bool store_upload_waits(const char *name, const struct stat *st)
{
	return str_starts(name, UPLOAD) && S_ISREG(st->st_mode) &&
	       is_young(st);
}
