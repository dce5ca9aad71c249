/* run_cache.c - RUN --mount=type=cache: which directory, and who has it */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/signals.h"
#include "build/run.h"

#define CACHE_MODE 0755
#define WAIT_NS 50000000 /* between looks at a lock */

struct run_cache {
	const struct build_mount *mount; /* the first that names it */
	char key[CACHE_KEY];
	enum store_sharing sharing; /* the strictest that is asked for */
	struct store_mount taken;
};

/* What makes a cache another one: whom it is for, what it is made from, whose
 * it is. */
static int identify(const struct run_mounts *r,
		    const struct build_mount *mount, char key[CACHE_KEY],
		    struct error *err)
{
	const struct dockerfile_mount *m = &mount->m;
	cleanup_cache_key struct cache_key k = CACHE_KEY_INIT;
	cleanup_free char *owner = xstrfmt(
		"%o %u %u", m->has_mode ? m->mode : CACHE_MODE, m->uid,
		m->gid);

	cache_key_begin(&k, "");
	cache_key_add(&k, "op", "cache mount");
	cache_key_add(&k, "ns", r->step->cache_ns);
	cache_key_add(&k, "id", mount->id);
	cache_key_add(&k, "owner", owner);
	cache_key_add(&k, "ids", r->b->o->single_id ? "single" : "all");
	if (m->from && run_source_key(r->b, mount, &k, err) < 0)
		return -1;
	cache_key_finish(&k, key);
	return 0;
}

static struct run_cache *find(const struct run_mounts *r, const char *key)
{
	size_t i;

	for (i = 0; i < r->n_caches; i++)
		if (str_eq(r->caches[i].key, key))
			return &r->caches[i];
	return NULL;
}

const char *run_cache_dir(const struct run_mounts *r,
			  const struct build_mount *mount)
{
	return find(r, r->cache_keys[mount - r->step->mounts])->taken.fs;
}

static enum store_sharing sharing_of(const struct build_mount *mount)
{
	static const enum store_sharing all[] = {
		[DF_SHARED] = STORE_SHARED,
		[DF_PRIVATE] = STORE_PRIVATE,
		[DF_LOCKED] = STORE_LOCKED,
	};

	return all[mount->m.sharing];
}

static int collect(struct run_mounts *r, struct error *err)
{
	const struct build_step *step = r->step;
	size_t i;

	r->caches = xcalloc(step->n_mounts + 1, sizeof(*r->caches));
	r->cache_keys = xcalloc(step->n_mounts + 1, sizeof(*r->cache_keys));
	for (i = 0; i < step->n_mounts; i++) {
		const struct build_mount *mount = &step->mounts[i];
		const char *key = r->cache_keys[i];
		struct run_cache *c;

		if (mount->m.type != DF_MOUNT_CACHE)
			continue;
		if (identify(r, mount, r->cache_keys[i], err) < 0)
			return -1;
		c = find(r, key);
		if (!c) {
			c = &r->caches[r->n_caches++];
			*c = (struct run_cache){ .mount = mount,
						 .taken = STORE_MOUNT_INIT };
			memcpy(c->key, key, CACHE_KEY);
		}
		c->sharing = MAX(c->sharing, sharing_of(mount));
	}
	return 0;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct run_cache *)a)->key,
		      ((const struct run_cache *)b)->key);
}

struct filling {
	struct run_mounts *r;
	const struct build_mount *mount;
};

static int fill(void *arg, int fd, struct error *err)
{
	const struct filling *f = arg;
	const struct dockerfile_mount *m = &f->mount->m;

	if (m->from && run_source_copy(f->r, f->mount, fd, err) < 0)
		return -1;
	if ((!m->from || m->has_owner) &&
	    store_set_owner(f->r->b->o->store, fd, ".", m->uid, m->gid, err) <
		    0)
		return -1;
	if ((!m->from || m->has_mode) &&
	    fchmod(fd, m->has_mode ? m->mode : CACHE_MODE) < 0)
		return error_errno(err, "cannot set the mode of a cache mount");
	return 0;
}

static int take(struct run_mounts *r, struct run_cache *c, struct error *err)
{
	const struct timespec wait = { .tv_nsec = WAIT_NS };
	struct filling f = { r, c->mount };
	const struct store_mount_maker maker = { fill, &f };
	bool told = false;

	for (;;) {
		int rc = store_mount_take(r->b->o->store, c->key, c->sharing,
					  &maker, &c->taken, err);

		if (rc)
			return rc < 0 ? -1 : 0;
		if (!told)
			log_info("waiting for the cache '%s', which another "
				 "step has locked", c->mount->id);
		told = true;
		nanosleep(&wait, NULL);
		if (signals_check(err) < 0)
			return -1;
	}
}

/* All steps take them in the same order, so that no two wait for one
 * another. */
int run_caches_take(struct run_mounts *r, struct error *err)
{
	size_t i;

	if (collect(r, err) < 0)
		return -1;
	if (r->n_caches)
		qsort(r->caches, r->n_caches, sizeof(*r->caches), by_key);
	for (i = 0; i < r->n_caches; i++)
		if (take(r, &r->caches[i], err) < 0)
			return error_wrap(err, "cache '%s'",
					  r->caches[i].mount->id);
	return 0;
}

void run_caches_release(struct run_mounts *r)
{
	while (r->n_caches)
		store_mount_release(&r->caches[--r->n_caches].taken);
	free(r->caches);
	free(r->cache_keys);
}
