/* run_args.c - the words of runArgs, as docker run reads them */
/* SPDX-License-Identifier: Apache-2.0 */
#include "devcontainer/run_internal.h"

/* An option that was found in a word. */
struct found {
	const struct run_flag *flag; /* NULL: unknown */
	const char *name;	     /* as written, without a value */
	const char *value;	     /* that came with it, or NULL */
};

/* Act on it, with the next word where it wants one; true: it took that. */
static bool apply(const struct run_reader *rd, const struct found *f,
		  const char *next)
{
	/* What looks like no option may be the value of an unknown one. */
	bool two = !f->value && next &&
		   (f->flag ? !f->flag->alone : *next != '-');

	if (!f->flag || !f->flag->set)
		run_note(rd, "the option '%s' is not acted on", f->name);
	else if (!f->flag->alone && !f->value && !two)
		run_note(rd, "the option '%s' has no value", f->name);
	else
		f->flag->set(rd, two ? next : f->value ? f->value : "");
	return two;
}

/* "--name", "--name=value" */
static bool take_long(const struct run_reader *rd, const char *text,
		      const char *next)
{
	cleanup_free char *name = xstrndup(text, strcspn(text, "="));
	const struct found f = {
		run_flag_long(name + 2), name,
		text[strlen(name)] ? text + strlen(name) + 1 : NULL
	};

	return apply(rd, &f, next);
}

/* "-u", "-uroot", "-u=root", "-it", "-itu root" */
static bool take_letters(const struct run_reader *rd, const char *text,
			 const char *next)
{
	for (const char *p = text + 1; *p; p++) {
		const char name[] = { '-', *p, '\0' };
		struct found f = { run_flag_letter(*p), name, NULL };
		bool alone = f.flag && f.flag->alone;

		if (p[1] == '=')
			f.value = p + 2;
		else if (p[1])
			f.value = alone ? "" : p + 1;
		if (apply(rd, &f, next))
			return true;
		if (!alone || p[1] == '=')
			break;
	}
	return false;
}

/* One word and perhaps the next, its value; how many were taken. */
static size_t take(const struct run_reader *rd, const struct strvec *words)
{
	const char *text = words->v[rd->index];
	const char *next = words->v[rd->index + 1];
	bool two;

	if (*text != '-' || !text[1]) {
		run_note(rd, "'%s' is no option of docker run", text);
		return 1;
	}
	two = text[1] == '-' ? take_long(rd, text, next)
			     : take_letters(rd, text, next);
	return two ? 2 : 1;
}

void run_add_args(struct devcontainer_run *r, const struct json *list)
{
	cleanup_strvec struct strvec words = STRVEC_INIT;
	struct run_reader rd = { r, "runArgs", 0 };

	json_get_strings(list, &words);
	while (rd.index < words.nr)
		rd.index += take(&rd, &words);
}
