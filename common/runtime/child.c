/* child.c - from a fresh process to the command's first instruction */
/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/bounds.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"

/*
 * The child usually shares the parent's memory until execve (as vfork), so
 * nothing here may change state that the parent relies on, and ids are set
 * with plain system calls: the C library would tell the parent's threads.
 * It ends by returning from its first function, never by _exit: before that
 * the sanitizers clear what they know of a stack, and would look for it where
 * the parent's is.
 */

void runtime_report(struct runtime_report *r, const struct error *e)
{
	r->failed = true;
	r->code = e->code;
	r->sys = e->sys;
	snprintf(r->msg, sizeof(r->msg), "%s", e->msg ? e->msg : "");
	snprintf(r->hint, sizeof(r->hint), "%s", e->hint ? e->hint : "");
}

/* The signal is tied to the parent that is there when it is asked for. */
static int die_with_parent(const struct runtime_launch *l, struct error *err)
{
	struct pollfd parent = { .fd = l->parent_fd, .events = POLLIN };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return error_errno(err, "cannot tie the command to devenv");
	if (l->parent_fd >= 0 && poll(&parent, 1, 0) != 0)
		return error_set(err, ERR_SYSTEM, "devenv was killed");
	return 0;
}

static int tie_to_parent(const struct runtime_launch *l, struct error *err)
{
	if (die_with_parent(l, err) < 0)
		return -1;
	if (l->watch >= 0 && runtime_watch_me(l->watch) < 0)
		return error_errno(err, "cannot tie the command to devenv");
	return 0;
}

/* That of another sandbox is none of a user namespace of our own. */
static int join_network(const struct runtime_spec *s, struct error *err)
{
	if (s->network == RUNTIME_NET_GIVEN && setns(s->net, CLONE_NEWNET) < 0)
		return error_errno_code(err, ERR_HOST, "cannot enter the "
					"network of another sandbox");
	return 0;
}

static int set_up_network(const struct runtime_launch *l, struct error *err)
{
	if (l->spec->network == RUNTIME_NET_NONE)
		return runtime_loopback_up(err);
	return l->userns >= 0 ? 0 : join_network(l->spec, err);
}

static int build(const struct runtime_launch *l, struct error *err)
{
	const struct runtime_spec *s = l->spec;
	const char *name = s->hostname ? s->hostname : "devenv";

	if (s->root)
		return runtime_chroot_enter(l, err);
	if (set_up_network(l, err) < 0)
		return -1;
	if (sethostname(name, strlen(name)) < 0)
		return error_errno(err, "cannot set the host name '%s'", name);
	return runtime_root_enter(l, err);
}

/* 0..2 are put in place over higher copies: the three may name each other. */
static int set_streams(const struct runtime_launch *l, int tty,
		       struct error *err)
{
	int want[3] = { l->p->in, l->p->out, l->p->err }, high[3];

	for (int i = 0; i < 3; i++) {
		int fd = tty >= 0 ? tty : want[i] >= 0 ? want[i] : l->null_fd;

		high[i] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (high[i] < 0)
			return error_errno(err, "cannot set up stream %d", i);
	}
	for (int i = 0; i < 3; i++)
		if (dup2(high[i], i) < 0)
			return error_errno(err, "cannot set up stream %d", i);
	if (syscall(SYS_close_range, 3, ~0U, 1U << 2 /* CLOEXEC */) < 0)
		return error_errno(err, "cannot close descriptors");
	return 0;
}

/* A terminal of the sandbox's own; its other end goes to the parent. */
static int open_tty(const struct runtime_launch *l, struct error *err)
{
	cleanup_close int master = -1;
	int slave;

	master = runtime_tty_open(err);
	if (master < 0)
		return -1;
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || ioctl(slave, TIOCSCTTY, 0) < 0 ||
	    fchown(slave, l->p->user ? l->p->user->uid : 0, (gid_t)-1) < 0)
		return error_errno(err, "cannot open a terminal");
	if (runtime_fd_send(l->socket, master) < 0)
		return error_errno(err, "cannot pass the terminal on");
	return slave;
}

