/* push.c - devenv push: an image of the store, a layout, an archive */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attest.h"
#include "cli/pushed.h"
#include "cmd/cmd.h"

struct options {
	struct cli_registry registry;
	struct cli_platform platform;
	struct cli_attest_options attest;
	bool all;
};

static const struct opt rows[] = {
	{ OPT_BOOL, 0, "all-platforms", NULL, NULL,
	  "the whole index: all images, and what else it names",
	  offsetof(struct options, all) },
	{ OPT_END },
};

static const struct cmd_table tables[] = {
	{ rows, 0 },
	{ cli_attest_rows, offsetof(struct options, attest) },
	{ cli_platform_rows, offsetof(struct options, platform) },
	{ cli_registry_rows, offsetof(struct options, registry) },
	{ cli_upload_rows, offsetof(struct options, registry) },
	{ cli_compression_rows, offsetof(struct options, registry) },
	{ 0 },
};

/* A repository that has the image lacks no more than the tag. */
static bool is_there(const struct oci_ref *refs, size_t i)
{
	size_t k;

	for (k = 0; k < i; k++)
		if (str_eq(refs[k].host, refs[i].host) &&
		    str_eq(refs[k].repository, refs[i].repository))
			return true;
	return false;
}

static int push_all(struct cli_pushed *p, const struct registry_options *o,
		    const struct cli_attest_options *attest,
		    const struct oci_ref *refs, size_t n, struct error *err)
{
	cleanup_oci_descriptor struct oci_descriptor subject = { 0 };
	cleanup_cli_documents struct cli_documents documents = { .n = 0 };
	cleanup_registry struct registry *r = NULL;
	struct cli_subject what = { refs, n, NULL };
	struct cli_attested about = {
		.record = &p->record,
		.store = p->store,
		.registry = &r,
		.options = o,
	};
	struct json *pushed = json_new_array();
	size_t i;

	record_set(&p->record, "pushed", pushed);
	if (registry_new(&r, o, err) < 0 ||
	    cli_pushed_prepare(p, &r, o, err) < 0)
		return -1;
	cli_pushed_subject(p, &subject);
	what.digest = subject.digest;
	if (!p->layout && !p->whole.n)
		about.image = &p->image;
	if (cli_documents_make(&documents, attest, &about, &what, err) < 0)
		return -1;
	for (i = 0; i < n; i++) {
		cleanup_free char *name = oci_ref_format(&refs[i]);
		struct json *one;

		if ((is_there(refs, i) ? cli_pushed_tag(p, r, &refs[i], err)
				       : cli_pushed_send(p, r, &refs[i],
							 err)) < 0)
			return -1;
		one = json_push(pushed, json_new_object());
		json_set_str(one, "reference", name);
		json_set_str(one, "digest", cli_pushed_digest(p));
	}
	if (cli_documents_attach(&documents, r, &what, &subject, err) < 0)
		return -1;
	if (record_get(&p->record, "image"))
		json_set_str(record_get(&p->record, "image"), "digest",
			     cli_pushed_digest(p));
	return cli_record_write(&p->record, err);
}

/* All references are read before anything is sent. */
static int parse_refs(const struct cmd_call *call, struct oci_ref *refs,
		      struct error *err)
{
	size_t i;

	for (i = 1; i < call->args.nr; i++) {
		const char *name = call->args.v[i];

		if (oci_ref_parse(&refs[i - 1], name, err) < 0)
			return -1;
		if (refs[i - 1].digest)
			return error_set(err, ERR_USAGE,
					 "'%s': what is pushed decides the "
					 "digest; name a tag",
					 name);
	}
	return 0;
}

static int run(struct cmd_call *call, struct error *err)
{
	const struct options *o = call->options;
	cleanup_store struct store *store = NULL;
	cleanup_cli_pushed struct cli_pushed p = CLI_PUSHED_INIT;
	cleanup_free struct oci_ref *refs = NULL;
	struct registry_options options;
	size_t n = call->args.nr, i;
	int rc;

	if (cmd_words(call, 2, SIZE_MAX, err) < 0)
		return -1;
	if (o->all && o->platform.platform)
		return error_set(err, ERR_USAGE, "--all-platforms and "
				 "--platform exclude each other");
	refs = xcalloc(n, sizeof(*refs));
	cli_registry_options(&o->registry, &options);
	p.all = o->all;
	rc = parse_refs(call, refs, err);
	if (!rc)
		rc = cli_platform_get(&o->platform, &p.platform, err);
	if (!rc)
		rc = cli_open_store(call->globals->store, RUNTIME_AUTO, &store,
				    NULL, err);
	if (!rc)
		rc = cli_compress(&o->registry, store, err);
	p.store = store;
	if (!rc)
		rc = cli_pushed_find(&p, call->args.v[0], err);
	if (!rc)
		rc = push_all(&p, &options, &o->attest, refs, n - 1,
			      err);
	for (i = 0; i < n; i++)
		oci_ref_release(&refs[i]);
	return rc;
}

const struct cmd cmd_push = {
	.name = "push",
	.summary = "Send an image of the store to a registry.",
	.usage = "push [OPTION...] IMAGE|RECORD|LAYOUT|ARCHIVE|- REF...",
	.tables = tables,
	.size = sizeof(struct options),
	.run = run,
};
