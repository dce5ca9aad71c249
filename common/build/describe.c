/* describe.c - the configuration an image will have, without building it */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/build.h"

struct describe {
	const struct build_options *o;
	struct registry **registry;
	struct build_eval *ev;
	struct store_image image; /* the newest base */
};

static void describe_release(struct describe *d)
{
	build_eval_free(d->ev);
	store_image_release(&d->image);
}

/* The configuration a stage stands on, NULL for scratch. */
static int find_base(struct describe *d, const struct build_base *base,
		     const struct oci_config **out, struct error *err)
{
	const struct build_options *o = d->o;

	*out = NULL;
	if (base->kind == BASE_STAGE)
		*out = build_eval_config(d->ev, base->stage);
	if (base->kind != BASE_IMAGE)
		return 0;
	store_image_release(&d->image);
	if (build_find_image(o->store, d->registry, o->registry, base->image,
			     base->platform, o->pull, &d->image, err) < 0) {
		if (err && err->code != ERR_SYSTEM)
			error_wrap(err, "%s:%u:1", o->name, base->line);
		return -1;
	}
	*out = &d->image.config;
	return 0;
}

static int evaluate(struct describe *d, size_t stage, struct error *err)
{
	const struct oci_config *base;
	struct build_base on;
	int r = 1;

	build_eval_base(d->ev, stage, &on);
	if (find_base(d, &on, &base, err) < 0 ||
	    build_eval_begin(d->ev, stage, base, err) < 0)
		return -1;
	while (r > 0) {
		cleanup_build_step struct build_step step = { 0 };

		r = build_eval_next(d->ev, stage, &step, err);
	}
	return r;
}

/* The stages from the target down to its base image. */
static int evaluate_chain(struct describe *d, size_t target,
			  struct error *err)
{
	cleanup_free bool *wanted =
		xcalloc(build_eval_count(d->ev), sizeof(*wanted));
	struct build_base on = { .kind = BASE_STAGE, .stage = target };
	size_t i;

	while (on.kind == BASE_STAGE) {
		i = on.stage;
		wanted[i] = true;
		build_eval_base(d->ev, i, &on);
	}
	/* A stage stands on earlier ones only. */
	for (i = 0; i <= target; i++)
		if (wanted[i] && evaluate(d, i, err) < 0)
			return -1;
	return 0;
}

int build_describe_target(const struct build_options *o,
			  struct registry **registry, struct oci_config *out,
			  struct error *err)
{
	CLEANUP(describe_release) struct describe d = { o, registry };
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_oci_platform struct oci_platform host = { 0 };
	struct build_eval_options eo = { .build_args = o->args,
					 .target = o->target,
					 .platform = &o->platform,
					 .build_platform = &host,
					 .named = o->named };
	size_t target;

	oci_platform_host(&host);
	if (dockerfile_parse(&df, o->name, o->text, o->text_len, err) < 0 ||
	    build_eval_new(&d.ev, &df, &eo, err) < 0)
		return -1;
	target = build_eval_target(d.ev);
	if (evaluate_chain(&d, target, err) < 0)
		return -1;
	oci_config_copy(out, build_eval_config(d.ev, target));
	return 0;
}
