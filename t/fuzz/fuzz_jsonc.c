/* fuzz_jsonc.c - whatever is accepted survives being written and read */
/* SPDX-License-Identifier: Apache-2.0 */
#include "devcontainer/feature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *no_env(void *arg, const char *name)
{
	(void)arg;
	return *name == 'H' ? "${localEnv:H}" : NULL;
}

/* Every value that was read has a place in the text. */
static void check_places(const char *text, size_t n, struct json *j,
			 struct strvec *path)
{
	unsigned line = 0, col = 0;
	size_t i = 0;

	if (path->nr > 3)
		return; /* finding a place reads the whole text */
	if (!jsonc_locate(text, n, path, false, &line, &col) || !line || !col)
		abort();
	for (struct json *m = json_first(j); m && i < 8; m = json_next(m)) {
		if (json_key(m))
			strvec_push(path, json_key(m));
		else
			strvec_pushf(path, "%zu", i);
		i++;
		check_places(text, n, m, path);
		strvec_pop(path);
	}
}

static void check_round_trip(const char *text, size_t n)
{
	cleanup_json struct json *j = jsonc_parse("f", text, n, NULL);
	cleanup_json struct json *again = NULL;
	cleanup_strvec struct strvec path = STRVEC_INIT;
	cleanup_strbuf struct strbuf one = STRBUF_INIT;
	cleanup_strbuf struct strbuf two = STRBUF_INIT;

	if (!j)
		return;
	check_places(text, n, j, &path);
	json_write(&one, j, false);
	again = json_parse("f", one.buf, one.len, NULL);
	if (!again)
		abort();
	json_write(&two, again, false);
	if (one.len != two.len || memcmp(one.buf, two.buf, one.len))
		abort();
}

static void check_config(const char *text, size_t n)
{
	static const struct devcontainer_scope scope = {
		.folder = "/w",
		.mount_root = "/w",
		.config_file = "/w/.devcontainer.json",
		.env = no_env,
	};
	cleanup_devcontainer struct devcontainer dc = DEVCONTAINER_INIT;
	cleanup_devcontainer_build struct devcontainer_build b =
		DEVCONTAINER_BUILD_INIT;
	cleanup_json struct json *config = NULL;

	if (devcontainer_parse(&dc, "f", text, n, NULL) < 0)
		return;
	config = devcontainer_resolve(&dc, &scope, NULL);
	if (!config ||
	    devcontainer_build_get(&b, &dc, config, &scope, NULL, NULL) < 0)
		return;
	if (b.dockerfile && strncmp(b.dockerfile, "/w", 2))
		abort();
	for (size_t i = 0; devcontainer_hooks[i]; i++) {
		cleanup_devcontainer_hook struct devcontainer_hook h = { 0 };

		devcontainer_hook_get(&h, json_get(config,
						   devcontainer_hooks[i]));
	}
}

/* As they are written, where the last one of a name counts. */
static bool is_same(const struct json *a, const struct json *b)
{
	cleanup_strbuf struct strbuf one = STRBUF_INIT, two = STRBUF_INIT;

	json_write(&one, a, false);
	json_write(&two, b, false);
	return str_eq(one.buf, two.buf);
}

/* A Feature that is put in is there, and nothing else has changed. */
static void check_edit(const char *text, size_t n)
{
	cleanup_json struct json *j = jsonc_parse("f", text, n, NULL);
	cleanup_json struct json *again = NULL;
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;
	const struct json *features;

	if (json_kind(j) != JSON_OBJECT)
		return;
	strbuf_add(&sb, text, n);
	devcontainer_add_feature(&sb, "a/b:1", NULL);
	again = jsonc_parse("f", sb.buf, sb.len, NULL);
	features = json_get(again, "features");
	if (!json_get(features, "a/b:1"))
		abort();
	for (const struct json *m = json_first(j); m; m = json_next(m))
		if (strcmp(json_key(m), "features") != 0 &&
		    !is_same(json_get(j, json_key(m)),
			     json_get(again, json_key(m))))
			abort();
	for (const struct json *m = json_first(json_get(j, "features")); m;
	     m = json_next(m))
		if (json_key(m) && !json_get(features, json_key(m)))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	check_edit((const char *)data, n);
	check_round_trip((const char *)data, n);
	check_config((const char *)data, n);
	return 0;
}
