/* http.c - transfers: start, wait, try again, follow redirects */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/http_internal.h"

#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/signals.h"
#include "wrap/digest.h"

#define REDIRECTS_MAX 10
#define CA_MAX (4u << 20)
#define PAUSE_CAP_MS 30000
#define RETRY_AFTER_CAP_S 120

static const struct lazy_symbol symbols[] = {
#define ROW(name) LAZY_ROW(struct http_lib, name)
	HTTP_FUNCTIONS(ROW)
#undef ROW
};

int http_new(struct http **out, const struct http_options *o,
	     struct error *err)
{
	cleanup_http struct http *h = xcalloc(1, sizeof(*h));

	h->ca_pem = (struct strbuf)STRBUF_INIT;
	h->stall_seconds = o->stall_seconds ? o->stall_seconds : 60;
	h->tries = o->tries ? o->tries : 5;
	h->tries_seconds = o->tries_seconds;
	if (o->inner)
		strvec_copy(&h->inner, o->inner);
	if (o->ca_file && fs_read_file(o->ca_file, CA_MAX, &h->ca_pem,
				       err) < 0)
		return -1;
	if (o->ca_pem) {
		strbuf_addch(&h->ca_pem, '\n');
		strbuf_addstr(&h->ca_pem, o->ca_pem);
	}
	if (lazy_load("libcurl.so.4", "libcurl4", symbols,
		      ARRAY_SIZE(symbols), &h->lib, err) < 0)
		return -1;
	if (h->lib.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return error_set(err, ERR_SYSTEM, "libcurl does not start");
	h->multi = h->lib.curl_multi_init();
	if (!h->multi)
		return error_set(err, ERR_SYSTEM, "libcurl does not start");
	*out = steal_ptr(&h);
	return 0;
}

static void ground(struct http_flight *f)
{
	const struct http_lib *l = &f->h->lib;

	if (f->flying)
		l->curl_multi_remove_handle(f->h->multi, f->easy);
	f->flying = false;
	if (f->easy)
		l->curl_easy_cleanup(f->easy);
	f->easy = NULL;
	l->curl_slist_free_all(f->list);
	f->list = NULL;
}

static void flight_end(struct http_flight *f)
{
	struct http *h = f->h;
	size_t i;

	for (i = 0; i < h->n; i++)
		if (h->flights[i] == f)
			break;
	memmove(h->flights + i, h->flights + i + 1,
		(h->n - i - 1) * sizeof(struct http_flight *));
	h->n--;
	ground(f);
	/* Sent once more, it goes on where the sink stands. */
	f->t->begin = f->received;
	f->t->flight = NULL;
	url_release(&f->url);
	free(f);
}

void http_abort(struct http *h, struct http_transfer *t)
{
	if (t) {
		if (t->flight)
			flight_end(t->flight);
		return;
	}
	while (h->n)
		flight_end(h->flights[h->n - 1]);
}

void http_free(struct http *h)
{
	if (!h)
		return;
	http_abort(h, NULL);
	if (h->multi)
		h->lib.curl_multi_cleanup(h->multi);
	free(h->flights);
	strbuf_release(&h->ca_pem);
	strvec_release(&h->inner);
	free(h);
}

bool http_is_inner(const struct http *h, const char *host)
{
	return strvec_has(&h->inner, host);
}

void http_free_ptr(struct http **h)
{
	http_free(*h);
}

void http_ignore_signals(struct http *h, bool ignore)
{
	h->ignore_signals = ignore;
}

void http_tls_release(struct http_tls *tls)
{
	free(tls->ca_pem);
	free(tls->cert);
	free(tls->key);
	strbuf_release(&tls->bundle);
	*tls = (struct http_tls)HTTP_TLS_INIT;
}

void http_transfer_reset(struct http_transfer *t)
{
	t->status = 0;
	t->no_tls = t->bad_cert = t->inward = false;
	strvec_release(&t->answer);
	strbuf_reset(&t->content);
	error_release(&t->err);
}

void http_transfer_release(struct http_transfer *t)
{
	free(t->url);
	t->url = NULL;
	strvec_release(&t->headers);
	strvec_release(&t->answer);
	strbuf_release(&t->content);
	error_release(&t->err);
}

const char *http_header(const struct http_transfer *t, const char *name,
			size_t nth)
{
	size_t i, n = strlen(name);

	for (i = 0; i < t->answer.nr; i++) {
		const char *s = t->answer.v[i];

		if (strncasecmp(s, name, n) || s[n] != ':' || nth--)
			continue;
		s += n + 1;
		return s + strspn(s, " \t");
	}
	return NULL;
}

static void launch(struct http_flight *f)
{
	cleanup_error struct error err = ERROR_INIT;

	f->due_ms = 0;
	f->tries++;
	if (http_launch(f, &err) == 0)
		return;
	ground(f);
	f->t->status = 0;
	error_move(&f->t->err, &err);
	f->done = true;
}

void http_start(struct http *h, struct http_transfer *t)
{
	struct http_flight *f = xcalloc(1, sizeof(*f));
	cleanup_error struct error err = ERROR_INIT;

	*f = (struct http_flight){ .h = h, .t = t, .limit = t->limit,
				   .received = t->begin };
	GROW(h->flights, h->n, h->alloc);
	h->flights[h->n++] = f;
	t->flight = f;
	f->first_ms = clock_ms() + t->delay_ms;
	http_transfer_reset(t);
	if (url_parse(&f->url, t->url, &err) < 0) {
		error_move(&t->err, &err);
		f->done = true;
		return;
	}
	if (t->delay_ms)
		f->due_ms = clock_ms() + t->delay_ms;
	else
		launch(f);
}

uint64_t http_sent(const struct http_transfer *t)
{
	return t->flight ? t->flight->sent : 0;
}

static bool status_is_transient(int status)
{
	switch (status) {
	case 408:
	case 429:
	case 499:
	case 500:
	case 502:
	case 503:
	case 504:
	case 522:
		return true;
	default:
		return false;
	}
}

/* How often a failure of this kind is worth another try; 0: never. */
static int tries_for(const struct http_flight *f, CURLcode rc)
{
	if (f->t->once || f->blocked)
		return 0;
	switch (rc) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
		return MIN(2, f->h->tries);
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		return f->h->tries;
	default:
		return 0;
	}
}

