/* pushed.h - from a name to what is pushed */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PUSHED_H
#define CLI_PUSHED_H

#include "cli/cli.h"

struct cli_pushed {
	struct store *store; /* borrowed */
	struct oci_platform platform;
	bool all; /* the whole index, with all it names */
	/* found */
	struct record record; /* what was read, or of the image */
	struct store_image image;
	const char *layout; /* directory; NULL: the image is in the store */
	struct build_manifest manifest;
	struct build_whole whole; /* of `all`, unless there is one image */
	/* kept meanwhile */
	char *path, *tag; /* of a layout or archive */
	struct build_archive archive;
	int dir;
};
#define CLI_PUSHED_INIT { .record = RECORD_INIT, \
	.manifest = BUILD_MANIFEST_INIT, .archive = BUILD_ARCHIVE_INIT, \
	.dir = -1 }
#define cleanup_cli_pushed CLEANUP(cli_pushed_release)
void cli_pushed_release(struct cli_pushed *p);
/* An image of the store, a layout, an archive, a record or "-". */
int cli_pushed_find(struct cli_pushed *p, const char *name, struct error *err)
	MUST_CHECK;
/* Make its manifest and blobs, as far as it lacks them. */
int cli_pushed_prepare(struct cli_pushed *p, struct registry **r,
		       const struct registry_options *o, struct error *err)
	MUST_CHECK;
const char *cli_pushed_digest(const struct cli_pushed *p);
/* Its manifest or index, as what is attached to it refers to it. */
void cli_pushed_subject(const struct cli_pushed *p,
			struct oci_descriptor *out);
int cli_pushed_send(struct cli_pushed *p, struct registry *r,
		    const struct oci_ref *to, struct error *err) MUST_CHECK;
/* Give it another tag in a repository that has it. */
int cli_pushed_tag(const struct cli_pushed *p, struct registry *r,
		   const struct oci_ref *to, struct error *err) MUST_CHECK;

#endif
