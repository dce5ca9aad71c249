/* proc.c - run another program and talk to it */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4
#endif

extern char **environ;

char *proc_which(const char *name)
{
	cleanup_strvec struct strvec dirs = STRVEC_INIT;
	const char *path = getenv("PATH");
	size_t i;

	if (strchr(name, '/'))
		return access(name, X_OK) ? NULL : xstrdup(name);
	strvec_split(&dirs, path ? path : "/usr/bin:/bin", ":");
	for (i = 0; i < dirs.nr; i++) {
		cleanup_free char *full = xstrfmt("%s/%s", dirs.v[i], name);

		if (!access(full, X_OK) && fs_is_file(full))
			return steal_ptr(&full);
	}
	return NULL;
}

/* Put `fd` (or /dev/null's copy, opened by the parent) at place `to`. */
static bool place(int fd, int to)
{
	if (fd < 0 || fd == to)
		return true;
	return dup2(fd, to) >= 0;
}

/* In the forked child: only async-signal-safe calls. */
static NORETURN void child(const struct proc *p, const char *program,
			   char *const *envp, int report)
{
	sigset_t none;
	int sys, fds[3] = { p->in, p->out, p->err }, i;

	for (i = 0; i < 3; i++) /* out of the way of the places 0..2 */
		if (fds[i] >= 0 && fds[i] < 3 && fds[i] != i)
			fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
	for (i = 0; i < 3 && place(fds[i], i); i++)
		;
	if (i == 3 && (!p->dir || !chdir(p->dir))) {
		syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		signal(SIGPIPE, SIG_DFL);
		execve(program, p->args.v, envp);
	}
	sys = errno;
	(void)!write(report, &sys, sizeof(sys));
	_exit(127);
}

/* A path is one from the directory it runs in. */
static char *find_program(const struct proc *p)
{
	const char *name = p->args.v[0];

	return strchr(name, '/') ? xstrdup(name) : proc_which(name);
}

int proc_start(struct proc *p, struct error *err)
{
	cleanup_free char *program = find_program(p);
	cleanup_close int in = -1, out = -1;
	char *const *envp = p->env ? p->env->v : environ;
	int fds[2], sys = 0;

	if (!program) {
		errno = ENOENT;
		return error_errno(err, "cannot run '%s'", p->args.v[0]);
	}
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	in = fds[0];
	out = fds[1];
	p->pid = fork();
	if (p->pid < 0)
		return error_errno(err, "cannot fork");
	if (!p->pid)
		child(p, program, envp, out);
	close(steal_fd(&out));
	if (fs_read_full(in, &sys, sizeof(sys)) == (ssize_t)sizeof(sys)) {
		waitpid(p->pid, NULL, 0);
		p->pid = 0;
		errno = sys;
		return error_errno(err, "cannot run '%s'", p->args.v[0]);
	}
	return 0;
}

int proc_wait(struct proc *p, struct error *err)
{
	int status;

	while (waitpid(p->pid, &status, 0) < 0)
		if (errno != EINTR)
			return error_errno(err, "cannot wait for '%s'",
					   p->args.v[0]);
	p->pid = 0;
	p->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status)
					: WEXITSTATUS(status);
	return 0;
}

void proc_release(struct proc *p)
{
	if (p->pid > 0) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
	}
	strvec_release(&p->args);
	*p = (struct proc)PROC_INIT;
}

/* Feed and read until the child closes its output. */
static int exchange(struct proc *p, int *to, int from,
		    const struct strbuf *input, struct strbuf *out,
		    size_t max, struct error *err)
{
	int64_t end = p->timeout_ms ? clock_ms() + p->timeout_ms : 0;
	size_t fed = 0;

	for (;;) {
		struct pollfd fds[2] = { { from, POLLIN, 0 },
					 { *to, POLLOUT, 0 } };
		int wait = -1, n;

		if (!input || fed == input->len)
			if (*to >= 0)
				close(steal_fd(to));
		fds[1].fd = *to;
		if (end)
			wait = (int)MAX(end - clock_ms(), 0);
		n = poll(fds, 2, wait);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "cannot wait");
		if (!n)
			return error_set(err, ERR_SYSTEM,
					 "'%s' did not end in %d ms",
					 p->args.v[0], p->timeout_ms);
		if (input && fds[1].revents) {
			ssize_t w = write(*to, input->buf + fed,
					  input->len - fed);

			if (w > 0)
				fed += (size_t)w;
			else if (w < 0 && errno != EAGAIN && errno != EINTR)
				close(steal_fd(to)); /* it reads no more */
		}
		if (fds[0].revents) {
			ssize_t r;

			strbuf_grow(out, 65536);
			r = read(from, out->buf + out->len, 65536);
			if (r < 0 && errno != EINTR)
				return error_errno(err, "cannot read");
			if (!r)
				return 0;
			if (r > 0)
				strbuf_setlen(out, out->len + (size_t)r);
			if (out->len > max)
				return error_set(err, ERR_SYSTEM,
						 "'%s' wrote more than %zu "
						 "bytes", p->args.v[0], max);
		}
	}
}

int proc_capture(struct proc *p, const struct strbuf *input,
		 struct strbuf *out, size_t max, struct error *err)
{
	cleanup_close int to = -1, from = -1, child_in = -1, child_out = -1;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	child_in = fds[0];
	to = fds[1];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	from = fds[0];
	child_out = fds[1];
	p->in = child_in;
	p->out = child_out;
	if (proc_start(p, err) < 0)
		return -1;
	close(steal_fd(&child_in));
	close(steal_fd(&child_out));
	fcntl(to, F_SETFL, O_NONBLOCK);
	if (exchange(p, &to, from, input, out, max, err) < 0) {
		kill(p->pid, SIGKILL);
		if (proc_wait(p, NULL) < 0)
			p->pid = 0;
		return -1;
	}
	return proc_wait(p, err);
}
