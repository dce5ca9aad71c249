/* eval_users.c - whom Features are installed for, as the base image says */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/eval.h"
#include "devcontainer/metadata.h"
#include "feature/feature.h"

/* The last entry of the label that names one; malloc'ed or NULL. */
static char *from_label(const struct build_stage *st, const char *property)
{
	cleanup_strvec struct strvec warnings = STRVEC_INIT;
	cleanup_json struct json *entries = devcontainer_label_read(
		strvec_env_get(&st->config.labels, DEVCONTAINER_LABEL),
		&warnings);
	const char *found = NULL;
	const struct json *m;

	for (m = json_first(entries); m; m = json_next(m)) {
		const char *user = json_get_str(m, property);

		if (user && *user)
			found = user;
	}
	return xstrdup_null(found);
}

static char *image_user(const struct build_stage *st)
{
	const char *user = st->config.user;

	return xstrdup(user && *user ? user : "root");
}

/* The remote user is the container's, unless somebody says otherwise. */
static char *otherwise(const struct build_stage *st, const char *name)
{
	const char *user = NULL;

	if (str_eq(name, FEATURE_REMOTE_USER))
		user = strindex_env_get(&st->index->args, &st->args,
					FEATURE_CONTAINER_USER);
	return user ? xstrdup(user) : image_user(st);
}

char *build_eval_user(const struct build_eval *ev, const struct build_stage *st,
		      const char *name)
{
	char *user = NULL;

	if (!ev->features || st != &ev->stages[ev->target])
		return NULL;
	if (str_eq(name, FEATURE_IMAGE_USER))
		return image_user(st);
	if (str_eq(name, FEATURE_CONTAINER_USER))
		user = from_label(st, "containerUser");
	else if (str_eq(name, FEATURE_REMOTE_USER))
		user = from_label(st, "remoteUser");
	else
		return NULL;
	return user ? user : otherwise(st, name);
}