static int enter_dir(const struct runtime_launch *l, struct error *err)
{
	const struct runtime_user *u = l->p->user;
	const char *cwd = l->p->cwd ? l->p->cwd : "/";
	cleanup_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int fd = -1;
	char real[8];

	if (root < 0)
		return error_errno(err, "cannot open the root");
	fd = fs_open_in_root(root, cwd, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0 && errno == ENOENT && l->p->make_cwd)
		fd = fs_mkdir_in_root(root, cwd, 0755, u ? u->uid : 0,
				      u ? u->gid : 0, err);
	if (fd < 0)
		return err && error_is(err) ? -1 :
		       error_errno_code(err, ERR_RUN,
					"cannot enter the directory '%s'",
					cwd);
	if (fchdir(fd) < 0)
		return error_errno(err, "cannot enter '%s'", cwd);
	/* A directory that is outside of the root has no name here. */
	if (getcwd(real, sizeof(real)) ? *real != '/' : errno != ERANGE)
		return error_set(err, ERR_RUN,
				 "the directory '%s' is not in the image", cwd);
	return 0;
}

bool runtime_renames(const struct runtime_launch *l)
{
	const struct runtime_user *u = l->p->user;

	return l->single && u && (u->uid || u->gid);
}

static int write_own(const struct runtime_launch *l, const char *file,
		     const char *text, struct error *err)
{
	cleanup_close int fd = openat(l->report->proc_fd, file,
				      O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, "cannot open the %s", file);
	return fs_write_all(fd, text, strlen(text), err);
}

/*
 * With a single id mapped a user other than root is that id by another name,
 * in one more user namespace. It is made where no process of the sandbox can
 * see this one, because its maps belong to root unless it may be traced.
 */
static int rename_user(const struct runtime_launch *l, struct error *err)
{
	char uid_map[32], gid_map[32];

	if (!runtime_renames(l))
		return 0;
	snprintf(uid_map, sizeof(uid_map), "%u 0 1\n", l->p->user->uid);
	snprintf(gid_map, sizeof(gid_map), "%u 0 1\n", l->p->user->gid);
	if (unshare(CLONE_NEWUSER) < 0 ||
	    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
		return error_errno(err, "cannot make a user namespace");
	if (write_own(l, "uid_map", uid_map, err) < 0 ||
	    write_own(l, "setgroups", "deny", err) < 0 ||
	    write_own(l, "gid_map", gid_map, err) < 0)
		return -1;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_errno(err, "cannot protect this process");
	return 0;
}

static int set_filter(const struct runtime_launch *l, struct error *err)
{
	if (l->p->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_errno(err, "cannot set no_new_privs");
	if (!l->filter)
		return 0;
	if (l->notify) {
		cleanup_close int listener = (int)syscall(
			SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			SECCOMP_FILTER_FLAG_NEW_LISTENER, l->notify);

		if (listener >= 0)
			return runtime_fd_send(l->socket, listener) == 0 ? 0 :
			       error_errno(err, "cannot pass a descriptor on");
	}
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, l->filter) < 0)
		return error_errno_code(err, ERR_HOST,
					"cannot install the seccomp filter");
	return 0;
}

static int set_ids(const struct runtime_launch *l, struct error *err)
{
	static const struct runtime_user root = { 0 };
	const struct runtime_user *u = l->p->user ? l->p->user : &root;
	/* Who started it may end it, also from another namespace. */
	uid_t real = l->userns >= 0 ? l->spec->swap->uid : u->uid;
	int n;

	if (!l->single && syscall(SYS_setgroups, u->n_groups, u->groups) < 0)
		return error_errno(err, "cannot set supplementary groups");
	n = (int)syscall(SYS_setresgid, u->gid, u->gid, u->gid);
	if (n == 0)
		n = (int)syscall(SYS_setresuid, real, u->uid, u->uid);
	if (n == 0)
		return 0;
	error_errno(err, "cannot become user %u, group %u", u->uid, u->gid);
	return error_hint(err, "the ranges in /etc/subuid and /etc/subgid "
			       "may be too small");
}

