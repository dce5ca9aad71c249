/* sandbox.c - start sandboxes from arguments, for the runner's tests */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/signals.h"
#include "runtime/internal.h"

/*
 * sandbox VERB [OPTION]... [-- COMMAND...]
 *
 * run: run the command; spawn: the same beside us, output logged; start: print
 * the init's pid; exec PID, spawn-in PID, stop PID, root PID (is there a
 * /bin?), with --enter from where mounts are private; old TARGET: overlay by
 * mount(2), then the command on the host. Lowers are given lowest first;
 * --draft: the upper is one.
 */
struct args {
	struct strvec lowers, env, caps, command;
	struct runtime_spec spec;
	struct runtime_process p;
	struct runtime_mount mounts[8];
	struct runtime_user user;
	const char *user_text, *verb, *operand;
	int times;
	bool catch, enter;
};

static int usage(const char *word)
{
	fprintf(stderr, "sandbox: bad argument '%s'\n", word);
	return ERR_USAGE;
}

static struct runtime_mount *next_mount(struct args *a)
{
	if (a->spec.n_mounts == ARRAY_SIZE(a->mounts))
		exit(usage("--bind"));
	return &a->mounts[a->spec.n_mounts++];
}

static bool parse_flag(struct args *a, const char *w)
{
	if (str_eq(w, "--no-net"))
		a->spec.network = RUNTIME_NET_NONE;
	else if (str_eq(w, "--no-seccomp"))
		a->spec.no_seccomp = true;
	else if (str_eq(w, "--privileged"))
		a->spec.privileged = true;
	else if (str_eq(w, "--no-etc"))
		a->spec.no_etc = true;
	else if (str_eq(w, "--tty"))
		a->p.tty = true;
	else if (str_eq(w, "--nnp"))
		a->p.no_new_privs = true;
	else if (str_eq(w, "--mkdir"))
		a->p.make_cwd = true;
	else if (str_eq(w, "--catch"))
		a->catch = true;
	else if (str_eq(w, "--draft"))
		a->spec.draft = true;
	else if (str_eq(w, "--enter"))
		a->enter = true;
	else
		return false;
	return true;
}

static bool parse_value(struct args *a, const char *w, char *value)
{
	if (str_eq(w, "--lower")) {
		strvec_push(&a->lowers, value);
	} else if (str_eq(w, "--upper")) {
		a->spec.upper = value;
	} else if (str_eq(w, "--work")) {
		a->spec.work = value;
	} else if (str_eq(w, "--user")) {
		a->user_text = value;
	} else if (str_eq(w, "--cwd")) {
		a->p.cwd = value;
	} else if (str_eq(w, "--hostname")) {
		a->spec.hostname = value;
	} else if (str_eq(w, "--env")) {
		strvec_push(&a->env, value);
	} else if (str_eq(w, "--cap")) {
		strvec_push(&a->caps, value);
	} else if (str_eq(w, "--times")) {
		a->times = (int)strtol(value, NULL, 10);
	} else if (str_eq(w, "--tmpfs")) {
		*next_mount(a) = (struct runtime_mount){
			.kind = RUNTIME_TMPFS, .target = value
		};
	} else if (str_eq(w, "--bind") || str_eq(w, "--bind-ro")) {
		char *colon = strchr(value, ':');

		if (!colon)
			return false;
		*colon = '\0';
		*next_mount(a) = (struct runtime_mount){
			.kind = RUNTIME_BIND, .source = value,
			.target = colon + 1, .read_only = str_eq(w, "--bind-ro")
		};
	} else {
		return false;
	}
	return true;
}

static void parse(struct args *a, char **argv)
{
	if (!argv[1])
		exit(usage(""));
	a->verb = *++argv;
	while (*++argv && !str_eq(*argv, "--")) {
		if (**argv != '-') {
			a->operand = *argv;
		} else if (!parse_flag(a, *argv)) {
			if (!argv[1] || !parse_value(a, argv[0], argv[1]))
				exit(usage(*argv));
			argv++;
		}
	}
	while (*argv && *++argv)
		strvec_push(&a->command, *argv);
	a->spec.lowers = (const char *const *)a->lowers.v;
	a->spec.n_lowers = a->lowers.nr;
	a->spec.mounts = a->mounts;
	a->spec.cap_add = &a->caps;
	a->p.argv = strvec_argv(&a->command);
	a->p.env = &a->env;
}

