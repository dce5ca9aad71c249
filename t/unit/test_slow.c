/* test_slow.c - a MiB of anything is done with in a second */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <time.h>

#include "build/build.h"

#define SIZE (1u << 20)
#ifdef __SANITIZE_ADDRESS__
#define LIMIT 20.0 /* seconds of CPU */
#else
#define LIMIT 1.0
#endif

static double cpu(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* `first`, then `each` (may have one %u) up to SIZE bytes, then `last`. */
struct shape {
	const char *first, *each, *last;
	unsigned most; /* repeats; 0: as many as fit */
};

static void make(const struct shape *s, struct strbuf *out)
{
	const char *at = strstr(s->each, "%u");
	unsigned i;

	strbuf_addstr(out, s->first);
	for (i = 0; (!s->most || i < s->most) &&
	     out->len + strlen(s->each) + strlen(s->last) + 8 < SIZE; i++) {
		if (at)
			strbuf_addf(out, "%.*s%u%s", (int)(at - s->each),
				    s->each, i, at + 2);
		else
			strbuf_addstr(out, s->each);
	}
	strbuf_addstr(out, s->last);
}

static const struct oci_config *no_config(void *arg,
					  const struct build_base *base)
{
	(void)arg;
	(void)base;
	return NULL;
}

/* Parse, check, evaluate and lint; whether it is valid is no matter. */
static void work(const char *text, size_t n)
{
	struct oci_platform p = { .os = (char[]){ "linux" },
				  .arch = (char[]){ "amd64" } };
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_dockerfile_lint struct dockerfile_lint l = { 0 };
	cleanup_json struct json *ast = NULL;
	const struct build_eval_options o = {
		.platform = &p, .build_platform = &p, .lint = &l,
		.check = true,
	};

	if (dockerfile_parse(&df, "D", text, n, NULL) < 0)
		return;
	ast = dockerfile_to_json(&df);
	if (build_lint_begin(&l, &df, NULL, NULL) < 0)
		return;
	if (build_lint(&df, &o, NULL, no_config, NULL, NULL) < 0)
		return;
	dockerfile_lint_sort(&l);
}

static void see_time(double start, const char *what)
{
	double took = cpu() - start;

	if (getenv("SLOW_SHOW"))
		fprintf(stderr, "%.3f s: %.60s\n", took, what);
	cr_expect_lt(took, LIMIT, "%.2f s: %s", took, what);
}

static void see(const struct shape *shapes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		cleanup_strbuf struct strbuf what = STRBUF_INIT;
		double start;

		make(&shapes[i], &text);
		dockerfile_quote(&what, shapes[i].first);
		dockerfile_quote(&what, shapes[i].each);
		start = cpu();
		work(text.buf, text.len);
		see_time(start, what.buf);
	}
}
#define SEE(...) \
	do { \
		static const struct shape shapes_[] = { __VA_ARGS__ }; \
		see(shapes_, ARRAY_SIZE(shapes_)); \
	} while (0)

Test(slow, lines)
{
	SEE({ "FROM a\n", "\n", "USER b" }, { "FROM a\n", "#\n", "USER b" },
	    { "", "# check=skip=all\n", "FROM a" },
	    { "FROM a\nRUN \\\n", "\\\n", "b" },
	    { "FROM a\nRUN \\\n", "# c\n", "b" },
	    { "FROM a\nRUN \\\n", "\n", "b" }, { "FROM a\n", "USER b\n", "" },
	    { "FROM a\nRUN ", "\\\\", "" }, { "FROM a\n", "\xe2\x80\x83", "" },
	    { "FROM a\nRUN [", "\"a\",", "\"\"]" },
	    { "FROM a\nRUN ", "[", "" }, { "FROM a\nRUN ", "\"", "" },
	    { "FROM a\nCOPY [", "\"a\",", "\"/b/\"]" },
	    { "FROM a\nRUN ", "--mount=target=/a,", "" },
	    { "FROM a\nRUN ", "--mount=target=/a ", "b" },
	    { "FROM a\nRUN --mount=", "target=/a,", "id=a b" },
	    { "FROM a\nCOPY ", "--exclude=a ", "b c" },
	    { "FROM a\nRUN ", "--mount=target=/a ", "b", 1000 },
	    { "FROM a\n", "RUN --mount=target=/a b\n", "" },
	    { "FROM a\n", "ONBUILD USER b\n", "FROM a\n" },
	    { "FROM a AS b\n", "ONBUILD USER b\n", "FROM b\n" });
}

