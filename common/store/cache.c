/* cache.c - cache/: small texts by key; a lost or torn one is a miss */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define CACHE_MAX ((size_t)16 << 20)

static int cache_path(char path[STORE_ID + 8], const char *key,
		      struct error *err)
{
	if (!store_is_hex(key, STORE_ID - 1))
		return error_set(err, ERR_INPUT, "'%.80s' is no cache key",
				 key);
	snprintf(path, STORE_ID + 8, "cache/%s", key);
	return 0;
}

int store_cache_get(struct store *s, const char *key, struct strbuf *out,
		    struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_error struct error why = ERROR_INIT;
	char path[STORE_ID + 8];

	if (cache_path(path, key, err) < 0)
		return -1;
	if (fs_read_at(s->fd, path, CACHE_MAX, &text, &why) < 0)
		return why.sys == ENOENT ? 0 : error_move(err, &why);
	if (!store_unseal(&text))
		return 0;
	/* store_gc goes by the time of the last use. */
	utimensat(s->fd, path, NULL, AT_SYMLINK_NOFOLLOW);
	strbuf_add(out, text.buf, text.len);
	return 1;
}

int store_cache_put(struct store *s, const char *key, const char *text,
		    size_t n, struct error *err)
{
	cleanup_strbuf struct strbuf sealed = STRBUF_INIT;
	char path[STORE_ID + 8];

	if (cache_path(path, key, err) < 0)
		return -1;
	if (n > CACHE_MAX - DIGEST_TEXT)
		return error_set(err, ERR_INPUT, "cache entry is too large");
	store_seal(&sealed, text, n);
	return store_replace(s, path, sealed.buf, sealed.len, false, err);
}

int store_cache_remove(struct store *s, const char *key, struct error *err)
{
	char path[STORE_ID + 8];

	if (cache_path(path, key, err) < 0)
		return -1;
	if (unlinkat(s->fd, path, 0) < 0 && errno != ENOENT)
		return error_errno(err, "cannot remove '%s/%s'", s->path,
				   path);
	return 0;
}

int store_cache_each(struct store *s,
		     int (*visit)(void *arg, const char *key,
				  const char *text, size_t n, int64_t used),
		     void *arg, struct error *err)
{
	cleanup_strvec struct strvec keys = STRVEC_INIT;
	int rc = 0;

	if (store_list(s, "cache", &keys, err) < 0)
		return -1;
	for (size_t i = 0; !rc && i < keys.nr; i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		char path[STORE_ID + 8];
		struct stat st;

		if (cache_path(path, keys.v[i], NULL) < 0 ||
		    fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    fs_read_at(s->fd, path, CACHE_MAX, &text, NULL) < 0 ||
		    !store_unseal(&text))
			continue;
		rc = visit(arg, keys.v[i], text.buf, text.len,
			   st.st_mtim.tv_sec * 1000000000ll +
				   st.st_mtim.tv_nsec);
	}
	return rc;
}
