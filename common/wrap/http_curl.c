/* http_curl.c - one attempt of a transfer: options and callbacks of libcurl */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/http_internal.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "wrap/noproxy.h"

#define HEADERS_MAX (256u << 10)
#define CONTENT_MAX (1u << 20)
#define CA_MAX (16u << 20)
#define CONNECT_SECONDS 15L
#define SYSTEM_ROOTS "/etc/ssl/certs/ca-certificates.crt"

static size_t on_header(char *data, size_t one, size_t n, void *arg)
{
	struct http_flight *f = arg;
	struct http_transfer *t = f->t;
	cleanup_free char *line = xstrndup(data, n * one);

	f->header_bytes += n;
	if (f->header_bytes > HEADERS_MAX)
		return 0;
	line[strcspn(line, "\r\n")] = '\0';
	if (str_starts(line, "HTTP/")) {
		const char *code = strchr(line, ' ');

		/* A new status line: what was before was interim. */
		strvec_release(&t->answer);
		t->status = code ? (int)strtol(code, NULL, 10) : 0;
	} else if (strchr(line, ':')) {
		strvec_push(&t->answer, line);
	}
	return n;
}

/* Does a partial answer go on where the sink stands? */
static bool range_fits(const struct http_flight *f)
{
	const char *range = http_header(f->t, "Content-Range", 0);
	const char *s = range ? str_skip(range, "bytes ") : NULL;

	return s && isdigit((unsigned char)*s) &&
	       strtoull(s, NULL, 10) == f->received;
}

int http_begin_body(struct http_flight *f, struct error *err)
{
	const struct http_sink *sink = f->t->sink;

	if (f->begun)
		return 0;
	f->begun = true;
	if (f->t->status == 206) {
		if (f->resumed && range_fits(f))
			return 0;
		return error_set(err, ERR_NETWORK,
				 "%s answered with a part that was not asked "
				 "for",
				 f->url.host);
	}
	if (!f->received)
		return 0;
	f->received = 0;
	return sink->restart(sink->arg, err);
}

static size_t keep_content(struct http_flight *f, const char *data, size_t n)
{
	struct http_transfer *t = f->t;
	size_t max = t->max ? t->max : CONTENT_MAX;

	if (n <= max - t->content.len) {
		strbuf_add(&t->content, data, n);
		return n;
	}
	if (t->status >= 300) {
		f->cut = true;
		return 0;
	}
	error_set(&t->err, ERR_NETWORK,
		  "%s: the answer is larger than the %zu bytes accepted",
		  f->url.host, max);
	return 0;
}

static size_t on_body(char *data, size_t one, size_t n, void *arg)
{
	struct http_flight *f = arg;
	struct http_transfer *t = f->t;

	n *= one;
	if (!t->sink || (t->status != 200 && t->status != 206))
		return keep_content(f, data, n);
	if (http_begin_body(f, &t->err) < 0 ||
	    t->sink->write(t->sink->arg, data, n, &t->err) < 0)
		return 0;
	f->received += n;
	return n;
}

static size_t on_read(char *out, size_t one, size_t n, void *arg)
{
	struct http_flight *f = arg;
	struct http_transfer *t = f->t;
	uint64_t left = t->body_size - f->sent;
	ssize_t got;

	n = (size_t)MIN(left, n * one);
	if (t->body_fd < 0) {
		memcpy(out, (const char *)t->body + f->sent, n);
		f->sent += n;
		return n;
	}
	got = n ? pread(t->body_fd, out, n, (off_t)(t->body_offset + f->sent))
		: 0;
	if (got < 0 || (n && !got)) {
		error_set(&t->err, ERR_SYSTEM,
			  "cannot read what is being sent to %s: %s",
			  f->url.host,
			  got < 0 ? strerror(errno) : "it became shorter");
		return CURL_READFUNC_ABORT;
	}
	f->sent += (uint64_t)got;
	return (size_t)got;
}

/* libcurl sends a body once more, unasked, when a connection that was open
 * before breaks. What must not come twice fails instead. */
