/* chmod.c - octal and symbolic modes */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dockerfile/dockerfile.h"

#define USER 04700u
#define GROUP 02070u
#define OTHER 00007u
#define STICKY 01000u

static bool read_octal(const char *s, unsigned *out)
{
	unsigned mode = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '7')
			return false;
		mode = mode * 8 + (unsigned)(*s - '0');
		if (mode > 07777)
			return false;
	}
	*out = mode;
	return true;
}

/* [ugoa]* as a mask of the bits they own; nobody named means all. */
static unsigned read_who(const char **p)
{
	unsigned who = 0;

	for (;; (*p)++) {
		if (**p == 'u')
			who |= USER;
		else if (**p == 'g')
			who |= GROUP;
		else if (**p == 'o')
			who |= OTHER | STICKY;
		else if (**p == 'a')
			who |= 07777;
		else
			return who ? who : 07777;
	}
}

static unsigned spread(unsigned bits)
{
	return bits << 6 | bits << 3 | bits;
}

/* [rwxXst]* or one of [ugo] as bits for everybody. */
static unsigned read_perms(const char **p, unsigned mode, bool is_dir)
{
	unsigned bits = 0;

	if (**p == 'u' || **p == 'g' || **p == 'o') {
		unsigned shift = **p == 'u' ? 6 : **p == 'g' ? 3 : 0;

		(*p)++;
		return spread(mode >> shift & 7);
	}
	for (;; (*p)++) {
		if (**p == 'r')
			bits |= 0444;
		else if (**p == 'w')
			bits |= 0222;
		else if (**p == 'x')
			bits |= 0111;
		else if (**p == 'X')
			bits |= is_dir || mode & 0111 ? 0111 : 0;
		else if (**p == 's')
			bits |= 06000;
		else if (**p == 't')
			bits |= STICKY;
		else
			return bits;
	}
}

/* One clause: who, then one or more of "=rwx", "+x", "-w". */
static bool apply_clause(const char **p, bool is_dir, unsigned *mode)
{
	unsigned who = read_who(p);

	if (!**p || !strchr("+-=", **p))
		return false;
	while (**p && strchr("+-=", **p)) {
		char op = *(*p)++;
		unsigned bits = read_perms(p, *mode, is_dir) & who;

		if (op == '+')
			*mode |= bits;
		else if (op == '-')
			*mode &= ~bits;
		else
			*mode = (*mode & ~who) | bits;
	}
	return true;
}

int dockerfile_chmod(const char *spec, unsigned mode, bool is_dir,
		     unsigned *out, struct error *err)
{
	const char *p = spec;

	if (read_octal(spec, out))
		return 0;
	mode &= 07777;
	while (apply_clause(&p, is_dir, &mode)) {
		if (!*p) {
			*out = mode;
			return 0;
		}
		if (*p++ != ',')
			break;
	}
	return error_set(err, ERR_INPUT,
			 "invalid chmod parameter: '%s'. it should be octal "
			 "string and between 0 and 07777", spec);
}