static int find_user(struct args *a, struct error *err)
{
	cleanup_close int root = -1;

	if (!a->user_text || !a->lowers.nr)
		return 0;
	root = open(a->lowers.v[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (runtime_user_lookup(root, a->user_text, &a->user, err) < 0)
		return -1;
	a->p.user = &a->user;
	return 0;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int spawn(struct args *a, const struct runtime_sandbox *s, int *status,
		 struct error *err)
{
	struct runtime_child child, *one = &child;
	int ret;

	a->p.out = a->p.err = -1;
	ret = s ? runtime_spawn_in(s, &a->p, "cmd: ", &child, err)
		: runtime_spawn(&a->spec, &a->p, "cmd: ", &child, err);
	if (ret < 0)
		return -1;
	ret = runtime_collect(&one, 1, err);
	*status = child.status;
	runtime_child_release(&child);
	return ret;
}

static int run_many(struct args *a, int *status, struct error *err)
{
	double start = now();

	for (int i = 0; i < MAX(a->times, 1); i++)
		if (runtime_run(&a->spec, &a->p, status, err) < 0)
			return -1;
	if (a->times)
		printf("%.3f ms\n", (now() - start) / a->times);
	return 0;
}

static int start(struct args *a, struct error *err)
{
	struct runtime_sandbox s;

	if (runtime_start(&a->spec, &s, err) < 0)
		return -1;
	printf("%d\n", s.init);
	runtime_sandbox_release(&s);
	return 0;
}

static int run(struct args *a, int *status, struct error *err)
{
	enum runtime_mode mode;

	if (runtime_enter(RUNTIME_AUTO, &mode, err) < 0 || find_user(a, err) < 0)
		return -1;
	if (str_eq(a->verb, "mode"))
		return printf("%s\n", mode == RUNTIME_ROOT ? "root" :
				      mode == RUNTIME_RANGE ? "range" :
							      "single") < 0;
	if (str_eq(a->verb, "start"))
		return start(a, err);
	if (str_eq(a->verb, "spawn"))
		return spawn(a, NULL, status, err);
	if (str_eq(a->verb, "run"))
		return run_many(a, status, err);
	if (str_eq(a->verb, "old")) {
		const struct runtime_layers l = {
			a->spec.lowers, a->spec.n_lowers, a->spec.upper,
			a->spec.work,	a->spec.draft,
		};

		if (runtime_overlay_old(&l, a->operand, err) < 0)
			return -1;
	} else if (runtime_mount_overlay(a->spec.lowers, a->spec.n_lowers,
					 a->spec.upper, a->spec.work,
					 a->operand, err) < 0) {
		return -1;
	}
	execvp(a->p.argv[0], a->p.argv);
	return error_errno(err, "cannot run");
}

static int attached(struct args *a, int *status, struct error *err)
{
	struct runtime_sandbox s;
	pid_t pid = (pid_t)strtol(a->operand ? a->operand : "0", NULL, 10);
	enum runtime_mode mode;
	int ret = 0;

	if (a->enter && runtime_enter(RUNTIME_AUTO, &mode, err) < 0)
		return -1;
	if (find_user(a, err) < 0 ||
	    runtime_attach(pid, runtime_start_time(pid), &s, err) < 0)
		return -1;
	if (str_eq(a->verb, "stop")) {
		runtime_stop(&s, 2000);
	} else if (str_eq(a->verb, "root")) {
		cleanup_close int fd = runtime_root_fd(&s, err);

		ret = fd < 0 ? -1 : faccessat(fd, "bin", F_OK, 0);
	} else if (str_eq(a->verb, "spawn-in")) {
		ret = spawn(a, &s, status, err);
	} else {
		ret = runtime_exec(&s, &a->p, status, err);
	}
	runtime_sandbox_release(&s);
	return ret;
}

int main(int argc, char **argv)
{
	struct args a = { .p = { .in = 0, .out = 1, .err = 2 } };
	struct error err = ERROR_INIT;
	int status = 0, ret;

	(void)argc;
	parse(&a, argv);
	if (a.catch)
		signals_catch();
	if (str_eq(a.verb, "exec") || str_eq(a.verb, "stop") ||
	    str_eq(a.verb, "root") || str_eq(a.verb, "spawn-in"))
		ret = attached(&a, &status, &err);
	else
		ret = run(&a, &status, &err);
	if (ret < 0 && error_is(&err)) {
		log_report(&err);
		status = (int)err.code;
	}
	runtime_user_release(&a.user);
	strvec_release(&a.lowers);
	strvec_release(&a.env);
	strvec_release(&a.caps);
	strvec_release(&a.command);
	error_release(&err);
	return ret < 0 && !status ? 1 : status;
}
