/* internal.h - hosts, credentials and calls of the registry client */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_INTERNAL_H
#define REGISTRY_INTERNAL_H

#include "registry/registry.h"
#include "wrap/http.h"

/* --- challenge.c --- */

/* What WWW-Authenticate asks for (RFC 9110, 11.6.1). */
struct registry_challenge {
	bool basic, bearer;
	char *realm, *service, *scope, *error; /* of Bearer; NULL: absent */
};
#define cleanup_registry_challenge CLEANUP(registry_challenge_release)
void registry_challenge_release(struct registry_challenge *c);
/* Add the challenges of one header value; the first Bearer wins. What cannot
 * be understood is passed over. */
void registry_challenge_parse(struct registry_challenge *c, const char *text);

/* --- docker_config.c --- */

struct registry_credentials {
	char *user, *password;
	char *identity_token; /* for the token server, instead of a password */
	char *registry_token; /* a bearer token as it is */
	char *source;	      /* where they were found, for people */
};
#define cleanup_registry_credentials CLEANUP(registry_credentials_release)
void registry_credentials_release(struct registry_credentials *c);

/* All docker configurations that count, most important first. */
struct registry_config {
	struct registry_config_file {
		char *name;
		struct json *json;
	} *files;
	size_t n, alloc;
};
void registry_config_release(struct registry_config *c);
int registry_config_load(struct registry_config *c,
			 const struct registry_options *o,
			 struct error *err) MUST_CHECK;
/* Add one configuration's text; takes no ownership. */
int registry_config_add(struct registry_config *c, const char *name,
			const char *text, size_t n, struct error *err)
	MUST_CHECK;
/* 1 found, 0 none, -1 a credential helper failed. */
int registry_config_find(const struct registry_config *c, const char *host,
			 const char *repository,
			 struct registry_credentials *out,
			 struct error *err) MUST_CHECK;

/* --- environment.c --- */

/* The same from all places that the options allow, in order. */
int registry_find_credentials(struct registry *r, const char *host,
			      const char *repository,
			      struct registry_credentials *out,
			      struct error *err) MUST_CHECK;

/* --- host.c --- */

enum registry_scheme {
	SCHEME_TLS,
	SCHEME_HTTP,
	SCHEME_PROBE_TLS,  /* TLS; plain http when it is not spoken */
	SCHEME_PROBE_HTTP, /* the reverse: a loopback host */
};

struct registry_token {
	char *scope;  /* "repository:NAME:pull,push ...", or "*" */
	char *header; /* "Authorization: ..." */
	int64_t expires_ms;
};

struct registry_host {
	char *name; /* as in references: "docker.io" */
	char *api;  /* host[:port] to connect to */
	enum registry_scheme scheme;
	bool loopback, insecure;
	bool no_mounts; /* no token is given for two repositories */
	struct http_tls tls;
	char *used; /* whose credentials, for people */
	struct strvec warned; /* what it said that was shown */
	struct registry_token *tokens;
	size_t n_tokens, alloc_tokens;
};

/* `r` for its lists of hosts. */
struct registry_host *registry_host_new(const struct registry *r,
					const char *name);
void registry_host_free(struct registry_host *host);
/* The address of a path, as far as the scheme is known. */
char *registry_host_url(const struct registry_host *host, const char *path);
/* Whether the end of a transfer sent as `sent` says that it must be sent
 * again, over the other scheme mostly; the host remembers what was learnt. */
bool registry_host_switch(struct registry_host *host,
			  enum registry_scheme sent,
			  const struct http_transfer *t);

/* --- mirror.c --- */

struct registry_mirror {
	char *origin, *host;
	char *prefix; /* of repository names there, or NULL */
};
int registry_mirrors_load(struct registry *r, const struct strvec *list,
			  struct error *err) MUST_CHECK;
void registry_mirrors_release(struct registry *r);
/* Was this host named to read from instead of others? */
bool registry_is_mirror(const struct registry *r, const char *host);
/* Read from the mirrors of a name, then from its origin, until one of them
 * serves. What a failed try has done already, `fn` must know. */
typedef int (*registry_try_fn)(struct registry *r, const struct oci_ref *at,
			       void *arg, struct error *err);
int registry_try_places(struct registry *r, const struct oci_ref *ref,
			registry_try_fn fn, void *arg, struct error *err)
	MUST_CHECK;

/* The first of these places. false: only the above knows. */
bool registry_first_place(const struct registry *r, const struct oci_ref *ref,
			  struct oci_ref *at);

/* --- client.c --- */

