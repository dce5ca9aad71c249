/* completion.c - shell completions from the option tables */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cmd/cmd.h"

/* Calls `row` for each option of a command, the global ones last. */
static void each_option(const struct cmd *cmd, struct strbuf *out,
			void (*row)(struct strbuf *, const struct cmd *,
				    const struct opt *))
{
	const struct cmd_table *t;
	const struct opt *r;

	for (t = cmd->tables; t && t->rows; t++)
		for (r = t->rows; r->type != OPT_END; r++)
			if (r->type != OPT_GROUP)
				row(out, cmd, r);
	for (r = cmd_global_rows; r->type != OPT_END; r++)
		if (r->type != OPT_GROUP)
			row(out, cmd, r);
}

static void bash_row(struct strbuf *out, const struct cmd *cmd UNUSED,
		     const struct opt *r)
{
	strbuf_addf(out, " --%s%s", r->name,
		    r->type == OPT_BOOL || r->optional ? "" : "=");
}

static void bash_values(struct strbuf *out, const struct cmd *cmd,
			const struct opt *r)
{
	cleanup_strvec struct strvec words = STRVEC_INIT;
	size_t i;

	if (r->type != OPT_ENUM)
		return;
	strvec_split(&words, r->arg, "|");
	strbuf_addf(out, "\t%s:--%s) words=\"", cmd->name, r->name);
	for (i = 0; i < words.nr; i++)
		strbuf_addf(out, "%s%s", i ? " " : "", words.v[i]);
	strbuf_addstr(out, "\" ;;\n");
}

static void bash(struct strbuf *out)
{
	size_t i;

	strbuf_addstr(out, "# bash completion for devenv\n"
			   "_devenv()\n{\n"
			   "\tlocal cur=${COMP_WORDS[COMP_CWORD]} "
			   "prev=${COMP_WORDS[COMP_CWORD-1]} cmd= i words=\n"
			   "\tif [[ $cur == = ]]; then cur=; "
			   "elif [[ $prev == = ]]; then "
			   "prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
			   "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
			   "\t\tcase ${COMP_WORDS[i]} in\n"
			   "\t\t-C|--store|--directory) ((i++)) ;;\n"
			   "\t\t-*|=) ;;\n"
			   "\t\t*) cmd=${COMP_WORDS[i]}; break ;;\n"
			   "\t\tesac\n\tdone\n"
			   "\tcase $cmd in\n\t'') words=\"");
	for (i = 0; cmd_all[i]; i++)
		strbuf_addf(out, "%s%s", i ? " " : "", cmd_all[i]->name);
	strbuf_addstr(out, "\" ;;\n");
	for (i = 0; cmd_all[i]; i++) {
		strbuf_addf(out, "\t%s) words=\"", cmd_all[i]->name);
		each_option(cmd_all[i], out, bash_row);
		strbuf_addstr(out, "\" ;;\n");
	}
	strbuf_addstr(out, "\tesac\n\tcase $cmd:$prev in\n");
	for (i = 0; cmd_all[i]; i++)
		each_option(cmd_all[i], out, bash_values);
	strbuf_addstr(out,
		      "\t*) [[ $cmd && $cur != -* ]] && words= ;;\n\tesac\n"
		      "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
		      "\t[[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]"
		      " && compopt -o nospace\n}\n"
		      "complete -o default -F _devenv devenv\n");
}

/* Help text inside single quotes, with what zsh treats specially escaped. */
static void add_quoted(struct strbuf *out, const char *s, const char *special)
{
	for (; *s; s++) {
		if (*s == '\'') {
			strbuf_addstr(out, "'\\''");
			continue;
		}
		if (strchr(special, *s))
			strbuf_addch(out, '\\');
		strbuf_addch(out, *s);
	}
}

