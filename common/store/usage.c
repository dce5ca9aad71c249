/* usage.c - how much room the store takes */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <fts.h>

#include "base/inodes.h"

static bool is_new(struct inodes *seen, const struct stat *st)
{
	return S_ISDIR(st->st_mode) || st->st_nlink < 2 ||
	       !inodes_first(seen, st, "");
}

int store_disk_usage(struct store *s, const char *dir, uint64_t *bytes,
		     uint64_t *files, struct error *err)
{
	cleanup_free char *path = xstrfmt("%s/%s", s->path, dir);
	char *const roots[] = { path, NULL };
	cleanup_inodes struct inodes seen = INODES_INIT;
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *e;

	if (!fts)
		return error_errno(err, "cannot walk '%s'", path);
	*bytes = *files = 0;
	/* What vanishes meanwhile takes no room. */
	while ((e = fts_read(fts))) {
		if (e->fts_info == FTS_DP || e->fts_info == FTS_NS ||
		    e->fts_info == FTS_ERR || !is_new(&seen, e->fts_statp))
			continue;
		*bytes += (uint64_t)e->fts_statp->st_blocks * 512;
		*files += !S_ISDIR(e->fts_statp->st_mode);
	}
	fts_close(fts);
	return 0;
}
