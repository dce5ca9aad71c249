/* feature_ref.c - what the name of a Feature refers to */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "base/path.h"
#include "devcontainer/feature.h"
#include "wrap/url.h"

#define REF_MAX 2048

void devcontainer_feature_ref_release(struct devcontainer_feature_ref *ref)
{
	free(ref->id);
	free(ref->registry);
	free(ref->path);
	free(ref->tag);
	free(ref->digest);
	free(ref->url);
	free(ref->dir);
	*ref = (struct devcontainer_feature_ref){ 0 };
}

void devcontainer_feature_place_release(struct devcontainer_feature_place *p)
{
	free(p->from);
	free(p->below);
	free(p->top);
	*p = (struct devcontainer_feature_place){ 0 };
}

/* The nearest .devcontainer that a directory is or lies in, or NULL. */
static char *find_above(const char *dir)
{
	cleanup_free char *at = xstrdup(dir);

	while (!str_eq(at, "/") && !str_eq(at, ".")) {
		cleanup_free char *base = path_base(at);
		char *up;

		if (str_eq(base, ".devcontainer"))
			return steal_ptr(&at);
		up = path_dir(at);
		free(at);
		at = up;
	}
	return NULL;
}

void devcontainer_feature_place_of(struct devcontainer_feature_place *p,
				   const char *config_file)
{
	cleanup_free char *base = path_base(config_file);

	p->from = path_dir(config_file);
	p->below = find_above(p->from);
	if (!p->below)
		p->below = path_join(p->from,
				     *base == '.' ? ".devcontainer" : ".");
	p->top = str_ends(p->below, "/.devcontainer") ? path_dir(p->below)
						      : xstrdup(p->below);
}

/* Names from before Features had addresses. */
static const struct {
	const char *name, *now; /* below ghcr.io/devcontainers/features */
} former[] = {
	{ "aws-cli", "aws-cli" },
	{ "azure-cli", "azure-cli" },
	{ "common", "common-utils" },
	{ "desktop-lite", "desktop-lite" },
	{ "docker-from-docker", "docker-outside-of-docker" },
	{ "docker-in-docker", "docker-in-docker" },
	{ "dotnet", "dotnet" },
	{ "git", "git" },
	{ "git-lfs", "git-lfs" },
	{ "github-cli", "github-cli" },
	{ "golang", "go" },
	{ "gradle", "java" },
	{ "java", "java" },
	{ "jupyterlab", "python" },
	{ "kubectl-helm-minikube", "kubectl-helm-minikube" },
	{ "maven", "java" },
	{ "node", "node" },
	{ "powershell", "powershell" },
	{ "python", "python" },
	{ "ruby", "ruby" },
	{ "rust", "rust" },
	{ "sshd", "sshd" },
	{ "terraform", "terraform" },
};

static int refuse_short(const char *text, struct error *err)
{
	error_set(err, ERR_INPUT,
		  "'%s' is the short form of a Feature, which is no longer "
		  "in use",
		  text);
	for (size_t i = 0; i < ARRAY_SIZE(former); i++)
		if (str_eq(text, former[i].name))
			return error_hint(err,
					  "write ghcr.io/devcontainers/"
					  "features/%s:1",
					  former[i].now);
	return error_hint(err,
			  "name a registry (HOST/NAMESPACE/%s:1), or a "
			  "folder beside the file (./%s)",
			  text, text);
}

static bool id_valid(const char *id)
{
	return *id && !id[strspn(id, "abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789-_")];
}

/* .../devcontainer-feature-ID.tgz */
static int parse_tarball(struct devcontainer_feature_ref *ref, const char *text,
			 struct error *err)
{
	static const char prefix[] = "devcontainer-feature-";
	cleanup_url struct url u = { 0 };
	cleanup_strbuf struct strbuf full = STRBUF_INIT;
	const char *name, *end;

	ref->source = DEVCONTAINER_FEATURE_TARBALL;
	if (url_parse(&u, text, err) < 0)
		return -1;
	url_format(&u, &full);
	u.rest[strcspn(u.rest, "?#")] = '\0';
	name = str_skip(strrchr(u.rest, '/') + 1, prefix);
	end = name && str_ends(name, ".tgz") ? name + strlen(name) - 4 : NULL;
	if (end)
		ref->id = xstrndup(name, (size_t)(end - name));
	if (!end || !id_valid(ref->id)) {
		error_set(err, ERR_INPUT, "'%s' names no Feature", text);
		return error_hint(err, "the file of a Feature is called "
				       "devcontainer-feature-ID.tgz");
	}
	ref->url = strbuf_detach(&full);
	return 0;
}

static int parse_local(struct devcontainer_feature_ref *ref, const char *text,
		       const struct devcontainer_feature_place *p,
		       struct error *err)
{
	ref->source = DEVCONTAINER_FEATURE_LOCAL;
	if (*text == '/') {
		error_set(err, ERR_INPUT,
			  "'%s': a local Feature has no absolute path", text);
		return error_hint(err, "write its path from the folder of "
				       "the configuration, as ./NAME");
	}
	ref->id = path_base(text);
	ref->dir = path_join(p->from, text);
	if (path_within(ref->dir, p->below))
		return 0;
	error_set(err, ERR_INPUT, "the Feature '%s' is outside of '%s'", text,
		  p->below);
	return error_hint(err, "local Features lie in the folder "
			       ".devcontainer of the project");
}

