/* policy.c - read a policy strictly */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>

#include "policy/internal.h"
#include "wrap/digest.h"
#include "wrap/yaml.h"

static void rules_release(struct policy_rules *r)
{
	size_t i;

	for (i = 0; i < r->nr; i++) {
		strvec_release(&r->v[i].hosts);
		strvec_release(&r->v[i].paths);
		strvec_release(&r->v[i].urls);
		strvec_release(&r->v[i].digests);
	}
	free(r->v);
}

void policy_release(struct policy *p)
{
	free(p->name);
	rules_release(&p->images);
	rules_release(&p->git);
	rules_release(&p->urls);
	strvec_release(&p->redirects);
	strvec_release(&p->mirrors);
	*p = (struct policy){ 0 };
}

/* Where in the file we are: "images", "3", "digests". */
struct reader {
	const char *file;
	const char *text;
	size_t n;
	struct strvec path;
	struct error *err;
};

static bool locate(const struct reader *r, bool of_key, unsigned *line,
		   unsigned *col)
{
	*line = *col = 1;
	return yaml_locate(r->text, r->n, &r->path, of_key, line, col);
}

static int fail(struct reader *r, bool of_key, const char *fmt, ...)
	PRINTF(3, 4);

static int fail(struct reader *r, bool of_key, const char *fmt, ...)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	unsigned line, col;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	/* What a merge brought in has no place of its own. */
	while (!locate(r, of_key, &line, &col) && r->path.nr)
		strvec_pop(&r->path);
	return error_set(r->err, ERR_INPUT, "%s:%u:%u: %s", r->file, line,
			 col, text.buf);
}

static int check_keys(struct reader *r, const struct json *object,
		      const char *const *known)
{
	const struct json *m;

	for (m = json_first(object); m; m = json_next(m)) {
		const char *near;
		size_t i;

		for (i = 0; known[i] && !str_eq(known[i], json_key(m)); i++)
			;
		if (known[i])
			continue;
		near = str_nearest(json_key(m), known);
		strvec_push(&r->path, json_key(m));
		fail(r, true, "unknown key '%s'", json_key(m));
		return near ? error_hint(r->err, "did you mean '%s'?", near)
			    : -1;
	}
	return 0;
}

/* A string, or a list of them; `check` may object to one. */
static int get_list(struct reader *r, const struct json *object,
		    const char *key, bool (*check)(const char *),
		    const char *what, struct strvec *out)
{
	const struct json *j = json_get(object, key), *m;
	size_t i;

	if (!j)
		return 0;
	strvec_push(&r->path, key);
	json_get_strings(j, out);
	for (m = json_first(j); m && json_str(m); m = json_next(m))
		;
	if (m || !out->nr)
		return fail(r, false, "'%s' must be a string or a list of "
			    "strings", key);
	for (i = 0; i < out->nr; i++)
		if (!*out->v[i] || (check && !check(out->v[i])))
			return fail(r, false, "'%s' is not %s", out->v[i],
				    what);
	strvec_pop(&r->path);
	return 0;
}

/* Patterns as the names are that they are compared with. */
static void normalise(struct strvec *list, char *(*one)(const char *))
{
	size_t i;

	for (i = 0; i < list->nr; i++) {
		char *pattern = one(list->v[i]);

		free(list->v[i]);
		list->v[i] = pattern;
	}
}

/* One of two words; without the key `*second` stays. */
static int get_word(struct reader *r, const struct json *object,
		    const char *key, const char *first, const char *word,
		    bool *second)
{
	const struct json *j = json_get(object, key);

	if (!j)
		return 0;
	*second = json_str(j) && str_eq(json_str(j), word);
	if (*second || (json_str(j) && str_eq(json_str(j), first)))
		return 0;
	strvec_push(&r->path, key);
	return fail(r, false, "'%s' must be '%s' or '%s'", key, first, word);
}

