/* resolve.c - the base images of all stages, asked for at once */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/signals.h"
#include "build/docs.h"
#include "build/lookup.h"
#include "build/stage.h"

/* For who asks what a build uses. An image is noted once. */
static void note(struct build *b, const struct store_image *image,
		 const struct oci_platform *platform, const char *digest)
{
	cleanup_free char *name = oci_platform_format(platform);
	struct build_used *u;
	size_t i;

	for (i = 0; image->reference && i < b->used.nr; i++)
		if (str_eq(b->used.v[i].name, image->reference) &&
		    str_eq(b->used.v[i].platform, name))
			return;
	if (!image->reference)
		return;
	GROW(b->used.v, b->used.nr, b->used.alloc);
	u = &b->used.v[b->used.nr++];
	*u = (struct build_used){ .name = xstrdup(image->reference),
				  .platform = steal_ptr(&name),
				  .first = !b->resolved };
	memcpy(u->manifest, image->manifest, DIGEST_TEXT);
	snprintf(u->digest, sizeof(u->digest), "%s", digest);
}

void resolve_release(struct build *b)
{
	size_t i;

	for (i = 0; i < b->used.nr; i++) {
		free(b->used.v[i].name);
		free(b->used.v[i].platform);
	}
	free(b->used.v);
	docs_release(&b->docs);
}

static int take(struct build *b, const struct lookup *l,
		struct store_image *image, struct error *err)
{
	cleanup_free char *name = oci_ref_format(&l->ref);
	int rc = docs_image(&b->docs, &l->ref, l->digest, l->platform, image,
			    err);

	if (rc < 0)
		return error_wrap(err, "%s", name);
	if (!rc)
		return error_set(err, ERR_NETWORK,
				 "%s: what describes it does not hold together",
				 name);
	note(b, image, l->platform, l->digest);
	return b->probe ? 0 : docs_keep(&b->docs, b->o->store, image, err);
}

/* Two answers in one build could differ. */
static void recall(const struct build *b, struct lookup *l)
{
	cleanup_free char *name = oci_ref_format(&l->ref);
	cleanup_free char *platform = oci_platform_format(l->platform);
	size_t i;

	for (i = 0; i < b->used.nr; i++) {
		const struct build_used *u = &b->used.v[i];

		if (str_eq(u->name, name) && str_eq(u->platform, platform))
			memcpy(l->digest, u->digest, DIGEST_TEXT);
	}
}

int resolve_image(struct build *b, const char *name,
		  const struct oci_platform *platform,
		  struct store_image *image, struct error *err)
{
	cleanup_lookups struct lookups l = { 0 };
	size_t failed;

	if (lookup_add(&l, b, name, platform, err) < 0)
		return -1;
	recall(b, &l.v[0]);
	if (lookup_run(b, &l, &failed, err) < 0)
		return -1;
	return take(b, &l.v[0], image, err);
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
		note(b, &st->image, base.platform, "");
	if (rc)
		return 0;
	name = base.named ? base.named->value : base.image;
	for (k = 0; k < l->nr; k++)
		if (str_eq(l->v[k].name, name) &&
		    oci_platform_equal(l->v[k].platform, base.platform))
			break;
	if (k == l->nr &&
	    lookup_add(l, b, name, base.platform, err) < 0)
		return error_wrap(err, "%s:%u:1", b->o->name, base.line);
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
	cleanup_lookups struct lookups l = { 0 };
	CLEANUP(askers_release) struct askers a = { 0 };
	size_t failed = 0, i;

	for (i = 0; i < b->n_stages; i++)
		if (collect_stage(b, i, &l, &a, err) < 0)
			return -1;
	if (lookup_run(b, &l, &failed, err) < 0)
		return signals_pending() ? -1 : place(b, &a, failed, err);
	for (i = 0; i < a.nr; i++) {
		struct build_stage *st = &b->stages[a.v[i].stage];

		if (take(b, &l.v[a.v[i].lookup], &st->image, err) < 0)
			return place(b, &a, a.v[i].lookup, err);
		st->found = true;
	}
	b->resolved = true;
	return 0;
}
