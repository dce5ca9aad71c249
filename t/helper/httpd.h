/* httpd.h - the part of a small HTTP server that test servers share */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HELPER_HTTPD_H
#define HELPER_HTTPD_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/strbuf.h"

#define HTTPD_HEAD_MAX 16384

static inline void httpd_say(int fd, const char *data, size_t n)
{
	if (fs_write_all(fd, data, n, NULL) < 0)
		_exit(0);
}

static inline void httpd_answer(int fd, int status, const char *headers,
				const char *body, size_t n)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;

	strbuf_addf(&sb, "HTTP/1.1 %d X\r\n%sContent-Length: %zu\r\n\r\n",
		    status, headers, n);
	httpd_say(fd, sb.buf, sb.len);
	if (body)
		httpd_say(fd, body, n);
}

/* The head of a request; false at the end of the connection. */
static inline bool httpd_head(int fd, char buf[HTTPD_HEAD_MAX])
{
	size_t n = 0;

	while (n < HTTPD_HEAD_MAX - 1) {
		if (read(fd, buf + n, 1) != 1)
			return false;
		/* A ClientHello: this server does not speak TLS. */
		if (!n && buf[0] == 0x16)
			return false;
		buf[++n] = '\0';
		if (n >= 4 && !memcmp(buf + n - 4, "\r\n\r\n", 4))
			return true;
	}
	return false;
}

/* What follows `name` ("\r\nHost: ") in a head, or NULL. */
static inline const char *httpd_field(const char *head, const char *name)
{
	const char *s = strcasestr(head, name);

	return s ? s + strlen(name) : NULL;
}

/* Each connection to a loopback port in a process of its own. */
static inline int httpd_run(int port, void (*serve)(void *arg, int fd),
			    void *arg)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd, one = 1, client;

	signal(SIGCHLD, SIG_IGN);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a.sin_port = htons((uint16_t)port);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(fd, 64) < 0) {
		perror("listen");
		return 4;
	}
	while ((client = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			signal(SIGCHLD, SIG_DFL);
			serve(arg, client);
			_exit(0);
		}
		close(client);
	}
	return 0;
}

#endif
