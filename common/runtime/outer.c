/* outer.c - what only the process outside of our user namespace may do */
/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/signals.h"

/*
 * A user's environment lives in a user namespace of the devenv process that
 * made it. A process in a namespace beside it may not enter, but the one that
 * runtime_enter left outside may: it forks a helper for every request. Each
 * request is a socket; through it go the text of the request, the descriptors
 * and the answer, and its end ends the command.
 */
#define TEXT_MAX ((size_t)32 << 20)

struct request {
	bool exec; /* else: open the root */
	bool make_cwd, tty, no_new_privs, outlive, has_user;
	mode_t umask;
	pid_t init;
	uid_t uid;
	gid_t gid;
	size_t n_groups, n_argv, n_env; /* then these, then the directory */
};

struct answer {
	bool failed;
	enum error_code code;
	int sys, status;
	char msg[1024], hint[512];
};

int *runtime_outer(void)
{
	static int sock = -1;

	return &sock;
}

bool runtime_is_foreign(const struct runtime_sandbox *s)
{
	cleanup_free char *theirs = xstrfmt("/proc/%d/ns/user", s->init);
	struct stat a, b;

	if (*runtime_outer() < 0 || stat("/proc/self/ns/user", &a) < 0)
		return false;
	return stat(theirs, &b) < 0 ? errno == EACCES
				    : a.st_ino != b.st_ino;
}

static void add_strings(struct strbuf *out, char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		strbuf_add(out, v[i], strlen(v[i]) + 1);
}

static void write_request(const struct runtime_sandbox *s,
			  const struct runtime_process *p, struct strbuf *out)
{
	struct request r = { .init = s->init };
	const struct runtime_user *u = p ? p->user : NULL;
	const char *cwd = p && p->cwd ? p->cwd : "/";

	if (p) {
		r.exec = true;
		r.make_cwd = p->make_cwd;
		r.tty = p->tty;
		r.no_new_privs = p->no_new_privs;
		r.outlive = p->outlive;
		r.umask = p->umask;
		r.n_env = p->env ? p->env->nr : 0;
		while (p->argv[r.n_argv])
			r.n_argv++;
	}
	if (u) {
		r.has_user = true;
		r.uid = u->uid;
		r.gid = u->gid;
		r.n_groups = u->n_groups;
	}
	strbuf_add(out, &r, sizeof(r));
	if (r.n_groups)
		strbuf_add(out, u->groups, r.n_groups * sizeof(gid_t));
	add_strings(out, p ? p->argv : NULL, r.n_argv);
	add_strings(out, r.n_env ? p->env->v : NULL, r.n_env);
	strbuf_add(out, cwd, strlen(cwd) + 1);
}

static int send_request(int sock, const struct strbuf *text,
			const struct runtime_sandbox *s,
			const struct runtime_process *p, struct error *err)
{
	cleanup_close int mem = memfd_create("devenv-request", MFD_CLOEXEC);
	cleanup_close int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const int want[3] = { p ? p->in : -1, p ? p->out : -1,
			      p ? p->err : -1 };

	if (mem < 0 || null < 0)
		return error_errno(err, "cannot make a request");
	if (fs_write_all(mem, text->buf, text->len, err) < 0)
		return -1;
	if (lseek(mem, 0, SEEK_SET) < 0 || runtime_fd_send(sock, mem) < 0 ||
	    runtime_fd_send(sock, s->pidfd) < 0)
		return error_errno(err, "cannot send a request");
	/* What nobody reads would turn the answer into a reset. */
	for (int i = 0; p && i < 3; i++)
		if (runtime_fd_send(sock, want[i] < 0 ? null : want[i]) < 0)
			return error_errno(err, "cannot send a request");
	return 0;
}

static int wait_answer(int sock, struct answer *a, struct error *err)
{
	struct pollfd p = { sock, POLLIN, 0 };
	sigset_t all, old;
	int interrupted;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	while (!(interrupted = signals_check(err)))
		if (ppoll(&p, 1, NULL, &old) > 0)
			break;
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (interrupted)
		return -1;
	if (recv(sock, a, sizeof(*a), 0) != sizeof(*a))
		return error_set(err, ERR_SYSTEM, "the process that entered "
				 "the environment was killed");
	if (!a->failed)
		return 0;
	error_set(err, a->code, "%s", a->msg);
	if (err)
		err->sys = a->sys;
	return *a->hint ? error_hint(err, "%s", a->hint) : -1;
}

