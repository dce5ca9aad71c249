/* keep.c - ends all processes of a command that has no namespace of its own */
/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"

#define END_TRIES 5000 /* of 2 ms */

/*
 * Between devenv and the command stands a process that inherits whatever the
 * command leaves behind, and kills it. Should devenv die, it does the same.
 */

static pid_t parent_of(const char *pid)
{
	cleanup_free char *path = xstrfmt("/proc/%s/stat", pid);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const char *p;
	int parent;

	if (fs_read_file(path, 4096, &text, NULL) < 0)
		return -1;
	/* The name before it may hold anything. */
	p = strrchr(text.buf, ')');
	return p && sscanf(p + 1, " %*c %d", &parent) == 1 ? parent : -1;
}

/* Grandchildren come to us once their parents are gone. */
static void kill_children(void)
{
	DIR *proc = opendir("/proc");
	const struct dirent *d;

	while (proc && (d = readdir(proc)))
		if (*d->d_name >= '1' && *d->d_name <= '9' &&
		    parent_of(d->d_name) == getpid())
			kill((pid_t)strtol(d->d_name, NULL, 10), SIGKILL);
	if (proc)
		closedir(proc);
}

static bool end_all(void)
{
	const struct timespec nap = { .tv_nsec = 2000000 };
	pid_t pid;

	for (int i = 0; i < END_TRIES; i++) {
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (pid < 0 && errno == ECHILD)
			return true;
		kill_children();
		nanosleep(&nap, NULL);
	}
	log_warn("processes that a step left behind cannot be ended");
	return false;
}

/* Its status once it ended, 143 when we are told to end it. */
static int wait_for(pid_t command)
{
	sigset_t wanted;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGCHLD);
	sigaddset(&wanted, SIGTERM);
	for (;;) {
		int sig = sigwaitinfo(&wanted, NULL), status;
		pid_t pid;

		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			if (pid == command)
				return WIFEXITED(status)
					       ? WEXITSTATUS(status)
					       : 128 + WTERMSIG(status);
		if (sig == SIGTERM)
			return 128 + SIGTERM;
	}
}

static int become_keeper(const struct runtime_launch *l)
{
	struct pollfd parent = { l->parent_fd, POLLIN, 0 };
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) < 0 ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return -1;
	(void)prctl(PR_SET_NAME, "devenv-keep", 0, 0, 0);
	return poll(&parent, 1, 0);
}

NORETURN static void keep(struct runtime_launch *l, int ready)
{
	struct error err = ERROR_INIT;
	pid_t command = -1;
	int status = 1;

	if (become_keeper(l) == 0)
		command = runtime_clone_child(l, &err);
	else
		error_set(&err, ERR_SYSTEM, "devenv was killed");
	if (command < 0)
		runtime_report(l->report, &err);
	close(ready);
	if (command > 0)
		status = wait_for(command);
	/* What still writes makes no layer. */
	_exit(end_all() ? status : 128 + SIGKILL);
}

pid_t runtime_keep(struct runtime_launch *l, struct error *err)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		keep(l, ready[1]);
	close(ready[1]);
	/* Its end says that the command runs, or why it does not. */
	while (pid > 0 && read(ready[0], &byte, 1) < 0 && errno == EINTR)
		;
	close(ready[0]);
	return pid < 0 ? error_errno(err, "cannot make a process") : pid;
}
