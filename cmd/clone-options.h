/* clone-options.h - options of every command that clones, and the clone */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_CLONE_OPTIONS_H
#define CMD_CLONE_OPTIONS_H

#include "base/opt.h"
#include "record/record.h"
#include "wrap/repo.h"

struct cmd_clone_options {
	char *git_url, *branch, *folder, *base_dir;
	bool single_branch, submodules, insecure;
	int depth;
	char *username, *password, *key_path, *key_base64;
	char *proxy, *ca_file, *ca_base64;
};
extern const struct opt cmd_clone_rows[];

/* Clone or update; `dir` NULL: as the options say, else ./NAME. The record
 * has its section "source" then. */
int cmd_clone_get(const struct cmd_clone_options *o, const char *url,
		  const char *dir, struct record *r, struct error *err)
	MUST_CHECK;

#endif
