/* system.c - packages of distributions, and of Python as it is installed */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sbom/internal.h"

/* Paragraphs of "Key: value" lines with a blank one between, as Debian has
 * them; others use one letter for a key, or end at the first blank line. */
struct paragraph {
	char *name, *version, *arch, *status;
};

static void paragraph_release(struct paragraph *p)
{
	free(p->name);
	free(p->version);
	free(p->arch);
	free(p->status);
	*p = (struct paragraph){ 0 };
}

static void set(char **field, const char *value)
{
	free(*field);
	*field = xstrdup(value + strspn(value, " \t"));
}

struct keys {
	const char *name, *version, *arch, *status;
};

/* Fill one; false: the list has ended before. */
static bool next(struct sbom_list *l, const struct keys *k,
		 struct paragraph *p)
{
	struct sbom_text line;
	bool any = false;

	paragraph_release(p);
	while (sbom_line(l, &line)) {
		const char *s = line.buf, *v;

		if (!*s && any)
			return true;
		any = any || *s;
		if ((v = str_skip(s, k->name)))
			set(&p->name, v);
		else if ((v = str_skip(s, k->version)))
			set(&p->version, v);
		else if (k->arch && (v = str_skip(s, k->arch)))
			set(&p->arch, v);
		else if (k->status && (v = str_skip(s, k->status)))
			set(&p->status, v);
	}
	return any;
}

/* What was removed and left its configuration is not there; parts of
 * distroless images have no status. */
static bool is_installed(const struct paragraph *p)
{
	return !p->status || str_ends(p->status, " installed");
}

void sbom_dpkg(struct sbom_list *l)
{
	static const struct keys keys = { "Package:", "Version:",
					  "Architecture:", "Status:" };
	CLEANUP(paragraph_release) struct paragraph p = { 0 };

	while (next(l, &keys, &p))
		if (is_installed(&p))
			sbom_add(l, "deb", p.name, p.version, p.arch);
}

void sbom_apk(struct sbom_list *l)
{
	static const struct keys keys = { "P:", "V:", "A:", NULL };
	CLEANUP(paragraph_release) struct paragraph p = { 0 };

	while (next(l, &keys, &p))
		sbom_add(l, "apk", p.name, p.version, p.arch);
}

void sbom_metadata(struct sbom_list *l)
{
	static const struct keys keys = { "Name:", "Version:", NULL, NULL };
	CLEANUP(paragraph_release) struct paragraph p = { 0 };

	if (next(l, &keys, &p))
		sbom_add(l, "pypi", p.name, p.version, NULL);
}

static void set_word(char **field, const char *value)
{
	size_t n = strlen(value), i;

	if (n > 1 && (*value == '"' || *value == '\'') &&
	    value[n - 1] == *value) {
		value++;
		n -= 2;
	}
	for (i = 0; i < n; i++)
		if ((unsigned char)value[i] <= ' ' || value[i] > '~' ||
		    strchr("\"\\$`", value[i]))
			return;
	if (*field || !n || n > 64)
		return;
	*field = xstrndup(value, n);
}

/* usr/lib comes after etc; where both are files, the first counts. */
void sbom_os_release(struct sbom_list *l)
{
	struct sbom_text line;
	const char *v;

	while (sbom_line(l, &line)) {
		if ((v = str_skip(line.buf, "ID=")))
			set_word(&l->s->os, v);
		else if ((v = str_skip(line.buf, "VERSION_ID=")))
			set_word(&l->s->os_version, v);
	}
}
