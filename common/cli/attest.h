/* attest.h - documents that go to a registry beside an image */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_ATTEST_H
#define CLI_ATTEST_H

#include "cli/cli.h"

#define CLI_PROVENANCE "https://slsa.dev/provenance/v1"
#define CLI_IN_TOTO "application/vnd.in-toto+json"

/* What documents are about. */
struct cli_attested {
	const struct record *record;
	const struct store_image *image; /* NULL: the store has none */
	const char *name; /* of the image; NULL: its reference or id */
	struct store *store;
	struct registry **registry; /* to get what the store lacks */
	const struct registry_options *options;
};

/* --- provenance.c --- */

/* What is said to have been built: references, and the digest of them all. */
struct cli_subject {
	const struct oci_ref *refs;
	size_t n;
	const char *digest;
};
/*
 * An in-toto statement with a SLSA provenance of what a record tells. No path
 * of this machine, no time and no value that may be a secret is in there.
 * ERR_INPUT: the record does not tell how the image was built.
 */
int cli_provenance(const struct record *r, const struct cli_subject *s,
		   const char *builder, struct strbuf *out, struct error *err)
	MUST_CHECK;

/* --- sbom.c --- */

#define CLI_SPDX "application/spdx+json"

/*
 * The packages of an image as SPDX 2.3, from what its files list; nothing of
 * it is run. Fetches the layers that are not here. What cannot be listed is
 * warned about and said in there.
 */
int cli_sbom(const struct cli_attested *a, struct strbuf *out,
	     struct error *err) MUST_CHECK;

/* --- attest.c --- */

struct cli_attest_options {
	char *provenance; /* a file to write it to, "": none; NULL: unwanted */
	char *builder;
	char *sbom; /* as `provenance` */
};
extern const struct opt cli_attest_rows[];

/* Documents about one image, made before it is sent, attached after. */
struct cli_documents {
	struct cli_document {
		const char *type, *predicate; /* predicate: or NULL */
		struct strbuf text;
	} v[2];
	size_t n;
};
#define cleanup_cli_documents CLEANUP(cli_documents_release)
void cli_documents_release(struct cli_documents *d);
/* Make what the options ask for, and write what has a file. */
int cli_documents_make(struct cli_documents *d,
		       const struct cli_attest_options *o,
		       const struct cli_attested *a,
		       const struct cli_subject *s, struct error *err)
	MUST_CHECK;
/* Attach them in each repository; `subject` is the image's manifest there. */
int cli_documents_attach(const struct cli_documents *d, struct registry *r,
			 const struct cli_subject *s,
			 const struct oci_descriptor *subject,
			 struct error *err) MUST_CHECK;

#endif
