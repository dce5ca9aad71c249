/* path.c - pure path arithmetic */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"

#include <unistd.h>

#include "base/strbuf.h"

/* Drop the last element of what was written so far, if that is allowed. */
static bool drop_last(struct strbuf *out, size_t floor)
{
	size_t n = out->len;

	if (n <= floor)
		return false;
	while (n > floor && out->buf[n - 1] != '/')
		n--;
	if (n > floor)
		n--;
	strbuf_setlen(out, n);
	return true;
}

char *path_clean(const char *path)
{
	struct strbuf out = STRBUF_INIT;
	bool rooted = *path == '/';
	size_t floor = rooted ? 1 : 0; /* what ".." cannot remove */

	strbuf_grow(&out, strlen(path) + 1);
	if (rooted)
		strbuf_addch(&out, '/');
	while (*path) {
		size_t n = strcspn(path, "/");
		bool up = n == 2 && path[0] == '.' && path[1] == '.';

		if (n && !(n == 1 && *path == '.') &&
		    !(up && (drop_last(&out, floor) || rooted))) {
			if (out.len > (rooted ? 1u : 0u))
				strbuf_addch(&out, '/');
			strbuf_add(&out, path, n);
			if (up)
				floor = out.len;
		}
		path += n;
		path += *path == '/';
	}
	if (!out.len)
		strbuf_addch(&out, '.');
	return strbuf_detach(&out);
}

char *path_join(const char *a, const char *b)
{
	cleanup_free char *joined = xstrfmt("%s/%s", a, b);

	return path_clean(*a ? joined : b);
}

char *path_resolve(const char *a, const char *b)
{
	return *b == '/' ? path_clean(b) : path_join(a, b);
}

char *path_base(const char *path)
{
	size_t end = strlen(path), start;

	if (!end)
		return xstrdup(".");
	while (end > 1 && path[end - 1] == '/')
		end--;
	for (start = end; start && path[start - 1] != '/'; start--)
		;
	return start == end ? xstrdup("/")
			    : xstrndup(path + start, end - start);
}

char *path_dir(const char *path)
{
	cleanup_free char *clean = path_clean(path);
	char *slash = strrchr(clean, '/');

	if (!slash)
		return xstrdup(".");
	return slash == clean ? xstrdup("/")
			      : xstrndup(clean, (size_t)(slash - clean));
}

const char *path_below(const char *path, const char *dir)
{
	const char *rest;

	if (str_eq(dir, "/"))
		return *path == '/' ? path + 1 : NULL;
	rest = str_skip(path, dir);
	if (!rest || (*rest && *rest != '/'))
		return NULL;
	return *rest ? rest + 1 : rest;
}

bool path_within(const char *path, const char *dir)
{
	return path_below(path, dir) != NULL;
}

char *path_absolute(const char *path)
{
	cleanup_free char *cwd = NULL;

	if (*path == '/')
		return path_clean(path);
	cwd = getcwd(NULL, 0);
	return path_join(cwd ? cwd : "/", path);
}
