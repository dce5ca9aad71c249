/* yaml.c - YAML documents over libyaml */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/yaml.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <yaml.h>

struct reader {
	const char *name;
	yaml_document_t doc;
	struct error *err;
	uint8_t *seen; /* one flag a node: its value was built before */
	size_t n_seen, aliased;
	unsigned depth;
};

static int fail(const char *name, const yaml_mark_t *at, const char *what,
		const char *subject, struct error *err)
{
	return error_set(err, ERR_INPUT, "%s:%zu:%zu: %s%s%s%s", name,
			 at->line + 1, at->column + 1, what,
			 subject ? " '" : "", subject ? subject : "",
			 subject ? "'" : "");
}

/* What an event adds to the depth; `*tag` is its explicit tag or NULL. */
static int inspect(const yaml_event_t *e, const yaml_char_t **tag)
{
	*tag = NULL;
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		*tag = e->data.scalar.tag;
		return 0;
	case YAML_MAPPING_START_EVENT:
		*tag = e->data.mapping_start.tag;
		return 1;
	case YAML_SEQUENCE_START_EVENT:
		*tag = e->data.sequence_start.tag;
		return 1;
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		return -1;
	default:
		return 0;
	}
}

/*
 * What a loaded document no longer tells: its depth before memory is taken
 * for it, and whether a tag was written or supplied by libyaml.
 */
static int check_events(const char *name, yaml_parser_t *p, struct error *err)
{
	bool end = false;
	int depth = 0, r = 0;

	while (!end && r == 0) {
		const yaml_char_t *tag;
		yaml_event_t e;

		if (!yaml_parser_parse(p, &e))
			return fail(name, &p->problem_mark,
				    p->problem ? p->problem : "not YAML", NULL,
				    err);
		depth += inspect(&e, &tag);
		end = e.type == YAML_STREAM_END_EVENT;
		if (tag)
			r = fail(name, &e.start_mark, "unsupported tag",
				 (const char *)tag, err);
		else if (depth > YAML_MAX_DEPTH)
			r = fail(name, &e.start_mark, "too deeply nested",
				 NULL, err);
		yaml_event_delete(&e);
	}
	return r;
}

static int load(yaml_parser_t *p, const char *name, yaml_document_t *doc,
		struct error *err)
{
	yaml_document_t second;

	if (!yaml_parser_load(p, doc))
		return fail(name, &p->problem_mark,
			    p->problem ? p->problem : "not YAML", NULL, err);
	if (!yaml_parser_load(p, &second)) {
		fail(name, &p->problem_mark,
		     p->problem ? p->problem : "not YAML", NULL, err);
		yaml_document_delete(doc);
		return -1;
	}
	if (yaml_document_get_root_node(&second)) {
		fail(name, &second.start_mark, "a second document", NULL, err);
		yaml_document_delete(&second);
		yaml_document_delete(doc);
		return -1;
	}
	yaml_document_delete(&second);
	return 0;
}

