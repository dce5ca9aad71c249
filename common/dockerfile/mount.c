/* mount.c - the value of RUN --mount: one CSV record of key=value (I04) */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <strings.h>

#include "dockerfile/internal.h"

struct check {
	const struct dockerfile *df;
	const struct dockerfile_node *node;
	struct error *err;
	char *type, *from, *source, *target, *id, *sharing;
	const char *owner_key; /* mode, uid or gid was given */
};

static int fail(const struct check *m, const char *text)
{
	return dockerfile_fail(m->df, m->node->start, m->node->col, m->err,
			       "%s", text);
}

static int fail_owned(const struct check *m, char *text)
{
	cleanup_free char *owned = text;

	return fail(m, owned);
}

/* The next field of the record; moves *p behind its comma, to NULL at the
 * end. What is wrong with it, or NULL. */
static const char *next_field(const char **p, struct strbuf *out)
{
	const char *s = *p;

	strbuf_reset(out);
	if (*s != '"') {
		size_t n = strcspn(s, ",");

		if (memchr(s, '"', n))
			return "failed to parse csv mounts: bare \" in "
			       "non-quoted field";
		strbuf_add(out, s, n);
		*p = s[n] ? s + n + 1 : NULL;
		return NULL;
	}
	for (s++; *s && (*s != '"' || s[1] == '"'); s++) {
		s += *s == '"';
		strbuf_addch(out, *s);
	}
	if (!*s || (s[1] && s[1] != ','))
		return "failed to parse csv mounts: extraneous or missing \" "
		       "in quoted-field";
	*p = s[1] ? s + 2 : NULL;
	return NULL;
}

char *dockerfile_mount_from(const char *value)
{
	cleanup_strbuf struct strbuf field = STRBUF_INIT;
	char *from = NULL;

	while (value && !next_field(&value, &field)) {
		if (strncasecmp(field.buf, "from=", 5) != 0)
			continue;
		free(from);
		from = xstrdup(field.buf + 5);
	}
	return from;
}

static bool one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (!strcasecmp(word, *list))
			return true;
	return false;
}

static bool is_number(const char *s, unsigned base)
{
	uint64_t value = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s >= (char)('0' + base))
			return false;
		value = value * base + (uint64_t)(*s - '0');
		if (value > UINT32_MAX)
			return false;
	}
	return true;
}

/* units.RAMInBytes: "512", "64m", "1.5GiB" */
static bool is_size(const char *s)
{
	static const char *const units[] = {
		"", "b", "k", "kb", "kib", "m", "mb", "mib", "g", "gb", "gib",
		"t", "tb", "tib", "p", "pb", "pib", NULL,
	};
	size_t whole = strspn(s, "0123456789"), n = whole;

	if (s[n] == '.')
		n += 1 + strspn(s + n + 1, "0123456789");
	n += s[n] == ' ';
	return whole && whole <= 18 && one_of(s + n, units);
}

static int keep(char **slot, const char *value)
{
	free(*slot);
	*slot = xstrdup(value);
	return 0;
}

static int check_type(struct check *m, const char *value)
{
	static const char *const types[] = { "bind", "cache", "tmpfs",
					     "secret", "ssh", NULL };
	cleanup_strbuf struct strbuf q = STRBUF_INIT;
	cleanup_free char *text = NULL;

	if (one_of(value, types))
		return keep(&m->type, value);
	dockerfile_quote(&q, value);
	text = xstrfmt("unsupported mount type %s", q.buf);
	return dockerfile_fail_near(m->df, m->node, text, value, types,
				    m->err);
}

static int check_value(struct check *m, const char *key, const char *value)
{
	static const char *const bools[] = { "true", "false", "1", "0", "t",
					     "f", NULL };
	static const char *const sharings[] = { "shared", "private", "locked",
						NULL };
	cleanup_strbuf struct strbuf q = STRBUF_INIT;

	if (str_eq(key, "type"))
		return check_type(m, value);
	if (str_eq(key, "mode") || str_eq(key, "uid") || str_eq(key, "gid")) {
		if (is_number(value, *key == 'm' ? 8 : 10))
			return 0;
		return fail_owned(m, xstrfmt("invalid value %s for %s", value,
					     key));
	}
	if (str_eq(key, "sharing")) {
		if (one_of(value, sharings))
			return keep(&m->sharing, value);
		dockerfile_quote(&q, value);
		return fail_owned(m, xstrfmt("unsupported sharing value %s",
					     q.buf));
	}
	if (str_eq(key, "size") ? is_size(value) : one_of(value, bools))
		return 0;
	return fail_owned(m, xstrfmt("invalid value for %s: %s", key, value));
}

