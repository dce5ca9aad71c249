/* repo_lib.h - what the parts of repo.h share: libgit2 and one session */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WRAP_REPO_LIB_H
#define WRAP_REPO_LIB_H

#include <git2.h>

#include "base/log.h"
#include "base/strvec.h"
#include "wrap/giturl.h"
#include "wrap/lazy.h"
#include "wrap/repo.h"

#define REPO_FUNCTIONS(X) \
	X(git_blob_free) X(git_blob_lookup) X(git_blob_rawcontent) \
	X(git_blob_rawsize) X(git_buf_dispose) X(git_checkout_tree) X(git_commit_time) \
	X(git_config_foreach_match) X(git_config_free) \
	X(git_config_open_ondisk) X(git_config_set_bool) \
	X(git_config_set_string) X(git_credential_ssh_key_from_agent) \
	X(git_credential_ssh_key_memory_new) X(git_credential_username_new) \
	X(git_credential_userpass_plaintext_new) X(git_error_last) \
	X(git_graph_descendant_of) X(git_libgit2_init) X(git_libgit2_opts) \
	X(git_libgit2_shutdown) X(git_object_free) X(git_object_id) \
	X(git_object_lookup) X(git_object_lookup_prefix) X(git_object_peel) \
	X(git_oid_fromstr) X(git_oid_fromstrn) X(git_oid_tostr) \
	X(git_reference_create) X(git_reference_free) \
	X(git_reference_is_valid_name) X(git_reference_name_to_id) \
	X(git_reference_lookup) X(git_reference_symbolic_create) \
	X(git_reference_symbolic_target) X(git_remote_connect_ext) \
	X(git_remote_create_with_fetchspec) X(git_remote_create_with_opts) \
	X(git_remote_default_branch) X(git_remote_disconnect) \
	X(git_remote_download) X(git_remote_free) X(git_remote_ls) \
	X(git_remote_lookup) X(git_remote_prune) X(git_remote_update_tips) \
	X(git_remote_url) X(git_repository_config) X(git_repository_free) \
	X(git_repository_init_ext) X(git_repository_is_bare) \
	X(git_repository_is_shallow) X(git_repository_open_ext) X(git_repository_path) \
	X(git_repository_set_head) X(git_repository_set_head_detached) \
	X(git_repository_state) X(git_status_byindex) \
	X(git_status_list_entrycount) X(git_status_list_free) \
	X(git_status_list_new) X(git_tree_entry_byname) \
	X(git_tree_entry_bypath) X(git_tree_entry_filemode) \
	X(git_tree_entry_free) X(git_tree_entry_id) X(git_tree_walk)

struct repo_lib {
	REPO_FUNCTIONS(LAZY_POINTER)
};

#define REPO_BYTES_MAX (64ull << 30)	    /* of one fetch */
#define REPO_OBJECTS_MAX (50u * 1000 * 1000) /* of one fetch */
#define REPO_OBJECT_MAX (4ull << 30)	    /* one object, unpacked */
#define REPO_FILES_MAX (5u * 1000 * 1000)   /* of one checkout */
#define REPO_REFS_MAX (1000u * 1000)
#define REPO_SILENCE 120		    /* seconds without a byte */
#define REPO_SUBMODULE_DEPTH 8
#define REPO_SUBMODULES_MAX 1000

struct repo_session {
	struct repo_lib git;
	bool open;
	const struct repo_options *options;
	struct giturl origin; /* its host alone gets the credentials */
	char *username, *password, *key; /* key: PEM text */
	struct giturl remote; /* the one being talked to */
	unsigned asked;	      /* how often credentials were given */
	bool offer, wanted;   /* give them? did it want any? */
	struct error failure; /* what a callback has to say */
	struct progress *progress;
	int ca_fd;	      /* memory file with the CA bundle, or -1 */
	time_t armed;
	unsigned submodules;  /* made so far */
};

/* What the remote has for the ref that is wanted. */
struct repo_target {
	char *ref;	/* full name; NULL: a commit id */
	char *id;	/* commit id or its beginning, when ref is NULL */
	git_oid oid;	/* what ref points to (a tag object, maybe) */
	git_oid commit; /* peeled; as oid until it was fetched */
	char *head;	/* the remote's default branch, full name, or NULL */
};
#define cleanup_repo_target CLEANUP(repo_target_release)
void repo_target_release(struct repo_target *t);

/* repo_lib.c */
int repo_session_open(struct repo_session *s, const struct repo_options *o,
		      struct error *err) MUST_CHECK;
void repo_session_close(struct repo_session *s);
#define cleanup_repo_session CLEANUP(repo_session_close)
/* Turn libgit2's last error (or the failure of a callback) into ours. */
int repo_fail(struct repo_session *s, int code, struct error *err,
	      const char *fmt, ...) PRINTF(4, 5);
/* The remote in words for messages. */
char *repo_remote_name(const struct repo_session *s);

