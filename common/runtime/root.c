/* root.c - the file systems of a new sandbox, seen from inside the child */
/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/bounds.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "runtime/dev.h"

#define SAFE (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define SAFEST (SAFE | MOUNT_ATTR_NOEXEC)

struct building {
	const struct runtime_launch *l;
	int scratch; /* one tmpfs for all that is made for this sandbox */
	int root, proc, sys, dev;
};

static const char *const masked_proc_dirs[] = { "acpi", "asound", "scsi" };
static const char *const masked_proc_files[] = {
	"interrupts", "kcore", "keys", "latency_stats", "sched_debug",
	"timer_list", "timer_stats",
};
static const char *const masked_sys_dirs[] = {
	"firmware", "devices/virtual/powercap",
};
static const char *const read_only_proc[] = {
	"bus", "fs", "irq", "sys", "sysrq-trigger",
};

static int make_dir(int at, const char *name, mode_t mode, struct error *err)
{
	if (mkdirat(at, name, mode) < 0)
		return error_errno(err, "cannot make '%s'", name);
	return 0;
}

static int make_scratch(struct building *b, struct error *err)
{
	static const char *const options[] = { "mode", "0755", NULL };
	static const char *const dirs[] = {
		"root", "dev", "nodes", "empty", "upper", "work",
	};

	b->scratch = runtime_fs_new("tmpfs", options, MOUNT_ATTR_NOSUID, err);
	if (b->scratch < 0 ||
	    make_dir(b->scratch, "shm", 01777, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (make_dir(b->scratch, dirs[i], 0755, err) < 0)
			return -1;
	return 0;
}

/* There is no device cgroup that says which devices may be opened, and a disk
 * by its number is all files of the host: none is but what is bound to /dev,
 * be it in an image or made with CAP_MKNOD. */
static int no_devices(const struct building *b, int mnt, struct error *err)
{
	return b->l->spec->privileged
		       ? 0
		       : runtime_attributes(mnt, false, MOUNT_ATTR_NODEV, err);
}

/*
 * What is made of it later must be attached somewhere. On our "/" it hides
 * nothing, as paths of this process start below the stack, but it has to be
 * unmounted of its own, and the kernel waits for all processors then. On a
 * work directory, which nobody names once the overlay has it, it goes with all
 * the rest.
 */
static int attach_scratch(struct building *b, const char *path,
			  struct error *err)
{
	return runtime_attach_at(b->scratch, AT_FDCWD, path, err);
}

static int mount_root(struct building *b, struct error *err)
{
	const struct runtime_spec *s = b->l->spec;
	struct runtime_layers l = { s->lowers, s->n_lowers, s->upper, s->work,
				    s->draft };
	cleanup_error struct error first = ERROR_INIT;
	cleanup_close int mnt = -1;
	char target[64], upper[64], work[64];

	snprintf(target, sizeof(target), "/proc/self/fd/%d/root", b->scratch);
	snprintf(upper, sizeof(upper), "/proc/self/fd/%d/upper", b->scratch);
	snprintf(work, sizeof(work), "/proc/self/fd/%d/work", b->scratch);
	if (!l.upper) {
		l.upper = upper;
		l.work = work;
	}
	if (s->upper)
		mnt = runtime_overlay(&l, &first);
	if (attach_scratch(b, mnt >= 0 ? s->work : "/", err) < 0)
		return -1;
	if (!s->upper)
		mnt = runtime_overlay(&l, &first);
	if (mnt < 0 && first.sys != EINVAL && first.sys != ENOSYS)
		return error_move(err, &first);
	if (mnt < 0 ? runtime_overlay_old(&l, target, err) < 0
		    : runtime_attach_at(mnt, AT_FDCWD, target, err) < 0)
		return -1;
	b->root = openat(b->scratch, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (b->root < 0)
		return error_errno(err, "cannot open the root");
	return no_devices(b, b->root, err);
}

/* Attach at a directory of the root; returns the mount, opened. */
static int attach_dir(struct building *b, int mnt, const char *path,
		      struct error *err)
{
	cleanup_close int at = runtime_point(b->l, b->root, path, true, err);

	if (at < 0)
		return -1;
	return runtime_attach_at(mnt, at, "", err);
}

static int mount_proc(struct building *b, struct error *err)
{
	cleanup_error struct error first = ERROR_INIT;

	b->proc = runtime_fs_new("proc", NULL, SAFEST, &first);
	if (b->proc < 0) {
		if (first.sys != EPERM)
			return error_move(err, &first);
		/* An outer container masks parts of its own /proc. */
		log_warn("this host does not allow a new /proc: the command "
			 "sees the processes of the host");
		b->proc = runtime_clone(AT_FDCWD, "/proc", true, err);
		if (b->proc < 0 ||
		    runtime_attributes(b->proc, true, SAFEST, err) < 0)
			return -1;
	}
	return attach_dir(b, b->proc, "/proc", err);
}

static int mount_sys(struct building *b, struct error *err)
{
	uint64_t attr = SAFEST | (b->l->spec->privileged ? 0
							 : MOUNT_ATTR_RDONLY);
	cleanup_error struct error first = ERROR_INIT;

	b->sys = runtime_fs_new("sysfs", NULL, (unsigned int)attr, &first);
	if (b->sys < 0) {
		if (first.sys != EPERM)
			return error_move(err, &first);
		/* sysfs shows the network namespace, which is not ours. */
		b->sys = runtime_clone(AT_FDCWD, "/sys", true, err);
		if (b->sys < 0 ||
		    runtime_attributes(b->sys, true, attr, err) < 0)
			return -1;
	}
	return attach_dir(b, b->sys, "/sys", err);
}

static int mount_in_dev(struct building *b, const char *name, int mnt,
			struct error *err)
{
	cleanup_close int owned = mnt;

	if (owned < 0 || make_dir(b->dev, name, 0755, err) < 0)
		return -1;
	return runtime_attach_at(owned, b->dev, name, err);
}

/* Group 5 is tty everywhere, but it may not be mapped here. */
static int new_devpts(struct error *err)
{
	static const char *const options[] = {
		"ptmxmode", "0666", "mode", "0620", "gid", "5", NULL,
	};
	static const char *const plain[] = {
		"ptmxmode", "0666", "mode", "0620", NULL,
	};
	unsigned int attr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
	int mnt = runtime_fs_new("devpts", options, attr, NULL);

	return mnt >= 0 ? mnt : runtime_fs_new("devpts", plain, attr, err);
}

/* Where there is none of the host's, nothing is missed. */
static int host_ipc(struct building *b, struct error *err)
{
	static const char *const names[] = { "shm", "mqueue" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup_free char *path = xstrfmt("/dev/%s", names[i]);
		cleanup_close int mnt = -1;

		if (!fs_is_dir(path))
			continue;
		mnt = runtime_clone(AT_FDCWD, path, false, err);
		if (mnt < 0 || runtime_attributes(mnt, false, SAFEST, err) < 0 ||
		    mount_in_dev(b, names[i], steal_fd(&mnt), err) < 0)
			return -1;
	}
	return 0;
}

static int mount_dev(struct building *b, struct error *err)
{
	const struct runtime_bounds *bounds = b->l->spec->bounds;
	int shm;

	b->dev = runtime_clone(b->scratch, "dev", false, err);
	if (b->dev < 0 || no_devices(b, b->dev, err) < 0 ||
	    attach_dir(b, b->dev, "/dev", err) < 0 ||
	    runtime_dev_fill(b->dev, b->scratch, err) < 0 ||
	    mount_in_dev(b, "pts", new_devpts(err), err) < 0)
		return -1;
	if (bounds && bounds->host_ipc)
		return host_ipc(b, err);
	shm = runtime_clone(b->scratch, "shm", false, err);
	if (shm < 0 || runtime_attributes(shm, false, SAFEST, err) < 0 ||
	    mount_in_dev(b, "shm", shm, err) < 0)
		return -1;
	return mount_in_dev(b, "mqueue",
			    runtime_fs_new("mqueue", NULL, SAFEST, err), err);
}

static int write_file(int dir, const char *name, const struct strbuf *text,
		      struct error *err)
{
	cleanup_close int fd = openat(dir, name,
				      O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
				      0644);

	if (fd < 0)
		return error_errno(err, "cannot make '%s'", name);
	return fs_write_all(fd, text->buf, text->len, err);
}

static int bind_etc(struct building *b, const char *name,
		    const struct strbuf *text, struct error *err)
{
	cleanup_free char *path = xstrfmt("/etc/%s", name);
	cleanup_close int mnt = -1, at = -1;

	if (write_file(b->scratch, name, text, err) < 0)
		return -1;
	mnt = runtime_clone(b->scratch, name, false, err);
	if (mnt < 0 || runtime_attributes(mnt, false, SAFE, err) < 0)
		return -1;
	at = runtime_point(b->l, b->root, path, false, err);
	return at < 0 ? -1 : runtime_attach_at(mnt, at, "", err);
}

static int mount_etc(struct building *b, struct error *err)
{
	const struct runtime_spec *s = b->l->spec;
	const char *name = s->hostname ? s->hostname : "devenv";
	cleanup_strbuf struct strbuf hosts = STRBUF_INIT;
	cleanup_strbuf struct strbuf host = STRBUF_INIT;
	cleanup_strbuf struct strbuf resolv = STRBUF_INIT;

	if (s->no_etc)
		return 0;
	runtime_etc_hosts(name, s->network == RUNTIME_NET_HOST, s->hosts,
			  &hosts);
	runtime_etc_resolv(s->bounds, &resolv);
	strbuf_addf(&host, "%s\n", name);
	if (bind_etc(b, "hosts", &hosts, err) < 0 ||
	    bind_etc(b, "hostname", &host, err) < 0)
		return -1;
	return bind_etc(b, "resolv.conf", &resolv, err);
}

static int add_mount(struct building *b, const struct runtime_mount *m,
		     struct error *err)
{
	uint64_t attr = m->kind == RUNTIME_DEVICE
				? MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC
				: SAFE | (m->read_only ? MOUNT_ATTR_RDONLY : 0);
	cleanup_close int mnt = runtime_mount_new(b->l, m, b->scratch, err);
	cleanup_close int at = -1;
	struct stat st;

	if (mnt < 0)
		return -1;
	if (fstat(mnt, &st) < 0)
		return error_errno(err, "cannot look at the mount");
	at = runtime_point(b->l, b->root, m->target, S_ISDIR(st.st_mode), err);
	if (at < 0 || runtime_attributes(mnt, true, attr, err) < 0)
		return -1;
	return runtime_attach_at(mnt, at, "", err);
}

static int new_cover(struct building *b, int null, struct error *err)
{
	cleanup_close int mnt = -1;

	if (null >= 0)
		return runtime_clone(null, "", false, err);
	mnt = runtime_clone(b->scratch, "empty", false, err);
	if (mnt < 0 || runtime_attributes(mnt, false,
					  SAFEST | MOUNT_ATTR_RDONLY, err) < 0)
		return -1;
	return steal_fd(&mnt);
}

/* Hide files of a kernel file system behind `null`, or its directories behind
 * an empty one (null -1), as many as this kernel has. */
static int mask(struct building *b, int fs, const char *const *names, size_t n,
		int null, struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		cleanup_close int mnt = -1;

		/* To drop a mount that was made in vain is to wait for all
		 * processors. */
		if (faccessat(fs, names[i], F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
		    (errno == ENOENT || errno == ENOTDIR))
			continue;
		mnt = new_cover(b, null, err);
		if (mnt < 0 || runtime_attach_at(mnt, fs, names[i], err) < 0)
			return -1;
	}
	return 0;
}

static int freeze(int fs, const char *name, struct error *err)
{
	cleanup_close int at = openat(fs, name,
				      O_PATH | O_NOFOLLOW | O_CLOEXEC);
	cleanup_close int mnt = -1;

	if (at < 0 && errno == ENOENT)
		return 0;
	if (at < 0)
		return error_errno(err, "cannot protect '%s'", name);
	mnt = runtime_clone(at, "", true, err);
	if (mnt < 0 ||
	    runtime_attributes(mnt, true, SAFEST | MOUNT_ATTR_RDONLY, err) < 0)
		return -1;
	return runtime_attach_at(mnt, at, "", err);
}

static int protect(struct building *b, struct error *err)
{
	cleanup_close int null = -1;

	if (b->l->spec->privileged)
		return 0;
	if (!runtime_fs_type_is(b->proc, PROC_SUPER_MAGIC) ||
	    !runtime_fs_type_is(b->sys, SYSFS_MAGIC))
		return error_set(err, ERR_HOST,
				 "/proc or /sys is not what it should be");
	null = runtime_dev_open(b->dev, "null", err);
	if (null < 0)
		return -1;
	if (mask(b, b->proc, masked_proc_files, ARRAY_SIZE(masked_proc_files),
		 null, err) < 0 ||
	    mask(b, b->proc, masked_proc_dirs, ARRAY_SIZE(masked_proc_dirs),
		 -1, err) < 0 ||
	    mask(b, b->sys, masked_sys_dirs, ARRAY_SIZE(masked_sys_dirs), -1,
		 err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(read_only_proc); i++)
		if (freeze(b->proc, read_only_proc[i], err) < 0)
			return -1;
	return 0;
}

/*
 * After pivot_root the old root and the scratch on it lie on top of the new
 * root, which "/.." shows. Both must go, or the host stays within reach.
 */
static int drop_old_root(struct building *b, struct error *err)
{
	struct stat root, top;

	if (fstat(b->root, &root) < 0)
		return error_errno(err, "cannot look at the root");
	for (int i = 0; i < 4; i++) {
		if (stat("/..", &top) < 0)
			break;
		if (top.st_dev == root.st_dev && top.st_ino == root.st_ino)
			return i > 0 ? 0 : error_set(err, ERR_SYSTEM, "the "
						     "root did not change");
		if (umount2("/..", MNT_DETACH) < 0)
			return error_errno(err, "cannot leave the old root");
	}
	return error_set(err, ERR_SYSTEM, "cannot leave the old root");
}

static int pivot(struct building *b, struct error *err)
{
	if (fchdir(b->root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    chdir("/") < 0)
		return error_errno(err, "cannot change the root");
	return drop_old_root(b, err);
}

int runtime_root_dirs(int root, const struct runtime_spec *s,
		      struct error *err)
{
	for (size_t i = 0; s->dirs && i < s->dirs->nr; i++) {
		cleanup_close int fd = fs_mkdir_in_root(root, s->dirs->v[i],
							0755, 0, 0, err);

		if (fd < 0)
			return error_wrap(err, "directory '%s'",
					  s->dirs->v[i]);
	}
	return 0;
}

/* Last, as the places of mounts had to be made. */
static int apply_bounds(struct building *b, struct error *err)
{
	const struct runtime_bounds *bounds = b->l->spec->bounds;

	if (!bounds || !bounds->read_only)
		return 0;
	return runtime_attributes(b->root, false, MOUNT_ATTR_RDONLY, err);
}

int runtime_root_enter(const struct runtime_launch *l, struct error *err)
{
	struct building b = { .l = l, .scratch = -1, .root = -1, .proc = -1,
			      .sys = -1, .dev = -1 };

	/* Its descriptors close with the execve that follows. */
	umask(0);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_errno(err, "cannot make mounts private");
	if (make_scratch(&b, err) < 0 || mount_root(&b, err) < 0 ||
	    runtime_root_dirs(b.root, l->spec, err) < 0 ||
	    mount_proc(&b, err) < 0 || mount_sys(&b, err) < 0 ||
	    mount_dev(&b, err) < 0 || mount_etc(&b, err) < 0)
		return -1;
	for (size_t i = 0; i < l->spec->n_mounts; i++)
		if (add_mount(&b, &l->spec->mounts[i], err) < 0)
			return error_wrap(err, "mount '%s'",
					  l->spec->mounts[i].target);
	if (l->spec->bounds &&
	    runtime_sysctls_set(b.proc, l->spec->bounds->sysctls, err) < 0)
		return -1;
	if (protect(&b, err) < 0 || apply_bounds(&b, err) < 0)
		return -1;
	return pivot(&b, err);
}
