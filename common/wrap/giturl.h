/* giturl.h - what people write to name a Git repository; pure text work */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WRAP_GITURL_H
#define WRAP_GITURL_H

#include "base/error.h"
#include "base/strbuf.h"

enum giturl_kind {
	GITURL_HTTP,
	GITURL_HTTPS,
	GITURL_SSH, /* ssh://, git+ssh:// and the scp form */
	GITURL_GIT,
	GITURL_FILE,
	GITURL_PATH, /* a path of this machine, as written */
};

#define GITURL_MAX 4096

struct giturl {
	enum giturl_kind kind;
	bool scp;	      /* [user@]host:path */
	char *user, *password; /* decoded; NULL: not given */
	char *host;	      /* lower case, no brackets; NULL: none */
	unsigned port;	      /* 0: the protocol's own */
	char *path; /* as written, with its leading slash where it has one */
	char *fragment; /* after the first '#'; NULL: none */
};

#define cleanup_giturl CLEANUP(giturl_release)
void giturl_release(struct giturl *u);

/*
 * Blanks around the text are ignored. Control characters (percent encoded
 * too), transport helpers ("ext::..."), other protocols, and host, user or
 * path that a program could take for an option are ERR_USAGE. The message
 * never holds a password.
 */
int giturl_parse(struct giturl *u, const char *text, struct error *err)
	MUST_CHECK;
/* The URL to connect to: no fragment, no password, and a user for ssh only. */
void giturl_text(const struct giturl *u, struct strbuf *out);
/* "https://host[:port]/path", whatever form it was written in: no user,
 * password or fragment, and a port only where it is not the protocol's own.
 * NULL for a repository of this machine; malloc'ed. */
char *giturl_canonical(const struct giturl *u);
/* `text` as written, except that credentials are cut out: user and password
 * of http and git URLs, the password of ssh URLs. Works on any text. */
void giturl_redact(const char *text, struct strbuf *out);
/*
 * Folder for a clone: last part of the path without ".git", decoded; malloc'ed.
 * "empty" when the path has no usable last part.
 */
char *giturl_name(const char *text);
/* The same repository? Credentials, fragment, default ports, trailing
 * slashes and ".git" make no difference. */
bool giturl_same(const struct giturl *a, const struct giturl *b);
/* May credentials for `a` be sent to `b`: protocol, host and port. */
bool giturl_same_host(const struct giturl *a, const struct giturl *b);
/*
 * The address of a submodule. One that starts with "./" or "../" is relative
 * to the parent's; climbing above the root is ERR_INPUT. Others are parsed.
 */
int giturl_resolve(struct giturl *u, const struct giturl *parent,
		   const char *text, struct error *err) MUST_CHECK;
unsigned giturl_port(const struct giturl *u); /* 0: the kind has none */

#endif
