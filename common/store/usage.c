/* usage.c - how much room the store takes */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <fts.h>

#include "base/inodes.h"

static bool is_new(struct inodes *seen, const struct stat *st)
{
	return st->st_nlink < 2 || !inodes_first(seen, st, "");
}

/* Layers share files with each other: each has its part of what they take, so
 * that sums are right whatever is added up. */
static double share(const struct stat *st)
{
	const double bytes = (double)st->st_blocks * 512;

	return S_ISDIR(st->st_mode) ? bytes
				    : bytes / (double)MAX(st->st_nlink, 1);
}

int store_disk_usage(struct store *s, const char *dir, uint64_t *bytes,
		     uint64_t *files, struct error *err)
{
	cleanup_free char *path = xstrfmt("%s/%s", s->path, dir);
	char *const roots[] = { path, NULL };
	cleanup_inodes struct inodes seen = INODES_INIT;
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	double sum = 0;
	FTSENT *e;

	if (!fts)
		return error_errno(err, "cannot walk '%s'", path);
	*bytes = *files = 0;
	/* What vanishes meanwhile takes no room. */
	while ((e = fts_read(fts))) {
		if (e->fts_info == FTS_DP || e->fts_info == FTS_NS ||
		    e->fts_info == FTS_ERR)
			continue;
		sum += share(e->fts_statp);
		*files += !S_ISDIR(e->fts_statp->st_mode) &&
			  is_new(&seen, e->fts_statp);
	}
	fts_close(fts);
	*bytes = (uint64_t)(sum + 0.5);
	return 0;
}
