/* volume_owner.c - a volume for environments in which root has another id */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "store/internal.h"
#include "store/swap.h"
#include "store/volume.h"

/*
 * Root's files and those of a user change places in three steps, by way of an
 * id that nobody has, as it is "none" where ids have 16 bits. Each step can be
 * done again, so one that was interrupted is; a file beside the volume says
 * which is due, and it is there as long as the two have changed places:
 * "UID GID STEP", where 0 to 2 lead to that state, 3 is it, 4 to 6 lead back.
 */
#define SPARE 65535
#define SWAPPED 3
#define STEPS 7
#define DEPTH_MAX 256

struct exchange {
	uint32_t uid, gid;
	int step;
};

static uint32_t moved(uint32_t id, uint32_t user, int step)
{
	const uint32_t from[] = { 0, user, SPARE };
	const uint32_t to[] = { SPARE, 0, user };
	int n = step > SWAPPED ? step - SWAPPED - 1 : step;

	return user && id == from[n] ? to[n] : id;
}

/* chown takes set-id bits and capabilities away. */
static int give(int fd, const struct stat *st, uint32_t uid, uint32_t gid)
{
	cleanup_free char *link = xstrfmt("/proc/self/fd/%d", fd);
	char caps[64];
	ssize_t n = -1;

	if (S_ISREG(st->st_mode))
		n = getxattr(link, CAPABILITY_XATTR, caps, sizeof(caps));
	if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
		return -1;
	if (!S_ISREG(st->st_mode))
		return 0;
	if (st->st_mode & (S_ISUID | S_ISGID) &&
	    chmod(link, st->st_mode & 07777) < 0)
		return -1;
	return n > 0 ? setxattr(link, CAPABILITY_XATTR, caps, (size_t)n, 0)
		     : 0;
}

static int walk(int dirfd, const struct exchange *x, int depth,
		struct error *err);

/* An environment may be at work in there: what was opened is what changes,
 * whatever its name leads to by now. */
static int visit(int dirfd, const char *name, const struct exchange *x,
		 int depth, struct error *err)
{
	cleanup_close int fd = openat(dirfd, name,
				      O_PATH | O_NOFOLLOW | O_CLOEXEC);
	cleanup_close int dir = -1;
	struct stat st;
	uint32_t uid, gid;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "cannot open '%s'", name);
	uid = moved(st.st_uid, x->uid, x->step);
	gid = moved(st.st_gid, x->gid, x->step);
	if ((uid != st.st_uid || gid != st.st_gid) &&
	    give(fd, &st, uid, gid) < 0)
		return error_errno(err, "cannot give '%s' to %" PRIu32
				   ":%" PRIu32, name, uid, gid);
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (depth == DEPTH_MAX)
		return error_set(err, ERR_SYSTEM, "directories are nested "
				 "deeper than %d", DEPTH_MAX);
	dir = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return error_errno(err, "cannot open '%s'", name);
	return walk(dir, x, depth + 1, err);
}

static int walk(int dirfd, const struct exchange *x, int depth,
		struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (store_read_dir(dirfd, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++)
		if (visit(dirfd, names.v[i], x, depth, err) < 0)
			return -1;
	return 0;
}

static int note(const char *record, const struct exchange *x,
		struct error *err)
{
	char text[64];
	int n;

	if (x->step == STEPS)
		return unlink(record) == 0
			       ? 0
			       : error_errno(err, "cannot remove '%s'",
					     record);
	n = snprintf(text, sizeof(text), "%" PRIu32 " %" PRIu32 " %d\n",
		     x->uid, x->gid, x->step);
	return fs_write_atomic(AT_FDCWD, record, text, (size_t)n, 0600, err);
}

/* From the step that is due up to `end`. */
static int go(int all, const char *name, const char *record,
	      struct exchange *x, int end, struct error *err)
{
	while (x->step < end) {
		if (note(record, x, err) < 0)
			return -1;
		if (x->step != SWAPPED && visit(all, name, x, 0, err) < 0)
			return error_wrap(err, "volume '%s'", name);
		x->step++;
	}
	return note(record, x, err);
}

static int read_record(const char *record, struct exchange *x,
		       struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	*x = (struct exchange){ 0, 0, STEPS };
	if (!fs_exists(record))
		return 0;
	if (fs_read_file(record, 64, &text, err) < 0)
		return -1;
	if (sscanf(text.buf, "%" SCNu32 " %" SCNu32 " %d", &x->uid, &x->gid,
		   &x->step) != 3 ||
	    x->step < 0 || x->step >= STEPS)
		return error_set(err, ERR_SYSTEM, "'%s' is damaged", record);
	return 0;
}

char *store_volume_record(const char *path)
{
	cleanup_free char *dir = path_dir(path), *name = path_base(path);

	return xstrfmt("%s/.%s.owners", dir, name);
}

int store_volume_owners(const char *path, uid_t uid, gid_t gid,
			struct error *err)
{
	cleanup_free char *dir = path_dir(path), *name = path_base(path);
	cleanup_free char *record = store_volume_record(path);
	cleanup_close int all = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct exchange x;

	if (all < 0 || flock(all, LOCK_EX) < 0)
		return error_errno(err, "cannot lock '%s'", dir);
	if (read_record(record, &x, err) < 0)
		return -1;
	/* One that is on its way gets there before it goes elsewhere. */
	if (x.step < SWAPPED && go(all, name, record, &x, SWAPPED, err) < 0)
		return -1;
	if (x.step == SWAPPED && x.uid == uid && x.gid == gid)
		return 0;
	if (x.step < STEPS && go(all, name, record, &x, STEPS, err) < 0)
		return -1;
	x = (struct exchange){ uid, gid, 0 };
	return uid ? go(all, name, record, &x, SWAPPED, err) : 0;
}