static int check_from(struct check *m, const char *value)
{
	if (strchr(value, '$'))
		return fail(m, "'from' doesn't support variable expansion, "
			       "define alias stage instead");
	return keep(&m->from, value);
}

/* A key that may stand alone; its type rule is checked at the end. */
static int check_bare(struct check *m, const char *key, const char *field)
{
	static const char *const flags[] = { "ro", "readonly", "rw",
					     "readwrite", "required", NULL };

	if (one_of(key, flags))
		return 0;
	return fail_owned(m, xstrfmt("invalid field '%s' must be a key=value "
				     "pair", field));
}

static int check_field(struct check *m, const char *field)
{
	static const char *const keys[] = {
		"type", "from", "source", "target", "readonly", "id",
		"sharing", "required", "size", "mode", "uid", "gid", "src",
		"dst", "destination", "ro", "rw", "readwrite", "env", NULL,
	};
	const char *eq = strchr(field, '=');
	cleanup_free char *key = xstrndup(
		field, eq ? (size_t)(eq - field) : strlen(field));
	cleanup_free char *text = NULL;
	char *c;

	for (c = key; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (!eq)
		return check_bare(m, key, field);
	if (!one_of(key, keys)) {
		text = xstrfmt("unexpected key '%s' in '%s'", key, field);
		return dockerfile_fail_near(m->df, m->node, text, key, keys,
					    m->err);
	}
	eq++;
	if (str_eq(key, "from"))
		return check_from(m, eq);
	if (str_eq(key, "source") || str_eq(key, "src"))
		return keep(&m->source, eq);
	if (str_eq(key, "target") || str_eq(key, "dst") ||
	    str_eq(key, "destination"))
		return keep(&m->target, eq);
	if (str_eq(key, "id"))
		return keep(&m->id, eq);
	if (str_eq(key, "env"))
		return 0;
	if (str_eq(key, "mode") || str_eq(key, "uid") || str_eq(key, "gid"))
		m->owner_key = *key == 'm' ? "mode" : *key == 'u' ? "uid" :
								    "gid";
	/* A value with a variable is checked when the step runs. */
	return strchr(eq, '$') ? 0 : check_value(m, key, eq);
}

static int check_whole(const struct check *m)
{
	const char *type = m->type ? m->type : "bind";
	bool secret = !strcasecmp(type, "secret");

	if (m->owner_key && (!strcasecmp(type, "bind") ||
			     !strcasecmp(type, "tmpfs")))
		return fail_owned(m, xstrfmt("%s not allowed for \"%s\" type "
					     "mounts", m->owner_key, type));
	if (m->sharing && strcasecmp(type, "cache") != 0)
		return fail_owned(m, xstrfmt("invalid cache sharing set for %s "
					     "mount", type));
	if (secret && m->from)
		return fail(m, "secret mount should not have a from");
	if (secret && m->source && m->id)
		return fail(m, "both source and id can't be set");
	if (secret && !m->source && !m->target && !m->id)
		return fail(m, "invalid secret mount. one of source, target "
			       "required");
	if (m->target && str_eq(m->target, "/"))
		return fail(m, "invalid mount target \"/\"");
	return 0;
}

int dockerfile_check_mount(const struct dockerfile *df,
			   const struct dockerfile_node *node,
			   const char *value, struct error *err)
{
	struct check m = { .df = df, .node = node, .err = err };
	cleanup_strbuf struct strbuf field = STRBUF_INIT;
	const char *p = value;
	int r = 0;

	if (!*p)
		return fail(&m, "failed to parse csv mounts: EOF");
	while (!r && p) {
		const char *why = next_field(&p, &field);

		r = why ? fail(&m, why) : check_field(&m, field.buf);
	}
	if (!r)
		r = check_whole(&m);
	free(m.type);
	free(m.from);
	free(m.source);
	free(m.target);
	free(m.id);
	free(m.sharing);
	return r;
}
