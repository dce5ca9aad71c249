/* volume.c - named volumes: directories that outlive environments */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "store/internal.h"
#include "store/volume.h"

static int check_name(const char *name, struct error *err)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

	if (*name && !strchr("_.-", *name) && strlen(name) < 200 &&
	    strspn(name, set) == strlen(name))
		return 0;
	return error_set(err, ERR_USAGE, "'%s' is not a name for a volume",
			 name);
}

char *store_volume_find(struct store *s, const char *name, bool *found,
			struct error *err)
{
	cleanup_free char *path = NULL;

	if (check_name(name, err) < 0)
		return NULL;
	path = xstrfmt("%s/volumes/%s", s->path, name);
	*found = fs_is_dir(path);
	return steal_ptr(&path);
}

int store_volume_put(struct store *s, const char *name, const char *dir,
		     struct error *err)
{
	bool found;
	cleanup_free char *path = store_volume_find(s, name, &found, err);
	cleanup_free char *all = xstrfmt("%s/volumes", s->path);
	cleanup_close int from = -1;
	cleanup_close int to = -1;

	if (!path || fs_mkdir_p(all, 0700, err) < 0)
		return -1;
	from = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	to = open(all, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (from < 0 || to < 0)
		return error_errno(err, "cannot open '%s'",
				   from < 0 ? dir : all);
	/* Its files first: a name stands for all of them. */
	if (syncfs(from) < 0)
		return error_errno(err, "cannot write '%s'", dir);
	if (renameat2(AT_FDCWD, dir, to, name, RENAME_NOREPLACE) < 0 &&
	    errno != EEXIST)
		return error_errno(err, "cannot make the volume '%s'", name);
	if (fsync(to) < 0)
		return error_errno(err, "cannot write '%s'", all);
	return 0;
}

int store_volume_remove(struct store *s, const char *name, struct error *err)
{
	bool found;
	cleanup_free char *path = store_volume_find(s, name, &found, err);
	cleanup_free char *all = xstrfmt("%s/volumes", s->path);
	cleanup_free char *record = NULL;
	cleanup_close int dir = -1;

	if (!path)
		return -1;
	if (!found)
		return error_set(err, ERR_INPUT, "there is no volume '%s'",
				 name);
	dir = open(all, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return error_errno(err, "cannot open '%s'", all);
	if (fs_remove_tree(dir, name, err) < 0)
		return -1;
	record = store_volume_record(path);
	if (unlink(record) < 0 && errno != ENOENT)
		return error_errno(err, "cannot remove '%s'", record);
	return 0;
}
