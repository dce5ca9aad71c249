/* signals.c - note an interruption so that work can unwind */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/signals.h"

#include <signal.h>

static volatile sig_atomic_t pending;

static const int caught[] = { SIGINT, SIGTERM, SIGHUP };

static void note(int signo)
{
	pending = signo;
}

static void install(void (*handler)(int), int flags)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = flags };
	struct sigaction old;
	size_t i;

	sigemptyset(&sa.sa_mask);
	for (i = 0; i < ARRAY_SIZE(caught); i++) {
		/* nohup and background jobs of a shell ignore some: keep */
		sigaction(caught[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)
			sigaction(caught[i], &sa, NULL);
	}
}

void signals_catch(void)
{
	install(note, SA_RESETHAND);
	signal(SIGPIPE, SIG_IGN);
}

void signals_default(void)
{
	install(SIG_DFL, 0);
	signal(SIGPIPE, SIG_DFL);
}

int signals_pending(void)
{
	return pending;
}

int signals_check(struct error *err)
{
	if (!pending)
		return 0;
	return error_set(err, (enum error_code)(128 + pending),
			 "interrupted");
}
