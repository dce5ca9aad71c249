/* template.h - Dev Container Templates: options and their values in files */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVCONTAINER_TEMPLATE_H
#define DEVCONTAINER_TEMPLATE_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "wrap/json.h"

#define DEVCONTAINER_TEMPLATE_FILE "devcontainer-template.json"
#define DEVCONTAINER_TEMPLATE_VALUE_MAX 65536 /* bytes of an option */
#define DEVCONTAINER_TEMPLATE_OPTIONS_MAX 256 /* each is looked up linearly */

/*
 * The value of every option that devcontainer-template.json declares, as
 * "KEY=VALUE": what was given ("KEY=VALUE" each), else its default. ERR_USAGE
 * for an option there is not, a value that is not among its `enum`, a boolean
 * that is neither true nor false, and one without any value.
 */
int devcontainer_template_values(const struct json *metadata,
				 const struct strvec *given,
				 struct strvec *values, struct error *err)
	MUST_CHECK;
/*
 * Append a file's text with each ${templateOption:NAME} replaced; one that is
 * not declared leaves nothing, as with the Dev Container CLI, and its name
 * goes to `unknown`, once. ERR_INPUT: it is longer than `max` then, or there
 * are more than DEVCONTAINER_TEMPLATE_OPTIONS_MAX of those.
 */
int devcontainer_template_fill(const char *text, size_t n,
			       const struct strvec *values,
			       struct strvec *unknown, size_t max,
			       struct strbuf *out, struct error *err)
	MUST_CHECK;
/* Is a path left out by "dir/" and a star, or by its own name? */
bool devcontainer_template_omits(const struct strvec *omit, const char *path);

#endif
