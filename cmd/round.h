/* round.h - from a tree to its image at work, as up and iterate go through it */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_ROUND_H
#define CMD_ROUND_H

#include "cmd/builder.h"
#include "cmd/launch.h"
#include "cmd/project.h"

/* One way from words to an image whose layers are unpacked. */
struct cmd_round {
	struct cmd_project project;
	struct record_plan plan;
	struct build_result result;
};
void cmd_round_release(struct cmd_round *r);
#define cleanup_cmd_round CLEANUP(cmd_round_release)

/* Find and plan; a record that the project has keeps its sections. */
int cmd_round_plan(struct cmd_round *r, const struct strvec *words,
		   const struct cmd_project_options *o, struct error *err)
	MUST_CHECK;
int cmd_round_build(struct cmd_round *r, struct cmd_builder *b,
		    const struct cmd_build_options *o, struct error *err)
	MUST_CHECK;
/* The workspace of the plan, and the record that a launch reads. */
void cmd_round_launch(struct cmd_round *r, struct cmd_launch *l);

#endif
