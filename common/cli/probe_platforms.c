/* probe_platforms.c - a probe for all platforms of a build */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/multi.h"
#include "cli/probe.h"

const char *cli_probe_status(const struct build_probe *found)
{
	if (found->status == BUILD_PROBE_NOTHING)
		return "nothing-to-build";
	return found->status == BUILD_PROBE_HIT ? "hit" : "miss";
}

/* What is told of all: one that is missed, else one that was built, else what
 * is an image as it came. */
static bool counts_more(const struct build_probe *a,
			const struct build_probe *b)
{
	static const int rank[] = {
		[BUILD_PROBE_NOTHING] = 0,
		[BUILD_PROBE_HIT] = 1,
		[BUILD_PROBE_MISS] = 2,
	};

	return rank[a->status] > rank[b->status];
}

static const struct build_probe *choose(const struct cli_probe *p, size_t own)
{
	const struct build_probe *found = &p->v[own].found;
	size_t i;

	if (found->status == BUILD_PROBE_MISS)
		found = &p->v[0].found;
	for (i = 0; i < p->nr; i++)
		if (counts_more(&p->v[i].found, found))
			found = &p->v[i].found;
	return found;
}

int cli_probe_all(struct cli_probe *p, const struct cli_builder *b,
		  const struct cli_build_options *o, bool verify,
		  struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	struct record_plan one = p->round.plan;
	bool several = cli_multi_wanted(&one);
	size_t n = 1;

	if (several && cli_platforms(&names, &one, err) < 0)
		return -1;
	if (several)
		n = names.nr;
	p->v = xcalloc(n, sizeof(*p->v));
	while (p->nr < n) {
		struct cli_probed *at = &p->v[p->nr++];

		if (several)
			one.platform = at->platform =
				xstrdup(names.v[p->nr - 1]);
		if (cli_probe_plan(b, o, &one, verify, &at->found, err) == 0)
			continue;
		return several ? error_wrap(err, "%s", at->platform) : -1;
	}
	p->found = choose(p, several ? cli_platforms_own(&names) : 0);
	return 0;
}

struct json *cli_probe_platforms(const struct cli_probe *p)
{
	struct json *list;
	size_t i;

	if (!p->nr || !p->v[0].platform)
		return NULL;
	list = json_new_array();
	for (i = 0; i < p->nr; i++) {
		const struct build_probe *f = &p->v[i].found;
		bool miss = f->status == BUILD_PROBE_MISS;
		struct json *j = json_push(list, json_new_object());

		json_set_str(j, "platform", p->v[i].platform);
		json_set_str(j, "status", cli_probe_status(f));
		json_set(j, "image", json_new_str(miss ? NULL : f->image));
		json_set(j, "digest",
			 json_new_str(miss || !*f->digest ? NULL : f->digest));
	}
	return list;
}
