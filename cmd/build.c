/* build.c - devenv build: a plan, a tree or a tar becomes an image */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fs.h"
#include "base/log.h"
#include "base/units.h"
#include "build/build.h"
#include "cli/attest.h"
#include "cli/compat.h"
#include "cli/findings.h"
#include "cli/lost.h"
#include "cli/multi.h"
#include "cli/services.h"
#include "cmd/cmd.h"

struct options {
	struct cli_project_options project;
	struct cli_build_options build;
	struct cli_registry registry;
	struct cli_git git;
	struct cli_folder folder;
	struct cli_unused unused;
	struct strvec tags, image_names, outputs;
	char *iid_file, *metadata_file, *sbom;
	bool digest, push, check, json;
};

#define O(member) offsetof(struct options, member)
static const struct opt rows[] = {
	{ OPT_GROUP, .help = "What becomes of the image" },
	{ OPT_LIST, 't', "tag", "REF", NULL, "name it in the store", O(tags) },
	{ OPT_LIST, 0, "image-name", "REF", OPT_NO_ENV, "the same",
	  O(image_names) },
	{ OPT_LIST, 'o', "output", "type=KIND,dest=PATH", NULL,
	  "write it as oci, docker, tar or local", O(outputs) },
	{ OPT_BOOL, 0, "push", NULL, NULL, "push every tag", O(push) },
	{ OPT_STR, 0, "iidfile", "FILE", NULL, "write the image id there",
	  O(iid_file) },
	{ OPT_STR, 0, "metadata-file", "FILE", NULL,
	  "write digests as JSON there, as docker does", O(metadata_file) },
	{ OPT_STR, 0, "sbom", "FILE", NULL,
	  "write the list of its packages there (SPDX)", O(sbom) },
	{ OPT_BOOL, 0, "digest", NULL, NULL,
	  "find out the digest of the manifest, too", O(digest) },
	{ OPT_BOOL, 0, "check", NULL, NULL,
	  "build nothing: print what the checks find", O(check) },
	{ OPT_BOOL, 0, "json", NULL, NULL,
	  "print the line that callers of the Dev Container CLI expect",
	  O(json) },
	{ OPT_END },
};

static const struct cmd_table tables[] = {
	{ cli_config_rows, O(project) },
	{ cli_project_rows, O(project) },
	{ cli_build_rows, O(build) },
	{ rows, 0 },
	{ cli_registry_rows, O(registry) },
	{ cli_upload_rows, O(registry) },
	{ cli_compression_rows, O(registry) },
	{ cli_git_rows, O(git) },
	{ cli_folder_rows, O(folder) },
	{ cli_unused_rows, O(unused) },
	{ 0 },
};

/* One build from its words to its record. */
struct work {
	const struct options *o;
	struct cli_builder b;
	struct cli_context context;
	struct cli_round round;
	struct cli_multi multi; /* with several platforms, not round.result */
	struct cli_documents documents; /* to go with a push */
};

static void work_release(struct work *w)
{
	cli_context_release(&w->context);
	cli_round_release(&w->round);
	cli_multi_release(&w->multi);
	cli_documents_release(&w->documents);
	cli_builder_release(&w->b);
}

static int export(struct work *w, struct error *err)
{
	const struct strvec *tags = &w->o->tags;
	cleanup_strvec struct strvec names = STRVEC_INIT;
	struct build_export x = {
		.store = w->b.store,
		.registry = &w->b.registry,
		.options = &w->b.registry_options,
		.result = w->multi.nr ? w->multi.v : &w->round.result,
		.n = w->multi.nr ? w->multi.nr : 1,
	};
	size_t i;

	for (i = 0; i < tags->nr; i++) {
		cleanup_oci_ref struct oci_ref ref = { 0 };

		if (oci_ref_parse(&ref, tags->v[i], err) < 0)
			return -1;
		strvec_push_own(&names, oci_ref_format(&ref));
	}
	x.names = (const char *const *)names.v;
	for (i = 0; i < w->o->outputs.nr; i++) {
		cleanup_build_output struct build_output out;

		if (build_output_parse(&out, w->o->outputs.v[i], err) < 0 ||
		    build_export(&x, &out, err) < 0)
			return -1;
	}
	return 0;
}