/* [a-z0-9]+([._-][a-z0-9]+)* between slashes */
static bool path_valid(const char *s)
{
	bool open = true; /* a letter or digit must come */

	for (; *s; s++) {
		bool plain = islower((unsigned char)*s) ||
			     isdigit((unsigned char)*s);

		if (!plain && (open || !strchr("._-/", *s)))
			return false;
		open = !plain;
	}
	return !open;
}

/* [A-Za-z0-9_][A-Za-z0-9._-]{0,127} */
static bool tag_valid(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_.-");

	return n && n <= 128 && !s[n] && *s != '.' && *s != '-';
}

static int bad_reference(const char *text, const char *what, struct error *err)
{
	error_set(err, ERR_INPUT, "'%s' names no Feature: %s", text, what);
	return error_hint(err, "a Feature is HOST/NAMESPACE/ID[:TAG], "
			       "https://.../devcontainer-feature-ID.tgz or "
			       "./FOLDER");
}

/* Cut ":TAG" or "@DIGEST" off the lower-case name. */
static int take_version(struct devcontainer_feature_ref *ref, char *name,
			const char *text, struct error *err)
{
	char *slash = strrchr(name, '/'), *at = strchr(slash, '@');
	char *colon = strchr(slash, ':');

	if (at) {
		*at = '\0';
		if (colon && colon < at)
			*colon = '\0'; /* the digest is what counts */
		if (!digest_valid(at + 1))
			return bad_reference(text,
					     "its digest is not "
					     "sha256:HEX",
					     err);
		ref->digest = xstrdup(at + 1);
		return 0;
	}
	if (colon)
		*colon = '\0';
	ref->tag = xstrdup(colon ? colon + 1 : "latest");
	if (!tag_valid(ref->tag))
		return bad_reference(text, "its tag is malformed", err);
	return 0;
}

/* Published again by others when their first publishers gave up. */
static char *current_path(const char *path)
{
	const char *rest = str_skip(path, "devcontainers-contrib/");

	return rest ? xstrfmt("devcontainers-extra/%s", rest) : xstrdup(path);
}

/* owner/repository/id[@version] of releases on GitHub */
static int refuse_release(const char *text, struct error *err)
{
	error_set(err, ERR_INPUT,
		  "'%s' names no registry: Features from GitHub releases are "
		  "no longer in use",
		  text);
	return error_hint(err, "write the address it is published at, such "
			       "as ghcr.io/OWNER/REPOSITORY/ID:1");
}

static int parse_oci(struct devcontainer_feature_ref *ref, const char *text,
		     struct error *err)
{
	cleanup_free char *name = xstrdup(text);
	size_t n = strcspn(name, "/");

	ref->source = DEVCONTAINER_FEATURE_OCI;
	for (char *c = name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	ref->registry = xstrndup(name, n);
	if (*text == '.')
		return bad_reference(text, "a registry begins with no dot",
				     err);
	if (!strchr(ref->registry, '.') &&
	    !str_starts(ref->registry, "localhost"))
		return refuse_release(text, err);
	if (take_version(ref, name, text, err) < 0)
		return -1;
	if (!path_valid(name + n + 1))
		return bad_reference(text, "its path is malformed", err);
	if (!strchr(name + n + 1, '/'))
		return bad_reference(text, "it has no namespace", err);
	ref->path = current_path(name + n + 1);
	ref->id = xstrdup(strrchr(ref->path, '/') + 1);
	return 0;
}

static int parse(struct devcontainer_feature_ref *ref, const char *text,
		 const struct devcontainer_feature_place *p, struct error *err)
{
	if (strlen(text) > REF_MAX)
		return error_set(err, ERR_INPUT,
				 "the name of a Feature is "
				 "longer than %d bytes",
				 REF_MAX);
	if (str_starts(text, "https://"))
		return parse_tarball(ref, text, err);
	if (str_starts(text, "http://")) {
		error_set(err, ERR_INPUT, "'%s' is not fetched without TLS",
			  text);
		return error_hint(err, "write https://");
	}
	if (str_starts(text, "./") || str_starts(text, "../") || *text == '/')
		return parse_local(ref, text, p, err);
	if (!strchr(text, '/'))
		return refuse_short(text, err);
	return parse_oci(ref, text, err);
}

int devcontainer_feature_ref_parse(struct devcontainer_feature_ref *ref,
				   const char *text,
				   const struct devcontainer_feature_place *p,
				   struct error *err)
{
	*ref = (struct devcontainer_feature_ref){ 0 };
	if (parse(ref, text, p, err) == 0)
		return 0;
	devcontainer_feature_ref_release(ref);
	return -1;
}
