/* net.c - networks of their own, which several sandboxes may share */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/internal.h"

int runtime_loopback_up(struct error *err)
{
	cleanup_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq lo = { .ifr_name = "lo",
			    .ifr_flags = IFF_UP | IFF_RUNNING };

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0)
		return error_errno(err, "cannot start the loopback device");
	return 0;
}

static int open_net(pid_t pid, struct error *err)
{
	cleanup_free char *path = xstrfmt("/proc/%d/ns/net", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_errno_code(err, ERR_HOST,
					"cannot open the network of a "
					"sandbox");
	return fd;
}

/* It makes the network, says so, and stays until that was opened. */
NORETURN static void make(int ready, int opened)
{
	char byte;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (unshare(CLONE_NEWNET) < 0 || runtime_loopback_up(NULL) < 0)
		_exit(errno);
	(void)!write(ready, "", 1);
	(void)!read(opened, &byte, 1);
	_exit(0);
}

/*
 * By a process of its own: who makes one here, as a user, may not go back to
 * that of the host.
 */
int runtime_net_new(struct error *err)
{
	int ready[2], opened[2], fd = -1, status = 0;
	bool made;
	char byte;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	if (pipe2(opened, O_CLOEXEC) < 0) {
		close(ready[0]);
		close(ready[1]);
		return error_errno(err, "cannot make a pipe");
	}
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		close(opened[1]);
		make(ready[1], opened[0]);
	}
	if (pid < 0)
		error_errno(err, "cannot make a process");
	close(ready[1]);
	close(opened[0]);
	made = pid > 0 && read(ready[0], &byte, 1) == 1;
	if (made)
		fd = open_net(pid, err);
	close(ready[0]);
	close(opened[1]);
	if (pid > 0)
		waitpid(pid, &status, 0);
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
	if (pid > 0 && !made)
		return error_errno_code(err, ERR_HOST, "cannot make a "
					"network");
	return fd;
}

int runtime_net_of(const struct runtime_sandbox *s, struct error *err)
{
	return open_net(s->init, err);
}
