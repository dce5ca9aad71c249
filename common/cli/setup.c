/* setup.c - what is done in an environment before its command is run */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/setup.h"

#include "base/log.h"

#define PREFIX "ENVBUILDER_"

#define O(member) offsetof(struct cli_setup_options, member)
const struct opt cli_setup_rows[] = {
	{ OPT_GROUP, .help = "What is done before" },
	{ OPT_STR, 0, "setup-script", "TEXT", "ENVBUILDER_SETUP_SCRIPT",
	  "root runs this first; it may change what is run", O(script) },
	{ OPT_STR, 0, "export-env-file", "PATH", "ENVBUILDER_EXPORT_ENV_FILE",
	  "write the variables of image and configuration there",
	  O(export_file) },
	{ OPT_STR, 0, "post-start-script-path", "PATH",
	  "ENVBUILDER_POST_START_SCRIPT_PATH",
	  "write postStartCommand there, for what is run to run it",
	  O(post_start) },
	{ OPT_END },
};

static int check_path(const char *option, const char *path, struct error *err)
{
	if (!path || (*path == '/' && !str_ends(path, "/")))
		return 0;
	return error_set(err, ERR_USAGE,
			 "--%s: '%s' is not the absolute path of a file",
			 option, path);
}

int cli_setup_check(const struct cli_setup_options *o, struct error *err)
{
	if (check_path("export-env-file", o->export_file, err) < 0)
		return -1;
	return check_path("post-start-script-path", o->post_start, err);
}

void cli_setup_release(struct cli_setup *s)
{
	free(s->user);
	strvec_release(&s->argv);
	strvec_release(&s->env);
}

static int not_known(const char *line, struct error *err)
{
	error_set(err, ERR_INPUT,
		  "the set-up script wrote '%.*s' to "
		  "$ENVBUILDER_ENV, which is not known",
		  (int)strcspn(line, "="), line);
	return error_hint(err, "INIT_COMMAND, INIT_ARGS, TARGET_USER and "
			       "variables without the prefix " PREFIX " are");
}

/* A line of the script's as what it is about: its value, or NULL. */
static const char *value_of(const char *line, const char *name)
{
	const size_t n = strlen(name);

	if (str_starts(line, PREFIX))
		line += strlen(PREFIX);
	return str_starts(line, name) && line[n] == '=' ? line + n + 1 : NULL;
}

/* The command of a script that names one, or arguments. */
static int take_init(struct cli_setup *s, const char *command, const char *args,
		     struct error *err)
{
	struct cli_init_options o = { .command = (char *)command,
				      .args = (char *)args };

	if (!s->init) {
		log_warn("a command was given, so that INIT_COMMAND and "
			 "INIT_ARGS of the set-up script are not used");
		return 0;
	}
	if (!command)
		o.command = s->init->command;
	else if (!args)
		o.args = (char *)"";
	return cli_init_command(&o, &s->argv, err);
}

static int take(struct cli_setup *s, const struct strvec *said,
		struct error *err)
{
	const char *command = NULL, *args = NULL, *user = NULL, *value;
	size_t i;

	for (i = 0; i < said->nr; i++) {
		const char *line = said->v[i];

		if ((value = value_of(line, "INIT_COMMAND")))
			command = value;
		else if ((value = value_of(line, "INIT_ARGS")))
			args = value;
		else if ((value = value_of(line, "TARGET_USER")))
			user = value;
		else if (str_starts(line, PREFIX))
			return not_known(line, err);
		else
			strvec_push(&s->env, line);
	}
	s->user = xstrdup_null(user);
	return command || args ? take_init(s, command, args, err) : 0;
}

int cli_setup_run(struct cli_setup *s, struct env *e, struct env_command *c,
		  struct error *err)
{
	cleanup_strvec struct strvec said = STRVEC_INIT;

	if (env_setup(e, s->script, &said, err) < 0 || take(s, &said, err) < 0)
		return -1;
	if (s->argv.nr)
		c->argv = s->argv.v;
	if (s->user)
		c->user = s->user;
	c->env = &s->env;
	return 0;
}
