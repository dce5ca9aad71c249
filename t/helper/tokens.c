/* tokens.c - a token server for a registry, good or in one of many ways bad */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: tokens PORT LOGFILE MODEFILE KEY.pem CERT.pem
 *
 * Signs what Debian's docker-registry verifies: RS256 with the certificate in
 * the head. "me:s3cret-pass" and the identity token "who-i-am" may do
 * anything, nobody may pull. MODEFILE holds one word, read at each request:
 *
 *	ok	token as "token"		access	as "access_token"
 *	nopost	POST is 404			stall	no answer
 *	huge	a large answer			junk	no JSON
 *	empty	JSON without a token		down	status 503
 *	weak	tokens allow nothing		single	for one scope only
 *
 * A line of the log: method, query or form, "basic" with credentials.
 */
#include <fcntl.h>
#include <time.h>

#include "base/proc.h"
#include "httpd.h"
#include "wrap/digest.h"
#include "wrap/json.h"

#define ISSUER "test-issuer"
#define PASSWORD "me:s3cret-pass"
#define IDENTITY "who-i-am"
#define FORM_MAX 8192

struct server {
	int log;
	const char *mode_file, *key, *cert;
};

struct request {
	char method[16], path[4096];
	char *fields; /* query or form */
	char mode[16];
	bool basic, known; /* credentials came; they are right */
};

static void add_base64url(struct strbuf *out, const void *data, size_t n)
{
	cleanup_strbuf struct strbuf code = STRBUF_INIT;
	size_t i;

	base64_encode(&code, data, n);
	for (i = 0; i < code.len && code.buf[i] != '='; i++)
		strbuf_addch(out, code.buf[i] == '+'   ? '-'
				  : code.buf[i] == '/' ? '_'
						       : code.buf[i]);
}

static void add_json(struct strbuf *out, const struct json *j)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	json_write(&text, j, false);
	add_base64url(out, text.buf, text.len);
}

/* The body of a PEM file is what "x5c" wants. */
static void add_head(struct strbuf *out, const struct server *s)
{
	cleanup_json struct json *j = json_new_object();
	cleanup_strbuf struct strbuf pem = STRBUF_INIT, der = STRBUF_INIT;
	cleanup_strvec struct strvec lines = STRVEC_INIT;
	size_t i;

	if (fs_read_file(s->cert, 1 << 16, &pem, NULL) < 0)
		_exit(4);
	strvec_split(&lines, pem.buf, "\n");
	for (i = 0; i < lines.nr; i++)
		if (!str_starts(lines.v[i], "-----"))
			strbuf_addstr(&der, lines.v[i]);
	json_set_str(j, "alg", "RS256");
	json_set_str(j, "typ", "JWT");
	json_push(json_set(j, "x5c", json_new_array()), json_new_str(der.buf));
	add_json(out, j);
}

static char *unescape(const char *s, size_t n)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	size_t i;

	for (i = 0; i < n; i++) {
		char hex[3] = { s[i], 0, 0 };

		if (s[i] == '%' && i + 2 < n) {
			memcpy(hex, s + i + 1, 2);
			strbuf_addch(&out, (char)strtol(hex, NULL, 16));
			i += 2;
		} else {
			strbuf_addch(&out, s[i]);
		}
	}
	return strbuf_detach(&out);
}

/* "repository:NAME:pull,push" becomes an element of "access". */
static void grant(struct json *access, const char *scope, bool known)
{
	cleanup_strvec struct strvec part = STRVEC_INIT, what = STRVEC_INIT;
	struct json *one, *actions;
	size_t i;

	strvec_split(&part, scope, ":");
	if (part.nr != 3)
		return;
	one = json_push(access, json_new_object());
	json_set_str(one, "type", part.v[0]);
	json_set_str(one, "name", part.v[1]);
	actions = json_set(one, "actions", json_new_array());
	strvec_split(&what, part.v[2], ",");
	for (i = 0; i < what.nr; i++)
		if (known || str_eq(what.v[i], "pull"))
			json_push(actions, json_new_str(what.v[i]));
}

static void add_claims(struct strbuf *out, const struct request *q)
{
	cleanup_json struct json *j = json_new_object();
	cleanup_strvec struct strvec fields = STRVEC_INIT;
	struct json *access = json_set(j, "access", json_new_array());
	int64_t now = time(NULL);
	size_t i, k;

	json_set_str(j, "iss", ISSUER);
	json_set_str(j, "aud", "test-service");
	json_set_int(j, "nbf", now - 10);
	json_set_int(j, "exp", now + 300);
	strvec_split(&fields, q->fields, "&");
	for (i = 0; i < fields.nr && !str_eq(q->mode, "weak"); i++) {
		const char *value = str_skip(fields.v[i], "scope=");
		cleanup_free char *text = NULL;
		cleanup_strvec struct strvec scopes = STRVEC_INIT;

		if (!value)
			continue;
		text = unescape(value, strlen(value));
		strvec_split(&scopes, text, " ");
		for (k = 0; k < scopes.nr; k++)
			grant(access, scopes.v[k], q->known);
	}
	add_json(out, j);
}

