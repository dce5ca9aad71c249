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

void cli_unused_tell(const struct cli_unused *u)
{
	const struct opt *row;

	for (row = cli_unused_rows; row->type != OPT_END; row++)
		if (row->type == OPT_STR &&
		    *(char *const *)((const char *)u + row->offset))
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
