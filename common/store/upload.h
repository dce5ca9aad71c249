/* upload.h - part of store.h: uploads that another process may go on with */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_UPLOAD_H
#define STORE_UPLOAD_H

#include "store/store.h"

/*
 * A note, at most STORE_UPLOAD_MAX bytes, under a name of 64 hexadecimal
 * digits; it goes after a day. It is a help and no more: what cannot be kept
 * is not kept.
 */
#define STORE_UPLOAD_MAX 16384
void store_upload_put(struct store *s, const char *name, const char *text,
		      size_t n);
/* To one process only; false: there is none that is whole. */
bool store_upload_take(struct store *s, const char *name, struct strbuf *text);

#endif
