/* ignore.c - .dockerignore: which files of a context are left out */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"
#include "dockerfile/internal.h"

#define PATTERNS_MAX 10000
#define PATTERN_MAX 4096 /* bytes: no path is longer */

struct dockerfile_ignore {
	struct ignore_pattern *v;
	size_t nr, alloc;
	bool exceptions;
};

/* A line or word, `exception` where it brings back what others leave out.
 * Returns what is wrong with it, or NULL. */
static const char *add_pattern(struct dockerfile_ignore *ig, const char *p,
			       const char *end, bool exception)
{
	cleanup_free char *text = xstrndup(p, (size_t)(end - p));
	cleanup_free char *clean = NULL;
	struct ignore_pattern *pat;

	if (end - p > PATTERN_MAX)
		return "the pattern is longer than 4096 bytes";
	clean = path_clean(text);
	if (*clean == '/' && clean[1])
		memmove(clean, clean + 1, strlen(clean));
	if (dockerfile_glob(clean, ".") < 0)
		return "syntax error in pattern";
	if (ig->nr == PATTERNS_MAX)
		return "too many patterns";
	GROW(ig->v, ig->nr, ig->alloc);
	pat = &ig->v[ig->nr++];
	*pat = (struct ignore_pattern){ .text = steal_ptr(&clean),
					.exception = exception };
	ig->exceptions |= exception;
	dockerfile_ignore_compile(pat);
	return NULL;
}

static const char *add_line(struct dockerfile_ignore *ig, const char *p,
			    const char *end)
{
	bool exception;

	dockerfile_trim(&p, &end);
	if (p == end)
		return NULL;
	exception = *p == '!';
	p += exception;
	dockerfile_trim(&p, &end);
	if (p == end)
		return "illegal exclusion pattern: \"!\"";
	return add_pattern(ig, p, end, exception);
}

static int fail(const char *name, unsigned line, const char *text,
		struct error *err)
{
	return error_set(err, ERR_INPUT, "%s:%u:1: %s", name, line, text);
}

static int parse(struct dockerfile_ignore *ig, const char *name,
		 const char *text, size_t n, struct error *err)
{
	const char *end = text + n;
	unsigned line;

	for (line = 1; text < end; line++) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		const char *eol = nl ? nl : end, *wrong = NULL;

		if (line == 1 && eol - text >= 3 &&
		    !memcmp(text, "\xef\xbb\xbf", 3))
			text += 3;
		if (memchr(text, 0, (size_t)(eol - text)))
			return fail(name, line, "NUL byte in a pattern", err);
		if (text < eol && *text != '#')
			wrong = add_line(ig, text, eol);
		if (wrong)
			return fail(name, line, wrong, err);
		text = nl ? nl + 1 : end;
	}
	return 0;
}

int dockerfile_ignore_parse(struct dockerfile_ignore **out, const char *name,
			    const char *text, size_t n, struct error *err)
{
	struct dockerfile_ignore *ig = xcalloc(1, sizeof(*ig));

	if (!text)
		n = 0;
	if ((n > DOCKERFILE_TEXT_MAX &&
	     fail(name, 1, "the file is larger than 1 MiB", err) < 0) ||
	    (n && parse(ig, name, text, n, err) < 0)) {
		dockerfile_ignore_free(ig);
		return -1;
	}
	*out = ig;
	return 0;
}

int dockerfile_ignore_words(struct dockerfile_ignore **out,
			    const struct strvec *words, struct error *err)
{
	struct dockerfile_ignore *ig = xcalloc(1, sizeof(*ig));
	size_t i;

	for (i = 0; i < words->nr; i++) {
		const char *word = words->v[i];
		const char *wrong = add_line(ig, word, word + strlen(word));

		if (!wrong)
			continue;
		dockerfile_ignore_free(ig);
		return error_set(err, ERR_INPUT, "'%s': %s", word, wrong);
	}
	*out = ig;
	return 0;
}

int dockerfile_ignore_rest(struct dockerfile_ignore **out, const char *pattern,
			   struct error *err)
{
	static const char all[] = "**";
	struct dockerfile_ignore *ig = xcalloc(1, sizeof(*ig));
	const char *wrong = add_pattern(ig, all, all + 2, false);

	if (!wrong)
		wrong = add_pattern(ig, pattern, pattern + strlen(pattern),
				    true);
	if (wrong) {
		dockerfile_ignore_free(ig);
		return error_set(err, ERR_INPUT, "'%s': %s", pattern, wrong);
	}
	*out = ig;
	return 0;
}

void dockerfile_ignore_free(struct dockerfile_ignore *ig)
{
	size_t i;

	if (!ig)
		return;
	for (i = 0; i < ig->nr; i++) {
		free(ig->v[i].text);
		free(ig->v[i].v);
	}
	free(ig->v);
	free(ig);
}

bool dockerfile_ignored(const struct dockerfile_ignore *ig, const char *path,
			const struct dockerfile_ignore_dir *parent,
			struct dockerfile_ignore_dir *sub)
{
	bool ignored = false;
	size_t i;

	if (sub)
		sub->matched = xcalloc(ig->nr + 1, 1);
	for (i = 0; i < ig->nr; i++) {
		const struct ignore_pattern *p = &ig->v[i];
		bool hit = (parent && parent->matched && parent->matched[i]) ||
			   dockerfile_ignore_match(p, path);

		if (hit)
			ignored = !p->exception;
		if (sub)
			sub->matched[i] = hit;
	}
	return ignored;
}

bool dockerfile_ignore_excepts(const struct dockerfile_ignore *ig)
{
	return ig && ig->exceptions;
}

bool dockerfile_ignore_walk(const struct dockerfile_ignore *ig,
			    const char *dir)
{
	size_t i;

	for (i = 0; ig->exceptions && i < ig->nr; i++)
		if (ig->v[i].exception && dockerfile_ignore_below(&ig->v[i], dir))
			return true;
	return false;
}
