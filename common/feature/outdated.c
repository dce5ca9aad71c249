/* outdated.c - which versions there are of Features that are asked for */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "feature/internal.h"

#define TAGS_MAX 10000 /* their order costs the square */

/* The versions among the tags, the newest first. */
struct versions {
	struct devcontainer_version *v;
	const char **text;
	size_t n;
};

static void versions_release(struct versions *l)
{
	free(l->v);
	free(l->text);
}

static void insert(struct versions *l, const char *text)
{
	struct devcontainer_version v;
	size_t i = l->n;

	if (!devcontainer_version_parse(&v, text))
		return;
	for (; i && devcontainer_version_compare(&l->v[i - 1], &v) < 0; i--) {
		l->v[i] = l->v[i - 1];
		l->text[i] = l->text[i - 1];
	}
	l->v[i] = v;
	l->text[i] = text;
	l->n++;
}

static void sort(struct versions *l, const struct strvec *tags)
{
	l->v = xcalloc(tags->nr + 1, sizeof(*l->v));
	l->text = xcalloc(tags->nr + 1, sizeof(*l->text));
	for (size_t i = 0; i < tags->nr; i++)
		insert(l, tags->v[i]);
}

static const char *newest(const struct versions *l, const char *tag)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(tag, "latest") ||
		    devcontainer_version_matches(&l->v[i], tag))
			return l->text[i];
	return NULL;
}

/* What a digest stands for says its own file only. */
static char *version_of(struct finder *fi, struct devcontainer_feature *f)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_json struct json *j = NULL;

	if (oci_find(fi, NULL, f, &text, NULL) == 0)
		j = jsonc_parse(f->id, text.buf, text.len, NULL);
	return xstrdup_null(json_get_str(j, "version"));
}

static void put(struct json *j, const char *name, const char *major,
		const char *version)
{
	cleanup_free char *first = NULL;

	if (!version)
		return;
	json_set_str(j, name, version);
	first = xstrndup(version, strcspn(version, "."));
	if (major)
		json_set_str(j, major, first);
}

static void describe(struct finder *fi, struct devcontainer_feature *f,
		     const struct versions *l, struct json *out)
{
	const char *current = devcontainer_lock_version(&fi->lock, f->id);
	cleanup_free char *wanted = xstrdup_null(current);
	struct json *j = json_set(out, f->id, json_new_object());

	if (f->ref.tag) {
		free(wanted);
		wanted = xstrdup_null(newest(l, f->ref.tag));
	} else if (!wanted) {
		wanted = version_of(fi, f);
	}
	put(j, "current", NULL, current ? current : wanted);
	put(j, "wanted", "wantedMajor", wanted);
	put(j, "latest", "latestMajor", l->n ? l->text[0] : NULL);
}

static int look(struct finder *fi, struct devcontainer_feature *f,
		struct json *out, struct error *err)
{
	CLEANUP(versions_release) struct versions l = { 0 };
	cleanup_oci_ref struct oci_ref ref = { 0 };
	cleanup_strvec struct strvec tags = STRVEC_INIT;
	struct registry *r = oci_registry(fi, err);

	if (!r || oci_name(&f->ref, f->ref.digest, &ref, err) < 0 ||
	    registry_list_tags(r, &ref, TAGS_MAX, &tags, err) < 0)
		return -1;
	sort(&l, &tags);
	if (tags.nr)
		describe(fi, f, &l, out);
	else
		log_warn("%s: there is no Feature '%s'",
			 f->where ? f->where : "", f->id);
	return 0;
}

static int look_at(struct finder *fi, const struct json *wanted,
		   struct json *out, struct error *err)
{
	struct devcontainer_feature f = DEVCONTAINER_FEATURE_INIT;
	const char *id = json_get_str(wanted, "id");
	int rc;

	f.id = xstrdup(id ? id : "");
	f.where = xstrdup_null(json_get_str(wanted, "where"));
	rc = devcontainer_feature_ref_parse(&f.ref, f.id, &fi->place, err);
	if (!rc && f.ref.source == DEVCONTAINER_FEATURE_OCI)
		rc = look(fi, &f, out, err);
	if (rc < 0 && f.where)
		error_wrap(err, "%s", f.where);
	devcontainer_feature_release(&f);
	return rc;
}

int feature_outdated(const struct feature_request *q, struct json **out,
		     struct error *err)
{
	CLEANUP(feature_finder_release) struct finder fi;
	cleanup_json struct json *all = json_new_object();
	const struct json *m;

	feature_finder_init(&fi, q);
	if (feature_finder_lock(&fi, err) < 0)
		return -1;
	for (m = json_first(q->wanted); m; m = json_next(m))
		if (look_at(&fi, m, all, err) < 0)
			return -1;
	*out = steal_ptr(&all);
	return 0;
}