/* Usage errors come before the work, not after it. */
static int check(const struct options *o, struct error *err)
{
	size_t i;

	for (i = 0; i < o->tags.nr; i++) {
		cleanup_oci_ref struct oci_ref ref = { 0 };

		if (oci_ref_parse(&ref, o->tags.v[i], err) < 0)
			return -1;
	}
	for (i = 0; i < o->outputs.nr; i++) {
		cleanup_build_output struct build_output out;

		if (build_output_parse(&out, o->outputs.v[i], err) < 0)
			return -1;
	}
	if (o->push && !o->tags.nr)
		return error_set(err, ERR_USAGE, "--push needs --tag");
	return 0;
}

static int write_metadata(struct work *w, const struct store_image *image,
			  const char *digest, struct error *err)
{
	cleanup_json struct json *j = json_new_object();
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	json_set_str(j, "containerimage.config.digest", image->config_digest);
	json_set_str(j, "containerimage.digest", digest);
	if (image->reference)
		json_set_str(j, "image.name", image->reference);
	json_write(&text, j, true);
	return cli_write(w->o->metadata_file, &text, err);
}

static int make_manifest(struct work *w, struct error *err)
{
	cleanup_build_manifest struct build_manifest m = BUILD_MANIFEST_INIT;
	cleanup_oci_descriptor struct oci_descriptor subject = { 0 };
	size_t i;

	if (build_materialize(w->b.store, &w->b.registry,
			      &w->b.registry_options, &w->round.result.image, &m,
			      err) < 0)
		return -1;
	oci_descriptor_set(&subject, oci_manifest_media_type(&m.parsed),
			   m.digest, m.body.len);
	for (i = 0; w->o->push && i < w->o->tags.nr; i++) {
		cleanup_oci_ref struct oci_ref ref = { 0 };
		const struct cli_subject s = { &ref, 1, m.digest };

		if (oci_ref_parse(&ref, w->o->tags.v[i], err) < 0)
			return -1;
		if (!w->b.registry &&
		    registry_new(&w->b.registry, &w->b.registry_options,
				 err) < 0)
			return -1;
		if (build_push(w->b.store, w->b.registry, &w->round.result.image,
			       &m, &ref, err) < 0 ||
		    cli_documents_attach(&w->documents, w->b.registry, &s,
					 &subject, err) < 0)
			return -1;
	}
	return 0;
}

/* What is the same for one image and for several; `id` and `digest` are what
 * the whole is called. */
static int hand_out(struct work *w, struct store_image *image, const char *id,
		    const char *digest, struct error *err)
{
	const struct options *o = w->o;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (cli_build_name(&w->b, &o->tags, image, err) < 0 ||
	    export(w, err) < 0)
		return -1;
	strbuf_addstr(&text, id);
	if (o->iid_file && cli_write(o->iid_file, &text, err) < 0)
		return -1;
	if (o->metadata_file && write_metadata(w, image, digest, err) < 0)
		return -1;
	return store_sync(w->b.store, err);
}

/* What a push takes along is made before it. */
static int list_packages(struct work *w, struct error *err)
{
	const struct cli_attest_options want = { .sbom = w->o->sbom };
	cleanup_oci_ref struct oci_ref ref = { 0 };
	cleanup_free char *name = NULL;
	struct cli_attested about = { .image = &w->round.result.image,
				      .store = w->b.store,
				      .registry = &w->b.registry,
				      .options = &w->b.registry_options };

	if (w->o->tags.nr) {
		if (oci_ref_parse(&ref, w->o->tags.v[0], err) < 0)
			return -1;
		about.name = name = oci_ref_format(&ref);
	}
	return cli_documents_make(&w->documents, &want, &about, NULL, err);
}

