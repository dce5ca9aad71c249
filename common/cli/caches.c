/* caches.c - which caches beside the store a build reads and writes */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/caches.h"

#include "base/units.h"
#include "cache/cache.h"

void cli_caches_release(struct cli_caches *c)
{
	strvec_release(&c->from);
	free(c->to);
}

/* What a name in docker's manner says. */
struct named {
	const char *type, *ref, *dir, *word, *mode;
};

/* A part of it that means nothing here; NULL: all is understood. */
static const char *take(struct named *n, const char *part)
{
	static const struct {
		const char *key;
		size_t offset;
	} keys[] = {
		{ "type=", offsetof(struct named, type) },
		{ "ref=", offsetof(struct named, ref) },
		{ "src=", offsetof(struct named, dir) },
		{ "dest=", offsetof(struct named, dir) },
		{ "mode=", offsetof(struct named, mode) },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *value = str_skip(part, keys[i].key);

		if (!value)
			continue;
		*(const char **)((char *)n + keys[i].offset) = value;
		return NULL;
	}
	if (n->word || strchr(part, '='))
		return part;
	n->word = part;
	return NULL;
}

/* The name of the cache, malloc'ed, where all parts go together. */
static char *place_of(const struct named *n)
{
	if (n->mode && !str_eq(n->mode, "min") && !str_eq(n->mode, "max"))
		return NULL;
	if (n->word)
		return n->type || n->ref || n->dir ? NULL : xstrdup(n->word);
	if (n->type && str_eq(n->type, "local"))
		return n->dir && *n->dir && !n->ref
			       ? xstrfmt(CACHE_DIR_PREFIX "%s", n->dir)
			       : NULL;
	return n->ref && !n->dir && (!n->type || str_eq(n->type, "registry"))
		       ? xstrdup(n->ref)
		       : NULL;
}

/* What is no cache is found out before the work. */
static int check(const char *text, const char *place, struct error *err)
{
	cleanup_cache_place struct cache_place parsed = { 0 };

	if (place)
		return cache_place_init(&parsed, place, NULL, NULL, err);
	error_set(err, ERR_USAGE, "'%s' names no step cache", text);
	return error_hint(err, "write HOST/REPOSITORY or oci:DIR, and for "
			       "--cache-to mode=min or mode=max after a "
			       "comma");
}

/* `max` is left alone when nothing is said about it. */
static char *parse(const char *text, bool *max, struct error *err)
{
	cleanup_strvec struct strvec parts = STRVEC_INIT;
	cleanup_free char *place = NULL;
	struct named n = { 0 };
	const char *wrong = NULL;
	size_t i;

	strvec_split(&parts, text, ",");
	for (i = 0; i < parts.nr && !wrong; i++)
		wrong = take(&n, parts.v[i]);
	if (!wrong)
		place = place_of(&n);
	if (check(text, place, err) < 0)
		return NULL;
	if (n.mode)
		*max = str_eq(n.mode, "max");
	return steal_ptr(&place);
}

/* The one that is read and gets everything. */
static char *main_cache(const struct cli_build_options *o)
{
	if (o->layer_cache_dir && *o->layer_cache_dir)
		return xstrfmt(CACHE_DIR_PREFIX "%s", o->layer_cache_dir);
	return o->cache_repo && *o->cache_repo ? xstrdup(o->cache_repo) : NULL;
}

static int add_main(const struct cli_build_options *o, struct cli_caches *c,
		    struct error *err)
{
	cleanup_free char *name = main_cache(o);

	if (!name)
		return 0;
	if (check(name, name, err) < 0)
		return -1;
	strvec_push(&c->from, name);
	c->to = steal_ptr(&name);
	c->max = true;
	return 0;
}

/* Days as envbuilder counts them: none are a week. */
#define DAY (24 * 3600)
#define DAYS_MAX 36500
#define DAYS_DEFAULT 7

static int get_ttl(const struct cli_build_options *o, uint64_t *ttl,
		   struct error *err)
{
	const char *days = o->cache_ttl_days;

	if (o->cache_ttl && *o->cache_ttl)
		return units_age(o->cache_ttl, ttl, err);
	if (!days || !*days)
		return 0;
	if (!str_to_u64(days, DAYS_MAX, ttl))
		return error_set(err, ERR_USAGE, "'%s' is no number of days",
				 days);
	*ttl = (*ttl ? *ttl : DAYS_DEFAULT) * DAY;
	return 0;
}

int cli_caches_get(struct cli_caches *c, const struct cli_build_options *o,
		   struct error *err)
{
	bool unused = false;
	size_t i;

	if (get_ttl(o, &c->ttl, err) < 0 || add_main(o, c, err) < 0)
		return -1;
	for (i = 0; i < o->cache_from.nr; i++) {
		char *place = parse(o->cache_from.v[i], &unused, err);

		if (!place)
			return -1;
		strvec_push_own(&c->from, place);
	}
	if (!o->cache_to || !*o->cache_to)
		return 0;
	free(c->to);
	c->max = false;
	c->to = parse(o->cache_to, &c->max, err);
	return c->to ? 0 : -1;
}
