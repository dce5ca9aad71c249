/* units.h - amounts as people write them */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include "base/error.h"
#include "base/strbuf.h"

/* "512", "10G" and "10GB" (powers of 1000), "10GiB": bytes; ERR_USAGE. */
int units_size(const char *text, uint64_t *bytes, struct error *err)
	MUST_CHECK;
/* "90", "90s", "15m", "36h", "14d", "2w": seconds; ERR_USAGE. */
int units_age(const char *text, uint64_t *seconds, struct error *err)
	MUST_CHECK;
/* 100000 as "27h": the largest unit of which there are two or more. */
void units_add_age(struct strbuf *out, uint64_t seconds);
/* What a word for so many ends in: "1 step", "2 steps". */
const char *units_s(uint64_t n);

#endif
