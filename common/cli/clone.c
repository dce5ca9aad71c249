/* clone.c - options of every command that clones, and the clone */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include "base/path.h"
#include "wrap/giturl.h"

#define O(member) offsetof(struct cli_clone_options, member)
const struct opt cli_clone_rows[] = {
	{ OPT_GROUP, .help = "What to clone" },
	{ OPT_STR, 0, "git-url", "URL", "ENVBUILDER_GIT_URL",
	  "repository, when it is not an argument", O(git_url) },
	{ OPT_STR, 'b', "branch", "REF", NULL,
	  "branch, tag, full ref or commit (default: the remote's)",
	  O(branch) },
	{ OPT_BOOL, 0, "single-branch", NULL,
	  "ENVBUILDER_GIT_CLONE_SINGLE_BRANCH",
	  "fetch only that branch or tag", O(single_branch) },
	{ OPT_INT, 0, "depth", "N", "ENVBUILDER_GIT_CLONE_DEPTH",
	  "fetch the last N commits only (0: all)", O(depth) },
	{ OPT_BOOL, 0, "recurse-submodules", NULL, NULL,
	  "clone submodules, too", O(submodules) },
	{ OPT_STR, 0, "workspace-folder", "DIR", "ENVBUILDER_WORKSPACE_FOLDER",
	  "where to put it, when DIR is not an argument", O(folder) },
	{ OPT_STR, 0, "workspace-base-dir", "DIR",
	  "ENVBUILDER_WORKSPACE_BASE_DIR",
	  "where to put it under its own name", O(base_dir) },
	{ OPT_GROUP, .help = "Trust" },
	{ OPT_STR, 0, "ca-file", "FILE", NULL,
	  "trust these certificate authorities, too", O(ca_file) },
	{ OPT_STR, 0, "ssl-cert-base64", "TEXT", "ENVBUILDER_SSL_CERT_BASE64",
	  "the same as base64", O(ca_base64) },
	{ OPT_BOOL, 0, "insecure", NULL, "ENVBUILDER_INSECURE",
	  "check neither certificates nor SSH host keys", O(insecure) },
	{ OPT_END },
};

#define G(member) offsetof(struct cli_git, member)
const struct opt cli_git_rows[] = {
	{ OPT_GROUP, .help = "Access to repositories" },
	{ OPT_STR, 0, "git-username", "NAME", "ENVBUILDER_GIT_USERNAME",
	  "user name, or a token", G(username) },
	{ OPT_STR, 0, "git-password", "SECRET", "ENVBUILDER_GIT_PASSWORD",
	  "password or token; better in the environment", G(password),
	  .secret = true },
	{ OPT_STR, 0, "git-ssh-private-key-path", "FILE",
	  "ENVBUILDER_GIT_SSH_PRIVATE_KEY_PATH", "SSH key", G(key_path) },
	{ OPT_STR, 0, "git-ssh-private-key-base64", "TEXT",
	  "ENVBUILDER_GIT_SSH_PRIVATE_KEY_BASE64",
	  "SSH key as base64; better in the environment", G(key_base64),
	  .secret = true },
	{ OPT_STR, 0, "git-http-proxy-url", "URL",
	  "ENVBUILDER_GIT_HTTP_PROXY_URL",
	  "proxy for https (default: https_proxy)",
	  G(proxy) },
	{ OPT_END },
};

void cli_git_access(const struct cli_git *from, struct repo_options *to)
{
	to->username = from->username;
	to->password = from->password;
	to->key_path = from->key_path;
	to->key_base64 = from->key_base64;
	to->proxy = from->proxy;
}

/* The folder named, else NAME in the base directory, else NULL: ./NAME. */
static char *choose_dir(const struct cli_clone_options *o, const char *url,
			const char *dir)
{
	cleanup_free char *name = NULL;

	if (dir)
		return xstrdup(dir);
	if (o->folder)
		return xstrdup(o->folder);
	if (!o->base_dir)
		return NULL;
	name = giturl_name(url);
	return path_join(o->base_dir, name);
}

char *cli_clone_place(const struct cli_clone_options *o, const char *url)
{
	cleanup_free char *dir = choose_dir(o, url, NULL);

	if (!dir)
		dir = giturl_name(url);
	return path_absolute(dir);
}

int cli_clone_get(const struct cli_clone_options *o, const struct cli_git *git,
		  const char *url, const char *dir, struct record *r,
		  struct error *err)
{
	cleanup_repo_result struct repo_result result = { 0 };
	cleanup_free char *where = choose_dir(o, url, dir);
	struct record_source source;
	struct repo_options options = {
		.url = url,
		.dir = where,
		.ref = o->branch,
		.single_branch = o->single_branch,
		.insecure = o->insecure,
		.submodules = o->submodules,
		.keep = o->keep,
		.depth = (unsigned)o->depth,
		.ca_file = o->ca_file,
		.ca_base64 = o->ca_base64,
	};

	cli_git_access(git, &options);
	if (repo_clone(&options, &result, err) < 0)
		return -1;
	source = (struct record_source){ .url = result.url,
					 .ref = result.ref,
					 .commit = result.commit,
					 .path = result.path };
	record_new(r);
	record_source_set(&source, r);
	return 0;
}
