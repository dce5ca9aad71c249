/* open.c - the store, opened the way this host allows */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/open.h"

int cmd_open_store(const struct cmd_call *call, struct store **out,
		   enum runtime_mode *mode, struct error *err)
{
	/* Its place follows from who we are outside of the namespace. */
	cleanup_free char *path = call->globals->store
					  ? xstrdup(call->globals->store)
					  : store_default_path();
	struct store_options o = { .path = path };

	if (runtime_enter(mode, err) < 0)
		return -1;
	o.single_id = *mode == RUNTIME_SINGLE;
	o.user_xattr = *mode != RUNTIME_ROOT;
	return store_open(out, &o, err);
}

int cmd_read_store(const struct cmd_call *call, struct store **out,
		   struct error *err)
{
	struct store_options o = { .path = call->globals->store };

	return store_open(out, &o, err);
}
