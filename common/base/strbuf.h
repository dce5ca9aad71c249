/* strbuf.h - growable bytes, always NUL-terminated */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stdarg.h>

#include "base/base.h"

/*
 * `buf` is never NULL and buf[len] is always NUL, also when empty. The bytes
 * may contain NUL themselves.
 */
struct strbuf {
	char *buf;
	size_t len;
	size_t alloc; /* 0: buf is the shared empty string, not owned */
};

extern char strbuf_empty[];
#define STRBUF_INIT { .buf = strbuf_empty }
#define cleanup_strbuf CLEANUP(strbuf_release)

void strbuf_release(struct strbuf *sb);
void strbuf_reset(struct strbuf *sb);
/* Room for `extra` more bytes and the NUL. */
void strbuf_grow(struct strbuf *sb, size_t extra);
void strbuf_setlen(struct strbuf *sb, size_t len);
void strbuf_add(struct strbuf *sb, const void *data, size_t n);
void strbuf_addstr(struct strbuf *sb, const char *s);
void strbuf_addch(struct strbuf *sb, int c);
void strbuf_addf(struct strbuf *sb, const char *fmt, ...) PRINTF(2, 3);
void strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list ap)
	PRINTF(2, 0);
void strbuf_add_hex(struct strbuf *sb, const void *data, size_t n);
/* Cut trailing white space. */
void strbuf_rtrim(struct strbuf *sb);
/* Put `data` in front. */
void strbuf_prepend(struct strbuf *sb, const char *s);
/* Take the bytes out as a malloc'ed string; the buffer is empty after. */
char *strbuf_detach(struct strbuf *sb);
/* Text for a terminal or a log: control characters become \xNN. */
void strbuf_add_safe(struct strbuf *sb, const char *s, size_t n);
/* 1234567 as "1.2 MB" (powers of 1000). */
void strbuf_add_size(struct strbuf *sb, uint64_t bytes);

#endif
