/* compress.h - gzip (ISA-L, zlib) and zstd, streaming, bounded memory */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WRAP_COMPRESS_H
#define WRAP_COMPRESS_H

#include "base/error.h"

enum compress_kind { COMPRESS_NONE, COMPRESS_GZIP, COMPRESS_ZSTD };

/* Takes all of `data` or fails. */
typedef int (*compress_write_fn)(void *arg, const void *data, size_t n,
				 struct error *err);
/* Up to `n` bytes into `data`: their count, 0 at the end, -1 on error. */
typedef ssize_t (*compress_read_fn)(void *arg, void *data, size_t n,
				    struct error *err);

/*
 * Compression. Level 0 is the default: 1 for gzip (ISA-L, sixteen times the
 * speed of zlib -6 for a tenth more bytes), 3 for zstd. Levels from 2 up are
 * zlib's for gzip. The same writes of RING_CHUNK bytes give the same result.
 */
struct compress;
int compress_new(struct compress **out, enum compress_kind kind, int level,
		 compress_write_fn write, void *arg, struct error *err)
	MUST_CHECK;
int compress_write(struct compress *c, const void *data, size_t n,
		   struct error *err) MUST_CHECK;
/* Write what is pending and the trailer; nothing may follow. */
int compress_end(struct compress *c, struct error *err) MUST_CHECK;
void compress_free(struct compress *c);
void compress_free_ptr(struct compress **c);
#define cleanup_compress CLEANUP(compress_free_ptr)
/* "gzip", "zstd:9", "none": kind and level, ERR_USAGE otherwise. */
int compress_parse(const char *text, enum compress_kind *kind, int *level,
		   struct error *err) MUST_CHECK;

/*
 * Decompression: the kind is told by the first bytes; what is neither gzip
 * nor zstd passes unchanged. Concatenated members and frames are one stream.
 * Broken and truncated data is ERR_INPUT. A zstd window over 128 MiB is
 * refused.
 */
struct decompress;
int decompress_new(struct decompress **out, compress_read_fn read, void *arg,
		   struct error *err) MUST_CHECK;
/* Up to `n` bytes, 0 at the end, -1 on error. */
ssize_t decompress_read(struct decompress *d, void *data, size_t n,
			struct error *err) MUST_CHECK;
enum compress_kind decompress_kind(const struct decompress *d);
uint64_t decompress_in(const struct decompress *d); /* bytes read so far */
void decompress_free(struct decompress *d);
void decompress_free_ptr(struct decompress **d);
#define cleanup_decompress CLEANUP(decompress_free_ptr)
/* A compress_read_fn for a descriptor: arg is `int *`. */
ssize_t compress_read_fd(void *arg, void *data, size_t n, struct error *err);

#endif
