/* compress.c - gzip (ISA-L, zlib) and zstd, streaming, bounded memory */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/compress.h"

#include <isa-l/igzip_lib.h>
#include <zlib.h>
#include <zstd.h>

#define OUT_SIZE ((size_t)256 << 10)

struct compress {
	enum compress_kind kind;
	compress_write_fn write;
	void *arg;
	uint8_t *out;
	uint8_t *level_buf;	     /* ISA-L only */
	struct isal_zstream isal;    /* gzip, level 1 */
	bool zlib;
	z_stream z;		     /* gzip, other levels */
	ZSTD_CCtx *zstd;
};

void compress_free(struct compress *c)
{
	if (!c)
		return;
	if (c->zlib)
		deflateEnd(&c->z);
	ZSTD_freeCCtx(c->zstd);
	free(c->level_buf);
	free(c->out);
	free(c);
}

void compress_free_ptr(struct compress **c)
{
	compress_free(*c);
}

static void start_isal(struct compress *c)
{
	isal_deflate_init(&c->isal);
	c->isal.level = 1;
	c->isal.level_buf_size = ISAL_DEF_LVL1_EXTRA_LARGE;
	c->level_buf = xmalloc(c->isal.level_buf_size);
	c->isal.level_buf = c->level_buf;
	c->isal.gzip_flag = IGZIP_GZIP;
}

int compress_new(struct compress **out, enum compress_kind kind, int level,
		 compress_write_fn write, void *arg, struct error *err)
{
	cleanup_compress struct compress *c = xcalloc(1, sizeof(*c));

	if (level < 0 || level > (kind == COMPRESS_ZSTD ? 19 : 9))
		return error_set(err, ERR_USAGE,
				 "compression level %d is out of range", level);
	c->kind = kind;
	c->write = write;
	c->arg = arg;
	c->out = xmalloc(OUT_SIZE);
	if (kind == COMPRESS_GZIP && level <= 1) {
		start_isal(c);
	} else if (kind == COMPRESS_GZIP) {
		/* 15 + 16: largest window, gzip framing */
		if (deflateInit2(&c->z, level, Z_DEFLATED, 15 + 16, 9,
				 Z_DEFAULT_STRATEGY) != Z_OK)
			return error_set(err, ERR_SYSTEM, "cannot start zlib");
		c->zlib = true;
	} else if (kind == COMPRESS_ZSTD) {
		c->zstd = ZSTD_createCCtx();
		if (!c->zstd)
			abort();
		ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_compressionLevel,
				       level ? level : 3);
		ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_checksumFlag, 1);
	}
	*out = steal_ptr(&c);
	return 0;
}

static int feed_isal(struct compress *c, const void *data, size_t n, bool end,
		     struct error *err)
{
	c->isal.next_in = (uint8_t *)data;
	c->isal.avail_in = (uint32_t)n;
	c->isal.end_of_stream = end;
	do {
		c->isal.next_out = c->out;
		c->isal.avail_out = OUT_SIZE;
		if (isal_deflate(&c->isal) != COMP_OK)
			return error_set(err, ERR_SYSTEM, "compression failed");
		if (c->write(c->arg, c->out, OUT_SIZE - c->isal.avail_out,
			     err) < 0)
			return -1;
	} while (!c->isal.avail_out);
	return 0;
}

static int feed_zlib(struct compress *c, const void *data, size_t n, bool end,
		     struct error *err)
{
	c->z.next_in = (Bytef *)data;
	c->z.avail_in = (uInt)n;
	do {
		c->z.next_out = c->out;
		c->z.avail_out = OUT_SIZE;
		if (deflate(&c->z, end ? Z_FINISH : Z_NO_FLUSH) ==
		    Z_STREAM_ERROR)
			return error_set(err, ERR_SYSTEM, "compression failed");
		if (c->write(c->arg, c->out, OUT_SIZE - c->z.avail_out,
			     err) < 0)
			return -1;
	} while (!c->z.avail_out);
	return 0;
}

static int feed_zstd(struct compress *c, const void *data, size_t n, bool end,
		     struct error *err)
{
	ZSTD_inBuffer in = { data, n, 0 };
	bool done;

	do {
		ZSTD_outBuffer out = { c->out, OUT_SIZE, 0 };
		size_t left = ZSTD_compressStream2(
			c->zstd, &out, &in,
			end ? ZSTD_e_end : ZSTD_e_continue);

		if (ZSTD_isError(left))
			return error_set(err, ERR_SYSTEM,
					 "compression failed: %s",
					 ZSTD_getErrorName(left));
		if (c->write(c->arg, c->out, out.pos, err) < 0)
			return -1;
		done = end ? !left : in.pos == in.size;
	} while (!done);
	return 0;
}

static int feed(struct compress *c, const void *data, size_t n, bool end,
		struct error *err)
{
	if (c->kind == COMPRESS_NONE)
		return n ? c->write(c->arg, data, n, err) : 0;
	if (c->kind == COMPRESS_ZSTD)
		return feed_zstd(c, data, n, end, err);
	if (c->zlib)
		return feed_zlib(c, data, n, end, err);
	return feed_isal(c, data, n, end, err);
}

int compress_write(struct compress *c, const void *data, size_t n,
		   struct error *err)
{
	const size_t piece = (size_t)1 << 30; /* the libraries count in 32 bits */

	for (const char *p = data; n;) {
		size_t take = MIN(n, piece);

		if (feed(c, p, take, false, err) < 0)
			return -1;
		p += take;
		n -= take;
	}
	return 0;
}

int compress_end(struct compress *c, struct error *err)
{
	return feed(c, "", 0, true, err);
}

int compress_parse(const char *text, enum compress_kind *kind, int *level,
		   struct error *err)
{
	static const char *const names[] = { "none", "gzip", "zstd" };
	size_t word = strcspn(text, ":");
	uint64_t value = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strlen(names[i]) != word || strncmp(text, names[i], word))
			continue;
		if (text[word] &&
		    (i == COMPRESS_NONE ||
		     !str_to_u64(text + word + 1,
				 i == COMPRESS_ZSTD ? 19 : 9, &value)))
			break;
		*kind = (enum compress_kind)i;
		*level = (int)value;
		return 0;
	}
	error_set(err, ERR_USAGE, "unknown compression '%s'", text);
	return error_hint(err, "use gzip[:1-9], zstd[:1-19] or none");
}
