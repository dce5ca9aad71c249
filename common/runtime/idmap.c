/* idmap.c - a directory of the host whose files belong to somebody else */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "runtime/bounds.h"

#define MAP_MAX ((size_t)1 << 20)

static void add_range(struct strbuf *out, uint32_t from, uint32_t to,
		      uint32_t n)
{
	if (n)
		strbuf_addf(out, "%u %u %u\n", from, to, n);
}

/* Every id is itself, but `a` is `b` and `b` is `a`. */
void runtime_idmap_text(uint32_t a, uint32_t b, uint32_t ids,
			struct strbuf *out)
{
	uint32_t low = MIN(a, b), high = MAX(a, b);

	if (low == high) {
		add_range(out, 0, 0, ids);
		return;
	}
	add_range(out, 0, 0, low);
	add_range(out, low, high, 1);
	add_range(out, low + 1, low + 1, high - low - 1);
	add_range(out, high, low, 1);
	add_range(out, high + 1, high + 1, ids - high - 1);
}

/* How many ids from 0 on this process knows: 0 to that, without it. */
static uint32_t count_ids(const char *file)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	unsigned int inside, outside, count, all = 0;
	const char *p;

	if (fs_read_file(file, MAP_MAX, &text, NULL) < 0)
		return 0;
	for (p = text.buf; sscanf(p, "%u %u %u", &inside, &outside, &count) ==
				   3 && inside == all; p++) {
		all += count;
		p += strcspn(p, "\n");
		if (!*p)
			break;
	}
	return all;
}

static int write_map(pid_t pid, const char *name, uint32_t a, uint32_t b,
		     struct error *err)
{
	cleanup_free char *path = xstrfmt("/proc/%d/%s", pid, name);
	cleanup_free char *own = xstrfmt("/proc/self/%s", name);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);
	uint32_t ids = count_ids(own);

	if (a >= ids || b >= ids)
		return error_set(err, ERR_HOST, "id %u is not mapped here",
				 MAX(a, b));
	runtime_idmap_text(a, b, ids, &text);
	if (fd < 0 || write(fd, text.buf, text.len) < 0)
		return error_errno_code(err, ERR_HOST, "cannot write '%s'",
					path);
	return 0;
}

/* A process in a new user namespace, which waits to be killed. */
static pid_t start_holder(struct error *err)
{
	int fds[2];
	char ready;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	pid = fork();
	if (!pid) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (unshare(CLONE_NEWUSER) == 0)
			(void)!write(fds[1], "", 1);
		close(fds[1]);
		for (;;)
			pause();
	}
	close(fds[1]);
	if (pid < 0)
		error_errno(err, "cannot make a process");
	else if (read(fds[0], &ready, 1) != 1)
		error_set(err, ERR_HOST, "cannot make a user namespace");
	else {
		close(fds[0]);
		return pid;
	}
	close(fds[0]);
	if (pid > 0) {
		kill(pid, SIGKILL);
		runtime_reap(pid);
	}
	return -1;
}

/* A namespace in which two users, and two groups, have changed places. */
static int make_map(const uid_t uids[2], const gid_t gids[2],
		    struct error *err)
{
	pid_t pid = start_holder(err);
	cleanup_free char *path = NULL;
	int fd = -1;

	if (pid < 0)
		return -1;
	path = xstrfmt("/proc/%d/ns/user", pid);
	if (write_map(pid, "uid_map", uids[0], uids[1], err) == 0 &&
	    write_map(pid, "gid_map", gids[0], gids[1], err) == 0) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			error_errno(err, "cannot open '%s'", path);
	}
	kill(pid, SIGKILL);
	runtime_reap(pid);
	return fd;
}

int runtime_swap_open(const struct runtime_swap *s, struct error *err)
{
	const uid_t uids[] = { 0, s->uid };
	const gid_t gids[] = { 0, s->gid };

	return make_map(uids, gids, err);
}

int runtime_bind_as(const char *source, uid_t uid, gid_t gid, int *tree,
		    struct error *err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
	cleanup_close int map = -1, mnt = -1;
	struct stat st;

	mnt = runtime_clone_straight(source, err);
	if (mnt < 0)
		return -1;
	if (fstat(mnt, &st) < 0)
		return error_errno(err, "cannot look at '%s'", source);
	if (st.st_uid == uid)
		return 0;
	map = make_map((uid_t[]){ st.st_uid, uid }, (gid_t[]){ st.st_gid, gid },
		       err);
	if (map < 0)
		return -1;
	attr.userns_fd = (uint64_t)map;
	if (mount_setattr(mnt, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return error_errno_code(err, ERR_HOST,
					"the file system of '%s' cannot show "
					"its files as another user's", source);
	*tree = steal_fd(&mnt);
	return 1;
}
