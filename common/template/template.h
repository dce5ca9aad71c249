/* template.h - .coder/images/NAME.yaml: what a named image is built from */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEMPLATE_TEMPLATE_H
#define TEMPLATE_TEMPLATE_H

#include "base/error.h"
#include "base/strvec.h"

#define TEMPLATE_IMAGES ".coder/images"
#define TEMPLATE_ENVIRONMENTS ".coder/environments"

/*
 *	name: my-image
 *	type: image
 *	spec:
 *	  context: .            relative to the repository's top
 *	  dockerfile: Dockerfile     in the context, or from the top
 *	  image: registry.example.com/team/app    where it is pushed
 *	  credentials: [name]   of stored registry credentials
 */
struct template_image {
	char *name;
	char *context;	  /* relative to the repository, clean; "." its top */
	char *dockerfile; /* relative to the context, else to the repository's
			     top; clean, not absolute */
	char *image;	  /* NULL: given when it is pushed */
	struct strvec credentials;
	struct strvec warnings; /* "FILE:LINE:COL: text" */
};
#define TEMPLATE_IMAGE_INIT { 0 }
#define cleanup_template_image CLEANUP(template_image_release)
void template_image_release(struct template_image *t);

/*
 * Every key must be known and have its type; the context must stay inside the
 * repository, and so must the Dockerfile. Whole lines that begin with "//" are
 * taken as comments, with a warning. `type: environment` is named as not supported. ERR_INPUT
 * "FILE:LINE:COL: ...".
 */
int template_image_parse(struct template_image *t, const char *file,
			 const char *text, size_t n, struct error *err)
	MUST_CHECK;
/* Can this be a template's file name (no slash, no leading dot)? */
bool template_name_valid(const char *name);

#endif
