/* repo_tree.c - files of a commit into the working tree, and is it clean */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/repo_lib.h"

static void on_checkout(const char *path UNUSED, size_t done, size_t total,
			void *data)
{
	struct repo_session *s = data;

	progress_update(s->progress, done, total);
}

static int on_notify(git_checkout_notify_t why UNUSED, const char *path UNUSED,
		     const git_diff_file *base UNUSED,
		     const git_diff_file *target UNUSED,
		     const git_diff_file *work UNUSED, void *data UNUSED)
{
	return repo_watch_check();
}

static int count_entry(const char *root UNUSED,
		       const git_tree_entry *entry UNUSED, void *data)
{
	size_t *count = data;

	if (repo_watch_check())
		return GIT_EUSER;
	return ++*count > REPO_FILES_MAX ? GIT_EUSER : 0;
}

/* Ten trees of ten entries each, nested, are a kilobyte in the pack and ten
 * thousand million files on disk: count before anything is written. */
static int check_size(struct repo_session *s, const git_tree *tree,
		      struct error *err)
{
	size_t count = 0;
	int rc = s->git.git_tree_walk(tree, GIT_TREEWALK_PRE, count_entry,
				      &count);

	if (count > REPO_FILES_MAX)
		return error_set(err, ERR_REFUSED, "the commit has more than "
				 "%u files", REPO_FILES_MAX);
	return rc < 0 ? repo_fail(s, rc, err, "cannot read the commit") : 0;
}

static int write_files(struct repo_session *s, git_repository *repo,
		       const git_object *tree, bool force, struct error *err)
{
	git_checkout_options o = GIT_CHECKOUT_OPTIONS_INIT;
	int rc;

	o.checkout_strategy = force ? GIT_CHECKOUT_FORCE : GIT_CHECKOUT_SAFE;
	o.progress_cb = on_checkout;
	o.notify_flags = GIT_CHECKOUT_NOTIFY_UPDATED;
	o.notify_cb = on_notify;
	o.progress_payload = o.notify_payload = s;
	s->progress = progress_start("checkout", "files", 0);
	rc = s->git.git_checkout_tree(repo, tree, &o);
	if (!rc)
		rc = repo_watch_check();
	progress_end(steal_ptr(&s->progress), rc == 0);
	return rc < 0 ? repo_fail(s, rc, err, "cannot write the files") : 0;
}

static void tell_lfs(struct repo_session *s, git_repository *repo,
		     const git_object *tree)
{
	const git_tree_entry *entry = s->git.git_tree_entry_byname(
		(const git_tree *)tree, ".gitattributes");
	git_blob *blob = NULL;

	if (!entry || s->git.git_blob_lookup(
			      &blob, repo, s->git.git_tree_entry_id(entry)))
		return;
	if (memmem(s->git.git_blob_rawcontent(blob),
		   (size_t)s->git.git_blob_rawsize(blob), "filter=lfs", 10))
		log_info("files managed by Git LFS are left as pointers; "
			 "'git lfs pull' gets them");
	s->git.git_blob_free(blob);
}

/* Their directories are there and empty, which looks like a broken clone. */
static void tell_submodules(const struct repo_session *s,
			    const git_object *tree)
{
	if (!s->options->submodules &&
	    s->git.git_tree_entry_byname((const git_tree *)tree,
					 ".gitmodules"))
		log_info("submodules are left empty; --recurse-submodules "
			 "clones them");
}

int repo_tree_checkout(struct repo_session *s, git_repository *repo,
		       const git_oid *commit, bool force, struct error *err)
{
	git_object *object = NULL, *tree = NULL;
	int rc = s->git.git_object_lookup(&object, repo, commit,
					  GIT_OBJECT_COMMIT);

	if (!rc)
		rc = s->git.git_object_peel(&tree, object, GIT_OBJECT_TREE);
	s->git.git_object_free(object);
	if (rc < 0)
		return repo_fail(s, rc, err, "cannot read the commit");
	rc = check_size(s, (git_tree *)tree, err);
	if (!rc)
		rc = write_files(s, repo, tree, force, err);
	if (!rc) {
		tell_lfs(s, repo, tree);
		tell_submodules(s, tree);
	}
	s->git.git_object_free(tree);
	return rc;
}

static int set_upstream(struct repo_session *s, git_repository *repo,
			const char *ref)
{
	const char *name = ref + strlen("refs/heads/");
	cleanup_free char *remote = xstrfmt("branch.%s.remote", name);
	cleanup_free char *merge = xstrfmt("branch.%s.merge", name);
	git_config *config = NULL;
	int rc = s->git.git_repository_config(&config, repo);

	if (!rc)
		rc = s->git.git_config_set_string(config, remote, "origin");
	if (!rc)
		rc = s->git.git_config_set_string(config, merge, ref);
	s->git.git_config_free(config);
	return rc;
}

static int set_branch(struct repo_session *s, git_repository *repo,
		      const struct repo_target *t)
{
	git_reference *ref = NULL;
	int rc = s->git.git_reference_create(&ref, repo, t->ref, &t->commit, 1,
					     "devenv clone");

	s->git.git_reference_free(ref);
	if (!rc)
		rc = set_upstream(s, repo, t->ref);
	return rc ? rc : s->git.git_repository_set_head(repo, t->ref);
}

int repo_tree_set_head(struct repo_session *s, git_repository *repo,
		       const struct repo_target *t, struct error *err)
{
	int rc = t->ref && str_starts(t->ref, "refs/heads/")
			 ? set_branch(s, repo, t)
			 : s->git.git_repository_set_head_detached(repo,
								   &t->commit);

	return rc < 0 ? repo_fail(s, rc, err, "cannot set HEAD") : 0;
}

static const char *changed_path(const git_status_entry *e)
{
	const git_diff_delta *delta = e->index_to_workdir ? e->index_to_workdir
							  : e->head_to_index;

	return delta->new_file.path ? delta->new_file.path
				    : delta->old_file.path;
}

#define NAMED_MAX 3

int repo_tree_clean(struct repo_session *s, git_repository *repo,
		    const char *dir, struct error *err)
{
	git_status_options o = GIT_STATUS_OPTIONS_INIT;
	cleanup_strbuf struct strbuf names = STRBUF_INIT;
	git_status_list *list = NULL;
	size_t n;
	int rc;

	o.flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED |
		  GIT_STATUS_OPT_UPDATE_INDEX |
		  GIT_STATUS_OPT_EXCLUDE_SUBMODULES;
	rc = s->git.git_status_list_new(&list, repo, &o);
	if (rc < 0)
		return repo_fail(s, rc, err, "cannot compare '%s' with its "
				 "commit", dir);
	n = s->git.git_status_list_entrycount(list);
	for (size_t i = 0; i < MIN(n, NAMED_MAX); i++) {
		const char *path =
			changed_path(s->git.git_status_byindex(list, i));

		strbuf_addstr(&names, i ? ", '" : "'");
		strbuf_add_safe(&names, path, strlen(path));
		strbuf_addch(&names, '\'');
	}
	s->git.git_status_list_free(list);
	if (!n)
		return 0;
	error_set(err, ERR_SYSTEM, "'%s' has changes that are not committed: "
		  "%s%s", dir, names.buf, n > NAMED_MAX ? ", ..." : "");
	return error_hint(err, "commit, stash or remove them, or clone to "
			  "another directory");
}
