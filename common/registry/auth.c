/* auth.c - answer challenges: basic, bearer tokens, identity tokens */
/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/internal.h"

#include "base/log.h"

#define TOKEN_BODY_MAX (64u << 10)
#define BASIC_SCOPE "*" /* basic credentials serve every scope of a host */

void registry_auth_forget(struct registry_host *host)
{
	size_t i;

	for (i = 0; i < host->n_tokens; i++) {
		free(host->tokens[i].scope);
		free(host->tokens[i].header);
	}
	free(host->tokens);
	host->tokens = NULL;
	host->n_tokens = host->alloc_tokens = 0;
}

static char *scope_of(const struct registry_call *call)
{
	cleanup_strbuf struct strbuf s = STRBUF_INIT;

	strbuf_addf(&s, "repository:%s:pull%s%s", call->repository,
		    call->push ? ",push" : "",
		    call->may_delete ? ",delete" : "");
	if (call->mount_from && !call->host->no_mounts)
		strbuf_addf(&s, " repository:%s:pull", call->mount_from);
	return strbuf_detach(&s);
}

/* "repository:a:pull,push" serves where "repository:a:pull" is asked for;
 * servers list actions in any order. */
static bool word_covers(const char *have, const char *wanted)
{
	cleanup_strvec struct strvec can = STRVEC_INIT, must = STRVEC_INIT;
	const char *colon = strrchr(wanted, ':');
	size_t n = colon ? (size_t)(colon - wanted) + 1 : 0, i;

	if (!colon || strncmp(have, wanted, n))
		return str_eq(have, wanted);
	strvec_split(&can, have + n, ",");
	strvec_split(&must, colon + 1, ",");
	for (i = 0; i < must.nr; i++)
		if (!strvec_has(&can, must.v[i]))
			return false;
	return true;
}

bool registry_scope_covers(const char *scope, const char *wanted)
{
	cleanup_strvec struct strvec have = STRVEC_INIT, want = STRVEC_INIT;
	size_t i, k;

	if (str_eq(scope, BASIC_SCOPE))
		return true;
	strvec_split(&have, scope, " ");
	strvec_split(&want, wanted, " ");
	for (i = 0; i < want.nr; i++) {
		for (k = 0; k < have.nr; k++)
			if (word_covers(have.v[k], want.v[i]))
				break;
		if (k == have.nr)
			return false;
	}
	return true;
}

const char *registry_auth_header(const struct registry_call *call)
{
	const struct registry_host *host = call->host;
	cleanup_free char *scope = scope_of(call);
	size_t i;

	for (i = 0; i < host->n_tokens; i++)
		if (host->tokens[i].expires_ms > registry_now_ms() &&
		    registry_scope_covers(host->tokens[i].scope, scope))
			return host->tokens[i].header;
	return NULL;
}

static struct registry_token *find_token(struct registry_host *host,
					 const char *scope)
{
	size_t i;

	for (i = 0; i < host->n_tokens; i++)
		if (str_eq(host->tokens[i].scope, scope))
			return &host->tokens[i];
	return NULL;
}

static void remember(struct registry_host *host, const char *scope,
		     const char *header, int64_t seconds)
{
	struct registry_token *t = find_token(host, scope);

	if (!t) {
		GROW(host->tokens, host->n_tokens, host->alloc_tokens);
		t = &host->tokens[host->n_tokens++];
		*t = (struct registry_token){ .scope = xstrdup(scope) };
	}
	free(t->header);
	t->header = xstrdup(header);
	/* Renewed when a fifth of its life is left. */
	t->expires_ms = registry_now_ms() + seconds * 800;
}

static void add_basic(struct strbuf *out, const char *user,
		      const char *password)
{
	cleanup_strbuf struct strbuf plain = STRBUF_INIT, code = STRBUF_INIT;

	strbuf_addf(&plain, "%s:%s", user, password);
	base64_encode(&code, plain.buf, plain.len);
	log_add_secret(code.buf);
	strbuf_addf(out, "Authorization: Basic %s", code.buf);
}

