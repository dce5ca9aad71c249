/* head.c - what a tag means, without its manifest */
/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/internal.h"

static int head_at(struct registry *r, const struct oci_ref *at, void *digest,
		   struct error *err)
{
	int rc = registry_has_manifest(r, at, digest, err);

	if (rc < 0)
		return -1;
	return rc ? 0 : error_set(err, ERR_REFUSED, "%s/%s has no such "
				  "manifest", at->host, at->repository);
}

int registry_find_digest(struct registry *r, const struct oci_ref *ref,
			 char digest[DIGEST_TEXT], struct error *err)
{
	return registry_try_places(r, ref, head_at, digest, err);
}
