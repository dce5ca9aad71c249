/* clock.c - time that passes, whatever the date is set to */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <time.h>

double clock_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int64_t clock_ms(void)
{
	return (int64_t)(clock_seconds() * 1e3);
}
