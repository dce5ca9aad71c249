/* local.c - Features that lie beside the configuration */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "feature/internal.h"

char *local_name(const char *path)
{
	cleanup_free char *here = path_absolute(".");
	const char *below = str_eq(here, "/") ? NULL : path_below(path, here);

	return xstrdup(below && *below ? below : path);
}

/* Links of a repository must not lead out of it. */
static int open_dir(const struct finder *fi,
		    const struct devcontainer_feature *f, struct error *err)
{
	cleanup_free char *name = local_name(f->ref.dir);
	cleanup_free char *top = realpath(fi->place.top, NULL);
	cleanup_free char *real = top ? realpath(f->ref.dir, NULL) : NULL;
	int fd = real ? open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		error_set(err, ERR_INPUT,
			  "there is no Feature '%s': '%s' is "
			  "no directory",
			  f->id, name);
		return error_hint(err, "its path is relative to the folder "
				       "of the configuration");
	}
	if (fd < 0)
		return error_errno_code(err, ERR_INPUT, "%s", name);
	if (path_within(real, top))
		return fd;
	close(fd);
	return error_set(err, ERR_INPUT, "'%s' leads out of '%s'", name,
			 fi->place.top);
}

int local_find(struct finder *fi, struct devcontainer_feature *f,
	       struct strbuf *metadata, struct error *err)
{
	cleanup_free char *name = local_name(f->ref.dir);
	cleanup_close int fd = open_dir(fi, f, err);
	cleanup_error struct error why = ERROR_INIT;

	if (fd < 0)
		return -1;
	if (fs_read_at(fd, DEVCONTAINER_FEATURE_FILE, DEVCONTAINER_MAX,
		       metadata, &why) == 0)
		return 0;
	if (why.sys == ENOENT)
		return error_set(err, ERR_INPUT,
				 "there is no Feature '%s': '%s' has no %s",
				 f->id, name, DEVCONTAINER_FEATURE_FILE);
	if (why.sys)
		why.code = ERR_INPUT;
	error_move(err, &why);
	return error_wrap(err, "%s", name);
}

/* A folder on its way into the store, or only looked at (files.dirfd is -1),
 * and the digest of what it is. */
struct copy {
	struct files files;
	struct digest digest;
	const struct devcontainer_feature *f;
	const struct finder *fi;
	const char *expected; /* the digest that it had */
};

static int copy_entry(struct copy *c, int dirfd, const char *name,
		      const char *path, struct error *err);

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int list(int dirfd, struct strvec *names, struct error *err)
{
	struct dirent *e;
	int fd = dup(dirfd);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d) {
		base_close_fd(&fd);
		return error_errno(err, "cannot read a directory");
	}
	rewinddir(d);
	while ((e = readdir(d)) && names->nr <= ENTRIES_MAX)
		if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			strvec_push(names, e->d_name);
	closedir(d);
	if (names->nr)
		qsort(names->v, names->nr, sizeof(*names->v), compare_names);
	return 0;
}

static int copy_dir(struct copy *c, int dirfd, const char *path,
		    struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (list(dirfd, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_free char *below = path_join(path, names.v[i]);

		if (copy_entry(c, dirfd, names.v[i], below, err) < 0)
			return -1;
	}
	return 0;
}

static int copy_file(struct copy *c, int in, const char *path,
		     struct error *err)
{
	bool look = c->files.dirfd < 0;
	cleanup_close int out = look ? -1 : files_create(&c->files, path, err);
	char buf[1 << 16];
	ssize_t n;

	if (out < 0 && !look)
		return -1;
	while ((n = fs_read_full(in, buf, sizeof(buf))) > 0) {
		if ((size_t)n > FILES_MAX - c->files.bytes)
			return files_charge(&c->files, (uint64_t)n, err);
		c->files.bytes += (uint64_t)n;
		digest_update(&c->digest, buf, (size_t)n);
		if (!look && fs_write_all(out, buf, (size_t)n, err) < 0)
			return -1;
	}
	return n < 0 ? error_errno(err, "cannot read '%s'", path) : 0;
}

static int copy_link(struct copy *c, int dirfd, const char *name,
		     const char *path, struct error *err)
{
	char to[PATH_MAX];
	ssize_t n = readlinkat(dirfd, name, to, sizeof(to) - 1);

	if (n < 0)
		return error_errno(err, "cannot read the link '%s'", path);
	to[n] = '\0';
	digest_update(&c->digest, to, (size_t)n + 1);
	return c->files.dirfd < 0 ? 0 : files_link(&c->files, path, to, err);
}

/* Type and path, each entry ended by where it cannot be mistaken. */
static void begin(struct copy *c, char type, const char *path, uint64_t size)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text, "%c%s", type, path);
	strbuf_add(&text, "", 1);
	strbuf_addf(&text, "%llu", (unsigned long long)size);
	strbuf_add(&text, "", 1);
	digest_update(&c->digest, text.buf, text.len);
}

static int copy_entry(struct copy *c, int dirfd, const char *name,
		      const char *path, struct error *err)
{
	cleanup_close int fd = -1;
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, "cannot examine '%s'", path);
	if (files_charge(&c->files, 0, err) < 0)
		return -1;
	if (S_ISLNK(st.st_mode)) {
		begin(c, 'l', path, 0);
		return copy_link(c, dirfd, name, path, err);
	}
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return error_set(err, ERR_INPUT,
				 "'%s' is neither a file nor "
				 "a directory",
				 path);
	fd = openat(dirfd, name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "cannot open '%s'", path);
	begin(c, S_ISDIR(st.st_mode) ? 'd' : 'f', path,
	      S_ISDIR(st.st_mode) ? 0 : (uint64_t)st.st_size);
	if (S_ISREG(st.st_mode))
		return copy_file(c, fd, path, err);
	if (c->files.dirfd >= 0 && files_mkdir(&c->files, path, err) < 0)
		return -1;
	return copy_dir(c, fd, path, err);
}

static int walk(struct copy *c, int to, char digest[DIGEST_TEXT],
		struct error *err)
{
	cleanup_close int from = open_dir(c->fi, c->f, err);
	int rc;

	if (from < 0)
		return -1;
	c->files = (struct files){ .dirfd = to };
	digest_init(&c->digest, false);
	rc = copy_dir(c, from, ".", err);
	digest_final_text(&c->digest, digest);
	return rc;
}

static int copy(void *arg, int dirfd, struct error *err)
{
	struct copy *c = arg;
	char digest[DIGEST_TEXT];

	if (walk(c, dirfd, digest, err) < 0 || files_check(dirfd, err) < 0)
		return -1;
	if (str_eq(digest, c->expected))
		return 0;
	return error_set(err, ERR_INPUT,
			 "its files changed while they were "
			 "read");
}

char *local_files(struct finder *fi, const struct devcontainer_feature *f,
		  struct error *err)
{
	char digest[DIGEST_TEXT];
	struct copy c = { .fi = fi, .f = f, .expected = digest };
	char *dir;

	if (walk(&c, -1, digest, err) < 0)
		return NULL;
	dir = memory_files(fi->q->store, digest);
	return dir ? dir
		   : memory_put_files(fi->q->store, digest, copy, &c, err);
}