static void zsh_row(struct strbuf *out, const struct cmd *cmd UNUSED,
		    const struct opt *r)
{
	strbuf_addf(out, " \\\n\t\t'%s--%s%s[",
		    r->type == OPT_LIST ? "*" : "", r->name,
		    r->type == OPT_BOOL ? "" : r->optional ? "=-" : "=");
	add_quoted(out, r->help, "[]:");
	strbuf_addch(out, ']');
	if (r->type == OPT_ENUM) {
		cleanup_strvec struct strvec words = STRVEC_INIT;
		size_t i;

		strvec_split(&words, r->arg, "|");
		strbuf_addstr(out, ":value:(");
		for (i = 0; i < words.nr; i++)
			strbuf_addf(out, "%s%s", i ? " " : "", words.v[i]);
		strbuf_addch(out, ')');
	} else if (r->type != OPT_BOOL) {
		strbuf_addstr(out, r->optional ? "::value:_files"
					       : ":value:_files");
	}
	strbuf_addch(out, '\'');
}

static void zsh(struct strbuf *out)
{
	size_t i;

	strbuf_addstr(out, "#compdef devenv\n"
			   "local -a commands\ncommands=(\n");
	for (i = 0; cmd_all[i]; i++) {
		strbuf_addf(out, "\t'%s:", cmd_all[i]->name);
		add_quoted(out, cmd_all[i]->summary, ":");
		strbuf_addstr(out, "'\n");
	}
	strbuf_addstr(out, ")\nif (( CURRENT == 2 )); then\n"
			   "\t_describe command commands\n\treturn\nfi\n"
			   "local cmd=$words[2]\n"
			   "words=(\"devenv $cmd\" \"${(@)words[3,-1]}\")\n"
			   "(( CURRENT-- ))\ncase $cmd in\n");
	for (i = 0; cmd_all[i]; i++) {
		strbuf_addf(out, "%s)\n\t_arguments -s", cmd_all[i]->name);
		each_option(cmd_all[i], out, zsh_row);
		strbuf_addstr(out, " \\\n\t\t'*:file:_files' ;;\n");
	}
	strbuf_addstr(out, "esac\n");
}

static void fish_row(struct strbuf *out, const struct cmd *cmd,
		     const struct opt *r)
{
	strbuf_addf(out, "complete -c devenv -n '__fish_seen_subcommand_from "
			 "%s' -l %s", cmd->name, r->name);
	if (r->letter)
		strbuf_addf(out, " -s %c", r->letter);
	if (r->type == OPT_ENUM) {
		cleanup_strvec struct strvec words = STRVEC_INIT;
		size_t i;

		strvec_split(&words, r->arg, "|");
		strbuf_addstr(out, " -x -a '");
		for (i = 0; i < words.nr; i++)
			strbuf_addf(out, "%s%s", i ? " " : "", words.v[i]);
		strbuf_addch(out, '\'');
	} else if (r->type != OPT_BOOL && !r->optional) {
		strbuf_addstr(out, " -r");
	}
	strbuf_addstr(out, " -d '");
	add_quoted(out, r->help, "");
	strbuf_addstr(out, "'\n");
}

static void fish(struct strbuf *out)
{
	size_t i;

	strbuf_addstr(out, "# fish completion for devenv\n");
	for (i = 0; cmd_all[i]; i++) {
		strbuf_addf(out, "complete -c devenv -n "
				 "__fish_use_subcommand -f -a %s -d '",
			    cmd_all[i]->name);
		add_quoted(out, cmd_all[i]->summary, "");
		strbuf_addstr(out, "'\n");
	}
	for (i = 0; cmd_all[i]; i++)
		each_option(cmd_all[i], out, fish_row);
}

static int run(struct cmd_call *call, struct error *err)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	const char *shell;

	if (cmd_words(call, 1, 1, err) < 0)
		return -1;
	shell = call->args.v[0];
	if (str_eq(shell, "bash"))
		bash(&out);
	else if (str_eq(shell, "zsh"))
		zsh(&out);
	else if (str_eq(shell, "fish"))
		fish(&out);
	else
		return error_set(err, ERR_USAGE,
				 "no completion for '%s': bash, zsh or fish",
				 shell);
	return cli_write(NULL, &out, err);
}

const struct cmd cmd_completion = {
	.name = "completion",
	.summary = "Print the completion script of a shell.",
	.usage = "completion bash|zsh|fish",
	.run = run,
};
