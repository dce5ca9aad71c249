/* eval_epoch.c - SOURCE_DATE_EPOCH: the time that new things may carry */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "build/eval.h"

static bool is_stage(const struct build_eval *ev, const char *name)
{
	size_t i;

	for (i = 0; i < ev->cuts.nr; i++)
		if (ev->cuts.v[i].name && str_eq(ev->cuts.v[i].name, name))
			return true;
	return false;
}

int build_eval_set_epoch(struct build_eval *ev, const char **value,
			 struct error *err)
{
	const char *text = *value;
	uint64_t seconds;

	if (!text || !*text)
		return 0;
	if (str_to_u64(text, INT64_MAX, &seconds)) {
		ev->epoch = (int64_t)seconds;
		return 0;
	}
	if (str_eq(text, "context")) {
		log_warn("SOURCE_DATE_EPOCH=context: a local directory has "
			 "no time of its own, so none is set");
		*value = NULL;
		return 0;
	}
	if (!is_stage(ev, text))
		return error_set(err, ERR_USAGE,
				 "invalid SOURCE_DATE_EPOCH: %s", text);
	error_set(err, ERR_USAGE, "SOURCE_DATE_EPOCH=%s: the time of a stage "
				  "is not supported by this version", text);
	return error_hint(err, "give a number of seconds since 1970");
}

/* As buildx does, so that a build in a larger one follows it. */
static void take_environment(struct build_eval *ev)
{
	const char *value = getenv(BUILD_EPOCH);

	if (value && *value && !strvec_env_get(&ev->build_args, BUILD_EPOCH))
		strvec_env_set(&ev->build_args, BUILD_EPOCH, value);
}

int build_eval_init_epoch(struct build_eval *ev, struct error *err)
{
	const char *value;

	ev->epoch = -1;
	take_environment(ev);
	value = strvec_env_get(&ev->build_args, BUILD_EPOCH);
	if (!value)
		return 0;
	if (build_eval_set_epoch(ev, &value, err) < 0)
		return -1;
	if (!value)
		strvec_env_unset(&ev->build_args, BUILD_EPOCH);
	return 0;
}

int64_t build_eval_epoch(const struct build_eval *ev)
{
	return ev->epoch;
}
