/* upload.h - part of store.h: uploads that another process may go on with */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_UPLOAD_H
#define STORE_UPLOAD_H

#include "store/store.h"

/*
 * A note, at most STORE_UPLOAD_MAX bytes, under a name of 64 hexadecimal
 * digits; it goes after a day. Whoever takes or puts one holds the lock of its
 * name until he drops it, closes the store or ends: nobody else can take it
 * meanwhile, or put another. What cannot be kept is not kept.
 */
#define STORE_UPLOAD_MAX 16384
/* It is gone then. False: there is none that is whole. */
bool store_upload_take(struct store *s, const char *name, struct strbuf *text);
bool store_upload_put(struct store *s, const char *name, const char *text,
		      size_t n);
void store_upload_drop(struct store *s, const char *name);

#endif
