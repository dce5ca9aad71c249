/* probe_services.c - are the images of a plan's services in a cache? */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "cli/probe.h"
#include "cli/services.h"

static int probe_one(const struct cli_service *s, const struct cli_builder *b,
		     const struct cli_build_options *o, bool verify,
		     struct json *all, struct error *err)
{
	const char *name = json_get_str(s->entry, "name");
	cleanup_build_probe struct build_probe found = { 0 };
	const char *image;
	struct json *j;

	if (cli_probe_plan(b, o, &s->round.plan, verify, &found, err) < 0)
		return error_wrap(err, "service '%s'", name);
	log_info("service '%s': %s", name, cli_probe_status(&found));
	image = found.status == BUILD_PROBE_MISS ? NULL : found.image;
	j = json_set(all, name, json_new_object());
	json_set_str(j, "status", cli_probe_status(&found));
	json_set(j, "image", json_new_str(image && *image ? image : NULL));
	return 0;
}

int cli_probe_services(struct cli_probe *p, const struct cli_builder *b,
		       const struct cli_build_options *o, bool verify,
		       struct error *err)
{
	const struct cli_services *list = &p->round.services;
	size_t i;

	if (cli_round_ask(&p->round, err) < 0)
		return -1;
	p->services = list->nr ? json_new_object() : NULL;
	for (i = 0; i < list->nr; i++)
		if (!list->v[i].self &&
		    probe_one(&list->v[i], b, o, verify, p->services, err) < 0)
			return -1;
	return 0;
}
