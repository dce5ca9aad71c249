/* probe_env.c - options under envbuilder's names, and those of a query */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/probe.h"

#include <ctype.h>
#include <strings.h>
#include <unistd.h>

#include "base/fs.h"

#define PREFIX "ENVBUILDER_"
#define QUERY_MAX (1 << 20)

extern char **environ;

/* --- variables --- */

/* What envbuilder takes for unset. */
static bool is_unset(const char *value)
{
	return !*value || str_eq(value, "0") || !strcasecmp(value, "false");
}

static void add_list(const struct strvec *list, struct strbuf *out)
{
	size_t i;

	for (i = 0; i < list->nr; i++)
		strbuf_addf(out, "%s%s", i ? "," : "", list->v[i]);
}

static void value_of(const struct opt *row, const void *values,
		     struct strbuf *out)
{
	const char *at = (const char *)values + row->offset;

	switch (row->type) {
	case OPT_BOOL:
		strbuf_addstr(out, *(const bool *)at ? "true" : "");
		break;
	case OPT_INT:
	case OPT_ENUM:
		strbuf_addf(out, "%d", *(const int *)(const void *)at);
		break;
	case OPT_STR:
		if (*(char *const *)(const void *)at)
			strbuf_addstr(out, *(char *const *)(const void *)at);
		break;
	case OPT_LIST:
		add_list((const struct strvec *)(const void *)at, out);
		break;
	case OPT_END:
	case OPT_GROUP:
		break;
	}
}

static bool has_compat(const struct opt *row)
{
	return row->type != OPT_GROUP && row->compat &&
	       str_starts(row->compat, PREFIX);
}

static bool is_secret(const char *name)
{
	static const char *const names[] = {
		PREFIX "GIT_PASSWORD", PREFIX "GIT_SSH_PRIVATE_KEY_BASE64",
		PREFIX "DOCKER_CONFIG_BASE64", PREFIX "BUILD_SECRETS",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (str_eq(names[i], name))
			return true;
	return false;
}

static void add(struct cli_probe *p, const char *name, const char *value,
		bool secret, bool secrets)
{
	if (is_unset(value)) {
		strvec_env_unset(&p->env, name);
		return;
	}
	if (secret && !strvec_has(&p->sensitive, name))
		strvec_push(&p->sensitive, name);
	if (!secret || secrets)
		strvec_env_set(&p->env, name, value);
}

/* Variables that mean something to envbuilder alone go along. */
static void add_ours(struct cli_probe *p, bool secrets)
{
	char **e;

	for (e = environ; *e; e++) {
		const char *equals = strchr(*e, '=');
		cleanup_free char *name = NULL;

		if (!equals || !str_starts(*e, PREFIX) ||
		    str_starts(*e, PREFIX "GET_CACHED_IMAGE"))
			continue;
		name = xstrndup(*e, (size_t)(equals - *e));
		add(p, name, equals + 1, is_secret(name), secrets);
	}
}

void cli_probe_env(struct cli_probe *p, const struct cli_probe_table *tables,
		   bool secrets)
{
	const struct opt *row;

	add_ours(p, secrets);
	for (; tables->rows; tables++) {
		for (row = tables->rows; row->type != OPT_END; row++) {
			cleanup_strbuf struct strbuf value = STRBUF_INIT;

			if (!has_compat(row))
				continue;
			value_of(row, tables->values, &value);
			add(p, row->compat, value.buf,
			    row->secret || is_secret(row->compat), secrets);
		}
	}
	if (p->env.nr)
		strvec_sort(&p->env);
	if (p->sensitive.nr)
		strvec_sort(&p->sensitive);
}

/* --- a query --- */

/* Equal but for dashes and underscores, and for the case. */
static bool same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++) {
		int x = *a == '-' ? '_' : tolower((unsigned char)*a);
		int y = *b == '-' ? '_' : tolower((unsigned char)*b);

		if (x != y)
			return false;
	}
	return *a == *b;
}

static bool is_named(const struct opt *row, const char *key)
{
	if (row->type == OPT_GROUP)
		return false;
	return same_name(row->name, key) ||
	       (has_compat(row) &&
		same_name(row->compat + strlen(PREFIX), key));
}

/* A name that several tables have is meant for all of them. */
static int set_option(const struct cli_probe_table *tables, const char *key,
		      const char *value, struct error *err)
{
	const struct opt *row;
	bool found = false;

	for (; tables->rows; tables++) {
		for (row = tables->rows; row->type != OPT_END; row++) {
			if (!is_named(row, key))
				continue;
			found = true;
			if (*value &&
			    opt_set(row, tables->values, value, err) < 0)
				return error_wrap(err, "query: '%s'", key);
		}
	}
	if (found)
		return 0;
	error_set(err, ERR_USAGE, "the query has '%s', which is no option",
		  key);
	return error_hint(err, "its keys are the long options of 'devenv "
			       "cache-probe', with underscores");
}

int cli_probe_query(const struct cli_probe_table *tables, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_json struct json *query = NULL;
	const struct json *one;

	if (fs_read_fd(STDIN_FILENO, QUERY_MAX, &text, err) < 0)
		return error_wrap(err, "standard input");
	query = json_parse("query", text.buf, text.len, err);
	if (!query)
		return -1;
	if (json_kind(query) != JSON_OBJECT)
		return error_set(err, ERR_INPUT, "the query is not an object");
	for (one = json_first(query); one; one = json_next(one)) {
		const char *value = json_str(one);

		if (!value)
			return error_set(err, ERR_INPUT,
					 "query: '%s' is not a string",
					 json_key(one));
		if (set_option(tables, json_key(one), value, err) < 0)
			return -1;
	}
	return 0;
}
