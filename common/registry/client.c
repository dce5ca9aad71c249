/* client.c - calls to a registry: requests, answers, refusals */
/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/internal.h"

#include <time.h>

#include "base/log.h"
#include "base/units.h"

#define TICK_MS 250
#define WORDS_MAX 300
#define TOLD_MIN 65536 /* bytes that take long enough to be read of */

int64_t registry_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int open_http(const struct registry_options *o,
		     const struct strvec *inner, struct http **out,
		     struct error *err)
{
	cleanup_strbuf struct strbuf pem = STRBUF_INIT;
	struct http_options h = { .ca_file = o->ca_file,
				  .stall_seconds = o->stall_seconds,
				  .tries = o->retries,
				  .tries_seconds = o->timeout_seconds,
				  .inner = inner };

	if (o->ca_base64 && *o->ca_base64) {
		if (base64_decode(&pem, o->ca_base64, err) < 0)
			return error_wrap(err, "certificates in base64");
		h.ca_pem = pem.buf;
	}
	return http_new(out, &h, err);
}

int registry_http(const struct registry_options *o, struct http **out,
		  struct error *err)
{
	return open_http(o, NULL, out, err);
}

int registry_new(struct registry **out, const struct registry_options *o,
		 struct error *err)
{
	cleanup_registry struct registry *r = xcalloc(1, sizeof(*r));

	r->o = *o;
	r->o.parallel = o->parallel ? o->parallel : 4;
	strvec_copy(&r->insecure, &o->insecure);
	strvec_copy(&r->unverified, &o->unverified);
	if (o->chunk_size && *o->chunk_size &&
	    units_size(o->chunk_size, &r->chunk_size, err) < 0)
		return error_wrap(err, "--chunk-size");
	if (registry_mirrors_load(r, &o->mirrors, err) < 0 ||
	    open_http(o, &o->private_realms, &r->http, err) < 0)
		return -1;
	*out = steal_ptr(&r);
	return 0;
}

void registry_free(struct registry *r)
{
	size_t i;

	if (!r)
		return;
	http_free(r->http);
	for (i = 0; i < r->n_hosts; i++)
		registry_host_free(r->hosts[i]);
	free(r->hosts);
	registry_config_release(&r->config);
	registry_mirrors_release(r);
	strvec_release(&r->insecure);
	strvec_release(&r->unverified);
	free(r);
}

void registry_free_ptr(struct registry **r)
{
	registry_free(*r);
}

static struct registry_host *find_host(struct registry *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->n_hosts; i++)
		if (str_eq(r->hosts[i]->name, name))
			return r->hosts[i];
	GROW(r->hosts, r->n_hosts, r->alloc_hosts);
	r->hosts[r->n_hosts] = registry_host_new(r, name);
	return r->hosts[r->n_hosts++];
}

void registry_call_init(struct registry_call *call, struct registry *r,
			const struct oci_ref *ref, bool push)
{
	*call = (struct registry_call){ .r = r,
					.host = find_host(r, ref->host),
					.repository = ref->repository,
					.push = push };
	call->name = xstrfmt("%s/%s", ref->host, ref->repository);
	call->t = (struct http_transfer)HTTP_TRANSFER_INIT;
	call->t.user = call;
	call->t.kind = push ? GATE_PUSH : GATE_IMAGE;
	call->t.subject = call->name;
	call->t.mirror = registry_is_mirror(r, ref->host);
}

void registry_call_release(struct registry_call *call)
{
	http_abort(call->r->http, &call->t);
	http_transfer_release(&call->t);
	free(call->path);
	free(call->name);
	free(call->secret_header);
}

void registry_call_to(struct registry_call *call, const char *method,
		      char *path)
{
	struct http_transfer *t = &call->t;

	free(call->path);
	call->path = path;
	call->elsewhere = false;
	call->authorised = false;
	t->method = method;
	strvec_release(&t->headers);
	t->body = NULL;
	t->body_size = 0;
	t->body_offset = 0;
	t->body_fd = -1;
	t->once = false;
	t->delay_ms = 0;
	t->limit = URL_LOCAL;
}

static void set_authorization(struct registry_call *call)
{
	struct strvec *headers = &call->t.headers;
	const char *header = call->elsewhere ? NULL
					     : registry_auth_header(call);

	if (headers->nr && str_starts(headers->v[headers->nr - 1],
				      "Authorization: "))
		strvec_pop(headers);
	free(call->secret_header);
	call->secret_header = xstrdup_null(header);
	if (header)
		strvec_push(headers, header);
}

static void send_call(struct registry_call *call)
{
	struct registry_host *host = call->host;
	struct http_transfer *t = &call->t;

	if (call->path) {
		free(t->url);
		t->url = registry_host_url(host, call->path);
		t->once = host->scheme == SCHEME_PROBE_HTTP;
	}
	t->tls = call->elsewhere ? NULL : &host->tls;
	t->kind = call->elsewhere ? GATE_HOST
		  : call->push	  ? GATE_PUSH
				  : GATE_IMAGE;
	set_authorization(call);
	call->sent = host->scheme;
	http_start(call->r->http, t);
}

static void add_word(struct strbuf *out, const char *word)
{
	if (!word || !*word || out->len > WORDS_MAX)
		return;
	if (out->len)
		strbuf_addstr(out, ": ");
	strbuf_add_safe(out, word, strnlen(word, WORDS_MAX));
}

/* Text, or whatever a registry finds worth saying: a digest that it lacks. */
static void add_detail(struct strbuf *out, const struct json *detail)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (json_kind(detail) == JSON_OBJECT || json_kind(detail) == JSON_ARRAY)
		json_write(&text, detail, false);
	add_word(out, text.len ? text.buf : json_str(detail));
}