static int on_seek(void *arg, curl_off_t offset, int origin)
{
	struct http_flight *f = arg;

	if (f->t->once && f->sent)
		return CURL_SEEKFUNC_FAIL;
	if (origin != SEEK_SET || offset < 0 ||
	    (uint64_t)offset > f->t->body_size)
		return CURL_SEEKFUNC_FAIL;
	f->sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* Hosts of an inner network that were allowed by name may be named by
 * anybody; what is nobody's to name stays so. */
static enum url_reach limit_of(const struct http_flight *f)
{
	if (http_is_inner(f->h, f->url.host))
		return MAX(f->limit, URL_LOOPBACK);
	return f->limit;
}

static bool is_inward(const struct http_flight *f, char *ip)
{
	ip[strcspn(ip, "%")] = '\0';
	return !f->proxied && url_address_reach(ip) > limit_of(f);
}

/* The address is checked where it is used: a name cannot change its meaning
 * between a check and the connection. */
static curl_socket_t on_socket(void *arg, curlsocktype purpose,
			       struct curl_sockaddr *a)
{
	struct http_flight *f = arg;
	char host[64] = "";

	if (purpose != CURLSOCKTYPE_IPCXN)
		return CURL_SOCKET_BAD;
	getnameinfo(&a->addr, a->addrlen, host, sizeof(host), NULL, 0,
		    NI_NUMERICHOST);
	if (is_inward(f, host)) {
		f->blocked = true;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* A connection that is open already may be another transfer's, which might go
 * further. */
static int on_connected(void *arg, char *ip, char *own UNUSED, int port UNUSED,
			int own_port UNUSED)
{
	struct http_flight *f = arg;
	char host[64];

	snprintf(host, sizeof(host), "%s", ip);
	if (!is_inward(f, host))
		return CURL_PREREQFUNC_OK;
	f->blocked = true;
	return CURL_PREREQFUNC_ABORT;
}

static const char *env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* Upper-case HTTP_PROXY may come from a request's "Proxy:" header where this
 * runs below a CGI server. */
static const char *proxy_for(const struct url *u)
{
	const char *proxy;

	if (url_host_is_loopback(u->host) || noproxy_names(u->host, u->port))
		return NULL;
	if (u->tls) {
		proxy = env("https_proxy");
		if (!proxy)
			proxy = env("HTTPS_PROXY");
	} else {
		proxy = env("http_proxy");
		if (!proxy && !env("REQUEST_METHOD"))
			proxy = env("HTTP_PROXY");
	}
	if (!proxy)
		proxy = env("all_proxy");
	return proxy ? proxy : env("ALL_PROXY");
}

static int add_roots(struct strbuf *bundle, const struct http *h,
		     const struct http_tls *tls, struct error *err)
{
	const char *file = env("SSL_CERT_FILE");

	if (!file && fs_is_file(SYSTEM_ROOTS))
		file = SYSTEM_ROOTS;
	if (file && fs_read_file(file, CA_MAX, bundle, err) < 0)
		return -1;
	strbuf_addch(bundle, '\n');
	strbuf_add(bundle, h->ca_pem.buf, h->ca_pem.len);
	strbuf_addch(bundle, '\n');
	if (tls && tls->ca_pem)
		strbuf_addstr(bundle, tls->ca_pem);
	return 0;
}

/* Without further roots libcurl's own way is taken: it keeps the parsed
 * store from connection to connection. */
static int set_roots(struct http_flight *f, struct error *err)
{
	const struct http_lib *l = &f->h->lib;
	struct http_tls *tls = f->foreign ? NULL : f->t->tls;
	struct curl_blob blob;

	if (env("SSL_CERT_DIR"))
		l->curl_easy_setopt(f->easy, CURLOPT_CAPATH,
				    env("SSL_CERT_DIR"));
	if (!f->h->ca_pem.len && !(tls && tls->ca_pem)) {
		if (env("SSL_CERT_FILE"))
			l->curl_easy_setopt(f->easy, CURLOPT_CAINFO,
					    env("SSL_CERT_FILE"));
		return 0;
	}
	if (tls && !tls->bundle.len &&
	    add_roots(&tls->bundle, f->h, tls, err) < 0)
		return -1;
	if (tls) {
		blob = (struct curl_blob){ tls->bundle.buf, tls->bundle.len,
					   CURL_BLOB_NOCOPY };
		l->curl_easy_setopt(f->easy, CURLOPT_CAINFO_BLOB, &blob);
	} else {
		cleanup_strbuf struct strbuf all = STRBUF_INIT;

		if (add_roots(&all, f->h, NULL, err) < 0)
			return -1;
		blob = (struct curl_blob){ all.buf, all.len, CURL_BLOB_COPY };
		l->curl_easy_setopt(f->easy, CURLOPT_CAINFO_BLOB, &blob);
	}
	return 0;
}

static int set_tls(struct http_flight *f, struct error *err)
{
	const struct http_lib *l = &f->h->lib;
	/* What was said about a host holds for this host only. */
	const struct http_tls *tls = f->foreign ? NULL : f->t->tls;

	l->curl_easy_setopt(f->easy, CURLOPT_SSLVERSION,
			    (long)CURL_SSLVERSION_TLSv1_2);
	if (tls && tls->unverified) {
		l->curl_easy_setopt(f->easy, CURLOPT_SSL_VERIFYPEER, 0L);
		l->curl_easy_setopt(f->easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (tls && tls->cert) {
		l->curl_easy_setopt(f->easy, CURLOPT_SSLCERT, tls->cert);
		l->curl_easy_setopt(f->easy, CURLOPT_SSLKEY, tls->key);
	}
	return f->url.tls ? set_roots(f, err) : 0;
}

static bool is_credential(const char *header)
{
	return !strncasecmp(header, "Authorization:", 14) ||
	       !strncasecmp(header, "Cookie:", 7);
}

static void set_headers(struct http_flight *f)
{
	const struct http_lib *l = &f->h->lib;
	bool has_type = false;
	char range[48];
	size_t i;

	for (i = 0; i < f->t->headers.nr; i++) {
		const char *s = f->t->headers.v[i];

		if (f->foreign && is_credential(s))
			continue;
		has_type |= !strncasecmp(s, "Content-Type:", 13);
		f->list = l->curl_slist_append(f->list, s);
	}
	if (!has_type)
		f->list = l->curl_slist_append(f->list, "Content-Type:");
	f->list = l->curl_slist_append(f->list, "Expect:");
	f->resumed = f->received > 0;
	if (f->resumed) {
		snprintf(range, sizeof(range), "Range: bytes=%llu-",
			 (unsigned long long)f->received);
		f->list = l->curl_slist_append(f->list, range);
	}
	l->curl_easy_setopt(f->easy, CURLOPT_HTTPHEADER, f->list);
	l->curl_easy_setopt(f->easy, CURLOPT_USERAGENT, "devenv");
}

static void set_method(struct http_flight *f)
{
	const struct http_lib *l = &f->h->lib;
	const struct http_transfer *t = f->t;

	if (str_eq(t->method, "HEAD")) {
		l->curl_easy_setopt(f->easy, CURLOPT_NOBODY, 1L);
	} else if (t->body || t->body_fd >= 0 || str_eq(t->method, "PUT")) {
		l->curl_easy_setopt(f->easy, CURLOPT_UPLOAD, 1L);
		l->curl_easy_setopt(f->easy, CURLOPT_INFILESIZE_LARGE,
				    (curl_off_t)t->body_size);
	} else if (str_eq(t->method, "POST")) {
		l->curl_easy_setopt(f->easy, CURLOPT_POSTFIELDSIZE, 0L);
		l->curl_easy_setopt(f->easy, CURLOPT_POSTFIELDS, "");
	}
	if (!str_eq(t->method, "GET") && !str_eq(t->method, "HEAD"))
		l->curl_easy_setopt(f->easy, CURLOPT_CUSTOMREQUEST, t->method);
}

static void set_callbacks(struct http_flight *f)
{
	const struct http_lib *l = &f->h->lib;

	l->curl_easy_setopt(f->easy, CURLOPT_HEADERFUNCTION, on_header);
	l->curl_easy_setopt(f->easy, CURLOPT_HEADERDATA, f);
	l->curl_easy_setopt(f->easy, CURLOPT_WRITEFUNCTION, on_body);
	l->curl_easy_setopt(f->easy, CURLOPT_WRITEDATA, f);
	l->curl_easy_setopt(f->easy, CURLOPT_READFUNCTION, on_read);
	l->curl_easy_setopt(f->easy, CURLOPT_READDATA, f);
	l->curl_easy_setopt(f->easy, CURLOPT_SEEKFUNCTION, on_seek);
	l->curl_easy_setopt(f->easy, CURLOPT_SEEKDATA, f);
	l->curl_easy_setopt(f->easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	l->curl_easy_setopt(f->easy, CURLOPT_OPENSOCKETDATA, f);
	l->curl_easy_setopt(f->easy, CURLOPT_PREREQFUNCTION, on_connected);
	l->curl_easy_setopt(f->easy, CURLOPT_PREREQDATA, f);
	l->curl_easy_setopt(f->easy, CURLOPT_ERRORBUFFER, f->text);
	l->curl_easy_setopt(f->easy, CURLOPT_PRIVATE, f);
}

static void set_network(struct http_flight *f)
{
	const struct http_lib *l = &f->h->lib;
	const char *proxy = proxy_for(&f->url);
	/* After the last byte of an upload a registry may hash for long. */
	long stall = f->h->stall_seconds * (f->t->body_size ? 5L : 1L);

	f->proxied = proxy;
	l->curl_easy_setopt(f->easy, CURLOPT_PROXY, proxy ? proxy : "");
	/* It was looked at already: without a proxy addresses are checked. */
	l->curl_easy_setopt(f->easy, CURLOPT_NOPROXY, "");
	l->curl_easy_setopt(f->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	l->curl_easy_setopt(f->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	l->curl_easy_setopt(f->easy, CURLOPT_HTTP_VERSION,
			    (long)CURL_HTTP_VERSION_2TLS);
	l->curl_easy_setopt(f->easy, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	l->curl_easy_setopt(f->easy, CURLOPT_LOW_SPEED_LIMIT, 1024L);
	l->curl_easy_setopt(f->easy, CURLOPT_LOW_SPEED_TIME, stall);
	l->curl_easy_setopt(f->easy, CURLOPT_BUFFERSIZE, 256L << 10);
	l->curl_easy_setopt(f->easy, CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10);
	l->curl_easy_setopt(f->easy, CURLOPT_TCP_KEEPALIVE, 1L);
}

/* May this be contacted? Its signature in a query is nobody's business. */
static int ask_gate(const struct http_flight *f, struct error *err)
{
	const struct http_transfer *t = f->t;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct gate_question q = { .kind = t->kind,
				   .name = t->subject,
				   .mirror = t->mirror && !f->foreign };

	if (f->foreign && q.kind != GATE_URL)
		q.kind = GATE_HOST;
	if (q.kind == GATE_URL || q.kind == GATE_HOST) {
		url_format(&f->url, &text);
		strbuf_setlen(&text, strcspn(text.buf, "?"));
		q.name = text.buf;
	}
	return gate_connect(&q, err);
}

int http_launch(struct http_flight *f, struct error *err)
{
	const struct http_lib *l = &f->h->lib;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	http_transfer_reset(f->t);
	f->begun = f->cut = f->blocked = false;
	f->sent = f->header_bytes = 0;
	f->text[0] = '\0';
	f->t->inward = url_address_reach(f->url.host) > limit_of(f);
	if (f->t->inward)
		return error_set(err, ERR_NETWORK,
				 "%s lies further inside the network than the "
				 "host that named it",
				 f->url.host);
	if (ask_gate(f, err) < 0)
		return -1;
	f->easy = l->curl_easy_init();
	if (!f->easy)
		return error_set(err, ERR_SYSTEM, "libcurl does not start");
	url_format(&f->url, &text);
	l->curl_easy_setopt(f->easy, CURLOPT_URL, text.buf);
	set_callbacks(f);
	set_network(f);
	set_method(f);
	set_headers(f);
	if (set_tls(f, err) < 0)
		return -1;
	log_debug("%s %s://%s:%u%.*s", f->t->method,
		  f->url.tls ? "https" : "http", f->url.host, f->url.port,
		  (int)strcspn(f->url.rest, "?"), f->url.rest);
	if (l->curl_multi_add_handle(f->h->multi, f->easy) != CURLM_OK)
		return error_set(err, ERR_SYSTEM, "libcurl does not start");
	f->flying = true;
	return 0;
}
