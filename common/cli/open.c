/* open.c - the store, opened the way this host allows */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include "base/log.h"

int cli_open_store(const char *path, struct store **out,
		   enum runtime_mode *mode, struct error *err)
{
	/* Its place follows from who we are outside of the namespace. */
	cleanup_free char *place = path ? xstrdup(path) : store_default_path();
	struct store_options o = { .path = place };
	enum runtime_mode entered;

	if (runtime_enter(&entered, err) < 0)
		return -1;
	if (mode && entered == RUNTIME_SINGLE)
		log_warn("no id ranges for this user in /etc/subuid and "
			 "/etc/subgid: all files have one owner");
	if (mode)
		*mode = entered;
	o.single_id = entered == RUNTIME_SINGLE;
	o.user_xattr = entered != RUNTIME_ROOT;
	return store_open(out, &o, err);
}

int cli_read_store(const char *path, struct store **out, struct error *err)
{
	struct store_options o = { .path = path };

	return store_open(out, &o, err);
}
