/* fuzz_tar.c - any bytes as a compressed tar: no crash, bounded work */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/compress.h"
#include "wrap/tar.h"

#define OUT_MAX ((size_t)4 << 20)
#define ENTRIES_MAX 1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct source {
	const uint8_t *data;
	size_t n;
};

static ssize_t take(void *arg, void *data, size_t n, struct error *err)
{
	struct source *s = arg;

	(void)err;
	n = MIN(n, s->n);
	memcpy(data, s->data, n);
	s->data += n;
	s->n -= n;
	return (ssize_t)n;
}

struct stream {
	struct decompress *d;
	size_t left;
};

static ssize_t inflate_some(void *arg, void *data, size_t n,
			    struct error *err)
{
	struct stream *s = arg;
	ssize_t got;

	if (!s->left)
		return error_set(err, ERR_INPUT, "enough");
	got = decompress_read(s->d, data, MIN(n, s->left), err);
	if (got > 0)
		s->left -= (size_t)got;
	return got;
}

static void read_all(struct tar *t)
{
	cleanup_error struct error err = ERROR_INIT;
	struct tar_entry e;

	for (int i = 0; i < ENTRIES_MAX && tar_next(t, &e, &err) > 0; i++) {
		const void *data;
		uint64_t at, end = 0;
		size_t n;

		if (!e.path || (e.hard && !e.link))
			abort();
		while (tar_data(t, &data, &n, &at, &err) > 0) {
			if (at < end)
				abort();
			end = at + n;
		}
		if (error_is(&err))
			return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_decompress struct decompress *d = NULL;
	cleanup_tar struct tar *t = NULL;
	struct source source = { data, n };
	struct stream stream = { NULL, OUT_MAX };

	if (decompress_new(&d, take, &source, &err) < 0)
		return 0;
	stream.d = d;
	if (tar_open(&t, false, inflate_some, &stream, &err) == 0)
		read_all(t);
	return 0;
}