static int deliver(struct work *w, struct error *err)
{
	const struct options *o = w->o;
	struct store_image *image = &w->round.result.image;

	if (build_identify(w->b.store, image, err) < 0 ||
	    (o->sbom && list_packages(w, err) < 0))
		return -1;
	if ((o->digest || o->push || o->metadata_file) &&
	    make_manifest(w, err) < 0)
		return -1;
	return hand_out(w, image, image->config_digest, image->manifest, err);
}

/* Before the work: several platforms fit into an index only. */
static int check_outputs(const struct options *o, struct error *err)
{
	size_t i;

	for (i = 0; i < o->outputs.nr; i++) {
		cleanup_build_output struct build_output out;

		if (build_output_parse(&out, o->outputs.v[i], err) < 0)
			return -1;
		if (out.kind != BUILD_OUTPUT_OCI)
			return error_set(err, ERR_USAGE,
					 "--output: only type=oci holds "
					 "several platforms");
	}
	return 0;
}

static int build_multi(struct work *w, struct error *err)
{
	const struct options *o = w->o;

	if (o->sbom)
		return error_set(err, ERR_USAGE, "--sbom lists the packages "
				 "of one image: name one platform");
	if (check_outputs(o, err) < 0 ||
	    cli_multi_build(&w->multi, &w->b, &o->build, &w->round.plan,
			    err) < 0)
		return -1;
	if (o->push && cli_multi_push(&w->multi, &w->b, &o->tags, err) < 0)
		return -1;
	return hand_out(w, &w->multi.own->image, w->multi.digest,
			w->multi.digest, err);
}

static bool stdout_taken(const struct options *o)
{
	size_t i;

	for (i = 0; i < o->outputs.nr; i++) {
		cleanup_build_output struct build_output out;

		if (!build_output_parse(&out, o->outputs.v[i], NULL) &&
		    str_eq(out.dest, "-"))
			return true;
	}
	return false;
}

static int plan_one(struct work *w, struct error *err)
{
	struct build_result *r = &w->round.result;

	if (cli_build_plan(&w->b, &w->o->build, &w->round.plan, r, err) < 0)
		return -1;
	/* What goes to standard output cannot be taken back. */
	if (!stdout_taken(w->o) || !cli_build_lost(&w->b, r, NULL))
		return 0;
	build_result_release(r);
	*r = (struct build_result){ 0 };
	return cli_build_plan(&w->b, &w->o->build, &w->round.plan, r, err);
}

static int build_one(struct work *w, struct error *err)
{
	struct build_result *r = &w->round.result;

	if (plan_one(w, err) < 0 || deliver(w, err) < 0)
		return -1;
	log_info("%s: %zu step%s run, %zu cached", r->image.config_digest,
		 r->executed, units_s(r->executed), r->cached);
	return 0;
}

static int build_once(struct work *w, struct error *err)
{
	return cli_multi_wanted(&w->round.plan) ? build_multi(w, err)
						: build_one(w, err);
}

/* Does all that was done have to be done once more? */
static bool is_lost(struct work *w, const struct error *why)
{
	size_t i;

	if (stdout_taken(w->o))
		return false;
	for (i = 0; i < w->multi.nr; i++)
		if (cli_build_lost(&w->b, &w->multi.v[i], why))
			return true;
	return !w->multi.nr && cli_build_lost(&w->b, &w->round.result, why);
}

static int build(struct work *w, struct error *err)
{
	cleanup_error struct error why = ERROR_INIT;

	if (build_once(w, &why) == 0)
		return 0;
	if (!is_lost(w, &why))
		return error_move(err, &why);
	cli_multi_release(&w->multi);
	w->multi = (struct cli_multi)CLI_MULTI_INIT;
	build_result_release(&w->round.result);
	w->round.result = (struct build_result){ 0 };
	return build_once(w, err);
}

