/* check.c - what the text alone can have wrong in one instruction */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <strings.h>

#include "dockerfile/internal.h"

#define FAIL(df, node, err, ...) \
	dockerfile_fail((df), (node)->start, (node)->col, (err), __VA_ARGS__)

static int at_least_one(const struct dockerfile *df,
			const struct dockerfile_node *node, struct error *err)
{
	if (node->args.nr + node->n_pairs)
		return 0;
	return FAIL(df, node, err, "%s requires at least one argument",
		    node->keyword);
}

static int exactly_one(const struct dockerfile *df,
		       const struct dockerfile_node *node, struct error *err)
{
	if (node->args.nr == 1)
		return 0;
	return FAIL(df, node, err, "%s requires exactly one argument",
		    node->keyword);
}

static int check_pairs(const struct dockerfile *df,
		       const struct dockerfile_node *node, struct error *err)
{
	size_t i;

	if (at_least_one(df, node, err) < 0)
		return -1;
	for (i = 0; i < node->n_pairs; i++)
		if (!*node->pairs[i].key)
			return FAIL(df, node, err, "%s names can not be blank",
				    node->keyword);
	return 0;
}

static bool is_stage_name(const char *s)
{
	if (!isalpha((unsigned char)*s))
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("-_.", *s))
			return false;
	return true;
}

static int check_from(const struct dockerfile *df,
		      const struct dockerfile_node *node, struct error *err)
{
	cleanup_strbuf struct strbuf q = STRBUF_INIT;

	if (node->args.nr != 1 &&
	    (node->args.nr != 3 || strcasecmp(node->args.v[1], "as") != 0))
		return FAIL(df, node, err,
			    "FROM requires either one or three arguments");
	if (node->args.nr == 1 || is_stage_name(node->args.v[2]))
		return 0;
	dockerfile_quote(&q, node->args.v[2]);
	return FAIL(df, node, err,
		    "invalid name for build stage: %s, name can't start with a "
		    "number or contain symbols", q.buf);
}

static int check_sources(const struct dockerfile *df,
			 const struct dockerfile_node *node,
			 struct error *err)
{
	size_t i;

	for (i = 0; node->kind == DF_COPY && i + 1 < node->args.nr; i++) {
		if (dockerfile_is_git(node->args.v[i]))
			return FAIL(df, node, err,
				    "source can't be a git ref for COPY");
		if (dockerfile_is_url(node->args.v[i]))
			return FAIL(df, node, err,
				    "source can't be a URL for COPY");
	}
	if (dockerfile_flag(node, "checksum", 0) && node->args.nr > 2)
		return FAIL(df, node, err,
			    "checksum can't be specified for multiple "
			    "sources");
	return 0;
}

static int check_copy(const struct dockerfile *df,
		      const struct dockerfile_node *node, struct error *err)
{
	cleanup_error struct error inner = ERROR_INIT;
	const char *chmod = dockerfile_flag(node, "chmod", 0);
	const char *from = dockerfile_flag(node, "from", 0);
	unsigned mode;

	if (node->args.nr < 2)
		return FAIL(df, node, err,
			    "%s requires at least two arguments, but only one "
			    "was provided. Destination could not be determined",
			    node->keyword);
	if (node->n_heredocs &&
	    dockerfile_is_heredoc(node->args.v[node->args.nr - 1]))
		return FAIL(df, node, err,
			    "%s cannot accept a heredoc as a destination",
			    node->keyword);
	if (from && strchr(from, '$'))
		return FAIL(df, node, err,
			    "variable expansion is not supported for --from, "
			    "define a new stage with FROM using ARG from "
			    "global scope as a workaround");
	if (chmod && *chmod && !strchr(chmod, '$') &&
	    dockerfile_chmod(chmod, 0644, false, &mode, &inner) < 0)
		return FAIL(df, node, err, "%s", inner.msg);
	return check_sources(df, node, err);
}

static int check_onbuild(const struct dockerfile *df,
			 const struct dockerfile_node *node,
			 struct error *err)
{
	const struct dockerfile_node *trigger = node->onbuild;

	if (!trigger)
		return FAIL(df, node, err,
			    "ONBUILD requires at least one argument");
	if (trigger->kind == DF_ONBUILD)
		return FAIL(df, node, err,
			    "Chaining ONBUILD via `ONBUILD ONBUILD` isn't "
			    "allowed");
	if (trigger->kind == DF_FROM || trigger->kind == DF_MAINTAINER)
		return FAIL(df, node, err,
			    "%s isn't allowed as an ONBUILD trigger",
			    trigger->keyword);
	return dockerfile_check(df, trigger, err);
}

static int check_interval(const struct dockerfile *df,
			  const struct dockerfile_node *node,
			  const char *name, struct error *err)
{
	cleanup_error struct error inner = ERROR_INIT;
	const char *value = dockerfile_flag(node, name, 0);
	int64_t ns;

	if (!value || !*value)
		return 0;
	if (dockerfile_duration(value, &ns, &inner) < 0)
		return FAIL(df, node, err, "%s", inner.msg);
	if (ns && ns < 1000000)
		return FAIL(df, node, err,
			    "Interval \"%s\" cannot be less than 1ms", name);
	return 0;
}

static int check_retries(const struct dockerfile *df,
			 const struct dockerfile_node *node,
			 struct error *err)
{
	const char *value = dockerfile_flag(node, "retries", 0);
	uint64_t number;

	if (!value || !*value || str_to_u64(value, INT32_MAX, &number))
		return 0;
	if (*value == '-' && str_to_u64(value + 1, INT32_MAX, &number))
		return FAIL(df, node, err,
			    "--retries cannot be negative (%s)", value);
	return FAIL(df, node, err, "invalid value for --retries: %s", value);
}

