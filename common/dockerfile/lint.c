/* lint.c - findings about a Dockerfile, and who does not want which */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>

#include "dockerfile/internal.h"

/* In the order of enum dockerfile_rule. */
static const char *const names[DOCKERFILE_RULES] = {
	"ConsistentInstructionCasing",
	"CopyIgnoredFile",
	"DuplicateStageName",
	"ExposeInvalidFormat",
	"ExposeProtoCasing",
	"FromAsCasing",
	"FromPlatformFlagConstDisallowed",
	"InvalidBaseImagePlatform",
	"InvalidDefaultArgInFrom",
	"InvalidDefinitionDescription",
	"JSONArgsRecommended",
	"LegacyKeyValueFormat",
	"MaintainerDeprecated",
	"MultipleInstructionsDisallowed",
	"NoEmptyContinuation",
	"RedundantTargetPlatform",
	"ReservedStageName",
	"SecretsUsedInArgOrEnv",
	"StageNameCasing",
	"UndefinedArgInFrom",
	"UndefinedVar",
	"WorkdirRelativePath",
};

#define EXPERIMENTAL (1u << RULE_INVALID_DEFINITION_DESCRIPTION)
#define ALL_RULES ((1u << DOCKERFILE_RULES) - 1)

void dockerfile_lint_release(struct dockerfile_lint *l)
{
	size_t i;

	for (i = 0; i < l->nr; i++)
		free(l->v[i].message);
	free(l->v);
	strindex_release(&l->seen);
	*l = (struct dockerfile_lint){ 0 };
}

/* --- the check directive --- */

