/* mounts.c - what of this host is seen in an environment */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include "base/fs.h"
#include "base/path.h"
#include "devcontainer/devcontainer.h"

static void mount_release(struct runtime_mount *m)
{
	free(m->source);
	free(m->target);
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

static bool is_read_only(const char *mode, bool *read_only)
{
	*read_only = str_eq(mode, ":ro");
	return *read_only || !*mode || str_eq(mode, ":rw");
}

int cli_mounts_volume(struct cli_mounts *m, const char *text,
		      struct error *err)
{
	struct runtime_mount one = { .kind = RUNTIME_BIND };
	const char *colon = strchr(text, ':');
	cleanup_free char *source = NULL;
	size_t n;

	if (!colon || colon == text || colon[1] != '/') {
		error_set(err, ERR_USAGE, "--volume: '%s' is not DIR:TARGET",
			  text);
		return error_hint(err, "TARGET is absolute; volumes with a "
				       "name are not supported");
	}
	n = strcspn(colon + 1, ":");
	if (!is_read_only(colon + 1 + n, &one.read_only))
		return error_set(err, ERR_USAGE, "--volume: '%s' is neither "
				 "ro nor rw", colon + 2 + n);
	source = xstrndup(text, (size_t)(colon - text));
	if (!fs_exists(source))
		return error_set(err, ERR_USAGE, "--volume: there is no '%s'",
				 source);
	one.source = path_absolute(source);
	one.target = xstrndup(colon + 1, n);
	add(m, one);
	return 0;
}

/* "a,b" at its commas; quotes keep those inside and go. */
static void split_fields(const char *text, struct strvec *out)
{
	cleanup_strbuf struct strbuf field = STRBUF_INIT;
	bool quoted = false;

	for (; *text; text++) {
		if (*text == '"') {
			quoted = !quoted;
		} else if (*text == ',' && !quoted) {
			strvec_push(out, field.buf);
			strbuf_reset(&field);
		} else {
			strbuf_addch(&field, *text);
		}
	}
	strvec_push(out, field.buf);
}

static void replace(char **place, const char *value)
{
	free(*place);
	*place = xstrdup(value);
}

static int set_field(struct runtime_mount *m, const char *field,
		     struct error *err)
{
	const char *eq = strchr(field, '=');
	size_t n = strcspn(field, "=");
	cleanup_free char *key = xstrndup(field, n);
	const char *value = eq ? eq + 1 : "";

	if (str_eq(key, "source") || str_eq(key, "src"))
		replace(&m->source, value);
	else if (str_eq(key, "target") || str_eq(key, "dst") ||
		 str_eq(key, "destination"))
		replace(&m->target, value);
	else if (str_eq(key, "readonly") || str_eq(key, "ro"))
		m->read_only = !eq || str_eq(value, "true") ||
			       str_eq(value, "1");
	else if (!str_eq(key, "consistency") && !str_eq(field, "type=bind"))
		return error_set(err, ERR_INPUT, "workspaceMount: '%s' is not "
				 "supported", field);
	return 0;
}

static int check(const struct runtime_mount *m, const char *root,
		 struct error *err)
{
	cleanup_free char *real = NULL, *top = NULL;

	if (!m->source || *m->source != '/' || !m->target ||
	    *m->target != '/') {
		error_set(err, ERR_INPUT, "workspaceMount: source and target "
					  "must be absolute paths");
		return error_hint(err, "for example source="
				  "${localWorkspaceFolder},target=/workspace,"
				  "type=bind");
	}
	real = realpath(m->source, NULL);
	top = realpath(root, NULL);
	if (!real || !top)
		return error_errno_code(err, ERR_INPUT,
					"workspaceMount: '%s'", m->source);
	if (path_within(real, top))
		return 0;
	error_set(err, ERR_INPUT, "workspaceMount: '%s' is outside of '%s'",
		  m->source, root);
	return error_hint(err, "--volume mounts what you choose; a repository "
			       "may show itself only");
}

/* As the configuration, or the default, puts it. */
static int parse_mount(struct runtime_mount *m, const char *text,
		       const char *root, struct error *err)
{
	cleanup_strvec struct strvec fields = STRVEC_INIT;
	size_t i;

	split_fields(text, &fields);
	for (i = 0; i < fields.nr; i++)
		if (set_field(m, fields.v[i], err) < 0)
			return -1;
	return check(m, root, err);
}

int cli_mounts_workspace(struct cli_mounts *m, const struct json *config,
			 const char *dir, const char *root, char **folder,
			 struct error *err)
{
	struct devcontainer_scope scope = { .folder = dir,
					    .mount_root = root };
	struct runtime_mount one = { .kind = RUNTIME_BIND, .as_user = true };
	cleanup_free char *text = NULL;

	devcontainer_workspace(config, &scope, folder, &text);
	if (!text)
		return 0;
	if (parse_mount(&one, text, root, err) < 0) {
		mount_release(&one);
		return -1;
	}
	/* A folder without a mount of its own is where the workspace is. */
	if (!json_get_str(config, "workspaceMount") &&
	    !path_within(*folder, one.target)) {
		replace(&one.source, dir);
		replace(&one.target, *folder);
	}
	add(m, one);
	return 0;
}
