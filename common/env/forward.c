/* forward.c - ports of an environment's own network, seen on this host */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "env/internal.h"

#define CONNECTIONS_MAX 256
#define BUFFER ((size_t)16 << 10)
#define BACKLOG 64

/* Bytes on their way from one end to the other. */
struct flow {
	char buf[BUFFER];
	size_t from, to; /* what is in the buffer */
	bool ended;	 /* nothing more comes */
	bool told;	 /* the other end knows */
};

struct connection {
	int end[2]; /* host, environment */
	struct flow flow[2]; /* flow[i] comes from end[i] */
};

struct relay {
	const struct env_port *ports;
	size_t n_ports;
	int sandbox; /* pidfd */
	struct connection *v[CONNECTIONS_MAX];
	size_t n;
};

/* --- what is asked for --- */

/* On loopback only, whatever the port is called elsewhere. */
static int listen_on(uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			0);

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!bind(fd, (struct sockaddr *)&at, sizeof(at)) &&
	    !listen(fd, BACKLOG))
		return fd;
	close(fd);
	return -1;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in at = { 0 };
	socklen_t n = sizeof(at);

	(void)getsockname(fd, (struct sockaddr *)&at, &n);
	return ntohs(at.sin_port);
}

/* A port that is taken here gets another number. */
static int open_port(struct env_port *p, struct error *err)
{
	int fd = listen_on(p->host);

	if (fd < 0)
		fd = listen_on(0);
	if (fd < 0)
		return error_errno(err, "cannot listen on a port");
	if (port_of(fd) != p->host)
		log_warn("port %u is in use here: port %u of the environment "
			 "is 127.0.0.1:%u", p->host, p->inside, port_of(fd));
	p->host = port_of(fd);
	p->fd = fd;
	return 0;
}

/* --- one connection --- */

static int connect_to(sa_family_t family, uint16_t port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
				   .sin6_port = htons(port),
				   .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	/* A server that accepts nothing must not hold up the others. */
	const struct timeval patience = { .tv_sec = 1 };
	bool four = family == AF_INET;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
		       sizeof(patience)) == 0 &&
	    connect(fd, four ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
		    four ? sizeof(v4) : sizeof(v6)) == 0 &&
	    fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
		return fd;
	base_close_fd(&fd);
	return -1;
}

