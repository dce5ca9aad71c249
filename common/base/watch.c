/* watch.c - be told when files below a directory change */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/watch.h"

#include <dirent.h>
#include <errno.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/path.h"

#define EVENTS \
	(IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | \
	 IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_ONLYDIR | \
	 IN_DONT_FOLLOW | IN_EXCL_UNLINK)
#define DEPTH_MAX 200

struct watch {
	int fd;
	char **dirs; /* by watch descriptor */
	size_t n_dirs;
};

int watch_new(struct watch **out, struct error *err)
{
	struct watch *w;
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd < 0) {
		error_errno(err, "cannot watch files");
		return error_hint(err, "fs.inotify.max_user_instances may be "
				       "used up");
	}
	w = xcalloc(1, sizeof(*w));
	w->fd = fd;
	*out = w;
	return 0;
}

void watch_free(struct watch *w)
{
	size_t i;

	if (!w)
		return;
	for (i = 0; i < w->n_dirs; i++)
		free(w->dirs[i]);
	free(w->dirs);
	close(w->fd);
	free(w);
}

int watch_fd(const struct watch *w)
{
	return w->fd;
}

static int add_one(struct watch *w, const char *dir, struct error *err)
{
	int wd = inotify_add_watch(w->fd, dir, EVENTS);

	if (wd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0; /* it went meanwhile */
	if (wd < 0) {
		error_errno(err, "cannot watch '%s'", dir);
		return error_hint(err, "fs.inotify.max_user_watches limits "
				       "how many directories are watched");
	}
	if ((size_t)wd >= w->n_dirs) {
		size_t n = (size_t)wd + 64;

		w->dirs = xrealloc_array(w->dirs, n, sizeof(*w->dirs));
		memset(w->dirs + w->n_dirs, 0,
		       (n - w->n_dirs) * sizeof(*w->dirs));
		w->n_dirs = n;
	}
	free(w->dirs[wd]);
	w->dirs[wd] = xstrdup(dir);
	return 0;
}

static int add_tree(struct watch *w, const char *dir, unsigned depth,
		    watch_filter filter, void *arg, struct error *err)
{
	struct dirent *e;
	DIR *d;
	int rc = add_one(w, dir, err);

	if (rc < 0 || depth > DEPTH_MAX)
		return rc;
	d = opendir(dir);
	while (d && !rc && (e = readdir(d))) {
		cleanup_free char *path = NULL;

		if (e->d_type != DT_DIR || str_eq(e->d_name, ".") ||
		    str_eq(e->d_name, ".."))
			continue;
		path = path_join(dir, e->d_name);
		if (!filter || filter(arg, path))
			rc = add_tree(w, path, depth + 1, filter, arg, err);
	}
	if (d)
		closedir(d);
	return rc;
}

int watch_add(struct watch *w, const char *dir, bool deep,
	      watch_filter filter, void *arg, struct error *err)
{
	return deep ? add_tree(w, dir, 0, filter, arg, err)
		    : add_one(w, dir, err);
}

static bool is_relevant(const struct watch *w, const struct inotify_event *e,
			watch_filter relevant, void *arg)
{
	cleanup_free char *path = NULL;

	if (e->mask & IN_Q_OVERFLOW)
		return true; /* something was missed: it may be anything */
	if (e->mask & IN_IGNORED || e->wd < 0 || (size_t)e->wd >= w->n_dirs ||
	    !w->dirs[e->wd])
		return false;
	path = e->len ? path_join(w->dirs[e->wd], e->name)
		      : xstrdup(w->dirs[e->wd]);
	return !relevant || relevant(arg, path);
}

bool watch_read(struct watch *w, watch_filter relevant, void *arg)
{
	char buf[16384]
		__attribute__((aligned(__alignof__(struct inotify_event))));
	bool any = false;
	ssize_t n;

	while ((n = read(w->fd, buf, sizeof(buf))) > 0) {
		ssize_t at = 0;

		while (at < n) {
			const struct inotify_event *e =
				(const void *)(buf + at);

			any = is_relevant(w, e, relevant, arg) || any;
			at += (ssize_t)(sizeof(*e) + e->len);
		}
	}
	return any;
}
