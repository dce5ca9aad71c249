/* fuzz_expand.c - a word or heredoc body to expand, and variables below it */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dockerfile/dockerfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *get(void *arg, const char *name)
{
	return strvec_env_get(arg, name);
}

/* A name is told as unset only when it is. */
static void unset(void *arg, const char *name)
{
	if (strvec_env_get(arg, name))
		abort();
}

static void check_error(const struct error *err)
{
	if (err->code != ERR_INPUT ||
	    !str_starts(err->msg, "failed to process \""))
		abort();
}

static void expand(const struct dockerfile_env *env, const char *text)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_error struct error err = ERROR_INIT;

	if (dockerfile_expand(env, text, &out, &err) < 0)
		check_error(&err);
	else if (out.len > DOCKERFILE_WORD_MAX)
		abort();
	else if (!strpbrk(text, "$'\"\\`") && !str_eq(out.buf, text))
		abort();
}

static void expand_words(const struct dockerfile_env *env, const char *text)
{
	cleanup_strvec struct strvec words = STRVEC_INIT;
	cleanup_error struct error err = ERROR_INIT;
	size_t i;

	if (dockerfile_expand_words(env, text, &words, &err) < 0)
		check_error(&err);
	for (i = 0; i < words.nr; i++)
		if (!*words.v[i])
			abort();
}

static void expand_heredoc(const struct dockerfile_env *env, const char *text)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_error struct error err = ERROR_INIT;

	if (dockerfile_expand_heredoc(env, text, &out, &err) < 0)
		check_error(&err);
	else if (!strpbrk(text, "$\\`") && !str_eq(out.buf, text))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *text = xstrndup((const char *)data, size);
	cleanup_strvec struct strvec vars = STRVEC_INIT;
	struct dockerfile_env env = { .get = get, .unset = unset,
				      .arg = &vars };
	char *below = strstr(text, "\n\n");

	if (below) {
		*below = '\0';
		strvec_split(&vars, below + 2, "\n");
	}
	for (env.escape = '\\'; env.escape; env.escape =
	     env.escape == '\\' ? '`' : '\0') {
		expand(&env, text);
		expand_words(&env, text);
		expand_heredoc(&env, text);
	}
	return 0;
}
