/* names.h - variables of envbuilder's that are no options here */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_NAMES_H
#define CLI_NAMES_H

#include "base/opt.h"
#include "base/strvec.h"

/*
 * Warn of each ENVBUILDER_* variable that is set, is no option of the `n`
 * tables and would change what happens, and of Coder's, of which nothing comes
 * but what `env` (the values of --env) hands on.
 */
void cli_names_warn(const struct opt *const *tables, size_t n,
		    const struct strvec *env);

/* For an up of nothing that was named: say so where the names without prefix
 * are set, as envbuilder had them before. */
void cli_names_warn_old(const struct opt *const *tables, size_t n);

#endif
