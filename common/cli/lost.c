/* lost.c - a build whose cache did not keep its promise is done once more */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/lost.h"

#include "base/log.h"
#include "build/lost.h"

bool cli_build_lost(struct cli_builder *b, const struct build_result *result,
		    const struct error *why)
{
	cleanup_error struct error err = ERROR_INIT;
	enum build_lost lost = LOST_NOTHING;

	if (!b->alone)
		lost = build_forget_lost(b->store, &b->registry,
					 &b->registry_options, result, &err);
	if (lost == LOST_ERROR)
		log_warn("a step cannot be forgotten: %s", err.msg);
	if (lost == LOST_FORGOTTEN)
		log_warn("what a step cache promised is not to be had, so it "
			 "is made again%s%s", why ? ": " : "",
			 why ? why->msg : "");
	b->alone = b->alone || lost == LOST_FORGOTTEN;
	/* What came at a second try may do now. */
	return lost == LOST_FORGOTTEN || (why && lost == LOST_FETCHED);
}
