/* record.c - read, check and write the record as a whole */
/* SPDX-License-Identifier: Apache-2.0 */
#include "record/record.h"

#include "base/path.h"

void record_release(struct record *r)
{
	json_free(r->json);
	free(r->name);
	free(r->text);
	*r = (struct record)RECORD_INIT;
}

bool record_detect(const char *data, size_t n)
{
	/* No tar, compressed or not, starts with a blank or a brace: the
	 * first bytes are a magic number or a file name of a tar, and a name
	 * beginning like this is told apart by the NULs that follow it. */
	for (size_t i = 0; i < n; i++) {
		if (strchr(" \t\r\n", data[i]) && data[i])
			continue;
		return data[i] == '{' && !memchr(data, '\0', n);
	}
	return false;
}

void record_new(struct record *r)
{
	*r = (struct record)RECORD_INIT;
	r->json = json_new_object();
	r->name = xstrdup("record");
	json_set_str(r->json, "schema", RECORD_SCHEMA);
}

int record_fail(const struct record *r, struct error *err,
		const char *const *path, const char *what)
{
	cleanup_strvec struct strvec keys = STRVEC_INIT;
	cleanup_strbuf struct strbuf where = STRBUF_INIT;
	unsigned line = 1, col = 1;

	for (size_t i = 0; path[i]; i++) {
		strbuf_addf(&where, "%s%s", i ? "." : "", path[i]);
		strvec_push(&keys, path[i]);
	}
	/* What is missing has no place; its container has one. */
	while (r->text && !jsonc_locate(r->text, r->n, &keys, false, &line,
					&col) && keys.nr)
		strvec_pop(&keys);
	return error_set(err, ERR_INPUT, "%s:%u:%u: %s%s%s", r->name, line,
			 col, where.buf, where.len ? ": " : "", what);
}

static int check_sections(const struct record *r, struct error *err)
{
	static const char *const objects[] = { "source", "plan", "image",
					       "cache", "environment" };
	const char *schema = json_get_str(r->json, "schema");
	const struct json *pushed = record_get(r, "pushed");

	if (json_kind(r->json) != JSON_OBJECT)
		return record_fail(r, err, (const char *[]){ NULL },
				   "a record is an object");
	if (!schema || !str_eq(schema, RECORD_SCHEMA)) {
		record_fail(r, err, (const char *[]){ "schema", NULL },
			    "not \"" RECORD_SCHEMA "\"");
		return error_hint(err, "a record comes from 'devenv clone' or "
				       "'devenv parse'");
	}
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		const struct json *s = record_get(r, objects[i]);

		if (s && json_kind(s) != JSON_OBJECT)
			return record_fail(r, err,
					   (const char *[]){ objects[i],
							     NULL },
					   "expected an object");
	}
	if (pushed && json_kind(pushed) != JSON_ARRAY)
		return record_fail(r, err, (const char *[]){ "pushed", NULL },
				   "expected an array");
	return 0;
}

int record_parse(struct record *r, const char *name, const char *text,
		 size_t n, struct error *err)
{
	cleanup_record struct record got = RECORD_INIT;

	if (!n && str_eq(name, "-")) {
		error_set(err, ERR_INPUT, "standard input is empty");
		return error_hint(err, "a record was expected; what writes to "
				       "the pipe may have failed");
	}
	if (n > RECORD_MAX)
		return error_set(err, ERR_INPUT,
				 "%s:1:1: record is larger than %d bytes",
				 name, RECORD_MAX);
	got.json = json_parse(name, text, n, err);
	if (!got.json)
		return -1;
	got.name = xstrdup(name);
	got.text = xmemdup(text, n);
	got.n = n;
	if (check_sections(&got, err) < 0)
		return -1;
	*r = got;
	got = (struct record)RECORD_INIT;
	return 0;
}

struct json *record_get(const struct record *r, const char *section)
{
	return json_get(r->json, section);
}

void record_set(struct record *r, const char *section, struct json *value)
{
	json_set(r->json, section, value);
}

void record_write(const struct record *r, struct strbuf *out)
{
	json_write(out, r->json, true);
}

static void make_relative(struct json *object, const char *key,
			  const char *dir)
{
	const char *path = json_get_str(object, key);
	const char *below = path ? path_below(path, dir) : NULL;

	if (below) {
		cleanup_free char *copy = xstrdup(*below ? below : ".");

		json_set_str(object, key, copy);
	}
}

static void plan_relative(struct json *plan, const char *dir)
{
	make_relative(plan, "context", dir);
	make_relative(plan, "config_file", dir);
	make_relative(json_get(plan, "dockerfile"), "path", dir);
}

void record_relative(struct record *r, const char *dir)
{
	struct json *plan = record_get(r, "plan");
	struct json *m = json_first(json_get(plan, "services"));

	make_relative(record_get(r, "source"), "path", dir);
	plan_relative(plan, dir);
	for (; m; m = json_next(m))
		plan_relative(json_get(m, "plan"), dir);
}

void record_source_get(struct record_source *s, const struct record *r)
{
	const struct json *j = record_get(r, "source");

	s->url = json_get_str(j, "url");
	s->ref = json_get_str(j, "ref");
	s->commit = json_get_str(j, "commit");
	s->path = json_get_str(j, "path");
}

void record_source_set(const struct record_source *s, struct record *r)
{
	struct json *j = json_new_object();

	json_set_str(j, "url", s->url);
	json_set_str(j, "ref", s->ref);
	json_set_str(j, "commit", s->commit);
	json_set_str(j, "path", s->path);
	record_set(r, "source", j);
}
