/* job.h - a function in a process of its own, heard by the one that waits */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_JOB_H
#define BASE_JOB_H

#include "base/error.h"
#include "base/log.h"
#include "base/strbuf.h"

/*
 * So that one thread can have several things done at once. The function runs
 * in a fork, which dies with its parent and gets no standard input; what it
 * logs comes as events, what it found out and its error at the end. It must
 * not rely on what other threads of the parent would do.
 */
struct job {
	pid_t pid; /* 0: none, or waited for */
	int fd;	   /* of what it says; -1: nothing more comes */
	log_sink sink; /* gets its events */
	void *sink_arg;
	struct strbuf in;
	struct strbuf result;
	struct error error;
};
#define JOB_INIT \
	{ .fd = -1, .in = STRBUF_INIT, .result = STRBUF_INIT, \
	  .error = ERROR_INIT }
#define cleanup_job CLEANUP(job_release)

/* What to do; bytes for the parent go to `result`. */
typedef int (*job_run)(void *arg, struct strbuf *result, struct error *err);
/* `sink` NULL: its events are shown as if they were ours. */
int job_start(struct job *j, job_run run, void *arg, log_sink sink,
	      void *sink_arg, struct error *err) MUST_CHECK;
/* Wait until some of them said something, `ms` passed (-1: never) or a signal
 * came, and pass on what was said. Those with fd -1 are left out. */
int job_wait(struct job *const *jobs, size_t n, int ms, struct error *err)
	MUST_CHECK;
/* Wait for the end of one whose fd is -1; its error becomes ours, else its
 * result is there. */
int job_finish(struct job *j, struct error *err) MUST_CHECK;
/* Ask it to give up, as an interruption would. */
void job_stop(const struct job *j);
/* Kill it if it runs, and free. */
void job_release(struct job *j);

#endif
