/* input.c - what comes on standard input */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/signals.h"

bool cli_input_possible(void)
{
	struct stat st;

	if (fstat(STDIN_FILENO, &st) < 0)
		return false;
	return S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) ||
	       (S_ISREG(st.st_mode) && st.st_size > 0);
}

static int wait_readable(struct error *err)
{
	struct pollfd p = { STDIN_FILENO, POLLIN, 0 };
	bool told = false;

	for (;;) {
		int n = poll(&p, 1, told ? -1 : 2000);

		if (signals_check(err) < 0)
			return -1;
		if (n > 0)
			return 0;
		if (!n && !told) {
			log_info("waiting for a context on standard input");
			told = true;
		}
	}
}

/* A pipe's bytes are doubled into another pipe, the rest can be looked at. */
static ssize_t peek(char *buf, size_t n)
{
	cleanup_close int in = -1, out = -1;
	ssize_t got = pread(STDIN_FILENO, buf, n, 0);
	int fds[2];

	if (got >= 0)
		return got;
	got = recv(STDIN_FILENO, buf, n, MSG_PEEK);
	if (got >= 0 || errno != ENOTSOCK)
		return got;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	in = fds[0];
	out = fds[1];
	got = tee(STDIN_FILENO, out, n, 0);
	return got > 0 ? read(in, buf, (size_t)got) : got;
}

int cli_input_kind(enum cli_input *kind, struct error *err)
{
	char buf[512];
	ssize_t n;

	if (wait_readable(err) < 0)
		return -1;
	n = peek(buf, sizeof(buf));
	if (n < 0)
		return error_errno(err, "cannot read standard input");
	if (!n)
		*kind = INPUT_NOTHING;
	else
		*kind = record_detect(buf, (size_t)n) ? INPUT_RECORD
						      : INPUT_TAR;
	return 0;
}
