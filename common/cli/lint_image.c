/* lint_image.c - what an image's descriptions tell of it */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/findings.h"

struct look {
	struct cli_findings *f;
	const char *name;
};

static void add(const struct look *l, const char *rule, bool error,
		char *message)
{
	cleanup_free char *owned = message;

	cli_findings_add(l->f, rule, error, l->name, 0, owned);
}

static void check_env(const struct look *l, const struct strvec *env)
{
	size_t i;

	for (i = 0; i < env->nr; i++) {
		size_t n = strcspn(env->v[i], "=");
		cleanup_free char *name = xstrndup(env->v[i], n);

		if (env->v[i][n] && env->v[i][n + 1] &&
		    dockerfile_is_secret(name))
			add(l, "SecretInEnv", false,
			    xstrfmt("the environment has a value for '%s', "
				    "which everybody with the image can read",
				    name));
	}
}

/* "RUN |2 a=1 token=x /bin/sh ...": arguments with their values. */
static void check_history_text(const struct look *l, const char *text)
{
	cleanup_strvec struct strvec words = STRVEC_INIT;
	const char *bar = strchr(text, '|');
	uint64_t count;
	size_t i;

	if (!bar)
		return;
	strvec_split(&words, bar + 1, " ");
	if (!words.nr || !str_to_u64(words.v[0], words.nr - 1, &count))
		return;
	for (i = 1; i <= count; i++) {
		size_t n = strcspn(words.v[i], "=");
		cleanup_free char *name = xstrndup(words.v[i], n);

		if (words.v[i][n] && words.v[i][n + 1] &&
		    dockerfile_is_secret(name))
			add(l, "SecretInHistory", false,
			    xstrfmt("the history has a value for the build "
				    "argument '%s'; a secret mount leaves "
				    "none", name));
	}
}

static void check_history(const struct look *l, const struct oci_config *c,
			  size_t n_layers)
{
	size_t i, made = 0;

	for (i = 0; i < c->n_history; i++) {
		made += !c->history[i].empty_layer;
		if (c->history[i].created_by)
			check_history_text(l, c->history[i].created_by);
	}
	if (c->n_history && made != n_layers)
		add(l, "HistoryMismatch", true,
		    xstrfmt("the history tells of %zu layers, the image has "
			    "%zu", made, n_layers));
}

static bool is_docker(const char *media_type)
{
	return str_starts(media_type, "application/vnd.docker.");
}

static void check_family(const struct look *l, const struct oci_manifest *m)
{
	bool mixed = is_docker(m->config.media_type) != m->docker;
	size_t i;

	for (i = 0; i < m->n_layers; i++)
		mixed |= is_docker(m->layers[i].media_type) != m->docker;
	if (mixed)
		add(l, "MixedMediaTypes", true,
		    xstrdup("the manifest mixes media types of OCI and "
			    "docker, which some registries and runtimes "
			    "refuse"));
}

int cli_lint_image(struct cli_findings *f, struct store *s, const char *name,
		   const struct store_image *image, struct error *err)
{
	const struct look l = { f, name };
	cleanup_oci_manifest struct oci_manifest m = { 0 };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	check_env(&l, &image->config.env);
	check_history(&l, &image->config, image->n_layers);
	/* An image that was only built has no manifest yet. */
	if (!image->manifest[0] || !store_has_blob(s, image->manifest, NULL))
		return 0;
	if (store_read_blob(s, image->manifest, OCI_MANIFEST_MAX, &text,
			    err) < 0 ||
	    oci_manifest_parse(&m, text.buf, text.len, err) < 0)
		return -1;
	check_family(&l, &m);
	return 0;
}
