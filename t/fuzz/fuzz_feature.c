/* fuzz_feature.c - metadata of Features, their names, options and lockfiles */
/* SPDX-License-Identifier: Apache-2.0 */
#include "devcontainer/feature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char folder[] = "/w/.devcontainer", root[] = "/w";
static const struct devcontainer_feature_place place = { folder, folder, root };

/* What a name may refer to stays where it may be. */
static void check_name(const char *text)
{
	cleanup_devcontainer_feature_ref struct devcontainer_feature_ref ref;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	devcontainer_option_name(text, &out);
	for (size_t i = 0; i < out.len; i++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_",
			    out.buf[i]))
			abort();
	if (devcontainer_feature_ref_parse(&ref, text, &place, NULL) < 0)
		return;
	if (!ref.id || !*ref.id)
		abort();
	if (ref.dir && strncmp(ref.dir, folder, sizeof(folder) - 1))
		abort();
}

/* Every Feature is the one of the input, whatever its name is. */
struct world {
	const char *text;
	size_t n;
};

static int find(void *arg, struct devcontainer_feature *f, struct error *err)
{
	const struct world *w = arg;
	cleanup_strvec struct strvec notes = STRVEC_INIT;

	digest_bytes(f->ref.id, strlen(f->ref.id), f->digest);
	return devcontainer_feature_parse(&f->metadata, "f", w->text, w->n,
					  &notes, err);
}

static void peek(void *arg, struct devcontainer_feature *f)
{
	if (find(arg, f, NULL) < 0)
		abort(); /* those before it were found */
}

static void check_result(const struct devcontainer_features *list)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_devcontainer_lock struct devcontainer_lock lock =
		DEVCONTAINER_LOCK_INIT;

	for (size_t i = 0; i < list->nr; i++) {
		cleanup_strvec struct strvec env = STRVEC_INIT;
		cleanup_strvec struct strvec notes = STRVEC_INIT;
		struct json *entry = devcontainer_feature_entry(&list->v[i]);

		json_free(entry);
		devcontainer_feature_env(&list->v[i], &env, &notes);
	}
	devcontainer_lock_write(list, &text);
	if (devcontainer_lock_parse(&lock, "l", text.buf, text.len, NULL) < 0 ||
	    !devcontainer_lock_matches(&lock, &text))
		abort();
}

static void check_order(const char *text, size_t n)
{
	struct world w = { text, n };
	const struct devcontainer_feature_finder finder = { find, peek, &w };
	cleanup_devcontainer_features struct devcontainer_features list = { 0 };
	static const char wanted[] = "[{\"id\":\"./a\"},{\"id\":\"a.b/c/d:1\"},"
				     "{\"id\":\"a.b/c/e\",\"options\":\"x\"}]";
	cleanup_json struct json *asked =
		json_parse("w", wanted, sizeof(wanted) - 1, NULL);
	cleanup_json struct json *override = jsonc_parse("o", text, n, NULL);

	if (devcontainer_features_order(&list, asked,
					json_get(override, "installsAfter"),
					&place, &finder, NULL) == 0)
		check_result(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	cleanup_devcontainer_lock struct devcontainer_lock lock =
		DEVCONTAINER_LOCK_INIT;
	cleanup_free char *text = xstrndup((const char *)data, n);

	check_name(text);
	check_order((const char *)data, n);
	if (devcontainer_lock_parse(&lock, "l", (const char *)data, n, NULL) ==
	    0)
		devcontainer_lock_get(&lock, "a");
	return 0;
}
