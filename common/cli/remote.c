/* remote.c - a build from a clone of its own, for a workspace that has one */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/tree.h"

#include "base/path.h"

int cli_context_remote(struct cli_context *c, struct cli_builder *b,
		       struct cli_round *r,
		       const struct cli_clone_options *clone, const char *url,
		       const char *dir, const struct cli_project_options *o,
		       struct error *err)
{
	struct cli_clone_options fresh = *clone;

	fresh.git_url = (char *)url;
	r->project.place = path_absolute(dir);
	if (cli_context_clone(c, b, r, &fresh, o, err) < 0)
		return -1;
	if (json_get(r->plan.config, "dockerComposeFile"))
		return error_set(err, ERR_INPUT,
				 "%s: compose files name directories of the "
				 "workspace, so that --remote-repo-build-mode "
				 "cannot build from a clone of its own",
				 url);
	record_source_get(&b->source, &r->project.record);
	cli_project_warn(&r->plan);
	return record_plan_check(&r->plan, err);
}

/* What the workspace has under the same name; takes `path`. */
static char *settled(const struct cli_context *c, const char *place, char *path)
{
	const char *below = path ? path_below(path, c->dir) : NULL;
	char *there;

	if (!below)
		return path;
	there = path_join(place, below);
	free(path);
	return there;
}

void cli_context_settle(struct cli_context *c, struct cli_round *r)
{
	struct cli_project *p = &r->project;
	struct record_plan *plan = &r->plan;
	struct record_source source;

	p->file = settled(c, p->place, p->file);
	plan->config_file = settled(c, p->place, plan->config_file);
	plan->dockerfile = settled(c, p->place, plan->dockerfile);
	plan->context = settled(c, p->place, plan->context);
	free(p->dir);
	free(p->root);
	p->dir = xstrdup(p->place);
	p->root = steal_ptr(&p->place);
	record_source_get(&source, &p->record);
	source.path = p->dir;
	record_source_set(&source, &p->record);
	cli_context_release(c);
	*c = (struct cli_context)CLI_CONTEXT_INIT;
}
