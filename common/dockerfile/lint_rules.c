/* lint_rules.c - the rules that the text of a Dockerfile alone answers */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <strings.h>

#include "dockerfile/internal.h"

/* One pass over the file. */
struct pass {
	struct dockerfile_lint *l;
	struct strindex stages; /* names so far, in lower case */
	/* of this stage: those of which only the last one counts */
	const struct dockerfile_node *cmd, *entrypoint, *health;
};

static bool is_lower(const char *s)
{
	for (; *s; s++)
		if (isupper((unsigned char)*s))
			return false;
	return true;
}

static bool is_upper(const char *s)
{
	for (; *s; s++)
		if (islower((unsigned char)*s))
			return false;
	return true;
}

char *dockerfile_written(const struct dockerfile_node *node)
{
	return xstrndup(node->text, strlen(node->keyword));
}

/* --- FROM --- */

static void check_stage_name(struct pass *p,
			     const struct dockerfile_node *node)
{
	const char *name = node->args.v[2];
	cleanup_free char *lower = xstrdup(name);
	char *c;

	for (c = lower; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (!str_eq(name, lower))
		dockerfile_lint_add(p->l, RULE_STAGE_NAME_CASING, node,
				    "Stage name '%s' should be lowercase",
				    name);
	if (str_eq(lower, "scratch") || str_eq(lower, "context"))
		dockerfile_lint_add(p->l, RULE_RESERVED_STAGE_NAME, node,
				    "Stage name should not use the same name "
				    "as reserved stage \"%s\"", lower);
	/* More stages than that are an error. */
	if (p->stages.nr < DOCKERFILE_STAGES_MAX &&
	    !strindex_add(&p->stages, lower, strlen(lower), 0))
		dockerfile_lint_add(p->l, RULE_DUPLICATE_STAGE_NAME, node,
				    "Duplicate stage name \"%s\", stage names "
				    "should be unique", lower);
}

/* An instruction in mixed case has a finding of its own. */
static void check_as(struct pass *p, const struct dockerfile_node *node)
{
	cleanup_free char *from = dockerfile_written(node);
	const char *as = node->args.v[1];

	if (is_lower(from) ? is_lower(as) : !is_upper(from) || is_upper(as))
		return;
	dockerfile_lint_add(p->l, RULE_FROM_AS_CASING, node,
			    "'%s' and '%s' keywords' casing do not match", as,
			    from);
}

/* Does the name of the stage say that it is for this platform? */
static bool names_platform(const struct dockerfile_node *node,
			   const char *platform)
{
	cleanup_strvec struct strvec parts = STRVEC_INIT;
	size_t i;

	if (node->args.nr != 3)
		return false;
	strvec_split(&parts, platform, "/");
	for (i = 0; i < parts.nr && i < 2; i++)
		if (strcasestr(node->args.v[2], parts.v[i]))
			return true;
	return false;
}

static void check_platform(struct pass *p, const struct dockerfile_node *node)
{
	const char *flag = dockerfile_flag(node, "platform", 0);

	if (!flag || !*flag)
		return;
	if (str_eq(flag, "$TARGETPLATFORM") ||
	    str_eq(flag, "${TARGETPLATFORM}"))
		dockerfile_lint_add(p->l, RULE_REDUNDANT_TARGET_PLATFORM, node,
				    "Setting platform to predefined %s in FROM "
				    "is redundant as this is the default "
				    "behavior", flag);
	if (!strchr(flag, '$') && !names_platform(node, flag))
		dockerfile_lint_add(p->l,
				    RULE_FROM_PLATFORM_FLAG_CONST_DISALLOWED,
				    node, "FROM --platform flag should not use "
				    "constant value \"%s\"", flag);
}

static void check_from(struct pass *p, const struct dockerfile_node *node)
{
	p->cmd = p->entrypoint = p->health = NULL;
	check_platform(p, node);
	if (node->args.nr != 3)
		return;
	check_stage_name(p, node);
	check_as(p, node);
}

/* --- names and descriptions --- */

/* Is one of the words, cut at "_", among these? */
static bool has_word(const char *name, const char *const *list)
{
	while (*name) {
		size_t n = strcspn(name, "_"), i;

		for (i = 0; n && list[i]; i++)
			if (strlen(list[i]) == n &&
			    !strncasecmp(list[i], name, n))
				return true;
		name += n + (name[n] == '_');
	}
	return false;
}

bool dockerfile_is_secret(const char *name)
{
	static const char *const secret[] = {
		"apikey", "auth", "credential", "credentials", "key",
		"passwd", "password", "pword", "secret", "token", NULL,
	};
	static const char *const harmless[] = { "file", "public", "version",
						NULL };

	return has_word(name, secret) && !has_word(name, harmless);
}

static void check_secrets(struct pass *p, const struct dockerfile_node *node)
{
	size_t i;

	for (i = 0; i < node->n_pairs; i++)
		if (dockerfile_is_secret(node->pairs[i].key))
			dockerfile_lint_add(
				p->l, RULE_SECRETS_USED_IN_ARG_OR_ENV, node,
				"Do not use ARG or ENV instructions for "
				"sensitive data (%s \"%s\")", node->keyword,
				node->pairs[i].key);
}

/* The last comment line above ARG or a named FROM: "name what it is". */
static void check_description(struct pass *p,
			      const struct dockerfile_node *node)
{
	const char *line = node->comment ? strrchr(node->comment, '\n') : NULL;
	const char *name = NULL;
	size_t i, n;

	line = line ? line + 1 : node->comment;
	if (!line || str_starts(line, "check="))
		return;
	n = strcspn(line, " ");
	if (node->kind == DF_FROM && node->args.nr == 3)
		name = node->args.v[2];
	for (i = 0; i < node->n_pairs; i++) {
		name = node->pairs[i].key;
		if (strlen(name) == n && !memcmp(name, line, n))
			return;
	}
	if (!name || (!node->n_pairs && strlen(name) == n &&
		      !strncasecmp(name, line, n)))
		return;
	dockerfile_lint_add(p->l, RULE_INVALID_DEFINITION_DESCRIPTION, node,
			    "Comment for %s should follow the format: `# %s "
			    "<description>`",
			    node->kind == DF_FROM ? "build stage" : "ARG",
			    node->n_pairs > 1 ? "<arg_key>" : name);
}

/* --- the rest --- */

/* It is the one before that has no effect. */
static void check_once(struct pass *p, const struct dockerfile_node *node,
		       const struct dockerfile_node **last)
{
	cleanup_free char *name = dockerfile_written(node);

	if (*last)
		dockerfile_lint_add(
			p->l, RULE_MULTIPLE_INSTRUCTIONS_DISALLOWED, *last,
			"Multiple %s instructions should not be used in the "
			"same stage because only the last one will be used",
			name);
	*last = node;
}

static void check_legacy(struct pass *p, const struct dockerfile_node *node)
{
	cleanup_free char *name = dockerfile_written(node);

	if (node->legacy_pair)
		dockerfile_lint_add(p->l, RULE_LEGACY_KEY_VALUE_FORMAT, node,
				    "\"%s key=value\" should be used instead "
				    "of legacy \"%s key value\" format", name,
				    name);
}

static void check_node(struct pass *p, const struct dockerfile_node *node,
		       bool in_stage)
{
	if (node->empty_lines)
		dockerfile_lint_add(p->l, RULE_NO_EMPTY_CONTINUATION, node,
				    "Empty continuation line");
	if (node->kind == DF_FROM || node->kind == DF_ARG)
		check_description(p, node);
	if (node->kind == DF_FROM)
		check_from(p, node);
	if (node->kind == DF_CMD)
		check_once(p, node, &p->cmd);
	if (node->kind == DF_ENTRYPOINT)
		check_once(p, node, &p->entrypoint);
	if (node->kind == DF_HEALTHCHECK)
		check_once(p, node, &p->health);
	if (node->kind == DF_ENV || node->kind == DF_LABEL)
		check_legacy(p, node);
	if (node->kind == DF_ENV || (node->kind == DF_ARG && in_stage))
		check_secrets(p, node);
	if (node->kind == DF_MAINTAINER)
		dockerfile_lint_add(p->l, RULE_MAINTAINER_DEPRECATED, node,
				    "Maintainer instruction is deprecated in "
				    "favor of using label");
}

/* All as most are written; arguments before the first stage do not count. */
static void check_casing(struct pass *p, size_t first)
{
	const struct dockerfile *df = p->l->df;
	size_t i, lower = 0, upper = 0;

	for (i = first; i < df->n_nodes; i++) {
		cleanup_free char *name = dockerfile_written(&df->nodes[i]);

		lower += is_lower(name);
		upper += is_upper(name);
	}
	for (i = first; i < df->n_nodes; i++) {
		cleanup_free char *name = dockerfile_written(&df->nodes[i]);

		if (lower > upper ? is_lower(name) : is_upper(name))
			continue;
		dockerfile_lint_add(p->l, RULE_CONSISTENT_INSTRUCTION_CASING,
				    &df->nodes[i],
				    "Command '%s' should match the case of the "
				    "command majority (%s)", name,
				    lower > upper ? "lowercase" : "uppercase");
	}
}

void dockerfile_lint_text(struct dockerfile_lint *l)
{
	const struct dockerfile *df = l->df;
	struct pass p = { .l = l };
	size_t i, first = 0;

	while (first < df->n_nodes && df->nodes[first].kind != DF_FROM)
		first++;
	for (i = 0; i < df->n_nodes; i++)
		check_node(&p, &df->nodes[i], i > first);
	check_casing(&p, first);
	strindex_release(&p.stages);
}
