/* repo_submodule.c - submodules, whose names and addresses are hostile input */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "wrap/gitmodules.h"
#include "wrap/repo_lib.h"

struct level {
	git_repository *repo;
	const char *dir;	     /* its working tree */
	const struct giturl *parent; /* where it came from */
	unsigned depth;
};

static int get_tree(struct repo_session *s, git_repository *repo,
		    const git_oid *commit, git_object **tree,
		    struct error *err)
{
	git_object *object = NULL;
	int rc = s->git.git_object_lookup(&object, repo, commit,
					  GIT_OBJECT_COMMIT);

	if (!rc)
		rc = s->git.git_object_peel(tree, object, GIT_OBJECT_TREE);
	s->git.git_object_free(object);
	return rc < 0 ? repo_fail(s, rc, err, "cannot read the commit") : 0;
}

/* The file as committed: a symbolic link of that name is not followed. */
static int read_list(struct repo_session *s, git_repository *repo,
		     const git_object *tree, struct gitmodules *list,
		     struct error *err)
{
	const git_tree_entry *entry = s->git.git_tree_entry_byname(
		(const git_tree *)tree, ".gitmodules");
	git_blob *blob = NULL;
	size_t size;
	int rc;

	if (!entry)
		return 0;
	rc = (int)s->git.git_tree_entry_filemode(entry);
	if (rc != GIT_FILEMODE_BLOB && rc != GIT_FILEMODE_BLOB_EXECUTABLE)
		return error_set(err, ERR_INPUT,
				 ".gitmodules:1: not a regular file");
	rc = s->git.git_blob_lookup(&blob, repo,
				    s->git.git_tree_entry_id(entry));
	if (rc < 0)
		return repo_fail(s, rc, err, "cannot read .gitmodules");
	size = (size_t)s->git.git_blob_rawsize(blob);
	if (size > GITMODULES_MAX)
		rc = error_set(err, ERR_INPUT, ".gitmodules:1: larger than %d "
			       "bytes", GITMODULES_MAX);
	else
		rc = gitmodules_parse(list, ".gitmodules",
				      s->git.git_blob_rawcontent(blob), size,
				      err);
	s->git.git_blob_free(blob);
	return rc;
}

/* Protocols by which a repository may send us elsewhere: a remote one must
 * not make us read a repository of this machine. */
static int check_address(const struct giturl *u, const struct giturl *parent,
			 const char *name, struct error *err)
{
	bool local = u->kind == GITURL_FILE || u->kind == GITURL_PATH;
	bool from_local = parent->kind == GITURL_FILE ||
			  parent->kind == GITURL_PATH;

	if (local && !from_local)
		return error_set(err, ERR_REFUSED, "submodule '%s' names a "
				 "repository of this machine", name);
	if (u->kind == GITURL_PATH && *u->path != '/')
		return error_set(err, ERR_REFUSED, "submodule '%s': address "
				 "is not a URL and not relative ('./', '../')",
				 name);
	return 0;
}

/* Does `path` lead through real directories only? */
static int check_way(const char *dir, const char *path, struct error *err)
{
	for (size_t n = strcspn(path, "/");; n += strcspn(path + n, "/")) {
		cleanup_free char *at = xstrfmt("%s/%.*s", dir, (int)n, path);
		struct stat st;

		if (lstat(at, &st) < 0 && errno != ENOENT)
			return error_errno(err, "cannot look at '%s'", at);
		if (!lstat(at, &st) && !S_ISDIR(st.st_mode))
			return error_set(err, ERR_REFUSED, "submodule path "
					 "'%s': '%s' is not a directory", path,
					 at);
		if (!path[n])
			return 0;
		n++;
	}
}

/* Nested names ("a" and "a/modules/b") would lie inside of each other. */
static char *module_dir(struct repo_session *s, const struct level *l,
			const char *name)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	strbuf_addf(&out, "%smodules/", s->git.git_repository_path(l->repo));
	for (; *name; name++)
		if (*name == '/' || *name == '%')
			strbuf_addf(&out, "%%%02x", *name);
		else
			strbuf_addch(&out, *name);
	return strbuf_detach(&out);
}

static int set_config(struct repo_session *s, const struct level *l,
		      const struct gitmodules_entry *e, const char *url,
		      struct error *err)
{
	cleanup_free char *url_key = xstrfmt("submodule.%s.url", e->name);
	cleanup_free char *active = xstrfmt("submodule.%s.active", e->name);
	git_config *config = NULL;
	int rc = s->git.git_repository_config(&config, l->repo);

	if (!rc)
		rc = s->git.git_config_set_string(config, url_key, url);
	if (!rc)
		rc = s->git.git_config_set_bool(config, active, 1);
	s->git.git_config_free(config);
	return rc < 0 ? repo_fail(s, rc, err, "cannot write the configuration")
		      : 0;
}

