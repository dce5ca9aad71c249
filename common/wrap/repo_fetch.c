/* repo_fetch.c - ask a remote for its refs, choose one, get the objects */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/proc.h"
#include "wrap/gate.h"
#include "wrap/repo_lib.h"

#if LIBGIT2_VER_MAJOR > 1 || LIBGIT2_VER_MINOR >= 7
#define LIBGIT2_HAS_DEPTH 1
#else
#define LIBGIT2_HAS_DEPTH 0
#endif

static int on_transfer(const git_indexer_progress *stats, void *data)
{
	struct repo_session *s = data;

	repo_watch_alive(s);
	progress_update(s->progress, stats->received_objects,
			stats->total_objects);
	if (stats->received_bytes > REPO_BYTES_MAX)
		return error_set(&s->failure, ERR_NETWORK,
				 "more than %llu bytes received",
				 REPO_BYTES_MAX);
	return repo_watch_check();
}

static int on_sideband(const char *text UNUSED, int n UNUSED, void *data)
{
	repo_watch_alive(data);
	return repo_watch_check();
}

static git_remote_callbacks callbacks(struct repo_session *s)
{
	git_remote_callbacks cb = GIT_REMOTE_CALLBACKS_INIT;

	cb.transfer_progress = on_transfer;
	cb.sideband_progress = on_sideband;
	cb.payload = s;
	repo_auth_callbacks(s, &cb);
	return cb;
}

static git_proxy_options proxy_options(const struct repo_session *s)
{
	git_proxy_options proxy = GIT_PROXY_OPTIONS_INIT;

	proxy.url = repo_proxy(s);
	proxy.type = proxy.url ? GIT_PROXY_SPECIFIED : GIT_PROXY_NONE;
	return proxy;
}

/* The remote is anonymous: neither url.insteadOf nor any remote.* of the
 * clone's configuration may send the connection elsewhere. */
static int connect_once(struct repo_session *s, git_repository *repo,
			git_remote_redirect_t redirects, git_remote **conn)
{
	git_remote_create_options create = GIT_REMOTE_CREATE_OPTIONS_INIT;
	git_remote_connect_options o = GIT_REMOTE_CONNECT_OPTIONS_INIT;
	cleanup_free char *url = repo_remote_name(s);
	int rc;

	create.repository = repo;
	create.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF |
		       GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
	o.callbacks = callbacks(s);
	o.proxy_opts = proxy_options(s);
	o.follow_redirects = redirects;
	rc = s->git.git_remote_create_with_opts(conn, url, &create);
	if (rc < 0)
		return rc;
	s->asked = 0;
	repo_watch_start(s);
	rc = s->git.git_remote_connect_ext(*conn, GIT_DIRECTION_FETCH, &o);
	repo_watch_stop();
	return rc;
}

/* libgit2 takes credentials along to wherever it is redirected. So they are
 * held back at first; a server that wants them may not redirect. Nor may any
 * where rules say whom to contact, as libgit2 asks nobody on its way. */
static int connect_remote(struct repo_session *s, git_repository *repo,
			  git_remote **conn)
{
	int rc;

	s->offer = s->remote.kind == GITURL_SSH;
	s->wanted = false;
	rc = connect_once(s, repo,
			  gate_strict() || gate_offline()
				  ? GIT_REMOTE_REDIRECT_NONE
				  : GIT_REMOTE_REDIRECT_INITIAL,
			  conn);
	if (!s->wanted || s->offer)
		return rc;
	s->git.git_remote_free(steal_ptr(conn));
	error_release(&s->failure);
	s->offer = true;
	return connect_once(s, repo, GIT_REMOTE_REDIRECT_NONE, conn);
}

static const git_remote_head *find(const git_remote_head **heads, size_t n,
				   const char *prefix, const char *name)
{
	cleanup_free char *full = xstrfmt("%s%s", prefix, name);

	for (size_t i = 0; i < n; i++)
		if (str_eq(heads[i]->name, full))
			return heads[i];
	return NULL;
}

