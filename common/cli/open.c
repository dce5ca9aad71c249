/* open.c - the store, opened the way this host allows */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <unistd.h>

#include "base/log.h"

/* Where steps run by chroot, layers are kept so, too: what was begun without
 * the right to mount goes on like that. */
static enum runtime_driver choose(int asked, const char *place)
{
	if (asked == RUNTIME_AUTO && geteuid() == 0 && store_is_plain(place))
		return RUNTIME_BY_CHROOT;
	return (enum runtime_driver)asked;
}

static void tell(enum runtime_mode mode)
{
	if (mode == RUNTIME_SINGLE)
		log_warn("no id ranges for this user in /etc/subuid and "
			 "/etc/subgid: all files have one owner");
	if (mode == RUNTIME_CHROOT)
		log_warn("nothing is mounted here: commands run by chroot, "
			 "without /proc and /sys, and are no better confined "
			 "than devenv itself");
}

int cli_open_store(const char *path, int driver,
		   struct store **out, enum runtime_mode *mode,
		   struct error *err)
{
	/* Its place follows from who we are outside of the namespace. */
	cleanup_free char *place = path ? xstrdup(path) : store_default_path();
	struct store_options o = { .path = place };
	enum runtime_mode entered;

	if (runtime_enter(choose(driver, place), &entered, err) < 0)
		return -1;
	if (mode) {
		tell(entered);
		*mode = entered;
	}
	o.single_id = entered == RUNTIME_SINGLE;
	o.user_xattr = entered != RUNTIME_ROOT;
	o.no_nodes = entered == RUNTIME_CHROOT;
	if (store_open(out, &o, err) < 0)
		return -1;
	return store_claim(*out, err);
}

int cli_read_store(const char *path, struct store **out, struct error *err)
{
	struct store_options o = { .path = path };

	return store_open(out, &o, err);
}
