/* repo_watch.c - end a transfer on a signal, or when the peer is silent */
/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "base/signals.h"
#include "wrap/repo_lib.h"

/*
 * libgit2 1.5 has no timeouts, but its blocking reads end with EINTR. The
 * alarm repeats, so that one which comes just before the read is not lost.
 */
static volatile sig_atomic_t expired;

static void on_alarm(int sig)
{
	expired = sig;
}

static void arm(long seconds)
{
	struct itimerval timer = {
		.it_value = { .tv_sec = seconds },
		.it_interval = { .tv_sec = seconds ? 1 : 0 },
	};

	setitimer(ITIMER_REAL, &timer, NULL);
}

void repo_watch_start(struct repo_session *s)
{
	struct sigaction action = { .sa_handler = on_alarm };

	expired = 0;
	sigemptyset(&action.sa_mask);
	sigaction(SIGALRM, &action, NULL);
	s->armed = time(NULL);
	arm(REPO_SILENCE);
}

void repo_watch_alive(struct repo_session *s)
{
	time_t now = time(NULL);

	if (now == s->armed)
		return;
	s->armed = now;
	arm(REPO_SILENCE);
}

void repo_watch_stop(void)
{
	arm(0);
	signal(SIGALRM, SIG_DFL);
}

bool repo_watch_expired(void)
{
	return expired;
}

int repo_watch_check(void)
{
	return expired || signals_pending() ? -1 : 0;
}
