/* pattern.c - the globs of ${v#p}, ${v%p} and ${v/p/r} */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dockerfile/internal.h"

/*
 * A pattern is a list of pieces with a star between each two. Taking every
 * piece at its first place gives the shortest match, the last piece at its
 * last place the longest, so that no backtracking is needed.
 */
#define ANY 0xffffffffu	 /* "?" */
#define STAR 0xfffffffeu /* "*" */
#define BROKEN 0x80000000u /* a byte that is no UTF-8, kept as it is */
#define WORK_MAX (1u << 26) /* comparisons of one match */

struct runes {
	uint32_t *v;
	size_t nr, alloc;
};

static void runes_release(struct runes *r)
{
	free(r->v);
}
#define cleanup_runes CLEANUP(runes_release)

static void push(struct runes *r, uint32_t c)
{
	GROW(r->v, r->nr, r->alloc);
	r->v[r->nr++] = c;
}

/* Also of an empty text `v` is an array. */
static void decode(struct runes *r, const char *s)
{
	const char *end = s + strlen(s);

	GROW(r->v, r->nr, r->alloc);
	while (s < end) {
		uint32_t c;
		size_t n = dockerfile_rune(s, end, &c);

		if (c == 0xfffd && n == 1)
			c = BROKEN | (unsigned char)*s;
		push(r, c);
		s += n;
	}
}

static void encode(struct strbuf *out, uint32_t c)
{
	if (c & BROKEN || c < 0x80) {
		strbuf_addch(out, (int)(c & 0xff));
		return;
	}
	if (c < 0x800) {
		strbuf_addch(out, (int)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			strbuf_addch(out, (int)(0xe0 | c >> 12));
		} else {
			strbuf_addch(out, (int)(0xf0 | c >> 18));
			strbuf_addch(out, (int)(0x80 | (c >> 12 & 0x3f)));
		}
		strbuf_addch(out, (int)(0x80 | (c >> 6 & 0x3f)));
	}
	strbuf_addch(out, (int)(0x80 | (c & 0x3f)));
}

static int compile(struct runes *out, const char *pattern, struct error *err)
{
	cleanup_runes struct runes p = { 0 };
	size_t i;

	decode(&p, pattern);
	for (i = 0; i < p.nr; i++) {
		uint32_t c = p.v[i];

		if (c == '\\') {
			if (++i == p.nr)
				return error_set(err, ERR_INPUT,
						 "pattern ends in an escape");
			c = p.v[i];
		} else if (c == '*') {
			c = STAR;
		} else if (c == '?') {
			c = ANY;
		}
		push(out, c);
	}
	return 0;
}

static void reverse(struct runes *r)
{
	size_t i;

	for (i = 0; i < r->nr / 2; i++) {
		uint32_t c = r->v[i];

		r->v[i] = r->v[r->nr - 1 - i];
		r->v[r->nr - 1 - i] = c;
	}
}

static bool piece_at(const uint32_t *piece, size_t n, const uint32_t *v)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (piece[i] != ANY && piece[i] != v[i])
			return false;
	return true;
}

/* First (or last) place of a piece in v[from, nr); false: none. */
static bool find_piece(const uint32_t *piece, size_t n, const struct runes *v,
		       size_t from, bool last, size_t *at)
{
	size_t i;

	if (v->nr < from + n)
		return false;
	for (i = from; i <= v->nr - n; i++) {
		size_t place = last ? v->nr - n - (i - from) : i;

		if (piece_at(piece, n, v->v + place)) {
			*at = place;
			return true;
		}
	}
	return false;
}

/* Match somewhere in v[from, nr), or only at `from` where `anchored`. */
static bool find(const struct runes *p, const struct runes *v, size_t from,
		 bool anchored, bool longest, size_t *start, size_t *end)
{
	size_t i = 0, pos = from;
	bool first = true, star = false;

	*start = from;
	while (i < p->nr || first) {
		const uint32_t *piece = p->v + i;
		size_t n = 0, at = pos;

		while (i + n < p->nr && piece[n] != STAR)
			n++;
		i += n;
		if (first && anchored) {
			if (v->nr < pos + n || !piece_at(piece, n, v->v + pos))
				return false;
		} else if (!find_piece(piece, n, v, pos,
				       star && longest && i == p->nr, &at)) {
			return false;
		}
		if (first)
			*start = at;
		first = false;
		pos = at + n;
		star = i < p->nr;
		if (star && ++i == p->nr && longest)
			pos = v->nr;
	}
	*end = pos;
	return true;
}

static int check_work(const struct runes *p, const struct runes *v,
		      struct error *err)
{
	if (p->nr && v->nr > WORK_MAX / p->nr)
		return error_set(err, ERR_INPUT,
				 "the pattern of a substitution is too long");
	return 0;
}

int dockerfile_pattern_trim(const char *value, const char *pattern,
			    bool suffix, bool longest, struct strbuf *out,
			    struct error *err)
{
	cleanup_runes struct runes p = { 0 }, v = { 0 };
	size_t start, end = 0, i;

	if (compile(&p, pattern, err) < 0)
		return -1;
	decode(&v, value);
	if (check_work(&p, &v, err) < 0)
		return -1;
	if (suffix) {
		reverse(&p);
		reverse(&v);
	}
	if (!find(&p, &v, 0, true, longest, &start, &end))
		end = 0;
	if (suffix)
		reverse(&v);
	for (i = suffix ? 0 : end; i < (suffix ? v.nr - end : v.nr); i++)
		encode(out, v.v[i]);
	return 0;
}

int dockerfile_pattern_replace(const char *value, const char *pattern,
			       const char *with, bool all,
			       struct strbuf *out, struct error *err)
{
	cleanup_runes struct runes p = { 0 }, v = { 0 };
	size_t from = 0, start, end;

	if (compile(&p, pattern, err) < 0)
		return -1;
	decode(&v, value);
	if (check_work(&p, &v, err) < 0)
		return -1;
	while (p.nr && find(&p, &v, from, false, true, &start, &end)) {
		/* An empty match counts in an empty value only. */
		if (start == end && v.nr)
			break;
		for (; from < start; from++)
			encode(out, v.v[from]);
		strbuf_addstr(out, with);
		if (out->len > DOCKERFILE_WORD_MAX)
			return error_set(err, ERR_INPUT,
					 "the expanded text is longer than %u "
					 "bytes", DOCKERFILE_WORD_MAX);
		from = end;
		if (!all || from == v.nr)
			break;
	}
	for (; from < v.nr; from++)
		encode(out, v.v[from]);
	return 0;
}
