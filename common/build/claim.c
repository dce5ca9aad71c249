/* claim.c - of all builds that lack a step, one runs it */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "build/slot.h"
#include "build/stage.h"
#include "store/lock.h"

static void tell(const struct build *b, size_t stage, struct build_planned *p)
{
	cleanup_strbuf struct strbuf label = STRBUF_INIT;

	if (p->awaited)
		return;
	p->awaited = true;
	plan_label(b, stage, p, &label);
	log_info("[%s] another build runs this step: waiting for it",
		 label.buf);
}

enum claim claim_step(struct slot *slot, size_t stage, struct build_planned *p,
		      struct error *err)
{
	struct schedule *s = slot->all;
	size_t cached = s->b->result->cached;
	int rc;

	/* Who does not ask the cache takes from nobody. */
	if (s->b->o->no_cache)
		return CLAIM_OURS;
	rc = store_lock_try(s->b->o->store, p->key, &slot->claim, err);
	if (!rc) {
		s->waiting = true;
		tell(s->b, stage, p);
		return CLAIM_FOREIGN;
	}
	/* It may have been made since this build looked. */
	if (rc > 0)
		rc = rescue_take(s->b, stage, p, err);
	if (!rc)
		return CLAIM_OURS;
	store_unlock(&slot->claim);
	if (rc < 0)
		return CLAIM_ERROR;
	s->display.steps -= s->b->result->cached - cached;
	return CLAIM_THERE;
}
