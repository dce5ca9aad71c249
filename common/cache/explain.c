/* explain.c - what a step's key has that the nearest known one has not */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/cache.h"

#define FIELDS_MAX 100000
#define NAMES_SHOWN 5

/* A key's text, taken apart. */
struct fields {
	struct field {
		struct cache_field f;
		bool paired;
	} *v;
	size_t nr, alloc;
};

static void fields_release(struct fields *f)
{
	free(f->v);
}

static void parse(const char *text, size_t n, struct fields *out)
{
	const char *end = text + n;
	struct cache_field f;

	while (out->nr < FIELDS_MAX && cache_field_next(&text, end, &f)) {
		if (f.head)
			continue;
		GROW(out->v, out->nr, out->alloc);
		out->v[out->nr++] = (struct field){ .f = f };
	}
}

static bool named(const struct field *f, const char *name)
{
	return cache_field_is(&f->f, name);
}

static bool same(const struct field *a, const struct field *b)
{
	return a->f.name_len == b->f.name_len && a->f.len == b->f.len &&
	       !memcmp(a->f.name, b->f.name, a->f.name_len) &&
	       !memcmp(a->f.value, b->f.value, a->f.len);
}

/* Pair each field with an equal one of the other key, in order where that is
 * possible: a list that grew in the middle differs by what is new. */
static size_t pair(struct fields *a, struct fields *b)
{
	size_t i, k, from = 0, pairs = 0;

	for (k = 0; k < b->nr; k++)
		b->v[k].paired = false;
	for (i = 0; i < a->nr; i++) {
		a->v[i].paired = false;
		for (k = from; k < b->nr; k++)
			if (!b->v[k].paired && same(&a->v[i], &b->v[k]))
				break;
		if (k == b->nr)
			continue;
		a->v[i].paired = b->v[k].paired = true;
		from = k + 1;
		pairs++;
	}
	return pairs;
}

static const struct field *find(const struct fields *f, const char *name)
{
	size_t i;

	for (i = 0; i < f->nr; i++)
		if (named(&f->v[i], name))
			return &f->v[i];
	return NULL;
}

static bool agree(const struct fields *a, const struct fields *b,
		  const char *name)
{
	const struct field *x = find(a, name), *y = find(b, name);

	return x && y && same(x, y);
}

/* The fields of one name, which may be several: the words of a command. */
static bool agree_in_all(const struct fields *a, const struct fields *b,
			 const char *name)
{
	size_t i = 0, k = 0;

	for (;; i++, k++) {
		while (i < a->nr && !named(&a->v[i], name))
			i++;
		while (k < b->nr && !named(&b->v[k], name))
			k++;
		if (i == a->nr || k == b->nr)
			return i == a->nr && k == b->nr;
		if (!same(&a->v[i], &b->v[k]))
			return false;
	}
}

/* Could it be the same instruction, before it was changed? */
static bool comparable(const struct fields *a, const struct fields *b)
{
	return agree(a, b, "op") &&
	       (agree(a, b, "parent") || agree(a, b, "dest") ||
		agree(a, b, "arg"));
}

/* --- the nearest key --- */

struct nearest {
	struct store *s;
	struct fields wanted;
	char key[CACHE_KEY];
	struct strbuf text;
	size_t pairs;
	int64_t used;
};

static void nearest_release(struct nearest *n)
{
	fields_release(&n->wanted);
	strbuf_release(&n->text);
}

static int look(void *arg, const char *key, const char *text, size_t len,
		int64_t used)
{
	struct nearest *n = arg;
	cleanup_json struct json *j = NULL;
	CLEANUP(fields_release) struct fields f = { 0 };
	const char *other;
	size_t pairs;

	if (str_starts(text, "{\"files\""))
		return 0; /* long, and no step */
	j = json_parse("step", text, len, NULL);
	other = json_get_str(j, "key");
	if (!other)
		return 0;
	parse(other, strlen(other), &f);
	if (!comparable(&n->wanted, &f))
		return 0;
	/* Of steps that differ in as much, the one in the same place is meant,
	 * and the one that does the same rather than another beside it. */
	pairs = 4 * pair(&n->wanted, &f) + agree(&n->wanted, &f, "parent") +
		2 * (agree_in_all(&n->wanted, &f, "arg") &&
		     agree_in_all(&n->wanted, &f, "dest"));
	if (pairs < n->pairs || (pairs == n->pairs && used <= n->used))
		return 0;
	n->pairs = pairs;
	n->used = used;
	memcpy(n->key, key, CACHE_KEY);
	strbuf_reset(&n->text);
	strbuf_addstr(&n->text, other);
	return 0;
}

/* --- what differs --- */

/* Names only: a value may be what nobody should see. */
static void say_variable(const struct field *f, struct strvec *out)
{
	const char *value = f->f.value, *equals = memchr(value, '=', f->f.len);
	cleanup_free char *name = xstrndup(
		value, equals ? (size_t)(equals - value) : f->f.len);
	cleanup_free char *text = xstrfmt("the variable %s is another", name);

	if (!strvec_has(out, text))
		strvec_push(out, text);
}

