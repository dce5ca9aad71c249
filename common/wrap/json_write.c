/* json_write.c - the same value gives the same bytes */
/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "wrap/json.h"

struct writer {
	struct strbuf *out;
	bool pretty, sorted;
	unsigned depth;
};

static void write_value(struct writer *w, const struct json *j);

void json_write_str(struct strbuf *out, const char *s, size_t n)
{
	static const char escapes[] = "\bb\nn\ff\rr\tt\"\"\\\\";
	size_t i;

	strbuf_addch(out, '"');
	for (i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		const char *e;

		for (e = escapes; *e && (unsigned char)*e != c; e += 2)
			;
		if (*e)
			strbuf_addf(out, "\\%c", e[1]);
		else if (c < 0x20 || c == 0x7f)
			strbuf_addf(out, "\\u%04x", c);
		else
			strbuf_addch(out, c);
	}
	strbuf_addch(out, '"');
}

static void newline(struct writer *w)
{
	if (w->pretty)
		strbuf_addf(w->out, "\n%*s", (int)(w->depth * 2), "");
}

/* A member and its place in the source. */
struct member {
	const struct json *j;
	size_t at;
};

static int by_key(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order = strcmp(json_key(x->j), json_key(y->j));

	return order ? order : x->at < y->at ? -1 : x->at > y->at;
}

static int by_place(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

/* Of members with one name the last one counts. */
static size_t drop_doubles(struct member *list, size_t n)
{
	size_t i, kept = 0;

	for (i = 0; i < n; i++)
		if (i + 1 == n || !str_eq(json_key(list[i].j),
					  json_key(list[i + 1].j)))
			list[kept++] = list[i];
	return kept;
}

static size_t members(const struct json *j, struct member **out, bool sorted)
{
	size_t n = 0;
	struct member *list = xcalloc(json_len(j), sizeof(*list));
	const struct json *m;

	for (m = json_first(j); m; m = json_next(m), n++)
		list[n] = (struct member){ m, n };
	*out = list;
	if (json_kind(j) != JSON_OBJECT || !n)
		return n;
	qsort(list, n, sizeof(*list), by_key);
	n = drop_doubles(list, n);
	if (!sorted)
		qsort(list, n, sizeof(*list), by_place);
	return n;
}

static void write_container(struct writer *w, const struct json *j)
{
	bool object = json_kind(j) == JSON_OBJECT;
	cleanup_free struct member *list = NULL;
	size_t n = members(j, &list, w->sorted), i;

	strbuf_addch(w->out, object ? '{' : '[');
	w->depth++;
	for (i = 0; i < n; i++) {
		if (i)
			strbuf_addch(w->out, ',');
		newline(w);
		if (object) {
			const char *key = json_key(list[i].j);

			json_write_str(w->out, key, strlen(key));
			strbuf_addstr(w->out, w->pretty ? ": " : ":");
		}
		write_value(w, list[i].j);
	}
	w->depth--;
	if (n)
		newline(w);
	strbuf_addch(w->out, object ? '}' : ']');
}

static void write_number(struct strbuf *out, double d)
{
	int64_t whole;
	char text[40];

	if (d == floor(d) && fabs(d) < 9007199254740992.0) {
		whole = (int64_t)d;
		strbuf_addf(out, "%lld", (long long)whole);
		return;
	}
	snprintf(text, sizeof(text), "%.15g", d);
	if (strtod(text, NULL) < d || strtod(text, NULL) > d)
		snprintf(text, sizeof(text), "%.17g", d);
	strbuf_addstr(out, text);
}

static void write_value(struct writer *w, const struct json *j)
{
	switch (json_kind(j)) {
	case JSON_NULL:
		strbuf_addstr(w->out, "null");
		break;
	case JSON_BOOL:
		strbuf_addstr(w->out, json_bool(j) ? "true" : "false");
		break;
	case JSON_NUMBER:
		write_number(w->out, json_number(j));
		break;
	case JSON_STRING:
		json_write_str(w->out, json_str(j), strlen(json_str(j)));
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		write_container(w, j);
		break;
	}
}

void json_write(struct strbuf *out, const struct json *j, bool pretty)
{
	struct writer w = { .out = out, .pretty = pretty, .sorted = true };

	write_value(&w, j);
	if (pretty)
		strbuf_addch(out, '\n');
}

void json_write_unsorted(struct strbuf *out, const struct json *j,
			 bool pretty)
{
	struct writer w = { .out = out, .pretty = pretty };

	write_value(&w, j);
	if (pretty)
		strbuf_addch(out, '\n');
}
