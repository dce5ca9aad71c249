/* feature_order.c - which Features are installed, and in which order */
/* SPDX-License-Identifier: Apache-2.0 */
#include "devcontainer/feature_internal.h"

/* A Feature with what it waits for. */
struct node {
	struct devcontainer_feature f;
	struct node **hard; /* dependsOn; owned by the list of all */
	size_t n_hard;
	struct devcontainer_features soft; /* installsAfter: names only */
	size_t priority;
	bool accepted; /* no other node is the same Feature */
	bool done;
};

struct work {
	struct node **v; /* in the order in which they were met */
	size_t nr, alloc;
	struct node **order; /* installed, in order */
	size_t n_order;
	const struct devcontainer_feature_place *place;
	const struct devcontainer_feature_finder *finder;
	struct error *err;
};

static void work_release(struct work *w)
{
	for (size_t i = 0; i < w->nr; i++) {
		devcontainer_feature_release(&w->v[i]->f);
		devcontainer_features_release(&w->v[i]->soft);
		free(w->v[i]->hard);
		free(w->v[i]);
	}
	free(w->v);
	free(w->order);
}

/* Put where it was asked for before a message. */
static int place_error(const struct devcontainer_feature *f, struct error *err)
{
	if (!f->where)
		return -1;
	return error_wrap(err, "%s", f->where);
}

static struct node *add(struct work *w, const char *id,
			const struct json *options, const char *where,
			const char *asked_by)
{
	struct node *n;

	if (w->nr == DEVCONTAINER_FEATURES_MAX) {
		error_set(w->err, ERR_INPUT, "more than %d Features",
			  DEVCONTAINER_FEATURES_MAX);
		return NULL;
	}
	GROW(w->v, w->nr, w->alloc);
	n = w->v[w->nr++] = xcalloc(1, sizeof(*n));
	n->f.id = xstrdup(id);
	n->f.options = options ? json_dup(options) : json_new_object();
	n->f.where = xstrdup_null(where);
	n->f.asked_by = xstrdup_null(asked_by);
	if (devcontainer_feature_ref_parse(&n->f.ref, id, w->place, w->err) <
	    0) {
		place_error(&n->f, w->err);
		return NULL;
	}
	strvec_push(&n->f.aliases, n->f.ref.id);
	return n;
}

static int add_hard(struct work *w, struct node *n)
{
	const struct json *depends = json_get(n->f.metadata.json, "dependsOn");
	const struct json *m = json_first(depends);

	n->hard = xcalloc(json_len(depends) + 1, sizeof(*n->hard));
	for (; m; m = json_next(m)) {
		struct node *d = add(w, json_key(m), m, n->f.where, n->f.id);

		if (!d)
			return error_wrap(w->err, "Feature '%s'", n->f.id);
		n->hard[n->n_hard++] = d;
	}
	return 0;
}

/* What is only named in an order; false: it is no name of a Feature. */
static bool name_only(const struct work *w, const char *id,
		      struct devcontainer_feature *f)
{
	*f = (struct devcontainer_feature)DEVCONTAINER_FEATURE_INIT;
	if (devcontainer_feature_ref_parse(&f->ref, id, w->place, NULL) < 0)
		return false;
	f->id = xstrdup(id);
	strvec_push(&f->aliases, f->ref.id);
	return true;
}

/* Names in an order may be asked of a registry, one by one. */
static int get_names(const struct work *w, const struct json *list,
		     const char *property, struct strvec *names)
{
	json_get_strings(list, names);
	if (names->nr <= DEVCONTAINER_FEATURES_MAX)
		return 0;
	return error_set(w->err, ERR_INPUT, "'%s' names more than %d Features",
			 property, DEVCONTAINER_FEATURES_MAX);
}

static int add_soft(struct work *w, struct node *n)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (get_names(w, json_get(n->f.metadata.json, "installsAfter"),
		      "installsAfter", &names) < 0) {
		error_wrap(w->err, "Feature '%s'", n->f.id);
		return place_error(&n->f, w->err);
	}
	for (size_t i = 0; i < names.nr; i++) {
		GROW(n->soft.v, n->soft.nr, n->soft.alloc);
		if (name_only(w, names.v[i], &n->soft.v[n->soft.nr]))
			n->soft.nr++;
	}
	return 0;
}

static bool is_known(const struct work *w, const struct node *n)
{
	for (size_t i = 0; i < w->nr && w->v[i] != n; i++)
		if (w->v[i]->accepted && feature_equal(&w->v[i]->f, &n->f))
			return true;
	return false;
}