static int get_age(struct reader *r, const struct json *object, int64_t *out)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 },     { 'm', 60 },     { 'h', 3600 },
		      { 'd', 86400 }, { 'w', 604800 } };
	const struct json *j = json_get(object, "max_age");
	const char *text = json_str(j);
	cleanup_free char *digits = NULL;
	uint64_t count;
	size_t i, n;

	if (!j)
		return 0;
	n = text ? strlen(text) : 0;
	digits = n ? xstrndup(text, n - 1) : NULL;
	for (i = 0; n && i < ARRAY_SIZE(units); i++) {
		if (units[i].unit != text[n - 1] ||
		    !str_to_u64(digits, 1000000, &count) || !count)
			continue;
		*out = (int64_t)count * units[i].seconds;
		return 0;
	}
	strvec_push(&r->path, "max_age");
	return fail(r, false, "'max_age' must be a number with s, m, h, d or "
		    "w behind it");
}

/* Signatures are not verified by anybody here: asking for one is better
 * refused when the file is read than passed over when it counts. */
static int get_require(struct reader *r, const struct json *object,
		       struct policy_rule *rule)
{
	const struct json *j = json_get(object, "require");

	if (!j)
		return 0;
	rule->need_digest = json_str(j) && str_eq(json_str(j), "digest");
	if (rule->need_digest)
		return 0;
	strvec_push(&r->path, "require");
	if (json_str(j) && str_eq(json_str(j), "signature"))
		return fail(r, false, "signatures are not verified by this "
			    "version");
	return fail(r, false, "'require' must be 'digest'");
}

static int get_image_rule(struct reader *r, const struct json *j,
			  struct policy_rule *rule)
{
	static const char *const known[] = {
		"registries", "repositories", "digests", "require",
		"max_age", "use", "action", NULL
	};
	const struct json *use = json_get(j, "use");
	bool push = false;

	rule->pull = rule->push = true;
	if (check_keys(r, j, known) < 0 ||
	    get_list(r, j, "registries", NULL, "a host", &rule->hosts) < 0 ||
	    get_list(r, j, "repositories", NULL, "a repository",
		     &rule->paths) < 0 ||
	    get_list(r, j, "digests", digest_valid, "a digest",
		     &rule->digests) < 0 ||
	    get_require(r, j, rule) < 0 ||
	    get_age(r, j, &rule->max_age) < 0 ||
	    get_word(r, j, "use", "pull", "push", &push) < 0 ||
	    get_word(r, j, "action", "allow", "deny", &rule->deny) < 0)
		return -1;
	rule->pull = !use || !push;
	rule->push = !use || push;
	return 0;
}

static int get_git_rule(struct reader *r, const struct json *j,
			struct policy_rule *rule)
{
	static const char *const known[] = { "hosts", "repositories", "urls",
					     "action", NULL };

	if (check_keys(r, j, known) < 0 ||
	    get_list(r, j, "hosts", NULL, "a host", &rule->hosts) < 0 ||
	    get_list(r, j, "repositories", NULL, "a repository",
		     &rule->paths) < 0 ||
	    get_list(r, j, "urls", NULL, "a URL", &rule->urls) < 0)
		return -1;
	return get_word(r, j, "action", "allow", "deny", &rule->deny);
}

static int get_url_rule(struct reader *r, const struct json *j,
			struct policy_rule *rule)
{
	static const char *const known[] = { "hosts", "urls", "action", NULL };

	if (check_keys(r, j, known) < 0 ||
	    get_list(r, j, "hosts", NULL, "a host", &rule->hosts) < 0 ||
	    get_list(r, j, "urls", NULL, "a URL", &rule->urls) < 0)
		return -1;
	return get_word(r, j, "action", "allow", "deny", &rule->deny);
}

/* "host/repository", with globs. */
static void image_pattern(struct policy_rule *rule, const char *text)
{
	size_t n = strcspn(text, "/");

	rule->pull = rule->push = true;
	strvec_push_own(&rule->hosts, xstrndup(text, n));
	if (text[n])
		strvec_push(&rule->paths, text + n + 1);
}

static void git_pattern(struct policy_rule *rule, const char *text)
{
	strvec_push(strstr(text, "://") ? &rule->urls : &rule->hosts, text);
}

static void url_pattern(struct policy_rule *rule, const char *text)
{
	strvec_push(&rule->urls, text);
}

struct section {
	const char *key;
	int (*rule)(struct reader *r, const struct json *j,
		    struct policy_rule *rule);
	void (*pattern)(struct policy_rule *rule, const char *text);
};

