/* fuzz_label.c - labels of images: read, merged, written, and run by */
/* SPDX-License-Identifier: Apache-2.0 */
#include "devcontainer/metadata.h"
#include "devcontainer/run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *no_env(void *arg, const char *name)
{
	(void)arg;
	return *name == 'H' ? "${containerEnv:H}" : NULL;
}

/* What a merge always has, and what the rest of the program relies on. */
static void check_merged(const struct json *merged)
{
	static const char *const lists[] = {
		"onCreateCommands", "updateContentCommands",
		"postCreateCommands", "postStartCommands",
		"postAttachCommands",
	};
	static const char *const maps[] = { "remoteEnv", "containerEnv",
					    "portsAttributes" };

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct json *m = json_get(merged, lists[i]);

		if (json_kind(m) != JSON_ARRAY)
			abort();
		for (m = json_first(m); m; m = json_next(m)) {
			cleanup_devcontainer_hook struct devcontainer_hook h = {
				0
			};

			devcontainer_hook_get(&h, m);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		if (json_kind(json_get(merged, maps[i])) != JSON_OBJECT)
			abort();
	if (json_kind(json_get(merged, "init")) != JSON_BOOL ||
	    json_kind(json_get(merged, "privileged")) != JSON_BOOL)
		abort();
}

/* Nothing leaves this that the kernel could take for something else. */
static void check_run(const struct json *merged)
{
	cleanup_devcontainer_run struct devcontainer_run r =
		DEVCONTAINER_RUN_INIT;

	devcontainer_run_get(&r, merged);
	for (size_t i = 0; i < r.n_mounts; i++) {
		const struct devcontainer_mount *m = &r.mounts[i];

		if (*m->target != '/' ||
		    (m->type == DEVCONTAINER_BIND && *m->source != '/') ||
		    (m->type == DEVCONTAINER_VOLUME && m->source &&
		     strchr(m->source, '/')) ||
		    (m->options && strchr(m->options, '/')))
			abort();
	}
}

/* Entries that are added are found again, after those that were there. */
static void check_add(const char *text, const struct json *entries)
{
	cleanup_strvec struct strvec warnings = STRVEC_INIT;
	cleanup_strbuf struct strbuf more = STRBUF_INIT;
	cleanup_json struct json *own = json_new_array();
	cleanup_json struct json *again = NULL;

	json_set_str(json_push(own, json_new_object()), "id", "own");
	devcontainer_label_add(text, own, &more, &warnings);
	if (more.len > DEVCONTAINER_MAX)
		return;
	again = devcontainer_label_read(more.buf, &warnings);
	/* One that was full before has no room. */
	if (json_len(again) && json_len(again) != json_len(entries) + 1)
		abort();
}

static void check_label(const char *text)
{
	static const struct devcontainer_scope scope = {
		.folder = "/w",
		.mount_root = "/w",
		.config_file = "/w/.devcontainer.json",
		.env = no_env,
	};
	cleanup_strvec struct strvec warnings = STRVEC_INIT;
	cleanup_json struct json *entries =
		devcontainer_label_read(text, &warnings);
	cleanup_json struct json *config = json_first(entries)
						   ? json_dup(json_first(entries))
						   : json_new_object();
	cleanup_json struct json *merged = NULL;

	check_add(text, entries);
	if (devcontainer_entries_resolve(entries, config, &scope, NULL) < 0)
		return;
	merged = devcontainer_merge(config, entries);
	check_merged(merged);
	check_run(merged);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_add(&text, data, n);
	check_label(text.buf);
	return 0;
}
