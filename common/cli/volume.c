/* volume.c - a named volume, with the image's files when it is new */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "base/proc.h"
#include "cli/mounts.h"
#include "store/volume.h"

/* A volume in the making. */
struct making {
	struct store *store;
	char *dir, *volume, *merged; /* the latter two lie in the first */
	int lock;
};

static void making_release(struct making *m)
{
	if (m->dir)
		store_scratch_drop(m->store, m->dir, m->lock);
	free(m->dir);
	free(m->volume);
	free(m->merged);
}

static int prepare(struct making *m, struct error *err)
{
	m->dir = store_scratch(m->store, &m->lock, err);
	if (!m->dir)
		return -1;
	m->volume = path_join(m->dir, "volume");
	m->merged = path_join(m->dir, "image");
	if (mkdir(m->volume, 0755) < 0 || mkdir(m->merged, 0755) < 0)
		return error_errno(err, "cannot make a directory in '%s'",
				   m->dir);
	return 0;
}

/* With owners, times and attributes, the directory's own as well. */
static int copy(const char *from, const char *to, struct error *err)
{
	cleanup_proc struct proc p = PROC_INIT;
	cleanup_free char *all = xstrfmt("%s/.", from);
	const char *const args[] = { "cp", "-a", "--", all, to, NULL };

	strvec_push_all(&p.args, args);
	if (proc_start(&p, err) < 0 || proc_wait(&p, err) < 0)
		return -1;
	if (p.status)
		return error_set(err, ERR_SYSTEM,
				 "cannot copy '%s' of the image into a "
				 "volume: cp ended with status %d", from,
				 p.status);
	return 0;
}

/* What the image has at the target, if that is a directory. */
static int copy_target(const struct making *m, const char *target,
		       struct error *err)
{
	cleanup_close int root = open(m->merged, O_RDONLY | O_DIRECTORY |
							 O_CLOEXEC);
	cleanup_free char *real = root < 0 ? NULL
					   : fs_real_in_root(root, target);
	cleanup_free char *from = NULL;

	if (root < 0)
		return error_errno(err, "cannot open '%s'", m->merged);
	if (!real)
		return 0;
	from = xstrfmt("%s%s", m->merged, real);
	return fs_is_dir(from) ? copy(from, m->volume, err) : 0;
}

static int fill(const struct making *m, const struct store_image *image,
		const char *target, struct error *err)
{
	cleanup_strvec struct strvec dirs = STRVEC_INIT;
	int rc;

	build_layer_dirs(m->store, image, &dirs);
	if (!dirs.nr)
		return 0;
	if (runtime_mount_overlay((const char *const *)dirs.v, dirs.nr, NULL,
				  NULL, m->merged, err) < 0)
		return -1;
	rc = copy_target(m, target, err);
	if (runtime_umount(m->merged, rc ? NULL : err) < 0)
		return -1;
	return rc;
}

char *cli_volume(const struct cli_launch *l, const char *name,
		 const char *target, struct error *err)
{
	CLEANUP(making_release) struct making m = { .store = l->b->store,
						    .lock = -1 };
	bool found;
	char *path = store_volume_find(m.store, name, &found, err);

	if (!path || found)
		return path;
	if (prepare(&m, err) < 0 || fill(&m, l->image, target, err) < 0 ||
	    store_volume_put(m.store, name, m.volume, err) < 0) {
		free(path);
		return NULL;
	}
	return path;
}
