/* watch.c - ends the commands of a devenv that was killed */
/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/internal.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The parent-death signal is forgotten when a command executes a set-user-id
 * program, and a command may clear it. So every command hands a descriptor
 * of itself, before its first instruction, to one small process beside each
 * devenv process, which kills what it holds when that devenv is gone. It is
 * in no sandbox, so nothing in there can name it; it has its own session and
 * blocks all signals, so the terminal does not reach it either.
 */
#define HELD_MAX 512

struct watch {
	int socket; /* where descriptors come from */
	int other;  /* the end that devenv keeps */
	int owner;  /* pidfd of devenv */
};

/* Forget the commands that ended. */
static nfds_t prune(struct pollfd *held, nfds_t n)
{
	nfds_t kept = 0;

	if (poll(held, n, 0) <= 0)
		return n;
	for (nfds_t i = 0; i < n; i++) {
		if (held[i].revents)
			close(held[i].fd);
		else
			held[kept++] = held[i];
	}
	return kept;
}

static nfds_t take(int sock, struct pollfd *held, nfds_t n)
{
	int fd;

	while ((fd = runtime_fd_receive(sock)) >= 0) {
		n = prune(held, n);
		if (n < HELD_MAX)
			held[n++] = (struct pollfd){ fd, POLLIN, 0 };
		else
			close(fd);
	}
	return n;
}

/*
 * Both ends are looked at: a forked copy of devenv may keep the socket open,
 * and a command on its way to its program may still send itself.
 */
static int stand_watch(const struct watch *w)
{
	struct pollfd held[HELD_MAX], ends[2] = {
		{ w->socket, POLLIN, 0 }, { w->owner, POLLIN, 0 },
	};
	nfds_t n = 0;

	while (!ends[1].revents && !(ends[0].revents & (POLLHUP | POLLERR))) {
		if (poll(ends, 2, -1) < 0)
			continue;
		n = take(w->socket, held, n);
	}
	for (nfds_t i = 0; i < n; i++)
		syscall(SYS_pidfd_send_signal, held[i].fd, SIGKILL, NULL, 0);
	return 0;
}

/* Nothing of devenv's stays open: not its output, not its files. */
static int keep_only(unsigned int a, unsigned int b)
{
	unsigned int low = a < b ? a : b, high = a < b ? b : a;

	if (low && syscall(SYS_close_range, 0, low - 1, 0) < 0)
		return -1;
	if (high > low + 1 &&
	    syscall(SYS_close_range, low + 1, high - 1, 0) < 0)
		return -1;
	return (int)syscall(SYS_close_range, high + 1, ~0U, 0);
}

/*
 * Runs in a child that shares memory; its own child has a copy and is nobody's
 * to wait for. Only system calls are made: threads may hold any lock. Both end
 * by returning, because the sanitizers look for the usual stack in _exit.
 */
static int detach(void *arg)
{
	const struct watch *w = arg;

	if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) != 0)
		return 0;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || setsid() < 0 ||
	    keep_only((unsigned int)w->socket, (unsigned int)w->owner) < 0 ||
	    chdir("/") < 0)
		return 1;
	(void)prctl(PR_SET_NAME, "devenv-watch", 0, 0, 0);
	return stand_watch(w);
}

static int start(struct error *err)
{
	char *stack = runtime_stack();
	struct watch w;
	sigset_t all, old;
	int sockets[2];
	pid_t pid;

	if (!stack)
		return error_errno(err, "cannot make a stack");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		return error_errno(err, "cannot make a socket pair");
	w = (struct watch){ sockets[1], sockets[0], runtime_pidfd(getpid()) };
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = clone(detach, stack + RUNTIME_STACK,
		    CLONE_VM | CLONE_VFORK | SIGCHLD, &w);
	if (pid < 0)
		error_errno(err, "cannot make a process");
	else
		runtime_reap(pid);
	sigprocmask(SIG_SETMASK, &old, NULL);
	munmap(stack, RUNTIME_STACK);
	base_close_fd(&w.owner);
	close(w.socket);
	if (pid >= 0)
		return w.other;
	close(w.other);
	return -1;
}

/* One a process. */
static struct {
	pthread_mutex_t lock;
	struct pollfd end;
	pid_t owner;
} ours = { .lock = PTHREAD_MUTEX_INITIALIZER, .end = { .fd = -1 } };

int runtime_watch(struct error *err)
{
	int fd;

	pthread_mutex_lock(&ours.lock);
	/* A fork has its own; one that somebody killed is replaced. */
	if (ours.end.fd < 0 || ours.owner != getpid() ||
	    poll(&ours.end, 1, 0) != 0) {
		base_close_fd(&ours.end.fd);
		ours.end.fd = start(err);
		ours.owner = getpid();
	}
	fd = ours.end.fd;
	pthread_mutex_unlock(&ours.lock);
	return fd;
}

void runtime_inherit(void)
{
	pthread_mutex_lock(&ours.lock);
	ours.owner = getpid();
	pthread_mutex_unlock(&ours.lock);
}

int runtime_watch_me(int sock)
{
	cleanup_close int fd = runtime_pidfd((pid_t)syscall(SYS_getpid));

	return fd < 0 ? -1 : runtime_fd_send(sock, fd);
}
