/* store.h - what the files of `devenv store` share */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_STORE_H
#define CMD_STORE_H

#include "cli/cli.h"
#include "cmd/cmd.h"

struct store_command {
	bool dry_run, repair;
	bool json, mounts;
	int format;
	char *keep_age, *keep_size, *cache_repo;
	struct cli_registry registry; /* verify --repair fetches */
};

static inline bool store_wants_json(const struct store_command *o)
{
	return o->json || o->format;
}

/* --- store_show.c --- */

int store_print_json(const struct json *j, struct error *err) MUST_CHECK;
int store_show_list(struct store *s, const struct store_command *o,
		    struct cmd_call *call, struct error *err) MUST_CHECK;
int store_show_usage(struct store *s, const struct store_command *o,
		     struct cmd_call *call, struct error *err) MUST_CHECK;

/* --- store_verify.c --- */

int store_do_verify(struct store *s, const struct store_command *o,
		    struct cmd_call *call, struct error *err) MUST_CHECK;

#endif
