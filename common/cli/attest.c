/* attest.c - make documents about an image and attach them */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attest.h"

#include <strings.h>

#include "base/log.h"

#define O(member) offsetof(struct cli_attest_options, member)
const struct opt cli_attest_rows[] = {
	{ OPT_GROUP, .help = "What is said of the image" },
	{ OPT_STR, 0, "provenance", "FILE", NULL,
	  "attach how it was built (and write it to FILE)", O(provenance),
	  .optional = true },
	{ OPT_STR, 0, "sbom", "FILE", NULL,
	  "attach the list of its packages (and write it to FILE)", O(sbom),
	  .optional = true },
	{ OPT_STR, 0, "builder-id", "URI", NULL,
	  "who says that it built the image", O(builder) },
	{ OPT_END },
};

/* A variable says true or false where the option has no value. */
static bool wanted(const char *value)
{
	return value && strcasecmp(value, "false") && !str_eq(value, "0");
}

static const char *file_of(const char *value)
{
	return *value && !str_is_true(value) ? value : NULL;
}

void cli_documents_release(struct cli_documents *d)
{
	while (d->n)
		strbuf_release(&d->v[--d->n].text);
}

static struct cli_document *add(struct cli_documents *d, const char *type,
				const char *predicate)
{
	d->v[d->n] = (struct cli_document){ type, predicate, STRBUF_INIT };
	return &d->v[d->n++];
}

static int keep(const struct cli_document *d, const char *value,
		struct error *err)
{
	const char *file = file_of(value);

	return file ? cli_write(file, &d->text, err) : 0;
}

int cli_documents_make(struct cli_documents *d,
		       const struct cli_attest_options *o,
		       const struct cli_attested *a,
		       const struct cli_subject *s, struct error *err)
{
	struct cli_document *doc;

	if (wanted(o->provenance)) {
		doc = add(d, CLI_IN_TOTO, CLI_PROVENANCE);
		if (cli_provenance(a->record, s, o->builder, &doc->text,
				   err) < 0 ||
		    keep(doc, o->provenance, err) < 0)
			return -1;
	}
	if (!wanted(o->sbom))
		return 0;
	if (!a->image)
		return error_set(err, ERR_USAGE, "--sbom lists the packages "
				 "of one image of the store");
	doc = add(d, CLI_SPDX, NULL);
	if (cli_sbom(a, &doc->text, err) < 0)
		return -1;
	return keep(doc, o->sbom, err);
}

static int attach(struct registry *r, const struct cli_document *d,
		  const struct oci_ref *ref,
		  const struct oci_descriptor *subject, struct error *err)
{
	cleanup_json struct json *notes = json_new_object();
	const struct registry_artifact_layer layer = {
		.media_type = d->type,
		.bytes = { d->text.buf, d->text.len },
	};
	const struct registry_artifact a = {
		.subject = subject,
		.artifact_type = d->type,
		.layers = &layer,
		.n_layers = 1,
		.annotations = notes,
	};
	char digest[DIGEST_TEXT];

	if (d->predicate)
		json_set_str(notes, "in-toto.io/predicate-type",
			     d->predicate);
	if (registry_attach(r, ref, &a, digest, err) < 0)
		return -1;
	log_info("%s/%s: attached %s as %s", ref->host, ref->repository,
		 d->type, digest);
	return 0;
}

/* Several tags of one repository are one place. */
static bool seen(const struct oci_ref *refs, size_t i)
{
	size_t k;

	for (k = 0; k < i; k++)
		if (str_eq(refs[k].host, refs[i].host) &&
		    str_eq(refs[k].repository, refs[i].repository))
			return true;
	return false;
}

int cli_documents_attach(const struct cli_documents *d, struct registry *r,
			 const struct cli_subject *s,
			 const struct oci_descriptor *subject,
			 struct error *err)
{
	size_t i, k;

	for (i = 0; i < s->n; i++)
		for (k = 0; k < d->n && !seen(s->refs, i); k++)
			if (attach(r, &d->v[k], &s->refs[i], subject, err) < 0)
				return -1;
	return 0;
}
