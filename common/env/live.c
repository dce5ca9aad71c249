/* live.c - lifecycle commands of an environment that runs already */
/* SPDX-License-Identifier: Apache-2.0 */
#include "env/internal.h"

/* Who else works on it may have run some since it was looked at. */
static int run_due(struct env *e, const char **end, struct error *err)
{
	cleanup_close int lock = state_lock(e, false, err);

	if (lock < 0 || state_read(e, err) < 0)
		return -1;
	json_free(e->config);
	e->config = NULL;
	if (json_kind(json_get(e->state, "config")) != JSON_OBJECT)
		return error_set(err, ERR_USAGE, "the environment '%s' has no "
				 "configuration", e->name);
	e->config = json_dup(json_get(e->state, "config"));
	*end = hooks_end(e);
	return hooks_run(e, err);
}

int env_live(struct env *e, const struct env_life *life, const char **end,
	     struct error *err)
{
	int rc;

	e->life = life;
	rc = run_due(e, end, err);
	e->life = NULL;
	return rc;
}
