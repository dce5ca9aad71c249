/* owners.c - record the owners that one mapped id cannot give to files */
/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/log.h"
#include "wrap/seccomp.h"

/*
 * Where one id is mapped, the sandbox's filter sends chown and its relatives
 * here. The calling thread stands still meanwhile. What is answered decides
 * nothing about rights: a wrong file, by a race within the sandbox, is one
 * that its processes own anyway.
 */
#define OWNER_XATTR "user.devenv.owner"

struct request {
	pid_t tid;
	int dirfd; /* AT_FDCWD, or a descriptor of the thread */
	uint64_t path; /* address of the path; 0: the descriptor itself */
	uint32_t uid, gid; /* UINT32_MAX keeps */
	bool follow, empty; /* an empty path names dirfd */
};

/* Read up to the end of a page at a time: what follows may not be mapped. */
static int read_path(pid_t tid, uint64_t from, char path[PATH_MAX])
{
	size_t n = 0;

	while (n < PATH_MAX) {
		size_t room = 4096 - ((from + n) & 4095);
		struct iovec here = { path + n, MIN(room, PATH_MAX - n) };
		struct iovec there = { (void *)(uintptr_t)(from + n),
				       here.iov_len };
		ssize_t got = process_vm_readv(tid, &here, 1, &there, 1, 0);

		if (got <= 0)
			return -EFAULT;
		if (memchr(path + n, '\0', (size_t)got))
			return 0;
		n += (size_t)got;
	}
	return -ENAMETOOLONG;
}

static int read_link(const char *link, char out[PATH_MAX])
{
	ssize_t n = readlink(link, out, PATH_MAX - 1);

	out[MAX(n, 0)] = '\0';
	return n < 0 ? -1 : 0;
}

/* "path" from where the thread stands, as seen from its root. */
static int full_path(const char *base, const char *root, const char *path,
		     char out[2 * PATH_MAX])
{
	char dir[PATH_MAX], top[PATH_MAX];
	const char *rest = dir;

	if (*path == '/') {
		snprintf(out, 2 * PATH_MAX, "%s", path);
		return 0;
	}
	if (read_link(base, dir) < 0 || read_link(root, top) < 0)
		return -EBADF;
	if (top[1] && str_starts(dir, top))
		rest = dir + strlen(top);
	snprintf(out, 2 * PATH_MAX, "%s/%s", rest, path);
	return 0;
}

static int open_in(int root, const char *path, bool follow)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

/* These are file systems of the kernel and of no image; a process's own names
 * there ("/dev/stdout") mean something to that process only. */
static bool is_kernels(const char *path)
{
	return str_starts(path, "/proc/") || str_starts(path, "/dev/");
}

static bool leads_to_kernels(int root, const char *path)
{
	cleanup_close int fd = open_in(root, path, false);
	char target[PATH_MAX];
	ssize_t n = fd < 0 ? -1 : readlinkat(fd, "", target, PATH_MAX - 1);

	target[MAX(n, 0)] = '\0';
	return is_kernels(target);
}

/* The file, as O_PATH; -errno; 1 in *skip: of the kernel's. */
static int open_target(const struct request *r, int root, const char *root_link,
		       bool *skip)
{
	char base[64], path[PATH_MAX] = "", full[2 * PATH_MAX];
	int rc = r->path ? read_path(r->tid, r->path, path) : 0;

	if (rc < 0)
		return rc;
	if (r->dirfd == AT_FDCWD)
		snprintf(base, sizeof(base), "/proc/%d/cwd", r->tid);
	else
		snprintf(base, sizeof(base), "/proc/%d/fd/%d", r->tid,
			 r->dirfd);
	if (!*path && r->path && !r->empty)
		return -ENOENT;
	if (!*path) {
		int fd = open(base, O_PATH | O_CLOEXEC);

		return fd < 0 ? -EBADF : fd;
	}
	rc = full_path(base, root_link, path, full);
	if (rc < 0)
		return rc;
	*skip = is_kernels(full);
	rc = *skip ? -ENOENT : open_in(root, full, r->follow);
	if (rc == -ENOENT || rc == -ELOOP)
		*skip = *skip || (r->follow && leads_to_kernels(root, full));
	return rc;
}

/* Binds and volumes are not part of the image, and often the user's own. */
static bool same_mount(int a, int b)
{
	struct statx x, y;

	if (statx(a, "", AT_EMPTY_PATH, STATX_MNT_ID, &x) < 0 ||
	    statx(b, "", AT_EMPTY_PATH, STATX_MNT_ID, &y) < 0)
		return false;
	return x.stx_mnt_id == y.stx_mnt_id;
}

static void present_owner(const char *link, const struct runtime_user *user,
			  uint32_t *uid, uint32_t *gid)
{
	char text[32];
	ssize_t n = getxattr(link, OWNER_XATTR, text, sizeof(text) - 1);

	/* What the step's user makes is given to that user at its end. */
	*uid = user ? user->uid : 0;
	*gid = user ? user->gid : 0;
	if (n > 0) {
		text[n] = '\0';
		if (sscanf(text, "%" SCNu32 ":%" SCNu32, uid, gid) != 2)
			*uid = *gid = 0;
	}
}

