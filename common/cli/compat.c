/* compat.c - options that callers of the Dev Container CLI always pass */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/compat.h"

#include "base/log.h"

#define O(member) offsetof(struct cli_unused, member)
const struct opt cli_unused_rows[] = {
	{ OPT_GROUP, .help = "Taken from callers of the Dev Container CLI, "
			     "without effect" },
	{ OPT_STR, 0, "docker-path", "PATH", OPT_NO_ENV,
	  "no daemon is asked", O(docker) },
	{ OPT_STR, 0, "docker-compose-path", "PATH", OPT_NO_ENV,
	  "no daemon is asked", O(compose) },
	{ OPT_STR, 0, "buildkit", "auto|never", OPT_NO_ENV,
	  "no daemon is asked", O(buildkit) },
	{ OPT_STR, 0, "gpu-availability", "all|detect|none", OPT_NO_ENV,
	  "what this host has is seen", O(gpu) },
	{ OPT_STR, 0, "workspace-mount-consistency", "WORD", OPT_NO_ENV,
	  "the workspace is mounted as it is", O(consistency) },
	{ OPT_STR, 0, "user-data-folder", "DIR", OPT_NO_ENV,
	  "the store keeps all state", O(user_data) },
	{ OPT_STR, 0, "container-data-folder", "DIR", OPT_NO_ENV,
	  "the store keeps all state", O(container_data) },
	{ OPT_STR, 0, "container-system-data-folder", "DIR", OPT_NO_ENV,
	  "the store keeps all state", O(system_data) },
	{ OPT_STR, 0, "container-session-data-folder", "DIR", OPT_NO_ENV,
	  "the store keeps all state", O(session_data) },
	{ OPT_STR, 0, "terminal-rows", "N", OPT_NO_ENV,
	  "nothing is rendered", O(rows) },
	{ OPT_STR, 0, "terminal-columns", "N", OPT_NO_ENV,
	  "nothing is rendered", O(columns) },
	{ OPT_END },
};

#undef O
#define O(member) offsetof(struct cli_settled, member)
const struct opt cli_settled_rows[] = {
	{ OPT_STR, 0, "override-config", "PATH", OPT_NO_ENV,
	  "'up' has read a configuration", O(override) },
	{ OPT_STR, 0, "mount-workspace-git-root", "true|false", OPT_NO_ENV,
	  "'up' has mounted the workspace", O(git_root) },
	{ OPT_BOOL, 0, "mount-git-worktree-common-dir", NULL, OPT_NO_ENV,
	  "'up' has mounted the workspace", O(worktree) },
	{ OPT_STR, 0, "default-user-env-probe", "PROBE", OPT_NO_ENV,
	  "'up' has asked the user's shell", O(probe) },
	{ OPT_END },
};

static bool was_given(const struct opt *row, const void *values)
{
	const void *member = (const char *)values + row->offset;

	if (row->type == OPT_BOOL)
		return *(const bool *)member;
	return row->type == OPT_STR && *(char *const *)member;
}

void cli_unused_tell(const struct opt *rows, const void *values)
{
	const struct opt *row;

	for (row = rows; row->type != OPT_END; row++)
		if (was_given(row, values))
			log_info("--%s has no effect here", row->name);
}

const struct opt cli_folder_rows[] = {
	{ OPT_STR, 0, "workspace-folder", "DIR", OPT_NO_ENV,
	  "the project (default: the working directory)",
	  offsetof(struct cli_folder, folder) },
	{ OPT_END },
};

void cli_folder_word(const struct cli_folder *f, struct strvec *words)
{
	strvec_push(words, f->folder ? f->folder : ".");
}
