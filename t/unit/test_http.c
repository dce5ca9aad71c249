/* test_http.c - how far into a network a transfer may reach */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wrap/http.h"

/* One client, whose connection stays open from request to request. */
static void serve(int fd)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\n"
				     "Content-Length: 2\r\n\r\nok";
	char last[4] = "";

	while (read(fd, last + 3, 1) == 1) {
		if (!memcmp(last, "\r\n\r\n", 4) &&
		    write(fd, answer, strlen(answer)) < 0)
			break;
		memmove(last, last + 1, 3);
	}
	close(fd);
}

static pid_t start(uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), client;
	socklen_t n = sizeof(at);
	pid_t pid;

	cr_assert_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	cr_assert_eq(listen(fd, 4), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	*port = ntohs(at.sin_port);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while ((client = accept(fd, NULL, NULL)) >= 0)
			serve(client);
		_exit(0);
	}
	close(fd);
	return pid;
}

static int get(struct http *h, uint16_t port, enum url_reach limit,
	       bool *inward, struct error *err)
{
	cleanup_http_transfer struct http_transfer t = HTTP_TRANSFER_INIT;
	int rc;

	t.url = xstrfmt("http://localhost:%u/", port);
	t.limit = limit;
	rc = http_perform(h, &t, err);
	*inward = t.inward;
	return rc < 0 ? -1 : t.status;
}

/* Who may go there has been there before, and left the door open. */
Test(http, the_limit_holds_for_connections_of_others, .timeout = 20)
{
	const struct http_options o = { .tries = 1 };
	cleanup_http struct http *h = NULL;
	cleanup_error struct error err = ERROR_INIT;
	uint16_t port;
	pid_t server = start(&port);
	bool inward;

	cr_assert_eq(http_new(&h, &o, &err), 0);
	cr_expect_eq(get(h, port, URL_LOCAL, &inward, &err), 200);
	cr_expect_eq(get(h, port, URL_PUBLIC, &inward, &err), -1);
	cr_expect(inward);
	cr_expect_eq(err.code, ERR_NETWORK);
	cr_expect(err.msg && strstr(err.msg, "further inside the network"));
	cr_expect_eq(get(h, port, URL_LOOPBACK, &inward, &err), 200);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
}
