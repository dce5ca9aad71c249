/* error.c - set, wrap and hint the caller's error */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>

static PRINTF(1, 0) char *format(const char *fmt, va_list ap)
{
	char *s;

	if (vasprintf(&s, fmt, ap) < 0)
		return xstrdup("out of memory");
	return s;
}

static void fill(struct error *err, enum error_code code, int sys, char *msg)
{
	assert(!error_is(err));
	err->code = code;
	err->sys = sys;
	err->msg = msg;
}

int error_set(struct error *err, enum error_code code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -1;
	va_start(ap, fmt);
	fill(err, code, 0, format(fmt, ap));
	va_end(ap);
	return -1;
}

static PRINTF(3, 0) int fill_errno(struct error *err, enum error_code code,
				   const char *fmt, va_list ap, int sys)
{
	cleanup_free char *text = format(fmt, ap);

	fill(err, code, sys, xstrfmt("%s: %s", text, strerror(sys)));
	errno = sys;
	return -1;
}

int error_errno(struct error *err, const char *fmt, ...)
{
	int sys = errno;
	va_list ap;

	if (!err)
		return -1;
	va_start(ap, fmt);
	fill_errno(err, ERR_SYSTEM, fmt, ap, sys);
	va_end(ap);
	return -1;
}

int error_errno_code(struct error *err, enum error_code code,
		     const char *fmt, ...)
{
	int sys = errno;
	va_list ap;

	if (!err)
		return -1;
	va_start(ap, fmt);
	fill_errno(err, code, fmt, ap, sys);
	va_end(ap);
	return -1;
}

int error_wrap(struct error *err, const char *fmt, ...)
{
	cleanup_free char *context = NULL, *old = NULL;
	va_list ap;

	if (!err)
		return -1;
	assert(error_is(err));
	va_start(ap, fmt);
	context = format(fmt, ap);
	va_end(ap);
	if (str_starts(err->msg, context) && err->msg[strlen(context)] == ':')
		return -1;
	old = err->msg;
	err->msg = xstrfmt("%s: %s", context, old);
	return -1;
}

int error_recode(struct error *err, enum error_code code)
{
	if (!err)
		return -1;
	assert(error_is(err));
	err->code = code;
	return -1;
}

int error_hint(struct error *err, const char *fmt, ...)
{
	va_list ap;

	if (!err || err->hint)
		return -1;
	assert(error_is(err));
	va_start(ap, fmt);
	err->hint = format(fmt, ap);
	va_end(ap);
	return -1;
}

int error_move(struct error *to, struct error *from)
{
	if (to) {
		assert(!error_is(to));
		*to = *from;
		*from = (struct error)ERROR_INIT;
	} else {
		error_release(from);
	}
	return -1;
}

void error_release(struct error *err)
{
	free(err->msg);
	free(err->hint);
	*err = (struct error)ERROR_INIT;
}
