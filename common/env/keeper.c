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


/*
 * A small process beside each devenv that uses an environment. It holds the
 * reading end of a pipe, so it learns of every way that devenv can end. A new
 * sandbox is started by the keeper itself: there is no moment at which a
 * killed devenv leaves one behind.
 */

static void end_unused(struct env *e)
{
	cleanup_close int lock = e->name ? state_lock(e, false, NULL) : -1;

	if (!e->name || !state_wanted(e))
		runtime_stop(&e->sandbox, state_grace(e));
	/* Before the lock is: who gets it must not take us for a user. */
	base_close_fd(&e->users_fd);
}

/* Its locks go when it is gone, which is after its end of the pipe. */
static void end_after(struct env *e, int devenv)
{
	struct pollfd p = { devenv, POLLIN, 0 };

	while (poll(&p, 1, -1) < 0 && errno == EINTR)
		;
	end_unused(e);
}

/* Nothing of devenv's stays open: not its output, not its locks. */
static int settle(struct env *e, int from, int devenv, int to)
{
	e->users_fd = -1;
	if (setsid() < 0 || dup2(from, 0) < 0 ||
	    dup2(e->sandbox.pidfd, 1) < 0 || dup2(devenv, 2) < 0 ||
	    dup2(to, 3) < 0 || syscall(SYS_close_range, 4, ~0U, 0) < 0 ||
	    chdir("/") < 0)
		return -1;
	e->sandbox.pidfd = 1;
	return 0;
}

/* Wait for the end of devenv or of the sandbox. */
NORETURN static void keep(struct env *e)
{
	struct pollfd p[2] = { { 0, POLLIN, 0 }, { 1, POLLIN, 0 } };
	char word;

	while (poll(p, 2, -1) < 0 && errno == EINTR)
		;
	if (p[1].revents)
		_exit(0);
	if (read(0, &word, 1) == 1)
		end_unused(e);
	else
		end_after(e, 2);
	_exit(0);
}

/* The keeper's whole life; `spec` NULL: the sandbox of e is there. Devenv goes
 * on when its locks are its own again. */
NORETURN static void live(struct env *e, const struct runtime_spec *spec,
			  int from, int to, int devenv)
{
	cleanup_error struct error err = ERROR_INIT;
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	if (spec && runtime_start(spec, &e->sandbox, &err) < 0)
		outcome_say(to, 0, &err);
	if (e->sandbox.init <= 0 || settle(e, from, devenv, to) < 0)
		_exit(1);
	outcome_say(3, e->sandbox.init, NULL);
	close(3);
	keep(e);
}

static int hear(struct env *e, int from, bool known, struct error *err)
{
	pid_t init = outcome_hear(from, "the environment's keeper", err);

	if (init < 0)
		return -1;
	return known ? 0 : runtime_attach(init, 0, &e->sandbox, err);
}

int keeper_start(struct env *e, const struct runtime_spec *spec,
		 struct error *err)
{
	cleanup_close int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	int life[2], words[2], rc;

	if (self < 0)
		return error_errno(err, "cannot open a process");
	if (pipe2(life, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	e->keeper_fd = life[1];
	if (pipe2(words, O_CLOEXEC) < 0) {
		close(life[0]);
		return error_errno(err, "cannot make a pipe");
	}
	e->keeper = fork();
	if (!e->keeper) {
		close(life[1]);
		close(words[0]);
		live(e, spec, life[0], words[1], self);
	}
	close(life[0]);
	close(words[1]);
	rc = e->keeper < 0 ? error_errno(err, "cannot make a process")
			   : hear(e, words[0], !spec, err);
	close(words[0]);
	return rc;
}

void keeper_end(struct env *e)
{
	/* Without a word devenv was killed, or leaves the rest to its keeper:
	 * who then waits until it is gone. */
	if (e->keeper_fd >= 0)
		(void)!write(e->keeper_fd, "", 1);
	base_close_fd(&e->keeper_fd);
	e->keeper_fd = -1;
	while (e->keeper > 0 && waitpid(e->keeper, NULL, 0) < 0 &&
	       errno == EINTR)
		;
	e->keeper = 0;
}
