/* round.c - from a tree to its image at work */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/lost.h"
#include "cli/services.h"

void cli_round_release(struct cli_round *r)
{
	cli_project_release(&r->project);
	record_plan_release(&r->plan);
	build_result_release(&r->result);
	cli_services_release(&r->services);
}

int cli_round_plan(struct cli_round *r, const struct strvec *words,
		   const struct cli_project_options *o, struct error *err)
{
	if (cli_project_find(&r->project, words, o, err) < 0 ||
	    cli_project_plan(&r->project, o, &r->plan, err) < 0)
		return -1;
	cli_project_warn(&r->plan);
	return record_plan_check(&r->plan, err);
}

static int build(struct cli_round *r, struct cli_builder *b,
		 const struct cli_build_options *o, struct error *err)
{
	if (cli_build_plan(b, o, &r->plan, &r->result, err) < 0)
		return -1;
	return build_fetch_layers(b->store, &b->registry,
				  &b->registry_options, &r->result.image,
				  err);
}

int cli_round_build(struct cli_round *r, struct cli_builder *b,
		    const struct cli_build_options *o, struct error *err)
{
	cleanup_error struct error why = ERROR_INIT;
	int rc;

	if (build(r, b, o, &why) == 0)
		return 0;
	if (!cli_build_lost(b, &r->result, &why))
		return error_move(err, &why);
	build_result_release(&r->result);
	r->result = (struct build_result){ 0 };
	rc = build(r, b, o, err);
	b->alone = false;
	return rc;
}

void cli_round_launch(struct cli_round *r, struct cli_launch *l)
{
	record_plan_set(&r->plan, &r->project.record);
	l->image = &r->result.image;
	l->record = &r->project.record;
	l->workspace = r->project.dir;
	l->mount_root = r->project.root;
	l->labels = r->project.labels;
	l->environment = true;
	l->services = &r->services;
}
