/* inodes.c - files with several names: which was met first */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/inodes.h"

void inodes_release(struct inodes *t)
{
	size_t i;

	for (i = 0; i < t->size; i++)
		free(t->v[i].path);
	free(t->v);
	*t = (struct inodes)INODES_INIT;
}

static struct inode *find_slot(struct inode *v, size_t size, dev_t dev,
			       ino_t ino)
{
	uint64_t mixed = ino * 0x9e3779b97f4a7c15u + dev;
	size_t i = (size_t)(mixed ^ mixed >> 32) & (size - 1);

	while (v[i].path && (v[i].ino != ino || v[i].dev != dev))
		i = (i + 1) & (size - 1);
	return &v[i];
}

static void grow(struct inodes *t)
{
	size_t i, size = t->size ? t->size * 2 : 64;
	struct inode *v = xcalloc(size, sizeof(*v));

	for (i = 0; i < t->size; i++) {
		const struct inode *old = &t->v[i];

		if (old->path)
			*find_slot(v, size, old->dev, old->ino) = *old;
	}
	free(t->v);
	t->v = v;
	t->size = size;
}

const char *inodes_first(struct inodes *t, const struct stat *st,
			 const char *path)
{
	struct inode *slot;

	if (2 * t->nr >= t->size)
		grow(t);
	slot = find_slot(t->v, t->size, st->st_dev, st->st_ino);
	if (slot->path)
		return slot->path;
	*slot = (struct inode){ st->st_dev, st->st_ino, xstrdup(path) };
	t->nr++;
	return NULL;
}
