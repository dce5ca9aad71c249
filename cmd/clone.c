/* clone.c - devenv clone: a Git repository as a directory, and its record */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"
#include "cmd/cmd.h"
#include "record/record.h"
#include "wrap/giturl.h"
#include "wrap/repo.h"

struct options {
	char *git_url, *branch, *folder, *base_dir;
	bool single_branch, submodules, insecure;
	int depth;
	char *username, *password, *key_path, *key_base64;
	char *proxy, *ca_file, *ca_base64;
};

#define O(member) offsetof(struct options, member)
static const struct opt rows[] = {
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
	{ OPT_GROUP, .help = "Access" },
	{ OPT_STR, 0, "git-username", "NAME", "ENVBUILDER_GIT_USERNAME",
	  "user name, or a token", O(username) },
	{ OPT_STR, 0, "git-password", "SECRET", "ENVBUILDER_GIT_PASSWORD",
	  "password or token; better in the environment", O(password),
	  .secret = true },
	{ OPT_STR, 0, "git-ssh-private-key-path", "FILE",
	  "ENVBUILDER_GIT_SSH_PRIVATE_KEY_PATH", "SSH key", O(key_path) },
	{ OPT_STR, 0, "git-ssh-private-key-base64", "TEXT",
	  "ENVBUILDER_GIT_SSH_PRIVATE_KEY_BASE64",
	  "SSH key as base64; better in the environment", O(key_base64),
	  .secret = true },
	{ OPT_STR, 0, "git-http-proxy-url", "URL",
	  "ENVBUILDER_GIT_HTTP_PROXY_URL",
	  "proxy for https (default: https_proxy)",
	  O(proxy) },
	{ OPT_STR, 0, "ca-file", "FILE", NULL,
	  "trust these certificate authorities, too", O(ca_file) },
	{ OPT_STR, 0, "ssl-cert-base64", "TEXT", "ENVBUILDER_SSL_CERT_BASE64",
	  "the same as base64", O(ca_base64) },
	{ OPT_BOOL, 0, "insecure", NULL, "ENVBUILDER_INSECURE",
	  "check neither certificates nor SSH host keys", O(insecure) },
	{ OPT_END },
};

static const struct cmd_table tables[] = { { rows, 0 }, { 0 } };

/* DIR, else the folder named, else NAME in the base directory. */
static char *choose_dir(const struct cmd_call *call, const struct options *o,
			const char *url)
{
	cleanup_free char *name = NULL;

	if (call->args.nr > 1)
		return xstrdup(call->args.v[1]);
	if (o->folder)
		return xstrdup(o->folder);
	if (!o->base_dir)
		return NULL;
	name = giturl_name(url);
	return path_join(o->base_dir, name);
}

static void write_record(const struct repo_result *result,
			 struct strbuf *out)
{
	const struct record_source source = {
		.url = result->url, .ref = result->ref,
		.commit = result->commit, .path = result->path,
	};
	cleanup_record struct record record = RECORD_INIT;

	record_new(&record);
	record_source_set(&source, &record);
	record_write(&record, out);
}

static int run(struct cmd_call *call, struct error *err)
{
	const struct options *o = call->options;
	cleanup_repo_result struct repo_result result = { 0 };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	const char *url = call->args.nr ? call->args.v[0] : o->git_url;
	cleanup_free char *dir = NULL;
	struct repo_options options;

	if (cmd_words(call, o->git_url ? 0 : 1, 2, err) < 0)
		return -1;
	dir = choose_dir(call, o, url);
	options = (struct repo_options){
		.url = url, .dir = dir, .ref = o->branch,
		.single_branch = o->single_branch, .insecure = o->insecure,
		.submodules = o->submodules, .depth = (unsigned)o->depth,
		.username = o->username, .password = o->password,
		.key_path = o->key_path, .key_base64 = o->key_base64,
		.proxy = o->proxy, .ca_file = o->ca_file,
		.ca_base64 = o->ca_base64,
	};
	if (repo_clone(&options, &result, err) < 0)
		return -1;
	write_record(&result, &out);
	return cmd_write(NULL, &out, err);
}

const struct cmd cmd_clone = {
	.name = "clone",
	.summary = "Clone a Git repository, or bring a clone up to date.",
	.usage = "clone [OPTION...] URL[#REF] [DIR]",
	.tables = tables,
	.size = sizeof(struct options),
	.run = run,
};
