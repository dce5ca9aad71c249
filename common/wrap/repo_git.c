/* repo_git.c - fetch a limited history with the git program, kept on a leash */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/proc.h"
#include "base/signals.h"
#include "wrap/repo_lib.h"

#define OUTPUT_MAX (1024 * 1024)

/* Answers for the one host it was made for; the secrets are in variables
 * that only processes of this user can read. */
static const char askpass[] =
	"#!/bin/sh\n"
	"case $1 in\n"
	"\"Username for '$DEVENV_ASK_URL\"*) "
	"printf '%s\\n' \"$DEVENV_ASK_USER\" ;;\n"
	"\"Password for '$DEVENV_ASK_AS\"*) "
	"printf '%s\\n' \"$DEVENV_ASK_PASSWORD\" ;;\n"
	"*) exit 1 ;;\n"
	"esac\n";

struct run {
	struct strvec env;
	int askpass, key, hosts; /* memory files */
	int settings;
};

static void run_release(struct run *r)
{
	base_close_fd(&r->askpass);
	base_close_fd(&r->key);
	base_close_fd(&r->hosts);
	strvec_release(&r->env);
}

/* A file without a name, which our children open through our descriptor. */
static int memory_file(const void *data, size_t n, mode_t mode,
		       struct error *err)
{
	cleanup_close int fd = memfd_create("git", MFD_CLOEXEC);

	if (fd < 0 || fchmod(fd, mode) < 0)
		return error_errno(err, "cannot make a memory file");
	if (fs_write_all(fd, data, n, err) < 0)
		return -1;
	return steal_fd(&fd);
}

/* A descriptor open for writing cannot be executed: open it again. */
static char *memory_path(int fd)
{
	return xstrfmt("/proc/%ld/fd/%d", (long)getpid(), fd);
}

static void set(struct run *r, const char *key, const char *value)
{
	strvec_pushf(&r->env, "GIT_CONFIG_KEY_%d=%s", r->settings, key);
	strvec_pushf(&r->env, "GIT_CONFIG_VALUE_%d=%s", r->settings, value);
	r->settings++;
}

static void inherit(struct run *r)
{
	static const char *const kept[] = {
		"PATH", "HOME", "SSH_AUTH_SOCK", "SSL_CERT_FILE",
		"SSL_CERT_DIR", "TMPDIR"
	};

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (getenv(kept[i]))
			strvec_env_set(&r->env, kept[i], getenv(kept[i]));
}

static int reopen(int *fd, struct error *err)
{
	cleanup_free char *path = memory_path(*fd);
	int again = open(path, O_RDONLY | O_CLOEXEC);

	if (again < 0)
		return error_errno(err, "cannot open a memory file");
	close(*fd);
	*fd = again;
	return 0;
}

static int give_password(struct repo_session *s, struct run *r,
			 struct error *err)
{
	bool mine = repo_auth_applies(s) && !s->remote.user &&
		    !s->remote.password;
	const char *user = mine ? s->username : s->remote.user;
	const char *secret = mine ? s->password : s->remote.password;
	cleanup_free char *path = NULL;
	const char *scheme = s->remote.kind == GITURL_HTTPS ? "https" : "http";
	cleanup_strbuf struct strbuf host = STRBUF_INIT;

	if (!user && !secret)
		return 0;
	/* As with libgit2: credentials are not taken to another place. */
	set(r, "http.followRedirects", "false");
	r->askpass = memory_file(askpass, sizeof(askpass) - 1, 0700, err);
	if (r->askpass < 0 || reopen(&r->askpass, err) < 0)
		return -1;
	path = memory_path(r->askpass);
	strbuf_addstr(&host, s->remote.host);
	if (s->remote.port)
		strbuf_addf(&host, ":%u", s->remote.port);
	strvec_env_set(&r->env, "GIT_ASKPASS", path);
	strvec_pushf(&r->env, "DEVENV_ASK_URL=%s://%s'", scheme, host.buf);
	strvec_pushf(&r->env, "DEVENV_ASK_AS=%s://", scheme);
	strvec_env_set(&r->env, "DEVENV_ASK_USER", user ? user : "oauth2");
	strvec_env_set(&r->env, "DEVENV_ASK_PASSWORD", secret ? secret : "");
	return 0;
}