static int get_rule(struct reader *r, const struct section *s,
		    const struct json *j, struct policy_rules *out)
{
	struct policy_rule *rule;
	unsigned col;

	GROW(out->v, out->nr, out->alloc);
	rule = &out->v[out->nr++];
	*rule = (struct policy_rule){ 0 };
	locate(r, false, &rule->line, &col);
	if (json_str(j) && *json_str(j))
		s->pattern(rule, json_str(j));
	else if (json_kind(j) != JSON_OBJECT || !json_first(j))
		return fail(r, false, "a rule is a pattern or a mapping");
	else if (s->rule(r, j, rule) < 0)
		return -1;
	normalise(&rule->hosts, policy_host);
	normalise(&rule->urls, policy_name);
	return 0;
}

static int get_rules(struct reader *r, const struct section *s,
		     const struct json *top, struct policy_rules *out)
{
	const struct json *list = json_get(top, s->key), *j;
	size_t i = 0;

	if (!list)
		return 0;
	strvec_push(&r->path, s->key);
	if (json_kind(list) != JSON_ARRAY)
		return fail(r, false, "'%s' must be a list of rules", s->key);
	if (json_len(list) > POLICY_RULES_MAX)
		return fail(r, false, "more than %d rules", POLICY_RULES_MAX);
	for (j = json_first(list); j; j = json_next(j)) {
		strvec_pushf(&r->path, "%zu", i++);
		if (get_rule(r, s, j, out) < 0)
			return -1;
		strvec_pop(&r->path);
	}
	strvec_pop(&r->path);
	return 0;
}

static int get_mirrors(struct reader *r, const struct json *top,
		       struct strvec *out)
{
	const struct json *map = json_get(top, "mirrors"), *m;

	if (!map)
		return 0;
	strvec_push(&r->path, "mirrors");
	if (json_kind(map) != JSON_OBJECT)
		return fail(r, false, "'mirrors' must be a mapping");
	for (m = json_first(map); m; m = json_next(m)) {
		const char *to = json_str(m);
		cleanup_free char *name = NULL, *place = NULL;

		strvec_push(&r->path, json_key(m));
		if (!to || !*to || *to == '/' || str_ends(to, "/") ||
		    strpbrk(to, "@*?") || strpbrk(json_key(m), "=@*?"))
			return fail(r, false, "a mirror is HOST[:PORT][/PREFIX]"
				    " for HOST[:PORT][/PREFIX]");
		name = policy_name(json_key(m));
		place = policy_name(to);
		strvec_pushf(out, "%s=%s", name, place);
		strvec_pop(&r->path);
	}
	strvec_pop(&r->path);
	return 0;
}

static int read_top(struct reader *r, const struct json *top,
		    struct policy *p)
{
	static const char *const known[] = { "default", "images", "git",
					     "urls", "redirects", "mirrors",
					     NULL };
	static const struct section images = { "images", get_image_rule,
					       image_pattern };
	static const struct section git = { "git", get_git_rule, git_pattern };
	static const struct section urls = { "urls", get_url_rule,
					     url_pattern };

	if (json_kind(top) != JSON_OBJECT)
		return fail(r, false, "expected a mapping with rules");
	p->has_redirects = json_get(top, "redirects");
	if (check_keys(r, top, known) < 0 ||
	    get_word(r, top, "default", "deny", "allow", &p->allow) < 0 ||
	    get_rules(r, &images, top, &p->images) < 0 ||
	    get_rules(r, &git, top, &p->git) < 0 ||
	    get_rules(r, &urls, top, &p->urls) < 0 ||
	    get_mirrors(r, top, &p->mirrors) < 0)
		return -1;
	if (json_kind(json_get(top, "redirects")) == JSON_ARRAY &&
	    !json_len(json_get(top, "redirects")))
		return 0; /* nowhere */
	if (get_list(r, top, "redirects", NULL, "a host", &p->redirects) < 0)
		return -1;
	normalise(&p->redirects, policy_host);
	return 0;
}

int policy_parse(struct policy *p, const char *name, const char *text,
		 size_t n, struct error *err)
{
	cleanup_json struct json *top = yaml_parse(name, text, n, err);
	struct reader r = { name, text, n, STRVEC_INIT, err };
	int rc;

	if (!top)
		return -1;
	p->name = xstrdup(name);
	rc = read_top(&r, top, p);
	strvec_release(&r.path);
	if (rc < 0)
		policy_release(p);
	return rc;
}
