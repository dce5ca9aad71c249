/* lost.h - a build whose cache did not keep its promise is done once more */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_LOST_H
#define CLI_LOST_H

#include "cli/cli.h"

/*
 * What was done with a result failed because of `why` (NULL: it has not been
 * done). Is it that a step cache promised layers that were not to be had? Then
 * they are here now, or their steps are forgotten, with a warning, and the
 * builder is `alone`: build once more.
 */
bool cli_build_lost(struct cli_builder *b, const struct build_result *result,
		    const struct error *why);

#endif
