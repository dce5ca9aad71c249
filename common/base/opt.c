/* opt.c - option tables: parse, environment, help */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/opt.h"

#include <ctype.h>

#include "base/log.h"

static void *member(const struct opt *row, void *values)
{
	return (char *)values + row->offset;
}

static int set_bool(const struct opt *row, void *values, const char *text,
		    struct error *err)
{
	bool *b = member(row, values);

	if (!text || str_is_true(text))
		*b = true;
	else if (!strcasecmp(text, "false") || str_eq(text, "0"))
		*b = false;
	else
		return error_set(err, ERR_USAGE,
				 "--%s takes true or false, not '%s'",
				 row->name, text);
	return 0;
}

static int set_enum(const struct opt *row, void *values, const char *text,
		    struct error *err)
{
	cleanup_strvec struct strvec words = STRVEC_INIT;
	size_t i;

	strvec_split(&words, row->arg, "|");
	for (i = 0; i < words.nr; i++) {
		if (!text || str_eq(words.v[i], text)) {
			*(int *)member(row, values) = (int)i;
			return 0;
		}
	}
	return error_set(err, ERR_USAGE, "--%s takes one of %s, not '%s'",
			 row->name, row->arg, text);
}

static int set_int(const struct opt *row, void *values, const char *text,
		   struct error *err)
{
	uint64_t v;

	if (!str_to_u64(text, 1 << 30, &v))
		return error_set(err, ERR_USAGE,
				 "--%s takes a number, not '%s'", row->name,
				 text);
	*(int *)member(row, values) = (int)v;
	return 0;
}

static int set_value(const struct opt *row, void *values, const char *text,
		     struct error *err)
{
	char **str;

	if (row->secret)
		log_add_secret(text);
	switch (row->type) {
	case OPT_BOOL:
		return set_bool(row, values, text, err);
	case OPT_ENUM:
		return set_enum(row, values, text, err);
	case OPT_INT:
		return set_int(row, values, text, err);
	case OPT_LIST:
		strvec_push(member(row, values), text);
		return 0;
	case OPT_STR:
		str = member(row, values);
		free(*str);
		*str = xstrdup(text);
		return 0;
	case OPT_END:
	case OPT_GROUP:
		break;
	}
	return 0;
}

void opt_env_name(const struct opt *row, struct strbuf *out)
{
	const char *p;

	strbuf_addstr(out, "DEVENV_");
	for (p = row->name; *p; p++)
		strbuf_addch(out, *p == '-' ? '_' : toupper((unsigned char)*p));
}

static bool has_env(const struct opt *row)
{
	return row->type != OPT_GROUP &&
	       !(row->compat && !*row->compat);
}

int opt_set(const struct opt *row, void *values, const char *text,
	    struct error *err)
{
	cleanup_strvec struct strvec parts = STRVEC_INIT;
	size_t i;

	if (row->type != OPT_LIST)
		return set_value(row, values, text, err);
	strvec_release(member(row, values));
	strvec_split(&parts, text, ",");
	for (i = 0; i < parts.nr; i++)
		if (set_value(row, values, parts.v[i], err) < 0)
			return -1;
	return 0;
}

static int from_env(const struct opt *row, void *values, const char *name,
		    struct error *err)
{
	const char *value = getenv(name);

	if (!value || !*value)
		return 0;
	if (opt_set(row, values, value, err) < 0)
		return error_wrap(err, "%s", name);
	return 0;
}

int opt_from_env(const struct opt *table, void *values, struct error *err)
{
	const struct opt *row;

	for (row = table; row && row->type != OPT_END; row++) {
		cleanup_strbuf struct strbuf name = STRBUF_INIT;

		if (!has_env(row))
			continue;
		if (row->compat &&
		    from_env(row, values, row->compat, err) < 0)
			return -1;
		opt_env_name(row, &name);
		if (from_env(row, values, name.buf, err) < 0)
			return -1;
	}
	return 0;
}

/* Where one parse stands. */
struct state {
	const struct opt *const *tables;
	void *const *values;
	size_t n_tables;
	char **argv;
	size_t i;
	/* lists given on the command line replace those of the environment,
	 * at their first use */
	const struct opt *seen[64];
	size_t n_seen;
	int left; /* words that are still for us; -1: all */
};

static const struct opt *find_row(const struct opt *row, const char *name,
				  size_t n)
{
	for (; row && row->type != OPT_END; row++)
		if (row->type != OPT_GROUP && row->name &&
		    strlen(row->name) == n && !strncmp(row->name, name, n))
			return row;
	return NULL;
}

static const struct opt *find_long(const struct state *s, const char *name,
				   size_t n, size_t *table)
{
	const struct opt *row;

	for (*table = 0; *table < s->n_tables; (*table)++) {
		row = find_row(s->tables[*table], name, n);
		if (row)
			return row;
	}
	return NULL;
}

static const struct opt *find_letter(const struct state *s, char letter,
				     size_t *table)
{
	const struct opt *row;

	for (*table = 0; *table < s->n_tables; (*table)++)
		for (row = s->tables[*table]; row && row->type != OPT_END;
		     row++)
			if (row->type != OPT_GROUP && row->letter == letter)
				return row;
	return NULL;
}

static int unknown(const struct state *s, const char *name, size_t n,
		   struct error *err)
{
	cleanup_free char *word = xstrndup(name, n);
	cleanup_strvec struct strvec names = STRVEC_INIT;
	const char *near;
	const struct opt *row;
	size_t t;

	for (t = 0; t < s->n_tables; t++)
		for (row = s->tables[t]; row && row->type != OPT_END; row++)
			if (row->type != OPT_GROUP && row->name)
				strvec_push(&names, row->name);
	near = str_nearest(word, (const char *const *)strvec_argv(&names));
	error_set(err, ERR_USAGE, "unknown option '--%s'", word);
	if (near)
		error_hint(err, "did you mean --%s?", near);
	else
		error_hint(err, "--help lists the options");
	return -1;
}