static int find_credentials(struct registry_call *call,
			    struct registry_credentials *out,
			    struct error *err)
{
	struct registry *r = call->r;
	int rc;

	if (!r->config_loaded &&
	    registry_config_load(&r->config, &r->o, err) < 0)
		return -1;
	r->config_loaded = true;
	rc = registry_find_credentials(r, call->host->name, call->repository,
				       out, err);
	if (rc > 0) {
		free(call->host->used);
		call->host->used = xstrfmt("%s%s%s from %s",
				     out->user ? "user '" : "a token",
				     out->user ? out->user : "",
				     out->user ? "'" : "", out->source);
	}
	return rc;
}

static int refuse_plain(const struct registry_call *call, struct error *err)
{
	error_set(err, ERR_REFUSED,
		  "%s asks for credentials over plain http; they were not sent",
		  call->host->name);
	return error_hint(err, "serve %s with TLS; credentials go over plain "
			       "http to loopback hosts only",
			  call->host->name);
}

static bool may_send(const struct registry_call *call)
{
	return call->host->scheme == SCHEME_TLS ||
	       call->host->scheme == SCHEME_PROBE_TLS || call->host->loopback;
}

/*
 * The realm is a URL that a stranger names and that receives a password: it
 * is as safe as the registry's own address, or not used.
 */
static int check_realm(const struct registry_call *call, const char *realm,
		       bool secret, enum url_reach *limit, struct error *err)
{
	cleanup_url struct url u = { 0 }, own = { 0 };
	cleanup_free char *shown = url_shown(realm);

	if (url_parse(&u, realm, err) < 0) {
		error_wrap(err, "token server named by %s", call->host->name);
		return error_recode(err, ERR_NETWORK);
	}
	if (url_parse(&own, call->t.url, err) < 0)
		return -1;
	*limit = str_eq(u.host, own.host) ? URL_LOCAL : call->t.peer;
	if (http_is_inner(call->r->http, u.host))
		*limit = MAX(*limit, URL_LOOPBACK);
	if (!u.tls && own.tls)
		return error_set(err, ERR_REFUSED,
				 "%s names a token server without TLS: '%s'",
				 call->host->name, shown);
	if (!u.tls && secret && !url_host_is_loopback(u.host))
		return refuse_plain(call, err);
	if (url_address_reach(u.host) <= *limit)
		return 0;
	error_set(err, ERR_REFUSED,
		  "%s names a token server further inside the network: '%s'",
		  call->host->name, shown);
	return error_hint(err, "if that is where it should be, allow it with "
			       "--allow-private-realm %s", u.host);
}

/* What the call needs, and what else the challenge names. Some servers read
 * only the first scope. */
static char *all_scopes(const struct registry_challenge *c, const char *own)
{
	cleanup_strvec struct strvec named = STRVEC_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	size_t i;

	strbuf_addstr(&out, own);
	if (c->scope)
		strvec_split(&named, c->scope, " ");
	for (i = 0; i < named.nr; i++)
		if (!registry_scope_covers(own, named.v[i]))
			strbuf_addf(&out, " %s", named.v[i]);
	return strbuf_detach(&out);
}

static void prepare_get(struct http_transfer *t,
			const struct registry_challenge *c, const char *scope,
			const struct registry_credentials *cred)
{
	cleanup_strbuf struct strbuf url = STRBUF_INIT, auth = STRBUF_INIT;
	cleanup_free char *all = all_scopes(c, scope);
	cleanup_strvec struct strvec scopes = STRVEC_INIT;
	size_t i;

	strbuf_addstr(&url, c->realm);
	if (c->service)
		url_add_query(&url, "service", c->service);
	strvec_split(&scopes, all, " ");
	for (i = 0; i < scopes.nr; i++)
		url_add_query(&url, "scope", scopes.v[i]);
	if (cred->user)
		url_add_query(&url, "account", cred->user);
	if (cred->user || cred->identity_token) {
		add_basic(&auth, cred->user ? cred->user : "",
			  cred->identity_token ? cred->identity_token
					       : cred->password);
		strvec_push(&t->headers, auth.buf);
	}
	t->url = strbuf_detach(&url);
}

