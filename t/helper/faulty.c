/* faulty.c - a registry whose repositories misbehave, each in its own way */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: faulty PORT LOGFILE
 *
 * The first part of a repository's name is the fault: 127.0.0.1:PORT/cut/x:1.
 * Every repository has one image of one layer. Each request becomes a line of
 * the log: method, path, Host, and "auth" when it had an Authorization.
 */
#include <fcntl.h>
#include <strings.h>
#include <sys/mman.h>
#include <time.h>

#include "httpd.h"
#include "base/fs.h"
#include "oci/oci.h"
#include "wrap/tarwrite.h"

#define LAYER_SIZE (1u << 20)
#define TAR_REST 1536 /* a header before the file, two empty blocks after */

struct server {
	int port, log;
	int *counter; /* shared by all connections: odd jobs fail once */
	char layer_digest[DIGEST_TEXT], config_digest[DIGEST_TEXT];
	struct strbuf layer, config, manifest;
};

struct request {
	char method[16], path[2048], host[256];
	bool auth;
	unsigned long long range, length;
	char fault[64];
};

static void refuse(int fd, int status, const char *headers, const char *code)
{
	cleanup_free char *body = xstrfmt(
		"{\"errors\":[{\"code\":\"%s\",\"message\":\"as told\"}]}",
		code);

	httpd_answer(fd, status, headers, body, strlen(body));
}

static bool once(const struct server *s)
{
	return __atomic_fetch_add(s->counter, 1, __ATOMIC_SEQ_CST) == 0;
}

static void send_layer(const struct server *s, int fd, const struct request *q)
{
	cleanup_free char *headers = NULL;

	if (!q->range || str_eq(q->fault, "norange")) {
		httpd_answer(fd, 200, "", s->layer.buf, s->layer.len);
		return;
	}
	headers = xstrfmt("Content-Range: bytes %llu-%zu/%zu\r\n", q->range,
			  s->layer.len - 1, s->layer.len);
	httpd_answer(fd, 206, headers, s->layer.buf + q->range,
		     s->layer.len - q->range);
}

static void half_layer(const struct server *s, int fd)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;

	strbuf_addf(&sb, "HTTP/1.1 200 X\r\nContent-Length: %zu\r\n\r\n",
		    s->layer.len);
	strbuf_add(&sb, s->layer.buf, s->layer.len / 2);
	httpd_say(fd, sb.buf, sb.len);
}

