/* multi.c - one build for several platforms, under one index */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/multi.h"

#include "base/log.h"
#include "base/units.h"

#define PLATFORMS_MAX 64
#define ALWAYS "BUILDKIT_MULTI_PLATFORM" /* an index for one platform, too */

void cli_multi_release(struct cli_multi *m)
{
	size_t i;

	for (i = 0; i < m->nr; i++)
		build_result_release(&m->v[i]);
	free(m->v);
	strvec_release(&m->platforms);
	strbuf_release(&m->index);
}

bool cli_multi_wanted(const struct record_plan *plan)
{
	const char *always = strvec_env_get(&plan->args, ALWAYS);

	return str_is_true(always) ||
	       (plan->platform && strchr(plan->platform, ','));
}

/* "linux/amd64,arm64" in their normal form, each once. */
static int split(struct strvec *list, const char *text, struct error *err)
{
	for (;;) {
		size_t n = strcspn(text, ",");
		cleanup_oci_platform struct oci_platform p = { 0 };
		cleanup_free char *word = xstrndup(text, n), *name = NULL;

		if (oci_platform_parse(&p, word, err) < 0)
			return -1;
		name = oci_platform_format(&p);
		if (strvec_has(list, name))
			return error_set(err, ERR_USAGE,
					 "--platform names %s twice", name);
		if (list->nr == PLATFORMS_MAX)
			return error_set(err, ERR_USAGE,
					 "--platform names more than %d",
					 PLATFORMS_MAX);
		strvec_push(list, name);
		if (!text[n])
			return 0;
		text += n + 1;
	}
}

/* Of this machine, malloc'ed. */
static char *host_name(void)
{
	cleanup_oci_platform struct oci_platform host = { 0 };

	oci_platform_host(&host);
	return oci_platform_format(&host);
}

int cli_platforms(struct strvec *list, const struct record_plan *plan,
		  struct error *err)
{
	cleanup_free char *own = host_name();

	return split(list, plan->platform ? plan->platform : own, err);
}

size_t cli_platforms_own(const struct strvec *list)
{
	cleanup_free char *own = host_name();
	size_t i;

	for (i = 0; i < list->nr; i++)
		if (str_eq(list->v[i], own))
			return i;
	return 0;
}

static int make_manifest(struct cli_builder *b, struct store_image *image,
			 struct error *err)
{
	cleanup_build_manifest struct build_manifest m = BUILD_MANIFEST_INIT;

	if (build_identify(b->store, image, err) < 0 ||
	    build_materialize(b->store, &b->registry, &b->registry_options,
			      image, &m, err) < 0)
		return -1;
	return store_put_image(b->store, image, err);
}

/* FILE.html as FILE-linux-arm64.html. */
static char *page_name(const char *file, const char *platform)
{
	size_t n = strlen(file) - (str_ends(file, ".html") ? 5 : 0), i;
	struct strbuf name = STRBUF_INIT;

	strbuf_add(&name, file, n);
	strbuf_addch(&name, '-');
	for (i = 0; platform[i]; i++)
		strbuf_addch(&name, platform[i] == '/' ? '-' : platform[i]);
	strbuf_addstr(&name, file + n);
	return strbuf_detach(&name);
}

static int build_one(struct cli_multi *m, struct cli_builder *b,
		     const struct cli_build_options *o,
		     const struct record_plan *plan, struct error *err)
{
	struct build_result *r = &m->v[m->nr];
	struct record_plan one = *plan;
	struct cli_build_options each = *o;
	cleanup_free char *page = NULL;

	one.platform = m->platforms.v[m->nr++];
	if (o->report && *o->report && m->platforms.nr > 1)
		each.report = page = page_name(o->report, one.platform);
	if (cli_build_plan(b, &each, &one, r, err) < 0 ||
	    make_manifest(b, &r->image, err) < 0)
		return error_wrap(err, "%s", one.platform);
	log_info("%s: %s: %zu step%s run, %zu cached", one.platform,
		 r->image.config_digest, r->executed, units_s(r->executed),
		 r->cached);
	return 0;
}

static int make_index(struct cli_multi *m, struct store *s, struct error *err)
{
	cleanup_free const struct store_image **images =
		xcalloc(m->nr, sizeof(*images));
	size_t i;

	for (i = 0; i < m->nr; i++)
		images[i] = &m->v[i].image;
	if (build_index_text(s, images, m->nr, &m->index, err) < 0)
		return -1;
	digest_bytes(m->index.buf, m->index.len, m->digest);
	return 0;
}

int cli_multi_build(struct cli_multi *m, struct cli_builder *b,
		    const struct cli_build_options *o,
		    const struct record_plan *plan, struct error *err)
{
	if (cli_platforms(&m->platforms, plan, err) < 0)
		return -1;
	m->v = xcalloc(m->platforms.nr, sizeof(*m->v));
	while (m->nr < m->platforms.nr)
		if (build_one(m, b, o, plan, err) < 0)
			return -1;
	m->own = &m->v[cli_platforms_own(&m->platforms)];
	return make_index(m, b->store, err);
}

int cli_multi_push(const struct cli_multi *m, struct cli_builder *b,
		   const struct strvec *tags, struct error *err)
{
	const struct build_export x = {
		.store = b->store,
		.registry = &b->registry,
		.options = &b->registry_options,
		.result = m->v,
		.n = m->nr,
	};
	size_t i;

	for (i = 0; i < tags->nr; i++) {
		cleanup_oci_ref struct oci_ref ref = { 0 };

		if (oci_ref_parse(&ref, tags->v[i], err) < 0 ||
		    build_push_index(&x, &m->index, &ref, err) < 0)
			return -1;
	}
	return 0;
}

void cli_multi_record(struct record *r, const struct store *s,
		      const struct cli_multi *m)
{
	cleanup_strbuf struct strbuf all = STRBUF_INIT;
	struct json *image, *list;
	size_t i;

	cli_build_record(r, s, m->own);
	image = record_get(r, "image");
	list = json_set(image, "images", json_new_array());
	for (i = 0; i < m->nr; i++) {
		struct json *j = json_push(list, json_new_object());

		strbuf_addf(&all, "%s%s", i ? "," : "", m->platforms.v[i]);
		json_set_str(j, "platform", m->platforms.v[i]);
		json_set_str(j, "digest", m->v[i].image.manifest);
		json_set_str(j, "config_digest", m->v[i].image.config_digest);
	}
	json_set_str(image, "platform", all.buf);
	json_set_str(image, "digest", m->digest);
}
