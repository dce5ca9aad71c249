/* date.c - points in time as RFC 3339 has them */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/date.h"

#include <time.h>

char *date_format(int64_t seconds)
{
	time_t t = (time_t)seconds;
	char text[40];
	struct tm tm;

	if (!gmtime_r(&t, &tm) ||
	    !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		return xstrdup("1970-01-01T00:00:00Z");
	return xstrdup(text);
}

bool date_parse(const char *text, int64_t *seconds)
{
	int n = 0, hours = 0, minutes = 0;
	struct tm tm = { 0 };
	char sign = 'Z';

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon,
		   &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &n) != 6)
		return false;
	text += n;
	if (*text == '.')
		text += 1 + strspn(text + 1, "0123456789");
	if (*text != 'Z' &&
	    sscanf(text, "%c%2d:%2d", &sign, &hours, &minutes) != 3)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	*seconds = timegm(&tm) -
		   (sign == '-' ? -60 : 60) * (60 * hours + minutes);
	return true;
}
