/* mounts.c - what of this host is seen in an environment */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/mounts.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"

static void mount_release(struct runtime_mount *m)
{
	free(m->source);
	free(m->target);
	free(m->options);
}

void cli_mounts_release(struct cli_mounts *m)
{
	while (m->nr)
		mount_release(&m->v[--m->nr]);
	free(m->v);
}

/* Takes ownership of the strings. */
static void add(struct cli_mounts *m, struct runtime_mount one)
{
	GROW(m->v, m->nr, m->alloc);
	m->v[m->nr++] = one;
}

void cli_mounts_bind(struct cli_mounts *m, const char *source,
		     const char *target)
{
	const struct runtime_mount one = { .kind = RUNTIME_BIND,
					   .source = xstrdup(source),
					   .target = xstrdup(target) };

	add(m, one);
}

void cli_mounts_device(struct cli_mounts *m, const char *source,
		       const char *target)
{
	const struct runtime_mount one = { .kind = RUNTIME_DEVICE,
					   .source = xstrdup(source),
					   .target = xstrdup(target) };

	add(m, one);
}

static bool is_read_only(const char *mode, bool *read_only)
{
	*read_only = str_eq(mode, ":ro");
	return *read_only || !*mode || str_eq(mode, ":rw");
}

int cli_mounts_volume(struct cli_mounts *m, const struct cli_launch *l,
		      const char *text, struct error *err)
{
	struct runtime_mount one = { .kind = RUNTIME_BIND };
	const char *colon = strchr(text, ':');
	cleanup_free char *source = NULL;
	size_t n;

	if (!colon || colon == text || colon[1] != '/') {
		error_set(err, ERR_USAGE, "--volume: '%s' is not DIR:TARGET",
			  text);
		return error_hint(err, "TARGET is absolute; NAME:TARGET is a "
				       "volume of the store, ./NAME:TARGET a "
				       "directory");
	}
	n = strcspn(colon + 1, ":");
	if (!is_read_only(colon + 1 + n, &one.read_only))
		return error_set(err, ERR_USAGE, "--volume: '%s' is neither "
				 "ro nor rw", colon + 2 + n);
	source = xstrndup(text, (size_t)(colon - text));
	one.target = xstrndup(colon + 1, n);
	if (strchr(source, '/') || fs_exists(source)) {
		if (!fs_exists(source)) {
			mount_release(&one);
			return error_set(err, ERR_USAGE,
					 "--volume: there is no '%s'", source);
		}
		one.source = path_absolute(source);
	} else {
		one.source = cli_volume(l, source, one.target, err);
		one.volume = true;
	}
	if (!one.source) {
		mount_release(&one);
		return -1;
	}
	add(m, one);
	return 0;
}

/* A path has to lie in the tree it may show; its links are resolved once, so
 * that what is mounted is what was looked at. */
static int check_source(char **source, const char *root, struct error *err)
{
	cleanup_free char *real = realpath(*source, NULL);
	cleanup_free char *top = real ? realpath(root, NULL) : NULL;

	if (!top)
		return error_errno_code(err, ERR_INPUT, "'%s'", *source);
	if (path_within(real, top)) {
		free(*source);
		*source = steal_ptr(&real);
		return 0;
	}
	error_set(err, ERR_INPUT, "'%s' is outside of '%s'", *source, root);
	return error_hint(err, "--volume mounts what you choose; a repository "
			       "may show itself only");
}

/* Takes what it needs of `from`. */
static void take(struct cli_mounts *m, struct devcontainer_mount *from)
{
	const struct runtime_mount one = {
		.kind = from->type == DEVCONTAINER_TMPFS ? RUNTIME_TMPFS
							 : RUNTIME_BIND,
		.source = steal_ptr(&from->source),
		.target = steal_ptr(&from->target),
		.options = steal_ptr(&from->options),
		.read_only = from->read_only,
		.as_user = from->type == DEVCONTAINER_BIND,
		.volume = from->type == DEVCONTAINER_VOLUME,
	};

	add(m, one);
}

/* A name of its own, so that it is found again. */
static int name_volume(const struct cli_launch *l,
		       struct devcontainer_mount *one, struct error *err)
{
	cleanup_free char *name = NULL;
	char digest[DIGEST_TEXT];

	if (one->source) {
		name = steal_ptr(&one->source);
	} else {
		digest_bytes(one->target, strlen(one->target), digest);
		name = xstrfmt("%s-%.12s", l->name ? l->name : "unnamed",
			       digest + strlen("sha256:"));
	}
	one->source = cli_volume(l, name, one->target, err);
	return one->source ? 0 : -1;
}

static void replace(char **place, const char *value)
{
	free(*place);
	*place = xstrdup(value);
}

static const char *tree_of(const struct cli_launch *l)
{
	return l->mount_root ? l->mount_root : l->workspace;
}