static bool in_groups(const struct runtime_user *user, uint32_t gid)
{
	for (size_t i = 0; i < user->n_groups; i++)
		if (user->groups[i] == gid)
			return true;
	return gid == user->gid;
}

/* Only root gives files away. */
static bool may_give(const struct request *r, const struct runtime_user *user)
{
	if (!user || (!user->uid && !user->gid))
		return true;
	return (r->uid == UINT32_MAX || r->uid == user->uid) &&
	       (r->gid == UINT32_MAX || in_groups(user, r->gid));
}

static int record(const struct request *r, int fd, mode_t mode,
		  const struct runtime_user *user)
{
	char link[64], text[32];
	uint32_t uid, gid;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	present_owner(link, user, &uid, &gid);
	snprintf(text, sizeof(text), "%" PRIu32 ":%" PRIu32,
		 r->uid == UINT32_MAX ? uid : r->uid,
		 r->gid == UINT32_MAX ? gid : r->gid);
	if (setxattr(link, OWNER_XATTR, text, strlen(text), 0) < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	/* As chown does with programs. */
	if (S_ISREG(mode) && (mode & (S_ISUID | S_ISGID))) {
		mode_t drop = S_ISUID | (mode & S_IXGRP ? S_ISGID : 0);

		if (chmod(link, mode & 07777 & ~drop) < 0)
			return -errno;
	}
	return 0;
}

static void tell_lost(struct runtime_launch *l, const struct request *r)
{
	bool given = (r->uid && r->uid != UINT32_MAX) ||
		     (r->gid && r->gid != UINT32_MAX);

	if (given && !l->told_lost)
		log_info("owners of links and special files are not kept "
			 "with one id");
	l->told_lost = l->told_lost || given;
}

/* 0 or -errno, for the thread that waits. */
static int change_owner(struct runtime_launch *l, const struct request *r,
			uint64_t id)
{
	char link[64];
	cleanup_close int root = -1, fd = -1;
	struct stat st;
	bool skip = false;
	int rc;

	snprintf(link, sizeof(link), "/proc/%d/root", r->tid);
	root = open(link, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return 0; /* it ended, or hides itself */
	rc = open_target(r, root, link, &skip);
	if (skip) {
		base_close_fd(&rc);
		return 0;
	}
	if (rc < 0)
		return rc;
	fd = rc;
	/* Only now it is sure that the number was still that thread's. */
	if (ioctl(l->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) < 0)
		return -ESRCH;
	if (!same_mount(fd, root))
		return 0;
	if (!may_give(r, l->user))
		return -EPERM;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
		return record(r, fd, st.st_mode, l->user);
	tell_lost(l, r);
	return 0;
}

/* 16-bit calls of old programs: the highest id of theirs means "keep". */
static uint32_t widen(uint64_t id, bool narrow)
{
	uint32_t low = (uint32_t)id;

	return narrow && (low & 0xffff) == 0xffff ? UINT32_MAX :
	       narrow ? low & 0xffff : low;
}

static bool understand(const struct seccomp_notif *n, struct request *r)
{
	uint32_t abi = n->data.arch, nr = (uint32_t)n->data.nr;
	const __u64 *a = n->data.args;
	bool narrow = seccomp_number(abi, "chown32") >= 0;
	const char *name = runtime_chown_name(abi, (int)nr);

	if (!name)
		return false;
	narrow = narrow && !str_ends(name, "32") && !str_eq(name, "fchownat");
	*r = (struct request){ .tid = (pid_t)n->pid, .dirfd = AT_FDCWD,
			       .follow = *name != 'l' };
	if (str_eq(name, "fchownat")) {
		r->dirfd = (int)a[0];
		r->path = a[1];
		r->follow = !(a[4] & AT_SYMLINK_NOFOLLOW);
		r->empty = a[4] & AT_EMPTY_PATH;
		a++;
	} else if (*name == 'f') {
		r->dirfd = (int)a[0];
	} else {
		r->path = a[0];
	}
	r->uid = widen(a[1], narrow);
	r->gid = widen(a[2], narrow);
	return true;
}

/* The kernel's structures may have grown; both fit here or none is used. */
union room {
	struct seccomp_notif in;
	struct seccomp_notif_resp out;
	char bytes[512];
};

bool runtime_owners_possible(void)
{
	struct seccomp_notif_sizes s;

	return syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &s) == 0 &&
	       s.seccomp_notif <= sizeof(union room) &&
	       s.seccomp_notif_resp <= sizeof(union room);
}

void runtime_owners_answer(struct runtime_launch *l, short revents)
{
	union room in = { 0 }, out = { 0 };
	struct request r;

	/* The last process of the sandbox is gone. */
	if (!(revents & POLLIN)) {
		if (revents)
			close(steal_fd(&l->listener));
		return;
	}
	if (ioctl(l->listener, SECCOMP_IOCTL_NOTIF_RECV, &in) < 0)
		return;
	out.out.id = in.in.id;
	if (understand(&in.in, &r))
		out.out.error = change_owner(l, &r, in.in.id);
	/* Fails when the thread was killed meanwhile. */
	(void)ioctl(l->listener, SECCOMP_IOCTL_NOTIF_SEND, &out);
}