static int drop_rights(const struct runtime_launch *l, struct error *err)
{
	if (l->join < 0 && rename_user(l, err) < 0)
		return -1;
	if (runtime_limits_set(l, err) < 0 || runtime_caps_bound(l->caps, err) < 0 ||
	    set_filter(l, err) < 0 || set_ids(l, err) < 0 ||
	    runtime_caps_set(l->caps, err) < 0)
		return -1;
	/* A change of ids forgets it. */
	return die_with_parent(l, err);
}

/* Our init takes its signals by waiting for them. */
static void reset_signals(bool block)
{
	struct sigaction act = { .sa_handler = SIG_DFL };
	sigset_t mask;

	if (block)
		sigfillset(&mask);
	else
		sigemptyset(&mask);

	for (int sig = 1; sig < 32; sig++)
		(void)sigaction(sig, &act, NULL);
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
}

/* As execvp does, with the PATH of the command's environment. ENOENT must
 * not hide that a file was there but could not be executed. */
static int exec_in_path(char *const *argv, char *const *env, const char *path)
{
	char full[PATH_MAX];
	int result = ENOENT;

	for (const char *end; path; path = *end ? end + 1 : NULL) {
		int n;

		end = path + strcspn(path, ":");
		n = snprintf(full, sizeof(full), "%.*s%s%s",
			     (int)(end - path), path, end > path ? "/" : "",
			     argv[0]);
		if (n >= (int)sizeof(full))
			continue;
		execve(full, argv, env);
		if (errno == ENOENT || errno == ENOTDIR)
			continue;
		if (errno != EACCES)
			return errno;
		result = EACCES;
	}
	return result;
}

static int cannot_run(const char *name, int why, struct error *err)
{
	errno = why;
	if (why == ENOENT || why == ENOTDIR) {
		if (strchr(name, '/') && access(name, F_OK) == 0)
			return error_set(err, ERR_RUN_MISSING,
					 "cannot run '%s': its interpreter "
					 "is not in the image", name);
		return error_set(err, ERR_RUN_MISSING,
				 "cannot run '%s': command not found", name);
	}
	return error_errno_code(err, ERR_RUN_PERM, "cannot run '%s'", name);
}

static int execute(const struct runtime_launch *l, struct error *err)
{
	static char *const empty[] = { NULL };
	char *const *argv = l->p->argv;
	char *const *env = l->p->env && l->p->env->v ? l->p->env->v : empty;
	const char *path = NULL;

	reset_signals(l->exec_fd >= 0);
	/* Until here it would have been a sandbox that nobody knows. */
	if (l->outlive && prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) < 0)
		return error_errno(err, "cannot let the sandbox go on");
	if (l->exec_fd >= 0) {
		syscall(SYS_execveat, l->exec_fd, "", argv, env,
			AT_EMPTY_PATH);
		return error_errno(err, "cannot start the sandbox's init");
	}
	if (!*argv[0])
		return cannot_run(argv[0], ENOENT, err);
	if (strchr(argv[0], '/')) {
		execve(argv[0], argv, env);
		return cannot_run(argv[0], errno, err);
	}
	if (l->p->env)
		path = strvec_env_get(l->p->env, "PATH");
	return cannot_run(argv[0],
			  exec_in_path(argv, env, path ? path
				  : "/usr/local/sbin:/usr/local/bin:/usr/sbin:"
				    "/usr/bin:/sbin:/bin"), err);
}

