/* fuzz_compose.c - compose files, and files of variables */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/strbuf.h"
#include "compose/compose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *get_env(void *arg, const char *name)
{
	(void)arg;
	return str_eq(name, "SET") ? "value" : NULL;
}

/* Every compose file is the input. */
static int read_file(void *text, const char *path, struct strbuf *out,
		     struct error *err)
{
	const char *dot = strrchr(path, '.');

	if (str_eq(path, "/p/.env")) {
		errno = ENOENT;
		return error_errno_code(err, ERR_INPUT, "gone");
	}
	strbuf_addstr(out, dot && str_eq(dot, ".yml") ? text : "A=1\n");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	cleanup_free char *text = xstrndup((const char *)data, n);
	struct compose_scope scope = { "/p", get_env, read_file, text };
	cleanup_compose struct compose c = COMPOSE_INIT;
	cleanup_strvec struct strvec files = STRVEC_INIT;
	cleanup_strvec struct strvec none = STRVEC_INIT;
	cleanup_strvec struct strvec order = STRVEC_INIT;
	cleanup_strvec struct strvec env = STRVEC_INIT;
	cleanup_strvec struct strvec words = STRVEC_INIT;

	strvec_push(&files, "c.yml");
	(void)!compose_dotenv("f", text, get_env, NULL, &env, NULL);
	(void)compose_words(text, &words);
	if (compose_load(&c, &files, &scope, NULL) < 0)
		return 0;
	if (compose_order(&c, &none, &order, NULL) == 0 &&
	    order.nr > json_len(json_get(c.model, "services")))
		abort();
	return 0;
}