void registry_words(struct strbuf *out, const struct http_transfer *t)
{
	static const char *const others[] = { "message", "details", "error",
					      "error_description" };
	cleanup_json struct json *j = NULL;
	cleanup_free char *line = NULL;
	const struct json *e;
	size_t i;

	if (t->content.len)
		j = json_parse("errors", t->content.buf, t->content.len, NULL);
	for (e = json_first(json_get(j, "errors")); e; e = json_next(e)) {
		add_word(out, json_get_str(e, "code"));
		add_word(out, json_get_str(e, "message"));
		add_detail(out, json_get(e, "detail"));
	}
	for (i = 0; i < ARRAY_SIZE(others); i++)
		add_word(out, json_get_str(j, others[i]));
	if (out->len || strchr(t->content.buf, '<'))
		return;
	line = xstrndup(t->content.buf, strcspn(t->content.buf, "\r\n"));
	add_word(out, line);
}

static int advise(const struct registry_call *call, struct error *err)
{
	const char *host = call->host->name;

	if (call->t.status == 413)
		return error_hint(err, "a proxy in front of %s limits the size "
				       "of a request: send blobs in parts with "
				       "--chunk-size",
				  host);
	if (call->t.status == 409 || call->t.status == 412)
		return error_hint(err, "the tag may be immutable: push another "
				       "one");
	if (call->t.status == 404 && strstr(err->msg, "NAME_UNKNOWN"))
		return error_hint(err, "there is no '%s'; some registries want "
				       "it made before the first push",
				  call->repository);
	if (call->t.status != 401 && call->t.status != 403)
		return -1;
	if (call->host->used)
		return error_hint(err, "used %s", call->host->used);
	return error_hint(err, "no credentials for %s were found: log in with "
			       "'docker login %s', or name a file with "
			       "--docker-config or DOCKER_CONFIG",
			  host, host);
}

int registry_refused(const struct registry_call *call, struct error *err)
{
	cleanup_strbuf struct strbuf words = STRBUF_INIT;
	int status = call->t.status;

	registry_words(&words, &call->t);
	error_set(err, status >= 500 ? ERR_NETWORK : ERR_REFUSED,
		  "%s answered with status %d%s%s", call->host->name, status,
		  words.len ? ": " : "", words.buf);
	return advise(call, err);
}

int registry_unreachable(struct registry_call *call, struct error *err)
{
	const char *name = call->host->name;

	error_move(err, &call->t.err);
	if (call->t.inward)
		return error_hint(err, "if that is where %s keeps its blobs, "
				       "allow the host with "
				       "--allow-private-realm", name);
	if (call->t.bad_cert)
		return error_hint(err, "give the authority that signed for %s "
				       "with --ca-file, or allow it unverified "
				       "with --skip-tls-verify-registry %s",
				  name, name);
	if (call->t.no_tls)
		return error_hint(err, "if %s speaks plain http, allow it with "
				       "--insecure-registry %s",
				  name, name);
	return -1;
}

static int send_again(struct registry_call *call, struct error *err)
{
	const struct http_sink *sink = call->t.sink;

	/* A challenge has not reached the sink, which may have a part. */
	if (sink && call->t.status != 401 && sink->restart(sink->arg, err) < 0)
		return -1;
	send_call(call);
	return 1;
}

/* 1 it goes on, 0 the call is done, -1 failed. */
static int answered(struct registry_call *call, struct error *err)
{
	int rc;

	/* What was given as a whole URL has its scheme already. */
	if (call->path &&
	    registry_host_switch(call->host, call->sent, &call->t))
		return send_again(call, err);
	if (!call->quiet)
		registry_warn(call);
	if (!call->t.status && !call->may_fail)
		return registry_unreachable(call, err);
	if (call->t.status == 401 && !call->elsewhere && !call->bare) {
		rc = registry_auth_answer(call, err);
		if (rc > 0)
			return send_again(call, err);
		if (rc < 0)
			return -1;
	}
	rc = call->next(call, err);
	if (rc > 0)
		send_call(call);
	return rc;
}

static int wait_some(struct registry *r, size_t *ended, struct error *err)
{
	struct http_transfer *t;
	int rc = http_next(r->http, &t, TICK_MS, err);

	if (rc <= 0)
		return rc;
	rc = answered(t->user, err);
	if (rc == 0)
		(*ended)++;
	return rc < 0 ? -1 : 0;
}

static int run(struct registry *r, const struct registry_batch *b,
	       struct progress *progress, struct error *err)
{
	size_t started = 0, ended = 0, i;

	while (ended < b->n) {
		while (started < b->n &&
		       started - ended < (size_t)b->parallel)
			send_call(b->calls[started++]);
		if (wait_some(r, &ended, err) < 0) {
			for (i = 0; i < started; i++)
				http_abort(r->http, &b->calls[i]->t);
			return -1;
		}
		if (progress)
			progress_update(progress, b->moved(b->arg), b->total);
	}
	return 0;
}

int registry_run(struct registry *r, const struct registry_batch *b,
		 struct error *err)
{
	struct progress *progress;
	int rc;

	if (!b->title || b->total < TOLD_MIN)
		return run(r, b, NULL, err);
	progress = progress_start(b->title, NULL, b->total);
	rc = run(r, b, progress, err);
	progress_end(progress, rc == 0);
	return rc;
}

int registry_run_one(struct registry_call *call, struct error *err)
{
	struct registry_batch b = { .calls = &call, .n = 1, .parallel = 1 };

	return registry_run(call->r, &b, err);
}
