/* ring.c - hand large buffers from one thread to another */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/ring.h"

#include <pthread.h>
#include <signal.h>

#define RING_SLOTS 4

struct ring {
	pthread_mutex_t lock;
	pthread_cond_t change;
	unsigned char *slot[RING_SLOTS];
	size_t used[RING_SLOTS];
	size_t head, tail; /* slots pushed and slots given back, ever */
	bool end, cancel;
	const unsigned char *data; /* ring_read: what is left of a slot */
	size_t left;
};

struct ring *ring_new(void)
{
	struct ring *r = xcalloc(1, sizeof(*r));

	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->change, NULL);
	for (size_t i = 0; i < RING_SLOTS; i++)
		r->slot[i] = xmalloc(RING_CHUNK);
	return r;
}

void ring_free(struct ring *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < RING_SLOTS; i++)
		free(r->slot[i]);
	pthread_cond_destroy(&r->change);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

void ring_free_ptr(struct ring **r)
{
	ring_free(*r);
}

void *ring_space(struct ring *r)
{
	void *space;

	pthread_mutex_lock(&r->lock);
	while (!r->cancel && r->head - r->tail == RING_SLOTS)
		pthread_cond_wait(&r->change, &r->lock);
	space = r->cancel ? NULL : r->slot[r->head % RING_SLOTS];
	pthread_mutex_unlock(&r->lock);
	return space;
}

void ring_push(struct ring *r, size_t n)
{
	pthread_mutex_lock(&r->lock);
	r->used[r->head % RING_SLOTS] = n;
	r->head++;
	pthread_cond_signal(&r->change);
	pthread_mutex_unlock(&r->lock);
}

static void ring_flag(struct ring *r, bool *flag)
{
	pthread_mutex_lock(&r->lock);
	*flag = true;
	pthread_cond_signal(&r->change);
	pthread_mutex_unlock(&r->lock);
}

void ring_end(struct ring *r)
{
	ring_flag(r, &r->end);
}

void ring_cancel(struct ring *r)
{
	ring_flag(r, &r->cancel);
}

void *ring_take(struct ring *r, size_t *n)
{
	void *data = NULL;

	pthread_mutex_lock(&r->lock);
	while (!r->end && r->head == r->tail)
		pthread_cond_wait(&r->change, &r->lock);
	if (r->head != r->tail) {
		*n = r->used[r->tail % RING_SLOTS];
		data = r->slot[r->tail % RING_SLOTS];
	}
	pthread_mutex_unlock(&r->lock);
	return data;
}

void ring_give(struct ring *r)
{
	pthread_mutex_lock(&r->lock);
	r->tail++;
	pthread_cond_signal(&r->change);
	pthread_mutex_unlock(&r->lock);
}

bool ring_write(struct ring *r, const void *data, size_t n)
{
	const char *p = data;

	while (n) {
		size_t take = MIN(n, RING_CHUNK);
		void *space = ring_space(r);

		if (!space)
			return false;
		memcpy(space, p, take);
		ring_push(r, take);
		p += take;
		n -= take;
	}
	return true;
}

size_t ring_read(struct ring *r, void *data, size_t n)
{
	if (!r->left) {
		if (r->data)
			ring_give(r);
		r->data = ring_take(r, &r->left);
		if (!r->data)
			return 0;
	}
	n = MIN(n, r->left);
	memcpy(data, r->data, n);
	r->data += n;
	r->left -= n;
	return n;
}

void ring_drain(struct ring *r)
{
	unsigned char rest[4096];

	while (ring_read(r, rest, sizeof(rest)))
		;
}

struct ring_job {
	pthread_t thread;
	void (*func)(void *arg);
	void *arg;
};

static void *ring_main(void *arg)
{
	struct ring_job *job = arg;

	job->func(job->arg);
	return NULL;
}

void ring_start(struct ring_thread *t, void (*func)(void *arg), void *arg)
{
	struct ring_job *job = xcalloc(1, sizeof(*job));
	sigset_t all, old;

	job->func = func;
	job->arg = arg;
	t->handle = job;
	/* Signals belong to the first thread, which knows what to undo. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&job->thread, NULL, ring_main, job))
		abort();
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void ring_join(struct ring_thread *t)
{
	struct ring_job *job = t->handle;

	pthread_join(job->thread, NULL);
	free(job);
	t->handle = NULL;
}
