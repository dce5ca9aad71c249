/* main.c - find the command, parse options, print the one error, exit */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/signals.h"
#include "cli/cli.h"
#include "cmd/cmd.h"

#define CMD_ENTRY(name) &cmd_##name,
const struct cmd *const cmd_all[] = { CMD_LIST(CMD_ENTRY) NULL };

#define G(member) offsetof(struct cmd_globals, member)
const struct opt cmd_global_rows[] = {
	{ OPT_GROUP, .help = "Options of every command" },
	{ OPT_STR, 'C', "directory", "DIR", OPT_NO_ENV,
	  "work as if started in DIR", G(dir) },
	{ OPT_STR, 0, "store", "DIR", NULL, "where images and layers are kept",
	  G(store) },
	{ OPT_BOOL, 0, "offline", NULL, NULL,
	  "contact nobody but mirrors: the store has to do", G(offline) },
	{ OPT_STR, 0, "policy", "FILE", NULL,
	  "what may be fetched and pushed (devenv-policy(5))", G(policy) },
	{ OPT_LIST, 0, "base-store", "DIR", "ENVBUILDER_BASE_IMAGE_CACHE_DIR",
	  "read-only store or OCI layout whose images are used, too",
	  G(base_stores) },
	{ OPT_BOOL, 'q', "quiet", NULL, NULL, "errors and warnings only",
	  G(quiet) },
	{ OPT_BOOL, 'v', "verbose", NULL, "ENVBUILDER_VERBOSE",
	  "say more about what is done", G(verbose) },
	{ OPT_ENUM, 0, "progress", "auto|tty|plain|json|none", NULL,
	  "how long work is shown", G(progress) },
	{ OPT_ENUM, 0, "log-level", "info|debug|trace", NULL,
	  "debug and trace: the same as --verbose", G(log_level) },
	{ OPT_ENUM, 0, "log-format", "text|json", NULL,
	  "form of messages on standard error", G(log_format) },
	{ OPT_BOOL, 'h', "help", NULL, OPT_NO_ENV, "show this help",
	  G(help) },
	{ OPT_BOOL, 0, "version", NULL, OPT_NO_ENV, "print the version",
	  G(version) },
	{ OPT_END },
};

const struct cmd *cmd_find(const char *name)
{
	size_t i;

	for (i = 0; cmd_all[i]; i++)
		if (str_eq(cmd_all[i]->name, name))
			return cmd_all[i];
	return NULL;
}

void cmd_usage(const struct cmd *cmd, struct strbuf *out)
{
	const struct cmd_table *t;
	const char *line = cmd->usage;
	const char *lead = "usage: ";

	while (*line) {
		size_t n = strcspn(line, "\n");

		strbuf_addf(out, "%s%s%.*s\n", lead,
			    *line == ' ' ? "       " : "devenv ", (int)n, line);
		lead = "       ";
		line += n;
		line += *line == '\n';
	}
	strbuf_addf(out, "\n%s\n", cmd->summary);
	if (cmd->detail)
		strbuf_addf(out, "\n%s\n", cmd->detail);
	if (cmd->tables && cmd->tables->rows->type != OPT_GROUP)
		strbuf_addch(out, '\n');
	for (t = cmd->tables; t && t->rows; t++)
		opt_help(t->rows, out);
	opt_help(cmd_global_rows, out);
}

int cmd_words(const struct cmd_call *call, size_t min, size_t max,
	      struct error *err)
{
	if (call->args.nr >= min && call->args.nr <= max)
		return 0;
	if (call->args.nr > max)
		error_set(err, ERR_USAGE, "unexpected argument '%s'",
			  call->args.v[max]);
	else
		error_set(err, ERR_USAGE, "an argument is missing");
	return error_hint(err, "usage: devenv %.*s",
			  (int)strcspn(call->cmd->usage, "\n"),
			  call->cmd->usage);
}

/* A program devenv-NAME on PATH is a command, too. */
static int run_external(char **argv, struct error *err)
{
	cleanup_free char *name = xstrfmt("devenv-%s", argv[0]);
	cleanup_free char *program = strchr(argv[0], '/') ? NULL
							  : proc_which(name);
	cleanup_strvec struct strvec names = STRVEC_INIT;
	const char *near;
	size_t i;

	if (program) {
		execv(program, argv);
		return error_errno(err, "cannot run '%s'", program);
	}
	for (i = 0; cmd_all[i]; i++)
		strvec_push(&names, cmd_all[i]->name);
	near = str_nearest(argv[0], (const char *const *)names.v);
	error_set(err, ERR_USAGE, "'%s' is not a devenv command", argv[0]);
	if (near)
		return error_hint(err, "did you mean 'devenv %s'?", near);
	return error_hint(err, "'devenv help' lists the commands");
}

static void apply_log(const struct cmd_globals *g)
{
	bool all = g->verbose || g->log_level;
	enum log_level level = g->quiet ? LOG_WARN
			       : all	? LOG_DEBUG
					: LOG_INFO;

	log_setup(level, (enum log_format)g->log_format,
		  (enum log_progress)g->progress);
}

/* As git does with --git-dir: what opens a store, here or in a program of
 * ours, reads the variable. */
