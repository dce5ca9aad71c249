/* source_epoch.c - SOURCE_DATE_EPOCH as the time of what is fetched */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "build/source.h"

#define TIME_MAX 253402300799ll /* the year 9999 */

/* -1: it has none. */
static int time_of(struct build *b, const struct build_remote *r,
		   int64_t *when, struct error *err)
{
	struct source_state *s;
	struct source_view view;

	if (source_remote_open(b, r, &view, err) < 0)
		return -1;
	source_close(b, &view);
	if (source_remote_find(b, r, &s, err) < 0)
		return -1;
	*when = s->time;
	return 0;
}

int source_epoch(struct build *b, struct error *err)
{
	const struct build_remote *source;
	int64_t when = b->o->context_time;
	const char *name;

	if (build_eval_epoch_from(b->ev, &name, &source, err) < 0)
		return -1;
	if (!name)
		return 0;
	if (source && time_of(b, source, &when, err) < 0)
		return error_wrap(err, "SOURCE_DATE_EPOCH=%s", name);
	if (!source && !str_eq(name, "context"))
		when = 0;
	if (when > 0 && when <= TIME_MAX) {
		build_eval_set_time(b->ev, when);
		return 0;
	}
	log_warn("SOURCE_DATE_EPOCH=%s: %s has no time of its own, so none is "
		 "set", name, source ? source->url : "a local directory");
	return 0;
}
