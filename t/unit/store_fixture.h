/* store_fixture.h - a store in a scratch directory, archives made by hand */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_STORE_FIXTURE_H
#define UNIT_STORE_FIXTURE_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"
#include "store/store.h"
#include "wrap/tarwrite.h"

/* --- a store in a scratch directory --- */

struct fixture {
	char dir[64], path[96];
	struct store *s;
	struct store_options o;
};

static UNUSED void reopen(struct fixture *f)
{
	struct error err = ERROR_INIT;

	store_close(f->s);
	f->s = NULL;
	cr_assert_eq(store_open(&f->s, &f->o, &err), 0, "%s", err.msg);
}

static UNUSED void setup(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	snprintf(f->dir, sizeof(f->dir), "/tmp/devenv-unit.XXXXXX");
	cr_assert_not_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/store", f->dir);
	f->o.path = f->path;
	f->o.user_xattr = geteuid() != 0;
	f->o.single_id = geteuid() != 0;
	reopen(f);
}

static UNUSED void teardown(struct fixture *f)
{
	struct error err = ERROR_INIT;

	store_close(f->s);
	cr_expect_eq(fs_remove_tree(AT_FDCWD, f->dir, &err), 0);
	error_release(&err);
}
#define FIXTURE \
	CLEANUP(teardown) struct fixture f; \
	cleanup_error struct error err = ERROR_INIT; \
	setup(&f)

/* Of what store_verify finds. */
static UNUSED void count(void *arg, const char *text UNUSED)
{
	++*(int *)arg;
}

/* --- archives made by hand --- */

static UNUSED int to_strbuf(void *arg, const void *data, size_t n,
		     struct error *err UNUSED)
{
	strbuf_add(arg, data, n);
	return 0;
}

/* "type path [target]": d f l h w(hiteout file) c(0:0 device) p(ipe);
 * a file's content is its own path. */
static UNUSED void make_tar(struct strbuf *out, const char *const *rows)
{
	cleanup_tarwrite struct tarwrite t;

	tarwrite_init(&t, to_strbuf, out);
	for (; *rows; rows++) {
		char type = **rows;
		cleanup_free char *path = xstrdup(*rows + 2);
		char *target = strchr(path, '>');
		struct tar_entry e = { .path = path, .mtime = 1000,
				       .uid = geteuid(), .gid = getegid() };

		if (target)
			*target++ = '\0';
		e.link = target;
		e.hard = type == 'h';
		e.mode = type == 'd'   ? S_IFDIR | 0755
			 : type == 'l' ? S_IFLNK | 0777
			 : type == 'c' ? S_IFCHR | 0600
			 : type == 'p' ? S_IFIFO | 0600
				       : S_IFREG | 0644;
		if (type == 'f')
			e.size = strlen(path);
		cr_assert_eq(tarwrite_header(&t, &e, NULL), 0);
		if (e.size) {
			int p[2];

			cr_assert_eq(pipe(p), 0);
			cr_assert_eq(write(p[1], path, e.size),
				     (ssize_t)e.size);
			close(p[1]);
			cr_assert_eq(tarwrite_file(&t, p[0], e.size, path,
						   NULL), 0);
			close(p[0]);
		}
	}
	cr_assert_eq(tarwrite_end(&t, NULL), 0);
}

static UNUSED int memory_fd(const struct strbuf *data)
{
	int fd = memfd_create("tar", MFD_CLOEXEC);

	cr_assert_eq(fs_write_all(fd, data->buf, data->len, NULL), 0);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static UNUSED int unpack(struct fixture *f, const struct strbuf *tar,
		  char id[STORE_ID], struct error *err)
{
	cleanup_close int fd = memory_fd(tar);
	char digest[DIGEST_TEXT];

	digest_bytes(tar->buf, tar->len, digest);
	snprintf(id, STORE_ID, "%s", digest_hex(digest));
	return store_unpack(f->s, fd, digest, NULL, err);
}

static UNUSED int unpack_rows(struct fixture *f, char id[STORE_ID],
		       struct error *err, const char *const *rows)
{
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;

	make_tar(&tar, rows);
	return unpack(f, &tar, id, err);
}
#define ROWS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static UNUSED bool layer_stat(struct fixture *f, const char *id, const char *name,
		       struct stat *st)
{
	cleanup_free char *fs = store_layer_fs(f->s, id);
	cleanup_free char *path = xstrfmt("%s/%s", fs, name);

	return lstat(path, st) == 0;
}

#endif
