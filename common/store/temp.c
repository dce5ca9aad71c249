/* temp.c - names in the making: locks, atomic replacement, sweeping */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/writer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

static void temp_name(struct store_temp *t)
{
	char random[17];

	random_hex(random, 8);
	snprintf(t->name, sizeof(t->name), "tmp/%s", random);
}

/*
 * A sweeper may see the name before its lock is taken and remove it; the lock
 * is then one on a nameless inode.
 */
static int lock_temp(struct store_temp *t)
{
	struct stat st;

	if (flock(t->fd, LOCK_EX) < 0 || fstat(t->fd, &st) < 0)
		return -1;
	return st.st_nlink != 0;
}

static int make_temp(struct store *s, struct store_temp *t, bool dir,
		     struct error *err)
{
	for (int tries = 0; tries < 16; tries++) {
		int mine;

		temp_name(t);
		if (dir && mkdirat(s->fd, t->name, 0700) < 0)
			break;
		t->fd = openat(s->fd, t->name,
			       dir ? O_RDONLY | O_DIRECTORY | O_CLOEXEC
				   : O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
			       0644);
		if (t->fd < 0 && errno == ENOENT && dir)
			continue;
		if (t->fd < 0)
			break;
		mine = lock_temp(t);
		if (mine > 0)
			return 0;
		close(steal_fd(&t->fd));
		if (mine < 0)
			break;
	}
	t->name[0] = '\0';
	return error_errno(err, "cannot make a temporary file in '%s/tmp'",
			   s->path);
}

int store_temp_file(struct store *s, struct store_temp *t, struct error *err)
{
	return make_temp(s, t, false, err);
}

int store_temp_dir(struct store *s, struct store_temp *t, struct error *err)
{
	return make_temp(s, t, true, err);
}

void store_temp_drop(struct store *s, struct store_temp *t)
{
	if (t->name[0] && fs_remove_tree(s->fd, t->name, NULL) < 0)
		log_debug("cannot remove '%s/%s'", s->path, t->name);
	t->name[0] = '\0';
	base_close_fd(&t->fd);
}

static int fill(const struct store *s, const struct store_temp *t,
		const struct store_file_text *f, struct error *err)
{
	if (fs_write_all(t->fd, f->data, f->n, err) < 0)
		return error_wrap(err, "cannot write '%s/%s'", s->path,
				  f->path);
	return 0;
}

static int give_name(struct store *s, struct store_temp *t, const char *path,
		     struct error *err)
{
	if (renameat(s->fd, t->name, s->fd, path) < 0)
		return error_errno(err, "cannot replace '%s/%s'", s->path,
				   path);
	t->name[0] = '\0';
	return 0;
}

int store_replace(struct store *s, const char *path, const void *data,
		  size_t n, bool sync, struct error *err)
{
	const struct store_file_text f = { path, data, n };
	struct store_temp t = STORE_TEMP_INIT;
	int rc;

	if (sync)
		return store_replace_all(s, &f, 1, err);
	if (store_temp_file(s, &t, err) < 0)
		return -1;
	rc = fill(s, &t, &f, err);
	if (!rc)
		rc = give_name(s, &t, path, err);
	store_temp_drop(s, &t);
	return rc;
}

/* --- several files, and one wait for the disk --- */

#define TOGETHER_MAX 64 /* descriptors */

static int fill_all(struct store *s, struct store_temp *temps,
		    const struct store_file_text *list, size_t n,
		    struct error *err)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (store_temp_file(s, &temps[i], err) < 0 ||
		    fill(s, &temps[i], &list[i], err) < 0)
			return -1;
	return 0;
}

/* What is under way to the disk already, one sync writes with the others. */
static int sync_all(const struct store *s, const struct store_temp *temps,
		    const struct store_file_text *list, size_t n,
		    struct error *err)
{
	size_t i;