static int make(struct repo_session *s, const struct level *l,
		const struct gitmodules_entry *e, const char *work,
		git_repository **repo, struct error *err)
{
	git_repository_init_options o = GIT_REPOSITORY_INIT_OPTIONS_INIT;
	cleanup_free char *gitdir = module_dir(s, l, e->name);
	int rc;

	if (fs_exists(gitdir) &&
	    fs_remove_tree(AT_FDCWD, gitdir, err) < 0)
		return -1;
	o.flags = GIT_REPOSITORY_INIT_NO_REINIT | GIT_REPOSITORY_INIT_MKPATH |
		  GIT_REPOSITORY_INIT_NO_DOTGIT_DIR |
		  GIT_REPOSITORY_INIT_RELATIVE_GITLINK;
	o.workdir_path = work;
	rc = s->git.git_repository_init_ext(repo, gitdir, &o);
	return rc < 0 ? repo_fail(s, rc, err, "cannot make '%s'", work) : 0;
}

static int create(struct repo_session *s, const struct level *l,
		  const struct gitmodules_entry *e, const char *work,
		  const char *commit, struct error *err)
{
	struct giturl here = s->remote;
	cleanup_repo_target struct repo_target t = { 0 };
	git_repository *repo = NULL;
	int rc = make(s, l, e, work, &repo, err);

	if (!rc)
		rc = repo_new_fill(s, repo, commit, &t, err);
	if (!rc)
		rc = repo_tree_checkout(s, repo, &t.commit, true, err);
	if (!rc)
		rc = repo_submodules(s, repo, work, &here, &t.commit,
				     l->depth + 1, err);
	s->git.git_repository_free(repo);
	return rc;
}

static int fetch_one(struct repo_session *s, const struct level *l,
		     const struct gitmodules_entry *e, const char *commit,
		     struct error *err)
{
	cleanup_free char *work = path_join(l->dir, e->path);
	cleanup_free char *git = path_join(work, ".git");
	cleanup_repo_target struct repo_target t = { 0 };
	bool changed = false;

	if (fs_exists(git))
		return repo_update_at(s, work, commit, &t, &changed,
				      l->depth + 1, err);
	return create(s, l, e, work, commit, err);
}

/* The session talks to the submodule's remote while `fetch` runs. */
static int with_remote(struct repo_session *s, struct giturl *u,
		       const struct level *l, const struct gitmodules_entry *e,
		       const char *commit, struct error *err)
{
	struct giturl saved = s->remote;
	cleanup_strbuf struct strbuf url = STRBUF_INIT;
	int rc;

	giturl_text(u, &url);
	if (set_config(s, l, e, url.buf, err) < 0)
		return -1;
	s->remote = *u;
	rc = fetch_one(s, l, e, commit, err);
	s->remote = saved;
	return rc;
}

static int clone_one(struct repo_session *s, const struct level *l,
		     const git_object *tree, const struct gitmodules_entry *e,
		     struct error *err)
{
	cleanup_giturl struct giturl u = { 0 };
	git_tree_entry *entry = NULL;
	char id[GIT_OID_HEXSZ + 1];
	bool linked;

	if (s->git.git_tree_entry_bypath(&entry, (const git_tree *)tree,
					 e->path))
		return 0;
	linked = s->git.git_tree_entry_filemode(entry) == GIT_FILEMODE_COMMIT;
	s->git.git_oid_tostr(id, sizeof(id), s->git.git_tree_entry_id(entry));
	s->git.git_tree_entry_free(entry);
	if (!linked)
		return 0;
	if (++s->submodules > REPO_SUBMODULES_MAX)
		return error_set(err, ERR_REFUSED, "more than %d submodules",
				 REPO_SUBMODULES_MAX);
	if (giturl_resolve(&u, l->parent, e->url, err) < 0 ||
	    check_address(&u, l->parent, e->name, err) < 0 ||
	    check_way(l->dir, e->path, err) < 0)
		return -1;
	return with_remote(s, &u, l, e, id, err);
}

int repo_submodules(struct repo_session *s, git_repository *repo,
		    const char *dir, const struct giturl *parent,
		    const git_oid *commit, unsigned depth, struct error *err)
{
	struct level l = { repo, dir, parent, depth };
	cleanup_gitmodules struct gitmodules list = { 0 };
	git_object *tree = NULL;
	int rc;

	if (!s->options->submodules)
		return 0;
	if (depth > REPO_SUBMODULE_DEPTH)
		return error_set(err, ERR_REFUSED, "submodules are nested "
				 "deeper than %d", REPO_SUBMODULE_DEPTH);
	if (get_tree(s, repo, commit, &tree, err) < 0)
		return -1;
	rc = read_list(s, repo, tree, &list, err);
	for (size_t i = 0; !rc && i < list.nr; i++) {
		rc = clone_one(s, &l, tree, &list.v[i], err);
		if (rc < 0)
			error_wrap(err, "submodule '%s'", list.v[i].name);
	}
	s->git.git_object_free(tree);
	return rc;
}