static int become(const struct runtime_launch *l, struct error *err)
{
	int tty = -1;

	/* Keeps the command away from the terminal of whoever calls. */
	if (setsid() < 0 && errno != EPERM)
		return error_errno(err, "cannot start a session");
	if (l->p->tty) {
		tty = open_tty(l, err);
		if (tty < 0)
			return -1;
	}
	if (set_streams(l, tty, err) < 0 || enter_dir(l, err) < 0)
		return -1;
	umask(l->p->umask ? l->p->umask : 022);
	if (drop_rights(l, err) < 0)
		return -1;
	return execute(l, err);
}

/* The status of a process that could not become the command. */
static int give_up(const struct runtime_launch *l, struct error *err)
{
	runtime_report(l->report, err);
	error_release(err);
	return 1;
}

static int joined(void *arg)
{
	const struct runtime_launch *l = arg;
	struct error err = ERROR_INIT;

	if (tie_to_parent(l, &err) == 0)
		become(l, &err);
	return give_up(l, &err);
}

/* The first process of a new sandbox. */
static int built(void *arg)
{
	const struct runtime_launch *l = arg;
	struct error err = ERROR_INIT;

	if (tie_to_parent(l, &err) == 0 &&
	    runtime_cgroup_enter(l->groups, &err) == 0 && build(l, &err) == 0)
		become(l, &err);
	return give_up(l, &err);
}

/*
 * A process id namespace holds for children only, so one more process is
 * needed; it is made a child of the waiting parent.
 */
static int go_on(const struct runtime_launch *l, int (*as)(void *), int types,
		 struct error *err)
{
	int flags = CLONE_VM | CLONE_VFORK | CLONE_PARENT | SIGCHLD | types;
	char *stack = runtime_stack();
	pid_t pid;

	if (!stack)
		return error_errno(err, "cannot make a stack");
	pid = clone(as, stack + RUNTIME_STACK, flags, (void *)l);
	if (pid < 0)
		return error_errno(err, "cannot make a process");
	l->report->pid = pid;
	munmap(stack, RUNTIME_STACK);
	return 0;
}

/* Become root of the sandbox's user namespace, which then owns the others. */
static int enter_userns(const struct runtime_launch *l, struct error *err)
{
	if (chdir(l->spec->swap->dir) < 0)
		return error_errno(err, "cannot enter '%s'",
				   l->spec->swap->dir);
	if (join_network(l->spec, err) < 0)
		return -1;
	if (setns(l->userns, CLONE_NEWUSER) < 0 ||
	    syscall(SYS_setgroups, 0, NULL) < 0 ||
	    syscall(SYS_setresgid, 0, 0, 0) < 0 ||
	    syscall(SYS_setresuid, 0, 0, 0) < 0)
		return error_errno(err, "cannot enter a user namespace");
	return go_on(l, built, runtime_new_types(l->spec), err);
}

static int join(const struct runtime_launch *l, struct error *err)
{
	if (runtime_cgroup_enter(l->groups, err) < 0)
		return -1;
	if (setns(l->join, l->join_types) < 0)
		return error_errno(err, "cannot enter the environment");
	if (rename_user(l, err) < 0)
		return -1;
	return go_on(l, joined, 0, err);
}

/* Named before anything else is: /proc is the host's here. */
static int open_self(const struct runtime_launch *l, struct error *err)
{
	if (!runtime_renames(l))
		return 0;
	l->report->proc_fd = open("/proc/self",
				  O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (l->report->proc_fd < 0)
		return error_errno(err, "cannot open /proc/self");
	return 0;
}

int runtime_child(void *launch)
{
	struct runtime_launch *l = launch;
	struct error err = ERROR_INIT;

	/* Processes of the sandbox must not look into this memory. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) {
		error_errno(&err, "cannot protect this process");
		return give_up(l, &err);
	}
	if (open_self(l, &err) < 0)
		return give_up(l, &err);
	if (l->join >= 0)
		return join(l, &err) == 0 ? 0 : give_up(l, &err);
	if (l->userns >= 0)
		return enter_userns(l, &err) == 0 ? 0 : give_up(l, &err);
	return built(l);
}
