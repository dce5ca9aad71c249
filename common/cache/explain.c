/* explain.c - what a step's key has that the nearest known one has not */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/cache.h"
#include "cache/past.h"

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
	/* All that a WORKDIR has. */
	bool cwd = !find(a, "arg") && !find(a, "dest") && agree(a, b, "cwd");

	return agree(a, b, "op") &&
	       (agree(a, b, "parent") || agree(a, b, "dest") ||
		agree(a, b, "arg") || cwd);
}

/* --- the nearest key --- */

struct nearest {
	struct fields wanted;
	char key[CACHE_KEY];
	struct strbuf text;
	const struct json *files; /* what it read, where that is at hand */
	size_t pairs;
	int64_t used;
};
#define NEAREST_INIT { .text = STRBUF_INIT }

static void nearest_release(struct nearest *n)
{
	fields_release(&n->wanted);
	strbuf_release(&n->text);
}

/* Is this one nearer, or as near and younger? */
static bool consider(struct nearest *n, const char *key, const char *text,
		     int64_t used)
{
	CLEANUP(fields_release) struct fields f = { 0 };
	size_t pairs;

	parse(text, strlen(text), &f);
	if (!comparable(&n->wanted, &f))
		return false;
	/* Of steps that differ in as much, the one in the same place is meant,
	 * and the one that does the same rather than another beside it. */
	pairs = 4 * pair(&n->wanted, &f) + agree(&n->wanted, &f, "parent") +
		2 * (agree_in_all(&n->wanted, &f, "arg") &&
		     agree_in_all(&n->wanted, &f, "dest"));
	if (pairs < n->pairs || (pairs == n->pairs && used <= n->used))
		return false;
	n->pairs = pairs;
	n->used = used;
	snprintf(n->key, sizeof(n->key), "%s", key);
	strbuf_reset(&n->text);
	strbuf_addstr(&n->text, text);
	return true;
}

static int look(void *arg, const char *key, const char *text, size_t len,
		int64_t used)
{
	cleanup_json struct json *j = NULL;
	const char *other;

	if (str_starts(text, "{\"files\""))
		return 0; /* long, and no step */
	j = json_parse("step", text, len, NULL);
	other = json_get_str(j, "key");
	if (other)
		consider(arg, key, other, used);
	return 0;
}

/* Among the steps of a build that was published. */
static void look_past(struct nearest *n, const struct cache_past *past)
{
	const struct json *step = json_first(json_get(past->json, "steps"));

	for (; step; step = json_next(step)) {
		const char *key = json_get_str(step, "key");
		const char *text = json_get_str(step, "text");

		if (key && text && consider(n, key, text, 1))
			n->files = json_get(step, "files");
	}
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

static void get_files(struct store *s, const char *key, struct strvec *out)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_json struct json *j = NULL;
	cleanup_free char *place = files_key(key);

	if (store_cache_get(s, place, &text, NULL) <= 0)
		return;
	j = json_parse("files", text.buf, text.len, NULL);
	json_get_strings(json_get(j, "files"), out);
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

/* What is different from the nearest one, of which `before` are the files. */
static void say_all(struct nearest *n, const struct strvec *files,
		    const struct strvec *before, struct strvec *reasons)
{
	CLEANUP(fields_release) struct fields f = { 0 };
	bool known = files && before->nr;

	parse(n->text.buf, n->text.len, &f);
	pair(&n->wanted, &f);
	say_unpaired(&n->wanted, known, reasons);
	say_unpaired(&f, known, reasons);
	if (known)
		say_files(files, before, reasons);
	if (!reasons->nr)
		strvec_push(reasons, known && unpaired(&n->wanted) ?
				     "the order of its sources is another" :
				     "what it made is no longer there");
}

int cache_explain(struct store *s, const struct cache_past *past,
		  const struct cache_key *k, const struct strvec *files,
		  struct strvec *reasons, struct error *err)
{
	CLEANUP(nearest_release) struct nearest here = NEAREST_INIT;
	CLEANUP(nearest_release) struct nearest there = NEAREST_INIT;
	cleanup_strbuf struct strbuf hidden = STRBUF_INIT;
	cleanup_strvec struct strvec before = STRVEC_INIT;

	parse(k->text.buf, k->text.len, &here.wanted);
	if (store_cache_each(s, look, &here, err) < 0)
		return -1;
	if (past && past->json) {
		cache_past_hide(past, k, &hidden);
		parse(hidden.buf, hidden.len, &there.wanted);
		look_past(&there, past);
	}
	if (!here.pairs && !there.pairs) {
		strvec_push(reasons, "no step like it was built here");
	} else if (there.pairs > here.pairs) {
		json_get_strings(there.files, &before);
		say_all(&there, files, &before, reasons);
	} else {
		get_files(s, here.key, &before);
		say_all(&here, files, &before, reasons);
	}
	return 0;
}
