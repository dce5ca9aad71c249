/* output.c - the words of --output */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/build.h"

void build_output_release(struct build_output *o)
{
	free(o->dest);
	*o = (struct build_output){ 0 };
}

static const char *const kinds[] = { "oci", "docker", "tar", "local" };

static int get_bool(const char *key, const char *value, bool *out,
		    struct error *err)
{
	*out = str_eq(value, "true");
	if (*out || str_eq(value, "false"))
		return 0;
	return error_set(err, ERR_USAGE,
			 "--output: %s= is true or false, not '%s'", key,
			 value);
}

static int set_pair(struct build_output *o, const char *pair,
		    bool *have_type, struct error *err)
{
	const char *value = strchr(pair, '=');
	size_t i;

	if (!value)
		return error_set(err, ERR_USAGE,
				 "--output takes key=value pairs, not '%s'",
				 pair);
	value++;
	if (str_starts(pair, "dest=")) {
		free(o->dest);
		o->dest = xstrdup(value);
		return 0;
	}
	if (str_starts(pair, "tar=")) {
		if (get_bool("tar", value, &o->directory, err) < 0)
			return -1;
		o->directory = !o->directory;
		return 0;
	}
	if (str_starts(pair, "rewrite-timestamp="))
		return get_bool("rewrite-timestamp", value, &o->rewrite, err);
	if (!str_starts(pair, "type=")) {
		error_set(err, ERR_USAGE, "--output: unknown key in '%s'",
			  pair);
		return error_hint(err, "type=, dest=, tar= and "
				       "rewrite-timestamp= are known");
	}
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (str_eq(kinds[i], value)) {
			o->kind = (enum build_output_kind)i;
			*have_type = true;
			return 0;
		}
	error_set(err, ERR_USAGE, "--output: unknown type '%s'", value);
	return error_hint(err, "oci, docker, tar or local");
}

int build_output_parse(struct build_output *o, const char *text,
		       struct error *err)
{
	cleanup_strvec struct strvec pairs = STRVEC_INIT;
	bool have_type = false;
	size_t i;

	*o = (struct build_output){ 0 };
	if (!strchr(text, '=')) { /* a bare directory, as docker has it */
		o->kind = str_eq(text, "-") ? BUILD_OUTPUT_TAR
					    : BUILD_OUTPUT_LOCAL;
		o->dest = xstrdup(text);
		return 0;
	}
	strvec_split(&pairs, text, ",");
	for (i = 0; i < pairs.nr; i++)
		if (set_pair(o, pairs.v[i], &have_type, err) < 0)
			return -1;
	if (!have_type)
		return error_set(err, ERR_USAGE, "--output needs type=");
	if (!o->dest && o->kind == BUILD_OUTPUT_LOCAL)
		return error_set(err, ERR_USAGE,
				 "--output type=local needs dest=DIR");
	if (!o->dest)
		o->dest = xstrdup("-");
	return 0;
}