/* May another try begin after `pause` milliseconds? */
static bool in_time(const struct http_flight *f, int64_t pause)
{
	return !f->h->tries_seconds ||
	       clock_ms() + pause - f->first_ms <=
		       (int64_t)f->h->tries_seconds * 1000;
}

/* Pauses double from try to try; a tenth of each is chance, so that many
 * clients that failed together do not come back together. */
static int64_t pause_ms(const struct http_flight *f, int64_t first)
{
	int64_t ms = first << MIN(f->tries - 1, 10);
	uint8_t chance;

	random_bytes(&chance, 1);
	ms = MIN(ms, PAUSE_CAP_MS);
	return ms + ms * chance / 2560;
}

static void try_again(struct http_flight *f, int64_t ms, const char *why)
{
	cleanup_error struct error err = ERROR_INIT;

	log_info("%s: %s; trying again in %lld.%lld s", f->url.host, why,
		 (long long)ms / 1000, (long long)ms % 1000 / 100);
	ground(f);
	f->foreign = false;
	f->redirects = 0;
	f->limit = f->t->limit;
	url_release(&f->url);
	if (url_parse(&f->url, f->t->url, &err) < 0) {
		error_move(&f->t->err, &err);
		f->done = true;
		return;
	}
	f->due_ms = clock_ms() + ms;
}

static const char *failure_text(const struct http_flight *f, CURLcode rc)
{
	if (rc == CURLE_OPERATION_TIMEDOUT && str_starts(f->text, "Operation"))
		return "the transfer stalled";
	return f->text[0] ? f->text : f->h->lib.curl_easy_strerror(rc);
}

static void fail(struct http_flight *f, CURLcode rc)
{
	struct http_transfer *t = f->t;
	const char *text = failure_text(f, rc);

	f->done = true;
	t->status = 0;
	t->no_tls = rc == CURLE_SSL_CONNECT_ERROR;
	t->bad_cert = rc == CURLE_PEER_FAILED_VERIFICATION;
	t->inward = f->blocked;
	if (error_is(&t->err))
		return;
	if (f->blocked)
		error_set(&t->err, ERR_NETWORK,
			  "%s has an address further inside the network than "
			  "the host that named it",
			  f->url.host);
	else
		error_set(&t->err, ERR_NETWORK, "%s: %s", f->url.host, text);
}

/* 301 to 303 turn anything with a body into a GET: not followed then. */
static bool is_redirect(const struct http_flight *f)
{
	const struct http_transfer *t = f->t;
	bool plain = str_eq(t->method, "GET") || str_eq(t->method, "HEAD");

	if (!http_header(t, "Location", 0))
		return false;
	return t->status == 307 || t->status == 308 ||
	       (plain && t->status >= 301 && t->status <= 303);
}

static int redirect(struct http_flight *f, struct error *err)
{
	const char *place = http_header(f->t, "Location", 0);
	struct url next = { 0 };

	if (++f->redirects > REDIRECTS_MAX)
		return error_set(err, ERR_NETWORK,
				 "%s: more than %d redirects", f->url.host,
				 REDIRECTS_MAX);
	if (url_resolve(&next, &f->url, place, err) < 0)
		return error_wrap(err, "%s: redirect", f->url.host);
	if (f->url.tls && !next.tls) {
		url_release(&next);
		return error_set(err, ERR_NETWORK,
				 "%s: redirect from https to http is not "
				 "followed",
				 f->url.host);
	}
	if (!url_same_origin(&f->url, &next))
		f->foreign = true;
	f->limit = MIN(f->limit, f->t->peer);
	url_release(&f->url);
	f->url = next;
	return 0;
}

