/* gitref.c - git references of ADD and contexts: query and fragment */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dockerfile/dockerfile.h"
#include "wrap/url.h"

#define QUERY_MAX 100 /* keys */

void dockerfile_git_release(struct dockerfile_git *g)
{
	free(g->remote);
	free(g->ref);
	free(g->subdir);
	free(g->checksum);
	*g = (struct dockerfile_git){ 0 };
}

/* A key or value of a query: "+" is a blank. */
static char *decode(const char *s, size_t n)
{
	cleanup_free char *text = xstrndup(s, n);
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	char *c;

	for (c = text; *c; c++)
		if (*c == '+')
			*c = ' ';
	url_decode(&out, text, n);
	return strbuf_detach(&out);
}

/* Go's strconv.ParseBool; a key without a value says yes. */
static int set_bool(int *to, const char *key, const char *value,
		    struct error *err)
{
	static const char *const words[2][6] = {
		{ "0", "f", "F", "false", "FALSE", "False" },
		{ "1", "t", "T", "true", "TRUE", "True" },
	};
	cleanup_strbuf struct strbuf q = STRBUF_INIT;
	size_t i;

	*to = 1;
	if (!*value)
		return 0;
	for (i = 0; i < ARRAY_SIZE(words[0]); i++) {
		if (str_eq(value, words[1][i]))
			return 0;
		if (!str_eq(value, words[0][i]))
			continue;
		*to = 0;
		return 0;
	}
	dockerfile_quote(&q, value);
	return error_set(err, ERR_INPUT, "invalid %s value: %s", key, q.buf);
}

static int set_text(char **to, const char *what, const char *value,
		    struct error *err)
{
	cleanup_strbuf struct strbuf a = STRBUF_INIT, b = STRBUF_INIT;

	if (!*to) {
		*to = xstrdup(value);
		return 0;
	}
	if (str_eq(*to, value))
		return 0;
	dockerfile_quote(&a, *to);
	dockerfile_quote(&b, value);
	return error_set(err, ERR_INPUT, "%s conflicts: %s vs %s", what, a.buf,
			 b.buf);
}

static int fail_quoted(struct error *err, const char *before,
		       const char *word, const char *after)
{
	cleanup_strbuf struct strbuf q = STRBUF_INIT;

	dockerfile_quote(&q, word);
	return error_set(err, ERR_INPUT, "%s%s%s", before, q.buf, after);
}

/* What the query says, before it is held against the fragment. */
struct query {
	struct strvec seen;
	char *tag, *branch;
	int by_commit;
};

static void query_release(struct query *q)
{
	strvec_release(&q->seen);
	free(q->tag);
	free(q->branch);
}

static int set_key(struct dockerfile_git *g, struct query *q, const char *key,
		   const char *value, struct error *err)
{
	if (str_eq(key, "keep-git-dir"))
		return set_bool(&g->keep_git_dir, key, value, err);
	if (str_eq(key, "submodules"))
		return set_bool(&g->submodules, key, value, err);
	if (str_eq(key, "fetch-by-commit"))
		return set_bool(&q->by_commit, key, value, err);
	if (!*value)
		return fail_quoted(err, "query ", key, " has no value");
	if (str_eq(key, "ref"))
		return set_text(&g->ref, "ref", value, err);
	if (str_eq(key, "subdir"))
		return set_text(&g->subdir, "subdir", value, err);
	if (str_eq(key, "checksum") || str_eq(key, "commit"))
		return set_text(&g->checksum, "checksum", value, err);
	if (str_eq(key, "tag"))
		return set_text(&q->tag, "tag", value, err);
	if (str_eq(key, "branch"))
		return set_text(&q->branch, "branch", value, err);
	if (!str_eq(key, "mtime"))
		return fail_quoted(err, "unexpected query ", key, "");
	g->mtime_commit = str_eq(value, "commit");
	if (g->mtime_commit || str_eq(value, "checkout"))
		return 0;
	return fail_quoted(err, "invalid mtime value: ", value, "");
}

static int read_query(struct dockerfile_git *g, struct query *q,
		      const char *text, struct error *err)
{
	while (*text) {
		size_t n = strcspn(text, "&"), name = strcspn(text, "=&");
		cleanup_free char *key = decode(text, name);
		cleanup_free char *value =
			name < n ? decode(text + name + 1, n - name - 1)
				 : xstrdup("");

		if (n && strvec_has(&q->seen, key))
			return fail_quoted(err, "query ", key,
					   " has multiple values");
		if (q->seen.nr == QUERY_MAX)
			return error_set(err, ERR_INPUT,
					 "a git reference has more than %d "
					 "keys in its query", QUERY_MAX);
		strvec_push(&q->seen, key);
		if (n && set_key(g, q, key, value, err) < 0)
			return -1;
		text += n + (text[n] == '&');
	}
	return 0;
}

static int set_ref(struct dockerfile_git *g, const char *place,
		   const char *name, struct error *err)
{
	cleanup_free char *full = str_starts(name, place) ?
		xstrdup(name) : xstrfmt("%s%s", place, name);

	return set_text(&g->ref, "ref", full, err);
}

static int apply_query(struct dockerfile_git *g, const struct query *q,
		       struct error *err)
{
	if (q->tag && q->branch)
		return error_set(err, ERR_INPUT, "branch conflicts with tag");
	if (q->tag && set_ref(g, "refs/tags/", q->tag, err) < 0)
		return -1;
	if (q->branch && set_ref(g, "refs/heads/", q->branch, err) < 0)
		return -1;
	if (!g->checksum)
		return 0;
	if (q->by_commit == 1) {
		free(g->ref);
		g->ref = NULL;
	}
	if (!g->ref)
		g->ref = xstrdup(g->checksum);
	return 0;
}

static void read_fragment(struct dockerfile_git *g, const char *text)
{
	size_t n = strcspn(text, ":");

	if (n)
		g->ref = xstrndup(text, n);
	if (text[n] && text[n + 1])
		g->subdir = xstrdup(text + n + 1);
}

int dockerfile_git_parse(struct dockerfile_git *g, const char *text,
			 struct error *err)
{
	cleanup_dockerfile_git struct dockerfile_git made = {
		.keep_git_dir = -1, .submodules = -1
	};
	CLEANUP(query_release) struct query q = { .by_commit = -1 };
	size_t n = strcspn(text, "?#"), end = strcspn(text, "#");
	cleanup_free char *query = NULL;

	made.remote = xstrfmt("%s%.*s",
			      str_starts(text, "github.com/") ? "https://" : "",
			      (int)n, text);
	if (text[end])
		read_fragment(&made, text + end + 1);
	query = n < end ? xstrndup(text + n + 1, end - n - 1) : xstrdup("");
	if (read_query(&made, &q, query, err) < 0 ||
	    apply_query(&made, &q, err) < 0)
		return -1;
	*g = made;
	made = (struct dockerfile_git){ 0 };
	return 0;
}
