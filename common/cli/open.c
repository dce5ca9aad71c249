/* open.c - the store, opened the way this host allows */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

int cli_open_store(const char *path, struct store **out,
		   enum runtime_mode *mode, struct error *err)
{
	/* Its place follows from who we are outside of the namespace. */
	cleanup_free char *place = path ? xstrdup(path) : store_default_path();
	struct store_options o = { .path = place };

	if (runtime_enter(mode, err) < 0)
		return -1;
	o.single_id = *mode == RUNTIME_SINGLE;
	o.user_xattr = *mode != RUNTIME_ROOT;
	return store_open(out, &o, err);
}

int cli_read_store(const char *path, struct store **out, struct error *err)
{
	struct store_options o = { .path = path };

	return store_open(out, &o, err);
}