static bool is_commit_id(const char *s)
{
	size_t n = strspn(s, "0123456789abcdefABCDEF");

	return !s[n] && n >= 4 && n <= GIT_OID_HEXSZ;
}

static void choose(struct repo_target *t, const git_remote_head *head,
		   const git_remote_head **heads, size_t n)
{
	cleanup_free char *peeled = xstrfmt("%s^{}", head->name);
	const git_remote_head *commit = find(heads, n, "", peeled);

	t->ref = xstrdup(head->name);
	t->oid = head->oid;
	t->commit = commit ? commit->oid : head->oid;
}

/* The order of git clone --branch (a branch before a tag), then what only
 * git fetch knows. */
static int choose_named(struct repo_session *s, const char *ref,
			const git_remote_head **heads, size_t n,
			struct repo_target *t, struct error *err)
{
	static const char *const places[] = { "refs/heads/", "refs/tags/",
					      "refs/" };
	cleanup_free char *remote = repo_remote_name(s);
	const git_remote_head *head = NULL;

	if (str_starts(ref, "refs/"))
		head = find(heads, n, "", ref);
	for (size_t i = 0; !head && i < ARRAY_SIZE(places); i++)
		head = find(heads, n, places[i], ref);
	if (head) {
		choose(t, head, heads, n);
		return 0;
	}
	if (is_commit_id(ref)) {
		t->id = xstrdup(ref);
		return 0;
	}
	error_set(err, ERR_REFUSED, "%s has no branch, tag or commit '%s'",
		  remote, ref);
	return error_hint(err, "'git ls-remote %s' lists what it has", remote);
}

static int choose_default(struct repo_session *s,
			  const git_remote_head **heads, size_t n,
			  struct repo_target *t, struct error *err)
{
	cleanup_free char *remote = repo_remote_name(s);
	const git_remote_head *head = t->head ? find(heads, n, "", t->head)
					      : NULL;

	if (head) {
		choose(t, head, heads, n);
		return 0;
	}
	head = find(heads, n, "", "HEAD");
	if (head) {
		char id[GIT_OID_HEXSZ + 1];

		t->id = xstrdup(s->git.git_oid_tostr(id, sizeof(id),
						     &head->oid));
		t->oid = t->commit = head->oid;
		return 0;
	}
	error_set(err, ERR_REFUSED, "the default branch of %s does not exist",
		  remote);
	return error_hint(err, "name a branch with --branch, such as '%s'",
			  str_starts(heads[0]->name, "refs/heads/")
				  ? heads[0]->name + strlen("refs/heads/")
				  : heads[0]->name);
}

static int list_refs(struct repo_session *s, git_remote *conn,
		     const git_remote_head ***heads, size_t *n,
		     struct error *err)
{
	cleanup_free char *remote = repo_remote_name(s);
	int rc = s->git.git_remote_ls(heads, n, conn);

	if (rc < 0)
		return repo_fail(s, rc, err, "%s", remote);
	if (*n > REPO_REFS_MAX)
		return error_set(err, ERR_REFUSED, "%s has more than %u refs",
				 remote, REPO_REFS_MAX);
	if (*n)
		return 0;
	error_set(err, ERR_REFUSED, "%s is empty: it has no commit to check "
		  "out", remote);
	return error_hint(err, "push a first commit to it");
}

static int choose_target(struct repo_session *s, git_remote *conn,
			 const char *ref, struct repo_target *t,
			 struct error *err)
{
	const git_remote_head **heads = NULL;
	git_buf head = GIT_BUF_INIT;
	size_t n = 0;

	if (list_refs(s, conn, &heads, &n, err) < 0)
		return -1;
	if (!s->git.git_remote_default_branch(&head, conn))
		t->head = xstrdup(head.ptr);
	s->git.git_buf_dispose(&head);
	if (ref && !str_eq(ref, "HEAD"))
		return choose_named(s, ref, heads, n, t, err);
	return choose_default(s, heads, n, t, err);
}