/* The nodes from `from` on are looked for next. */
static void tell_wave(const struct work *w, size_t from)
{
	cleanup_free struct devcontainer_feature **list =
		xcalloc(w->nr + 1, sizeof(*list));
	size_t n = 0;

	if (!w->finder->ahead)
		return;
	for (size_t i = from; i < w->nr; i++)
		list[n++] = &w->v[i]->f;
	w->finder->ahead(w->finder->arg, list, n, false);
}

/* All that the wanted ones need; the list grows while it is gone through: by
 * what those on one level depend on. */
static int expand(struct work *w)
{
	size_t level = 0;

	for (size_t i = 0; i < w->nr; i++) {
		struct node *n = w->v[i];

		if (i == level) {
			tell_wave(w, i);
			level = w->nr;
		}
		if (w->finder->find(w->finder->arg, &n->f, w->err) < 0) {
			if (n->f.asked_by)
				error_wrap(w->err,
					   "Feature '%s' depends on "
					   "'%s'",
					   n->f.asked_by, n->f.id);
			return place_error(&n->f, w->err);
		}
		if (is_known(w, n))
			continue;
		n->accepted = true;
		feature_set_aliases(&n->f);
		if (add_hard(w, n) < 0 || add_soft(w, n) < 0)
			return -1;
	}
	return 0;
}

/* Is nobody meant by name, although somebody might be by a former name? */
static bool is_unclear(const struct work *w,
		       const struct devcontainer_feature *named)
{
	bool near = false;

	for (size_t i = 0; i < w->nr; i++) {
		if (!w->v[i]->accepted)
			continue;
		if (feature_match(&w->v[i]->f, named))
			return false;
		near |= feature_same_space(&w->v[i]->f, named);
	}
	return near;
}

static bool is_meant(const struct work *w,
		     const struct devcontainer_feature *named)
{
	for (size_t i = 0; i < w->nr; i++)
		if (w->v[i]->accepted && feature_match(&w->v[i]->f, named))
			return true;
	return false;
}

/* What is only named is looked at where that can make a difference. */
static bool matches_any(struct work *w, struct devcontainer_feature *named)
{
	if (!is_unclear(w, named))
		return is_meant(w, named);
	w->finder->peek(w->finder->arg, named);
	if (!named->metadata.json)
		return false;
	feature_set_aliases(named);
	return is_meant(w, named);
}

static void tell_unclear(const struct work *w)
{
	cleanup_free struct devcontainer_feature **list = NULL;
	size_t n = 0, alloc = 0;

	for (size_t i = 0; w->finder->ahead && i < w->nr; i++) {
		for (size_t k = 0; k < w->v[i]->soft.nr; k++) {
			if (!is_unclear(w, &w->v[i]->soft.v[k]))
				continue;
			GROW(list, n, alloc);
			list[n++] = &w->v[i]->soft.v[k];
		}
	}
	if (n)
		w->finder->ahead(w->finder->arg, list, n, true);
}

/* What is not installed anyway is not waited for. */
static void drop_soft(struct work *w, struct node *n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n->soft.nr; i++) {
		struct devcontainer_feature one = n->soft.v[i];

		if (matches_any(w, &one))
			n->soft.v[kept++] = one;
		else
			devcontainer_feature_release(&one);
	}
	n->soft.nr = kept;
}

static void set_priority(struct work *w, const char *id, size_t priority)
{
	struct devcontainer_feature named;

	if (!name_only(w, id, &named))
		return;
	if (matches_any(w, &named))
		for (size_t i = 0; i < w->nr; i++)
			if (feature_match(&w->v[i]->f, &named))
				w->v[i]->priority =
					MAX(w->v[i]->priority, priority);
	devcontainer_feature_release(&named);
}

static int set_priorities(struct work *w, const struct json *override)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (get_names(w, override, "overrideFeatureInstallOrder", &names) < 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++)
		set_priority(w, names.v[i], names.nr - i);
	return 0;
}

static const struct node *
installed(const struct work *w, const struct devcontainer_feature *f,
	  bool (*is)(const struct devcontainer_feature *a,
		     const struct devcontainer_feature *b))
{
	for (size_t i = 0; i < w->n_order; i++)
		if (is(&w->order[i]->f, f))
			return w->order[i];
	return NULL;
}

static bool is_ready(const struct work *w, const struct node *n)
{
	for (size_t i = 0; i < n->n_hard; i++)
		if (!installed(w, &n->hard[i]->f, feature_equal))
			return false;
	for (size_t i = 0; i < n->soft.nr; i++)
		if (!installed(w, &n->soft.v[i], feature_match))
			return false;
	return true;
}

