/* init.c - what an environment runs, as envbuilder's variables say it */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/init.h"

#define BLANKS " \t\n"

#define O(member) offsetof(struct cli_init_options, member)
const struct opt cli_init_rows[] = {
	{ OPT_GROUP, .help = "What is run, without COMMAND" },
	{ OPT_STR, 0, "init-command", "PROGRAM", "ENVBUILDER_INIT_COMMAND",
	  "this (default with one of the next two: /bin/sh)", O(command) },
	{ OPT_STR, 0, "init-script", "TEXT", "ENVBUILDER_INIT_SCRIPT",
	  "with -c and this script (default: sleep infinity)", O(script) },
	{ OPT_STR, 0, "init-args", "WORDS", "ENVBUILDER_INIT_ARGS",
	  "or with these arguments, quoted as for a shell", O(args) },
	{ OPT_END },
};

/* Bytes up to the closing quote, which `s` is then at. */
static const char *add_quoted(struct strbuf *word, const char *s, char quote)
{
	for (; *s && *s != quote; s++) {
		if (quote == '"' && *s == '\\' && s[1] &&
		    strchr("\"\\$`", s[1]))
			s++;
		strbuf_addch(word, *s);
	}
	return s;
}

/* One word of a shell's, without expansions; NULL where a quote is open. */
static const char *add_word(struct strbuf *word, const char *s)
{
	for (; *s && !strchr(BLANKS, *s); s++) {
		if (*s == '\'' || *s == '"') {
			s = add_quoted(word, s + 1, *s);
			if (!*s)
				return NULL;
		} else if (*s == '\\' && s[1]) {
			strbuf_addch(word, *++s);
		} else {
			strbuf_addch(word, *s);
		}
	}
	return s;
}

static int split(const char *text, struct strvec *argv, struct error *err)
{
	const char *s = text + strspn(text, BLANKS);

	while (*s) {
		cleanup_strbuf struct strbuf word = STRBUF_INIT;

		s = add_word(&word, s);
		if (!s)
			return error_set(err, ERR_USAGE,
					 "--init-args: a quote is not closed");
		strvec_push(argv, word.buf);
		s += strspn(s, BLANKS);
	}
	return 0;
}

int cli_init_command(const struct cli_init_options *o, struct strvec *argv,
		     struct error *err)
{
	if (!o->command && !o->script && !o->args)
		return 0;
	strvec_push(argv, o->command ? o->command : "/bin/sh");
	if (o->args)
		return split(o->args, argv, err);
	strvec_push(argv, "-c");
	strvec_push(argv, o->script ? o->script : "sleep infinity");
	return 0;
}