struct registry {
	struct http *http;
	struct registry_options o; /* strings are not owned */
	struct strvec insecure, unverified;
	uint64_t chunk_size; /* 0: none */
	struct registry_notes notes; /* `put` NULL: none are kept */
	struct registry_host **hosts;
	size_t n_hosts, alloc_hosts;
	struct registry_config config;
	bool config_loaded;
	struct registry_mirror *mirrors;
	size_t n_mirrors;
	const char *moved_host; /* read from by the policy's word; or NULL */
};

/*
 * One conversation with a registry, of one request after the other. `next`
 * sees each answer that is not a matter of authentication or transport: 1
 * another request was prepared, 0 the call is done, -1 failed.
 */
struct registry_call {
	struct http_transfer t;
	struct registry *r;
	struct registry_host *host;
	const char *repository;
	char *name; /* host/repository, for the gate */
	bool push;		/* asks for the right to push, too */
	bool may_delete;	/* and to delete */
	const char *mount_from; /* and to pull from there, if one gets it */
	bool elsewhere; /* t.url is the registry's choice, of another origin */
	int (*next)(struct registry_call *call, struct error *err);
	bool may_fail; /* `next` sees transport failures (status 0) as well */
	bool bare;     /* and that credentials are wanted */
	bool quiet;    /* registry_warn is called by whoever asks */
	void *arg;
	/* state */
	char *path;	 /* below the API's root, or NULL: t.url as it is */
	bool authorised; /* a challenge was answered once */
	char *secret_header;
	enum registry_scheme sent; /* as what it is under way */
};
void registry_call_init(struct registry_call *call, struct registry *r,
			const struct oci_ref *ref, bool push);
void registry_call_release(struct registry_call *call);
#define cleanup_registry_call CLEANUP(registry_call_release)
/* Prepare a request: takes `path`, drops the headers and body before. */
void registry_call_to(struct registry_call *call, const char *method,
		      char *path);
/* Carry out calls, at most `parallel` at once; the first failure ends all. */
struct registry_batch {
	struct registry_call **calls;
	size_t n;
	int parallel;
	/* Shown as progress; NULL: nothing is. */
	const char *title;
	uint64_t total; /* bytes */
	uint64_t (*moved)(const void *arg); /* of them, so far */
	const void *arg;
};
int registry_run(struct registry *r, const struct registry_batch *b,
		 struct error *err) MUST_CHECK;
int registry_run_one(struct registry_call *call, struct error *err)
	MUST_CHECK;
/* An error from the answer: its status, the registry's words, advice. */
int registry_refused(const struct registry_call *call, struct error *err);
/* The same where none came. */
int registry_unreachable(struct registry_call *call, struct error *err);
/* What the answer says for people: {"errors":[{"code","message","detail"}]},
 * what token servers write, or the first line of something else. */
void registry_words(struct strbuf *out, const struct http_transfer *t);
int64_t registry_now_ms(void);

/* --- manifest.c --- */

/* A call for the manifest of its repository that `ref` names, and what came,
 * verified. */
void registry_prepare_manifest(struct registry_call *call,
			       const struct oci_ref *ref);
int registry_take_manifest(struct registry_call *call,
			   const struct oci_ref *ref,
			   struct registry_manifest *out, struct error *err)
	MUST_CHECK;

/* registry_push_manifest; `listed`: the registry keeps the list of what
 * refers to the manifest's subject. */
int registry_put_manifest(struct registry *r, const struct oci_ref *ref,
			  const char *media_type, const char *body, size_t n,
			  bool *listed, struct error *err) MUST_CHECK;

/* --- tags.c --- */

/* Where a list goes on; NULL: this was its last page. */
int registry_next_page(const struct registry_call *call, char **path,
		       struct error *err) MUST_CHECK;

/* --- warning.c --- */

/* Show the warnings of an answer, each once. */
void registry_warn(struct registry_call *call);

/* --- auth.c --- */

/* Does a token for `scope` serve for every part of `wanted`? */
bool registry_scope_covers(const char *scope, const char *wanted);
/* "Authorization: ..." to begin with, or NULL. */
const char *registry_auth_header(const struct registry_call *call);
/* After a 401: find out how to do better. 1 try again, 0 there is no way, -1
 * error. */
int registry_auth_answer(struct registry_call *call, struct error *err)
	MUST_CHECK;
/* The same for calls side by side: a request for a token that may be sent
 * with others, to which `t` is set. false: the above has to do it. */
bool registry_auth_prepare(struct registry_call *call,
			   struct http_transfer *t);
/* Its answer; one that does not help is left to the above. */
void registry_auth_take(struct registry_call *call, struct http_transfer *t);
void registry_auth_forget(struct registry_host *host);

#endif
