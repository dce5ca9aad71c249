/* repo_update.c - bring an existing clone to what its remote has now */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "wrap/repo_lib.h"

/* Commit that a checkout is on its way to; the file exists while it runs. */
#define MARK "devenv-checkout"

int repo_mark_set(struct repo_session *s, const char *gitdir,
		  const git_oid *commit, struct error *err)
{
	cleanup_free char *path = xstrfmt("%s/" MARK, gitdir);
	char id[GIT_OID_HEXSZ + 1];

	s->git.git_oid_tostr(id, sizeof(id), commit);
	return fs_write_atomic(AT_FDCWD, path, id, GIT_OID_HEXSZ, 0644, err);
}

void repo_mark_clear(const char *gitdir)
{
	cleanup_free char *path = xstrfmt("%s/" MARK, gitdir);

	unlink(path);
}

/* Finish what a killed run began: the tree is a mixture of two commits and
 * the index may still be locked. */
static int resume(struct repo_session *s, git_repository *repo,
		  const char *gitdir, struct error *err)
{
	cleanup_free char *path = xstrfmt("%s/" MARK, gitdir);
	cleanup_free char *lock = xstrfmt("%s/index.lock", gitdir);
	cleanup_strbuf struct strbuf id = STRBUF_INIT;
	struct repo_target t = { 0 };

	if (!fs_is_file(path))
		return 0;
	if (fs_read_file(path, 2 * GIT_OID_HEXSZ, &id, err) < 0)
		return -1;
	if (s->git.git_oid_fromstr(&t.commit, id.buf))
		return error_set(err, ERR_SYSTEM, "'%s' is not a commit id",
				 path);
	log_info("finishing an interrupted checkout");
	unlink(lock);
	if (repo_tree_checkout(s, repo, &t.commit, true, err) < 0 ||
	    repo_tree_set_head(s, repo, &t, err) < 0)
		return -1;
	repo_mark_clear(gitdir);
	return 0;
}

static int check_origin(struct repo_session *s, git_repository *repo,
			const char *dir, struct error *err)
{
	cleanup_giturl struct giturl has = { 0 };
	cleanup_strbuf struct strbuf shown = STRBUF_INIT;
	cleanup_free char *wanted = repo_remote_name(s);
	git_remote *origin = NULL;
	const char *url = NULL;
	bool same;

	if (!s->git.git_remote_lookup(&origin, repo, "origin"))
		url = s->git.git_remote_url(origin);
	same = url && !giturl_parse(&has, url, NULL) &&
	       giturl_same(&has, &s->remote);
	if (url)
		giturl_redact(url, &shown);
	s->git.git_remote_free(origin);
	if (same)
		return 0;
	error_set(err, ERR_SYSTEM, "'%s' is %s%s, not of %s", dir,
		  url ? "a clone of " : "a repository without origin",
		  shown.buf, wanted);
	return error_hint(err, "name another directory");
}

static int check_state(struct repo_session *s, git_repository *repo,
		       const char *dir, struct error *err)
{
	if (s->git.git_repository_is_bare(repo))
		return error_set(err, ERR_SYSTEM, "'%s' is a bare repository",
				 dir);
	return check_origin(s, repo, dir, err);
}

static int check_done(struct repo_session *s, git_repository *repo,
		      const char *dir, struct error *err)
{
	if (s->git.git_repository_state(repo) != GIT_REPOSITORY_STATE_NONE)
		return error_set(err, ERR_SYSTEM, "'%s' is in the middle of a "
				 "merge, rebase or similar", dir);
	return 0;
}

/* Commits that only this clone has must not be lost: what the branch was
 * before must be known to the remote, now or at the last fetch. */
static int check_branch(struct repo_session *s, git_repository *repo,
			const struct repo_target *t, const git_oid *before,
			struct error *err)
{
	git_oid local;

	if (!t->ref || !str_starts(t->ref, "refs/heads/") ||
	    s->git.git_reference_name_to_id(&local, repo, t->ref) ||
	    !memcmp(&local, &t->commit, sizeof(local)))
		return 0;
	if (before &&
	    (!memcmp(&local, before, sizeof(local)) ||
	     s->git.git_graph_descendant_of(repo, before, &local) == 1))
		return 0;
	if (s->git.git_graph_descendant_of(repo, &t->commit, &local) == 1)
		return 0;
	error_set(err, ERR_SYSTEM, "branch '%s' has commits that the remote "
		  "does not have", t->ref + strlen("refs/heads/"));
	return error_hint(err, "push them, or clone to another directory");
}

/* Is HEAD what is wanted, in name and commit? */
static bool is_there(struct repo_session *s, git_repository *repo,
		     const struct repo_target *t)
{
	char id[GIT_OID_HEXSZ + 1];
	git_reference *head = NULL;
	const char *branch = NULL;
	git_oid now;
	bool same;

	if (s->git.git_reference_name_to_id(&now, repo, "HEAD"))
		return false;
	if (t->id)
		return !strncasecmp(s->git.git_oid_tostr(id, sizeof(id), &now),
				    t->id, strlen(t->id));
	if (memcmp(&now, &t->commit, sizeof(now)))
		return false;
	if (!s->git.git_reference_lookup(&head, repo, "HEAD"))
		branch = s->git.git_reference_symbolic_target(head);
	same = str_starts(t->ref, "refs/heads/") ? str_eq_null(branch, t->ref)
						 : !branch;
	s->git.git_reference_free(head);
	return same;
}

