/* iterate.c - devenv iterate: edit, save, see it running */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "cli/cli.h"
#include "cli/places.h"
#include "cmd/cmd.h"

#define SETTLE_MS 20	  /* an editor's save is several events */
#define GIVE_UP_MS 5000 /* for a round that was asked to end */

struct options {
	struct cli_project_options project;
	struct cli_build_options build;
	struct cli_run_options run;
	struct cli_registry registry;
	char *verify;
	bool once;
	int format;
};

#define O(member) offsetof(struct options, member)
static const struct opt rows[] = {
	{ OPT_GROUP, .help = "Rounds" },
	{ OPT_STR, 0, "verify", "COMMAND", NULL,
	  "run this (sh -c) in the result of each round, instead of a shell",
	  O(verify) },
	{ OPT_BOOL, 0, "once", NULL, NULL, "one round, its status is ours",
	  O(once) },
	{ OPT_ENUM, 0, "format", "text|json", OPT_NO_ENV,
	  "form of the line that tells of a round", O(format) },
	{ OPT_END },
};

static const struct cmd_table tables[] = {
	{ cli_config_rows, O(project) },
	{ cli_project_rows, O(project) },   { cli_build_rows, O(build) },
	{ cli_run_rows, O(run) },	    { rows, 0 },
	{ cli_registry_rows, O(registry) },
	{ cli_upload_rows, O(registry) }, { 0 },
};

struct work {
	const struct options *o;
	const struct strvec *words;
	struct cli_builder b;
	struct cli_places places;
	unsigned round;
};

static void work_release(struct work *w)
{
	cli_places_release(&w->places);
	cli_builder_release(&w->b);
}

/* --- one round, in a process of its own that a save can end --- */

static void tell(const struct work *w, const struct build_result *r,
		 double built, double verified, int status)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_json struct json *j = json_new_object();

	if (w->o->format) {
		json_set_str(j, "event", "round");
		json_set_int(j, "round", w->round);
		json_set_int(j, "executed", (int64_t)r->executed);
		json_set_int(j, "cached", (int64_t)r->cached);
		json_set(j, "build_seconds", json_new_number(built));
		json_set(j, "verify_seconds",
			 w->o->verify ? json_new_number(verified)
				      : json_new_null());
		json_set_int(j, "status", status);
		json_write(&out, j, false);
		strbuf_addch(&out, '\n');
	} else {
		strbuf_addf(&out, "round %u: built in %.3f s (%zu run, %zu "
				  "cached)", w->round, built, r->executed,
			    r->cached);
		if (w->o->verify)
			strbuf_addf(&out, ", verify %s in %.3f s",
				    status ? "failed" : "ok", verified);
		strbuf_addch(&out, '\n');
	}
	(void)!write(STDOUT_FILENO, out.buf, out.len);
}

static int launch(struct work *w, struct cli_round *r, int *status,
		  struct error *err)
{
	char sh[] = "/bin/sh", dash_c[] = "-c";
	char *argv[] = { sh, dash_c, w->o->verify, NULL };
	struct cli_launch l = { .b = &w->b,
				.o = &w->o->run,
				.name = w->o->run.name,
				.command = w->o->verify ? argv : NULL,
				.no_tty = w->o->verify };

	cli_round_launch(r, &l);
	return cli_launch_run(&l, status, NULL, err);
}

static int one_round(struct work *w, int *status, struct error *err)
{
	cleanup_cli_round struct cli_round r = {
		.project = CLI_PROJECT_INIT, .plan = RECORD_PLAN_INIT
	};
	double start = clock_seconds(), built;

	if (cli_round_plan(&r, w->words, &w->o->project, err) < 0 ||
	    cli_round_build(&r, &w->b, &w->o->build, err) < 0)
		return -1;
	if (json_len(r.plan.services) && w->round == 1)
		log_warn("the services beside it are not started: that is "
			 "done by 'devenv up'");
	built = clock_seconds();
	if (!w->o->verify)
		tell(w, &r.result, built - start, 0, 0);
	if (launch(w, &r, status, err) < 0)
		return -1;
	if (w->o->verify)
		tell(w, &r.result, built - start, clock_seconds() - built, *status);
	if (!*status || !w->o->verify)
		return 0;
	return error_set(err, ERR_STEP, "the verify command ended with "
			 "status %d", *status);
}