static void start(yaml_parser_t *p, const char *text, size_t n)
{
	if (!yaml_parser_initialize(p))
		abort(); /* only when memory is out */
	yaml_parser_set_encoding(p, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(p, (const unsigned char *)text, n);
}

static int read_document(const char *name, const char *text, size_t n,
			 yaml_document_t *doc, struct error *err)
{
	yaml_parser_t p;
	int r;

	if (n > YAML_MAX)
		return error_set(err, ERR_INPUT,
				 "%s:1:1: file is larger than %d bytes", name,
				 YAML_MAX);
	start(&p, text, n);
	r = check_events(name, &p, err);
	yaml_parser_delete(&p);
	if (r < 0)
		return -1;
	start(&p, text, n);
	r = load(&p, name, doc, err);
	yaml_parser_delete(&p);
	return r;
}

static bool is_word(const char *s, const char *lower)
{
	static const char forms[] = { 'l', 't', 'u' };

	/* null, Null and NULL, but not nULL. */
	for (size_t f = 0; f < sizeof(forms); f++) {
		size_t i = 0;

		for (; lower[i]; i++) {
			bool up = forms[f] == 'u' || (forms[f] == 't' && !i);

			if (s[i] != (up ? toupper((unsigned char)lower[i]) :
					  lower[i]))
				break;
		}
		if (!lower[i] && !s[i])
			return true;
	}
	return false;
}

static struct json *radix(const char *digits, int base)
{
	char *end;
	unsigned long long v;

	if (!isxdigit((unsigned char)*digits))
		return NULL;
	errno = 0;
	v = strtoull(digits, &end, base);
	return *end || errno ? NULL : json_new_number((double)v);
}

/* -12, 0.5, .5, 1e3 of the core schema; NULL for anything else. */
static struct json *number(const char *s)
{
	const char *p = s + (*s == '-' || *s == '+');
	size_t whole = strspn(p, "0123456789"), frac = 0;
	double d;

	if (str_starts(s, "0x"))
		return radix(s + 2, 16);
	if (str_starts(s, "0o"))
		return radix(s + 2, 8);
	p += whole;
	if (*p == '.') {
		frac = strspn(p + 1, "0123456789");
		p += 1 + frac;
	}
	if (!whole && !frac)
		return NULL;
	if (*p == 'e' || *p == 'E') {
		p += 1 + (p[1] == '-' || p[1] == '+');
		if (!isdigit((unsigned char)*p))
			return NULL;
		p += strspn(p, "0123456789");
	}
	d = strtod(s, NULL);
	return *p || !isfinite(d) ? NULL : json_new_number(d);
}

static struct json *plain(const char *s)
{
	struct json *j;

	if (!*s || str_eq(s, "~") || is_word(s, "null"))
		return json_new_null();
	if (is_word(s, "true") || is_word(s, "false"))
		return json_new_bool(tolower((unsigned char)*s) == 't');
	j = number(s);
	return j ? j : json_new_str(s);
}

static const char *scalar(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

static int build_scalar(struct reader *r, const yaml_node_t *node,
			struct json **out)
{
	const char *s = scalar(node);
	bool is_plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

	if (strlen(s) != node->data.scalar.length)
		return fail(r->name, &node->start_mark,
			    "NUL character in a string", NULL, r->err);
	*out = is_plain ? plain(s) : json_new_str(s);
	return 0;
}

static int build(struct reader *r, int id, struct json **out);

static int build_sequence(struct reader *r, const yaml_node_t *node,
			  struct json **out)
{
	cleanup_json struct json *list = json_new_array();
	const yaml_node_item_t *item = node->data.sequence.items.start;

	for (; item < node->data.sequence.items.top; item++) {
		struct json *value = NULL;

		if (build(r, *item, &value) < 0)
			return -1;
		json_push(list, value);
	}
	*out = steal_ptr(&list);
	return 0;
}

/* Members a "<<" brings in; those already there win. */
static int merge(struct reader *r, struct json *into, int id)
{
	const yaml_node_t *node = yaml_document_get_node(&r->doc, id);
	cleanup_json struct json *from = NULL;

	if (build(r, id, &from) < 0)
		return -1;
	for (struct json *one = json_kind(from) == JSON_ARRAY ?
					json_first(from) : from;
	     one; one = json_kind(from) == JSON_ARRAY ? json_next(one) :
							NULL) {
		if (json_kind(one) != JSON_OBJECT)
			return fail(r->name, &node->start_mark,
				    "'<<' needs a mapping", NULL, r->err);
		for (struct json *m = json_first(one); m; m = json_next(m))
			if (!json_get(into, json_key(m)))
				json_set(into, json_key(m), json_dup(m));
	}
	return 0;
}

static bool is_merge(const yaml_node_t *key)
{
	return key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       str_eq(scalar(key), "<<");
}

static int build_pair(struct reader *r, const yaml_node_pair_t *pair,
		      struct json *object)
{
	const yaml_node_t *key = yaml_document_get_node(&r->doc, pair->key);
	struct json *value = NULL;

	if (key->type != YAML_SCALAR_NODE ||
	    strlen(scalar(key)) != key->data.scalar.length)
		return fail(r->name, &key->start_mark,
			    "a key must be a string", NULL, r->err);
	if (is_merge(key))
		return 0;
	if (json_get(object, scalar(key)))
		return fail(r->name, &key->start_mark, "duplicate key",
			    scalar(key), r->err);
	if (build(r, pair->value, &value) < 0)
		return -1;
	json_set(object, scalar(key), value);
	return 0;
}

static int build_mapping(struct reader *r, const yaml_node_t *node,
			 struct json **out)
{
	cleanup_json struct json *object = json_new_object();
	const yaml_node_pair_t *first = node->data.mapping.pairs.start;
	const yaml_node_pair_t *end = node->data.mapping.pairs.top;

	if (end - first > JSON_MAX_KEYS)
		return fail(r->name, &node->start_mark,
			    "mapping has too many keys", NULL, r->err);
	for (const yaml_node_pair_t *p = first; p < end; p++)
		if (build_pair(r, p, object) < 0)
			return -1;
	for (const yaml_node_pair_t *p = first; p < end; p++)
		if (is_merge(yaml_document_get_node(&r->doc, p->key)) &&
		    merge(r, object, p->value) < 0)
			return -1;
	*out = steal_ptr(&object);
	return 0;
}

static int build(struct reader *r, int id, struct json **out)
{
	const yaml_node_t *node = yaml_document_get_node(&r->doc, id);
	int result;

	/* A value built again comes from an alias; nested aliases multiply. */
	if (r->seen[id] && ++r->aliased > YAML_MAX_ALIASED)
		return fail(r->name, &node->start_mark,
			    "aliases repeat too many values", NULL, r->err);
	r->seen[id] = 1;
	if (node->type == YAML_SCALAR_NODE)
		return build_scalar(r, node, out);
	/* An anchor inside itself would nest for ever. */
	if (r->depth == YAML_MAX_DEPTH)
		return fail(r->name, &node->start_mark, "too deeply nested",
			    NULL, r->err);
	r->depth++;
	result = node->type == YAML_SEQUENCE_NODE ?
			 build_sequence(r, node, out) :
			 build_mapping(r, node, out);
	r->depth--;
	return result;
}

struct json *yaml_parse(const char *name, const char *text, size_t n,
			struct error *err)
{
	struct reader r = { .name = name, .err = err };
	struct json *out = NULL;

	if (read_document(name, text, n, &r.doc, err) < 0)
		return NULL;
	r.n_seen = (size_t)(r.doc.nodes.top - r.doc.nodes.start) + 1;
	r.seen = xcalloc(r.n_seen, 1);
	if (!yaml_document_get_root_node(&r.doc))
		error_set(err, ERR_INPUT, "%s:1:1: the file is empty", name);
	else if (build(&r, 1, &out) < 0)
		out = NULL;
	free(r.seen);
	yaml_document_delete(&r.doc);
	return out;
}

/* The member of a node that one key or index names; 0 when none does. */
static int step(yaml_document_t *doc, int id, const char *want,
		const yaml_node_t **key)
{
	const yaml_node_t *node = yaml_document_get_node(doc, id);
	uint64_t i;

	if (node->type == YAML_SEQUENCE_NODE &&
	    str_to_u64(want, YAML_MAX, &i) &&
	    node->data.sequence.items.start + i <
		    node->data.sequence.items.top) {
		id = node->data.sequence.items.start[i];
		*key = yaml_document_get_node(doc, id);
		return id;
	}
	if (node->type != YAML_MAPPING_NODE)
		return 0;
	for (const yaml_node_pair_t *p = node->data.mapping.pairs.start;
	     p < node->data.mapping.pairs.top; p++) {
		*key = yaml_document_get_node(doc, p->key);
		if ((*key)->type == YAML_SCALAR_NODE &&
		    str_eq(scalar(*key), want))
			return p->value;
	}
	return 0;
}

struct yaml_places {
	yaml_document_t doc;
	bool there;
};

struct yaml_places *yaml_places_new(const char *text, size_t n)
{
	struct yaml_places *p = xcalloc(1, sizeof(*p));

	p->there = read_document("", text, n, &p->doc, NULL) == 0;
	return p;
}

bool yaml_places_find(struct yaml_places *p, const struct strvec *path,
		      bool of_key, unsigned *line, unsigned *col)
{
	const yaml_node_t *node, *key;
	int id = 1;

	if (!p->there)
		return false;
	node = key = yaml_document_get_root_node(&p->doc);
	for (size_t i = 0; node && id && i < path->nr; i++)
		id = step(&p->doc, id, path->v[i], &key);
	if (!node || !id)
		return false;
	node = of_key ? key : yaml_document_get_node(&p->doc, id);
	*line = (unsigned)node->start_mark.line + 1;
	*col = (unsigned)node->start_mark.column + 1;
	return true;
}

void yaml_places_free(struct yaml_places *p)
{
	if (p && p->there)
		yaml_document_delete(&p->doc);
	free(p);
}

bool yaml_locate(const char *text, size_t n, const struct strvec *path,
		 bool of_key, unsigned *line, unsigned *col)
{
	struct yaml_places *p = yaml_places_new(text, n);
	bool found = yaml_places_find(p, path, of_key, line, col);

	yaml_places_free(p);
	return found;
}
