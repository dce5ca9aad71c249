/* cmd.h - what a command is, and the one list of them */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include "base/opt.h"
#include "cli/gate.h"

/* Options that every command takes, before or after its name. */
struct cmd_globals {
	char *dir;   /* -C */
	char *store; /* --store */
	struct strvec base_stores;
	char *policy; /* --policy */
	struct cli_gate gate;
	bool quiet, verbose, help, version, offline;
	int progress, log_format, log_level;
};

/* Rows and the place of their struct inside the command's own options. */
struct cmd_table {
	const struct opt *rows;
	size_t offset;
};

struct cmd_call {
	const struct cmd *cmd;
	const struct cmd_globals *globals;
	void *options;	    /* of cmd->size bytes, zeroed, then filled */
	struct strvec args; /* words that are not options */
	int dashdash;	    /* index in args of what followed "--", or -1 */
	int status;	    /* exit status of a run without error */
};

struct cmd {
	const char *name, *summary;
	const char *usage;  /* after "devenv ", one form a line */
	const char *detail; /* a paragraph for --help, or NULL */
	const struct cmd_table *tables; /* ended by rows == NULL; or NULL */
	size_t size;
	int max_words; /* for us; what follows is a command. 0: all are */
	bool strict;   /* that command begins right after them, as docker's */
	int (*run)(struct cmd_call *call, struct error *err);
	bool hidden;
};

/*
 * A new command is one word here, cmd/NAME.c with its `cmd_NAME`,
 * man/devenv-NAME.1 and t/NNNN-NAME.sh.
 */
#define CMD_LIST(X) \
	X(init) \
	X(clone) \
	X(parse) \
	X(build) \
	X(push) \
	X(pull) \
	X(cache_probe) \
	X(run) \
	X(exec) \
	X(ps) \
	X(stop) \
	X(rm) \
	X(logs) \
	X(iterate) \
	X(up) \
	X(lint) \
	X(read_configuration) \
	X(run_user_commands) \
	X(outdated) \
	X(store) \
	X(cache) \
	X(completion) \
	X(help) \
	X(version)

#define CMD_DECLARE(name) extern const struct cmd cmd_##name;
CMD_LIST(CMD_DECLARE)
#undef CMD_DECLARE

extern const struct opt cmd_global_rows[];
/* NULL-terminated, in the order of the list. */
extern const struct cmd *const cmd_all[];
const struct cmd *cmd_find(const char *name);
/* The text of --help. */
void cmd_usage(const struct cmd *cmd, struct strbuf *out);
/* ERR_USAGE unless the number of words is between min and max. */
int cmd_words(const struct cmd_call *call, size_t min, size_t max,
	      struct error *err) MUST_CHECK;

#endif
