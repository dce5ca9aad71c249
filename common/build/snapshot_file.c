/* snapshot_file.c - a snapshot on its way to another process */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "build/snapshot.h"

/* The memory of this program, read by another copy of it. */
struct head {
	size_t number, files, paths;
};

int snapshot_save(const struct snapshot *s, size_t number, const char *path,
		  struct error *err)
{
	const struct head h = { number, s->nr, s->paths.len };
	cleanup_free char *draft = xstrfmt("%s.new", path);
	cleanup_close int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC |
						   O_CLOEXEC, 0600);

	if (fd < 0)
		return error_errno(err, "cannot create '%s'", draft);
	if (fs_write_all(fd, &h, sizeof(h), err) < 0 ||
	    fs_write_all(fd, s->files, s->nr * sizeof(*s->files), err) < 0 ||
	    fs_write_all(fd, s->paths.buf, s->paths.len, err) < 0)
		return -1;
	if (rename(draft, path) < 0)
		return error_errno(err, "cannot create '%s'", path);
	return 0;
}

bool snapshot_load(struct snapshot *s, size_t *number, const char *path)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	struct head h;
	size_t files;

	if (fd < 0 || fstat(fd, &st) < 0 ||
	    fs_read_full(fd, &h, sizeof(h)) != sizeof(h) ||
	    h.files > SNAPSHOT_MAX)
		return false;
	files = h.files * sizeof(*s->files);
	if ((uint64_t)st.st_size != sizeof(h) + files + h.paths)
		return false;
	s->files = xcalloc(h.files + 1, sizeof(*s->files));
	s->nr = s->alloc = h.files;
	*number = h.number;
	if (fs_read_full(fd, s->files, files) != (ssize_t)files)
		return false;
	return fs_read_fd(fd, h.paths, &s->paths, NULL) == 0 &&
	       s->paths.len == h.paths;
}