static void explain(const struct work *w, struct node *n, size_t rivals)
{
	struct strvec *why = &n->f.why;

	if (n->f.asked_by)
		strvec_pushf(why, "'%s' depends on it", n->f.asked_by);
	for (size_t i = 0; i < n->n_hard; i++)
		strvec_pushf(why, "it depends on '%s'",
			     installed(w, &n->hard[i]->f, feature_equal)->f.id);
	for (size_t i = 0; i < n->soft.nr; i++)
		strvec_pushf(why, "it installs after '%s'",
			     installed(w, &n->soft.v[i], feature_match)->f.id);
	if (n->priority)
		strvec_pushf(why,
			     "overrideFeatureInstallOrder gives it "
			     "priority %zu",
			     n->priority);
	if (rivals > 1)
		strvec_pushf(why, "of %zu that could come now, by name",
			     rivals);
}

/* The highest priority among those that could be installed now; false: there
 * are none. */
static bool begin_round(const struct work *w, size_t *priority)
{
	bool any = false;

	*priority = 0;
	for (size_t i = 0; i < w->nr; i++) {
		const struct node *n = w->v[i];

		if (!n->accepted || n->done || !is_ready(w, n))
			continue;
		any = true;
		*priority = MAX(*priority, n->priority);
	}
	return any;
}

static void insert(struct node **round, size_t n, struct node *one)
{
	size_t i = n;

	for (; i && feature_compare(&round[i - 1]->f, &one->f) > 0; i--)
		round[i] = round[i - 1];
	round[i] = one;
}

static void finish_round(struct work *w, struct node **round, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		explain(w, round[i], nr);
	for (size_t i = 0; i < w->nr; i++)
		for (size_t k = 0; !w->v[i]->done && k < nr; k++)
			w->v[i]->done =
				feature_equal(&round[k]->f, &w->v[i]->f);
	w->n_order += nr;
}

/* How the rest wait for each other, for people. */
static int fail_circle(const struct work *w, const struct node *first)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < w->nr; i++) {
		const struct node *n = w->v[i];

		if (n->accepted && !n->done)
			strbuf_addf(&text, "%s'%s'", n == first ? "" : ", ",
				    n->f.id);
	}
	error_set(w->err, ERR_INPUT,
		  "%s%sFeatures wait for each other in a circle: %s",
		  first->f.where ? first->f.where : "",
		  first->f.where ? ": " : "", text.buf);
	return error_hint(w->err, "look at dependsOn and installsAfter in "
				  "their devcontainer-feature.json");
}

static int sort(struct work *w)
{
	size_t left = 0, priority;

	for (size_t i = 0; i < w->nr; i++)
		left += w->v[i]->accepted;
	w->order = xcalloc(left + 1, sizeof(*w->order));
	while (w->n_order < left) {
		struct node **round = w->order + w->n_order;
		size_t nr = 0;

		if (!begin_round(w, &priority))
			break;
		for (size_t i = 0; i < w->nr; i++) {
			struct node *n = w->v[i];

			if (n->accepted && !n->done && is_ready(w, n) &&
			    n->priority == priority)
				insert(round, nr++, n);
		}
		finish_round(w, round, nr);
	}
	for (size_t i = 0; i < w->nr; i++)
		if (w->v[i]->accepted && !w->v[i]->done)
			return fail_circle(w, w->v[i]);
	return 0;
}

static int add_wanted(struct work *w, const struct json *wanted)
{
	const struct json *m = json_first(wanted);

	for (; m; m = json_next(m)) {
		const char *id = json_get_str(m, "id");
		struct node *n;

		if (!id)
			return error_set(w->err, ERR_INPUT,
					 "a Feature of the plan has no id");
		n = add(w, id, json_get(m, "options"),
			json_get_str(m, "where"), NULL);
		if (!n)
			return -1;
		n->f.additional = json_get_bool(m, "additional");
	}
	return 0;
}

static void hand_over(struct work *w, struct devcontainer_features *out)
{
	out->v = xcalloc(w->n_order + 1, sizeof(*out->v));
	out->alloc = w->n_order + 1;
	for (size_t i = 0; i < w->n_order; i++) {
		out->v[out->nr++] = w->order[i]->f;
		w->order[i]->f =
			(struct devcontainer_feature)DEVCONTAINER_FEATURE_INIT;
	}
}

int devcontainer_features_order(
	struct devcontainer_features *out, const struct json *wanted,
	const struct json *override,
	const struct devcontainer_feature_place *place,
	const struct devcontainer_feature_finder *finder, struct error *err)
{
	CLEANUP(work_release)
	struct work w = { .place = place, .finder = finder, .err = err };

	*out = (struct devcontainer_features){ 0 };
	if (add_wanted(&w, wanted) < 0 || expand(&w) < 0)
		return -1;
	tell_unclear(&w);
	for (size_t i = 0; i < w.nr; i++)
		drop_soft(&w, w.v[i]);
	if (set_priorities(&w, override) < 0 || sort(&w) < 0)
		return -1;
	hand_over(&w, out);
	return 0;
}
