/* internal.h - how policies write the names they compare */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_INTERNAL_H
#define POLICY_INTERNAL_H

#include "policy/policy.h"

/* A name, or a pattern of whole names, in the one way that no rule is got
 * round by another: scheme and host in lower case, without a dot at the end
 * and without the port that is meant anyway; in a URL no escape that is not
 * needed and no empty part. Malloc'ed. */
char *policy_name(const char *text);
/* The same for a pattern of HOST[:PORT] alone, whose port stays. */
char *policy_host(const char *text);
/* ":443" or what else a name without a port means; "": nothing. */
const char *policy_port(const char *name);

#endif
