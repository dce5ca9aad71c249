/* units.c - amounts as people write them */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/units.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* The number at the start of `text`; what follows it, or NULL. */
static const char *number(const char *text, uint64_t *value)
{
	size_t n = strspn(text, "0123456789");
	cleanup_free char *digits = xstrndup(text, n);

	return str_to_u64(digits, UINT64_MAX, value) ? text + n : NULL;
}

static bool scale(uint64_t *value, uint64_t factor)
{
	if (*value > UINT64_MAX / factor)
		return false;
	*value *= factor;
	return true;
}

static bool scale_size(uint64_t *bytes, const char *unit)
{
	static const char letters[] = "kmgt";
	const char *letter = *unit ? strchr(letters,
					    tolower((unsigned char)*unit))
				   : NULL;
	uint64_t base;

	if (!letter)
		return !*unit || !strcasecmp(unit, "b");
	base = !strcasecmp(unit + 1, "ib") ? 1024 : 1000;
	if (unit[1] && base == 1000 && strcasecmp(unit + 1, "b"))
		return false;
	for (ptrdiff_t i = 0; i <= letter - letters; i++)
		if (!scale(bytes, base))
			return false;
	return true;
}

int units_size(const char *text, uint64_t *bytes, struct error *err)
{
	uint64_t value;
	const char *unit = number(text, &value);

	if (!unit || !scale_size(&value, unit))
		return error_set(err, ERR_USAGE,
				 "'%s' is no size: write bytes, or a number "
				 "with K, M, G, T, KiB, MiB, GiB or TiB",
				 text);
	*bytes = value;
	return 0;
}

int units_age(const char *text, uint64_t *seconds, struct error *err)
{
	static const char letters[] = "smhdw";
	static const uint64_t factors[] = { 1, 60, 3600, 86400, 604800 };
	uint64_t value;
	const char *unit = number(text, &value);
	const char *letter = unit && *unit ? strchr(letters, *unit) : letters;

	if (!unit || !letter || (*unit && unit[1]) ||
	    !scale(&value, factors[letter - letters]))
		return error_set(err, ERR_USAGE,
				 "'%s' is no age: write a number with s, m, "
				 "h, d or w", text);
	*seconds = value;
	return 0;
}

void units_add_age(struct strbuf *out, uint64_t seconds)
{
	static const struct {
		uint64_t seconds;
		char letter;
	} units[] = { { 604800, 'w' }, { 86400, 'd' }, { 3600, 'h' },
		      { 60, 'm' } };

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (seconds < 2 * units[i].seconds)
			continue;
		strbuf_addf(out, "%llu%c",
			    (unsigned long long)(seconds / units[i].seconds),
			    units[i].letter);
		return;
	}
	strbuf_addf(out, "%llus", (unsigned long long)seconds);
}

const char *units_s(uint64_t n)
{
	return n == 1 ? "" : "s";
}
