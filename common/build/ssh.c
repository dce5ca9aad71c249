/* ssh.c - --ssh: agents that steps may ask to sign */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "base/signals.h"
#include "build/ssh.h"

#define START_MS 20000 /* for an agent to read its keys */

void build_ssh_release(struct build_ssh *s)
{
	free(s->id);
	free(s->socket);
	strvec_release(&s->keys);
	*s = (struct build_ssh)BUILD_SSH_INIT;
}

static int add_path(struct build_ssh *s, const char *path, struct error *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return error_errno_code(err, ERR_USAGE, "'%s'", path);
	if (S_ISSOCK(st.st_mode) && !s->socket)
		s->socket = path_absolute(path);
	else if (S_ISSOCK(st.st_mode))
		return error_set(err, ERR_USAGE, "only one socket is possible");
	else
		strvec_push_own(&s->keys, path_absolute(path));
	return 0;
}

static int add_paths(struct build_ssh *s, const char *list, struct error *err)
{
	cleanup_strvec struct strvec paths = STRVEC_INIT;
	size_t i;

	strvec_split(&paths, list, ",");
	for (i = 0; i < paths.nr; i++)
		if (add_path(s, paths.v[i], err) < 0)
			return -1;
	if (s->socket && s->keys.nr)
		return error_set(err, ERR_USAGE,
				 "a socket and keys do not go together");
	return 0;
}

static int add_own(struct build_ssh *s, struct error *err)
{
	const char *path = getenv("SSH_AUTH_SOCK");

	if (path && *path)
		return add_path(s, path, err);
	error_set(err, ERR_USAGE, "SSH_AUTH_SOCK is not set");
	return error_hint(err, "start an agent, or name a key: "
			       "--ssh default=FILE");
}

int build_ssh_parse(struct build_ssh *s, const char *text, struct error *err)
{
	size_t n = strcspn(text, "=");
	int rc;

	*s = (struct build_ssh)BUILD_SSH_INIT;
	if (!n)
		return error_set(err, ERR_USAGE, "--ssh: the id is missing");
	s->id = xstrndup(text, n);
	rc = text[n] && text[n + 1] ? add_paths(s, text + n + 1, err)
				    : add_own(s, err);
	if (!rc)
		return 0;
	error_wrap(err, "--ssh %s", s->id);
	build_ssh_release(s);
	return -1;
}

/* --- an agent for keys --- */

/*
 * ssh-agent ends when the command it runs does, and that ends with its input:
 * so the agent does not outlive us, however we end. What is asked for a
 * passphrase has nobody to ask.
 */
static const char script[] =
	"ssh-add -q -- \"$@\" </dev/null >&2 && echo $SSH_AGENT_PID && "
	"exec cat >/dev/null";

static void set_command(struct proc *p, const struct build_ssh *s,
			struct strvec *env)
{
	extern char **environ;
	size_t i;

	strvec_push_all(env, (const char *const *)environ);
	strvec_env_set(env, "SSH_ASKPASS", "/bin/false");
	strvec_env_set(env, "SSH_ASKPASS_REQUIRE", "force");
	p->env = env;
	strvec_push(&p->args, "ssh-agent");
	strvec_push(&p->args, "-a");
	strvec_push(&p->args, SSH_AGENT_SOCKET);
	strvec_push(&p->args, "sh");
	strvec_push(&p->args, "-c");
	strvec_push(&p->args, script);
	strvec_push(&p->args, "sh");
	for (i = 0; i < s->keys.nr; i++)
		strvec_push(&p->args, s->keys.v[i]);
}

/* Its number, which it says when it has the keys. */
static int wait_agent(struct ssh_agent *a, int out, const struct build_ssh *s,
		      struct error *err)
{
	struct pollfd p = { out, POLLIN, 0 };
	int ready = poll(&p, 1, START_MS);
	char text[32] = "";
	uint64_t pid;
	ssize_t n;

	if (signals_check(err) < 0)
		return -1;
	if (ready <= 0)
		return error_set(err, ERR_SYSTEM, "the ssh agent for '%s' does "
				 "not start", s->id);
	n = read(out, text, sizeof(text) - 1);
	if (n > 0 && text[n - 1] == '\n')
		text[n - 1] = '\0';
	if (n <= 0 || !str_to_u64(text, INT32_MAX, &pid)) {
		error_set(err, ERR_INPUT, "ssh-add refused the keys of '%s'",
			  s->id);
		return error_hint(err, "a key with a passphrase has to be in "
				       "an agent: ssh-add, then --ssh %s",
				  s->id);
	}
	a->pid = (pid_t)pid;
	return 0;
}

static int start_agent(struct ssh_agent *a, const struct build_ssh *s,
		       const char *dir, struct error *err)
{
	cleanup_strvec struct strvec env = STRVEC_INIT;
	cleanup_close int in = -1, out = -1, their_out = -1;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	in = fds[0];
	a->input = fds[1];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	out = fds[0];
	their_out = fds[1];
	set_command(&a->proc, s, &env);
	a->proc.dir = dir;
	a->proc.in = in;
	a->proc.out = their_out;
	if (proc_start(&a->proc, err) < 0)
		return error_hint(err, "--ssh with a key file needs ssh-agent "
				       "and ssh-add on the PATH");
	a->proc.env = NULL;
	a->proc.dir = NULL;
	close(steal_fd(&their_out));
	return wait_agent(a, out, s, err);
}

int ssh_agent_start(struct ssh_agent *a, const struct build_ssh *s,
		    const char *dir, const struct ssh_owner *owner,
		    struct error *err)
{
	cleanup_free char *own = path_join(dir, SSH_AGENT_SOCKET);

	if (s->keys.nr && start_agent(a, s, dir, err) < 0)
		return -1;
	return ssh_relay_start(a, s->socket ? s->socket : own, dir, owner,
			       err);
}

void ssh_agent_stop(struct ssh_agent *a)
{
	if (a->relay > 0) {
		kill(a->relay, SIGKILL);
		while (waitpid(a->relay, NULL, 0) < 0 && errno == EINTR)
			;
	}
	base_close_fd(&a->input);
	if (a->pid > 0)
		kill(a->pid, SIGTERM);
	proc_release(&a->proc);
	*a = (struct ssh_agent)SSH_AGENT_INIT;
}
