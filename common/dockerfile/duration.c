/* duration.c - Go's durations: "1h2m3.5s", "100ms" */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dockerfile/dockerfile.h"

static const struct {
	const char *name;
	int64_t ns;
} units[] = {
	/* "ms" before "m": the first that fits is taken */
	{ "ns", 1 }, { "us", 1000 }, { "\xc2\xb5s", 1000 },
	{ "\xce\xbcs", 1000 }, { "ms", 1000000 }, { "s", 1000000000 },
	{ "m", 60 * INT64_C(1000000000) }, { "h", 3600 * INT64_C(1000000000) },
};

static int bad(const char *text, const char *what, struct error *err)
{
	cleanup_strbuf struct strbuf q = STRBUF_INIT;

	dockerfile_quote(&q, text);
	return error_set(err, ERR_INPUT, "time: %s %s", what, q.buf);
}

static int64_t read_unit(const char **p)
{
	size_t i, n = strcspn(*p, ".0123456789");

	for (i = 0; i < ARRAY_SIZE(units); i++) {
		if (n == strlen(units[i].name) &&
		    !memcmp(*p, units[i].name, n)) {
			*p += n;
			return units[i].ns;
		}
	}
	return 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* One "3.5s"; false: malformed or too large. */
static bool read_part(const char **p, int64_t *sum)
{
	int64_t whole = 0, fraction = 0, scale = 1, unit;
	const char *start = *p;
	bool digits = false;

	for (; is_digit(**p); (*p)++, digits = true)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, **p - '0', &whole))
			return false;
	if (**p == '.')
		(*p)++;
	for (; is_digit(**p); (*p)++, digits = true) {
		/* Digits beyond a nanosecond of an hour change nothing. */
		if (scale > INT64_C(10000000000000))
			continue;
		fraction = fraction * 10 + (**p - '0');
		scale *= 10;
	}
	if (!digits || *p == start)
		return false;
	unit = read_unit(p);
	return unit && !__builtin_mul_overflow(whole, unit, &whole) &&
	       !__builtin_add_overflow(*sum, whole, sum) &&
	       !__builtin_add_overflow(
		       *sum,
		       (int64_t)((double)fraction *
				 ((double)unit / (double)scale)), sum);
}

int dockerfile_duration(const char *text, int64_t *ns, struct error *err)
{
	const char *p = text;
	bool negative = *p == '-';
	int64_t sum = 0;

	if (*p == '-' || *p == '+')
		p++;
	if (str_eq(p, "0")) {
		*ns = 0;
		return 0;
	}
	if (!*p)
		return bad(text, "invalid duration", err);
	while (*p) {
		const char *start = p;

		if (read_part(&p, &sum))
			continue;
		if (p > start && (p[-1] == '.' || is_digit(p[-1])) && !*p)
			return bad(text, "missing unit in duration", err);
		return bad(text, "invalid duration", err);
	}
	*ns = negative ? -sum : sum;
	return 0;
}

/* `value` in units of `unit`, with as many decimals as it has. */
static void add_decimal(struct strbuf *out, uint64_t value, uint64_t unit)
{
	uint64_t rest = value % unit;

	strbuf_addf(out, "%llu", (unsigned long long)(value / unit));
	if (rest)
		strbuf_addch(out, '.');
	for (; rest; rest = rest * 10 % unit)
		strbuf_addch(out, (int)('0' + rest * 10 / unit));
}

void dockerfile_duration_format(struct strbuf *out, int64_t ns)
{
	uint64_t u = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	uint64_t second = 1000000000, seconds = u / second;

	if (!u) {
		strbuf_addstr(out, "0s");
		return;
	}
	if (ns < 0)
		strbuf_addch(out, '-');
	if (u < second) {
		uint64_t unit = u < 1000 ? 1 : u < 1000000 ? 1000 : 1000000;

		add_decimal(out, u, unit);
		strbuf_addstr(out, unit == 1 ? "ns" :
			      unit == 1000 ? "\xc2\xb5s" : "ms");
		return;
	}
	if (seconds >= 3600)
		strbuf_addf(out, "%lluh",
			    (unsigned long long)(seconds / 3600));
	if (seconds >= 60)
		strbuf_addf(out, "%llum",
			    (unsigned long long)(seconds / 60 % 60));
	add_decimal(out, u % (60 * second), second);
	strbuf_addch(out, 's');
}
