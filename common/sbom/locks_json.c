/* locks_json.c - lock files of languages that are JSON */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sbom/internal.h"

/* NULL: it is none, which is noted. */
static struct json *parse(struct sbom_list *l)
{
	cleanup_error struct error err = ERROR_INIT;
	struct json *j = json_parse(l->path, l->text, l->n, &err);

	if (j && json_kind(j) == JSON_OBJECT)
		return j;
	json_free(j);
	sbom_skip(l->s, l->path, "it is not the JSON it should be");
	return NULL;
}

/* npm until version 6: each package has those below it inside. JSON is never
 * deeper than JSON_MAX_DEPTH. */
static void nested(struct sbom_list *l, const struct json *dependencies)
{
	const struct json *m;

	for (m = json_first(dependencies); m; m = json_next(m)) {
		const char *version = json_get_str(m, "version");

		/* An address instead of a version: from elsewhere. */
		if (version && !strchr(version, ':'))
			sbom_add(l, "npm", json_key(m), version, NULL);
		nested(l, json_get(m, "dependencies"));
	}
}

void sbom_npm(struct sbom_list *l)
{
	static const char modules[] = "node_modules/";
	cleanup_json struct json *j = parse(l);
	const struct json *packages = json_get(j, "packages"), *m;

	if (!packages)
		nested(l, json_get(j, "dependencies"));
	for (m = json_first(packages); m; m = json_next(m)) {
		const char *name = NULL, *s = json_key(m);

		/* Members of an array have no key. */
		while (s && (s = strstr(s, modules)))
			name = s += strlen(modules);
		if (name && !json_get_bool(m, "link"))
			sbom_add(l, "npm", name, json_get_str(m, "version"),
				 NULL);
	}
}

static void pipfile_part(struct sbom_list *l, const struct json *part)
{
	const struct json *m;

	for (m = json_first(part); m; m = json_next(m)) {
		const char *version = json_get_str(m, "version");

		if (version && str_starts(version, "=="))
			sbom_add(l, "pypi", json_key(m),
				 version + strspn(version, "="), NULL);
	}
}

void sbom_pipfile(struct sbom_list *l)
{
	cleanup_json struct json *j = parse(l);

	pipfile_part(l, json_get(j, "default"));
	pipfile_part(l, json_get(j, "develop"));
}

static void composer_part(struct sbom_list *l, const struct json *list)
{
	const struct json *m;

	for (m = json_kind(list) == JSON_ARRAY ? json_first(list) : NULL; m;
	     m = json_next(m))
		sbom_add(l, "composer", json_get_str(m, "name"),
			 json_get_str(m, "version"), NULL);
}

void sbom_composer(struct sbom_list *l)
{
	cleanup_json struct json *j = parse(l);

	composer_part(l, json_get(j, "packages"));
	composer_part(l, json_get(j, "packages-dev"));
}
