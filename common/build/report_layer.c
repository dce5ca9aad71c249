/* report_layer.c - what is in a layer, and what takes its room */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fts.h>
#include <sys/stat.h>

#include "build/report.h"

void report_layer_release(struct report_layer *l)
{
	size_t i;

	for (i = 0; i < l->n_largest; i++)
		free(l->largest[i].path);
	*l = (struct report_layer){ 0 };
}

static void offer(struct report_layer *l, const char *path, uint64_t size)
{
	size_t at = l->n_largest, i;

	while (at && l->largest[at - 1].size < size)
		at--;
	if (at == REPORT_LARGEST)
		return;
	if (l->n_largest == REPORT_LARGEST)
		free(l->largest[--l->n_largest].path);
	for (i = l->n_largest++; i > at; i--)
		l->largest[i] = l->largest[i - 1];
	l->largest[at] = (struct report_file){ xstrdup(path), size };
}

void report_walk(const char *dir, struct report_layer *l)
{
	char *const roots[] = { (char *)dir, NULL };
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV,
			     NULL);
	size_t root = strlen(dir);
	FTSENT *e;

	while (walk && (e = fts_read(walk))) {
		uint64_t size;

		if (e->fts_info != FTS_F)
			continue;
		/* Each further name of a file adds nothing. */
		size = (uint64_t)e->fts_statp->st_size;
		l->bytes += size / (uint64_t)e->fts_statp->st_nlink;
		l->files++;
		offer(l, e->fts_path + root, size);
	}
	if (walk)
		fts_close(walk);
}
