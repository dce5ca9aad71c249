/* mount.c - the value of RUN --mount: one CSV record of key=value */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <strings.h>

#include "dockerfile/internal.h"

#define MODE_MAX 07777

static const char *const types[] = {
	[DF_MOUNT_BIND] = "bind",     [DF_MOUNT_CACHE] = "cache",
	[DF_MOUNT_TMPFS] = "tmpfs",   [DF_MOUNT_SECRET] = "secret",
	[DF_MOUNT_SSH] = "ssh",	      NULL,
};

enum key {
	KEY_TYPE, KEY_FROM, KEY_SOURCE, KEY_TARGET, KEY_READONLY, KEY_ID,
	KEY_SHARING, KEY_REQUIRED, KEY_SIZE, KEY_MODE, KEY_UID, KEY_GID,
	KEY_SRC, KEY_DST, KEY_DESTINATION, KEY_RO, KEY_RW, KEY_READWRITE,
	KEY_ENV, KEYS,
};

static const char *const keys[] = {
	"type", "from", "source", "target", "readonly", "id", "sharing",
	"required", "size", "mode", "uid", "gid", "src", "dst", "destination",
	"ro", "rw", "readwrite", "env", NULL,
};

/* One record on its way into `m`. */
struct parse {
	struct dockerfile_mount *m;
	struct error *err;
	bool seen[KEYS];
};

void dockerfile_mount_release(struct dockerfile_mount *m)
{
	free(m->from);
	free(m->source);
	free(m->target);
	free(m->id);
	free(m->env);
	*m = (struct dockerfile_mount){ 0 };
}

const char *dockerfile_mount_type_name(enum dockerfile_mount_type type)
{
	return types[type];
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
			return "bare \" in non-quoted field";
		strbuf_add(out, s, n);
		*p = s[n] ? s + n + 1 : NULL;
		return NULL;
	}
	for (s++; *s && (*s != '"' || s[1] == '"'); s++) {
		s += *s == '"';
		strbuf_addch(out, *s);
	}
	if (!*s || (s[1] && s[1] != ','))
		return "extraneous or missing \" in quoted-field";
	*p = s[1] ? s + 2 : NULL;
	return NULL;
}

int dockerfile_csv(const char *value, struct strvec *fields, struct error *err)
{
	cleanup_strbuf struct strbuf field = STRBUF_INIT;

	if (!*value)
		return error_set(err, ERR_INPUT, "EOF");
	while (value) {
		const char *why = next_field(&value, &field);

		if (why)
			return error_set(err, ERR_INPUT, "%s", why);
		strvec_push(fields, field.buf);
	}
	return 0;
}

