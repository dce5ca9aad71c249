/* flags.c - the flags each instruction knows, and the form of their values */
/* SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "dockerfile/internal.h"

enum flag_type {
	FLAG_STRING,
	FLAG_BOOL,
	FLAG_LIST, /* may be repeated */
};

struct flag {
	enum dockerfile_kind kind;
	enum flag_type type;
	const char *name;
};

static const struct flag flags[] = {
	{ DF_ADD, FLAG_STRING, "chown" },
	{ DF_ADD, FLAG_STRING, "chmod" },
	{ DF_ADD, FLAG_STRING, "checksum" },
	{ DF_ADD, FLAG_BOOL, "link" },
	{ DF_ADD, FLAG_BOOL, "keep-git-dir" },
	{ DF_ADD, FLAG_BOOL, "unpack" },
	{ DF_ADD, FLAG_LIST, "exclude" },
	{ DF_COPY, FLAG_STRING, "chown" },
	{ DF_COPY, FLAG_STRING, "chmod" },
	{ DF_COPY, FLAG_STRING, "from" },
	{ DF_COPY, FLAG_BOOL, "link" },
	{ DF_COPY, FLAG_BOOL, "parents" },
	{ DF_COPY, FLAG_LIST, "exclude" },
	{ DF_FROM, FLAG_STRING, "platform" },
	{ DF_HEALTHCHECK, FLAG_STRING, "interval" },
	{ DF_HEALTHCHECK, FLAG_STRING, "timeout" },
	{ DF_HEALTHCHECK, FLAG_STRING, "start-period" },
	{ DF_HEALTHCHECK, FLAG_STRING, "start-interval" },
	{ DF_HEALTHCHECK, FLAG_STRING, "retries" },
	{ DF_RUN, FLAG_LIST, "mount" },
	{ DF_RUN, FLAG_LIST, "device" },
	{ DF_RUN, FLAG_STRING, "network" },
	{ DF_RUN, FLAG_STRING, "security" },
};

static const struct flag *find_flag(enum dockerfile_kind kind,
				    const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (flags[i].kind == kind && str_eq(flags[i].name, name))
			return &flags[i];
	return NULL;
}

static int unknown(const struct dockerfile *df,
		   const struct dockerfile_node *node, const char *name,
		   struct error *err)
{
	cleanup_free char *text = xstrfmt("unknown flag: --%s", name);
	const char *names[ARRAY_SIZE(flags) + 1] = { NULL };
	size_t i, n = 0;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (flags[i].kind == node->kind)
			names[n++] = flags[i].name;
	return dockerfile_fail_near(df, node, text, name, names, err);
}

static int check_bool(const struct dockerfile *df,
		      const struct dockerfile_node *node, const char *name,
		      const char *value, struct error *err)
{
	if (!value || !strcasecmp(value, "true") ||
	    !strcasecmp(value, "false"))
		return 0;
	if (!*value)
		return dockerfile_fail(df, node->start, node->col, err,
				       "missing a value on flag: --%s", name);
	return dockerfile_fail(
		df, node->start, node->col, err,
		"expecting boolean value for flag --%s, not: %s", name, value);
}

int dockerfile_check_flags(const struct dockerfile *df,
			   const struct dockerfile_node *node,
			   struct error *err)
{
	const struct flag *seen[ARRAY_SIZE(flags)] = { NULL };
	size_t i;

	/* Who asks for the nth flag of a name goes through all of them. */
	if (node->flags.nr > DOCKERFILE_FLAGS_MAX)
		return dockerfile_fail(df, node->start, node->col, err,
				       "more than %d flags",
				       DOCKERFILE_FLAGS_MAX);
	for (i = 0; i < node->flags.nr; i++) {
		const char *word = node->flags.v[i] + 2;
		const char *eq = strchr(word, '=');
		cleanup_free char *name = xstrndup(
			word, eq ? (size_t)(eq - word) : strlen(word));
		const struct flag *f = find_flag(node->kind, name);

		if (!f)
			return unknown(df, node, name, err);
		if (seen[f - flags] && f->type != FLAG_LIST)
			return dockerfile_fail(
				df, node->start, node->col, err,
				"duplicate flag specified: --%s", name);
		seen[f - flags] = f;
		if (f->type == FLAG_BOOL) {
			if (check_bool(df, node, name, eq ? eq + 1 : NULL,
				       err) < 0)
				return -1;
		} else if (!eq) {
			return dockerfile_fail(
				df, node->start, node->col, err,
				"missing a value on flag: --%s", name);
		}
	}
	return 0;
}
