/* sbom.h - what packages an image holds, by the files that list them */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SBOM_SBOM_H
#define SBOM_SBOM_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "wrap/json.h"

#define SBOM_FILE_MAX (64u << 20)  /* bytes of one list */
#define SBOM_PACKAGES_MAX 200000
#define SBOM_FIELD_MAX 512 /* bytes of a name or version */

struct sbom_package {
	const char *type; /* of its purl: "deb", "npm" ... */
	char *name, *version;
	char *arch; /* or NULL */
	uint32_t epoch; /* of an rpm; 0: none */
	char *path; /* the list it is in, absolute in the image */
};

struct sbom {
	struct sbom_package *v;
	size_t nr, alloc;
	char *os, *os_version; /* ID and VERSION_ID of os-release, or NULL */
	/* What is not in the list, and why. */
	struct strvec gaps;
};
#define SBOM_INIT { 0 }
#define cleanup_sbom CLEANUP(sbom_release)
void sbom_release(struct sbom *s);

/* Is a file (its path from the top of the image, without "/") a list of
 * packages? */
bool sbom_wants(const char *path);
/* Read one. What is wrong with it, like what is not supported, becomes a gap:
 * an image may hold anything. */
void sbom_read(struct sbom *s, const char *path, const char *text, size_t n);
/* Note a list that was not read. */
void sbom_skip(struct sbom *s, const char *path, const char *why);

/* What the list is about. */
struct sbom_image {
	const char *name;    /* for people */
	const char *digest;  /* "sha256:...": of the image's configuration */
	const char *created; /* RFC 3339; NULL: 1970 */
};
/* SPDX 2.3 as JSON, sorted; the same image gives the same bytes. */
void sbom_write(struct sbom *s, const struct sbom_image *image,
		struct strbuf *out);

#endif
