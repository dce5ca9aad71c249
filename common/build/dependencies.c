/* dependencies.c - what went into an image, for those who ask later */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/source.h"
#include "build/stage.h"
#include "wrap/giturl.h"
#include "wrap/url.h"

/* By name, so that each is there once and in order. */
static void add(struct json *by_name, char *name, const char *kind,
		const char *digest)
{
	cleanup_free char *owned = name;
	struct json *one;

	if (!name || !digest || !*digest)
		return;
	one = json_set(by_name, name, json_new_object());
	json_set_str(one, kind, digest_hex(digest));
}

static void add_image(struct json *by_name, const struct build_stage *st)
{
	cleanup_oci_ref struct oci_ref ref = { 0 };
	cleanup_free char *name = NULL;

	if (!st->base_name || oci_ref_parse(&ref, st->base_name, NULL) < 0)
		return;
	name = oci_ref_format(&ref);
	add(by_name, xstrfmt("docker-image://%s", name), "sha256",
	    st->base_digest);
}

static char *git_name(const struct build_remote *r, const char *commit)
{
	cleanup_giturl struct giturl u = { 0 };
	cleanup_free char *url = NULL;

	if (giturl_parse(&u, r->git.remote, NULL) < 0)
		return NULL;
	url = giturl_canonical(&u);
	return url ? xstrfmt("git+%s@%s", url, commit) : NULL;
}

static void add_remote(struct json *by_name, const struct build *b,
		       const struct build_remote *r)
{
	const struct source_state *s = source_remote_known(b, r);

	if (s && r->is_git)
		add(by_name, git_name(r, s->commit), "gitCommit", s->commit);
	else if (s)
		add(by_name, url_canonical(r->url), "sha256", s->digest);
}

static void add_stage(struct json *by_name, const struct build *b,
		      const struct build_stage *st)
{
	size_t i, k;

	add_image(by_name, st);
	for (i = 0; i < st->n_plan; i++) {
		const struct build_step *step = &st->plan[i].step;

		for (k = 0; k < step->n_remotes; k++)
			add_remote(by_name, b, &step->remotes[k]);
	}
}

static struct json *list(const struct json *by_name)
{
	struct json *out = json_new_array();
	cleanup_strvec struct strvec names = STRVEC_INIT;
	const struct json *m;
	size_t i;

	for (m = json_first(by_name); m; m = json_next(m))
		strvec_push(&names, json_key(m));
	strvec_sort(&names);
	for (i = 0; i < names.nr; i++) {
		struct json *one = json_push(out, json_new_object());

		json_set_str(one, "name", names.v[i]);
		json_set(one, "digest",
			 json_dup(json_get(by_name, names.v[i])));
	}
	return out;
}

struct json *dependencies_json(struct build *b)
{
	cleanup_json struct json *by_name = json_new_object();
	const struct build_named_list *named = b->o->named;
	const struct build_stage *st;
	size_t i;

	for (i = 0; i < b->n_stages; i++)
		if (b->stages[i].begun)
			add_stage(by_name, b, &b->stages[i]);
	for (i = 0; (st = source_nth(b, i)); i++)
		add_image(by_name, st);
	for (i = 0; named && i < named->nr; i++)
		if (named->v[i].kind == BUILD_NAMED_REMOTE)
			add_remote(by_name, b, &named->v[i].remote);
	return list(by_name);
}

static void annotate_base(struct json *j, const struct build_stage *st)
{
	cleanup_oci_ref struct oci_ref ref = { 0 };
	cleanup_free char *name = NULL;

	if (!st->base_name || oci_ref_parse(&ref, st->base_name, NULL) < 0)
		return;
	name = oci_ref_format(&ref);
	json_set_str(j, "org.opencontainers.image.base.name", name);
	if (*st->base_digest)
		json_set_str(j, "org.opencontainers.image.base.digest",
			     st->base_digest);
}

/* Nothing of it depends on this machine or this day, where the build does
 * not; an image of a tree that came from nowhere has the manifest it would
 * have without any of this. */
static void annotate_source(struct json *j, const struct build *b,
			    const struct build_stage *st)
{
	const struct build_origin *o = &b->o->origin;
	const char *created = b->result->image.config.created;
	cleanup_giturl struct giturl u = { 0 };
	cleanup_free char *url = NULL;

	if (!o->url || !o->commit)
		return;
	if (!giturl_parse(&u, o->url, NULL))
		url = giturl_canonical(&u);
	if (url) /* a directory here is nobody else's source */
		json_set_str(j, "org.opencontainers.image.source", url);
	json_set_str(j, "org.opencontainers.image.revision", o->commit);
	if (created)
		json_set_str(j, "org.opencontainers.image.created", created);
	json_set_str(j, "dev.devenv.build-id", b->key);
	if (o->template)
		json_set_str(j, "dev.devenv.template", o->template);
	annotate_base(j, st);
}

struct json *dependencies_annotations(const struct build *b,
			      const struct build_stage *st)
{
	const struct strvec *own = b->o->annotations;
	cleanup_json struct json *j = json_new_object();
	size_t i;

	annotate_source(j, b, st);
	for (i = 0; own && i < own->nr; i++) {
		cleanup_free char *key = xstrndup(own->v[i],
						  strcspn(own->v[i], "="));

		json_set_str(j, key, own->v[i] + strlen(key) + 1);
	}
	return json_len(j) ? steal_ptr(&j) : NULL;
}
