/* resolve.c - the base images of all stages, asked for at once */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/job.h"
#include "base/signals.h"
#include "build/stage.h"

/* An image that the network is asked for, once for all stages on it. */
struct lookup {
	struct build *b;
	const char *name;
	const struct oci_platform *platform;
	struct job job;
	bool started;
};

struct lookups {
	struct lookup *v;
	size_t nr, alloc;
};

static void lookups_release(struct lookups *l)
{
	size_t i;

	for (i = 0; i < l->nr; i++)
		job_release(&l->v[i].job);
	free(l->v);
}

static int look_up(void *arg, struct strbuf *result, struct error *err)
{
	const struct lookup *l = arg;
	const struct build_options *o = l->b->o;
	cleanup_store_image struct store_image image = { 0 };

	if (build_find_image(o->store, &l->b->registry, o->registry, l->name,
			     l->platform, o->pull, &image, err) < 0)
		return -1;
	strbuf_addstr(result, image.config_digest);
	return 0;
}

/* By its id: another stage may want another platform of the same name. */
static int take(const struct lookup *l, struct store_image *image,
		struct error *err)
{
	int rc = store_get_image(l->b->o->store, l->job.result.buf, image,
				 err);

	if (rc < 0)
		return -1;
	if (!rc)
		return error_set(err, ERR_SYSTEM,
				 "the image '%s' is no longer in the store",
				 l->name);
	return 0;
}

static void add(struct lookups *l, struct build *b, const char *name,
		const struct oci_platform *platform)
{
	GROW(l->v, l->nr, l->alloc);
	l->v[l->nr++] = (struct lookup){
		.b = b, .name = name, .platform = platform, .job = JOB_INIT
	};
}

/* Start what may start, and take what has ended; `failed` is the one whose
 * error it was. */
static int proceed(struct lookups *l, size_t max, bool *left, size_t *failed,
		   struct error *err)
{
	size_t running = 0, i;

	*left = false;
	for (i = 0; i < l->nr; i++) {
		struct lookup *one = &l->v[i];

		*failed = i;
		if (one->job.pid && one->job.fd < 0 &&
		    job_finish(&one->job, err) < 0)
			return -1;
		running += one->job.pid > 0;
	}
	for (i = 0; i < l->nr; i++) {
		struct lookup *one = &l->v[i];

		if (!one->started && running < max) {
			if (job_start(&one->job, look_up, one, NULL, NULL,
				      err) < 0)
				return -1;
			one->started = true;
			running++;
		}
		*left = *left || !one->started || one->job.pid > 0;
	}
	return 0;
}

static int ask(struct build *b, struct lookups *l, size_t *failed,
	       struct error *err)
{
	cleanup_free struct job **jobs = xcalloc(l->nr + 1, sizeof(*jobs));
	bool left;
	size_t i;

	for (i = 0; i < l->nr; i++)
		jobs[i] = &l->v[i].job;
	for (;;) {
		if (signals_check(err) < 0 ||
		    proceed(l, build_jobs(b), &left, failed, err) < 0)
			return -1;
		if (!left)
			return 0;
		if (job_wait(jobs, l->nr, -1, err) < 0)
			return -1;
	}
}

int resolve_image(struct build *b, const char *name,
		  const struct oci_platform *platform,
		  struct store_image *image, struct error *err)
{
	CLEANUP(lookups_release) struct lookups l = { 0 };
	size_t failed;

	add(&l, b, name, platform);
	if (ask(b, &l, &failed, err) < 0)
		return -1;
	return take(&l.v[0], image, err);
}

/* A stage on an image, and what asks for that. */
struct asker {
	size_t stage, lookup;
};

struct askers {
	struct asker *v;
	size_t nr, alloc;
};

static void askers_release(struct askers *a)
{
	free(a->v);
}

/* What the store has is taken from there, the rest noted. */
static int collect_stage(struct build *b, size_t i, struct lookups *l,
			 struct askers *a, struct error *err)
{
	struct build_stage *st = &b->stages[i];
	struct build_base base;
	const char *name;
	size_t k;
	int rc;

	build_eval_base(b->ev, i, &base);
	if (st->found || base.kind != BASE_IMAGE ||
	    !build_eval_needed(b->ev, i))
		return 0;
	rc = source_local(b, base.named, base.image, base.platform,
			  &st->image, err);
	if (rc < 0)
		return error_wrap(err, "%s:%u:1", b->o->name, base.line);
	st->found = rc;
	if (rc)
		return 0;
	name = base.named ? base.named->value : base.image;
	for (k = 0; k < l->nr; k++)
		if (str_eq(l->v[k].name, name) &&
		    oci_platform_equal(l->v[k].platform, base.platform))
			break;
	if (k == l->nr)
		add(l, b, name, base.platform);
	GROW(a->v, a->nr, a->alloc);
	a->v[a->nr++] = (struct asker){ i, k };
	return 0;
}

/* The first stage that wanted what was not to be had. */
static int place(const struct build *b, const struct askers *a, size_t lookup,
		 struct error *err)
{
	struct build_base base;
	size_t i;

	for (i = 0; i < a->nr; i++) {
		if (a->v[i].lookup != lookup)
			continue;
		build_eval_base(b->ev, a->v[i].stage, &base);
		return error_wrap(err, "%s:%u:1", b->o->name, base.line);
	}
	return -1;
}

int resolve_bases(struct build *b, struct error *err)
{
	CLEANUP(lookups_release) struct lookups l = { 0 };
	CLEANUP(askers_release) struct askers a = { 0 };
	size_t failed = 0, i;

	for (i = 0; i < b->n_stages; i++)
		if (collect_stage(b, i, &l, &a, err) < 0)
			return -1;
	if (ask(b, &l, &failed, err) < 0)
		return signals_pending() ? -1 : place(b, &a, failed, err);
	for (i = 0; i < a.nr; i++) {
		struct build_stage *st = &b->stages[a.v[i].stage];

		if (take(&l.v[a.v[i].lookup], &st->image, err) < 0)
			return -1;
		st->found = true;
	}
	return 0;
}