static void sign(struct strbuf *out, const struct server *s)
{
	cleanup_proc struct proc p = PROC_INIT;
	cleanup_strbuf struct strbuf raw = STRBUF_INIT;

	strvec_push(&p.args, "openssl");
	strvec_push(&p.args, "dgst");
	strvec_push(&p.args, "-sha256");
	strvec_push(&p.args, "-sign");
	strvec_push(&p.args, s->key);
	if (proc_capture(&p, out, &raw, 4096, NULL) < 0 || p.status)
		_exit(4);
	strbuf_addch(out, '.');
	add_base64url(out, raw.buf, raw.len);
}

static void give(const struct server *s, int fd, const struct request *q)
{
	cleanup_strbuf struct strbuf token = STRBUF_INIT, body = STRBUF_INIT;
	cleanup_json struct json *j = json_new_object();
	bool access = str_eq(q->mode, "access");

	add_head(&token, s);
	strbuf_addch(&token, '.');
	add_claims(&token, q);
	sign(&token, s);
	json_set_str(j, access ? "access_token" : "token", token.buf);
	json_set_int(j, "expires_in", 300);
	json_write(&body, j, false);
	httpd_answer(fd, 200, "Content-Type: application/json\r\n", body.buf,
		     body.len);
}

static void text(int fd, int status, const char *body)
{
	httpd_answer(fd, status, "", body, strlen(body));
}

static bool two_scopes(const struct request *q)
{
	const char *first = strstr(q->fields, "scope=");

	return first && strstr(first + 1, "scope=");
}

static void serve(const struct server *s, int fd, const struct request *q)
{
	cleanup_strbuf struct strbuf huge = STRBUF_INIT;

	if (str_eq(q->mode, "stall")) {
		pause();
	} else if (str_eq(q->mode, "huge")) {
		while (huge.len < 1 << 20)
			strbuf_addstr(&huge, "                ");
		httpd_answer(fd, 200, "", huge.buf, huge.len);
	} else if (str_eq(q->mode, "junk")) {
		text(fd, 200, "<html>welcome</html>");
	} else if (str_eq(q->mode, "empty")) {
		text(fd, 200, "{\"token\":\"\",\"expires_in\":300}");
	} else if (str_eq(q->mode, "down")) {
		text(fd, 503, "under repair");
	} else if (str_eq(q->mode, "nopost") && str_eq(q->method, "POST")) {
		text(fd, 404, "no such page");
	} else if (str_eq(q->mode, "single") && two_scopes(q)) {
		text(fd, 403, "{\"errors\":[{\"code\":\"DENIED\"}]}");
	} else if (q->basic && !q->known) {
		text(fd, 401, "{\"details\":\"incorrect password\"}");
	} else {
		give(s, fd, q);
	}
}

static void read_form(struct request *q, int fd, const char *head)
{
	const char *s = httpd_field(head, "\r\nContent-Length: ");
	size_t n = s ? strtoul(s, NULL, 10) : 0;

	free(q->fields);
	q->fields = xcalloc(1, FORM_MAX + 1);
	if (n > FORM_MAX || fs_read_full(fd, q->fields, n) != (ssize_t)n)
		_exit(0);
	q->basic = strstr(q->fields, "refresh_token=");
	q->known = strstr(q->fields, "refresh_token=" IDENTITY);
}

static void read_credentials(struct request *q, const char *head)
{
	static const char *const known[] = { PASSWORD, "<token>:" IDENTITY };
	const char *s = httpd_field(head, "\r\nAuthorization: Basic ");
	size_t i;

	q->basic = s;
	for (i = 0; s && i < ARRAY_SIZE(known); i++) {
		cleanup_strbuf struct strbuf right = STRBUF_INIT;

		base64_encode(&right, known[i], strlen(known[i]));
		strbuf_addch(&right, '\r');
		q->known |= str_starts(s, right.buf);
	}
}

static bool parse(struct request *q, const struct server *s, int fd,
		  const char *head)
{
	cleanup_strbuf struct strbuf mode = STRBUF_INIT;
	const char *query;

	*q = (struct request){ 0 };
	if (sscanf(head, "%15s %4095s", q->method, q->path) != 2 ||
	    fs_read_file(s->mode_file, 15, &mode, NULL) < 0)
		return false;
	snprintf(q->mode, sizeof(q->mode), "%.*s", (int)strcspn(mode.buf, "\n"),
		 mode.buf);
	query = strchr(q->path, '?');
	q->fields = xstrdup(query ? query + 1 : "");
	if (str_eq(q->method, "POST"))
		read_form(q, fd, head);
	else
		read_credentials(q, head);
	return true;
}

static void connection(void *arg, int fd)
{
	static char head[HTTPD_HEAD_MAX];
	const struct server *s = arg;
	struct request q;

	while (httpd_head(fd, head) && parse(&q, s, fd, head)) {
		cleanup_free char *line =
			xstrfmt("%s %s%s\n", q.method, q.fields,
				q.basic ? " basic" : "");

		httpd_say(s->log, line, strlen(line));
		serve(s, fd, &q);
		free(q.fields);
	}
}

int main(int argc, char **argv)
{
	struct server s = { 0 };

	if (argc != 6)
		return 2;
	s.log = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	s.mode_file = argv[3];
	s.key = argv[4];
	s.cert = argv[5];
	if (s.log < 0) {
		perror(argv[2]);
		return 4;
	}
	return httpd_run((int)strtol(argv[1], NULL, 10), connection, &s);
}