int dockerfile_mount_split(const char *value, struct strvec *fields,
			   struct error *err)
{
	if (dockerfile_csv(value, fields, err) < 0)
		return error_wrap(err, "failed to parse csv mounts");
	return 0;
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

/* The index of `word` in a list that ends with NULL, in any case; or -1. */
static int find(const char *word, const char *const *list)
{
	int i;

	for (i = 0; list[i]; i++)
		if (!strcasecmp(word, list[i]))
			return i;
	return -1;
}

static int fail_near(struct parse *p, const char *text, const char *word,
		     const char *const *names)
{
	const char *near = str_nearest(word, names);

	if (!near)
		return error_set(p->err, ERR_INPUT, "%s", text);
	return error_set(p->err, ERR_INPUT, "%s (did you mean %s?)", text,
			 near);
}

static int bad_value(struct parse *p, const char *key, const char *value)
{
	return error_set(p->err, ERR_INPUT, "invalid value for %s: %s", key,
			 value);
}

static int set_text(char **slot, const char *value)
{
	free(*slot);
	*slot = *value ? xstrdup(value) : NULL;
	return 0;
}

static int set_type(struct parse *p, const char *value)
{
	cleanup_strbuf struct strbuf q = STRBUF_INIT;
	cleanup_free char *text = NULL;
	int i = find(value, types);

	if (i >= 0) {
		p->m->type = (enum dockerfile_mount_type)i;
		return 0;
	}
	dockerfile_quote(&q, value);
	text = xstrfmt("unsupported mount type %s", q.buf);
	return fail_near(p, text, value, types);
}

static int set_sharing(struct parse *p, const char *value)
{
	static const char *const sharings[] = {
		[DF_SHARED] = "shared", [DF_PRIVATE] = "private",
		[DF_LOCKED] = "locked", NULL,
	};
	cleanup_strbuf struct strbuf q = STRBUF_INIT;
	cleanup_free char *text = NULL;
	int i = find(value, sharings);

	if (i >= 0) {
		p->m->sharing = (enum dockerfile_sharing)i;
		return 0;
	}
	dockerfile_quote(&q, value);
	text = xstrfmt("unsupported sharing value %s", q.buf);
	return fail_near(p, text, value, sharings);
}

static int set_bool(struct parse *p, const char *key, const char *value,
		    bool yes, bool *out)
{
	static const char *const words[] = { "true", "false", "1", "0", "t",
					     "f", NULL };
	int i = find(value, words);

	if (i < 0)
		return bad_value(p, key, value);
	*out = i % 2 ? !yes : yes;
	return 0;
}

/* Mode, uid and gid; the highest id means "none" to the kernel. */
static int set_number(struct parse *p, const char *key, const char *value,
		      unsigned base, uint32_t max, uint32_t *out)
{
	uint64_t n = 0;
	const char *s;

	for (s = value; *s >= '0' && *s < (char)('0' + base) && n <= max; s++)
		n = n * base + (uint64_t)(*s - '0');
	if (!*value || *s || n > max)
		return error_set(p->err, ERR_INPUT, "invalid value %s for %s",
				 value, key);
	*out = (uint32_t)n;
	return 0;
}

/* "512", "64m", "1.5GiB": a thousand is 1024 in all of them. */
static int set_size(struct parse *p, const char *value, uint64_t *out)
{
	static const char units[] = "kmgtp";
	size_t whole = strspn(value, "0123456789"), n = whole, fraction = 0;
	const char *unit;
	double size, scale = 1;

	if (value[n] == '.') {
		fraction = strspn(value + n + 1, "0123456789");
		n += 1 + fraction;
	}
	size = whole && n < 20 ? strtod(value, NULL) : -1;
	n += value[n] == ' ';
	unit = value[n] ? strchr(units, tolower((unsigned char)value[n]))
			: NULL;
	if (unit) {
		scale = (double)(UINT64_C(1) << (10 * (unit - units + 1)));
		n++;
		n += tolower((unsigned char)value[n]) == 'i';
	}
	n += tolower((unsigned char)value[n]) == 'b';
	if (value[n] || size < 0 || size * scale >= (double)INT64_MAX)
		return bad_value(p, "size", value);
	*out = (uint64_t)(size * scale);
	return 0;
}

static int set_from(struct parse *p, const char *value)
{
	if (strchr(value, '$'))
		return error_set(p->err, ERR_INPUT,
				 "'from' doesn't support variable expansion, "
				 "define alias stage instead");
	return set_text(&p->m->from, value);
}

static int set_value(struct parse *p, enum key key, const char *value)
{
	struct dockerfile_mount *m = p->m;

	switch (key) {
	case KEY_TYPE:
		return set_type(p, value);
	case KEY_FROM:
		return set_from(p, value);
	case KEY_SOURCE:
	case KEY_SRC:
		return set_text(&m->source, value);
	case KEY_TARGET:
	case KEY_DST:
	case KEY_DESTINATION:
		return set_text(&m->target, value);
	case KEY_ID:
		return set_text(&m->id, value);
	case KEY_ENV:
		free(m->env);
		m->env = xstrdup(value);
		return 0;
	case KEY_READONLY:
	case KEY_RO:
		return set_bool(p, keys[key], value, true, &m->read_only);
	case KEY_READWRITE:
	case KEY_RW:
		return set_bool(p, keys[key], value, false, &m->read_only);
	case KEY_REQUIRED:
		return set_bool(p, keys[key], value, true, &m->required);
	case KEY_SHARING:
		return set_sharing(p, value);
	case KEY_SIZE:
		return set_size(p, value, &m->size);
	case KEY_MODE:
		m->has_mode = true;
		return set_number(p, keys[key], value, 8, MODE_MAX, &m->mode);
	case KEY_UID:
		m->has_owner = true;
		return set_number(p, keys[key], value, 10, UINT32_MAX - 1,
				  &m->uid);
	default:
		m->has_owner = true;
		return set_number(p, keys[key], value, 10, UINT32_MAX - 1,
				  &m->gid);
	}
}

static bool may_stand_alone(enum key key)
{
	return key == KEY_RO || key == KEY_READONLY || key == KEY_RW ||
	       key == KEY_READWRITE || key == KEY_REQUIRED;
}

static int set_field(struct parse *p, const char *field)
{
	size_t n = strcspn(field, "=");
	cleanup_free char *name = xstrndup(field, n);
	cleanup_free char *text = NULL;
	int key = find(name, keys);
	char *c;

	if (!field[n] && (key < 0 || !may_stand_alone((enum key)key)))
		return error_set(p->err, ERR_INPUT,
				 "invalid field '%s' must be a key=value pair",
				 field);
	if (key >= 0) {
		p->seen[key] = true;
		return set_value(p, (enum key)key,
				 field[n] ? field + n + 1 : "true");
	}
	for (c = name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	text = xstrfmt("unexpected key '%s' in '%s'", name, field);
	return fail_near(p, text, name, keys);
}

static int check_secret(const struct parse *p)
{
	const struct dockerfile_mount *m = p->m;

	if (m->from)
		return error_set(p->err, ERR_INPUT,
				 "secret mount should not have a from");
	if (m->source && m->id)
		return error_set(p->err, ERR_INPUT,
				 "both source and id can't be set");
	if (!m->source && !m->target && !m->id)
		return error_set(p->err, ERR_INPUT, "invalid secret mount. one "
				 "of source, target required");
	return 0;
}

/* Keys that are an error with the wrong type. */
static int check_keys(const struct parse *p)
{
	static const enum key owned[] = { KEY_MODE, KEY_UID, KEY_GID };
	enum dockerfile_mount_type type = p->m->type;
	bool given = type == DF_MOUNT_SECRET || type == DF_MOUNT_SSH;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(owned); i++)
		if (p->seen[owned[i]] && !given && type != DF_MOUNT_CACHE)
			return error_set(p->err, ERR_INPUT, "%s not allowed "
					 "for \"%s\" type mounts",
					 keys[owned[i]], types[type]);
	if (p->seen[KEY_SHARING] && type != DF_MOUNT_CACHE)
		return error_set(p->err, ERR_INPUT, "invalid cache sharing set "
				 "for %s mount", types[type]);
	if ((p->seen[KEY_REQUIRED] && !given) ||
	    (p->seen[KEY_SIZE] && type != DF_MOUNT_TMPFS))
		return error_set(p->err, ERR_INPUT, "unexpected key '%s' for "
				 "mount type '%s'",
				 p->seen[KEY_REQUIRED] && !given ? "required"
								 : "size",
				 types[type]);
	if (type == DF_MOUNT_SSH && p->m->source)
		return error_set(p->err, ERR_INPUT,
				 "ssh does not support source");
	if (p->m->target && str_eq(p->m->target, "/"))
		return error_set(p->err, ERR_INPUT,
				 "invalid mount target \"/\"");
	return type == DF_MOUNT_SECRET ? check_secret(p) : 0;
}

/* A key that BuildKit takes and has no use for. */
static const char *find_unused(const struct parse *p)
{
	const struct dockerfile_mount *m = p->m;
	enum dockerfile_mount_type type = m->type;

	if (m->env && type != DF_MOUNT_SECRET)
		return "env";
	if (m->id && (type == DF_MOUNT_BIND || type == DF_MOUNT_TMPFS))
		return "id";
	if (m->from && (type == DF_MOUNT_TMPFS || type == DF_MOUNT_SSH))
		return "from";
	if (m->source && type == DF_MOUNT_TMPFS)
		return "source";
	return NULL;
}

static int parse(struct parse *p, const struct strvec *fields, bool whole)
{
	bool ro = false;
	size_t i;

	*p->m = (struct dockerfile_mount){ 0 };
	for (i = 0; i < fields->nr; i++)
		if (set_field(p, fields->v[i]) < 0)
			return -1;
	if (!whole)
		return 0;
	if (check_keys(p) < 0)
		return -1;
	for (i = 0; i < KEYS; i++)
		ro = ro || (p->seen[i] && i != KEY_REQUIRED &&
			    may_stand_alone((enum key)i));
	if (!ro)
		p->m->read_only = p->m->type != DF_MOUNT_CACHE &&
				  p->m->type != DF_MOUNT_TMPFS;
	p->m->unused = find_unused(p);
	return 0;
}

int dockerfile_mount_parse(struct dockerfile_mount *m,
			   const struct strvec *fields, struct error *err)
{
	struct parse p = { .m = m, .err = err };

	if (!parse(&p, fields, true))
		return 0;
	dockerfile_mount_release(m);
	return -1;
}

/* What a variable stands for is known when the step runs. */
static bool is_open(const char *field)
{
	const char *eq = strchr(field, '=');

	return eq && strchr(eq, '$') && strncasecmp(field, "from=", 5) != 0;
}

static int check(const char *value, struct error *err)
{
	cleanup_strvec struct strvec fields = STRVEC_INIT, known = STRVEC_INIT;
	cleanup_dockerfile_mount struct dockerfile_mount m = { 0 };
	struct parse p = { .m = &m, .err = err };
	size_t i;

	if (dockerfile_mount_split(value, &fields, err) < 0)
		return -1;
	for (i = 0; i < fields.nr; i++)
		if (!is_open(fields.v[i]))
			strvec_push(&known, fields.v[i]);
	return parse(&p, &known, known.nr == fields.nr);
}

int dockerfile_check_mount(const struct dockerfile *df,
			   const struct dockerfile_node *node,
			   const char *value, struct error *err)
{
	cleanup_error struct error why = ERROR_INIT;

	if (!check(value, &why))
		return 0;
	return dockerfile_fail(df, node->start, node->col, err, "%s", why.msg);
}
