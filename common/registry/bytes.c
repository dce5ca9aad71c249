/* bytes.c - small blobs that are in memory */
/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/internal.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"

static int open_bytes(void *arg, int *fd, struct error *err)
{
	const struct registry_bytes *b = arg;
	cleanup_close int mem = memfd_create("blob", MFD_CLOEXEC);

	if (mem < 0)
		return error_errno(err, "cannot make a file in memory");
	if (fs_write_all(mem, b->data, b->n, err) < 0)
		return -1;
	if (lseek(mem, 0, SEEK_SET) < 0)
		return error_errno(err, "cannot rewind a file in memory");
	*fd = steal_fd(&mem);
	return 0;
}

void registry_source_bytes(struct registry_source *s,
			   const struct registry_bytes *b)
{
	*s = (struct registry_source){ .size = b->n, .open = open_bytes,
				       .arg = (void *)b };
	digest_bytes(b->data, b->n, s->digest);
}
