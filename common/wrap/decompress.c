/* decompress.c - gzip and zstd told by their first bytes, streaming */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/compress.h"

#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <unistd.h>
#include <zstd.h>

#define IN_SIZE ((size_t)256 << 10)
#define ZSTD_WINDOW_LOG 27 /* 128 MiB */

struct decompress {
	enum compress_kind kind;
	compress_read_fn read;
	void *arg;
	uint8_t *in;
	size_t pos, len; /* unused input is in[pos..len) */
	bool eof, inside; /* inside: a member or frame is not complete */
	uint64_t total;
	struct inflate_state *gzip;
	ZSTD_DCtx *zstd;
};

void decompress_free(struct decompress *d)
{
	if (!d)
		return;
	ZSTD_freeDCtx(d->zstd);
	free(d->gzip);
	free(d->in);
	free(d);
}

void decompress_free_ptr(struct decompress **d)
{
	decompress_free(*d);
}

enum compress_kind decompress_kind(const struct decompress *d)
{
	return d->kind;
}

uint64_t decompress_in(const struct decompress *d)
{
	return d->total;
}

/* More input behind what is there; 0 at the end. */
static ssize_t refill(struct decompress *d, struct error *err)
{
	ssize_t n;

	if (d->pos) {
		memmove(d->in, d->in + d->pos, d->len - d->pos);
		d->len -= d->pos;
		d->pos = 0;
	}
	if (d->eof || d->len == IN_SIZE)
		return 0;
	n = d->read(d->arg, d->in + d->len, IN_SIZE - d->len, err);
	if (n < 0)
		return -1;
	d->eof = n == 0;
	d->len += (size_t)n;
	d->total += (uint64_t)n;
	return n;
}

static enum compress_kind sniff(const uint8_t *p, size_t n)
{
	if (n >= 2 && p[0] == 0x1f && p[1] == 0x8b)
		return COMPRESS_GZIP;
	if (n >= 4 && p[0] == 0x28 && p[1] == 0xb5 && p[2] == 0x2f &&
	    p[3] == 0xfd)
		return COMPRESS_ZSTD;
	/* a skippable frame, with which zstd:chunked and seekable streams may
	 * start (RFC 8878 section 3.1.2) */
	if (n >= 4 && (p[0] & 0xf0) == 0x50 && p[1] == 0x2a && p[2] == 0x4d &&
	    p[3] == 0x18)
		return COMPRESS_ZSTD;
	return COMPRESS_NONE;
}

static void start_member(struct decompress *d)
{
	isal_inflate_reset(d->gzip);
	d->gzip->crc_flag = ISAL_GZIP;
	d->inside = true;
}

int decompress_new(struct decompress **out, compress_read_fn read, void *arg,
		   struct error *err)
{
	cleanup_decompress struct decompress *d = xcalloc(1, sizeof(*d));

	d->read = read;
	d->arg = arg;
	d->in = xmalloc(IN_SIZE);
	while (d->len < 4 && !d->eof) {
		if (refill(d, err) < 0)
			return -1;
	}
	d->kind = sniff(d->in, d->len);
	if (d->kind == COMPRESS_GZIP) {
		d->gzip = xmalloc(sizeof(*d->gzip));
		isal_inflate_init(d->gzip);
		start_member(d);
	} else if (d->kind == COMPRESS_ZSTD) {
		d->zstd = ZSTD_createDCtx();
		if (!d->zstd)
			abort();
		ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax,
				       ZSTD_WINDOW_LOG);
	}
	*out = steal_ptr(&d);
	return 0;
}

static ssize_t read_plain(struct decompress *d, void *data, size_t n,
			  struct error *err)
{
	size_t have = MIN(n, d->len - d->pos);
	ssize_t got;

	if (have) {
		memcpy(data, d->in + d->pos, have);
		d->pos += have;
		return (ssize_t)have;
	}
	got = d->read(d->arg, data, n, err);
	if (got > 0)
		d->total += (uint64_t)got;
	return got;
}

/* Between two members: 1 when another begins, 0 at the end. */
static int next_member(struct decompress *d, struct error *err)
{
	if (d->len - d->pos < 2 && refill(d, err) < 0)
		return -1;
	if (d->pos == d->len)
		return 0;
	if (sniff(d->in + d->pos, d->len - d->pos) != COMPRESS_GZIP)
		return error_set(err, ERR_INPUT,
				 "garbage after the end of gzip data");
	start_member(d);
	return 1;
}

static ssize_t read_gzip(struct decompress *d, void *data, size_t n,
			 struct error *err)
{
	struct inflate_state *z = d->gzip;
	size_t room = MIN(n, (size_t)1 << 30);

	for (;;) {
		size_t before;

		if (!d->inside) {
			int more = next_member(d, err);

			if (more <= 0)
				return more;
		}
		z->next_in = d->in + d->pos;
		z->avail_in = (uint32_t)(d->len - d->pos);
		z->next_out = data;
		z->avail_out = (uint32_t)room;
		before = z->avail_in;
		if (isal_inflate(z) < 0)
			return error_set(err, ERR_INPUT, "broken gzip data");
		d->pos = d->len - z->avail_in;
		if (z->block_state == ISAL_BLOCK_FINISH)
			d->inside = false;
		if (z->avail_out != room)
			return (ssize_t)(room - z->avail_out);
		if (!d->inside || z->avail_in != before)
			continue;
		switch (refill(d, err)) {
		case -1:
			return -1;
		case 0:
			return error_set(err, ERR_INPUT, "truncated gzip data");
		default:
			break;
		}
	}
}

static ssize_t read_zstd(struct decompress *d, void *data, size_t n,
			 struct error *err)
{
	ZSTD_outBuffer out = { data, n, 0 };

	for (;;) {
		ZSTD_inBuffer in = { d->in, d->len, d->pos };
		size_t left = ZSTD_decompressStream(d->zstd, &out, &in);
		bool moved = in.pos != d->pos;

		if (ZSTD_isError(left))
			return error_set(err, ERR_INPUT, "broken zstd data: %s",
					 ZSTD_getErrorName(left));
		if (moved || out.pos)
			d->inside = left != 0;
		d->pos = in.pos;
		if (out.pos)
			return (ssize_t)out.pos;
		if (d->pos < d->len && moved)
			continue;
		switch (refill(d, err)) {
		case -1:
			return -1;
		case 0:
			if (d->inside || d->pos < d->len)
				return error_set(err, ERR_INPUT,
						 "truncated zstd data");
			return 0;
		default:
			break;
		}
	}
}

ssize_t decompress_read(struct decompress *d, void *data, size_t n,
			struct error *err)
{
	if (d->kind == COMPRESS_GZIP)
		return read_gzip(d, data, n, err);
	if (d->kind == COMPRESS_ZSTD)
		return read_zstd(d, data, n, err);
	return read_plain(d, data, n, err);
}

ssize_t compress_read_fd(void *arg, void *data, size_t n, struct error *err)
{
	const int *fd = arg;
	ssize_t got;

	do {
		got = read(*fd, data, n);
	} while (got < 0 && errno == EINTR);
	return got < 0 ? error_errno(err, "cannot read") : got;
}
