/* service.c - the one process of a service, from its start to its end */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "env/internal.h"

#define ENDED "ended" /* {"pid": of the sandbox, "status": 0..255} */
#define ENDED_MAX 4096
#define SHOWN_LINES 20
#define SHOWN_BYTES 8192

char *env_service_name(const char *name, const char *service)
{
	cleanup_free char *full = xstrfmt("%s-%s", name, service);
	char digest[DIGEST_TEXT];

	if (env_name_valid(full))
		return steal_ptr(&full);
	digest_bytes(full, strlen(full), digest);
	return xstrfmt("%.50s-%.12s", full, digest_hex(digest));
}

int service_process(struct env *e, const struct env_options *o,
		    char *const *argv, struct env_process *ep,
		    struct error *err)
{
	const struct env_command c = { .argv = argv };
	const char *user = json_get_str(e->config, "containerUser");
	cleanup_close int root = runtime_root_fd(&e->sandbox, err);

	if (!user)
		user = o->image->config.user ? o->image->config.user : "";
	if (root < 0 || runtime_user_lookup(root, user, &ep->user, err) < 0)
		return -1;
	env_variables(&e->env, NULL, NULL, false, ep);
	ep->cwd = xstrdup(entry_dir(o));
	env_process_fill(ep, &c);
	ep->p.no_new_privs = e->no_new_privs;
	return 0;
}

/*
 * A small process waits for the service, as nobody else could tell how it
 * ended: it has the service for a child and lives as long. A process that
 * ended and is not waited for keeps its sandbox from ending, so this is no
 * task for a keeper, who may have to wait for others.
 */

/* Where it has its descriptors. */
enum { DIRECTORY, SANDBOX, WORDS, LOG, PLACES };

static pid_t spawn(struct env *e, int log, struct error *err)
{
	cleanup_env_process struct env_process ep = { 0 };
	cleanup_strvec struct strvec argv = STRVEC_INIT;
	struct runtime_child child;
	pid_t pid;

	entry_command(e->options, &argv);
	if (service_process(e, e->options, argv.v, &ep, err) < 0)
		return -1;
	ep.p.out = log;
	ep.p.err = log;
	/* It is the sandbox that ends it, not the death of its parent. */
	ep.p.outlive = true;
	if (runtime_spawn_in(&e->sandbox, &ep.p, NULL, &child, err) < 0)
		return -1;
	pid = child.pid;
	runtime_child_leave(&child);
	return pid;
}

/* Of a directory that is held: another environment may have the name now. */
static void note(int dirfd, pid_t init, int status)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text, "{\"pid\": %d, \"status\": %d}\n", init, status);
	(void)!fs_write_atomic(dirfd, ENDED, text.buf, text.len, 0600, NULL);
}

/* Nothing of devenv's stays open: not its output, not its locks. */
static int settle(struct env *e, int log, int to)
{
	const int dir = open(e->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const int from[PLACES] = { [DIRECTORY] = dir,
				   [SANDBOX] = e->sandbox.pidfd,
				   [WORDS] = to, [LOG] = log };
	int i, high[PLACES];

	for (i = 0; i < PLACES; i++) {
		high[i] = fcntl(from[i], F_DUPFD_CLOEXEC, PLACES);
		if (high[i] < 0)
			return -1;
	}
	for (i = 0; i < PLACES; i++)
		if (dup3(high[i], i, O_CLOEXEC) < 0)
			return -1;
	if (syscall(SYS_close_range, PLACES, ~0U, 0) < 0 || setsid() < 0 ||
	    chdir("/") < 0)
		return -1;
	e->sandbox.pidfd = SANDBOX;
	return 0;
}

NORETURN static void attend(struct env *e, int log, int to)
{
	cleanup_error struct error err = ERROR_INIT;
	const pid_t init = e->sandbox.init;
	int status = 0;
	sigset_t all;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	if (settle(e, log, to) < 0)
		_exit(1);
	pid = spawn(e, LOG, &err);
	outcome_say(WORDS, pid < 0 ? 0 : pid, &err);
	close(WORDS);
	close(LOG);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid > 0)
		note(DIRECTORY, init, WIFEXITED(status)
					      ? WEXITSTATUS(status)
					      : 128 + WTERMSIG(status));
	runtime_stop(&e->sandbox, ENV_GRACE_MS);
	_exit(0);
}

int service_start(struct env *e, struct error *err)
{
	cleanup_close int log = entry_log(e, err);
	int words[2];
	pid_t waiter, pid;

	if (log < 0)
		return -1;
	if (pipe2(words, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	fflush(NULL);
	waiter = fork();
	if (!waiter)
		attend(e, log, words[1]);
	close(words[1]);
	pid = waiter < 0 ? error_errno(err, "cannot make a process")
			 : outcome_hear(words[0], "the service", err);
	close(words[0]);
	return pid < 0 ? -1 : 0;
}

bool service_ended(const struct env *e, int *status)
{
	cleanup_free char *path = path_join(e->dir, ENDED);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_json struct json *j = NULL;
	int64_t then = 0, now = 0, code = 0;

	if (fs_read_regular(path, ENDED_MAX, &text, NULL) < 0)
		return false;
	j = json_parse(ENDED, text.buf, text.len, NULL);
	/* An earlier sandbox of this name may have left one as well. */
	if (!json_get_int(j, "pid", &then) ||
	    !json_get_int(e->state, "pid", &now) || then != now ||
	    !json_get_int(j, "status", &code))
		return false;
	*status = (int)code;
	return true;
}

/* --- what it said --- */

void service_show(const char *service, const char *text, size_t n)
{
	cleanup_free char *prefix = xstrfmt("[%s]", service);
	struct log_output *out;
	size_t from = n, lines = 0;

	while (from && n - from < SHOWN_BYTES) {
		if (text[from - 1] == '\n' && from < n &&
		    ++lines == SHOWN_LINES)
			break;
		from--;
	}
	if (from == n)
		return;
	out = log_output_new(prefix);
	log_output_add(out, text + from, n - from);
	log_output_end(out);
}

void service_show_log(const struct env *e)
{
	const char *service = json_get_str(e->state, "service");
	cleanup_free char *path = path_join(e->dir, "log");
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	if (st.st_size > SHOWN_BYTES)
		(void)!lseek(fd, -SHOWN_BYTES, SEEK_END);
	/* It may grow meanwhile. */
	if (fs_read_fd(fd, 16 * SHOWN_BYTES, &text, NULL) == 0)
		service_show(service ? service : "", text.buf, text.len);
}