Test(slow, heredocs)
{
	SEE({ "FROM a\nRUN <<E\n", "E \n", "E\n" },
	    { "FROM a\nRUN <<-E\n", "\t", "\nE\n" },
	    { "FROM a\n", "RUN <<E\nE\n", "" },
	    { "FROM a\nRUN ", "<<E ", "" },
	    { "FROM a\nRUN ", "<<E", "" },
	    { "FROM a\nCOPY ", "<<E ", "/\n" },
	    { "FROM a\nRUN ", "1 << ", "" },
	    { "FROM a\nCOPY <<E /a\n", "$b", "\nE\n" },
	    { "FROM a\nCOPY <<E /a\n", "${b:-", "\nE\n" },
	    { "FROM a\nRUN <<'", "a", "'\nE\n" });
}

Test(slow, words)
{
	SEE({ "FROM a\nENV", " a%u=1", "" }, { "FROM a\nENV", " a=1", "" },
	    { "FROM a\nARG", " a%u", "" }, { "FROM a\n", "ARG a%u\n", "" },
	    { "FROM a\nLABEL", " a%u=1", "" },
	    { "", "ARG a%u=1\n", "FROM a\n" },
	    { "FROM a\nENV", " KEY_%u=1", "" },
	    { "FROM a\nENV a=", "\\\"", "" }, { "FROM a\nENV a=", "''", "" },
	    { "FROM a\nEXPOSE", " 8%u", "" },
	    { "FROM a\nEXPOSE", " 1-65535", "" },
	    { "FROM a\n", "EXPOSE 1-9999\n", "" },
	    { "FROM a\nVOLUME", " /%u", "" }, { "FROM a\n", "VOLUME /%u\n", "" },
	    { "FROM a\n", "ENV A_TOKEN b\n", "" },
	    { "FROM a\n", "LABEL a%u=b\n", "" });
}

Test(slow, variables)
{
	SEE({ "FROM a\nENV a=", "$b", "" },
	    { "FROM a\nENV a=", "$b%u", "" },
	    { "FROM a\nENV a=", "${b:-", "" },
	    { "FROM a\nENV a=", "${b", "" },
	    { "FROM a\nENV a=\"", "${b}", "\"" },
	    { "FROM a\nENV a=b\nENV c=", "${a:-d}", "" },
	    { "FROM a\nENV a=b\nENV c=", "${a/b/c}", "" },
	    { "FROM a\n", "USER $b%u\n", "" },
	    { "FROM a\n", "ENV a%u=$b\n", "" });
}

/* Many variables, and then many uses of one that is not there. */
Test(slow, lookups)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct shape vars = { "FROM a\n", "ARG a%u=1\n", "ENV z=", 4095 };
	double start;

	make(&vars, &text);
	while (text.len < SIZE - 8)
		strbuf_addstr(&text, "$q");
	start = cpu();
	work(text.buf, text.len);
	see_time(start, "many variables");
	strbuf_reset(&text);
	vars.each = "ENV KEYWORD%u=1\n";
	vars.last = "";
	make(&vars, &text);
	while (text.len < SIZE - 32)
		strbuf_addf(&text, "USER $KEYWORT%zu\n", text.len);
	start = cpu();
	work(text.buf, text.len);
	see_time(start, "many variables and suggestions");
}

Test(slow, stages)
{
	SEE({ "", "FROM a AS b%u\n", "", 4096 },
	    { "FROM a AS b0\n", "FROM b%u AS bb\n", "" },
	    { "", "FROM a\n", "" },
	    { "FROM a AS b\n", "FROM b AS b\n", "", 4095 },
	    { "FROM a AS b\n", "FROM b AS b\nENV a%u=1\n", "", 4095 },
	    { "FROM a AS b\nFROM a\n", "COPY --from=b c d\n", "" },
	    { "FROM a AS b\nFROM a\n", "COPY --from=q c d\n", "" });
}

