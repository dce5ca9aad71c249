/* http.h - HTTP requests over libcurl: streaming, retries, redirects */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WRAP_HTTP_H
#define WRAP_HTTP_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "wrap/gate.h"
#include "wrap/url.h"

/*
 * One client with its connections; single-threaded, many transfers at once.
 * Proxies come from the environment (never for loopback hosts), system roots
 * from SSL_CERT_FILE and SSL_CERT_DIR or the distribution's place. libcurl is
 * loaded by http_new.
 */
struct http;

struct http_options {
	const char *ca_file; /* PEM, added to the system's roots; NULL: none */
	const char *ca_pem;  /* the same as text */
	int stall_seconds;   /* without progress; 0: 60 */
	int tries;	     /* per transfer; 0: 5 */
	int tries_seconds;   /* after them no other try begins; 0: no limit */
	/* Hosts that a server may name, however far inside they are; copied. */
	const struct strvec *inner;
};

int http_new(struct http **out, const struct http_options *o,
	     struct error *err) MUST_CHECK;
void http_free(struct http *h); /* NULL is fine */
void http_free_ptr(struct http **h);
#define cleanup_http CLEANUP(http_free_ptr)
/* Waiting ends with an error after SIGINT or SIGTERM (base/signals.h), except
 * while this is true: what has to be undone may still be sent. */
void http_ignore_signals(struct http *h, bool ignore);

/* Is this one of the `inner` hosts? */
bool http_is_inner(const struct http *h, const char *host);

/* What a host needs besides the client's settings. */
struct http_tls {
	bool unverified;
	char *ca_pem;	/* further roots, or NULL */
	char *cert, *key; /* file names of a client certificate, or NULL */
	struct strbuf bundle; /* all roots together; made on first need */
};
#define HTTP_TLS_INIT { .bundle = STRBUF_INIT }
void http_tls_release(struct http_tls *tls);

/* Bytes of a successful answer; restart forgets all that were written. */
struct http_sink {
	int (*write)(void *arg, const void *data, size_t n, struct error *err);
	int (*restart)(void *arg, struct error *err);
	void *arg;
};

/*
 * A request, its answer and its way there. Set `method` and `url`, and what
 * else is needed; the rest starts as zero (HTTP_TRANSFER_INIT).
 *
 * Tried again, with growing pauses or as Retry-After says: failed
 * connections and 408, 429, 499, 500, 502, 503, 504, 522, unless `once`. A
 * broken download goes on where it stopped (Range). Redirects lose
 * Authorization and Cookie when they leave the origin, never go from https to
 * http, never further into a network than the host that named them, and end
 * after 10. A body is sent again only for 307 and 308.
 */
struct http_transfer {
	const char *method;
	char *url;
	struct strvec headers; /* "Name: value" */
	const void *body;
	uint64_t body_size;
	int body_fd; /* >= 0: the body is read from here, */
	uint64_t body_offset; /* from here on */
	struct http_tls *tls; /* NULL: defaults */
	const struct http_sink *sink; /* for status 200 and 206 */
	/* Bytes that the sink has, before and after: the rest is asked for. */
	uint64_t begin;
	size_t max;  /* bytes of an answer without sink; 0: 1 MiB */
	bool once;   /* not idempotent: neither retried nor resumed */
	int delay_ms; /* before the first try */
	enum url_reach limit; /* of the addresses that may be connected to */
	/* What the gate is asked about, before every attempt and redirect:
	 * GATE_URL is the URL itself; where an image is redirected, its host
	 * is. */
	enum gate_kind kind;
	const char *subject; /* of images, borrowed */
	bool mirror;
	void *user;
	/* answer */
	int status; /* 0: none came; err says why */
	struct strvec answer; /* headers, "Name: value" */
	struct strbuf content;
	enum url_reach peer; /* where it came from */
	bool no_tls;  /* the peer does not speak TLS */
	bool bad_cert;
	bool inward; /* an address further inside than `limit` was named */
	struct error err;
	struct http_flight *flight; /* private */
};
#define HTTP_TRANSFER_INIT \
	{ .method = "GET", .body_fd = -1, .limit = URL_LOCAL, \
	  .content = STRBUF_INIT }
#define cleanup_http_transfer CLEANUP(http_transfer_release)
/* Frees all but the fields that are const. Not while it is in flight. */
void http_transfer_release(struct http_transfer *t);
/* Forget the answer, to send the transfer once more. */
void http_transfer_reset(struct http_transfer *t);

/* Begin; `t` stays with the caller and must live until it has come back. */
void http_start(struct http *h, struct http_transfer *t);
/* The next transfer that ended, whichever: 1 one, 0 nothing is under way or
 * `timeout_ms` passed (-1: none), -1 interrupted. Its own failure is in
 * t->err. */
int http_next(struct http *h, struct http_transfer **t, int timeout_ms,
	      struct error *err) MUST_CHECK;
/* Start and wait for this one; others go on meanwhile. -1 with an error when
 * no answer came. */
int http_perform(struct http *h, struct http_transfer *t, struct error *err)
	MUST_CHECK;
/* Bytes of the body sent so far, while it is in flight. */
uint64_t http_sent(const struct http_transfer *t);
/* Take one, or all (NULL), out of the air. */
void http_abort(struct http *h, struct http_transfer *t);
/* The nth value of a header of the answer, or NULL. */
const char *http_header(const struct http_transfer *t, const char *name,
			size_t nth);

#endif
