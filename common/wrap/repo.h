/* repo.h - clone Git repositories and keep clones up to date (libgit2) */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WRAP_REPO_H
#define WRAP_REPO_H

#include "base/error.h"

/* What is wanted; every pointer may be NULL and stays the caller's. */
struct repo_options {
	const char *url; /* see giturl.h; the fragment may name a ref */
	const char *dir; /* NULL: ./NAME, see giturl_name */
	const char *ref; /* beside or instead of the fragment */
	bool single_branch, submodules, insecure, want_time;
	/* An existing clone of the URL that holds work of somebody's, or whose
	 * remote does not answer, is left as it is, with a warning. */
	bool keep;
	unsigned depth; /* 0: whole history */
	/* Sent to the host of `url` only, never to that of a submodule
	 * elsewhere. Credentials in the URL win. */
	const char *username, *password;
	const char *key_path, *key_base64; /* private SSH key, one of them */
	const char *proxy;    /* for http(s); NULL: environment */
	const char *ca_file;  /* PEM, trusted besides the system's */
	const char *ca_base64; /* the same as base64 text */
};

struct repo_result {
	char *url;    /* the argument without credentials */
	char *ref;    /* full name (refs/...); NULL when a commit was asked */
	char *commit; /* full id */
	char *path;   /* absolute */
	bool changed; /* something was fetched or checked out */
	int64_t time; /* of the commit, where `want_time` */
};
#define cleanup_repo_result CLEANUP(repo_result_release)
void repo_result_release(struct repo_result *r);

/*
 * Clone, or bring an existing clean clone of the same URL to the wanted ref.
 * A ref is a full name, else a branch, a tag, a name below refs/, or a commit
 * id, in this order. Nothing from the repository is executed: no hooks, no
 * filters but those built into libgit2, and no user or system configuration
 * is read. An interrupted clone leaves no DIR; what a killed one left beside
 * it is removed by the next.
 *
 * ERR_USAGE for addresses and options, ERR_NETWORK for no or a broken answer,
 * ERR_REFUSED for the remote's "no" (its words in the text), an unknown host
 * key, and a DIR that must not be overwritten; ERR_INTERRUPTED.
 * Signal handlers of SIGINT, SIGTERM and SIGALRM are in use during the call.
 */
int repo_clone(const struct repo_options *o, struct repo_result *r,
	       struct error *err) MUST_CHECK;
/*
 * What the remote has now: `ref` and `commit` of the result, by one question
 * and without fetching. A full commit id is taken at its word, the beginning
 * of one is ERR_USAGE.
 */
int repo_look(const struct repo_options *o, struct repo_result *r,
	      struct error *err) MUST_CHECK;

#endif
