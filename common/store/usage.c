/* usage.c - how much room the store takes */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <fts.h>

struct inode {
	dev_t dev;
	ino_t ino;
};

/* Files with several names, seen before. */
struct seen {
	struct inode *inodes; /* open addressing; ino 0: free */
	size_t n, size;
};

static bool put(struct inode *table, size_t size, struct inode key)
{
	size_t i = (size_t)(key.ino * 0x9e3779b97f4a7c15u) & (size - 1);

	while (table[i].ino) {
		if (table[i].ino == key.ino && table[i].dev == key.dev)
			return false;
		i = (i + 1) & (size - 1);
	}
	table[i] = key;
	return true;
}

static bool is_new(struct seen *s, const struct stat *st)
{
	struct inode key = { st->st_dev, st->st_ino };

	if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
		return true;
	if (2 * s->n >= s->size) {
		size_t size = s->size ? 2 * s->size : 256;
		struct inode *table = xcalloc(size, sizeof(*table));

		for (size_t i = 0; i < s->size; i++) {
			if (s->inodes[i].ino)
				put(table, size, s->inodes[i]);
		}
		free(s->inodes);
		s->inodes = table;
		s->size = size;
	}
	if (!put(s->inodes, s->size, key))
		return false;
	s->n++;
	return true;
}

int store_disk_usage(struct store *s, const char *dir, uint64_t *bytes,
		     uint64_t *files, struct error *err)
{
	cleanup_free char *path = xstrfmt("%s/%s", s->path, dir);
	char *const roots[] = { path, NULL };
	struct seen seen = { NULL, 0, 0 };
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
	free(seen.inodes);
	return 0;
}
