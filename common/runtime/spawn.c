/* spawn.c - processes that run side by side, with their output logged */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/signals.h"
#include "runtime/internal.h"

#define DRAIN_MAX 64 /* pieces of output */

/* A process of ours stands for one that another process must start. */
static pid_t begin_foreign(const struct runtime_process *p,
			   const struct runtime_sandbox *s, struct error *err)
{
	struct error failed = ERROR_INIT;
	int status = 0;
	pid_t pid;

	if (p->outlive && runtime_outer_exec(s, p, &status, err) < 0)
		return -1;
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return error_errno(err, "cannot make a process");
	if (pid > 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (!p->outlive &&
	    runtime_outer_exec(s, p, &status, &failed) < 0) {
		log_report(&failed);
		status = (int)failed.code;
	}
	_exit(status);
}

static int begin(struct runtime_child *c, const struct runtime_process *p,
		 const struct runtime_sandbox *s, struct error *err)
{
	struct runtime_launch *l = c->launch;
	struct runtime_process copy = *p;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	c->output = fds[0];
	c->input = fds[1];
	if (copy.out < 0)
		copy.out = c->input;
	if (copy.err < 0)
		copy.err = c->input;
	l->p = &copy;
	l->outlive = p->outlive;
	if (s && runtime_is_foreign(s)) {
		c->pid = begin_foreign(&copy, s, err);
		c->pidfd = c->pid < 0 ? -1 : runtime_pidfd(c->pid);
		return c->pid < 0 ? -1 : 0;
	}
	if ((s && runtime_launch_join(s, l, err) < 0) ||
	    runtime_launch_prepare(l, err) < 0)
		return -1;
	c->pid = runtime_launch_start(l, err);
	l->p = NULL; /* the copy goes; the process has begun */
	if (c->pid < 0)
		return -1;
	c->pidfd = runtime_pidfd(c->pid);
	return 0;
}

static int spawn(const struct runtime_spec *spec,
		 const struct runtime_sandbox *s,
		 const struct runtime_process *p, const char *prefix,
		 struct runtime_child *c, struct error *err)
{
	*c = (struct runtime_child)RUNTIME_CHILD_INIT;
	c->launch = xmalloc(sizeof(*c->launch));
	*c->launch = (struct runtime_launch)RUNTIME_LAUNCH_INIT;
	c->launch->spec = spec;
	c->log = log_output_new(prefix);
	if (!begin(c, p, s, err))
		return 0;
	runtime_child_release(c);
	return -1;
}

int runtime_spawn(const struct runtime_spec *spec,
		  const struct runtime_process *p, const char *prefix,
		  struct runtime_child *c, struct error *err)
{
	return spawn(spec, NULL, p, prefix, c, err);
}

int runtime_spawn_in(const struct runtime_sandbox *s,
		     const struct runtime_process *p, const char *prefix,
		     struct runtime_child *c, struct error *err)
{
	return spawn(NULL, s, p, prefix, c, err);
}

static int read_output(struct runtime_child *c, struct error *err)
{
	char buf[16384];
	ssize_t n = read(c->output, buf, sizeof(buf));

	if (n < 0 && errno != EINTR && errno != EAGAIN)
		return error_errno(err, "cannot read output");
	if (n > 0)
		log_output_add(c->log, buf, (size_t)n);
	return 0;
}

/* The output of a process that ended: a daemon it left in a sandbox that goes
 * on may hold the pipe, so nobody waits for its end. */
static int end_child(struct runtime_child *c, struct error *err)
{
	struct runtime_launch *l = c->launch;
	struct pollfd p = { c->output, POLLIN, 0 };

	/* No more than a pipe can hold: the daemon may write on. */
	for (int i = 0; i < DRAIN_MAX && poll(&p, 1, 0) > 0; i++)
		if (read_output(c, err) < 0)
			return -1;
	close(steal_fd(&c->output));
	close(steal_fd(&c->input));
	close(steal_fd(&c->pidfd));
	c->status = runtime_reap(c->pid);
	if (l->spec && l->spec->upper)
		runtime_points_clean(l->spec->upper, l->report);
	return runtime_chroot_clean(l, err);
}

static int listener_of(const struct runtime_child *c)
{
	return c->launch ? c->launch->listener : -1;
}

/* 0: something happened; 1: nothing did for `ms` (-1: for ever). */
static int wait_any(struct runtime_child *const *children, size_t n, int ms,
		    struct error *err)
{
	cleanup_free struct pollfd *polls = xcalloc(3 * n, sizeof(*polls));
	size_t i;
	int ready;

	for (i = 0; i < n; i++) {
		struct pollfd *p = polls + 3 * i;

		p[0] = (struct pollfd){ children[i]->output, POLLIN, 0 };
		p[1] = (struct pollfd){ children[i]->pidfd, POLLIN, 0 };
		p[2] = (struct pollfd){ listener_of(children[i]), POLLIN, 0 };
	}
	ready = poll(polls, 3 * n, ms);
	if (ready < 0 && errno != EINTR)
		return error_errno(err, "cannot wait");
	if (signals_check(err) < 0)
		return -1;
	if (!ready)
		return 1;
	for (i = 0; i < n; i++) {
		struct pollfd *p = polls + 3 * i;

		if (p[0].revents && read_output(children[i], err) < 0)
			return -1;
		if (p[2].revents)
			runtime_owners_answer(children[i]->launch,
					      p[2].revents);
		if (p[1].revents && end_child(children[i], err) < 0)
			return -1;
	}
	return 0;
}

static bool any_runs(struct runtime_child *const *children, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (children[i]->pidfd >= 0)
			return true;
	return false;
}

int runtime_collect(struct runtime_child *const *children, size_t n,
		    struct error *err)
{
	while (any_runs(children, n))
		if (wait_any(children, n, -1, err) < 0)
			return -1;
	return 0;
}

int runtime_collect_for(struct runtime_child *const *children, size_t n,
			int64_t ms, struct error *err)
{
	const int64_t end = clock_ms() + ms;

	while (any_runs(children, n)) {
		int64_t left = end - clock_ms();

		if (left <= 0)
			return 1;
		if (wait_any(children, n, (int)left, err) < 0)
			return -1;
	}
	return 0;
}

void runtime_child_leave(struct runtime_child *c)
{
	base_close_fd(&c->pidfd);
	c->pidfd = -1;
	runtime_child_release(c);
}

void runtime_child_release(struct runtime_child *c)
{
	if (c->pidfd >= 0) {
		runtime_kill(c->launch, c->pid);
		if (end_child(c, NULL) < 0)
			runtime_reap(c->pid);
	}
	base_close_fd(&c->pidfd);
	base_close_fd(&c->output);
	base_close_fd(&c->input);
	log_output_end(c->log);
	if (c->launch)
		runtime_launch_release(c->launch);
	free(c->launch);
	*c = (struct runtime_child)RUNTIME_CHILD_INIT;
}
