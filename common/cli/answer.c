/* answer.c - JSON as callers of the Dev Container CLI read it */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/compat.h"

#include "cli/merged.h"
#include "devcontainer/devcontainer.h"

int cli_answer(struct json *j, struct error *err)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;

	json_write_unsorted(&line, j, false);
	json_free(j);
	strbuf_rtrim(&line);
	strbuf_addch(&line, '\n');
	return cli_write(NULL, &line, err);
}

void cli_answer_failed(struct store *s, const char *name,
		       const struct error *err)
{
	struct json *j = json_new_object();

	json_set_str(j, "outcome", "error");
	json_set_str(j, "message", err->msg);
	json_set_str(j, "description", err->hint ? err->hint : "");
	if (s && name && env_exists(s, name))
		json_set_str(j, "containerId", name);
	(void)!cli_answer(j, NULL);
}

int cli_answer_built(const struct strvec *tags, const char *id,
		     struct error *err)
{
	struct json *j = json_new_object();
	struct json *names;

	json_set_str(j, "outcome", "success");
	names = json_set(j, "imageName", json_new_array());
	for (size_t i = 0; i < tags->nr; i++)
		json_push(names, json_new_str(tags->v[i]));
	if (!tags->nr)
		json_push(names, json_new_str(id));
	return cli_answer(j, err);
}

/* Where it was read, as the other tool's library writes a file's address. */
static void put_address(const struct cli_project *p, struct json *config)
{
	struct json *j;

	if (!p->file || p->kind != RECORD_DEVCONTAINER)
		return;
	j = json_set(config, "configFilePath", json_new_object());
	json_set_int(j, "$mid", 1);
	json_set_str(j, "fsPath", p->file);
	json_set_str(j, "path", p->file);
	json_set_str(j, "scheme", "vscode-fileHost");
}

int cli_answer_config(const struct cli_project *p, struct json *out,
		      struct error *err)
{
	struct json *config = cli_project_config(p, err);

	if (!config)
		return -1;
	json_set(out, "configuration", config);
	put_address(p, config);
	return 0;
}

static const char *lookup(void *vars, const char *name)
{
	return strvec_env_get(vars, name);
}

int cli_answer_replace(struct json *config, const struct env_info *e,
		       struct error *err)
{
	struct strvec env = e->env;

	return devcontainer_container_env(config, lookup, &env, err);
}

void cli_answer_merged(const struct cli_project *p, struct json *merged,
		       struct json *out)
{
	put_address(p, merged);
	json_set(out, "mergedConfiguration", merged);
}

static int add_configurations(const struct cli_editor *e,
			      const struct cli_project *p,
			      const struct cli_launch *l, struct json *out,
			      struct error *err)
{
	cleanup_env_info struct env_info info = { 0 };
	struct json *merged;

	if (env_look(l->b->store, l->name, &info, err) < 0)
		return -1;
	if (e->configuration && p->kind == RECORD_DEVCONTAINER &&
	    (cli_answer_config(p, out, err) < 0 ||
	     cli_answer_replace(json_get(out, "configuration"), &info, err) <
		     0))
		return -1;
	if (!e->merged)
		return 0;
	merged = cli_merge_launch(l, err);
	if (!merged)
		return -1;
	cli_answer_merged(p, merged, out);
	return cli_answer_replace(merged, &info, err);
}

int cli_answer_up(const struct cli_editor *e, const struct cli_project *p,
		  const struct cli_launch *l, const struct json *environment,
		  struct error *err)
{
	cleanup_json struct json *j = json_new_object();

	json_set_str(j, "outcome", "success");
	json_set_str(j, "containerId", l->name);
	json_set_str(j, "remoteUser", json_get_str(environment, "user"));
	json_set_str(j, "remoteWorkspaceFolder",
		     json_get_str(environment, "workspace"));
	if ((e->configuration || e->merged) &&
	    add_configurations(e, p, l, j, err) < 0)
		return -1;
	return cli_answer(steal_ptr(&j), err);
}