static int check_health(const struct dockerfile *df,
			const struct dockerfile_node *node,
			struct error *err)
{
	static const char *const intervals[] = { "interval", "timeout",
						 "start-period",
						 "start-interval" };
	cleanup_free char *type = NULL;
	cleanup_strbuf struct strbuf q = STRBUF_INIT;
	size_t i;
	char *c;

	if (at_least_one(df, node, err) < 0)
		return -1;
	type = xstrdup(node->args.v[0]);
	for (c = type; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	if (str_eq(type, "NONE") && node->args.nr + node->flags.nr > 1)
		return FAIL(df, node, err,
			    "HEALTHCHECK NONE takes no arguments");
	if (str_eq(type, "NONE"))
		return 0;
	if (!str_eq(type, "CMD")) {
		dockerfile_quote(&q, type);
		return FAIL(df, node, err,
			    "Unknown type %s in HEALTHCHECK (try CMD)", q.buf);
	}
	if (node->args.nr < 2)
		return FAIL(df, node, err,
			    "Missing command after HEALTHCHECK CMD");
	for (i = 0; i < ARRAY_SIZE(intervals); i++)
		if (check_interval(df, node, intervals[i], err) < 0)
			return -1;
	return check_retries(df, node, err);
}

static int check_choice(const struct dockerfile *df,
			const struct dockerfile_node *node, const char *flag,
			const char *const *choices, struct error *err)
{
	const char *value = dockerfile_flag(node, flag, 0);
	cleanup_free char *text = NULL;
	size_t i;

	if (!value)
		return 0;
	for (i = 0; choices[i]; i++)
		if (str_eq(value, choices[i]))
			return 0;
	text = xstrfmt("%s \"%s\" is not valid", flag, value);
	return dockerfile_fail_near(df, node, text, value, choices, err);
}

static int check_run(const struct dockerfile *df,
		     const struct dockerfile_node *node, struct error *err)
{
	static const char *const networks[] = { "default", "none", "host",
						NULL };
	static const char *const securities[] = { "sandbox", "insecure",
						  NULL };
	const char *mount;
	size_t i;

	for (i = 0; (mount = dockerfile_flag(node, "mount", i)); i++)
		if (dockerfile_check_mount(df, node, mount, err) < 0)
			return -1;
	if (check_choice(df, node, "network", networks, err) < 0)
		return -1;
	return check_choice(df, node, "security", securities, err);
}

static bool is_blank(const char *s)
{
	return !*dockerfile_ltrim(s, s + strlen(s));
}

static int check_volume(const struct dockerfile *df,
			const struct dockerfile_node *node,
			struct error *err)
{
	size_t i;

	if (at_least_one(df, node, err) < 0)
		return -1;
	for (i = 0; i < node->args.nr; i++)
		if (is_blank(node->args.v[i]))
			return FAIL(df, node, err,
				    "VOLUME specified can not be an empty "
				    "string");
	return 0;
}

static int check_shell(const struct dockerfile *df,
		       const struct dockerfile_node *node, struct error *err)
{
	if (at_least_one(df, node, err) < 0)
		return -1;
	if (node->form == DF_FORM_EXEC)
		return 0;
	return FAIL(df, node, err,
		    "SHELL requires the arguments to be in JSON form");
}

static int check_stop_signal(const struct dockerfile *df,
			     const struct dockerfile_node *node,
			     struct error *err)
{
	const char *word;

	if (exactly_one(df, node, err) < 0)
		return -1;
	word = node->args.v[0];
	if (strpbrk(word, "$'\"\\`") || dockerfile_signal_valid(word))
		return 0;
	return FAIL(df, node, err, "invalid signal: %s", word);
}

static int unknown(const struct dockerfile *df,
		   const struct dockerfile_node *node, struct error *err)
{
	/* Of several that are equally near the most used is meant. */
	static const char *const names[] = {
		"RUN",	   "FROM",	 "COPY",    "ENV",	   "ARG",
		"ADD",	   "CMD",	 "WORKDIR", "USER",	   "EXPOSE",
		"LABEL",   "ENTRYPOINT", "VOLUME",  "HEALTHCHECK", "SHELL",
		"ONBUILD", "STOPSIGNAL", "MAINTAINER", NULL,
	};
	cleanup_free char *text = xstrfmt("unknown instruction: %s",
					  node->keyword);

	return dockerfile_fail_near(df, node, text, node->keyword, names,
				    err);
}

int dockerfile_check(const struct dockerfile *df,
		     const struct dockerfile_node *node, struct error *err)
{
	if (node->kind == DF_UNKNOWN)
		return unknown(df, node, err);
	if (dockerfile_check_flags(df, node, err) < 0)
		return -1;
	switch (node->kind) {
	case DF_ADD:
	case DF_COPY:
		return check_copy(df, node, err);
	case DF_ARG:
	case DF_ENV:
	case DF_LABEL:
		return check_pairs(df, node, err);
	case DF_EXPOSE:
		return at_least_one(df, node, err);
	case DF_FROM:
		return check_from(df, node, err);
	case DF_HEALTHCHECK:
		return check_health(df, node, err);
	case DF_MAINTAINER:
	case DF_USER:
	case DF_WORKDIR:
		return exactly_one(df, node, err);
	case DF_ONBUILD:
		return check_onbuild(df, node, err);
	case DF_RUN:
		return check_run(df, node, err);
	case DF_SHELL:
		return check_shell(df, node, err);
	case DF_STOPSIGNAL:
		return check_stop_signal(df, node, err);
	case DF_VOLUME:
		return check_volume(df, node, err);
	default: /* CMD and ENTRYPOINT may be empty */
		return 0;
	}
}