static void busy_until(int fd)
{
	time_t then = time(NULL) + 3;
	char headers[80];

	strftime(headers, sizeof(headers),
		 "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime(&then));
	refuse(fd, 429, headers, "TOOMANYREQUESTS");
}

static void blob(const struct server *s, int fd, const struct request *q)
{
	cleanup_strbuf struct strbuf bad = STRBUF_INIT;
	cleanup_free char *place = NULL;

	if (strstr(q->path, s->config_digest)) {
		httpd_answer(fd, 200, "", s->config.buf, s->config.len);
	} else if ((str_eq(q->fault, "cut") || str_eq(q->fault, "norange")) &&
		   once(s)) {
		half_layer(s, fd);
		_exit(0);
	} else if (str_eq(q->fault, "expired") && once(s)) {
		half_layer(s, fd);
		_exit(0);
	} else if (str_eq(q->fault, "expired") && !q->auth) {
		refuse(fd, 401, "WWW-Authenticate: Basic realm=\"x\"\r\n",
		       "UNAUTHORIZED");
	} else if (str_eq(q->fault, "hang") && once(s)) {
		half_layer(s, fd);
		pause();
	} else if (str_eq(q->fault, "slow")) {
		half_layer(s, fd);
		sleep(1);
		httpd_say(fd, s->layer.buf + s->layer.len / 2,
			  s->layer.len - s->layer.len / 2);
	} else if (str_eq(q->fault, "stall")) {
		half_layer(s, fd);
		pause();
	} else if (str_eq(q->fault, "digest")) {
		strbuf_add(&bad, s->layer.buf, s->layer.len);
		bad.buf[5] ^= 1;
		httpd_answer(fd, 200, "", bad.buf, bad.len);
	} else if (str_eq(q->fault, "short")) {
		httpd_answer(fd, 200, "", s->layer.buf, s->layer.len - 7);
	} else if (str_eq(q->fault, "long")) {
		strbuf_add(&bad, s->layer.buf, s->layer.len);
		strbuf_addstr(&bad, "more");
		httpd_answer(fd, 200, "", bad.buf, bad.len);
	} else if (str_eq(q->fault, "moved") &&
		   strncmp(q->host, "localhost", 9)) {
		place = xstrfmt("Location: http://localhost:%d%s\r\n", s->port,
				q->path);
		httpd_answer(fd, 307, place, NULL, 0);
	} else if (str_eq(q->fault, "inside")) {
		httpd_answer(fd, 302, "Location: http://169.254.169.254/x\r\n",
			     NULL, 0);
	} else if (str_eq(q->fault, "loop")) {
		place = xstrfmt("Location: %s\r\n", q->path);
		httpd_answer(fd, 302, place, NULL, 0);
	} else if (str_eq(q->fault, "busy") && once(s)) {
		refuse(fd, 429, "Retry-After: 1\r\n", "TOOMANYREQUESTS");
	} else if (str_eq(q->fault, "until") && once(s)) {
		busy_until(fd);
	} else if (str_eq(q->fault, "trouble") && once(s)) {
		refuse(fd, 500, "", "UNKNOWN");
	} else {
		send_layer(s, fd, q);
	}
}

static void manifest(const struct server *s, int fd, const struct request *q)
{
	cleanup_strbuf struct strbuf huge = STRBUF_INIT;

	if (str_eq(q->fault, "huge")) {
		strbuf_grow(&huge, 6u << 20);
		memset(huge.buf, ' ', 6u << 20);
		strbuf_setlen(&huge, 6u << 20);
		httpd_answer(fd, 200, "", huge.buf, huge.len);
	} else if (str_eq(q->fault, "warns")) {
		httpd_answer(
			fd, 200,
			"Warning: 299 - \"it \\\"goes\\\" \x1b[1m away\"\r\n"
			"Warning: 299 elsewhere \"not from here\"\r\n"
			"Warning: 110 - \"not for people\"\r\n"
			"Warning: 299 - \"without an end\r\n"
			"Warning: 299 - \"a second one\"\r\n"
			"Warning: 299 - \"a second one\"\r\n",
			s->manifest.buf, s->manifest.len);
	} else if (str_eq(q->fault, "liar")) {
		httpd_answer(fd, 200, "Docker-Content-Digest: sha256:00\r\n",
			     s->manifest.buf, s->manifest.len);
	} else {
		httpd_answer(fd, 200, "Content-Type: " OCI_MANIFEST "\r\n",
			     s->manifest.buf, s->manifest.len);
	}
}

/* Bodies are read in full, or what follows would be taken for a request. */
static void swallow(int fd, unsigned long long n)
{
	char buf[65536];
	ssize_t got;

	while (n) {
		got = read(fd, buf, MIN(sizeof(buf), n));
		if (got <= 0)
			_exit(0);
		n -= (unsigned long long)got;
	}
}

static void upload(const struct server *s, int fd, const struct request *q)
{
	cleanup_free char *place =
		xstrfmt("Location: /v2/%s/up?_state=a\r\n", q->fault);

	if (str_eq(q->method, "HEAD") && str_eq(q->fault, "nohead")) {
		httpd_answer(fd, 405, "", NULL, 0);
	} else if (str_eq(q->method, "HEAD")) {
		httpd_answer(fd, 404, "", NULL, 0);
	} else if (str_eq(q->method, "POST")) {
		if (str_eq(q->fault, "noplace"))
			httpd_answer(fd, 202, "", NULL, 0);
		else
			httpd_answer(fd, 202, place, NULL, 0);
	} else if (str_eq(q->method, "DELETE")) {
		httpd_answer(fd, 204, "", NULL, 0);
	} else if (str_eq(q->fault, "putdies") && once(s)) {
		_exit(0);
	} else if (str_eq(q->fault, "puthangs")) {
		pause();
	} else if (str_eq(q->fault, "putdenied")) {
		swallow(fd, q->length);
		refuse(fd, 403, "", "DENIED");
	} else {
		swallow(fd, q->length);
		httpd_answer(fd, 201, "", NULL, 0);
	}
}

static void serve(const struct server *s, int fd, const struct request *q)
{
	if (!q->auth &&
	    (str_eq(q->fault, "moved") || str_eq(q->fault, "basic")) &&
	    strncmp(q->host, "localhost", 9))
		refuse(fd, 401, "WWW-Authenticate: Basic realm=\"x\"\r\n",
		       "UNAUTHORIZED");
	else if (str_eq(q->fault, "realm"))
		refuse(fd, 401,
		       "WWW-Authenticate: Bearer realm="
		       "\"http://169.254.169.254/token\",service=\"x\"\r\n",
		       "UNAUTHORIZED");
	else if (!str_eq(q->method, "GET"))
		upload(s, fd, q);
	else if (strstr(q->path, "/manifests/"))
		manifest(s, fd, q);
	else if (strstr(q->path, "/blobs/"))
		blob(s, fd, q);
	else
		refuse(fd, 404, "", "UNSUPPORTED");
}

static bool parse(struct request *q, const char *head)
{
	const char *s;

	*q = (struct request){ 0 };
	if (sscanf(head, "%15s %2047s", q->method, q->path) != 2)
		return false;
	s = httpd_field(head, "\r\nHost: ");
	if (s)
		snprintf(q->host, sizeof(q->host), "%.*s",
			 (int)strcspn(s, "\r"), s);
	s = httpd_field(head, "\r\nRange: bytes=");
	q->range = s ? strtoull(s, NULL, 10) : 0;
	s = httpd_field(head, "\r\nContent-Length: ");
	q->length = s ? strtoull(s, NULL, 10) : 0;
	q->auth = httpd_field(head, "\r\nAuthorization: ");
	s = str_skip(q->path, "/v2/");
	if (s)
		snprintf(q->fault, sizeof(q->fault), "%.*s",
			 (int)strcspn(s, "/?"), s);
	return true;
}

static void connection(void *arg, int fd)
{
	const struct server *s = arg;
	static char head[HTTPD_HEAD_MAX];
	struct request q;

	while (httpd_head(fd, head) && parse(&q, head)) {
		cleanup_free char *line =
			xstrfmt("%s %s %s%s%s\n", q.method, q.path, q.host,
				q.auth ? " auth" : "", q.range ? " range" : "");

		httpd_say(s->log, line, strlen(line));
		serve(s, fd, &q);
	}
}

static int to_strbuf(void *arg, const void *data, size_t n,
		     struct error *err UNUSED)
{
	strbuf_add(arg, data, n);
	return 0;
}

/* A tar of one file, of as many bytes as are wanted of it. */
static void make_layer(struct strbuf *out)
{
	struct tar_entry e = { .path = "file", .mode = S_IFREG | 0644,
			       .size = LAYER_SIZE - TAR_REST };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int fd = memfd_create("file", MFD_CLOEXEC);
	cleanup_tarwrite struct tarwrite t;
	size_t i;

	for (i = 0; i < e.size; i++)
		strbuf_addch(&text, (char)(i * 31 + (i >> 8)));
	tarwrite_init(&t, to_strbuf, out);
	if (fs_write_all(fd, text.buf, text.len, NULL) < 0 ||
	    lseek(fd, 0, SEEK_SET) < 0 || tarwrite_header(&t, &e, NULL) < 0 ||
	    tarwrite_file(&t, fd, e.size, e.path, NULL) < 0 ||
	    tarwrite_end(&t, NULL) < 0 || out->len != LAYER_SIZE)
		abort();
}

static void make_image(struct server *s)
{
	cleanup_oci_manifest struct oci_manifest m = { 0 };

	make_layer(&s->layer);
	digest_bytes(s->layer.buf, s->layer.len, s->layer_digest);
	strbuf_addf(&s->config,
		    "{\"architecture\":\"amd64\",\"os\":\"linux\","
		    "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]}}",
		    s->layer_digest);
	digest_bytes(s->config.buf, s->config.len, s->config_digest);
	oci_descriptor_set(&m.config, OCI_CONFIG, s->config_digest,
			   s->config.len);
	oci_manifest_add_layer(&m, OCI_LAYER, s->layer_digest, s->layer.len);
	oci_manifest_write(&m, &s->manifest);
}

int main(int argc, char **argv)
{
	struct server s = { .layer = STRBUF_INIT,
			    .config = STRBUF_INIT,
			    .manifest = STRBUF_INIT };

	if (argc != 3)
		return 2;
	s.port = (int)strtol(argv[1], NULL, 10);
	s.log = open(argv[2], O_WRONLY | O_CREAT | O_APPEND, 0644);
	s.counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	make_image(&s);
	if (s.log < 0 || s.counter == MAP_FAILED) {
		perror("faulty");
		return 4;
	}
	return httpd_run(s.port, connection, &s);
}
