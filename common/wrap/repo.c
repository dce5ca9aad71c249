/* repo.c - clone or update: look at what is there, and choose */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/path.h"
#include "wrap/repo_lib.h"

void repo_result_release(struct repo_result *r)
{
	free(r->url);
	free(r->ref);
	free(r->commit);
	free(r->path);
	*r = (struct repo_result){ 0 };
}

enum found { FOUND_NOTHING, FOUND_CLONE, FOUND_OTHER };

/* What an ext4 volume has at birth and a killed run leaves is nothing. */
static bool counts(const char *name)
{
	return !str_eq(name, ".") && !str_eq(name, "..") &&
	       !str_eq(name, "lost+found") &&
	       !str_starts(name, ".devenv-clone-");
}

static int look(const char *dir, enum found *found, struct error *err)
{
	cleanup_free char *git = xstrfmt("%s/.git", dir);
	struct dirent *e;
	struct stat st;
	DIR *d;

	*found = FOUND_NOTHING;
	if (stat(dir, &st) < 0)
		return errno == ENOENT ? 0 : error_errno(err, "'%s'", dir);
	if (fs_exists(git)) {
		*found = FOUND_CLONE;
		return 0;
	}
	*found = FOUND_OTHER;
	if (!S_ISDIR(st.st_mode))
		return 0;
	d = opendir(dir);
	if (!d)
		return error_errno(err, "cannot read '%s'", dir);
	*found = FOUND_NOTHING;
	while ((e = readdir(d)))
		if (counts(e->d_name))
			*found = FOUND_OTHER;
	closedir(d);
	return 0;
}

/* Local repositories are named absolutely, so that the clone can be moved. */
static void make_absolute(struct giturl *u)
{
	char *path;

	if (u->kind != GITURL_PATH)
		return;
	path = path_absolute(u->path);
	free(u->path);
	u->path = path;
}

static int check_local(const struct giturl *u, struct error *err)
{
	if (u->kind != GITURL_PATH && u->kind != GITURL_FILE)
		return 0;
	if (!fs_exists(u->path))
		return error_set(err, ERR_REFUSED,
				 "repository '%s' does not exist", u->path);
	return 0;
}