static int apply_bases(const struct strvec *bases, struct error *err)
{
	cleanup_strbuf struct strbuf value = STRBUF_INIT;

	for (size_t i = 0; i < bases->nr; i++) {
		if (strchr(bases->v[i], ','))
			return error_set(err, ERR_USAGE, "'%s' cannot be a "
					 "base store: its name has a comma",
					 bases->v[i]);
		strbuf_addf(&value, "%s%s", i ? "," : "", bases->v[i]);
	}
	if (bases->nr && setenv("DEVENV_BASE_STORE", value.buf, 1) < 0)
		return error_errno(err, "cannot set DEVENV_BASE_STORE");
	return 0;
}

static int apply_globals(struct cmd_globals *g, struct error *err)
{
	apply_log(g);
	if (g->dir && chdir(g->dir) < 0)
		return error_errno_code(err, ERR_USAGE,
					"cannot change to '%s'", g->dir);
	if (apply_bases(&g->base_stores, err) < 0)
		return -1;
	return cli_gate_setup(&g->gate, g->offline, g->policy, err);
}

static size_t count_tables(const struct cmd *cmd)
{
	size_t n = 0;

	while (cmd->tables && cmd->tables[n].rows)
		n++;
	return n;
}

/* Environment, then command line, into the options of a command. */
static int parse_command(struct cmd_call *call, struct cmd_globals *g,
			 char **argv, struct error *err)
{
	const size_t most = count_tables(call->cmd) + 1;
	cleanup_free const struct opt **tables = xcalloc(most,
							 sizeof(*tables));
	cleanup_free void **values = xcalloc(most, sizeof(*values));
	const struct opt_words words = { .max = call->cmd->max_words
						       ? call->cmd->max_words
						       : -1,
					 .strict = call->cmd->strict };
	struct opt_rest rest = { .args = STRVEC_INIT };
	const struct cmd_table *t;
	size_t n = 0;
	int rc;

	for (t = call->cmd->tables; t && t->rows; t++) {
		tables[n] = t->rows;
		values[n] = (char *)call->options + t->offset;
		if (opt_from_env(t->rows, values[n], err) < 0)
			return -1;
		n++;
	}
	tables[n] = cmd_global_rows;
	values[n++] = g;
	rc = opt_parse(tables, values, n, argv, &words, &rest, err);
	call->args = rest.args;
	call->dashdash = rest.dashdash;
	return rc;
}

static int run_command(const struct cmd *cmd, struct cmd_globals *g,
		       char **argv, int *status, struct error *err)
{
	struct cmd_call call = { .cmd = cmd, .globals = g, .dashdash = -1 };
	cleanup_strbuf struct strbuf help = STRBUF_INIT;
	const struct cmd_table *t;
	int rc;

	call.options = xcalloc(1, cmd->size);
	rc = parse_command(&call, g, argv, err);
	if (!rc && g->help) {
		cmd_usage(cmd, &help);
		rc = cli_write(NULL, &help, err);
	} else if (!rc && g->version) {
		strvec_release(&call.args);
		rc = cmd_version.run(&call, err);
	} else if (!rc) {
		rc = apply_globals(g, err);
		if (!rc)
			rc = cmd->run(&call, err);
	}
	*status = call.status;
	for (t = cmd->tables; t && t->rows; t++)
		opt_release(t->rows, (char *)call.options + t->offset);
	free(call.options);
	strvec_release(&call.args);
	return rc;
}

static int run(struct cmd_globals *g, char **argv, int *status,
	       struct error *err)
{
	const struct opt *rows = cmd_global_rows;
	void *values = g;
	const struct opt_words none = { 0 };
	struct opt_rest rest = { .args = STRVEC_INIT };
	cleanup_strvec struct strvec words = STRVEC_INIT;
	const struct cmd *cmd;

	if (opt_from_env(rows, g, err) < 0 ||
	    opt_parse(&rows, &values, 1, argv, &none, &rest, err) < 0) {
		strvec_release(&rest.args);
		return -1;
	}
	words = rest.args;
	apply_log(g);
	if (!words.nr) {
		strvec_push(&words, g->version ? "version" : "help");
		g->help = false; /* `devenv --help` is the list */
	}
	cmd = cmd_find(words.v[0]);
	if (!cmd)
		return run_external(words.v, err);
	return run_command(cmd, g, words.v, status, err);
}

/* What was written must have arrived, or the result is lost silently. */
static int close_output(struct error *err)
{
	if (fflush(stdout) || ferror(stdout))
		return error_errno(err, "cannot write standard output");
	return 0;
}

/* What is opened later must not get the number of a standard stream. Closed
 * ones stay as good as closed: nothing comes from them, nothing can be written
 * where a result was to go. */
static void fill_streams(void)
{
	static const int modes[] = { O_RDONLY, O_RDONLY, O_WRONLY };
	int fd = 0;

	while (fd < 3 && (fcntl(fd, F_GETFD) >= 0 ||
			  open("/dev/null", modes[fd]) == fd))
		fd++;
}

int main(int argc, char **argv)
{
	cleanup_error struct error err = ERROR_INIT;
	struct cmd_globals globals = { 0 };
	int status = 0;

	(void)argc;
	fill_streams();
	/* Names in archives are bytes; a UTF-8 locale keeps libarchive from
	 * refusing those that are not ASCII. */
	setlocale(LC_CTYPE, "C.UTF-8");
	log_setup(LOG_INFO, LOG_TEXT, PROGRESS_AUTO);
	signals_catch();
	if (run(&globals, argv, &status, &err) < 0 ||
	    close_output(&err) < 0) {
		log_report(&err);
		status = err.code;
	}
	cli_gate_release(&globals.gate);
	opt_release(cmd_global_rows, &globals);
	return signals_pending() ? 128 + signals_pending() : status;
}