static void add_field(struct strbuf *form, const char *key, const char *value)
{
	if (form->len)
		strbuf_addch(form, '&');
	strbuf_addf(form, "%s=", key);
	url_escape(form, value);
}

static void prepare_refresh(struct http_transfer *t, struct strbuf *form,
			    const struct registry_challenge *c,
			    const char *scope,
			    const struct registry_credentials *cred)
{
	cleanup_free char *all = all_scopes(c, scope);

	add_field(form, "grant_type", "refresh_token");
	add_field(form, "service", c->service ? c->service : "");
	add_field(form, "client_id", "devenv");
	add_field(form, "scope", all);
	add_field(form, "refresh_token", cred->identity_token);
	t->method = "POST";
	t->url = xstrdup(c->realm);
	t->body = form->buf;
	t->body_size = form->len;
	strvec_push(&t->headers,
		    "Content-Type: application/x-www-form-urlencoded");
}

static int take_token(struct registry_call *call, struct http_transfer *t,
		      const char *scope, struct error *err)
{
	cleanup_json struct json *j = json_parse("token", t->content.buf,
						 t->content.len, NULL);
	const char *token = json_get_str(j, "token");
	cleanup_free char *header = NULL;
	int64_t seconds = 60;

	if (!token || !*token)
		token = json_get_str(j, "access_token");
	if (!token || !*token || strpbrk(token, "\r\n"))
		return error_set(err, ERR_NETWORK,
				 "the token server of %s gave no token",
				 call->host->name);
	json_get_int(j, "expires_in", &seconds);
	if (seconds < 1 || seconds > 86400)
		seconds = 60;
	log_add_secret(token);
	header = xstrfmt("Authorization: Bearer %s", token);
	remember(call->host, scope, header, seconds);
	return 1;
}

static int no_token(struct registry_call *call, struct http_transfer *t,
		    struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const char *used = call->host->used;

	registry_words(&text, t);
	error_set(err, t->status >= 500 ? ERR_NETWORK : ERR_REFUSED,
		  "the token server of %s refused %s: status %d%s%s",
		  call->host->name,
		  used ? used : "a token without credentials",
		  t->status, text.len ? ": " : "", text.buf);
	return error_hint(err, "log in again with 'docker login %s', or name "
			       "other credentials with --docker-config",
			  call->host->name);
}

static void address(const struct registry_call *call, struct http_transfer *t,
		    enum url_reach limit)
{
	bool same = limit == URL_LOCAL;

	t->limit = limit;
	t->max = TOKEN_BODY_MAX;
	t->kind = same ? call->t.kind : GATE_HOST;
	t->subject = call->name;
	t->mirror = same && call->t.mirror;
	t->tls = same ? &call->host->tls : NULL;
}

static int fetch(struct registry_call *call, struct http_transfer *t,
		 enum url_reach limit, struct error *err)
{
	address(call, t, limit);
	if (http_perform(call->r->http, t, err) < 0)
		return error_wrap(err, "token server of %s", call->host->name);
	return 0;
}

static int get_token(struct registry_call *call,
		     const struct registry_challenge *c,
		     const struct registry_credentials *cred,
		     struct error *err)
{
	cleanup_free char *scope = scope_of(call);
	cleanup_http_transfer struct http_transfer t = HTTP_TRANSFER_INIT;
	cleanup_strbuf struct strbuf form = STRBUF_INIT;
	enum url_reach limit = URL_PUBLIC;

	if (check_realm(call, c->realm, cred->user || cred->identity_token,
			&limit, err) < 0)
		return -1;
	if (cred->identity_token) {
		prepare_refresh(&t, &form, c, scope, cred);
		if (fetch(call, &t, limit, err) < 0)
			return -1;
		if (t.status == 200)
			return take_token(call, &t, scope, err);
		/* Older token servers know GET only. */
		if (t.status != 404 && t.status != 405)
			return no_token(call, &t, err);
		http_transfer_release(&t);
		t = (struct http_transfer)HTTP_TRANSFER_INIT;
	}
	prepare_get(&t, c, scope, cred);
	if (fetch(call, &t, limit, err) < 0)
		return -1;
	if (t.status != 200)
		return no_token(call, &t, err);
	return take_token(call, &t, scope, err);
}

