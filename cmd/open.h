/* open.h - the store, opened the way this host allows */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_OPEN_H
#define CMD_OPEN_H

#include "cmd/cmd.h"
#include "runtime/runtime.h"
#include "store/store.h"

/*
 * Enter the namespaces that mounts and foreign owners need (runtime_enter)
 * and open the store. To be called before anything else that opens sockets
 * or makes threads; as a user it returns in a child process.
 */
int cmd_open_store(const struct cmd_call *call, struct store **out,
		   enum runtime_mode *mode, struct error *err) MUST_CHECK;

/*
 * The store without entering anything: enough to read records, and the only
 * way to reach environments, whose namespaces cannot be entered from others.
 */
int cmd_read_store(const struct cmd_call *call, struct store **out,
		   struct error *err) MUST_CHECK;

#endif
