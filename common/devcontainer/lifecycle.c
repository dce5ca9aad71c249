/* lifecycle.c - users, environment and commands of a configuration */
/* SPDX-License-Identifier: Apache-2.0 */
#include "devcontainer/devcontainer.h"

const char *const devcontainer_hooks[] = {
	"initializeCommand", "onCreateCommand",	 "updateContentCommand",
	"postCreateCommand", "postStartCommand", "postAttachCommand",
	NULL,
};

const char *devcontainer_user(const struct json *config)
{
	const char *remote = json_get_str(config, "remoteUser");
	const char *container = json_get_str(config, "containerUser");

	/* An empty name counts as none. */
	if (remote && *remote)
		return remote;
	return container && *container ? container : NULL;
}

void devcontainer_env(const struct json *config, const char *property,
		      struct strvec *out, struct strvec *unset)
{
	const struct json *m = json_first(json_get(config, property));

	for (; m; m = json_next(m)) {
		if (json_str(m))
			strvec_env_set(out, json_key(m), json_str(m));
		else if (unset)
			strvec_push(unset, json_key(m));
	}
}

void devcontainer_hook_release(struct devcontainer_hook *h)
{
	for (size_t i = 0; i < h->nr; i++) {
		free(h->v[i].name);
		strvec_release(&h->v[i].argv);
	}
	free(h->v);
	*h = (struct devcontainer_hook){ 0 };
}

static void add_command(struct devcontainer_hook *h, const char *name,
			const struct json *j)
{
	struct devcontainer_command *c = &h->v[h->nr];
	const char *script = json_str(j);

	if (script ? !script[strspn(script, " \t\r\n")] : !json_len(j))
		return;
	*c = (struct devcontainer_command){ .name = xstrdup_null(name),
					    .shell = script != NULL };
	json_get_strings(j, &c->argv);
	h->nr++;
}

void devcontainer_hook_get(struct devcontainer_hook *h, const struct json *j)
{
	bool object = json_kind(j) == JSON_OBJECT;

	*h = (struct devcontainer_hook){ 0 };
	if (!j)
		return;
	h->v = xcalloc(object ? json_len(j) + 1 : 1, sizeof(*h->v));
	if (!object) {
		add_command(h, NULL, j);
		return;
	}
	for (const struct json *m = json_first(j); m; m = json_next(m))
		if (json_get(j, json_key(m)) == m) /* the last of its name */
			add_command(h, json_key(m), m);
}