static NORETURN void child(struct work *w, pid_t parent)
{
	struct error err = ERROR_INIT;
	int status = 0;

	/* A round goes with the process that would end it. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) < 0 ||
	    getppid() != parent)
		_exit(ERR_SYSTEM);
	if (one_round(w, &status, &err) < 0) {
		status = err.code;
		if (!signals_pending())
			log_report(&err);
	}
	error_release(&err);
	_exit(status);
}

/* --- rounds --- */

/* Wait for a relevant change (1) or the end of `pidfd` (0); -1: signal. */
static int wait_change(struct work *w, int pidfd, struct error *err)
{
	for (;;) {
		struct pollfd p[2] = { { cli_places_fd(&w->places), POLLIN, 0 },
				       { pidfd, POLLIN, 0 } };
		int n = poll(p, 2, -1);

		if (signals_check(err) < 0)
			return -1;
		if (n < 0 && errno != EINTR)
			return error_errno(err, "cannot wait");
		if (n > 0 && p[0].revents && cli_places_changed(&w->places))
			return 1;
		if (n > 0 && p[1].revents)
			return 0;
	}
}

static void settle(void)
{
	struct timespec ts = { 0, SETTLE_MS * 1000000L };

	nanosleep(&ts, NULL);
}

/* The round's own cleanup takes down what it started. */
static int end_round(pid_t pid, int pidfd, bool early)
{
	struct pollfd p = { pidfd, POLLIN, 0 };
	int status = 0;

	if (early && poll(&p, 1, 0) == 0) {
		kill(pid, SIGTERM);
		if (poll(&p, 1, GIVE_UP_MS) == 0)
			kill(pid, SIGKILL);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status)
				 : 128 + WTERMSIG(status);
}

static int next_round(struct work *w, int *status, struct error *err)
{
	cleanup_close int pidfd = -1;
	pid_t pid, parent = getpid();
	int rc;

	w->round++;
	if (cli_places_watch(&w->places, w->words, &w->o->project,
			     &w->o->build, err) < 0)
		return -1;
	pid = fork();
	if (pid < 0)
		return error_errno(err, "cannot fork");
	if (!pid)
		child(w, parent);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	rc = w->o->once ? 0 : wait_change(w, pidfd, err);
	*status = end_round(pid, pidfd, rc != 0);
	if (rc < 0)
		return -1;
	if (rc || w->o->once)
		return 0;
	if (!w->o->verify && !*status)
		return 1; /* the shell was left: so are we */
	if (*status)
		log_info("round %u failed; waiting for a change", w->round);
	return wait_change(w, -1, err) < 0 ? -1 : 0;
}

static int run(struct cmd_call *call, struct error *err)
{
	CLEANUP(work_release) struct work w = { .o = call->options,
						.words = &call->args };
	struct cli_round first = { .project = CLI_PROJECT_INIT,
				   .plan = RECORD_PLAN_INIT };
	int rc = 0;

	if (cmd_words(call, 0, 2, err) < 0 ||
	    cli_launch_check(&w.o->run, err) < 0)
		return -1;
	if (w.o->run.detach)
		return error_set(err, ERR_USAGE, "--detach: a round is ended "
				 "by the next, it cannot go on without one");
	if (w.o->project.file && str_eq(w.o->project.file, "-"))
		return error_set(err, ERR_USAGE, "-f -: a round cannot read "
				 "standard input again");
	/* What is named must be there; what it says may be mended later. */
	rc = cli_project_find(&first.project, &call->args, &w.o->project, err);
	cli_round_release(&first);
	if (rc < 0 ||
	    cli_open_store(call->globals->store, w.o->build.driver, &w.b.store,
			   &w.b.mode, err) < 0)
		return -1;
	cli_registry_options(&w.o->registry, &w.b.registry_options);
	do {
		rc = next_round(&w, &call->status, err);
		if (!rc && !w.o->once)
			settle();
	} while (!rc && !w.o->once);
	if (rc > 0)
		call->status = 0;
	return rc < 0 ? -1 : 0;
}

const struct cmd cmd_iterate = {
	.name = "iterate",
	.summary = "Rebuild and run again at every save.",
	.usage = "iterate [OPTION...] [DIR|image NAME]",
	.detail = "Each round builds what changed and starts the result: the "
		  "--verify command, or a\nshell. A save during a round ends it "
		  "and starts the next.",
	.tables = tables,
	.size = sizeof(struct options),
	.run = run,
};