/* Returns the descriptor for the root, 0 for a command. */
static int ask(const struct runtime_sandbox *s,
	       const struct runtime_process *p, int *status,
	       struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int ours = -1, theirs = -1;
	struct pollfd more = { .events = POLLIN };
	struct answer a;
	int pair[2], fd;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_errno(err, "cannot make a socket pair");
	ours = more.fd = pair[0];
	theirs = pair[1];
	write_request(s, p, &text);
	if (send_request(ours, &text, s, p, err) < 0)
		return -1;
	if (runtime_fd_send(*runtime_outer(), theirs) < 0)
		return error_errno(err, "cannot reach the process outside");
	close(steal_fd(&theirs));
	if (wait_answer(ours, &a, err) < 0)
		return -1;
	if (p) {
		*status = a.status;
		return 0;
	}
	/* It follows the answer. */
	while (poll(&more, 1, -1) < 0 && errno == EINTR)
		;
	fd = runtime_fd_receive(ours);
	return fd >= 0 ? fd : error_set(err, ERR_SYSTEM, "the root of the "
					"environment did not arrive");
}

int runtime_outer_root(const struct runtime_sandbox *s, struct error *err)
{
	return ask(s, NULL, NULL, err);
}

int runtime_outer_exec(const struct runtime_sandbox *s,
		       const struct runtime_process *p, int *status,
		       struct error *err)
{
	return ask(s, p, status, err);
}

/* From here on: the helper. */

struct text {
	const char *at, *end;
};

static const void *take(struct text *t, size_t n)
{
	const char *from = t->at;

	if (n > (size_t)(t->end - t->at))
		_exit(ERR_SYSTEM);
	t->at += n;
	return from;
}

static void take_strings(struct text *t, size_t n, struct strvec *out)
{
	while (n--) {
		size_t len = strnlen(t->at, (size_t)(t->end - t->at));

		strvec_push(out, take(t, len + 1));
	}
}

static int start_only(const struct runtime_sandbox *s,
		      const struct runtime_process *p, struct error *err)
{
	struct runtime_child child;

	if (runtime_spawn_in(s, p, NULL, &child, err) < 0)
		return -1;
	runtime_child_leave(&child);
	return 0;
}

static int run_command(int sock, struct text *t, const struct request *r,
		       const struct runtime_sandbox *s, int *status,
		       struct error *err)
{
	cleanup_strvec struct strvec argv = STRVEC_INIT, env = STRVEC_INIT;
	cleanup_strvec struct strvec cwd = STRVEC_INIT;
	cleanup_free gid_t *groups = xcalloc(r->n_groups + 1, sizeof(gid_t));
	struct runtime_user user = { .uid = r->uid, .gid = r->gid,
				     .groups = groups,
				     .n_groups = r->n_groups };
	struct runtime_process p = {
		.env = &env, .make_cwd = r->make_cwd, .tty = r->tty,
		.no_new_privs = r->no_new_privs, .outlive = r->outlive,
		.umask = r->umask, .user = r->has_user ? &user : NULL,
		.in = runtime_fd_receive(sock), .out = runtime_fd_receive(sock),
		.err = runtime_fd_receive(sock),
	};

	if (p.in < 0 || p.out < 0 || p.err < 0)
		return error_set(err, ERR_SYSTEM, "a descriptor is missing");
	memcpy(groups, take(t, r->n_groups * sizeof(gid_t)),
	       r->n_groups * sizeof(gid_t));
	take_strings(t, r->n_argv, &argv);
	take_strings(t, r->n_env, &env);
	take_strings(t, 1, &cwd);
	p.argv = strvec_argv(&argv);
	p.cwd = cwd.v[0];
	return r->outlive ? start_only(s, &p, err)
			  : runtime_exec_until(s, &p, sock, status, err);
}

static int serve(int sock, int *root, int *status, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int mem = runtime_fd_receive(sock);
	struct runtime_sandbox s = { .pidfd = runtime_fd_receive(sock) };
	struct request r;
	struct text t;

	if (mem < 0 || s.pidfd < 0)
		return error_set(err, ERR_SYSTEM, "a request is incomplete");
	if (fs_read_fd(mem, TEXT_MAX, &text, err) < 0)
		return -1;
	t = (struct text){ text.buf, text.buf + text.len };
	memcpy(&r, take(&t, sizeof(r)), sizeof(r));
	s.init = r.init;
	if (r.exec)
		return run_command(sock, &t, &r, &s, status, err);
	*root = runtime_root_fd(&s, err);
	return *root < 0 ? -1 : 0;
}

void runtime_outer_serve(int sock)
{
	struct error err = ERROR_INIT;
	struct answer a = { 0 };
	int root = -1;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (serve(sock, &root, &a.status, &err) < 0) {
		a.failed = true;
		a.code = err.code;
		a.sys = err.sys;
		snprintf(a.msg, sizeof(a.msg), "%s", err.msg);
		snprintf(a.hint, sizeof(a.hint), "%s",
			 err.hint ? err.hint : "");
	}
	if (send(sock, &a, sizeof(a), MSG_NOSIGNAL) < 0 ||
	    (root >= 0 && runtime_fd_send(sock, root) < 0))
		_exit(ERR_SYSTEM);
	_exit(0);
}
