/* ring.h - hand large buffers from one thread to another */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WRAP_RING_H
#define WRAP_RING_H

#include "base/base.h"

/*
 * One producer, one consumer, a fixed number of buffers: memory is bounded and
 * two cores work at once. The thread that is made here calls nothing but the
 * function it is given; whoever starts one joins it before returning.
 */
#define RING_CHUNK ((size_t)1 << 20)

struct ring;

struct ring *ring_new(void);
void ring_free(struct ring *r);
void ring_free_ptr(struct ring **r);
#define cleanup_ring CLEANUP(ring_free_ptr)

/* Producer: a buffer of RING_CHUNK bytes to fill, or NULL when the consumer
 * wants no more. */
void *ring_space(struct ring *r);
void ring_push(struct ring *r, size_t n);
/* Producer: nothing follows. */
void ring_end(struct ring *r);
/* Consumer: the next buffer, or NULL at the end. It stays valid until
 * ring_give. */
void *ring_take(struct ring *r, size_t *n);
void ring_give(struct ring *r);
/* Consumer: stop the producer. */
void ring_cancel(struct ring *r);

/* The same as streams. Producer: false when the consumer wants no more. */
bool ring_write(struct ring *r, const void *data, size_t n) MUST_CHECK;
/* Consumer: up to `n` bytes, 0 at the end. */
size_t ring_read(struct ring *r, void *data, size_t n);
/* Consumer: let the rest pass. */
void ring_drain(struct ring *r);

/* Run `func(arg)` beside this thread. */
struct ring_thread {
	void *handle;
};
void ring_start(struct ring_thread *t, void (*func)(void *arg), void *arg);
void ring_join(struct ring_thread *t);

#endif
