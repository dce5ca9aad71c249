/* referrers.c - attach documents to images and list them, for tests */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: referrers attach HOST/REPOSITORY DIGEST SIZE TYPE TEXT
 *	  referrers list HOST/REPOSITORY@DIGEST [TYPE]
 *
 * attach prints the digest of what was attached, list a line of digest, type
 * and the annotation "note" for each.
 */
#include "base/log.h"
#include "registry/registry.h"

static int attach(struct registry *r, const struct oci_ref *ref, char **argv,
		  struct error *err)
{
	cleanup_oci_descriptor struct oci_descriptor subject = { 0 };
	cleanup_json struct json *notes = json_new_object();
	struct registry_artifact_layer layer = {
		.media_type = "text/plain",
		.bytes = { argv[3], strlen(argv[3]) },
	};
	struct registry_artifact a = { .subject = &subject,
				       .artifact_type = argv[2],
				       .layers = &layer, .n_layers = 1,
				       .annotations = notes };
	char digest[DIGEST_TEXT];

	oci_descriptor_set(&subject, OCI_MANIFEST, argv[0],
			   strtoull(argv[1], NULL, 10));
	json_set_str(notes, "note", argv[3]);
	if (registry_attach(r, ref, &a, digest, err) < 0)
		return -1;
	puts(digest);
	return 0;
}

static int list(struct registry *r, const struct oci_ref *ref,
		const char *type, struct error *err)
{
	cleanup_registry_referrers struct registry_referrers all = { 0 };
	size_t i;

	if (registry_list_referrers(r, ref, type, &all, err) < 0)
		return -1;
	for (i = 0; i < all.n; i++)
		printf("%s %s %s\n", all.v[i].desc.digest,
		       all.v[i].artifact_type ? all.v[i].artifact_type : "-",
		       json_get_str(all.v[i].annotations, "note"));
	return 0;
}

static int run(int argc, char **argv, struct error *err)
{
	cleanup_registry struct registry *r = NULL;
	cleanup_oci_ref struct oci_ref ref = { 0 };
	struct registry_options o = { 0 };

	if (argc < 3)
		return error_set(err, ERR_USAGE, "what?");
	if (oci_ref_parse(&ref, argv[2], err) < 0 ||
	    registry_new(&r, &o, err) < 0)
		return -1;
	if (str_eq(argv[1], "attach") && argc == 7)
		return attach(r, &ref, argv + 3, err);
	if (str_eq(argv[1], "list") && argc <= 4)
		return list(r, &ref, argv[3], err);
	return error_set(err, ERR_USAGE, "what?");
}

int main(int argc, char **argv)
{
	cleanup_error struct error err = ERROR_INIT;

	log_setup(LOG_INFO, LOG_TEXT, PROGRESS_NONE);
	if (run(argc, argv, &err) == 0)
		return 0;
	log_report(&err);
	return err.code;
}
