/* named.c - --build-context: names that stand for other sources */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "base/fs.h"
#include "base/path.h"
#include "build/build.h"

#define NAMED_MAX 1000

void build_named_release(struct build_named_list *list)
{
	size_t i;

	for (i = 0; i < list->nr; i++) {
		free(list->v[i].name);
		free(list->v[i].value);
		free(list->v[i].tag);
		build_remote_release(&list->v[i].remote);
	}
	free(list->v);
	*list = (struct build_named_list){ 0 };
}

/* A name as docker shortens it, so that "debian", "docker.io/library/debian"
 * and "debian:latest" are one; NULL: it can be none. */
static char *familiar(const char *name)
{
	cleanup_oci_ref struct oci_ref ref = { 0 };
	cleanup_free char *lower = xstrdup(name);
	cleanup_free char *full = NULL;
	const char *rest;
	char *c;

	for (c = lower; *c && *c != ':' && *c != '@'; c++)
		*c = (char)tolower((unsigned char)*c);
	if (oci_ref_parse(&ref, lower, NULL) < 0)
		return NULL;
	full = oci_ref_format(&ref);
	if (!ref.digest && str_ends(full, ":latest"))
		full[strlen(full) - strlen(":latest")] = '\0';
	rest = str_skip(full, "docker.io/");
	if (!rest)
		return steal_ptr(&full);
	return xstrdup(str_skip(rest, "library/") ? str_skip(rest, "library/")
						  : rest);
}

/* NAME or NAME::PLATFORM, as lookups spell them. */
static char *normalise(const char *text)
{
	cleanup_oci_platform struct oci_platform p = { 0 };
	const char *sep = strstr(text, "::");
	cleanup_free char *base =
		xstrndup(text, sep ? (size_t)(sep - text) : strlen(text));
	cleanup_free char *name = familiar(base);
	cleanup_free char *platform = NULL;

	if (!name || !sep)
		return steal_ptr(&name);
	if (oci_platform_parse(&p, sep + 2, NULL) < 0)
		return NULL;
	platform = oci_platform_format(&p);
	return xstrfmt("%s::%s", name, platform);
}

/* DIR[:TAG][@DIGEST] behind oci-layout:// */
static int set_layout(struct build_named *n, const char *text,
		      struct error *err)
{
	const char *slash = strrchr(text, '/');
	const char *at = strchr(slash ? slash : text, '@');
	const char *colon = strchr(slash ? slash : text, ':');
	size_t len = strcspn(slash ? slash : text, ":@");

	if (slash)
		len += (size_t)(slash - text);
	n->kind = BUILD_NAMED_LAYOUT;
	n->value = xstrndup(text, len);
	if (at) /* the digest is what counts, as in any reference */
		n->tag = xstrdup(at + 1);
	else if (colon)
		n->tag = xstrdup(colon + 1);
	if (at && !digest_valid(n->tag))
		return error_set(err, ERR_USAGE, "'%s' is not a digest",
				 n->tag);
	if (!fs_is_dir(n->value))
		return error_set(err, ERR_USAGE,
				 "the OCI layout '%s' is not a directory",
				 n->value);
	return 0;
}

static int set_image(struct build_named *n, const char *text,
		     struct error *err)
{
	cleanup_oci_ref struct oci_ref ref = { 0 };

	n->kind = BUILD_NAMED_IMAGE;
	n->value = xstrdup(text);
	return str_eq(text, "scratch") ? 0 : oci_ref_parse(&ref, text, err);
}

/* BuildKit calls a file that is no archive "context". */
static int set_remote(struct build_named *n, const char *text,
		      struct error *err)
{
	n->kind = BUILD_NAMED_REMOTE;
	n->value = xstrdup(text);
	n->remote.name = xstrdup("context");
	if (build_remote_parse(&n->remote, text, err) == 0) {
		n->remote.keep_git_dir = n->remote.git.keep_git_dir == 1;
		return 0;
	}
	if (err)
		err->code = ERR_USAGE;
	return -1;
}

static int set_value(struct build_named *n, const char *text,
		     struct error *err)
{
	const char *rest;

	rest = str_skip(text, "docker-image://");
	if (rest)
		return set_image(n, rest, err);
	rest = str_skip(text, "oci-layout://");
	if (rest)
		return set_layout(n, rest, err);
	if (!fs_is_dir(text) &&
	    (dockerfile_is_git(text) || dockerfile_is_url(text)))
		return set_remote(n, text, err);
	n->kind = BUILD_NAMED_DIR;
	n->value = path_absolute(text);
	if (!fs_is_dir(text))
		return error_set(err, ERR_USAGE,
				 "the context '%s' is not a directory", text);
	return 0;
}

int build_named_add(struct build_named_list *list, const char *text,
		    struct error *err)
{
	const char *eq = strchr(text, '=');
	cleanup_free char *key = NULL;
	struct build_named *n;

	if (!eq || eq == text || !eq[1])
		return error_set(err, ERR_USAGE, "--build-context %s: "
				 "NAME=DIRECTORY, NAME=URL or "
				 "NAME=docker-image://REF is expected", text);
	if (list->nr == NAMED_MAX)
		return error_set(err, ERR_USAGE,
				 "more than %d named contexts", NAMED_MAX);
	key = xstrndup(text, (size_t)(eq - text));
	GROW(list->v, list->nr, list->alloc);
	n = &list->v[list->nr++];
	*n = (struct build_named){ .name = normalise(key) };
	if (!n->name)
		return error_set(err, ERR_USAGE,
				 "'%s' is not a name for a context", key);
	if (set_value(n, eq + 1, err) < 0)
		return error_wrap(err, "--build-context %s", key);
	return 0;
}

/* As with every option that sets one thing, the last one wins. */
static const struct build_named *find(const struct build_named_list *list,
				      const char *name)
{
	size_t i;

	for (i = list->nr; i-- > 0;)
		if (str_eq(list->v[i].name, name))
			return &list->v[i];
	return NULL;
}

const struct build_named *
build_named_find(const struct build_named_list *list, const char *name,
		 const struct oci_platform *platform)
{
	cleanup_free char *key = NULL, *special = NULL, *text = NULL;
	const struct build_named *n;

	if (!list || !list->nr)
		return NULL;
	key = familiar(name);
	if (!key)
		return NULL;
	text = oci_platform_format(platform);
	special = xstrfmt("%s::%s", key, text);
	n = find(list, special);
	return n ? n : find(list, key);
}

bool build_named_is_tree(const struct build_named *n)
{
	return n->kind == BUILD_NAMED_DIR || n->kind == BUILD_NAMED_REMOTE;
}
