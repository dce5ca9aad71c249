/* probe.h - what a build would do */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_PROBE_H
#define BUILD_PROBE_H

#include "build/build.h"

struct build_probe {
	enum {
		BUILD_PROBE_MISS,
		BUILD_PROBE_HIT,
		BUILD_PROBE_NOTHING, /* it is an image as it came */
	} status;
	char key[65]; /* of the image */
	/* How it is to be had: HOST/REPOSITORY@DIGEST, oci:DIR@DIGEST, or its
	 * id in the store; NULL: not. */
	char *image;
	char *tag; /* under which a cache has it, or would; NULL: no cache */
	char digest[DIGEST_TEXT]; /* of its manifest, or "" */
	char id[DIGEST_TEXT];	  /* of its configuration, or "" */
	char *user;		  /* that it runs as, as written */
	struct build_probe_base {
		char *name, *platform;
		char digest[DIGEST_TEXT]; /* what the name means now */
	} *bases; /* images that it stands on or copies from */
	size_t n_bases;
	char *reason; /* of a miss that no step is to blame for */
	struct build_result result; /* the steps only */
};
#define cleanup_build_probe CLEANUP(build_probe_release)
void build_probe_release(struct build_probe *p);
/*
 * Ask the caches of the options for the image that they lead to, or without
 * any the store. Nothing is run, unpacked or published, and a cache that
 * cannot be asked is an error. What a cache says is believed when it has the
 * manifest; `verify`: and all blobs.
 */
int build_probe(const struct build_options *o, bool verify,
		struct build_probe *p, struct error *err) MUST_CHECK;

#endif
