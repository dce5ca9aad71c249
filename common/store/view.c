/* view.c - directories as a chain of layers shows them, without mounting */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

void view_release(struct view *v)
{
	for (size_t i = 0; i < v->n; i++)
		close(v->fds[i]);
	free(v->fds);
	free(v->layers);
	memset(v, 0, sizeof(*v));
}

static void view_alloc(struct view *v, const struct store *s, size_t n)
{
	v->s = s;
	v->n = 0;
	v->fds = xcalloc(n + 1, sizeof(*v->fds));
	v->layers = xcalloc(n + 1, sizeof(*v->layers));
}

static void view_push(struct view *v, int fd, size_t layer)
{
	v->fds[v->n] = fd;
	v->layers[v->n++] = layer;
}

int view_open(const struct store *s, const char *const *chain, size_t n,
	      struct view *v, struct error *err)
{
	view_alloc(v, s, n);
	for (size_t i = n; i--;) {
		int fd;

		if (!store_has_layer(s, chain[i])) {
			view_release(v);
			return error_set(err, ERR_SYSTEM,
					 "layer %.12s is needed and not "
					 "unpacked", chain[i]);
		}
		fd = store_layer_fs_fd(s, chain[i], err);
		if (fd < 0) {
			view_release(v);
			return -1;
		}
		view_push(v, fd, i);
	}
	return 0;
}

bool view_is_whiteout(const struct store *s, int dirfd, const char *name,
		      const struct stat *st)
{
	cleanup_strbuf struct strbuf value = STRBUF_INIT;

	if (!s->o.no_nodes)
		return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
	return S_ISREG(st->st_mode) && !st->st_size &&
	       store_get_xattr(dirfd, name, DEVICE_XATTR, &value) &&
	       str_eq(value.buf, MARKS_WHITEOUT);
}

bool view_is_opaque(const struct store *s, int fd)
{
	char value[2];

	return fgetxattr(fd, marks_opaque(s), value, sizeof(value)) == 1 &&
	       value[0] == 'y';
}

static int look(const struct view *v, size_t i, const char *name,
		struct stat *st, struct error *err)
{
	if (fstatat(v->fds[i], name, st, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	if (errno == ENOENT)
		return 0;
	return error_errno(err, "cannot examine '%s' in a layer", name);
}

int view_lookup(const struct view *v, const char *name, size_t *at,
		struct stat *st, struct error *err)
{
	for (size_t i = 0; i < v->n; i++) {
		int found = look(v, i, name, st, err);

		if (found < 0)
			return -1;
		if (!found)
			continue;
		*at = i;
		return !view_is_whiteout(v->s, v->fds[i], name, st);
	}
	return 0;
}

int view_enter(const struct store *s, const struct view *v, const char *name,
	       size_t at, struct view *child, struct error *err)
{
	view_alloc(child, s, v->n);
	for (size_t i = at; i < v->n; i++) {
		struct stat st;
		int found = look(v, i, name, &st, err), fd;

		if (!found)
			continue;
		if (found > 0 && !S_ISDIR(st.st_mode))
			break;
		fd = found < 0 ? -1 :
			openat(v->fds[i], name, O_RDONLY | O_DIRECTORY |
						O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0) {
			if (found > 0)
				error_errno(err, "cannot open '%s' in a layer",
					    name);
			view_release(child);
			return -1;
		}
		view_push(child, fd, v->layers[i]);
		if (view_is_opaque(s, fd))
			break;
	}
	return 0;
}

int view_names(const struct view *v, struct strvec *names, struct error *err)
{
	cleanup_strvec struct strvec all = STRVEC_INIT;

	for (size_t i = 0; i < v->n; i++) {
		if (store_read_dir(v->fds[i], &all, err) < 0)
			return -1;
	}
	if (!all.nr)
		return 0;
	strvec_sort(&all);
	for (size_t i = 0; i < all.nr; i++) {
		struct stat st;
		size_t at;
		int found;

		if (i && str_eq(all.v[i], all.v[i - 1]))
			continue;
		found = view_lookup(v, all.v[i], &at, &st, err);
		if (found < 0)
			return -1;
		if (found)
			strvec_push(names, all.v[i]);
	}
	return 0;
}
