/* walk.c - all files that a chain of layers shows, one after the other */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

struct walk {
	struct store *s;
	int (*visit)(void *arg, const struct store_file *f,
		     struct error *err);
	void *arg;
};

static int walk_dir(const struct walk *w, const struct view *v,
		    const char *dir, struct error *err);

static int walk_file(const struct walk *w, const struct view *v,
		     const char *dir, const char *name, struct error *err)
{
	cleanup_free char *path = xstrfmt("%s%s%s", dir, *dir ? "/" : "",
					  name);
	cleanup_view struct view child = { .n = 0 };
	struct stat st;
	struct store_file f = { .path = path, .name = name, .st = &st };
	size_t at;
	int rc = view_lookup(v, name, &at, &st, err);

	if (rc <= 0)
		return rc;
	f.dirfd = v->fds[at];
	rc = w->visit(w->arg, &f, err);
	if (rc || !S_ISDIR(st.st_mode))
		return rc < 0 ? -1 : 0;
	if (view_enter(w->s, v, name, at, &child, err) < 0)
		return -1;
	return walk_dir(w, &child, path, err);
}

static int walk_dir(const struct walk *w, const struct view *v,
		    const char *dir, struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	size_t i;

	if (view_names(v, &names, err) < 0)
		return error_wrap(err, "'%s'", dir);
	for (i = 0; i < names.nr; i++)
		if (walk_file(w, v, dir, names.v[i], err) < 0)
			return -1;
	return 0;
}

int store_walk(struct store *s, const char *const *ids, size_t n,
	       int (*visit)(void *arg, const struct store_file *f,
			    struct error *err),
	       void *arg, struct error *err)
{
	const struct walk w = { s, visit, arg };
	cleanup_view struct view root = { .n = 0 };

	if (view_open(s, ids, n, &root, err) < 0)
		return -1;
	return walk_dir(&w, &root, "", err);
}