/* Many variables or ports, and many steps that get a copy of them. */
Test(slow, copies)
{
	static const char *const each[][2] = {
		{ "ENV a%u=1\n", "RUN b\n" },
		{ "ARG a%u=1\n", "RUN b\n" },
		{ "ARG a%u=1\n", "FROM a\n" },
		{ "ENV a%u=1\n", "ENV b=1\n" },
		{ "EXPOSE 8%u\n", "EXPOSE 1\n" },
		{ "VOLUME /%u\n", "VOLUME /1\n" },
		{ "LABEL a%u=1\n", "LABEL b=1\n" },
		{ "ONBUILD RUN %u\n", "FROM b AS b\n" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(each); i++) {
		const struct shape first = { "FROM a AS b\n", each[i][0], "",
					     4000 };
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		double start;

		make(&first, &text);
		while (text.len < SIZE - 32)
			strbuf_addstr(&text, each[i][1]);
		start = cpu();
		work(text.buf, text.len);
		see_time(start, each[i][1]);
	}
}

/* Many stages, and many steps that name none of them. */
Test(slow, names_of_stages)
{
	static const char *const each[] = { "COPY --from=q a b\n",
					    "RUN --mount=from=q a\n" };
	const struct shape stages = { "", "FROM a AS b%u\n", "", 4096 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(each); i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		double start;

		make(&stages, &text);
		while (text.len < SIZE - 32)
			strbuf_addstr(&text, each[i]);
		start = cpu();
		work(text.buf, text.len);
		see_time(start, each[i]);
	}
}

static const char *get_a(void *arg, const char *name)
{
	return str_eq(name, "a") ? arg : NULL;
}

/* A value against a pattern, both long. */
Test(slow, patterns)
{
	static const char *const words[] = {
		"${a#%s}", "${a##%s}", "${a%%%s}", "${a%%%%%s}", "${a/%s/c}",
		"${a//%s/c}",
	};
	static const char *const parts[] = { "*a*b", "a*", "*?", "**", "?*b" };
	cleanup_free char *value = xmalloc(SIZE / 2);
	size_t i, k;

	memset(value, 'a', SIZE / 2 - 1);
	value[SIZE / 2 - 1] = '\0';
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		for (k = 0; k < ARRAY_SIZE(parts); k++) {
			const struct dockerfile_env env = { get_a, value,
							    '\\' };
			cleanup_strbuf struct strbuf pattern = STRBUF_INIT;
			cleanup_strbuf struct strbuf out = STRBUF_INIT;
			cleanup_strbuf struct strbuf word = STRBUF_INIT;
			const char *hole = strstr(words[i], "%s");
			double start;

			while (pattern.len < SIZE / 2 - 32)
				strbuf_addstr(&pattern, parts[k]);
			strbuf_addf(&word, "${a");
			strbuf_add(&word, words[i] + 3,
				   (size_t)(hole - words[i] - 3));
			strbuf_addstr(&word, pattern.buf);
			strbuf_addstr(&word, hole + 2);
			start = cpu();
			if (dockerfile_expand(&env, word.buf, &out, NULL) < 0)
				strbuf_reset(&out);
			strbuf_setlen(&word, 12);
			see_time(start, word.buf);
		}
	}
}

/* An ignore file against one path as long as paths may be. */
Test(slow, ignore_files)
{
	static const char *const parts[] = {
		"*a*a*b", "a/**/", "*/", "**/a/", "[a-b]?*", "**", "*?", "a/",
	};
	cleanup_free char *path = xmalloc(4096);
	size_t i;

	for (i = 0; i < 4095; i++)
		path[i] = i % 2 ? '/' : 'a';
	path[4095] = '\0';
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		const struct dockerfile_ignore_dir root = { NULL };
		cleanup_strbuf struct strbuf pattern = STRBUF_INIT;
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		struct dockerfile_ignore *ig = NULL;
		double start = cpu();

		while (pattern.len < 4080)
			strbuf_addstr(&pattern, parts[i]);
		while (text.len < SIZE - 5000)
			strbuf_addf(&text, "%s%zu\n", pattern.buf, text.len);
		cr_assert_eq(dockerfile_ignore_parse(&ig, "I", text.buf,
						     text.len, NULL), 0);
		dockerfile_ignored(ig, path, &root, NULL);
		dockerfile_ignore_free(ig);
		see_time(start, parts[i]);
	}
}