static void take_head(struct repo_session *s, git_repository *repo,
		      struct repo_target *t)
{
	s->git.git_reference_name_to_id(&t->commit, repo, "HEAD");
}

static int move(struct repo_session *s, git_repository *repo,
		const char *gitdir, const struct repo_target *t,
		struct error *err)
{
	if (repo_mark_set(s, gitdir, &t->commit, err) < 0)
		return -1;
	if (repo_tree_checkout(s, repo, &t->commit, false, err) < 0 ||
	    repo_tree_set_head(s, repo, t, err) < 0) {
		/* Nothing was lost if it refused; a signal left a mixture. */
		if (!repo_watch_check())
			repo_mark_clear(gitdir);
		return -1;
	}
	repo_mark_clear(gitdir);
	return 0;
}

static int fetch_and_move(struct repo_session *s, git_repository *repo,
			  const char *gitdir, git_remote *conn,
			  struct repo_target *t, struct error *err)
{
	cleanup_free char *tracking = t->ref ? repo_fetch_tracking(t->ref)
					     : NULL;
	git_oid before;
	bool known = tracking && !s->git.git_reference_name_to_id(
					 &before, repo, tracking);

	if (repo_fetch_download(s, repo, conn, t, !s->options->single_branch,
				err) < 0 ||
	    check_branch(s, repo, t, known ? &before : NULL, err) < 0)
		return -1;
	return move(s, repo, gitdir, t, err);
}

static bool is_full_id(const char *ref)
{
	return ref && strlen(ref) == GIT_OID_HEXSZ &&
	       !ref[strspn(ref, "0123456789abcdef")];
}

static int bring(struct repo_session *s, git_repository *repo,
		 const char *gitdir, const char *ref, struct repo_target *t,
		 bool *changed, struct error *err)
{
	git_remote *conn = NULL;
	int rc = 0;

	/* A full id means the same for ever: no need to ask anybody. */
	if (is_full_id(ref)) {
		t->id = xstrdup(ref);
		if (is_there(s, repo, t)) {
			take_head(s, repo, t);
			return 0;
		}
		free(steal_ptr(&t->id));
	}
	rc = repo_fetch_connect(s, repo, ref, &conn, t, err);
	if (!rc && is_there(s, repo, t)) {
		take_head(s, repo, t);
	} else if (!rc) {
		rc = fetch_and_move(s, repo, gitdir, conn, t, err);
		*changed = true;
	}
	s->git.git_remote_free(conn);
	return rc;
}

/* A ref that somebody named is what they want, or nothing. */
static bool may_keep(const struct repo_session *s, const char *ref,
		     unsigned depth, const struct error *why)
{
	if (!s->options->keep || depth)
		return false;
	return why->code == ERR_SYSTEM || why->code == ERR_NETWORK ||
	       (why->code == ERR_REFUSED && !ref);
}

static int as_it_is(struct repo_session *s, git_repository *repo,
		    struct repo_target *t, struct error *why,
		    struct error *err)
{
	git_reference *head = NULL;
	const char *branch = NULL;

	repo_target_release(t);
	*t = (struct repo_target){ 0 };
	if (s->git.git_reference_name_to_id(&t->commit, repo, "HEAD"))
		return error_move(err, why);
	if (!s->git.git_reference_lookup(&head, repo, "HEAD"))
		branch = s->git.git_reference_symbolic_target(head);
	t->ref = xstrdup_null(branch);
	s->git.git_reference_free(head);
	log_warn("%s; the clone is used as it is", why->msg);
	return 0;
}

static int update(struct repo_session *s, git_repository *repo,
		  const char *dir, const char *ref, struct repo_target *t,
		  bool *changed, unsigned depth, struct error *err)
{
	const struct giturl here = s->remote;
	const char *gitdir = s->git.git_repository_path(repo);

	if (check_done(s, repo, dir, err) < 0 ||
	    repo_tree_clean(s, repo, dir, err) < 0 ||
	    bring(s, repo, gitdir, ref, t, changed, err) < 0)
		return -1;
	return repo_submodules(s, repo, dir, &here, &t->commit, depth, err);
}

int repo_update_at(struct repo_session *s, const char *dir, const char *ref,
		   struct repo_target *t, bool *changed, unsigned depth,
		   struct error *err)
{
	cleanup_error struct error why = ERROR_INIT;
	git_repository *repo = NULL;
	int rc = s->git.git_repository_open_ext(
		&repo, dir, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);

	if (rc < 0)
		return repo_fail(s, rc, err, "cannot use '%s'", dir);
	rc = check_state(s, repo, dir, err);
	if (!rc)
		rc = resume(s, repo, s->git.git_repository_path(repo), err);
	if (!rc && update(s, repo, dir, ref, t, changed, depth, &why) < 0)
		rc = may_keep(s, ref, depth, &why)
			     ? as_it_is(s, repo, t, &why, err)
			     : error_move(err, &why);
	s->git.git_repository_free(repo);
	return rc;
}
