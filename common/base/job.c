/* job.c - a function in a process of its own, heard by the one that waits */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/job.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log_internal.h"
#include "base/signals.h"

#define FRAME_MAX (64u << 20) /* bytes; more is no frame of ours */
#define KEEP 65536	      /* bytes of frames that wait for a write */

/* How events, the result and the error travel: this, then text and hint. */
struct frame {
	enum { FRAME_EVENT, FRAME_RESULT, FRAME_ERROR } kind;
	bool has_hint;
	uint32_t n_text, n_hint;
	enum error_code code; /* of an error, as `sys` is */
	int sys;
	struct log_event event;
};

/* The end of the pipe in the process that works. */
struct sender {
	int fd;
	struct strbuf waiting;
};

static void flush(struct sender *to)
{
	/* Nobody hears: the parent is gone, and so are we in a moment. */
	if (fs_write_all(to->fd, to->waiting.buf, to->waiting.len, NULL) < 0)
		_exit(1);
	strbuf_reset(&to->waiting);
}

/* Secrets that only this process has learned are masked here, except in the
 * result, which nobody shows. */
static void add_frame(struct sender *to, struct frame *f, const char *text,
		      size_t n, const char *hint)
{
	cleanup_strbuf struct strbuf a = STRBUF_INIT, b = STRBUF_INIT;

	strbuf_add(&a, text, n);
	strbuf_addstr(&b, hint ? hint : "");
	if (f->kind != FRAME_RESULT) {
		log_mask(&a);
		log_mask(&b);
	}
	f->has_hint = hint != NULL;
	f->n_text = (uint32_t)a.len;
	f->n_hint = (uint32_t)b.len;
	strbuf_add(&to->waiting, f, sizeof(*f));
	strbuf_add(&to->waiting, a.buf, a.len);
	strbuf_add(&to->waiting, b.buf, b.len);
}

/* Lines of output come in swarms, and go on together. */
static void send_event(void *arg, const struct log_event *e)
{
	struct sender *to = arg;
	struct frame f = { .kind = FRAME_EVENT, .event = *e };

	add_frame(to, &f, e->text, e->n, e->hint);
	if (!e->more || to->waiting.len >= KEEP)
		flush(to);
}

static NORETURN void work(int fd, job_run run, void *arg)
{
	struct sender to = { .fd = fd, .waiting = STRBUF_INIT };
	struct strbuf result = STRBUF_INIT;
	struct error err = ERROR_INIT;
	struct frame f = { .kind = FRAME_RESULT };
	int rc;

	log_divert(send_event, &to);
	rc = run(arg, &result, &err);
	if (!rc) {
		add_frame(&to, &f, result.buf, result.len, NULL);
	} else {
		f.kind = FRAME_ERROR;
		f.code = err.code;
		f.sys = err.sys;
		add_frame(&to, &f, err.msg ? err.msg : "",
			  err.msg ? strlen(err.msg) : 0, err.hint);
	}
	flush(&to);
	_exit(rc ? 1 : 0);
}

/* A parent that died before the signal was asked for sends none. */
static void tie(pid_t parent)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
	    getppid() != parent)
		_exit(1);
	if (null >= 0)
		(void)dup2(null, STDIN_FILENO);
	base_close_fd(&null);
}

static void show(void *arg UNUSED, const struct log_event *e)
{
	log_show(e);
}

int job_start(struct job *j, job_run run, void *arg, log_sink sink,
	      void *sink_arg, struct error *err)
{
	pid_t parent = getpid();
	int fds[2];

	*j = (struct job)JOB_INIT;
	j->sink = sink ? sink : show;
	j->sink_arg = sink_arg;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	j->pid = fork();
	if (j->pid < 0) {
		j->pid = 0;
		close(fds[0]);
		close(fds[1]);
		return error_errno(err, "cannot make a process");
	}
	if (!j->pid) {
		close(fds[0]);
		tie(parent);
		work(fds[1], run, arg);
	}
	close(fds[1]);
	j->fd = fds[0];
	return 0;
}

static void take(struct job *j, const struct frame *f, const char *bytes)
{
	cleanup_free char *hint =
		f->has_hint ? xstrndup(bytes + f->n_text, f->n_hint) : NULL;
	struct log_event e = f->event;

	if (f->kind == FRAME_RESULT) {
		strbuf_add(&j->result, bytes, f->n_text);
	} else if (f->kind == FRAME_ERROR) {
		error_set(&j->error, f->code, "%.*s", (int)f->n_text, bytes);
		j->error.sys = f->sys;
		if (hint)
			error_hint(&j->error, "%s", hint);
	} else {
		e.text = bytes;
		e.hint = hint;
		j->sink(j->sink_arg, &e);
	}
}

static void take_all(struct job *j)
{
	size_t at = 0, left;

	while ((left = j->in.len - at) >= sizeof(struct frame)) {
		struct frame f;

		memcpy(&f, j->in.buf + at, sizeof(f));
		if (f.n_text > FRAME_MAX || f.n_hint > FRAME_MAX) {
			base_close_fd(&j->fd);
			break;
		}
		if (left - sizeof(f) < (size_t)f.n_text + f.n_hint)
			break;
		take(j, &f, j->in.buf + at + sizeof(f));
		at += sizeof(f) + f.n_text + f.n_hint;
	}
	left = j->in.len - at;
	memmove(j->in.buf, j->in.buf + at, left);
	strbuf_setlen(&j->in, left);
}

static void receive(struct job *j)
{
	char buf[KEEP];
	ssize_t n = read(j->fd, buf, sizeof(buf));

	if (n < 0 && errno == EINTR)
		return;
	if (n > 0) {
		strbuf_add(&j->in, buf, (size_t)n);
		take_all(j);
	} else {
		base_close_fd(&j->fd);
	}
}

int job_wait(struct job *const *jobs, size_t n, int ms, struct error *err)
{
	cleanup_free struct pollfd *p = xcalloc(n + 1, sizeof(*p));
	struct timespec wait = { ms / 1000, ms % 1000 * 1000000L };
	sigset_t all, old;
	int rc;
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = (struct pollfd){ jobs[i]->fd, POLLIN, 0 };
	/* A signal that comes before the wait must end it, if nothing else
	 * does. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	errno = EINTR;
	rc = ms < 0 && signals_pending() ?
		     -1 : ppoll(p, n, ms < 0 ? NULL : &wait, &old);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (rc < 0)
		return errno == EINTR ? 0
				      : error_errno(err, "cannot wait");
	for (i = 0; i < n; i++)
		if (p[i].revents)
			receive(jobs[i]);
	return 0;
}

static int reap(struct job *j)
{
	int status = 0;

	while (j->pid > 0 && waitpid(j->pid, &status, 0) < 0 && errno == EINTR)
		;
	j->pid = 0;
	return status;
}

int job_finish(struct job *j, struct error *err)
{
	int status = reap(j);

	if (error_is(&j->error))
		return error_move(err, &j->error);
	if (!status)
		return 0;
	error_set(err, ERR_SYSTEM, "a process of devenv was ended by signal %d",
		  WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		error_hint(err, "perhaps memory ran out");
	return -1;
}

void job_stop(const struct job *j)
{
	if (j->pid > 0)
		kill(j->pid, SIGTERM);
}

void job_release(struct job *j)
{
	if (j->pid > 0)
		kill(j->pid, SIGKILL);
	reap(j);
	base_close_fd(&j->fd);
	strbuf_release(&j->in);
	strbuf_release(&j->result);
	error_release(&j->error);
}