static int print(struct work *w, struct error *err)
{
	if (stdout_taken(w->o))
		return 0; /* the image itself is there */
	if (w->o->json)
		return cli_answer_built(&w->o->tags, w->multi.nr
				? w->multi.digest
				: w->round.result.image.config_digest, err);
	/* The context may not outlive this process. */
	if (w->context.dir && cli_round_detach(&w->round, err) < 0)
		return -1;
	record_plan_set(&w->round.plan, &w->round.project.record);
	if (w->multi.nr)
		cli_multi_record(&w->round.project.record, w->b.store,
				 &w->multi);
	else
		cli_build_record(&w->round.project.record, w->b.store,
				 &w->round.result);
	cli_services_record(&w->round.project.record, w->b.store,
			    &w->round.services);
	return cli_record_write(&w->round.project.record, err);
}

static int lint(struct work *w, struct cmd_call *call, struct error *err)
{
	cleanup_cli_findings struct cli_findings f = { 0 };
	cleanup_build_named struct build_named_list named = { 0 };
	int rc;

	if (cli_build_contexts(&w->o->build, &named, err) < 0)
		return -1;
	rc = cli_lint_plan(&f, w->b.store, &w->round.plan, &named, err);
	call->status = f.nr ? ERR_NO : 0;
	return cli_findings_print(&f, false, rc, err);
}

/* What was given under the names of the Dev Container CLI. */
static int take_names(struct cmd_call *call, struct error *err)
{
	struct options *o = call->options;

	cli_unused_tell(cli_unused_rows, &o->unused);
	for (size_t i = 0; i < o->image_names.nr; i++)
		strvec_push(&o->tags, o->image_names.v[i]);
	if (o->folder.folder && call->args.nr)
		return error_set(err, ERR_USAGE, "--workspace-folder and '%s' "
				 "exclude each other", call->args.v[0]);
	if (o->folder.folder)
		strvec_push(&call->args, o->folder.folder);
	return 0;
}

static int build_words(struct cmd_call *call, struct error *err)
{
	const struct options *o = call->options;
	CLEANUP(work_release) struct work w = {
		.o = call->options,
		.context = CLI_CONTEXT_INIT,
		.multi = CLI_MULTI_INIT,
	};

	if (cmd_words(call, 0, 2, err) < 0 || take_names(call, err) < 0 ||
	    check(o, err) < 0 ||
	    cli_open_store(call->globals->store, o->build.driver, &w.b.store,
			   &w.b.mode, err) < 0 ||
	    cli_compress(&o->registry, w.b.store, err) < 0)
		return -1;
	cli_registry_options(&o->registry, &w.b.registry_options);
	w.b.git = &o->git;
	if (cli_context_plan(&w.context, &w.b, &w.round, &call->args,
			     &o->project, err) < 0)
		return -1;
	if (o->check)
		return lint(&w, call, err);
	cli_project_warn(&w.round.plan);
	record_source_get(&w.b.source, &w.round.project.record);
	if (!w.b.origin)
		w.b.origin = w.b.source.url;
	if (cli_round_ask(&w.round, err) < 0 || build(&w, err) < 0 ||
	    cli_round_services(&w.round, &w.b, &o->build, false, err) < 0)
		return -1;
	return print(&w, err);
}

static int run(struct cmd_call *call, struct error *err)
{
	const struct options *o = call->options;
	int rc = build_words(call, err);

	if (rc < 0 && o->json)
		cli_answer_failed(NULL, NULL, err);
	return rc;
}

const struct cmd cmd_build = {
	.name = "build",
	.summary = "Build an image from a plan, a directory or a tar.",
	.usage = "build [OPTION...] [DIR|URL|RECORD|-]\n"
		 "build [OPTION...] image NAME",
	.detail = "'-' reads a record, or a context in a tar, from standard "
		  "input; so does\n'image NAME' when something comes there.",
	.tables = tables,
	.size = sizeof(struct options),
	.run = run,
};