static int give_ssh(struct repo_session *s, struct run *r, struct error *err)
{
	cleanup_strbuf struct strbuf hosts = STRBUF_INIT;
	cleanup_strbuf struct strbuf command = STRBUF_INIT;
	cleanup_free char *path = NULL;

	repo_ssh_known_hosts(&hosts);
	r->hosts = memory_file(hosts.buf, hosts.len, 0600, err);
	if (r->hosts < 0)
		return -1;
	path = memory_path(r->hosts);
	strbuf_addf(&command, "ssh -F /dev/null -o BatchMode=yes "
		    "-o GlobalKnownHostsFile=/dev/null "
		    "-o UserKnownHostsFile=%s -o StrictHostKeyChecking=%s",
		    path, s->options->insecure ? "no" : "yes");
	if (repo_auth_applies(s) && s->key) {
		cleanup_free char *key = NULL;

		r->key = memory_file(s->key, strlen(s->key), 0600, err);
		if (r->key < 0)
			return -1;
		key = memory_path(r->key);
		strbuf_addf(&command, " -i %s", key);
	}
	if (!s->remote.user)
		strbuf_addf(&command, " -l %s", repo_auth_user(s));
	strvec_env_set(&r->env, "GIT_SSH_COMMAND", command.buf);
	return 0;
}

static int prepare(struct repo_session *s, struct run *r, struct error *err)
{
	static const char *const fixed[] = {
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_TERMINAL_PROMPT=0", "LC_ALL=C", "GIT_ASKPASS=/bin/false",
		"GIT_ALLOW_PROTOCOL=http:https:ssh:git:file", NULL
	};

	inherit(r);
	strvec_push_all(&r->env, fixed);
	set(r, "core.hooksPath", "/dev/null");
	set(r, "core.fsmonitor", "false");
	set(r, "fetch.fsckObjects", "true");
	set(r, "gc.auto", "0");
	set(r, "maintenance.auto", "false");
	set(r, "credential.helper", "");
	if (s->options->insecure)
		set(r, "http.sslVerify", "false");
	if (repo_proxy(s))
		set(r, "http.proxy", repo_proxy(s));
	if (s->ca_fd >= 0) {
		cleanup_free char *ca = memory_path(s->ca_fd);

		set(r, "http.sslCAInfo", ca);
	}
	if (s->remote.kind == GITURL_SSH)
		return give_ssh(s, r, err);
	if (s->remote.kind == GITURL_HTTP || s->remote.kind == GITURL_HTTPS)
		return give_password(s, r, err);
	return 0;
}

/* Last line of the program's own words that says what went wrong. */
static char *last_words(int fd)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf safe = STRBUF_INIT;
	const char *line;

	if (lseek(fd, 0, SEEK_SET) < 0 ||
	    fs_read_fd(fd, OUTPUT_MAX, &text, NULL) < 0)
		return xstrdup("no reason given");
	strbuf_rtrim(&text);
	line = strstr(text.buf, "fatal: ");
	line = line ? line + strlen("fatal: ") : text.buf;
	strbuf_add_safe(&safe, line, strcspn(line, "\n"));
	return strbuf_detach(&safe);
}

int repo_git_fetch(struct repo_session *s, const char *gitdir,
		   const struct strvec *specs, unsigned depth,
		   struct error *err)
{
	cleanup_proc struct proc git = PROC_INIT;
	CLEANUP(run_release) struct run r = { .askpass = -1, .key = -1,
					      .hosts = -1 };
	cleanup_free char *url = repo_remote_name(s);
	cleanup_free char *words = NULL;
	cleanup_close int out = memory_file("", 0, 0600, err);

	if (out < 0 || prepare(s, &r, err) < 0)
		return -1;
	strvec_pushf(&r.env, "GIT_CONFIG_COUNT=%d", r.settings);
	strvec_push(&git.args, "git");
	strvec_pushf(&git.args, "--git-dir=%s", gitdir);
	strvec_push_all(&git.args, (const char *const[]){
		"fetch", "--quiet", "--no-write-fetch-head",
		"--no-recurse-submodules", NULL });
	if (depth)
		strvec_pushf(&git.args, "--depth=%u", depth);
	strvec_push(&git.args, "--");
	strvec_push(&git.args, url);
	strvec_push_all(&git.args, (const char *const *)specs->v);
	git.env = &r.env;
	git.out = git.err = out;
	if (proc_start(&git, err) < 0 || proc_wait(&git, err) < 0)
		return -1;
	if (signals_check(err) < 0)
		return -1;
	if (!git.status)
		return 0;
	words = last_words(out);
	return error_set(err, strcasestr(words, "could not resolve") ||
			      strcasestr(words, "failed to connect")
				      ? ERR_NETWORK : ERR_REFUSED,
			 "%s: %s", url, words);
}