/* repo_watch.c: interruption and silence */
void repo_watch_start(struct repo_session *s);
void repo_watch_alive(struct repo_session *s);
void repo_watch_stop(void);
bool repo_watch_expired(void);
/* Nonzero when work should end. */
int repo_watch_check(void);

/* repo_trust.c */
/* Trust the CA file and text of the options besides the system's. */
int repo_trust_load(struct repo_session *s, struct error *err) MUST_CHECK;
/* Is the certificate for this IP address, and by a trusted authority? */
bool repo_trust_address(const struct repo_session *s, const git_cert_x509 *x,
			const char *address);

/* repo_auth.c */
void repo_auth_callbacks(struct repo_session *s, git_remote_callbacks *cb);
int repo_auth_load(struct repo_session *s, struct error *err) MUST_CHECK;
/* May the user's credentials go to the remote of now? */
bool repo_auth_applies(const struct repo_session *s);

/* The user for ssh when the address has none. */
const char *repo_auth_user(const struct repo_session *s);

/* repo_proxy.c: URL of the proxy for s->remote, or NULL */
const char *repo_proxy(const struct repo_session *s);

/* repo_ssh.c: host keys */
int repo_ssh_certificate(struct repo_session *s, const git_cert_hostkey *key,
			 const char *host);
/* All known_hosts files of the user as one text. */
void repo_ssh_known_hosts(struct strbuf *out);

/* Around a connection: let libgit2 ask for host keys of the known kinds. */
struct repo_home {
	char *dir, *before; /* a home for the connection, and the real one */
};
int repo_ssh_prefer(struct repo_session *s, struct repo_home *home,
		    struct error *err) MUST_CHECK;
void repo_ssh_forget(struct repo_session *s, struct repo_home *home);

/* repo_fetch.c */
/*
 * Ask `remote` what it has for `ref` (NULL: its default branch). The
 * connection stays open in *conn for repo_fetch_download.
 */
int repo_fetch_connect(struct repo_session *s, git_repository *repo,
		       const char *ref, git_remote **conn,
		       struct repo_target *t, struct error *err) MUST_CHECK;
/* Get the objects, update refs/remotes/origin and tags, and peel the target. */
int repo_fetch_download(struct repo_session *s, git_repository *repo,
			git_remote *conn, struct repo_target *t, bool prune,
			struct error *err) MUST_CHECK;
/* The refspecs for a target. */
void repo_fetch_specs(const struct repo_session *s,
		      const struct repo_target *t, struct strvec *specs);
/* refs/heads/x as refs/remotes/origin/x; malloc'ed. */
char *repo_fetch_tracking(const char *ref);

/* repo_git.c: fetch of a limited history by the git program */
int repo_git_fetch(struct repo_session *s, const char *gitdir,
		   const struct strvec *specs, unsigned depth,
		   struct error *err) MUST_CHECK;

/* repo_tree.c */
int repo_tree_checkout(struct repo_session *s, git_repository *repo,
		       const git_oid *commit, bool force, struct error *err)
	MUST_CHECK;
/* Point HEAD (and the branch, for refs/heads/x) at the commit. */
int repo_tree_set_head(struct repo_session *s, git_repository *repo,
		       const struct repo_target *t, struct error *err)
	MUST_CHECK;
/* ERR_SYSTEM naming some of the files when anything is not committed. */
int repo_tree_clean(struct repo_session *s, git_repository *repo,
		    const char *dir, struct error *err) MUST_CHECK;

/* repo_new.c */
/* Make `dir` (which does not exist) a clone of s->remote. */
int repo_new(struct repo_session *s, const char *dir, const char *ref,
	     struct repo_target *t, struct error *err) MUST_CHECK;
/* Fill an empty repository: origin, objects and HEAD, but no files. */
int repo_new_fill(struct repo_session *s, git_repository *repo,
		  const char *ref, struct repo_target *t, struct error *err)
	MUST_CHECK;

/* repo_update.c */
/* Bring the clone in `dir` to `ref` of s->remote, when it is clean and a clone
 * of that. `depth` is how far below the first repository it is. */
int repo_update_at(struct repo_session *s, const char *dir, const char *ref,
		   struct repo_target *t, bool *changed, unsigned depth,
		   struct error *err) MUST_CHECK;

/* While the file is there, a checkout of that commit is not finished. */
int repo_mark_set(struct repo_session *s, const char *gitdir,
		  const git_oid *commit, struct error *err) MUST_CHECK;
void repo_mark_clear(const char *gitdir);

/* repo_submodule.c */
/*
 * Clone or update what .gitmodules of `commit` names, if the options ask for
 * it. `parent` is where the repository in `dir` came from.
 */
int repo_submodules(struct repo_session *s, git_repository *repo,
		    const char *dir, const struct giturl *parent,
		    const git_oid *commit, unsigned level, struct error *err)
	MUST_CHECK;

#endif
