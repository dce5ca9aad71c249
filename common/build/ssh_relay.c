/* ssh_relay.c - between a step and an agent: only what reads and signs */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "build/ssh.h"

/*
 * An agent asks who connects, and answers its own user only; and the socket
 * of an agent belongs to that user. So a process of ours listens for the step
 * and has one more for each connection. They carry one request at a time.
 */
#define MESSAGE_MAX (256u << 10) /* as OpenSSH has it */
#define CONNECTIONS_MAX 32

enum {
	AGENT_FAILURE = 5,
	AGENT_REQUEST_IDENTITIES = 11,
	AGENT_SIGN_REQUEST = 13,
};

struct relay {
	int listener;
	char agent[sizeof(((struct sockaddr_un *)0)->sun_path)];
	pid_t parent;
};

/* A name too long for an address goes through its directory. */
static int set_address(struct sockaddr_un *a, const char *path, int dirfd)
{
	cleanup_free char *name = path_base(path);
	int n;

	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) < sizeof(a->sun_path))
		n = snprintf(a->sun_path, sizeof(a->sun_path), "%s", path);
	else
		n = snprintf(a->sun_path, sizeof(a->sun_path),
			     "/proc/self/fd/%d/%s", dirfd, name);
	return n < (int)sizeof(a->sun_path) ? 0 : -1;
}

/* Four bytes of length, then so many: 1 with the whole in `m`, 0 at the end
 * or when it is too long. */
static size_t read_message(int fd, uint8_t *m)
{
	size_t n;

	if (fs_read_full(fd, m, 4) != 4)
		return 0;
	n = (size_t)m[0] << 24 | (size_t)m[1] << 16 | (size_t)m[2] << 8 | m[3];
	if (!n || n > MESSAGE_MAX || fs_read_full(fd, m + 4, n) != (ssize_t)n)
		return 0;
	return n + 4;
}

static bool is_allowed(uint8_t type)
{
	return type == AGENT_REQUEST_IDENTITIES || type == AGENT_SIGN_REQUEST;
}

static int connect_agent(const struct relay *r)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(a.sun_path, r->agent, sizeof(a.sun_path));
	if (fd >= 0 &&
	    connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0)
		base_close_fd(&fd);
	return fd;
}

NORETURN static void serve(const struct relay *r, int client)
{
	static const uint8_t refusal[] = { 0, 0, 0, 1, AGENT_FAILURE };
	uint8_t *m = xmalloc(MESSAGE_MAX + 4);
	int agent = connect_agent(r);
	size_t n;

	while (agent >= 0 && (n = read_message(client, m))) {
		if (!is_allowed(m[4])) {
			if (fs_write_all(client, refusal, sizeof(refusal),
					 NULL) < 0)
				break;
			continue;
		}
		if (fs_write_all(agent, m, n, NULL) < 0 ||
		    !(n = read_message(agent, m)) ||
		    fs_write_all(client, m, n, NULL) < 0)
			break;
	}
	_exit(0);
}

/* End with whoever made us. */
static void tie(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
	    getppid() != parent)
		_exit(1);
}

static void start_server(const struct relay *r, int client)
{
	pid_t relay = getpid();

	if (fork() == 0) {
		tie(relay);
		close(r->listener);
		serve(r, client);
	}
}

NORETURN static void listen_for_step(const struct relay *r)
{
	unsigned served = 0;

	for (;;) {
		int client;

		/* With all places taken one has to end first. */
		while (served && waitpid(-1, NULL, served < CONNECTIONS_MAX
						? WNOHANG : 0) > 0)
			served--;
		client = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC);
		if (client < 0 && errno != EINTR && errno != ECONNABORTED)
			_exit(1);
		if (client < 0)
			continue;
		start_server(r, client);
		served++;
		close(client);
	}
}

NORETURN static void run(struct relay *r)
{
	sigset_t none;

	tie(r->parent);
	for (int sig = 1; sig < 32; sig++)
		signal(sig, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	listen_for_step(r);
}

/* The listener, at DIR/relay. */
static int make_listener(int dirfd, const struct ssh_owner *o,
			 struct error *err)
{
	cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path),
		 "/proc/self/fd/%d/" SSH_RELAY_SOCKET, dirfd);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 ||
	    fchmodat(dirfd, SSH_RELAY_SOCKET, o->mode, 0) < 0 ||
	    listen(fd, CONNECTIONS_MAX) < 0)
		return error_errno(err, "cannot listen for an ssh client");
	if (!o->keep && fchownat(dirfd, SSH_RELAY_SOCKET, o->uid, o->gid,
				 AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, "cannot give the ssh socket to %u:%u",
				   o->uid, o->gid);
	return steal_fd(&fd);
}

int ssh_relay_start(struct ssh_agent *a, const char *path, const char *dir,
		    const struct ssh_owner *owner, struct error *err)
{
	cleanup_free char *up = path_dir(path);
	cleanup_close int updir = open(up, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct relay r = { .parent = getpid(), .listener = -1 };
	struct sockaddr_un to;

	if (updir < 0 || dirfd < 0)
		return error_errno(err, "cannot open '%s'",
				   updir < 0 ? up : dir);
	if (set_address(&to, path, updir) < 0)
		return error_set(err, ERR_USAGE, "the name of the socket '%s' "
				 "is too long", path);
	memcpy(r.agent, to.sun_path, sizeof(r.agent));
	r.listener = make_listener(dirfd, owner, err);
	if (r.listener < 0)
		return -1;
	a->relay = fork();
	if (!a->relay)
		run(&r);
	close(r.listener);
	if (a->relay > 0)
		return 0;
	a->relay = 0;
	return error_errno(err, "cannot make a process");
}
