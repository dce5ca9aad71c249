/* pull.c - devenv pull: an image of a registry into the store */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/build.h"
#include "cli/cli.h"
#include "cmd/cmd.h"

struct options {
	struct cli_registry registry;
	struct cli_platform platform;
	bool all;
};

static const struct opt rows[] = {
	{ OPT_BOOL, 0, "all-platforms", NULL, NULL,
	  "all images of an index, and what else it names",
	  offsetof(struct options, all) },
	{ OPT_END },
};

static const struct cmd_table tables[] = {
	{ rows, 0 },
	{ cli_platform_rows, offsetof(struct options, platform) },
	{ cli_registry_rows, offsetof(struct options, registry) },
	{ 0 },
};

static int fetch_layers(struct store *s, struct registry *r,
			const struct oci_ref *ref,
			const struct store_image *image, struct error *err)
{
	cleanup_free struct oci_descriptor *list =
		xcalloc(image->n_layers + 1, sizeof(*list));
	size_t i;

	for (i = 0; i < image->n_layers; i++)
		list[i] = image->layers[i].desc;
	if (build_pull_blobs(s, r, ref, list, image->n_layers, err) < 0)
		return -1;
	/* Once more, now that it is complete: it gets listed in the index. */
	return store_put_image(s, image, err);
}

static int pull_one(struct store *s, struct registry **r,
		    const struct registry_options *options,
		    const struct oci_ref *ref,
		    const struct oci_platform *platform, struct record *record,
		    struct error *err)
{
	cleanup_store_image struct store_image image = { 0 };
	cleanup_free char *name = oci_ref_format(ref);

	if (build_find_image(s, r, options, name, platform, true, &image,
			     err) < 0 ||
	    fetch_layers(s, *r, ref, &image, err) < 0)
		return -1;
	cli_image_record(record, s, &image);
	return 0;
}

static int pull_all(struct store *s, struct registry *r,
		    const struct oci_ref *ref,
		    const struct oci_platform *platform,
		    struct record *record, struct error *err)
{
	cleanup_build_whole struct build_whole w = { 0 };
	cleanup_store_image struct store_image image = { 0 };

	if (build_pull_whole(s, r, ref, platform, &w, &image, err) < 0)
		return -1;
	cli_whole_record(record, s, &image, &w);
	return 0;
}

static int run(struct cmd_call *call, struct error *err)
{
	const struct options *o = call->options;
	struct store_options where = { .path = call->globals->store };
	cleanup_oci_platform struct oci_platform platform = { 0 };
	cleanup_registry struct registry *r = NULL;
	cleanup_store struct store *s = NULL;
	cleanup_oci_ref struct oci_ref ref = { 0 };
	cleanup_record struct record record = RECORD_INIT;
	struct registry_options options;
	int rc;

	if (cmd_words(call, 1, 1, err) < 0 ||
	    oci_ref_parse(&ref, call->args.v[0], err) < 0 ||
	    cli_platform_get(&o->platform, &platform, err) < 0)
		return -1;
	cli_registry_options(&o->registry, &options);
	if (store_open(&s, &where, err) < 0 ||
	    registry_new(&r, &options, err) < 0)
		return -1;
	record_new(&record);
	if (o->all)
		rc = pull_all(s, r, &ref,
			      o->platform.platform ? &platform : NULL,
			      &record, err);
	else
		rc = pull_one(s, &r, &options, &ref, &platform, &record, err);
	return rc < 0 ? -1 : cli_record_write(&record, err);
}

const struct cmd cmd_pull = {
	.name = "pull",
	.summary = "Fetch an image from a registry into the store.",
	.usage = "pull [OPTION...] REF",
	.tables = tables,
	.size = sizeof(struct options),
	.run = run,
};