static void add_connection(struct relay *r, const struct env_port *p)
{
	int host = accept4(p->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct connection *c;
	int inside;

	if (host < 0)
		return;
	/* Some servers listen for one of the two only. */
	inside = connect_to(AF_INET, p->inside);
	if (inside < 0)
		inside = connect_to(AF_INET6, p->inside);
	if (inside < 0 || r->n == CONNECTIONS_MAX) {
		close(host);
		base_close_fd(&inside);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->end[0] = host;
	c->end[1] = inside;
	r->v[r->n++] = c;
}

static short wanted(const struct connection *c, int end)
{
	const struct flow *in = &c->flow[end], *out = &c->flow[!end];

	return (short)((!in->ended && in->to < BUFFER ? POLLIN : 0) |
		       (out->from < out->to ? POLLOUT : 0));
}

static void fill(struct flow *f, int fd)
{
	ssize_t n = read(fd, f->buf + f->to, BUFFER - f->to);

	if (n > 0)
		f->to += (size_t)n;
	else if (!n || (errno != EAGAIN && errno != EINTR))
		f->ended = true;
}

/* false: nobody reads there any more. */
static bool drain(struct flow *f, int fd)
{
	ssize_t n = send(fd, f->buf + f->from, f->to - f->from, MSG_NOSIGNAL);

	if (n > 0)
		f->from += (size_t)n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		return false;
	if (f->from == f->to)
		f->from = f->to = 0;
	return true;
}

/* false: it is over. */
static bool serve(struct connection *c, const struct pollfd p[2])
{
	int end;

	for (end = 0; end < 2; end++) {
		struct flow *in = &c->flow[end], *out = &c->flow[!end];

		if (p[end].revents & POLLNVAL)
			return false;
		if ((p[end].revents & (POLLIN | POLLHUP | POLLERR)) &&
		    !in->ended && in->to < BUFFER)
			fill(in, c->end[end]);
		if (out->from < out->to && !drain(out, c->end[end]))
			return false;
	}
	for (end = 0; end < 2; end++) {
		struct flow *f = &c->flow[end];

		if (f->ended && !f->told && f->from == f->to) {
			(void)shutdown(c->end[!end], SHUT_WR);
			f->told = true;
		}
	}
	return !(c->flow[0].told && c->flow[1].told);
}

static void drop(struct relay *r, size_t i)
{
	close(r->v[i]->end[0]);
	close(r->v[i]->end[1]);
	free(r->v[i]);
	r->v[i] = r->v[--r->n];
}

/* --- the process that does it --- */

/* The sandbox, the ports, then both ends of each connection. */
static size_t list_polls(const struct relay *r, struct pollfd *p)
{
	size_t n = 0, i;
	int end;

	p[n++] = (struct pollfd){ r->sandbox, POLLIN, 0 };
	for (i = 0; i < r->n_ports; i++)
		p[n++] = (struct pollfd){ r->ports[i].fd, POLLIN, 0 };
	for (i = 0; i < r->n; i++)
		for (end = 0; end < 2; end++)
			p[n++] = (struct pollfd){ r->v[i]->end[end],
						  wanted(r->v[i], end), 0 };
	return n;
}

static void relay(struct relay *r)
{
	struct pollfd *p = xcalloc(1 + r->n_ports + 2 * CONNECTIONS_MAX,
				   sizeof(*p));
	size_t i;

	for (;;) {
		const size_t n = r->n; /* those that were asked about */

		if (poll(p, list_polls(r, p), -1) < 0 && errno != EINTR)
			break;
		if (p[0].revents)
			break;
		for (i = n; i-- > 0;)
			if (!serve(r->v[i], p + 1 + r->n_ports + 2 * i))
				drop(r, i);
		for (i = 0; i < r->n_ports; i++)
			if (p[1 + i].revents)
				add_connection(r, &r->ports[i]);
	}
	free(p);
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* No lock, pipe or output of devenv's stays open. */
static int close_others(const struct relay *r)
{
	cleanup_free int *keep = xcalloc(r->n_ports + 2, sizeof(*keep));
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), i;
	size_t n = 0, k;

	for (i = 0; i < 3; i++)
		if (dup2(null, i) < 0)
			return -1;
	keep[n++] = 2;
	keep[n++] = r->sandbox;
	for (k = 0; k < r->n_ports; k++)
		keep[n++] = r->ports[k].fd;
	qsort(keep, n, sizeof(*keep), by_number);
	for (k = 0; k < n; k++) {
		unsigned int to = k + 1 < n ? (unsigned int)keep[k + 1] - 1
					    : ~0U;

		if (to > (unsigned int)keep[k] &&
		    syscall(SYS_close_range, keep[k] + 1, to, 0) < 0)
			return -1;
	}
	return 0;
}

/* Sockets stay in the network they were made in: those that listen are of
 * this host, those made from now on of the environment. */
NORETURN static void live(struct env *e, const struct env_port *ports,
			  size_t n)
{
	struct relay r = { .ports = ports,
			   .n_ports = n,
			   .sandbox = e->sandbox.pidfd };
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	if (close_others(&r) < 0 || setsid() < 0 ||
	    setns(r.sandbox, CLONE_NEWNET) < 0 || chdir("/") < 0)
		_exit(1);
	relay(&r);
	_exit(0);
}

static void close_ports(struct env_port *ports, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		base_close_fd(&ports[i].fd);
		ports[i].fd = -1;
	}
}

int forward_start(struct env *e, struct env_port *ports, size_t n,
		  struct error *err)
{
	pid_t pid;
	size_t i;

	for (i = 0; i < n; i++)
		ports[i].fd = -1;
	for (i = 0; i < n; i++) {
		if (open_port(&ports[i], err) < 0) {
			close_ports(ports, n);
			return -1;
		}
	}
	pid = n ? fork() : 0;
	if (n && !pid)
		live(e, ports, n);
	close_ports(ports, n);
	return pid < 0 ? error_errno(err, "cannot make a process") : 0;
}
