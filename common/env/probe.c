/* probe.c - the variables that the user's shell sets when it starts */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "env/internal.h"
#include "wrap/digest.h"

#define OUTPUT_MAX ((size_t)1 << 20)
#define MARK 33 /* with its NUL */
#define SLOW_MS 2000
#define DEPTH_MAX 64 /* processes that one line of descent is followed */

static const struct {
	const char *name, *flag, *pwsh;
} kinds[] = {
	{ "none", NULL, NULL },
	{ "loginInteractiveShell", "-lic", "-Login" },
	{ "loginShell", "-lc", "-Login" },
	{ "interactiveShell", "-ic", NULL },
};

/* A shell on its way. */
struct probe {
	struct env_process ep;
	struct strvec argv;
	struct runtime_child child;
	char mark[MARK];
	int output, null;
};
#define PROBE_INIT { .child = RUNTIME_CHILD_INIT, .output = -1, .null = -1 }

static void probe_release(struct probe *p)
{
	runtime_child_release(&p->child);
	env_process_release(&p->ep);
	strvec_release(&p->argv);
	base_close_fd(&p->output);
	base_close_fd(&p->null);
}

static size_t kind_of(const struct json *config)
{
	const char *wanted = json_get_str(config, "userEnvProbe");
	size_t i;

	for (i = 0; wanted && i < ARRAY_SIZE(kinds); i++)
		if (str_eq(kinds[i].name, wanted))
			return i;
	return 1;
}

static void describe(struct probe *p, const char *shell, size_t kind)
{
	const char *name = strrchr(shell, '/');
	bool pwsh = str_eq(name ? name + 1 : shell, "pwsh");

	random_hex(p->mark, MARK / 2);
	strvec_push(&p->argv, shell);
	if (!pwsh)
		strvec_push(&p->argv, kinds[kind].flag);
	else if (kinds[kind].pwsh)
		strvec_push(&p->argv, kinds[kind].pwsh);
	if (pwsh)
		strvec_push(&p->argv, "-Command");
	/* As every shell understands it. */
	strvec_pushf(&p->argv, "echo -n %s; cat /proc/self/environ; echo -n %s",
		     p->mark, p->mark);
}

/* A file that cannot grow: start-up files may write without end. */
static int make_output(struct probe *p, struct error *err)
{
	p->output = memfd_create("probe", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (p->output < 0 || ftruncate(p->output, (off_t)OUTPUT_MAX) < 0 ||
	    fcntl(p->output, F_ADD_SEALS, F_SEAL_GROW) < 0)
		return error_errno(err, "cannot make a file in memory");
	p->null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return p->null < 0 ? error_errno(err, "cannot open '/dev/null'") : 0;
}

static int start(struct env *e, struct probe *p, size_t kind,
		 struct error *err)
{
	const struct env_command any = { 0 };
	const char *shell;

	if (env_prepare(e, &any, &p->ep, err) < 0 ||
	    make_output(p, err) < 0)
		return -1;
	shell = strvec_env_get(&p->ep.env, "SHELL");
	if (!shell || *shell != '/')
		shell = p->ep.user.shell ? p->ep.user.shell : "/bin/sh";
	describe(p, shell, kind);
	p->ep.p.argv = p->argv.v;
	p->ep.p.out = p->output;
	p->ep.p.err = p->null;
	return runtime_spawn_in(&e->sandbox, &p->ep.p, NULL, &p->child, err);
}

/* --- who makes it slow --- */

static pid_t last_child(pid_t pid)
{
	cleanup_free char *path = xstrfmt("/proc/%d/task/%d/children", pid,
					  pid);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char *word, *rest;
	int found = 0;

	if (fs_read_file(path, 1 << 16, &text, NULL) < 0)
		return 0;
	for (rest = text.buf; (word = strsep(&rest, " ")) != NULL;)
		if (*word)
			(void)sscanf(word, "%d", &found);
	return found;
}

/* The command line at the end of the line of descent, appended. */
static void add_culprit(pid_t pid, struct strbuf *out)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *path = NULL;
	pid_t child;
	size_t i;

	for (i = 0; i < DEPTH_MAX && (child = last_child(pid)) > 0; i++)
		pid = child;
	path = xstrfmt("/proc/%d/cmdline", pid);
	if (fs_read_file(path, 4096, &text, NULL) < 0)
		return;
	for (i = 0; i < text.len; i++)
		strbuf_addch(out, text.buf[i] ? text.buf[i] : ' ');
	strbuf_rtrim(out);
}

static void tell(const struct env *e, const struct probe *p, int64_t ms,
		 const char *what)
{
	cleanup_strbuf struct strbuf culprit = STRBUF_INIT;

	add_culprit(p->child.pid, &culprit);
	log_warn("userEnvProbe: %s %s of user '%s' takes more than %lld s in "
		 "'%s'%s", p->argv.v[0], p->argv.v[1],
		 *e->user ? e->user : "root", (long long)(ms / 1000),
		 culprit.buf, what);
}

