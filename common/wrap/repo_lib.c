/* repo_lib.c - load libgit2, keep it from foreign configuration, map errors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/repo_lib.h"

#include <stdarg.h>
#include <unistd.h>

#include "base/signals.h"

#define STRING_(x) #x
#define STRING(x) STRING_(x)
#define SONAME \
	"libgit2.so." STRING(LIBGIT2_VER_MAJOR) "." STRING(LIBGIT2_VER_MINOR)
#define PACKAGE \
	"libgit2-" STRING(LIBGIT2_VER_MAJOR) "." STRING(LIBGIT2_VER_MINOR)

#define ROW(name) LAZY_ROW(struct repo_lib, name)
static const struct lazy_symbol symbols[] = { REPO_FUNCTIONS(ROW) };

/* Nobody's configuration but the clone's own is read: a user's or system's
 * url.insteadOf, http.proxy or filter would change what is fetched. */
static int isolate(struct repo_session *s)
{
	static const int levels[] = {
		GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM,
		GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL,
	};
	int rc = 0;

	for (size_t i = 0; !rc && i < ARRAY_SIZE(levels); i++)
		rc = s->git.git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH,
					     levels[i], "");
	if (!rc)
		rc = s->git.git_libgit2_opts(GIT_OPT_SET_TEMPLATE_PATH, "");
	if (!rc)
		rc = s->git.git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECTS,
					     (size_t)REPO_OBJECTS_MAX);
#ifdef HAVE_GIT_PACK_MAX_OBJECT_SIZE
	if (!rc)
		rc = s->git.git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECT_SIZE,
					     (size_t)REPO_OBJECT_MAX);
#endif
	return rc;
}

/* By default whole packs are mapped, so that a clone would count as large as
 * its repository. */
static int bound_memory(struct repo_session *s)
{
	const struct {
		int option;
		size_t bytes;
	} bounds[] = {
		{ GIT_OPT_SET_MWINDOW_SIZE, (size_t)4 << 20 },
		{ GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, (size_t)24 << 20 },
		{ GIT_OPT_SET_CACHE_MAX_SIZE, (size_t)8 << 20 },
	};
	int rc = 0;

	for (size_t i = 0; !rc && i < ARRAY_SIZE(bounds); i++)
		rc = s->git.git_libgit2_opts(bounds[i].option,
					     bounds[i].bytes);
	return rc;
}

int repo_session_open(struct repo_session *s, const struct repo_options *o,
		      struct error *err)
{
	int rc;

	*s = (struct repo_session){ .options = o, .ca_fd = -1 };
	if (lazy_load(SONAME, PACKAGE, symbols, ARRAY_SIZE(symbols), &s->git,
		      err) < 0)
		return -1;
	rc = s->git.git_libgit2_init();
	s->open = rc > 0;
	if (rc > 0)
		rc = isolate(s);
	if (rc >= 0)
		rc = bound_memory(s);
	return rc < 0 ? repo_fail(s, rc, err, "cannot start libgit2") : 0;
}

void repo_session_close(struct repo_session *s)
{
	progress_end(steal_ptr(&s->progress), false);
	if (s->open)
		s->git.git_libgit2_shutdown();
	giturl_release(&s->origin);
	giturl_release(&s->remote);
	error_release(&s->failure);
	free(s->username);
	if (s->password)
		explicit_bzero(s->password, strlen(s->password));
	if (s->key)
		explicit_bzero(s->key, strlen(s->key));
	free(s->password);
	free(s->key);
	if (s->ca_fd >= 0)
		close(s->ca_fd);
	s->open = false;
}

void repo_target_release(struct repo_target *t)
{
	free(t->ref);
	free(t->id);
	free(t->head);
	*t = (struct repo_target){ 0 };
}

char *repo_remote_name(const struct repo_session *s)
{
	cleanup_strbuf struct strbuf name = STRBUF_INIT;

	giturl_text(&s->remote, &name);
	return strbuf_detach(&name);
}

static bool has_any(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcasestr(text, *words))
			return true;
	return false;
}

/* libgit2 has one class for all that goes wrong with a peer; only the text
 * tells a refusal from a broken connection. */
