/* enter.c - move this process to where mounts are private */
/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"

/* Signals that are meant for the work, which the child does. */
static const int forwarded[] = {
	SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGUSR1, SIGUSR2,
};

static bool may_mount(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct have[2] = { 0 };

	return syscall(SYS_capget, &head, have) == 0 &&
	       (have[0].effective & (UINT32_C(1) << CAP_SYS_ADMIN));
}

/* Make a directory, which setns left behind, the root of our namespace. */
static int become_root(int dir, struct error *err)
{
	cleanup_close int tree =
		open_tree(dir, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
					   AT_RECURSIVE | AT_EMPTY_PATH);

	if (tree < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    move_mount(tree, "", dir, "", MOVE_MOUNT_F_EMPTY_PATH |
						  MOVE_MOUNT_T_EMPTY_PATH) ||
	    fchdir(tree) || syscall(SYS_pivot_root, ".", ".") ||
	    umount2(".", MNT_DETACH) || chdir("/"))
		return error_errno_code(err, ERR_HOST,
					"cannot make the chroot's directory "
					"the root of a mount namespace");
	return 0;
}

/*
 * In a chroot the root of the namespace lies outside. Mounts could not be
 * made private there, and who enters a sandbox later (setns) would find
 * himself out there, too. Entering our own namespace shows its root.
 */
static int leave_chroot(struct error *err)
{
	cleanup_close int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	cleanup_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_free char *cwd = getcwd(NULL, 0);
	struct stat ours, outer;

	if (self < 0 || root < 0 || here < 0 || fstat(root, &ours) < 0 ||
	    setns(self, CLONE_NEWNS) < 0 || stat("/", &outer) < 0)
		return error_errno_code(err, ERR_HOST,
					"cannot look at the mount namespace");
	if (ours.st_dev == outer.st_dev && ours.st_ino == outer.st_ino) {
		if (fchdir(here) < 0)
			return error_errno(err, "cannot go back");
		return 0;
	}
	if (become_root(root, err) < 0)
		return -1;
	if (!cwd || chdir(cwd) < 0)
		return error_errno(err, "cannot enter '%s'", cwd ? cwd : ".");
	return 0;
}

static int private_mounts(struct error *err)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_errno_code(err, ERR_HOST,
					"cannot make mounts private");
	return 0;
}

static int new_mounts(struct error *err)
{
	if (unshare(CLONE_NEWNS) < 0)
		return error_errno_code(err, ERR_HOST,
					"cannot make a mount namespace");
	return 0;
}

static int enter_as_root(struct error *err)
{
	if (may_mount()) {
		if (new_mounts(err) < 0 || leave_chroot(err) < 0)
			return -1;
		return private_mounts(err);
	}
	error_set(err, ERR_HOST, "root has no CAP_SYS_ADMIN here, so devenv "
				 "cannot mount or make namespaces");
	return error_hint(err, "give the container CAP_SYS_ADMIN, use "
			       "--driver=chroot, or run devenv as a user who "
			       "may make user namespaces");
}

/* A filter of system calls may refuse what the capability allows. */
static int enter_or_not(enum runtime_driver driver, enum runtime_mode *mode,
			struct error *err)
{
	cleanup_error struct error why = ERROR_INIT;

	*mode = RUNTIME_ROOT;
	if (driver == RUNTIME_OVERLAY)
		return enter_as_root(err);
	if (driver == RUNTIME_AUTO && enter_as_root(&why) == 0)
		return 0;
	*mode = RUNTIME_CHROOT;
	if (driver == RUNTIME_BY_CHROOT || why.code == ERR_HOST)
		return 0;
	return error_move(err, &why);
}

/* A terminal signal reaches the whole group, the child too: it is not sent
 * twice. */
static void forward(pid_t child, const struct signalfd_siginfo *info)
{
	if (info->ssi_code != SI_KERNEL)
		kill(child, (int)info->ssi_signo);
}

NORETURN static void end_as(pid_t child)
{
	siginfo_t info = { 0 };

	while (waitid(P_PID, (id_t)child, &info, WEXITED) < 0 &&
	       errno == EINTR)
		;
	if (info.si_code == CLD_EXITED)
		_exit(info.si_status);
	/* A core file of ours would say nothing. */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	signal(info.si_status, SIG_DFL);
	raise(info.si_status);
	_exit(128 + info.si_status);
}

/* When the child stops (^Z reached it alone), so do we, and the shell sees
 * it; SIGCONT then goes to the child. */
static void follow_stop(pid_t child)
{
	siginfo_t info = { 0 };

	if (waitid(P_PID, (id_t)child, &info, WSTOPPED | WNOHANG) < 0 ||
	    info.si_pid != child)
		return;
	kill(getpid(), SIGSTOP);
	kill(child, SIGCONT);
}

