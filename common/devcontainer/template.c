/* template.c - options of Dev Container Templates */
/* SPDX-License-Identifier: Apache-2.0 */
#include "devcontainer/template.h"

#include <ctype.h>

#define MARK "${templateOption:"

/* "a, b, c" */
static void add_words(struct strbuf *out, const struct json *list)
{
	const struct json *m;

	for (m = json_first(list); m; m = json_next(m))
		if (json_str(m))
			strbuf_addf(out, "%s%s", out->len ? ", " : "",
				    json_str(m));
}

static int check_enum(const char *key, const char *value,
		      const struct json *words, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const struct json *m;

	if (!json_len(words))
		return 0;
	for (m = json_first(words); m; m = json_next(m))
		if (json_str(m) && str_eq(json_str(m), value))
			return 0;
	add_words(&text, words);
	error_set(err, ERR_USAGE, "'%s' is no value of the option '%s'", value,
		  key);
	return error_hint(err, "it takes one of %s", text.buf);
}

static int check_value(const char *key, const char *value,
		       const struct json *option, struct error *err)
{
	const char *type = json_get_str(option, "type");

	if (strlen(value) > DEVCONTAINER_TEMPLATE_VALUE_MAX)
		return error_set(err, ERR_USAGE, "the value of the option "
				 "'%s' is longer than %d bytes", key,
				 DEVCONTAINER_TEMPLATE_VALUE_MAX);
	if (type && str_eq(type, "boolean") && !str_eq(value, "true") &&
	    !str_eq(value, "false"))
		return error_set(err, ERR_USAGE, "the option '%s' takes true "
				 "or false, not '%s'", key, value);
	return check_enum(key, value, json_get(option, "enum"), err);
}

static const char *default_of(const struct json *option)
{
	const struct json *j = json_get(option, "default");

	if (json_kind(j) == JSON_BOOL)
		return json_bool(j) ? "true" : "false";
	return json_str(j);
}

static int unknown_option(const struct json *options, const char *key,
			  struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	const struct json *m;
	const char *near;

	for (m = json_first(options); m; m = json_next(m))
		strvec_push(&names, json_key(m));
	near = str_nearest(key, (const char *const *)strvec_argv(&names));
	error_set(err, ERR_USAGE, "the template has no option '%s'", key);
	return near ? error_hint(err, "did you mean '%s'?", near) : -1;
}

static int check_given(const struct json *options, const struct strvec *given,
		       struct error *err)
{
	size_t i;

	for (i = 0; i < given->nr; i++) {
		const char *text = given->v[i], *equals = strchr(text, '=');
		cleanup_free char *key = xstrndup(text, strcspn(text, "="));

		if (!equals || equals == text)
			return error_set(err, ERR_USAGE, "--option takes "
					 "KEY=VALUE, not '%s'", text);
		if (json_kind(json_get(options, key)) != JSON_OBJECT)
			return unknown_option(options, key, err);
	}
	return 0;
}

int devcontainer_template_values(const struct json *metadata,
				 const struct strvec *given,
				 struct strvec *values, struct error *err)
{
	const struct json *options = json_get(metadata, "options"), *m;

	if (check_given(options, given, err) < 0)
		return -1;
	for (m = json_first(options); m; m = json_next(m)) {
		const char *key = json_key(m);
		const char *value = strvec_env_get(given, key);

		if (!value)
			value = default_of(m);
		if (!value) {
			error_set(err, ERR_USAGE, "the option '%s' has no "
				  "default", key);
			return error_hint(err, "give it a value: --option "
					  "%s=...", key);
		}
		if (check_value(key, value, m, err) < 0)
			return -1;
		strvec_env_set(values, key, value);
	}
	return 0;
}

static size_t blanks(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n && isspace((unsigned char)s[i]); i++)
		;
	return i;
}

/* The length of "  NAME  }" behind the mark, and the name in it; 0: it is
 * something else. */
static size_t find_name(const char *s, size_t n, char **name)
{
	size_t start = blanks(s, n), end = start, after;

	while (end < n && (isalnum((unsigned char)s[end]) || s[end] == '_'))
		end++;
	after = end + blanks(s + end, n - end);
	if (end == start || after == n || s[after] != '}')
		return 0;
	*name = xstrndup(s + start, end - start);
	return after + 1;
}

static int add_value(const struct strvec *values, const char *name,
		     struct strvec *unknown, struct strbuf *out,
		     struct error *err)
{
	const char *value = strvec_env_get(values, name);

	if (value) {
		strbuf_addstr(out, value);
		return 0;
	}
	if (strvec_has(unknown, name))
		return 0;
	if (unknown->nr == DEVCONTAINER_TEMPLATE_OPTIONS_MAX)
		return error_set(err, ERR_INPUT, "it uses more than %d options "
				 "that the template does not declare",
				 DEVCONTAINER_TEMPLATE_OPTIONS_MAX);
	strvec_push(unknown, name);
	return 0;
}

int devcontainer_template_fill(const char *text, size_t n,
			       const struct strvec *values,
			       struct strvec *unknown, size_t max,
			       struct strbuf *out, struct error *err)
{
	static const size_t mark = sizeof(MARK) - 1;
	size_t at = 0;

	while (at < n) {
		const char *next = memmem(text + at, n - at, MARK, mark);
		size_t plain = next ? (size_t)(next - text) - at : n - at;
		cleanup_free char *name = NULL;
		size_t length;

		strbuf_add(out, text + at, plain);
		at += plain;
		if (!next)
			break;
		length = find_name(text + at + mark, n - at - mark, &name);
		if (!length)
			strbuf_add(out, text + at, mark);
		else if (add_value(values, name, unknown, out, err) < 0)
			return -1;
		at += mark + length;
		if (out->len > max)
			return error_set(err, ERR_INPUT, "with its options it "
					 "is longer than %zu bytes", max);
	}
	return 0;
}

bool devcontainer_template_omits(const struct strvec *omit, const char *path)
{
	size_t i;

	for (i = 0; i < omit->nr; i++) {
		const char *pattern = omit->v[i];
		size_t n;

		pattern += str_starts(pattern, "./") ? 2 : 0;
		n = strlen(pattern);
		if (str_eq(pattern, path) ||
		    (str_ends(pattern, "/*") &&
		     !strncmp(pattern, path, n - 1)))
			return true;
	}
	return false;
}