/* 0: it ended; 1: it was given up. */
static int wait_for(struct env *e, struct probe *p, int64_t limit,
		    struct error *err)
{
	struct runtime_child *const child = &p->child;
	const int64_t first = MIN(limit, (int64_t)SLOW_MS);
	int rc = runtime_collect_for(&child, 1, first, err);

	if (rc == 1 && limit > first) {
		tell(e, p, first, "");
		rc = runtime_collect_for(&child, 1, limit - first, err);
	}
	if (rc == 1)
		tell(e, p, limit, ": its variables are not used; see to its "
				  "start-up files, or set \"userEnvProbe\": "
				  "\"none\"");
	return rc;
}

/* --- what it said --- */

static bool is_private(const char *entry)
{
	static const char *const names[] = { "PWD=", "OLDPWD=", "SHLVL=",
					     "_=" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (str_starts(entry, names[i]))
			return true;
	return false;
}

static void take(struct env *e, const char *text, size_t n)
{
	size_t at, len;

	for (at = 0; at < n; at += len + 1) {
		len = strnlen(text + at, n - at);
		if (at + len < n && strchr(text + at, '=') > text + at &&
		    !is_private(text + at))
			strvec_push(&e->probed, text + at);
	}
}

static bool is_sbin(const char *dir)
{
	const char *at = strstr(dir, "/sbin");

	return at && (!at[5] || at[5] == '/');
}

/*
 * A login shell often starts PATH again from a list of its own. What the
 * image had put into it is put back, beside its neighbours.
 */
static void merge_path(struct env *e, const struct env_process *ep)
{
	cleanup_strvec struct strvec had = STRVEC_INIT, has = STRVEC_INIT;
	cleanup_strbuf struct strbuf path = STRBUF_INIT;
	const char *before = strvec_env_get(&ep->env, "PATH");
	const char *after = strvec_env_get(&e->probed, "PATH");
	size_t i, k, at = 0;

	if (!before || !after)
		return;
	strvec_split(&had, before, ":");
	strvec_split(&has, after, ":");
	for (i = 0; i < had.nr; i++) {
		for (k = 0; k < has.nr && !str_eq(has.v[k], had.v[i]); k++)
			;
		if (k < has.nr) {
			at = k + 1;
		} else if (!ep->user.uid || !is_sbin(had.v[i])) {
			strvec_push(&has, had.v[i]);
			/* from the end to its place */
			for (k = has.nr - 1; k > at; k--) {
				char *moved = has.v[k];

				has.v[k] = has.v[k - 1];
				has.v[k - 1] = moved;
			}
			at++;
		}
	}
	for (i = 0; i < has.nr; i++)
		strbuf_addf(&path, "%s%s", i ? ":" : "", has.v[i]);
	strvec_env_set(&e->probed, "PATH", path.buf);
}

static int understand(struct env *e, struct probe *p, struct error *err)
{
	cleanup_free char *text = xmalloc(OUTPUT_MAX + 1);
	ssize_t n = pread(p->output, text, OUTPUT_MAX, 0);
	char *begin, *end;

	if (n < 0)
		return error_errno(err, "cannot read what the shell said");
	begin = memmem(text, (size_t)n, p->mark, MARK - 1);
	if (begin)
		begin += MARK - 1;
	end = begin ? memmem(begin, (size_t)(text + n - begin), p->mark,
			     MARK - 1)
		    : NULL;
	if (!end) {
		log_warn("userEnvProbe: '%s %s' ended with status %d and did "
			 "not tell its variables", p->argv.v[0], p->argv.v[1],
			 p->child.status);
		return 0;
	}
	take(e, begin, (size_t)(end - begin));
	merge_path(e, &p->ep);
	return 0;
}

static int run(struct env *e, size_t kind, int64_t limit, struct error *err)
{
	CLEANUP(probe_release) struct probe p = PROBE_INIT;
	cleanup_error struct error why = ERROR_INIT;
	int rc;

	if (start(e, &p, kind, &why) < 0) {
		/* An image without a shell has nothing to tell. */
		if (why.code != ERR_RUN_MISSING)
			return error_move(err, &why);
		log_debug("userEnvProbe: %s", why.msg);
		return 0;
	}
	rc = wait_for(e, &p, limit, err);
	if (rc)
		return rc < 0 ? -1 : 0;
	return understand(e, &p, err);
}

int probe_user(struct env *e, int64_t limit_ms, struct error *err)
{
	size_t kind = kind_of(e->config);
	cleanup_free char *key = xstrfmt("%s %s", kinds[kind].name, e->user);
	const char *old = json_get_str(e->state, "probe");

	strvec_release(&e->probed);
	/* Who joins uses what was found when it was started. */
	if (e->joined && old && str_eq(old, key)) {
		json_get_strings(json_get(e->state, "probed"), &e->probed);
		return 0;
	}
	if (kind && run(e, kind, limit_ms, err) < 0)
		return -1;
	json_set_str(e->state, "probe", key);
	json_set_strvec(e->state, "probed", &e->probed);
	return 0;
}