/* Helpers that ended; the child is left for the end. */
static void reap_helpers(pid_t child)
{
	siginfo_t info = { 0 };

	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid && info.si_pid != child)
		waitpid(info.si_pid, NULL, 0);
}

/* Into environments of other namespaces a fork of ours goes for the child. */
static void take_request(int requests)
{
	int sock = runtime_fd_receive(requests);

	if (sock < 0)
		return;
	if (fork() == 0)
		runtime_outer_serve(sock);
	close(sock);
}

NORETURN static void stand_by(pid_t child, int pidfd, int signals,
			      int requests)
{
	struct pollfd fds[3] = {
		{ .fd = pidfd, .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
		{ .fd = requests, .events = POLLIN },
	};
	struct signalfd_siginfo info;

	for (;;) {
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			break;
		if (fds[0].revents)
			break;
		if (fds[2].revents & POLLIN)
			take_request(requests);
		else if (fds[2].revents)
			fds[2].fd = -1;
		if (!fds[1].revents ||
		    read(signals, &info, sizeof(info)) != sizeof(info))
			continue;
		if (info.ssi_signo != SIGCHLD) {
			forward(child, &info);
			continue;
		}
		reap_helpers(child);
		follow_stop(child);
	}
	end_as(child);
}

struct handshake {
	int ready[2], go[2]; /* child: unshared; parent: mapped */
	int parent_fd;
	int outer[2]; /* child; parent: requests */
	sigset_t old;
};

/* The child's side: returns as root of the new namespace. */
static int enter_child(struct handshake *h, enum runtime_mode *mode,
		       struct error *err)
{
	struct pollfd parent = { .fd = h->parent_fd, .events = POLLIN };
	char answer = 0;

	close(h->ready[0]);
	close(h->go[1]);
	if (unshare(CLONE_NEWUSER) < 0)
		return error_errno_code(err, ERR_HOST,
					"cannot make a user namespace");
	if (write(h->ready[1], "", 1) != 1 || read(h->go[0], &answer, 1) != 1)
		_exit(ERR_HOST);
	*mode = answer == 'r' ? RUNTIME_RANGE : RUNTIME_SINGLE;
	if ((*mode == RUNTIME_RANGE && syscall(SYS_setgroups, 0, NULL) < 0) ||
	    setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return error_errno_code(err, ERR_HOST,
					"cannot become root of the user "
					"namespace");
	/* Only now: a change of ids forgets it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return error_errno(err, "cannot tie devenv to its parent");
	if (poll(&parent, 1, 0) != 0)
		_exit(ERR_SYSTEM);
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	sigprocmask(SIG_SETMASK, &h->old, NULL);
	close(h->ready[1]);
	close(h->go[0]);
	close(h->parent_fd);
	close(h->outer[1]);
	*runtime_outer() = h->outer[0];
	return new_mounts(err) < 0 ? -1 : private_mounts(err);
}

NORETURN static void refuse(pid_t child, struct error *err)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	fprintf(stderr, "devenv: %s\n", err->msg);
	_exit((int)err->code);
}

NORETURN static void enter_parent(struct handshake *h, pid_t child, int signals,
				  uid_t uid, gid_t gid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	struct error err = ERROR_INIT;
	bool ranges = false;
	char byte;

	close(h->ready[1]);
	close(h->go[0]);
	/* End of file: the child has said why and is gone. */
	if (read(h->ready[0], &byte, 1) == 1) {
		if (runtime_ids_map(child, uid, gid, &ranges, &err) < 0)
			refuse(child, &err);
		if (write(h->go[1], ranges ? "r" : "s", 1) != 1)
			end_as(child);
	}
	close(h->ready[0]);
	close(h->go[1]);
	close(h->outer[0]);
	stand_by(child, pidfd, signals, h->outer[1]);
}

static int enter_as_user(enum runtime_mode *mode, struct error *err)
{
	struct handshake h = { .parent_fd = -1 };
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int signals;
	sigset_t set;
	pid_t child;

	if (pipe2(h.ready, O_CLOEXEC) < 0 || pipe2(h.go, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
		       h.outer) < 0)
		return error_errno(err, "cannot make a socket pair");
	h.parent_fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaddset(&set, forwarded[i]);
	sigprocmask(SIG_BLOCK, &set, &h.old);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	fflush(NULL);
	child = fork();
	if (child < 0)
		return error_errno(err, "cannot make a process");
	if (child > 0)
		enter_parent(&h, child, signals, uid, gid);
	close(signals);
	return enter_child(&h, mode, err);
}

int runtime_enter(enum runtime_driver driver, enum runtime_mode *mode,
		  struct error *err)
{
	if (geteuid() == 0)
		return enter_or_not(driver, mode, err);
	if (driver != RUNTIME_BY_CHROOT)
		return enter_as_user(mode, err);
	error_set(err, ERR_HOST, "the chroot driver needs root");
	return error_hint(err, "a user is served by user namespaces: "
			       "--driver=overlay");
}
