/* fs.c - whole files, atomic replacement, directory trees */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>


int fs_read_fd(int fd, size_t max, struct strbuf *out, struct error *err)
{
	for (;;) {
		/* Most files are small. */
		size_t room = MIN(MAX(out->len, (size_t)4096), (size_t)65536);
		ssize_t n;

		strbuf_grow(out, room);
		n = read(fd, out->buf + out->len, room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "cannot read");
		if (!n)
			return 0;
		strbuf_setlen(out, out->len + (size_t)n);
		if (out->len > max)
			return error_set(err, ERR_INPUT,
					 "larger than %zu bytes", max);
	}
}

int fs_read_file(const char *path, size_t max, struct strbuf *out,
		 struct error *err)
{
	cleanup_close int fd = -1;

	if (str_eq(path, "-")) {
		if (fs_read_fd(STDIN_FILENO, max, out, err) < 0)
			return error_wrap(err, "standard input");
		return 0;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "cannot open '%s'", path);
	if (fs_read_fd(fd, max, out, err) < 0)
		return error_wrap(err, "%s", path);
	return 0;
}

int fs_read_regular(const char *path, size_t max, struct strbuf *out,
		    struct error *err)
{
	cleanup_close int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "cannot open '%s'", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERR_INPUT, "'%s' is not a regular file",
				 path);
	if (fs_read_fd(fd, max, out, err) < 0)
		return error_wrap(err, "%s", path);
	return 0;
}

int fs_read_at(int dirfd, const char *path, size_t max, struct strbuf *out,
	       struct error *err)
{
	/* Nobody may write to the other end of a FIFO. */
	cleanup_close int fd = openat(dirfd, path, O_RDONLY | O_NOFOLLOW |
							   O_NONBLOCK |
							   O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, "cannot open '%s'", path);
	if (fs_read_fd(fd, max, out, err) < 0)
		return error_wrap(err, "%s", path);
	return 0;
}

int fs_write_all(int fd, const void *data, size_t n, struct error *err)
{
	const char *p = data;

	while (n) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return error_errno(err, "cannot write");
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

ssize_t fs_read_full(int fd, void *data, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = read(fd, (char *)data + got, n - got);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		if (!r)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

static int write_synced(int dirfd, const char *path, const void *data,
			size_t n, mode_t mode, struct error *err)
{
	cleanup_close int fd =
		openat(dirfd, path,
		       O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (fd < 0)
		return error_errno(err, "cannot create '%s'", path);
	if (fs_write_all(fd, data, n, err) < 0)
		return error_wrap(err, "%s", path);
	if (fsync(fd) < 0)
		return error_errno(err, "cannot sync '%s'", path);
	return 0;
}

int fs_write_atomic(int dirfd, const char *path, const void *data, size_t n,
		    mode_t mode, struct error *err)
{
	cleanup_free char *temp = NULL;
	uint32_t salt = 0;

	(void)!getrandom(&salt, sizeof(salt), 0);
	temp = xstrfmt("%s.%d.%08x.tmp", path, (int)getpid(), salt);
	if (write_synced(dirfd, temp, data, n, mode, err) < 0) {
		unlinkat(dirfd, temp, 0);
		return -1;
	}
	if (renameat(dirfd, temp, dirfd, path) < 0) {
		error_errno(err, "cannot replace '%s'", path);
		unlinkat(dirfd, temp, 0);
		return -1;
	}
	return 0;
}

int fs_open_special(const char *path, int *fd, struct error *err)
{
	struct stat st;

	if (lstat(path, &st) < 0 || S_ISREG(st.st_mode))
		return 0;
	*fd = open(path, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0644);
	if (*fd < 0)
		return error_errno(err, "cannot open '%s'", path);
	return 1;
}

int fs_mkdir_p_at(int dirfd, const char *path, mode_t mode,
		  struct error *err)
{
	cleanup_free char *copy = xstrdup(path);
	char *p = copy;

	while (*p) {
		char kept;

		p += strspn(p, "/");
		p += strcspn(p, "/");
		kept = *p;
		*p = '\0';
		if (*copy && mkdirat(dirfd, copy, mode) < 0 &&
		    errno != EEXIST)
			return error_errno(err, "cannot create '%s'", copy);
		*p = kept;
	}
	return 0;
}

int fs_mkdir_p(const char *path, mode_t mode, struct error *err)
{
	return fs_mkdir_p_at(AT_FDCWD, path, mode, err);
}

char *fs_temp_dir(int dirfd, const char *prefix, struct error *err)
{
	int tries;

	for (tries = 0; tries < 16; tries++) {
		cleanup_free char *name = NULL;
		uint64_t salt = 0;

		(void)!getrandom(&salt, sizeof(salt), 0);
		name = xstrfmt("%s%012llx", prefix,
			       (unsigned long long)(salt >> 16));
		if (!mkdirat(dirfd, name, 0700))
			return steal_ptr(&name);
		if (errno != EEXIST)
			break;
	}
	error_errno(err, "cannot create a directory '%s...'", prefix);
	return NULL;
}

#define COPY_BUF 65536

/* By way of our own memory: 0 at the end of the file, -1 with errno. */
static ssize_t copy_bytes(int in, int out, off_t at, size_t want)
{
	char buf[COPY_BUF];
	ssize_t n = pread(in, buf, MIN(want, sizeof(buf)), at);

	return n > 0 ? pwrite(out, buf, (size_t)n, at) : n;
}

static int copy_range(int in, int out, off_t start, off_t end,
		      struct error *err)
{
	bool by_kernel = end - start > COPY_BUF;

	while (start < end) {
		size_t want = (size_t)MIN(end - start, (off_t)1 << 30);
		off_t from = start, to = start;
		ssize_t n = by_kernel ? copy_file_range(in, &from, out, &to,
							want, 0)
				      : copy_bytes(in, out, start, want);

		if (n < 0 && by_kernel &&
		    (errno == EXDEV || errno == EINVAL ||
		     errno == EOPNOTSUPP || errno == ENOSYS)) {
			by_kernel = false;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "cannot copy");
		if (!n)
			break; /* the file shrank while it was copied */
		start += n;
	}
	/* The length says what no data reached. */
	if (start < end && ftruncate(out, end) < 0)
		return error_errno(err, "cannot set a length");
	return 0;
}

/* Looking for shared blocks and holes pays from some size on only. */
int fs_copy_data(int in, int out, uint64_t size, struct error *err)
{
	off_t at = 0, end = (off_t)size;

	if (end <= COPY_BUF)
		return copy_range(in, out, 0, end, err);
	if (!ioctl(out, FICLONE, in))
		return 0;
	while (at < end) {
		off_t data = lseek(in, at, SEEK_DATA), hole;

		if (data < 0 && errno == ENXIO)
			break;
		if (data < 0)
			data = at;
		hole = lseek(in, data, SEEK_HOLE);
		if (hole < 0 || hole > end)
			hole = end;
		if (copy_range(in, out, data, hole, err) < 0)
			return -1;
		at = hole;
	}
	/* It may end in a hole. */
	if (ftruncate(out, end) < 0)
		return error_errno(err, "cannot set a length");
	return 0;
}

bool fs_is_dir(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

bool fs_is_file(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

bool fs_exists(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}
