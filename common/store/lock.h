/* lock.h - part of store.h: what several processes would make is made once */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_LOCK_H
#define STORE_LOCK_H

#include "store/store.h"

/*
 * Whoever makes what has a name of 64 hexadecimal digits (the key of a step,
 * the id of a layer, the digest of a blob) holds the lock of that name
 * meanwhile. Others that need the same wait and take what was made, or make it
 * when that failed. A lock goes with its holder and the processes that this
 * one forked.
 *
 * No two processes wait for each other: the lock of a step is tried when all
 * that the step reads is there, and never waited for with store_lock; what
 * holds it then waits for no other step. A process that waits for the lock of
 * a layer or a blob holds none of another, and the holder of that one waits
 * for nothing but its registry.
 */
#define STORE_LOCK_MS 20 /* from try to try */
/* 1 and a descriptor for store_unlock; 0: another has it; -1. */
int store_lock_try(struct store *s, const char *name, int *lock_fd,
		   struct error *err) MUST_CHECK;
/* Wait for it. A signal (base/signals.h) ends that with an error. */
int store_lock(struct store *s, const char *name, int *lock_fd,
	       struct error *err) MUST_CHECK;
void store_unlock(int *lock_fd); /* becomes -1; harmless with -1 */

/* Any number of locks with one descriptor, -1 at first: none of them is in
 * the way of another. store_unlock lets all go. */
int store_lock_add(struct store *s, const char *name, int *lock_fd,
		   struct error *err) MUST_CHECK;
/* One goes; harmless with -1. */
void store_lock_drop(int lock_fd, const char *name);

/* How much of a blob has come that somebody fetches: what a wait for its lock
 * may show. */
uint64_t store_partial_size(const struct store *s, const char *digest);

#endif