static int check_ref(const char *ref, struct error *err)
{
	static const char bad[] = " ~^:?*[\\";

	if (!*ref)
		return error_set(err, ERR_USAGE, "empty ref");
	if (*ref == '-' || strstr(ref, "..") || strstr(ref, "@{") ||
	    ref[strcspn(ref, bad)] || str_ends(ref, "/") ||
	    str_ends(ref, ".lock"))
		return error_set(err, ERR_USAGE, "'%s' is not a ref name", ref);
	for (const char *p = ref; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return error_set(err, ERR_USAGE,
					 "ref has a control character");
	return 0;
}

static int choose_ref(const struct repo_options *o, const struct giturl *u,
		      const char **ref, struct error *err)
{
	*ref = o->ref ? o->ref : u->fragment;
	if (o->ref && u->fragment && !str_eq(o->ref, u->fragment))
		return error_set(err, ERR_USAGE, "the address names '%s' and "
				 "--branch '%s'", u->fragment, o->ref);
	return *ref ? check_ref(*ref, err) : 0;
}

static int prepare(struct repo_session *s, const struct repo_options *o,
		   const char **ref, struct error *err)
{
	if (giturl_parse(&s->remote, o->url, err) < 0 ||
	    giturl_parse(&s->origin, o->url, err) < 0 ||
	    choose_ref(o, &s->remote, ref, err) < 0)
		return -1;
	if (s->remote.password)
		log_add_secret(s->remote.password);
	make_absolute(&s->remote);
	if (check_local(&s->remote, err) < 0 || repo_auth_load(s, err) < 0)
		return -1;
	return s->remote.kind == GITURL_HTTPS || o->proxy
		       ? repo_trust_load(s, err) : 0;
}

static int clone_or_update(struct repo_session *s, const char *dir,
			   const char *ref, struct repo_target *t,
			   bool *changed, struct error *err)
{
	enum found found;

	if (look(dir, &found, err) < 0)
		return -1;
	if (found == FOUND_CLONE)
		return repo_update_at(s, dir, ref, t, changed, 0, err);
	if (found == FOUND_OTHER) {
		error_set(err, ERR_SYSTEM, "'%s' exists and is neither a clone "
			  "nor an empty directory", dir);
		return error_hint(err, "name another directory, or move it "
				  "away");
	}
	*changed = true;
	return repo_new(s, dir, ref, t, err);
}

static int commit_time(struct repo_session *s, const char *dir,
		       const git_oid *commit, int64_t *out, struct error *err)
{
	git_repository *repo = NULL;
	git_object *object = NULL;
	int rc = s->git.git_repository_open_ext(
		&repo, dir, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);

	if (!rc)
		rc = s->git.git_object_lookup(&object, repo, commit,
					      GIT_OBJECT_COMMIT);
	if (!rc)
		*out = s->git.git_commit_time((git_commit *)object);
	s->git.git_object_free(object);
	s->git.git_repository_free(repo);
	return rc < 0 ? repo_fail(s, rc, err, "cannot read the commit") : 0;
}

static bool is_full_id(const char *ref)
{
	return ref && strlen(ref) == GIT_OID_HEXSZ &&
	       strspn(ref, "0123456789abcdef") == GIT_OID_HEXSZ;
}

/* Ask; nothing is kept of the connection. */
static int look_at(struct repo_session *s, const char *ref,
		   struct repo_target *t, struct error *err)
{
	cleanup_free char *remote = repo_remote_name(s);
	git_remote *conn = NULL;
	int rc = repo_fetch_connect(s, NULL, ref, &conn, t, err);

	if (conn)
		s->git.git_remote_disconnect(conn);
	s->git.git_remote_free(conn);
	if (rc < 0 || t->ref || (t->id && strlen(t->id) == GIT_OID_HEXSZ))
		return rc;
	error_set(err, ERR_USAGE, "%s has no branch or tag '%s'", remote, ref);
	return error_hint(err, "a commit is named by its full id here");
}

int repo_look(const struct repo_options *o, struct repo_result *r,
	      struct error *err)
{
	cleanup_repo_session struct repo_session s = { .ca_fd = -1 };
	cleanup_repo_target struct repo_target t = { 0 };
	char id[GIT_OID_HEXSZ + 1];
	const char *ref = NULL;

	if (repo_session_open(&s, o, err) < 0 || prepare(&s, o, &ref, err) < 0)
		return -1;
	if (is_full_id(ref)) {
		*r = (struct repo_result){ .commit = xstrdup(ref) };
		return 0;
	}
	if (look_at(&s, ref, &t, err) < 0)
		return -1;
	s.git.git_oid_tostr(id, sizeof(id), &t.commit);
	*r = (struct repo_result){ .ref = steal_ptr(&t.ref),
				   .commit = xstrdup(id) };
	return 0;
}

int repo_clone(const struct repo_options *o, struct repo_result *r,
	       struct error *err)
{
	cleanup_repo_session struct repo_session s = { .ca_fd = -1 };
	cleanup_repo_target struct repo_target t = { 0 };
	cleanup_strbuf struct strbuf url = STRBUF_INIT;
	cleanup_free char *name = o->dir ? xstrdup(o->dir)
					 : giturl_name(o->url);
	cleanup_free char *dir = path_absolute(name);
	struct repo_options options = *o;
	char id[GIT_OID_HEXSZ + 1];
	const char *ref = NULL;
	bool changed = false;
	int64_t when = 0;

	/* As git: history that is cut off is of one branch. */
	options.single_branch = o->single_branch || o->depth;
	if (repo_session_open(&s, &options, err) < 0 ||
	    prepare(&s, o, &ref, err) < 0 ||
	    clone_or_update(&s, dir, ref, &t, &changed, err) < 0 ||
	    (o->want_time &&
	     commit_time(&s, dir, &t.commit, &when, err) < 0))
		return -1;
	s.git.git_oid_tostr(id, sizeof(id), &t.commit);
	giturl_redact(o->url, &url);
	*r = (struct repo_result){ .url = strbuf_detach(&url),
				   .ref = steal_ptr(&t.ref),
				   .commit = xstrdup(id),
				   .path = steal_ptr(&dir),
				   .changed = changed,
				   .time = when };
	return 0;
}
