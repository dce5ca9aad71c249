/* locks.c - lock files of languages, line by line */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sbom/internal.h"

#include <ctype.h>

/* The text between the first two quotes of a line, cut out in place; NULL:
 * there is none. */
static char *quoted(char *s)
{
	char *start = strchr(s, '"'), *end = start ? strchr(start + 1, '"')
						   : NULL;

	if (!end)
		return NULL;
	*end = '\0';
	return start + 1;
}

/* [[package]] with `name` and `version`: all that is needed of TOML, as
 * programs write these files in this form. */
static void toml_packages(struct sbom_list *l, const char *type)
{
	cleanup_free char *name = NULL;
	struct sbom_text line;
	bool inside = false;

	while (sbom_line(l, &line)) {
		char *s = line.buf;

		if (*s == '[') {
			inside = str_eq(s, "[[package]]");
			free(steal_ptr(&name));
		} else if (inside && str_starts(s, "name = ")) {
			free(name);
			name = xstrdup_null(quoted(s));
		} else if (inside && str_starts(s, "version = ")) {
			sbom_add(l, type, name, quoted(s), NULL);
			inside = false;
		}
	}
}

void sbom_cargo(struct sbom_list *l)
{
	toml_packages(l, "cargo");
}

void sbom_poetry(struct sbom_list *l)
{
	toml_packages(l, "pypi");
}

/* NAME==VERSION only: what is not pinned says nothing of what is there. */
void sbom_requirements(struct sbom_list *l)
{
	struct sbom_text line;

	while (sbom_line(l, &line)) {
		char *s = line.buf + strspn(line.buf, " \t");
		size_t n = strcspn(s, " \t[=<>!~;#@");
		char *v = s + strcspn(s, "=<>!~;#@");

		if (!n || *s == '-' || v[0] != '=' || v[1] != '=')
			continue;
		v += strspn(v, "=");
		v += strspn(v, " \t");
		v[strcspn(v, " \t;#,\\")] = '\0';
		if (strchr(v, '*'))
			continue;
		s[n] = '\0';
		sbom_add(l, "pypi", s, v, NULL);
	}
}

static void add_words(struct sbom_list *l, char *s)
{
	char *save = NULL;
	const char *name = strtok_r(s, " \t", &save);
	const char *version = strtok_r(NULL, " \t", &save);

	if (version && *version == 'v')
		sbom_add(l, "golang", name, version, NULL);
}

void sbom_go_mod(struct sbom_list *l)
{
	struct sbom_text line;
	bool inside = false;

	while (sbom_line(l, &line)) {
		char *s = line.buf + strspn(line.buf, " \t");
		const char *one = str_skip(s, "require ");

		if (one && *one == '(')
			inside = true;
		else if (one)
			add_words(l, s + strlen("require "));
		else if (*s == ')')
			inside = false;
		else if (inside && *s != '/')
			add_words(l, s);
	}
}

/* A line for the module's description alone does not say that its content
 * was ever here. */
void sbom_go_sum(struct sbom_list *l)
{
	struct sbom_text line;

	while (sbom_line(l, &line))
		if (!strstr(line.buf, "/go.mod "))
			add_words(l, line.buf);
}

/* "    name (version)" below "  specs:"; what lies deeper are wishes. */
void sbom_gemfile(struct sbom_list *l)
{
	struct sbom_text line;
	bool inside = false;

	while (sbom_line(l, &line)) {
		char *s = line.buf, *open = strchr(s, '(');
		char *close = open ? strchr(open, ')') : NULL;

		if (*s != ' ')
			inside = false;
		else if (str_eq(s, "  specs:"))
			inside = true;
		if (!inside || !close || !str_starts(s, "    ") || s[4] == ' ')
			continue;
		*close = '\0';
		s[4 + strcspn(s + 4, " ")] = '\0';
		sbom_add(l, "gem", s + 4, open + 1, NULL);
	}
}

/* "@scope/name@range" up to the second "@"; the name, in place. */
static char *before_range(char *s)
{
	char *at = *s ? strchr(s + 1, '@') : NULL;

	if (!at)
		return NULL;
	*at = '\0';
	return s;
}

/* Both formats: `version "1.2"` of the first, `version: 1.2` of later ones,
 * below a line of wishes. What is a folder of the project has no version. */
void sbom_yarn(struct sbom_list *l)
{
	cleanup_free char *name = NULL;
	struct sbom_text line;

	while (sbom_line(l, &line)) {
		char *s = line.buf, *v;

		if (*s && *s != ' ' && *s != '#') {
			s += *s == '"';
			free(name);
			name = strstr(s, "@workspace:")
				       ? NULL : xstrdup_null(before_range(s));
		} else if (name && str_starts(s, "  version")) {
			v = s + strlen("  version");
			v += strspn(v, ": \"");
			v[strcspn(v, "\"")] = '\0';
			sbom_add(l, "npm", name, v, NULL);
			free(steal_ptr(&name));
		}
	}
}

/* "/name/1.2_peers", "/name@1.2(peers)" or "name@1.2", as it changed over
 * the years. */
static void add_pnpm(struct sbom_list *l, char *s)
{
	char *cut;

	s += *s == '\'' || *s == '"';
	s += *s == '/';
	s[strcspn(s, "('\"")] = '\0';
	cut = strrchr(s, '/');
	if (cut && isdigit((unsigned char)cut[1]))
		cut[strcspn(cut, "_")] = '\0';
	else
		cut = *s ? strrchr(s + 1, '@') : NULL;
	if (!cut)
		return;
	*cut = '\0';
	sbom_add(l, "npm", s, cut + 1, NULL);
}

void sbom_pnpm(struct sbom_list *l)
{
	struct sbom_text line;
	bool inside = false;

	while (sbom_line(l, &line)) {
		char *s = line.buf, *end = strrchr(s, ':');

		if (*s && *s != ' ')
			inside = str_eq(s, "packages:");
		else if (inside && str_starts(s, "  ") && s[2] != ' ' && end) {
			*end = '\0';
			add_pnpm(l, s + 2);
		}
	}
}
