/* tty.c - a terminal of the command's own, joined to ours */
/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/signals.h"

int runtime_fd_send(int sock, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char byte = 0;
	struct iovec io = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &io, .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control.room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(sock, &msg, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

int runtime_fd_receive(int sock)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char byte;
	struct iovec io = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &io, .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control.room) };
	struct cmsghdr *c;
	int fd;

	if (recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1)
		return -1;
	c = CMSG_FIRSTHDR(&msg);
	if (!c || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* In a running sandbox the names below /dev are in other hands: only the
 * device itself counts. */
int runtime_tty_open(struct error *err)
{
	cleanup_close int fd = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY |
				    O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int unlock = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "cannot open a terminal");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2) ||
	    !runtime_fs_type_is(fd, DEVPTS_SUPER_MAGIC))
		return error_set(err, ERR_RUN,
				 "/dev/pts/ptmx is not the terminal device");
	if (ioctl(fd, TIOCSPTLCK, &unlock) < 0)
		return error_errno(err, "cannot unlock a terminal");
	return steal_fd(&fd);
}

static void copy_size(int from, int to)
{
	struct winsize size;

	if (ioctl(from, TIOCGWINSZ, &size) == 0)
		ioctl(to, TIOCSWINSZ, &size);
}

static bool pass(int from, int to)
{
	char data[16384];
	ssize_t n = read(from, data, sizeof(data));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	return n > 0 && fs_write_all(to, data, (size_t)n, NULL) == 0;
}

/* The master keeps what was written last after its writers are gone. */
static void drain(int master)
{
	struct pollfd p = { .fd = master, .events = POLLIN };

	while (poll(&p, 1, 0) > 0 && (p.revents & POLLIN) &&
	       pass(master, STDOUT_FILENO))
		;
}

/* false: the terminal went or a signal asks for the end. */
static bool take_signal(int signals, int master)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return true;
	if (info.ssi_signo == SIGWINCH) {
		copy_size(STDIN_FILENO, master);
		return true;
	}
	/* For the caller to find when its mask is back. */
	kill(getpid(), (int)info.ssi_signo);
	return false;
}

/* Our end of input is the end-of-file character on a terminal. */
static bool pass_input(int master)
{
	if (pass(STDIN_FILENO, master))
		return true;
	return fs_write_all(master, "\004", 1, NULL) < 0;
}

static void relay(struct runtime_launch *l, int pidfd, int signals)
{
	int master = l->master;
	struct pollfd fds[] = {
		{ .fd = pidfd, .events = POLLIN },
		{ .fd = master, .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
		{ .fd = l->listener, .events = POLLIN },
		{ .fd = l->hangup },
	};

	/* What came before they were blocked is for the caller, too. */
	while (!signals_pending()) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return;
		runtime_owners_answer(l, fds[4].revents);
		fds[4].fd = l->listener;
		if (fds[5].revents)
			return;
		if (fds[3].revents && !take_signal(signals, master))
			return;
		/* The last process closed it: an error on Linux. */
		if (fds[1].revents && !pass(master, STDOUT_FILENO))
			fds[1].fd = -1;
		if (fds[2].revents && !pass_input(master))
			fds[2].fd = -1;
		if (fds[0].revents) {
			drain(master);
			return;
		}
	}
}

void runtime_tty_relay(struct runtime_launch *l, int pidfd)
{
	static const int taken[] = { SIGWINCH, SIGINT, SIGTERM, SIGHUP,
				     SIGQUIT };
	struct termios saved, raw;
	bool is_tty = tcgetattr(STDIN_FILENO, &saved) == 0;
	cleanup_close int signals = -1;
	sigset_t set, old;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		sigaddset(&set, taken[i]);
	sigprocmask(SIG_BLOCK, &set, &old);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (is_tty) {
		copy_size(STDIN_FILENO, l->master);
		raw = saved;
		cfmakeraw(&raw);
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	relay(l, pidfd, signals);
	if (is_tty)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
	sigprocmask(SIG_SETMASK, &old, NULL);
}
