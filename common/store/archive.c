/* archive.c - ADD's archives, and other writing into a draft's root */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/place.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/path.h"

static ssize_t read_fd(void *arg, void *data, size_t n, struct error *err)
{
	return compress_read_fd(arg, data, n, err);
}

/* An archive as ADD reads it. */
struct source {
	struct decompress *plain; /* undoes gzip and zstd */
	struct tar *tar;
};

static void source_release(struct source *src)
{
	tar_close(src->tar);
	decompress_free(src->plain);
}

static ssize_t read_source(void *arg, void *data, size_t n, struct error *err)
{
	return decompress_read(arg, data, n, err);
}

/*
 * libarchive knows more ways of compression than ADD, and what docker build
 * copies must not be unpacked here: it is asked for two of them only.
 */
static int source_open(struct source *src, int *fd, struct error *err)
{
	char head[6] = "";
	bool packed;

	if (lseek(*fd, 0, SEEK_SET) < 0 ||
	    pread(*fd, head, sizeof(head), 0) < 0)
		return error_errno(err, "cannot read an archive");
	packed = !memcmp(head, "BZh", 3) ||
		 !memcmp(head, "\xfd" "7zXZ\0", 6);
	if (decompress_new(&src->plain, compress_read_fd, fd, err) < 0)
		return -1;
	return tar_open(&src->tar, packed, read_source, src->plain, err);
}

int store_is_archive(int fd, struct error *err)
{
	CLEANUP(source_release) struct source src = { NULL, NULL };
	cleanup_error struct error why = ERROR_INIT;
	struct tar_entry e;
	int is = source_open(&src, &fd, &why);

	if (is == 0)
		is = tar_next(src.tar, &e, &why);
	if (is < 0 && why.code != ERR_INPUT)
		return error_move(err, &why);
	if (lseek(fd, 0, SEEK_SET) < 0)
		return error_errno(err, "cannot read an archive");
	return is > 0;
}

int store_add_archive(const struct store *s, int fd, int dest,
		      struct error *err)
{
	struct place_options o = { .s = s, .owners = true, .add = true };
	cleanup_place struct place *p = place_new(&o, dest);
	CLEANUP(source_release) struct source src = { NULL, NULL };

	if (source_open(&src, &fd, err) < 0)
		return -1;
	return store_unpack_tree(p, src.tar, NULL, s->o.max_entries, err);
}

int store_extract_archive(const struct store *s, int fd, int dest, bool chown,
			  uid_t uid, gid_t gid, struct error *err)
{
	struct place_options o = { .s = s, .owners = true };
	cleanup_place struct place *p = place_new(&o, dest);
	struct unpack_chown owner = { uid, gid, false };
	cleanup_tar struct tar *t = NULL;

	if (tar_open(&t, true, read_fd, &fd, err) < 0)
		return -1;
	return store_unpack_tree(p, t, chown ? &owner : NULL,
				 s->o.max_entries, err);
}

/* One part of the path, made where it is missing: its descriptor. */
static int enter_or_make(const struct store *s, int rootfd, const char *path,
			 mode_t mode, uid_t uid, gid_t gid, struct error *err)
{
	cleanup_free char *dir = path_dir(path), *base = path_base(path);
	cleanup_close int parent = -1;
	int fd = fs_open_in_root(rootfd, path, O_PATH | O_DIRECTORY, 0);

	if (fd >= 0)
		return fd;
	if (errno != ENOENT)
		return error_errno(err, "cannot open '%s'", path);
	parent = fs_open_in_root(rootfd, dir, O_PATH | O_DIRECTORY, 0);
	if (parent < 0)
		return error_errno(err, "cannot open '%s'", dir);
	if (mkdirat(parent, base, 0700) < 0)
		return error_errno(err, "cannot create '%s'", path);
	if (store_set_owner(s, parent, base, uid, gid, err) < 0)
		return -1;
	fd = openat(parent, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
					  O_CLOEXEC);
	if (fd < 0 || fchmod(fd, mode) < 0) {
		error_errno(err, "cannot set the mode of '%s'", path);
		base_close_fd(&fd);
		return -1;
	}
	return fd;
}

int store_mkdir_in_root(const struct store *s, int rootfd, const char *path,
			mode_t mode, uid_t uid, gid_t gid, struct error *err)
{
	cleanup_free char *clean = path_join("/", path);
	cleanup_close int fd = -1;
	char *p = clean;

	if (!s->o.single_id)
		return fs_mkdir_in_root(rootfd, path, mode, uid, gid, err);
	do {
		char kept;

		p += strcspn(p + 1, "/") + 1;
		kept = *p;
		*p = '\0';
		base_close_fd(&fd);
		fd = enter_or_make(s, rootfd, clean, mode, uid, gid, err);
		if (fd < 0)
			return -1;
		*p = kept;
	} while (*p);
	return steal_fd(&fd);
}

static int stamp_tree(const struct store *s, int fd, uid_t uid, gid_t gid,
		      struct error *err);

/* An overlay marks what it copied up before a change: not made by this step,
 * and without a record it belongs to root below, too. */
static bool is_copy(int fd, const char *name)
{
	cleanup_strbuf struct strbuf value = STRBUF_INIT;

	return store_get_xattr(fd, name, "user.overlay.origin", &value);
}

static int stamp(const struct store *s, int fd, const char *name, uid_t uid,
		 gid_t gid, struct error *err)
{
	static const struct store_meta nobody = { .uid = UINT32_MAX };
	cleanup_close int dir = -1;
	struct stat st;
	uid_t had;
	gid_t had_group;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, "cannot examine '%s'", name);
	if (view_is_whiteout(s, fd, name, &st))
		return 0;
	store_owner(s, fd, name, &st, &nobody, &had, &had_group);
	if (had == UINT32_MAX && !is_copy(fd, name) &&
	    store_set_owner(s, fd, name, uid, gid, err) < 0)
		return -1;
	if (!S_ISDIR(st.st_mode))
		return 0;
	dir = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
				       O_CLOEXEC);
	if (dir < 0)
		return error_errno(err, "cannot open '%s'", name);
	return stamp_tree(s, dir, uid, gid, err);
}

static int stamp_tree(const struct store *s, int fd, uid_t uid, gid_t gid,
		      struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (store_read_dir(fd, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++) {
		if (stamp(s, fd, names.v[i], uid, gid, err) < 0)
			return -1;
	}
	return 0;
}

int store_stamp_owner(const struct store *s, const struct store_draft *d,
		      uid_t uid, gid_t gid, struct error *err)
{
	cleanup_close int fd = -1;

	if (!s->o.single_id)
		return 0;
	fd = open(d->fs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "cannot open '%s'", d->fs);
	return stamp_tree(s, fd, uid, gid, err);
}