static void say(const struct field *f, struct strvec *out)
{
	static const struct {
		const char *name, *text;
	} texts[] = {
		{ "parent", "what it stands on is another" },
		{ "layer", "the base image is another" },
		{ "arg", "the command is another" },
		{ "script", "the script is another" },
		{ "heredoc", "the text of a heredoc is another" },
		{ "from", "what it copies from is another" },
		{ "content", "a file is another" },
		{ "file", "a file has another name" },
	};
	cleanup_free char *other = NULL;
	const char *text = NULL;
	size_t i;

	if (named(f, "env")) {
		say_variable(f, out);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(texts) && !text; i++)
		if (named(f, texts[i].name))
			text = texts[i].text;
	if (!text)
		text = other = xstrfmt("its %.*s is another",
				       (int)f->f.name_len, f->f.name);
	if (!strvec_has(out, text))
		strvec_push(out, text);
}

static void say_unpaired(const struct fields *f, bool files,
			 struct strvec *out)
{
	size_t i;

	for (i = 0; i < f->nr; i++) {
		const struct field *one = &f->v[i];

		if (one->paired ||
		    (files && (named(one, "content") || named(one, "file") ||
			       named(one, "implied"))))
			continue;
		say(one, out);
	}
}

static bool unpaired(const struct fields *f)
{
	size_t i;

	for (i = 0; i < f->nr; i++)
		if (!f->v[i].paired)
			return true;
	return false;
}

/* --- files --- */

static char *files_key(const char *key)
{
	cleanup_free char *text = xstrfmt("files %s", key);
	char digest[DIGEST_TEXT];

	digest_bytes(text, strlen(text), digest);
	return xstrdup(digest_hex(digest));
}

int cache_put_files(struct store *s, const char *key,
		    const struct strvec *files, struct error *err)
{
	cleanup_json struct json *j = json_new_object();
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *place = files_key(key);

	json_set_strvec(j, "files", files);
	json_write(&text, j, false);
	return store_cache_put(s, place, text.buf, text.len, err);
}

static bool get_files(struct store *s, const char *key, struct strvec *out)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_json struct json *j = NULL;
	cleanup_free char *place = files_key(key);

	if (store_cache_get(s, place, &text, NULL) <= 0)
		return false;
	j = json_parse("files", text.buf, text.len, NULL);
	if (!j)
		return false;
	json_get_strings(json_get(j, "files"), out);
	return true;
}

struct said {
	struct strvec *out;
	size_t n;
};

static void say_file(struct said *said, const char *line, const char *what)
{
	if (said->n++ < NAMES_SHOWN)
		strvec_push_own(said->out,
				xstrfmt("'%.*s' %s",
					(int)strcspn(line, "\t"), line, what));
}

/* By path: what comes first. */
static int order(const char *a, const char *b)
{
	size_t x = strcspn(a, "\t"), y = strcspn(b, "\t");
	int c = strncmp(a, b, MIN(x, y));

	return c ? c : (x > y) - (x < y);
}

/* Lines "PATH TAB DIGEST", sorted. */
static void say_files(const struct strvec *now, const struct strvec *before,
		      struct strvec *out)
{
	struct said said = { out, 0 };
	size_t i = 0, k = 0;

	while (i < now->nr || k < before->nr) {
		int c = i == now->nr ? 1 : k == before->nr ? -1 :
			order(now->v[i], before->v[k]);

		if (c < 0)
			say_file(&said, now->v[i], "is new");
		else if (c > 0)
			say_file(&said, before->v[k], "is gone");
		else if (!str_eq(now->v[i], before->v[k]))
			say_file(&said, now->v[i], "changed");
		i += c <= 0;
		k += c >= 0;
	}
	if (said.n > NAMES_SHOWN)
		strvec_push_own(out, xstrfmt("and %zu more files",
					     said.n - NAMES_SHOWN));
}

int cache_explain(struct store *s, const struct cache_key *k,
		  const struct strvec *files, struct strvec *reasons,
		  struct error *err)
{
	CLEANUP(nearest_release) struct nearest n = { .s = s,
						      .text = STRBUF_INIT };
	CLEANUP(fields_release) struct fields f = { 0 };
	cleanup_strvec struct strvec before = STRVEC_INIT;
	bool known;

	parse(k->text.buf, k->text.len, &n.wanted);
	if (store_cache_each(s, look, &n, err) < 0)
		return -1;
	if (!n.pairs) {
		strvec_push(reasons, "no step like it was built here");
		return 0;
	}
	parse(n.text.buf, n.text.len, &f);
	pair(&n.wanted, &f);
	known = files && get_files(s, n.key, &before);
	say_unpaired(&n.wanted, known, reasons);
	say_unpaired(&f, known, reasons);
	if (known)
		say_files(files, &before, reasons);
	if (!reasons->nr)
		strvec_push(reasons, known && unpaired(&n.wanted) ?
				     "the order of its sources is another" :
				     "what it made is no longer there");
	return 0;
}