static enum error_code classify(int code, int klass, const char *text)
{
	static const char *const refusals[] = {
		"status code: 4", "status code 4", "remote error",
		"not exported", "access denied", "permission denied",
		"not found", "does not appear to be", "authenticat",
		"redirect", "does not exist",
		"could not find repository", "not permitted", NULL
	};
	static const char *const breaks[] = {
		"failed to connect", "failed to resolve", "timed out",
		"connection", "socket", NULL
	};

	if (code == GIT_EAUTH)
		return ERR_REFUSED;
	if (code == GIT_ECERTIFICATE || code == GIT_EEOF)
		return has_any(text, refusals) ? ERR_REFUSED : ERR_NETWORK;
	switch (klass) {
	case GIT_ERROR_NET:
	case GIT_ERROR_SSL:
	case GIT_ERROR_SSH:
	case GIT_ERROR_HTTP:
	case GIT_ERROR_INDEXER:
	case GIT_ERROR_ZLIB:
		return has_any(text, refusals) ? ERR_REFUSED : ERR_NETWORK;
	default:
		return has_any(text, breaks) ? ERR_NETWORK : ERR_SYSTEM;
	}
}

static void add_advice(const struct repo_session *s, int code,
		       const char *text, struct error *err)
{
	if (code == GIT_EOWNER)
		error_hint(err, "run as the user it belongs to, or change its "
			   "owner with chown");
	else if (code == GIT_ECERTIFICATE || strstr(text, "X509") ||
		 strcasestr(text, "certificate"))
		error_hint(err, "name the authority with --ca-file, or use "
			   "--insecure to skip the check");
	else if (strstr(text, "status code: 404"))
		error_hint(err, "the repository does not exist, or needs "
			   "credentials: --git-username, "
			   "DEVENV_GIT_PASSWORD");
	else if (strstr(text, "redirect"))
		error_hint(err, "use the address it redirects to; credentials "
			   "are not taken along");
	else if (strstr(text, "exchange encryption keys"))
		error_hint(err, "libssh2 and the server have no kind of host "
			   "key in common that known_hosts has: add the "
			   "server's ed25519 or ecdsa key (ssh-keyscan)");
	else if (code == GIT_EAUTH && s->remote.kind == GITURL_SSH)
		error_hint(err, "give a key with --git-ssh-private-key-path or "
			   "add one to ssh-agent");
}

static enum error_code code_of(const struct repo_session *s, int code,
			       int klass, const char *text)
{
	/* The checkout itself reads .gitmodules and looks at names. */
	if (strstr(text, "invalid path") || strstr(text, "invalid escape") ||
	    strstr(text, "failed to parse config"))
		return ERR_INPUT;
	return code == GIT_EOWNER ? ERR_SYSTEM
	       : s->remote.path	  ? classify(code, klass, text)
				  : ERR_SYSTEM;
}

int repo_fail(struct repo_session *s, int code, struct error *err,
	      const char *fmt, ...)
{
	const git_error *last = s->git.git_error_last();
	const char *text = last && last->message ? last->message
						 : "no reason given";
	cleanup_strbuf struct strbuf context = STRBUF_INIT;
	cleanup_strbuf struct strbuf safe = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&context, fmt, ap);
	va_end(ap);
	if (signals_pending())
		return signals_check(err);
	if (error_is(&s->failure)) {
		error_move(err, &s->failure);
		return error_wrap(err, "%s", context.buf);
	}
	if (repo_watch_expired())
		return error_set(err, ERR_NETWORK, "%s: nothing heard for %d "
				 "seconds", context.buf, REPO_SILENCE);
	/* Where no configuration may name safe directories, that is what the
	 * check of the owner ends with. */
	if (strstr(text, "safe.directory"))
		code = GIT_EOWNER;
	if (code == GIT_EOWNER)
		text = "the directory belongs to another user";
	strbuf_add_safe(&safe, text, strnlen(text, 2000));
	strbuf_rtrim(&safe);
	error_set(err, code_of(s, code, last ? last->klass : 0, text),
		  "%s: %s", context.buf, safe.buf);
	if (err)
		add_advice(s, code, text, err);
	return -1;
}