	for (i = 0; n > 1 && i < n; i++)
		sync_file_range(temps[i].fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	for (i = 0; i < n; i++)
		if (fsync(temps[i].fd) < 0)
			return error_errno(err, "cannot sync '%s/%s'", s->path,
					   list[i].path);
	return 0;
}

static int replace_some(struct store *s, const struct store_file_text *list,
			size_t n, struct error *err)
{
	struct store_temp temps[TOGETHER_MAX];
	size_t i;
	int rc;

	for (i = 0; i < n; i++)
		temps[i] = (struct store_temp)STORE_TEMP_INIT;
	rc = fill_all(s, temps, list, n, err);
	if (!rc)
		rc = sync_all(s, temps, list, n, err);
	for (i = 0; i < n && !rc; i++)
		rc = give_name(s, &temps[i], list[i].path, err);
	for (i = 0; i < n; i++)
		store_temp_drop(s, &temps[i]);
	return rc;
}

int store_replace_all(struct store *s, const struct store_file_text *list,
		      size_t n, struct error *err)
{
	size_t i, some;

	for (i = 0; i < n; i += some) {
		some = MIN(n - i, TOGETHER_MAX);
		if (replace_some(s, list + i, some, err) < 0)
			return -1;
	}
	return 0;
}

int store_discard(struct store *s, const char *path, struct error *err)
{
	struct store_temp t = STORE_TEMP_INIT;

	temp_name(&t);
	if (renameat(s->fd, path, s->fd, t.name) < 0)
		return errno == ENOENT ? 0 :
			error_errno(err, "cannot remove '%s/%s'", s->path,
				    path);
	return fs_remove_tree(s->fd, t.name, err);
}

void store_seal(struct strbuf *out, const char *text, size_t n)
{
	char digest[DIGEST_TEXT];

	digest_bytes(text, n, digest);
	strbuf_addstr(out, digest);
	strbuf_addch(out, '\n');
	strbuf_add(out, text, n);
}

bool store_unseal(struct strbuf *text)
{
	const size_t head = DIGEST_TEXT; /* its NUL is a newline here */
	char digest[DIGEST_TEXT];

	if (text->len < head || text->buf[head - 1] != '\n')
		return false;
	digest_bytes(text->buf + head, text->len - head, digest);
	if (memcmp(digest, text->buf, head - 1))
		return false;
	memmove(text->buf, text->buf + head, text->len - head);
	strbuf_setlen(text, text->len - head);
	return true;
}

int store_read_dir(int fd, struct strvec *names, struct error *err)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	if (!dir) {
		error_errno(err, "cannot read a directory");
		base_close_fd(&copy);
		return -1;
	}
	rewinddir(dir);
	while ((errno = 0, entry = readdir(dir))) {
		if (!str_eq(entry->d_name, ".") && !str_eq(entry->d_name, ".."))
			strvec_push(names, entry->d_name);
	}
	if (errno) {
		error_errno(err, "cannot read a directory");
		closedir(dir);
		return -1;
	}
	closedir(dir);
	return 0;
}

int store_list(struct store *s, const char *dir, struct strvec *names,
	       struct error *err)
{
	cleanup_strvec struct strvec all = STRVEC_INIT;
	cleanup_close int fd = openat(s->fd, dir,
				      O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, "cannot open '%s/%s'", s->path, dir);
	if (store_read_dir(fd, &all, err) < 0)
		return error_wrap(err, "'%s/%s'", s->path, dir);
	for (size_t i = 0; i < all.nr; i++) {
		if (all.v[i][0] != '.')
			strvec_push(names, all.v[i]);
	}
	if (names->nr)
		strvec_sort(names);
	return 0;
}

bool store_is_hex(const char *name, size_t n)
{
	return strlen(name) == n && strspn(name, "0123456789abcdef") == n;
}

/* Remove tmp/<name> when nobody holds its lock. */
static void sweep_one(struct store *s, int tmp, const char *name)
{
	cleanup_close int fd = openat(tmp, name,
				      O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_error struct error err = ERROR_INIT;
	struct stat st;

	/* A symbolic link is never made there; a socket or device neither. */
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
		return;
	if (fd >= 0 && fstat(fd, &st) == 0 &&
	    (store_partial_waits(name, &st) || store_upload_waits(name, &st)))
		return;
	if (fs_remove_tree(tmp, name, &err) < 0)
		log_debug("leftover '%s/tmp/%s' stays: %s", s->path, name,
			  err.msg);
}

int store_sweep(struct store *s, struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_close int tmp = openat(s->fd, "tmp",
				       O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (tmp < 0)
		return error_errno(err, "cannot open '%s/tmp'", s->path);
	if (store_read_dir(tmp, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++)
		sweep_one(s, tmp, names.v[i]);
	return 0;
}
