/* resolve.c - the configuration as the `config` view prints it */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"
#include "devcontainer/internal.h"
#include "devcontainer/metadata.h"
#include "wrap/digest.h"

void devcontainer_id(const struct json *labels, char id[DEVCONTAINER_ID])
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	uint8_t raw[DIGEST_RAW + 1] = { 0 };
	struct digest d;

	json_write(&text, labels, false);
	digest_init(&d, false);
	digest_update(&d, text.buf, text.len);
	digest_final(&d, raw + 1);
	/* The digest is one big-endian number, so digits count from its low
	 * end; raw[0] is a zero that the highest digit reaches into. */
	for (unsigned i = 0; i < DEVCONTAINER_ID - 1; i++) {
		unsigned bit = i * 5, byte = DIGEST_RAW - bit / 8;
		unsigned two = raw[byte] | (unsigned)raw[byte - 1] << 8;

		id[DEVCONTAINER_ID - 2 - i] = digits[two >> bit % 8 & 31];
	}
	id[DEVCONTAINER_ID - 1] = '\0';
}

static const char *place_of(const struct devcontainer_scope *scope)
{
	return scope->place ? scope->place : scope->folder;
}

/* Of a copy, where the file itself would be; malloc'ed. */
static char *file_of(const struct devcontainer_scope *scope)
{
	const char *below = scope->place ? path_below(scope->config_file,
						      scope->folder)
					 : NULL;

	return below ? path_join(scope->place, below)
		     : xstrdup(scope->config_file);
}

struct json *devcontainer_labels(const struct devcontainer_scope *scope)
{
	cleanup_free char *file = NULL;
	struct json *labels;

	if (scope->labels)
		return json_dup(scope->labels);
	labels = json_new_object();
	file = file_of(scope);
	json_set_str(labels, DEVCONTAINER_LABEL_FILE, file);
	json_set_str(labels, DEVCONTAINER_LABEL_FOLDER, place_of(scope));
	return labels;
}

static void scope_id(const struct devcontainer_scope *scope,
		     char id[DEVCONTAINER_ID])
{
	cleanup_json struct json *labels = devcontainer_labels(scope);

	devcontainer_id(labels, id);
}

struct locals {
	const struct devcontainer_scope *scope;
	const char *container_folder;
};

static int add_base(struct strbuf *out, const char *path)
{
	cleanup_free char *base = path_base(path);

	strbuf_addstr(out, base);
	return 1;
}

static int replace_local(void *arg, const char *name,
			 const struct strvec *args, struct strbuf *out,
			 struct error *err)
{
	const struct locals *l = arg;

	if (str_eq(name, "localEnv") || str_eq(name, "env"))
		return devcontainer_lookup(name, args, l->scope->env,
					   l->scope->arg, out, err);
	if (str_eq(name, "localWorkspaceFolderBasename"))
		return add_base(out, place_of(l->scope));
	if (str_eq(name, "containerWorkspaceFolderBasename"))
		return add_base(out, l->container_folder);
	if (str_eq(name, "localWorkspaceFolder"))
		strbuf_addstr(out, place_of(l->scope));
	else if (str_eq(name, "containerWorkspaceFolder"))
		strbuf_addstr(out, l->container_folder);
	else
		return 0;
	return 1;
}

static int replace_id(void *arg, const char *name, const struct strvec *args,
		      struct strbuf *out, struct error *err)
{
	(void)args;
	(void)err;
	if (!str_eq(name, "devcontainerId"))
		return 0;
	strbuf_addstr(out, arg);
	return 1;
}

void devcontainer_workspace(const struct json *config,
			    const struct devcontainer_scope *scope,
			    char **folder, char **mount)
{
	const char *given = json_get_str(config, "workspaceFolder");
	const char *mounted = json_get_str(config, "workspaceMount");
	bool compose = json_get(config, "dockerComposeFile");
	const char *root = scope->place ? scope->place : scope->mount_root;
	cleanup_free char *base = path_base(root);
	const char *below = path_below(place_of(scope), root);
	const char *q = strchr(root, ',') ? "\"" : "";
	const char *tq = strchr(base, ',') ? "\"" : "";

	*folder = *mount = NULL;
	if (given && *given)
		*folder = xstrdup(given);
	else if (compose)
		*folder = xstrdup("/");
	else
		*folder = xstrfmt("/workspaces/%s%s%s", base,
				  below && *below ? "/" : "",
				  below ? below : "");
	if (compose)
		return;
	if (mounted)
		*mount = *mounted ? xstrdup(mounted) : NULL;
	else
		*mount = xstrfmt("type=bind,%ssource=%s%s,"
				 "%starget=/workspaces/%s%s",
				 q, root, q, tq, base, tq);
}