/* 1 and 0 for true and false as Go reads them, -1 for neither. */
static int read_bool(const char *s)
{
	static const char *const words[] = {
		"0", "f", "F", "FALSE", "false", "False",
		"1", "t", "T", "TRUE", "true", "True",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (str_eq(s, words[i]))
			return i >= ARRAY_SIZE(words) / 2;
	return -1;
}

/* "A, B" or "all" as bits. Names of rules that are not ours mean nothing:
 * a file may be written for other versions. */
static uint32_t read_rules(const char *value, uint32_t all)
{
	cleanup_strvec struct strvec words = STRVEC_INIT;
	uint32_t bits = 0;
	size_t i, k;

	if (str_eq(value, "all"))
		return all;
	strvec_split(&words, value, ", \t");
	for (i = 0; i < words.nr; i++)
		for (k = 0; k < DOCKERFILE_RULES; k++)
			if (str_eq(words.v[i], names[k]))
				bits |= 1u << k;
	return bits;
}

static char *trimmed(const char *p, const char *end)
{
	dockerfile_trim(&p, &end);
	return xstrndup(p, (size_t)(end - p));
}

/* One "key=value" of the directive. */
static char *check_part(struct dockerfile_lint *l, const char *p,
			const char *end)
{
	const char *eq = memchr(p, '=', (size_t)(end - p));
	cleanup_free char *key = trimmed(p, eq ? eq : end);
	cleanup_free char *value = eq ? trimmed(eq + 1, end) : NULL;

	if (!eq)
		return xstrfmt("invalid check option \"%.*s\"", (int)(end - p),
			       p);
	if (str_eq(key, "skip")) {
		l->skip |= read_rules(value, ALL_RULES);
		return NULL;
	}
	if (str_eq(key, "experimental")) {
		l->skip &= ~(read_rules(value, EXPERIMENTAL) & EXPERIMENTAL);
		return NULL;
	}
	if (!str_eq(key, "error"))
		return xstrfmt("invalid check option \"%s\"", key);
	if (read_bool(value) < 0)
		return xstrfmt("failed to parse check option \"%.*s\": "
			       "invalid boolean", (int)(end - p), p);
	l->error = read_bool(value);
	return NULL;
}

/* `experimental` first: what it brings in may be skipped again. */
static int rank(const char *part)
{
	return str_starts(dockerfile_ltrim(part, part + strlen(part)),
			  "experimental") ? 0 : 1;
}

char *dockerfile_check_value(struct dockerfile_lint *l, const char *value)
{
	int round, parts;

	for (round = 0; round < 2; round++) {
		const char *p = value, *end = value + strlen(value);

		for (parts = 1; p; parts++) {
			const char *semi = parts < 3 ? strchr(p, ';') : NULL;
			char *wrong = NULL;

			if (rank(p) == round)
				wrong = check_part(l, p, semi ? semi : end);
			if (wrong)
				return wrong;
			p = semi ? semi + 1 : NULL;
		}
	}
	return NULL;
}

int dockerfile_lint_init(struct dockerfile_lint *l,
			 const struct dockerfile *df, const char *override,
			 struct error *err)
{
	const char *value = strvec_env_get(&df->directives, "check");
	cleanup_free char *wrong = NULL;

	*l = (struct dockerfile_lint){ .df = df, .skip = EXPERIMENTAL };
	if (override) {
		wrong = dockerfile_check_value(l, override);
		if (wrong)
			return error_set(err, ERR_USAGE, "%s", wrong);
	} else if (value) {
		wrong = dockerfile_check_value(l, value);
	}
	return 0;
}

/* --- findings --- */

/* What a comment above an instruction adds to what the file says. Comments
 * are prose: one that is no directive is none. */
static void read_comment(struct dockerfile_lint *l,
			 const struct dockerfile_node *node)
{
	cleanup_strvec struct strvec lines = STRVEC_INIT;
	struct dockerfile_lint own = { .skip = l->skip, .error = l->error };
	size_t i;

	strvec_split(&lines, node->comment ? node->comment : "", "\n");
	for (i = 0; i < lines.nr; i++) {
		const char *value = str_skip(lines.v[i], "check=");
		struct dockerfile_lint merged = own;
		cleanup_free char *wrong = NULL;

		if (!value)
			continue;
		wrong = dockerfile_check_value(&merged, value);
		if (!wrong)
			own = merged;
	}
	l->at = node;
	l->at_skip = own.skip;
	l->at_error = own.error;
}

bool dockerfile_lint_wants(struct dockerfile_lint *l,
			   enum dockerfile_rule rule,
			   const struct dockerfile_node *node)
{
	if (l->at != node)
		read_comment(l, node);
	return !l->more && !(l->at_skip & 1u << rule);
}

void dockerfile_lint_add(struct dockerfile_lint *l, enum dockerfile_rule rule,
			 const struct dockerfile_node *node, const char *fmt,
			 ...)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf safe = STRBUF_INIT;
	struct dockerfile_finding *f;
	unsigned line = node->start;
	size_t n;
	va_list ap;

	if (!dockerfile_lint_wants(l, rule, node))
		return;
	/* An empty line is told of once the instruction is complete. */
	if (rule == RULE_NO_EMPTY_CONTINUATION)
		line = node->end;
	strbuf_addf(&safe, "%u %s: ", line, names[rule]);
	n = safe.len;
	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	strbuf_add_safe(&safe, text.buf, text.len);
	if (l->nr == DOCKERFILE_FINDINGS_MAX) {
		size_t number;

		l->more = !strindex_get(&l->seen, safe.buf, safe.len, &number);
		return;
	}
	if (!strindex_add(&l->seen, safe.buf, safe.len, l->nr))
		return;
	l->error |= l->at_error;
	GROW(l->v, l->nr, l->alloc);
	f = &l->v[l->nr++];
	*f = (struct dockerfile_finding){ .rule = names[rule], .line = line,
					  .message = xstrdup(safe.buf + n) };
	if (l->found)
		l->found(l->arg, f);
}

static int compare(const void *a, const void *b)
{
	const struct dockerfile_finding *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (!str_eq(x->rule, y->rule))
		return strcmp(x->rule, y->rule);
	return strcmp(x->message, y->message);
}

void dockerfile_lint_sort(struct dockerfile_lint *l)
{
	if (l->nr)
		qsort(l->v, l->nr, sizeof(*l->v), compare);
}