static void answered(struct http_flight *f)
{
	struct http_transfer *t = f->t;
	curl_off_t after = 0;
	int64_t pause;
	char why[32];

	f->h->lib.curl_easy_getinfo(f->easy, CURLINFO_RETRY_AFTER, &after);
	after = MIN(MAX(after, 0), RETRY_AFTER_CAP_S);
	pause = after ? (int64_t)after * 1000 : pause_ms(f, 1000);
	if (!t->once && f->tries < f->h->tries &&
	    status_is_transient(t->status) && in_time(f, pause)) {
		snprintf(why, sizeof(why), "status %d", t->status);
		try_again(f, pause, why);
		return;
	}
	if (t->status == 416 && f->received && f->tries < f->h->tries) {
		f->received = 0;
		if (t->sink->restart(t->sink->arg, &t->err) == 0) {
			try_again(f, 0, "the rest cannot be had alone");
			return;
		}
	} else if (is_redirect(f)) {
		if (redirect(f, &t->err) == 0) {
			ground(f);
			f->tries--;
			launch(f);
			return;
		}
		t->status = 0;
	} else if (t->sink && (t->status == 200 || t->status == 206)) {
		/* An empty body never reached the callback. */
		if (http_begin_body(f, &t->err) < 0)
			t->status = 0;
	}
	f->done = true;
}

static void landed(struct http_flight *f, CURLcode rc)
{
	struct http_transfer *t = f->t;
	int64_t pause = pause_ms(f, 200);
	const char *ip = NULL;

	f->h->lib.curl_easy_getinfo(f->easy, CURLINFO_PRIMARY_IP, &ip);
	if (f->proxied || !ip)
		ip = f->url.host;
	t->peer = url_address_reach(ip);
	if (rc == CURLE_OK || f->cut)
		answered(f);
	else if (!error_is(&t->err) && f->tries < tries_for(f, rc) &&
		 in_time(f, pause))
		try_again(f, pause, failure_text(f, rc));
	else
		fail(f, rc);
	if (f->done)
		ground(f);
}

static struct http_flight *find_easy(struct http *h, CURL *easy)
{
	size_t i;

	for (i = 0; i < h->n; i++)
		if (h->flights[i]->easy == easy)
			return h->flights[i];
	return NULL;
}

/* Do what can be done now. Returns the time until the next retry. */
static int64_t pump(struct http *h)
{
	int64_t now = clock_ms(), wait = 1000;
	int running, left;
	CURLMsg *m;
	size_t i;

	for (i = 0; i < h->n; i++) {
		struct http_flight *f = h->flights[i];

		if (!f->due_ms || f->done)
			continue;
		if (f->due_ms <= now)
			launch(f);
		else
			wait = MIN(wait, f->due_ms - now);
	}
	h->lib.curl_multi_perform(h->multi, &running);
	while ((m = h->lib.curl_multi_info_read(h->multi, &left))) {
		CURLcode rc = m->data.result;
		struct http_flight *f = find_easy(h, m->easy_handle);

		if (m->msg == CURLMSG_DONE && f) {
			landed(f, rc);
			wait = 0;
		}
	}
	return wait;
}

static int rest(struct http *h, int64_t ms, struct error *err)
{
	if (!h->ignore_signals && signals_check(err) < 0)
		return -1;
	h->lib.curl_multi_poll(h->multi, NULL, 0, (int)ms, NULL);
	return h->ignore_signals ? 0 : signals_check(err);
}

static struct http_flight *any_done(const struct http *h)
{
	size_t i;

	for (i = 0; i < h->n; i++)
		if (h->flights[i]->done)
			return h->flights[i];
	return NULL;
}

int http_next(struct http *h, struct http_transfer **t, int timeout_ms,
	      struct error *err)
{
	int64_t end = clock_ms() + timeout_ms, wait;
	struct http_flight *f;

	for (;;) {
		wait = pump(h);
		f = any_done(h);
		if (f) {
			*t = f->t;
			flight_end(f);
			return 1;
		}
		if (!h->n || (timeout_ms >= 0 && clock_ms() >= end))
			return 0;
		if (timeout_ms >= 0)
			wait = MIN(wait, MAX(end - clock_ms(), 0));
		if (rest(h, wait, err) < 0)
			return -1;
	}
}

int http_perform(struct http *h, struct http_transfer *t, struct error *err)
{
	http_start(h, t);
	while (!t->flight->done) {
		int64_t wait = pump(h);

		if (t->flight->done)
			break;
		if (rest(h, wait, err) < 0) {
			http_abort(h, t);
			return -1;
		}
	}
	flight_end(t->flight);
	if (!t->status)
		return error_move(err, &t->err);
	return 0;
}
