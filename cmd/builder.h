/* builder.h - building a plan, as several commands do it */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_BUILDER_H
#define CMD_BUILDER_H

#include "base/opt.h"
#include "build/build.h"
#include "cmd/registry-options.h"
#include "record/record.h"

struct cmd_build_options {
	bool no_cache, pull;
	int network;
	struct strvec labels;
};
extern const struct opt cmd_build_rows[];

/* What a build needs around it. */
struct cmd_builder {
	struct store *store;
	enum runtime_mode mode;
	struct registry *registry; /* made when needed */
	struct registry_options registry_options;
};
void cmd_builder_release(struct cmd_builder *b);
#define cleanup_cmd_builder CLEANUP(cmd_builder_release)

/* Build what a plan says. */
int cmd_build_plan(const struct cmd_builder *b,
		   const struct cmd_build_options *o,
		   const struct record_plan *plan, struct build_result *result,
		   struct error *err) MUST_CHECK;
/* Name the image in the store: each tag, or none (then by its id). */
int cmd_build_name(const struct cmd_builder *b, const struct strvec *tags,
		   struct store_image *image, struct error *err) MUST_CHECK;
/* Section "image" with its steps. */
void cmd_build_record(struct record *r, const struct build_result *result);

#endif