/* Some servers give no token at all where they would not give all of it: a
 * push then does without mounts. */
static int token_or_less(struct registry_call *call,
			 const struct registry_challenge *c,
			 const struct registry_credentials *cred,
			 struct error *err)
{
	cleanup_error struct error why = ERROR_INIT;
	int rc = get_token(call, c, cred, &why);

	if (rc >= 0)
		return rc;
	if (why.code != ERR_REFUSED || !call->mount_from ||
	    call->host->no_mounts)
		return error_move(err, &why);
	log_debug("%s: %s", call->host->name, why.msg);
	call->host->no_mounts = true;
	return get_token(call, c, cred, err);
}

static int answer_basic(struct registry_call *call,
			const struct registry_credentials *cred,
			struct error *err)
{
	cleanup_strbuf struct strbuf header = STRBUF_INIT;

	if (!cred->user)
		return 0;
	if (!may_send(call))
		return refuse_plain(call, err);
	add_basic(&header, cred->user, cred->password);
	remember(call->host, BASIC_SCOPE, header.buf, 86400);
	return 1;
}

static int answer(struct registry_call *call,
		  const struct registry_challenge *c, struct error *err)
{
	cleanup_registry_credentials struct registry_credentials cred = { 0 };
	cleanup_free char *scope = scope_of(call), *header = NULL;

	if (find_credentials(call, &cred, err) < 0)
		return -1;
	if (cred.registry_token) {
		if (!may_send(call))
			return refuse_plain(call, err);
		header = xstrfmt("Authorization: Bearer %s",
				 cred.registry_token);
		remember(call->host, scope, header, 86400);
		return 1;
	}
	if (c->bearer && c->realm)
		return token_or_less(call, c, &cred, err);
	return c->basic ? answer_basic(call, &cred, err) : 0;
}

/* A token that was asked for everything and does not do will not come out
 * larger the next time. */
static bool is_final(const struct registry_call *call,
		     const struct registry_challenge *c)
{
	cleanup_free char *scope = scope_of(call);

	return c->error && str_eq(c->error, "insufficient_scope") &&
	       (!c->scope || registry_scope_covers(scope, c->scope));
}

static void read_challenge(const struct registry_call *call,
			   struct registry_challenge *c)
{
	const char *text;
	size_t i;

	for (i = 0; (text = http_header(&call->t, "WWW-Authenticate", i)); i++)
		registry_challenge_parse(c, text);
}

bool registry_auth_prepare(struct registry_call *call, struct http_transfer *t)
{
	cleanup_registry_credentials struct registry_credentials cred = { 0 };
	cleanup_registry_challenge struct registry_challenge c = { 0 };
	cleanup_free char *scope = scope_of(call);
	enum url_reach limit = URL_PUBLIC;

	read_challenge(call, &c);
	if (!c.bearer || !c.realm || call->secret_header ||
	    find_credentials(call, &cred, NULL) < 0 || cred.registry_token ||
	    cred.identity_token ||
	    check_realm(call, c.realm, cred.user, &limit, NULL) < 0)
		return false;
	prepare_get(t, &c, scope, &cred);
	address(call, t, limit);
	return true;
}

void registry_auth_take(struct registry_call *call, struct http_transfer *t)
{
	cleanup_free char *scope = scope_of(call);

	if (t->status != 200 || take_token(call, t, scope, NULL) < 0)
		log_debug("%s: no token yet", call->name);
}

int registry_auth_answer(struct registry_call *call, struct error *err)
{
	cleanup_registry_challenge struct registry_challenge c = { 0 };
	const char *now;

	if (call->authorised)
		return 0;
	call->authorised = true;
	/* Another call may have got the token while this one was waiting. */
	now = registry_auth_header(call);
	if (now && !str_eq_null(now, call->secret_header))
		return 1;
	read_challenge(call, &c);
	if (now && is_final(call, &c))
		return 0;
	return answer(call, &c, err);
}
