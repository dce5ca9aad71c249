/* volume.c - what a service has mounted */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"
#include "compose/internal.h"

/* What begins like a path is one; the rest are names. */
static bool is_path(const char *source)
{
	return *source == '/' || *source == '.' || *source == '~';
}

static void set_source(const struct compose_at *at, struct json *o,
		       const char *source)
{
	const char *home = at->l->scope->env(at->l->scope->arg, "HOME");
	cleanup_free char *full = NULL;

	if (*source == '~' && home && (source[1] == '/' || !source[1]))
		full = path_join(home, source + 1);
	else
		full = path_resolve(at->f->dir, source);
	json_set_str(o, "source", full);
}

/* "[SOURCE:]TARGET[:MODE]" */
static struct json *from_text(struct compose_at *at, const char *text)
{
	cleanup_strvec struct strvec words = STRVEC_INIT;
	struct json *o = json_new_object();
	const char *mode;

	strvec_split(&words, text, ":");
	if (!words.nr || words.nr > 3 ||
	    *words.v[words.nr > 1] != '/') {
		json_free(o);
		compose_fail(at, false, "'%s' is not [SOURCE:]TARGET[:MODE] "
			     "with an absolute target", text);
		return NULL;
	}
	mode = words.nr > 2 ? words.v[2] : "rw";
	json_set_bool(o, "read_only", str_eq(mode, "ro") ||
		      str_starts(mode, "ro,") || strstr(mode, ",ro"));
	json_set_str(o, "target", words.v[words.nr > 1]);
	if (words.nr > 1 && is_path(words.v[0])) {
		json_set_str(o, "type", "bind");
		set_source(at, o, words.v[0]);
		return o;
	}
	json_set_str(o, "type", "volume");
	if (words.nr > 1)
		json_set_str(o, "source", words.v[0]);
	return o;
}

static bool is_known(const char *key)
{
	static const char *const known[] = { "type", "source", "target",
					     "read_only", "bind", "volume",
					     "tmpfs", "consistency" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (str_eq(key, known[i]))
			return true;
	return str_starts(key, "x-");
}

struct json *compose_volume(struct compose_at *at, const struct json *j)
{
	const char *type = json_get_str(j, "type");
	const char *source = json_get_str(j, "source");
	const char *target = json_get_str(j, "target");
	const struct json *m;
	struct json *o;

	if (json_str(j))
		return from_text(at, json_str(j));
	if (!type || !target || *target != '/' ||
	    (str_eq(type, "bind") && !source)) {
		compose_fail(at, false, "a volume with a type and an absolute "
			     "target expected");
		return NULL;
	}
	if (!str_eq(type, "bind") && !str_eq(type, "volume") &&
	    !str_eq(type, "tmpfs")) {
		compose_fail(at, false, "volumes of type '%s' are not "
			     "supported", type);
		return NULL;
	}
	for (m = json_first(j); m; m = json_next(m)) {
		strvec_push(&at->path, json_key(m));
		if (!is_known(json_key(m)))
			compose_warn(at, "'%s' is not acted on", json_key(m));
		strvec_pop(&at->path);
	}
	o = json_new_object();
	json_set_str(o, "type", type);
	json_set_str(o, "target", target);
	json_set_bool(o, "read_only", json_bool(json_get(j, "read_only")));
	if (source && str_eq(type, "bind"))
		set_source(at, o, source);
	else if (source)
		json_set_str(o, "source", source);
	return o;
}
