/* proc.h - run another program and talk to it */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/strvec.h"

struct proc {
	struct strvec args;	/* args.v[0] is looked up in PATH */
	const struct strvec *env; /* whole environment; NULL: inherit */
	const char *dir;	/* working directory; NULL: inherit */
	int in, out, err;	/* descriptors for 0..2; -1: inherit */
	int timeout_ms;		/* proc_capture: kill after; 0: never */
	/* results */
	pid_t pid;
	int status; /* 0..255, or 128 + signal */
};

#define PROC_INIT { .in = -1, .out = -1, .err = -1 }
#define cleanup_proc CLEANUP(proc_release)

/* Start; every descriptor above 2 is closed in the child. A command that
 * cannot be executed is an error here, not a status. */
int proc_start(struct proc *p, struct error *err) MUST_CHECK;
int proc_wait(struct proc *p, struct error *err) MUST_CHECK;
/* Start, feed `input` (may be NULL), collect stdout up to `max` bytes. */
int proc_capture(struct proc *p, const struct strbuf *input,
		 struct strbuf *out, size_t max, struct error *err) MUST_CHECK;
/* Absolute path of a program in PATH, malloc'ed, or NULL. */
char *proc_which(const char *name);
void proc_release(struct proc *p);

#endif
