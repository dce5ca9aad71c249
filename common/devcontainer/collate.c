/* collate.c - the order of strings that Dev Container tools sort by */
/* SPDX-License-Identifier: Apache-2.0 */
#include "devcontainer/feature.h"

/*
 * Primary weights of ASCII in the root collation (CLDR): blanks, punctuation,
 * symbols, digits, letters without regard to case. Control characters weigh
 * nothing.
 */
static const char order[] = "\t\n\v\f\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$"
			    "0123456789";

static unsigned int weight(unsigned char c)
{
	const char *at;

	if (c >= 0x80)
		return 0x200u + c;
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
		return 0x100u + (c | 0x20);
	at = c ? strchr(order, c) : NULL;
	return at ? (unsigned int)(at - order) + 1 : 0;
}

static const char *skip_weightless(const char *s)
{
	while (*s && !weight((unsigned char)*s))
		s++;
	return s;
}

int devcontainer_collate(const char *a, const char *b)
{
	const char *one = a, *two = b;
	int tie = 0;

	for (;; one++, two++) {
		unsigned int x, y;

		one = skip_weightless(one);
		two = skip_weightless(two);
		x = weight((unsigned char)*one);
		y = weight((unsigned char)*two);
		if (x != y)
			return x < y ? -1 : 1;
		if (!x)
			break;
		if (!tie && *one != *two) /* lower case has the greater byte */
			tie = *one > *two ? -1 : 1;
	}
	return tie ? tie : strcmp(a, b);
}
