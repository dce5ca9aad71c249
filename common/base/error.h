/* error.h - the one error idiom: a caller-owned struct, last parameter */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/base.h"

/* The code is the exit status of the program; see devenv(1). */
enum error_code {
	ERR_NONE = 0,
	ERR_NO = 1,	   /* a plain "no": cache miss, findings */
	ERR_USAGE = 2,	   /* the command line is wrong */
	ERR_INPUT = 3,	   /* an input file is wrong; FILE:LINE:COL first */
	ERR_SYSTEM = 4,	   /* a system call failed */
	ERR_NETWORK = 5,   /* no answer, or a broken one */
	ERR_REFUSED = 6,   /* a remote said no; its words are in the text */
	ERR_STEP = 7,	   /* a step of a build failed */
	ERR_HOST = 8,	   /* this host lacks something */
	ERR_RUN = 125,	   /* run/exec: our own trouble */
	ERR_RUN_PERM = 126,    /* run/exec: command cannot be executed */
	ERR_RUN_MISSING = 127, /* run/exec: command not found */
	ERR_INTERRUPTED = 130, /* ended by SIGINT */
};

struct error {
	enum error_code code;
	int sys;    /* errno at the time, or 0 */
	char *msg;  /* lower case, no full stop; NULL when empty */
	char *hint; /* what to do, or NULL; printed on its own line */
};

#define ERROR_INIT { 0 }
#define cleanup_error CLEANUP(error_release)

/*
 * Set an empty error and return -1, so `return error_set(...)` ends a
 * function. `err` may be NULL (best effort: nothing is stored). Setting a
 * set error is a bug and aborts: the first cause must survive.
 */
int error_set(struct error *err, enum error_code code, const char *fmt, ...)
	PRINTF(3, 4);
/* As error_set with ERR_SYSTEM; appends ": " and the text of errno. */
int error_errno(struct error *err, const char *fmt, ...) PRINTF(2, 3);
/* As error_errno with a code of the caller's. */
int error_errno_code(struct error *err, enum error_code code,
		     const char *fmt, ...) PRINTF(3, 4);
/* Put "context: " before the message of a set error, unless it begins with
 * that already; returns -1. */
int error_wrap(struct error *err, const char *fmt, ...) PRINTF(2, 3);
/* Let a set error be of another kind: what is wrong with a text depends on
 * whose it is. Returns -1. */
int error_recode(struct error *err, enum error_code code);
/* Attach advice to a set error, unless it has one; returns -1. */
int error_hint(struct error *err, const char *fmt, ...) PRINTF(2, 3);
/* Move `from` into the empty `to`; `from` is empty afterwards. Returns -1. */
int error_move(struct error *to, struct error *from);
static inline bool error_is(const struct error *err)
{
	return err->code != ERR_NONE;
}
/* Free the texts and make it empty again. */
void error_release(struct error *err);

#endif
