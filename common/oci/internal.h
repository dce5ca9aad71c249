/* internal.h - what manifest.c and index.c share */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OCI_INTERNAL_H
#define OCI_INTERNAL_H

#include "oci/oci.h"

/* Version 2, and not manifest and index at once. */
int oci_check_schema(const struct json *j, struct error *err) MUST_CHECK;

#endif