/* Value of a member, made an empty container when absent or falsy. */
static struct json *member(struct json *object, const char *key,
			   struct json *empty)
{
	struct json *m = json_get(object, key);

	if (json_kind(m) == json_kind(empty)) {
		json_free(empty);
		return m;
	}
	return json_set(object, key, empty);
}

static void move_settings(struct json *vscode, struct json *old)
{
	struct json *settings = member(vscode, "settings", json_new_object());

	for (struct json *m = json_first(old); m; m = json_next(m))
		if (!json_get(settings, json_key(m)))
			json_set(settings, json_key(m), json_dup(m));
}

/* The spelling before customizations existed. */
void devcontainer_move_legacy(struct json *config)
{
	cleanup_json struct json *extensions = json_take(config, "extensions");
	cleanup_json struct json *settings = json_take(config, "settings");
	const struct json *port = json_get(config, "devPort");
	struct json *custom, *vscode;

	if (!extensions && !settings && !port)
		return;
	custom = member(config, "customizations", json_new_object());
	vscode = member(custom, "vscode", json_new_object());
	if (extensions) {
		struct json *list =
			member(vscode, "extensions", json_new_array());

		for (struct json *m = json_first(extensions); m;
		     m = json_next(m))
			json_push(list, json_dup(m));
	}
	if (settings)
		move_settings(vscode, settings);
	if (port && !json_get(vscode, "devPort"))
		json_set(vscode, "devPort", json_take(config, "devPort"));
}

struct json *devcontainer_raw(const struct devcontainer *dc)
{
	struct json *raw = json_dup(dc->json);

	devcontainer_move_legacy(raw);
	return raw;
}

int devcontainer_entries_resolve(struct json *entries,
				 const struct json *config,
				 const struct devcontainer_scope *scope,
				 struct error *err)
{
	cleanup_free char *folder = NULL, *mount = NULL;
	struct locals l = { .scope = scope };
	char id[DEVCONTAINER_ID];
	struct vars local = { .replace = replace_local, .arg = &l };
	struct vars ids = { .replace = replace_id, .arg = id };
	int rc;

	devcontainer_workspace(config, scope, &folder, &mount);
	l.container_folder = folder;
	scope_id(scope, id);
	rc = devcontainer_expand_tree(&local, entries, err);
	if (!rc)
		rc = devcontainer_expand_tree(&ids, entries, err);
	strvec_release(&local.path);
	strvec_release(&ids.path);
	return rc < 0 ? error_wrap(err, "label %s", DEVCONTAINER_LABEL) : 0;
}

static int replace_all(const struct devcontainer *dc, struct json *config,
		       vars_replace *replace, void *arg, struct error *err)
{
	struct error inner = ERROR_INIT;
	struct vars v = { .replace = replace, .arg = arg };

	if (devcontainer_expand_tree(&v, config, &inner) < 0)
		devcontainer_fail(dc, &v.path, false, err, "%s", inner.msg);
	strvec_release(&v.path);
	if (!error_is(&inner))
		return 0;
	error_release(&inner);
	return -1;
}

/* ${containerWorkspaceFolder} is workspaceFolder after its own variables. */
static int container_folder(const struct devcontainer *dc,
			    const struct devcontainer_scope *scope,
			    char **out, struct error *err)
{
	cleanup_free char *raw = NULL, *mount = NULL;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct locals l = { .scope = scope };
	struct vars v = { .replace = replace_local, .arg = &l };
	struct error inner = ERROR_INIT;

	devcontainer_workspace(dc->json, scope, &raw, &mount);
	l.container_folder = raw;
	if (devcontainer_expand(&v, raw, &text, &inner) < 0) {
		strvec_push(&v.path, "workspaceFolder");
		devcontainer_fail(dc, &v.path, false, err, "%s", inner.msg);
		strvec_release(&v.path);
		error_release(&inner);
		return -1;
	}
	*out = strbuf_detach(&text);
	return 0;
}

struct json *devcontainer_resolve(const struct devcontainer *dc,
				  const struct devcontainer_scope *scope,
				  struct error *err)
{
	cleanup_json struct json *config = json_dup(dc->json);
	cleanup_free char *folder = NULL;
	struct locals l = { .scope = scope };
	char id[DEVCONTAINER_ID];

	if (container_folder(dc, scope, &folder, err) < 0)
		return NULL;
	l.container_folder = folder;
	scope_id(scope, id);
	if (replace_all(dc, config, replace_local, &l, err) < 0 ||
	    replace_all(dc, config, replace_id, id, err) < 0)
		return NULL;
	devcontainer_move_legacy(config);
	return steal_ptr(&config);
}
