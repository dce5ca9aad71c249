/* keeper.c - ends the environment of a devenv that was killed */
/* SPDX-License-Identifier: Apache-2.0 */
#include "env/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"

/*
 * A small process beside each devenv that uses an environment. It holds the
 * reading end of a pipe, so it learns of every way that devenv can end. It is
 * there before the sandbox is: there is no moment at which a killed devenv
 * leaves one behind.
 */

/* The same sandbox, and it is to go on. */
static bool is_detached(struct env *e, pid_t init)
{
	int64_t pid = 0;

	return e->name && state_read(e, NULL) == 0 &&
	       json_get_int(e->state, "pid", &pid) && pid == init &&
	       json_get_bool(e->state, "detached");
}

static void end_unused(struct env *e, struct runtime_sandbox *s)
{
	cleanup_close int lock = -1;

	/* Nobody uses what was removed. */
	if (e->name && fs_is_dir(e->dir)) {
		lock = state_lock(e, false, NULL);
		if (lock < 0 || state_use(e, NULL) < 0 || !state_last(e))
			return;
	}
	if (!is_detached(e, s->init))
		runtime_stop(s, ENV_GRACE_MS);
}

NORETURN static void keep(struct env *e, int from)
{
	struct runtime_sandbox s = { .pidfd = -1 };
	struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLIN } };
	sigset_t all;

	/* Nothing of devenv's stays open: not its output, not its locks. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	if (setsid() < 0 || dup2(from, 0) < 0 ||
	    syscall(SYS_close_range, 1, ~0U, 0) < 0 || chdir("/") < 0)
		_exit(1);
	e->users_fd = -1;
	if (read(0, &s.init, sizeof(s.init)) != sizeof(s.init) ||
	    runtime_attach(s.init, 0, &s, NULL) < 0)
		_exit(0);
	p[1].fd = s.pidfd;
	while (poll(p, 2, -1) < 0 && errno == EINTR)
		;
	if (!p[1].revents)
		end_unused(e, &s);
	_exit(0);
}

int keeper_start(struct env *e, struct error *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	e->keeper = fork();
	if (!e->keeper) {
		close(fds[1]);
		keep(e, fds[0]);
	}
	close(fds[0]);
	e->keeper_fd = fds[1];
	return e->keeper < 0 ? error_errno(err, "cannot make a process") : 0;
}

int keeper_tell(struct env *e, struct error *err)
{
	pid_t init = e->sandbox.init;

	if (write(e->keeper_fd, &init, sizeof(init)) != sizeof(init))
		return error_errno(err, "cannot guard the environment");
	return 0;
}

void keeper_end(struct env *e)
{
	base_close_fd(&e->keeper_fd);
	e->keeper_fd = -1;
	while (e->keeper > 0 && waitpid(e->keeper, NULL, 0) < 0 &&
	       errno == EINTR)
		;
	e->keeper = 0;
}
