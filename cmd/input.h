/* input.h - what comes on standard input: a record, or a context in a tar */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_INPUT_H
#define CMD_INPUT_H

#include "cmd/project.h"
#include "store/store.h"

enum cmd_input { INPUT_NOTHING, INPUT_RECORD, INPUT_TAR };

/* Look at the first bytes without taking them; waits for them. */
int cmd_input_kind(enum cmd_input *kind, struct error *err) MUST_CHECK;
/* Could there be anything (a pipe or a file, no terminal)? */
bool cmd_input_possible(void);

/* A context unpacked from standard input; goes with its release. */
struct cmd_context {
	struct store *store;
	char *dir; /* NULL: none */
	int lock;
};
#define CMD_CONTEXT_INIT { .lock = -1 }
void cmd_context_release(struct cmd_context *c);
#define cleanup_cmd_context CLEANUP(cmd_context_release)
/* Plain or in any compression that libarchive reads without a program. */
int cmd_context_read(struct cmd_context *c, struct store *s,
		     struct error *err) MUST_CHECK;

#endif
