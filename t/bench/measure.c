/* measure.c - wall time, processor time and peak memory of a command */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUNS_MAX 1000

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int by_value(const void *va, const void *vb)
{
	const double *a = va, *b = vb;

	return *a < *b ? -1 : *a > *b;
}

static double of_timeval(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* Output goes where the caller's goes; a failure ends the measurement. */
static double once(char **argv, double *cpu, long *rss_kb)
{
	struct rusage use;
	const double start = now();
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &use) < 0) {
		fprintf(stderr, "measure: %s\n", strerror(errno));
		exit(4);
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "measure: %s: wait status %#x\n", argv[0],
			(unsigned)status);
		exit(1);
	}
	/* Steadier than the time that passed, where others work as well. */
	*cpu = of_timeval(use.ru_utime) + of_timeval(use.ru_stime);
	/* Of the largest process among the child and all it waited for. */
	if (use.ru_maxrss > *rss_kb)
		*rss_kb = use.ru_maxrss;
	return now() - start;
}

int main(int argc, char **argv)
{
	double seconds[RUNS_MAX], cpu[RUNS_MAX];
	long rss_kb = 0, runs, i;
	FILE *out;

	if (argc < 4) {
		fputs("usage: measure FILE RUNS COMMAND...\n"
		      "appends 'median-seconds peak-KiB median-cpu' to FILE\n",
		      stderr);
		return 2;
	}
	runs = strtol(argv[2], NULL, 10);
	if (runs < 1 || runs > RUNS_MAX)
		runs = 1;
	for (i = 0; i < runs; i++)
		seconds[i] = once(argv + 3, &cpu[i], &rss_kb);
	qsort(seconds, (size_t)runs, sizeof(*seconds), by_value);
	qsort(cpu, (size_t)runs, sizeof(*cpu), by_value);
	out = fopen(argv[1], "ae");
	if (!out ||
	    fprintf(out, "%.5f %ld %.5f\n", seconds[runs / 2], rss_kb,
		    cpu[runs / 2]) < 0 ||
	    fclose(out)) {
		fprintf(stderr, "measure: %s: %s\n", argv[1], strerror(errno));
		return 4;
	}
	return 0;
}
