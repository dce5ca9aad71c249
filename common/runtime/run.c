/* run.c - start sandboxes and processes in them, and wait for their end */
/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/bounds.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/signals.h"

char *runtime_stack(void)
{
	char *stack = mmap(NULL, RUNTIME_STACK, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (stack == MAP_FAILED)
		return NULL;
	/* An overflow must hit nothing of ours. */
	if (mprotect(stack, 4096, PROT_NONE) < 0) {
		munmap(stack, RUNTIME_STACK);
		return NULL;
	}
	return stack;
}

int runtime_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

int runtime_reap(pid_t pid)
{
	siginfo_t info = { 0 };

	while (waitid(P_PID, (id_t)pid, &info, WEXITED | __WALL) < 0)
		if (errno != EINTR)
			return -1;
	return info.si_code == CLD_EXITED ? info.si_status
					  : 128 + info.si_status;
}

int runtime_new_types(const struct runtime_spec *s)
{
	int types = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS;

	if (s->network == RUNTIME_NET_NONE)
		types |= CLONE_NEWNET;
	if (!s->bounds || !s->bounds->host_ipc)
		types |= CLONE_NEWIPC;
	return types;
}

static int clone_flags(const struct runtime_launch *l)
{
	int flags = CLONE_VFORK | SIGCHLD;

	/* Who shares memory may not make a user namespace. */
	if (!runtime_renames(l))
		flags |= CLONE_VM;
	/* What is made in a user namespace belongs to it: that comes first. */
	if (!l->spec || l->spec->root || l->userns >= 0)
		return flags;
	return flags | runtime_new_types(l->spec);
}

static int clone_failed(struct error *err)
{
	int saved = errno;

	error_errno_code(err, saved == EPERM || saved == EINVAL ? ERR_HOST
								: ERR_SYSTEM,
			 "cannot make a sandbox");
	if (saved == EPERM)
		error_hint(err, "namespaces need CAP_SYS_ADMIN or unprivileged"
				" user namespaces; see devenv doctor");
	return -1;
}

/*
 * With CLONE_VFORK this returns when the child runs its program or ended.
 * No signal may be handled in between: handlers would run on shared memory.
 */
pid_t runtime_clone_child(struct runtime_launch *l, struct error *err)
{
	char *stack = runtime_stack();
	int dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
	sigset_t all, old;
	pid_t pid;

	if (!stack)
		return error_errno(err, "cannot make a stack");
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = clone(runtime_child, stack + RUNTIME_STACK, clone_flags(l), l);
	if (pid < 0)
		clone_failed(err);
	/* The flag belongs to the memory, which the child had too. */
	(void)prctl(PR_SET_DUMPABLE, dumpable == 1, 0, 0, 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	munmap(stack, RUNTIME_STACK);
	return pid;
}

pid_t runtime_launch_start(struct runtime_launch *l, struct error *err)
{
	struct runtime_report *r = l->report;
	pid_t pid = l->spec && l->spec->root ? runtime_keep(l, err)
					     : runtime_clone_child(l, err);

	if (pid < 0)
		return -1;
	if (l->p->tty)
		l->master = runtime_fd_receive(l->ours);
	if (l->notify)
		l->listener = runtime_fd_receive(l->ours);
	if (l->join >= 0 || l->userns >= 0) {
		runtime_reap(pid);
		pid = r->pid;
	}
	if (!r->failed && pid > 0)
		return pid;
	if (pid > 0)
		runtime_reap(pid);
	if (!r->failed)
		return error_set(err, ERR_SYSTEM,
				 "the sandbox was killed while it was made");
	error_set(err, r->code, "%s", r->msg);
	if (err)
		err->sys = r->sys;
	if (*r->hint)
		error_hint(err, "%s", r->hint);
	return -1;
}

static unsigned int filter_kind(const struct runtime_launch *l)
{
	if (!l->single)
		return 0;
	return FILTER_SINGLE | (runtime_renames(l) ? 0 : FILTER_ROOT);
}

static int spec_rights(struct runtime_launch *l, struct error *err)
{
	const struct runtime_spec *s = l->spec;
	unsigned int kind;

	l->single = runtime_ids_single();
	if (runtime_caps(s, &l->caps, err) < 0 ||
	    (s->cgroup && runtime_cgroup_open(s->cgroup, l->groups, err) < 0))
		return -1;
	/* A filter needs CAP_SYS_ADMIN, or takes set-user-id programs away. */
	if (s->root) {
		l->caps = runtime_chroot_caps(l->caps);
		return 0;
	}
	if (s->no_seccomp || s->privileged)
		return 0;
	kind = filter_kind(l);
	l->filter = runtime_filter(l->caps, kind);
	/* A sandbox that outlives us would wait for answers for ever. */
	if (l->single && !l->outlive && runtime_owners_possible())
		l->notify = runtime_filter(l->caps, kind | FILTER_NOTIFY);
	return 0;
}

static int make_sockets(struct runtime_launch *l, struct error *err)
{
	int pair[2];

	if (!l->p->tty && !l->notify)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_errno(err, "cannot make a socket pair");
	l->ours = pair[0];
	l->socket = pair[1];
	return 0;
}

int runtime_launch_prepare(struct runtime_launch *l, struct error *err)
{
	void *shared;

	if (l->p->tty || l->p->in < 0 || l->p->out < 0 || l->p->err < 0)
		l->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	l->parent_fd = runtime_pidfd(getpid());
	if (!l->outlive) {
		l->watch = runtime_watch(err);
		if (l->watch < 0)
			return -1;
	}
	l->user = l->p->user;
	if (l->spec && l->spec->swap) {
		l->userns = runtime_swap_open(l->spec->swap, err);
		if (l->userns < 0)
			return -1;
	}
	if ((l->spec && spec_rights(l, err) < 0) || make_sockets(l, err) < 0)
		return -1;
	shared = mmap(NULL, sizeof(*l->report), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		error_errno(err, "cannot share memory");
		return -1;
	}
	l->report = shared;
	return l->spec && l->spec->root ? runtime_chroot_prepare(l, err) : 0;
}

void runtime_launch_release(struct runtime_launch *l)
{
	/* Where it was not done, the command failed: nobody wants the root. */
	(void)runtime_chroot_clean(l, NULL);
	base_close_fd(&l->null_fd);
	base_close_fd(&l->parent_fd);
	base_close_fd(&l->exec_fd);
	base_close_fd(&l->userns);
	base_close_fd(&l->socket);
	base_close_fd(&l->ours);
	base_close_fd(&l->master);
	base_close_fd(&l->listener);
	for (size_t i = 0; i < RUNTIME_GROUPS && l->groups[i]; i++)
		close(l->groups[i]);
	if (l->report)
		munmap(l->report, sizeof(*l->report));
}

void runtime_kill(const struct runtime_launch *l, pid_t pid)
{
	kill(pid, l && l->spec && l->spec->root ? SIGTERM : SIGKILL);
}

/* An interruption that the caller catches ends the sandbox as well; so does
 * the end of the one we work for. */
static int wait_for(struct runtime_launch *l, pid_t pid, int pidfd,
		    struct error *err)
{
	struct pollfd p[3] = { { pidfd, POLLIN, 0 }, { .fd = -1 },
			       { l->hangup, 0, 0 } };
	sigset_t all, old;
	int interrupted;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	while (!(interrupted = signals_check(err))) {
		p[1] = (struct pollfd){ l->listener, POLLIN, 0 };
		if (ppoll(p, ARRAY_SIZE(p), NULL, &old) < 0)
			continue;
		if (p[0].revents)
			break;
		if (p[2].revents)
			runtime_kill(l, pid);
		runtime_owners_answer(l, p[1].revents);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (!interrupted)
		return runtime_reap(pid);
	runtime_kill(l, pid);
	runtime_reap(pid);
	return -1;
}

static int supervise(struct runtime_launch *l, int *status, struct error *err)
{
	cleanup_close int pidfd = -1;
	pid_t pid = runtime_launch_start(l, err);
	int result;

	if (pid < 0)
		return -1;
	pidfd = runtime_pidfd(pid);
	if (l->master >= 0)
		runtime_tty_relay(l, pidfd);
	result = wait_for(l, pid, pidfd, err);
	if (result < 0)
		return -1;
	*status = result;
	return 0;
}

static int run(struct runtime_launch *l, int *status, struct error *err)
{
	int ret;

	if (runtime_launch_prepare(l, err) < 0)
		return -1;
	ret = supervise(l, status, err);
	if (l->spec && l->spec->upper)
		runtime_points_clean(l->spec->upper, l->report);
	return ret < 0 ? ret : runtime_chroot_clean(l, err);
}

int runtime_run(const struct runtime_spec *spec,
		const struct runtime_process *p, int *status,
		struct error *err)
{
	cleanup_runtime_launch struct runtime_launch l = RUNTIME_LAUNCH_INIT;

	l.spec = spec;
	l.p = p;
	return run(&l, status, err);
}

int runtime_start(const struct runtime_spec *spec, struct runtime_sandbox *s,
		  struct error *err)
{
	cleanup_runtime_launch struct runtime_launch l = RUNTIME_LAUNCH_INIT;
	char name[] = "devenv-init";
	char *const argv[] = { name, NULL };
	const struct runtime_process init = {
		.argv = argv, .in = -1, .out = -1, .err = -1
	};
	pid_t pid;

	l.spec = spec;
	l.p = &init;
	l.outlive = true;
	l.exec_fd = runtime_init_program(err);
	if (l.exec_fd < 0 || runtime_launch_prepare(&l, err) < 0)
		return -1;
	pid = runtime_launch_start(&l, err);
	if (pid < 0)
		return -1;
	s->init = pid;
	s->pidfd = runtime_pidfd(pid);
	return 0;
}

uint64_t runtime_start_time(pid_t pid)
{
	cleanup_free char *path = xstrfmt("/proc/%d/stat", pid);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const char *p;
	uint64_t ticks = 0;

	if (fs_read_file(path, 4096, &text, NULL) < 0)
		return 0;
	/* The name may hold anything; the field is 20 after its end. */
	p = strrchr(text.buf, ')');
	for (int i = 0; p && i < 20; i++)
		p = strchr(p + 1, ' ');
	if (p)
		ticks = strtoull(p + 1, NULL, 10);
	return ticks;
}

int runtime_attach(pid_t init, uint64_t start_time, struct runtime_sandbox *s,
		   struct error *err)
{
	cleanup_close int fd = runtime_pidfd(init);

	/* The number is checked after the descriptor holds it fast. */
	if (fd < 0 || (start_time && runtime_start_time(init) != start_time))
		return error_set(err, ERR_SYSTEM,
				 "the environment is not running any more");
	s->init = init;
	s->pidfd = steal_fd(&fd);
	return 0;
}

static int open_of(const struct runtime_sandbox *s, const char *what,
		   int flags, struct error *err)
{
	struct pollfd gone = { .fd = s->pidfd, .events = POLLIN };
	cleanup_free char *path = xstrfmt("/proc/%d/%s", s->init, what);
	cleanup_close int fd = open(path, flags | O_CLOEXEC);

	if (poll(&gone, 1, 0) != 0)
		return error_set(err, ERR_SYSTEM,
				 "the environment is not running any more");
	if (fd < 0)
		return error_errno(err, "cannot look into the environment");
	return steal_fd(&fd);
}

int runtime_root_fd(const struct runtime_sandbox *s, struct error *err)
{
	if (runtime_is_foreign(s))
		return runtime_outer_root(s, err);
	return open_of(s, "root", O_PATH | O_DIRECTORY, err);
}

/* Entering a namespace that is shared with the host would need rights over
 * it that only root has. */
static int differing_namespaces(const struct runtime_sandbox *s)
{
	static const struct {
		const char *name;
		int type;
	} all[] = {
		{ "user", CLONE_NEWUSER }, { "mnt", CLONE_NEWNS },
		{ "pid", CLONE_NEWPID },   { "ipc", CLONE_NEWIPC },
		{ "uts", CLONE_NEWUTS },   { "net", CLONE_NEWNET },
	};
	int types = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		cleanup_free char *ours = xstrfmt("/proc/self/ns/%s",
						  all[i].name);
		cleanup_free char *theirs = xstrfmt("/proc/%d/ns/%s", s->init,
						    all[i].name);
		struct stat a, b;

		if (stat(ours, &a) < 0 || stat(theirs, &b) < 0 ||
		    a.st_ino != b.st_ino || a.st_dev != b.st_dev)
			types |= all[i].type;
	}
	return types;
}

/* The sandbox's rights, read from its init, which has just those. */
int runtime_launch_join(const struct runtime_sandbox *s,
		       struct runtime_launch *l, struct error *err)
{
	cleanup_close int fd = open_of(s, "status", O_RDONLY, err);
	cleanup_close int map = open_of(s, "uid_map", O_RDONLY,
					fd < 0 ? NULL : err);
	cleanup_strbuf struct strbuf text = STRBUF_INIT, ids = STRBUF_INIT;
	const char *caps, *filter;

	l->join = s->pidfd;
	l->join_types = differing_namespaces(s);
	if (fd < 0 || map < 0 || fs_read_fd(fd, 65536, &text, err) < 0 ||
	    fs_read_fd(map, 65536, &ids, err) < 0)
		return -1;
	caps = strstr(text.buf, "\nCapBnd:");
	filter = strstr(text.buf, "\nSeccomp:");
	if (!caps)
		return error_set(err, ERR_SYSTEM, "cannot read the rights of "
						  "the environment");
	l->caps = strtoull(caps + strlen("\nCapBnd:"), NULL, 16);
	l->single = runtime_ids_text_single(ids.buf);
	runtime_limits_join(s, l);
	runtime_cgroup_of(s, l->groups);
	if (filter && strtol(filter + strlen("\nSeccomp:"), NULL, 10) == 2)
		l->filter = runtime_filter(l->caps, filter_kind(l));
	else
		l->filter = NULL;
	return 0;
}

int runtime_exec_until(const struct runtime_sandbox *s,
		       const struct runtime_process *p, int hangup,
		       int *status, struct error *err)
{
	cleanup_runtime_launch struct runtime_launch l = RUNTIME_LAUNCH_INIT;

	l.p = p;
	l.hangup = hangup;
	if (runtime_launch_join(s, &l, err) < 0)
		return -1;
	return run(&l, status, err);
}

int runtime_exec(const struct runtime_sandbox *s,
		 const struct runtime_process *p, int *status,
		 struct error *err)
{
	if (runtime_is_foreign(s))
		return runtime_outer_exec(s, p, status, err);
	return runtime_exec_until(s, p, -1, status, err);
}

static int send_signal(const struct runtime_sandbox *s, int sig)
{
	return (int)syscall(SYS_pidfd_send_signal, s->pidfd, sig, NULL, 0);
}

void runtime_stop(struct runtime_sandbox *s, int grace_ms)
{
	struct pollfd gone = { .fd = s->pidfd, .events = POLLIN };
	cleanup_strvec struct strvec groups = STRVEC_INIT;

	if (s->pidfd >= 0)
		runtime_cgroup_names(s, &groups);
	/* What may not be signalled is not waited for. */
	if (s->pidfd < 0 || send_signal(s, SIGTERM) < 0)
		return;
	if (poll(&gone, 1, grace_ms) <= 0) {
		if (send_signal(s, SIGKILL) < 0)
			return;
		while (poll(&gone, 1, -1) < 0 && errno == EINTR)
			;
	}
	/* Ours to reap only where we made it. */
	waitpid(s->init, NULL, WNOHANG | __WALL);
	runtime_cgroup_remove(&groups);
}

void runtime_sandbox_release(struct runtime_sandbox *s)
{
	base_close_fd(&s->pidfd);
}