/* One that does not say what it is shows a path, too. */
static int parse_typed(struct devcontainer_mount *m, const char *text,
		       struct error *err)
{
	cleanup_free char *typed = xstrfmt("type=bind,%s", text);

	return devcontainer_mount_parse(m, typed, err);
}

static int workspace_mount(struct devcontainer_mount *m, const char *text,
			   const struct cli_launch *l, struct error *err)
{
	if (parse_typed(m, text, err) < 0)
		return -1;
	if (m->type == DEVCONTAINER_VOLUME)
		return name_volume(l, m, err);
	if (m->type != DEVCONTAINER_BIND)
		return error_set(err, ERR_INPUT,
				 "'type=tmpfs' is not supported");
	return check_source(&m->source, tree_of(l), err);
}

int cli_mounts_workspace(struct cli_mounts *m, const struct cli_launch *l,
			 const struct json *config, char **folder,
			 struct error *err)
{
	struct devcontainer_scope scope = { .folder = l->workspace,
					    .mount_root = tree_of(l) };
	CLEANUP(devcontainer_mount_release) struct devcontainer_mount one = {
		.type = DEVCONTAINER_BIND
	};
	cleanup_free char *text = NULL;

	devcontainer_workspace(config, &scope, folder, &text);
	if (!text)
		return 0;
	if (workspace_mount(&one, text, l, err) < 0)
		return error_wrap(err, "workspaceMount");
	/* A folder without a mount of its own is where the workspace is. */
	if (!json_get_str(config, "workspaceMount") &&
	    !path_within(*folder, one.target)) {
		cleanup_free char *real = realpath(l->workspace, NULL);

		replace(&one.source, real ? real : l->workspace);
		replace(&one.target, *folder);
	}
	take(m, &one);
	return 0;
}

int cli_mounts_option(struct cli_mounts *m, const struct cli_launch *l,
		      const char *text, struct error *err)
{
	CLEANUP(devcontainer_mount_release) struct devcontainer_mount one = {
		.type = DEVCONTAINER_BIND
	};

	if (devcontainer_mount_parse(&one, text, err) < 0) {
		error_recode(err, ERR_USAGE);
		return error_wrap(err, "--mount");
	}
	if (one.type == DEVCONTAINER_BIND && !fs_exists(one.source))
		return error_set(err, ERR_USAGE, "--mount: there is no '%s'",
				 one.source);
	if (one.type == DEVCONTAINER_VOLUME && name_volume(l, &one, err) < 0)
		return -1;
	take(m, &one);
	/* Whoever owns it: nobody asked to see it as another user's. */
	m->v[m->nr - 1].as_user = false;
	return 0;
}

/* Compose files show a tree by the directory above it, with its neighbours.
 * Those are not the repository's; the tree is, at the place where commands
 * expect it. */
static void narrow(struct devcontainer_mount *m, const char *root,
		   const char *folder)
{
	cleanup_free char *real = realpath(m->source, NULL);
	cleanup_free char *top = real ? realpath(root, NULL) : NULL;
	cleanup_free char *start = path_clean(folder);
	cleanup_free char *target = NULL;
	const char *below = top ? path_below(top, real) : NULL;

	if (!below || !*below)
		return;
	target = path_join(m->target, below);
	if (!path_within(start, target))
		return;
	log_warn("the mount at '%s' shows nothing but '%s': a repository may "
		 "show itself only; --volume mounts what you choose",
		 m->target, target);
	replace(&m->source, top);
	replace(&m->target, target);
}

int cli_mounts_config(struct cli_mounts *m, const struct cli_launch *l,
		      const struct devcontainer_run *run, const char *folder,
		      struct error *err)
{
	const char *root = tree_of(l);

	for (size_t i = 0; i < run->n_mounts; i++) {
		const struct devcontainer_mount *from = &run->mounts[i];
		cleanup_error struct error why = ERROR_INIT;
		CLEANUP(devcontainer_mount_release)
		struct devcontainer_mount one = {
			.type = from->type,
			.source = xstrdup_null(from->source),
			.target = xstrdup(from->target),
			.options = xstrdup_null(from->options),
			.read_only = from->read_only,
		};

		if (one.type == DEVCONTAINER_DEVICE)
			continue; /* cli_devices_add */
		if (one.type == DEVCONTAINER_VOLUME &&
		    name_volume(l, &one, err) < 0)
			return -1;
		if (one.type == DEVCONTAINER_BIND && root && folder)
			narrow(&one, root, folder);
		if (one.type == DEVCONTAINER_BIND &&
		    check_source(&one.source, root ? root : "/nowhere",
				 &why) < 0) {
			log_warn("the mount at '%s' is left out: %s%s%s",
				 one.target, why.msg, why.hint ? "; " : "",
				 why.hint ? why.hint : "");
			continue;
		}
		take(m, &one);
	}
	return 0;
}
