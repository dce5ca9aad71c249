/* round.c - from a tree to its image at work */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/round.h"

void cmd_round_release(struct cmd_round *r)
{
	cmd_project_release(&r->project);
	record_plan_release(&r->plan);
	build_result_release(&r->result);
}

int cmd_round_plan(struct cmd_round *r, const struct strvec *words,
		   const struct cmd_project_options *o, struct error *err)
{
	if (cmd_project_find(&r->project, words, o, err) < 0 ||
	    cmd_project_plan(&r->project, o, &r->plan, err) < 0)
		return -1;
	cmd_project_warn(&r->plan);
	return record_plan_check(&r->plan, err);
}

int cmd_round_build(struct cmd_round *r, struct cmd_builder *b,
		    const struct cmd_build_options *o, struct error *err)
{
	if (cmd_build_plan(b, o, &r->plan, &r->result, err) < 0)
		return -1;
	return build_fetch_layers(b->store, &b->registry,
				  &b->registry_options, &r->result.image,
				  err);
}

void cmd_round_launch(struct cmd_round *r, struct cmd_launch *l)
{
	record_plan_set(&r->plan, &r->project.record);
	l->image = &r->result.image;
	l->record = &r->project.record;
	l->workspace = r->project.dir;
	l->mount_root = r->project.root;
	l->environment = true;
}