/* libgit2 tunnels https through a proxy, but goes directly for http. */
static int check_proxy(const struct repo_session *s, struct error *err)
{
	if (s->remote.kind != GITURL_HTTP || !repo_proxy(s))
		return 0;
	if (!s->options->proxy) {
		log_warn("http to '%s' does not go through the proxy: only "
			 "https does", s->remote.host);
		return 0;
	}
	error_set(err, ERR_HOST, "libgit2 has no proxies for http, only for "
		  "https");
	return error_hint(err, "use an https address, or no proxy");
}

/* A repository of this machine is no connection. */
static int ask_gate(const struct repo_session *s, struct error *err)
{
	cleanup_free char *name = giturl_canonical(&s->remote);
	const struct gate_question q = { .kind = GATE_GIT, .name = name };

	return name ? gate_connect(&q, err) : 0;
}

int repo_fetch_connect(struct repo_session *s, git_repository *repo,
		       const char *ref, git_remote **conn,
		       struct repo_target *t, struct error *err)
{
	cleanup_free char *remote = repo_remote_name(s);
	struct repo_home ssh = { 0 };
	int rc = ask_gate(s, err);

	if (!rc)
		rc = check_proxy(s, err);
	if (!rc && s->remote.kind == GITURL_SSH)
		rc = repo_ssh_prefer(s, &ssh, err);
	if (rc < 0) {
		repo_ssh_forget(s, &ssh);
		return -1;
	}
	rc = connect_remote(s, repo, conn);
	repo_ssh_forget(s, &ssh);
	if (rc < 0)
		return repo_fail(s, rc, err, "%s", remote);
	return choose_target(s, *conn, ref, t, err);
}

char *repo_fetch_tracking(const char *ref)
{
	const char *name = str_skip(ref, "refs/heads/");

	if (str_starts(ref, "refs/tags/"))
		return xstrdup(ref);
	return xstrfmt("refs/remotes/origin/%s",
		       name ? name : ref + strlen("refs/"));
}

void repo_fetch_specs(const struct repo_session *s,
		      const struct repo_target *t, struct strvec *specs)
{
	bool single = s->options->single_branch && t->ref;

	if (!single)
		strvec_push(specs, "+refs/heads/*:refs/remotes/origin/*");
	if (t->ref && (single || !str_starts(t->ref, "refs/heads/"))) {
		cleanup_free char *to = repo_fetch_tracking(t->ref);

		strvec_pushf(specs, "+%s:%s", t->ref, to);
	}
}

static int download(struct repo_session *s, git_remote *conn,
		    const struct strvec *specs, const struct repo_target *t,
		    bool prune)
{
	git_fetch_options fetch = GIT_FETCH_OPTIONS_INIT;
	git_strarray list = { specs->v, specs->nr };
	git_remote_autotag_option_t tags =
		s->options->single_branch ? GIT_REMOTE_DOWNLOAD_TAGS_AUTO
					  : GIT_REMOTE_DOWNLOAD_TAGS_ALL;
	int rc;

	fetch.callbacks = callbacks(s);
	fetch.proxy_opts = proxy_options(s);
	fetch.download_tags = tags;
#if LIBGIT2_HAS_DEPTH
	fetch.depth = t->ref ? (int)s->options->depth : 0;
#else
	(void)t;
#endif
	repo_watch_start(s);
	rc = s->git.git_remote_download(conn, &list, &fetch);
	repo_watch_stop();
	/* A deleted "a" would be in the way of a new "a/b". */
	if (!rc && prune)
		rc = s->git.git_remote_prune(conn, &fetch.callbacks);
	if (!rc)
		rc = s->git.git_remote_update_tips(conn, &fetch.callbacks, 0,
						   tags, "devenv clone");
	s->git.git_remote_disconnect(conn);
	return rc;
}