/* The first list value of the command line drops the environment's. */
static void first_use(struct state *s, const struct opt *row, void *values)
{
	size_t i;

	if (row->type != OPT_LIST)
		return;
	for (i = 0; i < s->n_seen; i++)
		if (s->seen[i] == row)
			return;
	if (s->n_seen < ARRAY_SIZE(s->seen))
		s->seen[s->n_seen++] = row;
	strvec_release(member(row, values));
}

/* What an option is worth that needs no value. */
static const char *alone(struct state *s, const struct opt *row)
{
	cleanup_strvec struct strvec words = STRVEC_INIT;
	const char *next = s->argv[s->i + 1];

	if (row->type != OPT_ENUM)
		return "";
	strvec_split(&words, row->arg, "|");
	if (next && strvec_has(&words, next))
		return s->argv[++s->i];
	return NULL;
}

/* A name that several tables have is meant for all of them: one --ca-file
 * serves Git and registries. */
static int apply(struct state *s, const struct opt *row, size_t table,
		 const char *value, struct error *err)
{
	const char *name = row->name;
	enum opt_type type = row->type;
	size_t n = strlen(name);

	if (row->is_word && s->left > 0)
		s->left--;
	if (!value && row->optional) {
		value = alone(s, row);
	} else if (!value && row->type != OPT_BOOL) {
		value = s->argv[++s->i];
		if (!value)
			return error_set(err, ERR_USAGE,
					 "--%s needs a value (%s)", name,
					 row->arg ? row->arg : "VALUE");
	}
	for (; table < s->n_tables; table++) {
		row = find_row(s->tables[table], name, n);
		if (!row || row->type != type)
			continue;
		first_use(s, row, s->values[table]);
		if (set_value(row, s->values[table], value, err) < 0)
			return -1;
	}
	return 0;
}

static int parse_long(struct state *s, const char *word, struct error *err)
{
	size_t n = strcspn(word, "="), table;
	const char *value = word[n] ? word + n + 1 : NULL;
	const struct opt *row = find_long(s, word, n, &table);
	const char *positive = str_skip(word, "no-");

	if (row)
		return apply(s, row, table, value, err);
	if (positive && !value) {
		row = find_long(s, positive, n - 3, &table);
		if (row && row->type == OPT_BOOL)
			return apply(s, row, table, "false", err);
	}
	return unknown(s, word, n, err);
}

static int parse_letters(struct state *s, const char *word,
			 struct error *err)
{
	for (; *word; word++) {
		size_t table;
		const struct opt *row = find_letter(s, *word, &table);

		if (!row) {
			error_set(err, ERR_USAGE, "unknown option '-%c'",
				  *word);
			return error_hint(err, "--help lists the options");
		}
		if (row->type != OPT_BOOL) {
			word++;
			return apply(s, row, table, *word ? word : NULL, err);
		}
		if (apply(s, row, table, NULL, err) < 0)
			return -1;
	}
	return 0;
}

static int parse_word(struct state *s, const char *word, struct opt_rest *rest,
		      struct error *err)
{
	if (word[0] == '-' && word[1] == '-')
		return parse_long(s, word + 2, err);
	if (word[0] == '-' && word[1])
		return parse_letters(s, word + 1, err);
	s->left -= s->left > 0;
	strvec_push(&rest->args, word);
	return 0;
}

int opt_parse(const struct opt *const *tables, void *const *values,
	      size_t n_tables, char **argv, const struct opt_words *words,
	      struct opt_rest *rest, struct error *err)
{
	struct state s = { .tables = tables,
			   .values = values,
			   .n_tables = n_tables,
			   .argv = argv,
			   .i = 1,
			   .left = words->max };

	rest->dashdash = -1;
	for (; argv[s.i]; s.i++) {
		const char *word = argv[s.i];
		bool is_word = word[0] != '-' || !word[1];

		if (str_eq(word, "--")) {
			rest->dashdash = (int)rest->args.nr;
			s.i++;
			break;
		}
		if (!s.left && (is_word || (words->strict && rest->args.nr)))
			break;
		if (parse_word(&s, word, rest, err) < 0)
			return -1;
	}
	for (; argv[s.i]; s.i++)
		strvec_push(&rest->args, argv[s.i]);
	return 0;
}

void opt_release(const struct opt *table, void *values)
{
	const struct opt *row;

	for (row = table; row && row->type != OPT_END; row++) {
		if (row->type == OPT_LIST)
			strvec_release(member(row, values));
		if (row->type == OPT_STR)
			free(*(char **)member(row, values));
	}
}

static void help_row(const struct opt *row, struct strbuf *out)
{
	size_t start = out->len;

	if (row->letter)
		strbuf_addf(out, "  -%c, ", row->letter);
	else
		strbuf_addstr(out, "      ");
	strbuf_addf(out, "--%s", row->name);
	if (row->type != OPT_BOOL)
		strbuf_addf(out, row->optional ? "[=%s]" : "=%s",
			    row->arg ? row->arg : "VALUE");
	if (out->len - start < 30)
		strbuf_addf(out, "%*s", (int)(30 - (out->len - start)), "");
	else
		strbuf_addf(out, "\n%30s", "");
	strbuf_addf(out, "%s\n", row->help);
}

void opt_help(const struct opt *table, struct strbuf *out)
{
	const struct opt *row;

	for (row = table; row && row->type != OPT_END; row++) {
		if (row->type == OPT_GROUP)
			strbuf_addf(out, "\n%s:\n", row->help);
		else
			help_row(row, out);
	}
}
