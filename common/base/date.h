/* date.h - points in time as RFC 3339 has them */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_DATE_H
#define BASE_DATE_H

#include "base/base.h"

/* Seconds since 1970 as "2006-01-02T15:04:05Z", malloc'ed. */
char *date_format(int64_t seconds);
/* The reverse; others write fractions and offsets, too. */
bool date_parse(const char *text, int64_t *seconds);

#endif