/* A commit named by (the beginning of) its id must be in what was fetched. */
static int find_commit(struct repo_session *s, git_repository *repo,
		       struct repo_target *t, struct error *err)
{
	cleanup_free char *remote = repo_remote_name(s);
	git_object *object = NULL;
	size_t n = strlen(t->id);
	int rc = s->git.git_oid_fromstrn(&t->oid, t->id, n);

	if (!rc)
		rc = s->git.git_object_lookup_prefix(&object, repo, &t->oid, n,
						     GIT_OBJECT_COMMIT);
	if (rc == GIT_EAMBIGUOUS)
		return error_set(err, ERR_USAGE, "commit id '%s' is ambiguous "
				 "in %s", t->id, remote);
	if (rc == GIT_ENOTFOUND) {
		error_set(err, ERR_REFUSED, "%s has no branch, tag or commit "
			  "'%s'", remote, t->id);
		return error_hint(err, "a commit must be reachable from a "
				  "branch or a tag");
	}
	if (rc < 0)
		return repo_fail(s, rc, err, "%s: commit '%s'", remote, t->id);
	t->oid = t->commit = *s->git.git_object_id(object);
	s->git.git_object_free(object);
	return 0;
}

static int peel(struct repo_session *s, git_repository *repo,
		struct repo_target *t, struct error *err)
{
	git_object *object = NULL, *commit = NULL;
	int rc = s->git.git_object_lookup(&object, repo, &t->oid,
					  GIT_OBJECT_ANY);

	if (!rc)
		rc = s->git.git_object_peel(&commit, object,
					    GIT_OBJECT_COMMIT);
	s->git.git_object_free(object);
	if (rc < 0)
		return repo_fail(s, rc, err, "'%s' does not lead to a commit",
				 t->ref);
	t->commit = *s->git.git_object_id(commit);
	s->git.git_object_free(commit);
	return 0;
}

/* libgit2 learned limited history in 1.7; before, the git program does it,
 * as it does every later fetch of such a clone. */
static bool needs_git(struct repo_session *s, git_repository *repo,
		      const struct repo_target *t)
{
	bool wanted = s->options->depth && t->ref;
	bool shallow = s->git.git_repository_is_shallow(repo) == 1;

	if (s->options->depth && !t->ref)
		log_info("--depth needs a branch or a tag: the whole history "
			 "is fetched");
	return LIBGIT2_HAS_DEPTH ? false : wanted || shallow;
}

static int get_objects(struct repo_session *s, git_repository *repo,
		       git_remote *conn, const struct repo_target *t,
		       bool prune, struct error *err)
{
	cleanup_strvec struct strvec specs = STRVEC_INIT;
	cleanup_free char *remote = repo_remote_name(s);
	cleanup_free char *git = NULL;
	int rc;

	repo_fetch_specs(s, t, &specs);
	if (needs_git(s, repo, t)) {
		git = proc_which("git");
		if (!git && s->git.git_repository_is_shallow(repo) == 1)
			return error_set(err, ERR_HOST, "a clone of limited "
					 "history can only be updated by the "
					 "git program");
		if (!git)
			log_warn("this libgit2 cannot limit the history and "
				 "there is no git program: fetching all of it");
	}
	s->progress = progress_start(remote, "objects", 0);
	if (git) {
		s->git.git_remote_disconnect(conn);
		rc = repo_git_fetch(s, s->git.git_repository_path(repo),
				    &specs, t->ref ? s->options->depth : 0,
				    err);
	} else {
		rc = download(s, conn, &specs, t, prune);
		if (rc < 0)
			repo_fail(s, rc, err, "%s", remote);
	}
	progress_end(steal_ptr(&s->progress), rc == 0);
	return rc;
}

int repo_fetch_download(struct repo_session *s, git_repository *repo,
			git_remote *conn, struct repo_target *t, bool prune,
			struct error *err)
{
	if (get_objects(s, repo, conn, t, prune, err) < 0)
		return -1;
	return t->ref ? peel(s, repo, t, err) : find_commit(s, repo, t, err);
}
