/* signals.h - an interruption is an error that unwinds, not a sudden death */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SIGNALS_H
#define BASE_SIGNALS_H

#include "base/error.h"

/*
 * From now on SIGINT, SIGTERM and SIGHUP are noted once: blocking calls
 * return EINTR, loops look at signals_pending() and give up, cleanup removes
 * what was half made. A second signal ends the process at once.
 */
void signals_catch(void);
/* Back to the default actions, as in a child before it runs a command. */
void signals_default(void);
/* The signal that came, or 0. */
int signals_pending(void);
/* -1 with an error of code 128 + signal when one came, else 0. */
int signals_check(struct error *err) MUST_CHECK;

#endif
