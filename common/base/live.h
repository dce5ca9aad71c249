/* live.h - lines at the bottom of a terminal that are drawn again and again */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LIVE_H
#define BASE_LIVE_H

#include "base/base.h"

struct live_line {
	const char *text;  /* may hold anything; cut to the width */
	const char *right; /* at the right edge, or NULL */
};
/* Draw these instead of the ones before; those that do not fit the window are
 * left out. Whatever else is logged appears above. */
void live_draw(const struct live_line *lines, size_t n);
/* Take them off. */
void live_hide(void);

#endif
