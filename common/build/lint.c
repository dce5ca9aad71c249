/* lint.c - the checks of a Dockerfile as a build has them */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "build/stage.h"

int build_lint_begin(struct dockerfile_lint *l, const struct dockerfile *df,
		     const struct strvec *args, struct error *err)
{
	static const char name[] = "BUILDKIT_DOCKERFILE_CHECK";
	const char *value = args ? strvec_env_get(args, name) : NULL;

	if (!value && args && strvec_has(args, name))
		value = getenv(name);
	if (dockerfile_lint_init(l, df, value, err) < 0)
		return error_wrap(err, "%s", name);
	return 0;
}

static void warn(void *arg, const struct dockerfile_finding *f)
{
	const struct dockerfile_lint *l = arg;

	log_warn("%s:%u: %s: %s", l->df->name, f->line, f->rule, f->message);
}

void lint_warn(struct dockerfile_lint *l)
{
	l->found = warn;
	l->arg = l;
}
