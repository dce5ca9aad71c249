/* named.c - which environment is meant */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/compat.h"

#include "base/fs.h"
#include "base/path.h"
#include "devcontainer/devcontainer.h"

#define O(member) offsetof(struct cli_named, member)
const struct opt cli_named_rows[] = {
	{ OPT_GROUP, .help = "Which environment" },
	{ OPT_STR, 0, "workspace-folder", "DIR", OPT_NO_ENV,
	  "that of this directory", O(folder), .is_word = true },
	{ OPT_STR, 0, "config", "NAME|PATH", OPT_NO_ENV,
	  "that of this configuration", O(config), .is_word = true },
	{ OPT_STR, 0, "container-id", "NAME", OPT_NO_ENV,
	  "that of this name", O(id), .is_word = true },
	{ OPT_LIST, 0, "id-label", "NAME=VALUE", OPT_NO_ENV,
	  "that which 'up' gave this label", O(labels), .is_word = true },
	{ OPT_END },
};

bool cli_named_given(const struct cli_named *n)
{
	return n->id || n->labels.nr || n->folder || n->config;
}

/* Does it have them all? */
static bool has_labels(const struct env_info *i, const struct json *wanted)
{
	const struct json *m;

	for (m = json_first(wanted); m; m = json_next(m)) {
		const char *have = json_get_str(i->labels, json_key(m));

		if (!str_eq_null(have, json_str(m)))
			return false;
	}
	return true;
}

static int choose(const struct strvec *found, const char *what, char **name,
		  struct error *err)
{
	cleanup_strbuf struct strbuf names = STRBUF_INIT;

	if (found->nr == 1) {
		*name = xstrdup(found->v[0]);
		return 0;
	}
	if (!found->nr) {
		error_set(err, ERR_RUN, "there is no environment %s", what);
		return error_hint(err, "'devenv up' makes one, 'devenv ps -a' "
				       "lists them");
	}
	for (size_t i = 0; i < found->nr; i++)
		strbuf_addf(&names, "%s%s", i ? ", " : "", found->v[i]);
	error_set(err, ERR_USAGE, "there are several environments %s: %s",
		  what, names.buf);
	return error_hint(err, "name one with --container-id, or its "
			       "configuration with --config");
}

static int find_labels(const struct json *wanted, struct store *s,
		       struct strvec *found, struct error *err)
{
	cleanup_free struct env_info *v = NULL;
	size_t n, i;

	if (env_list(s, &v, &n, err) < 0)
		return -1;
	for (i = 0; i < n; i++) {
		if (has_labels(&v[i], wanted))
			strvec_push(found, v[i].name);
		env_info_release(&v[i]);
	}
	return 0;
}

static int by_labels(const struct cli_named *n, struct store *s, char **name,
		     struct error *err)
{
	cleanup_json struct json *wanted = NULL;
	cleanup_strvec struct strvec found = STRVEC_INIT;

	if (cli_config_labels(&n->labels, &wanted, err) < 0 ||
	    find_labels(wanted, s, &found, err) < 0)
		return -1;
	return choose(&found, "with these labels", name, err);
}

/* As `up` has found it: by name or path in the project, else from here. */
static char *config_of(const char *dir, const char *config)
{
	char *inside =
		xstrfmt("%s/.devcontainer/%s/devcontainer.json", dir, config);

	if (!strchr(config, '/') && fs_is_file(inside))
		return inside;
	free(inside);
	inside = path_resolve(dir, config);
	if (fs_is_file(inside))
		return inside;
	free(inside);
	return path_absolute(config);
}

static int by_folder(const struct cli_named *n, struct store *s, char **name,
		     struct error *err)
{
	cleanup_free char *dir = path_absolute(n->folder ? n->folder : ".");
	cleanup_free char *file = n->config ? config_of(dir, n->config) : NULL;
	cleanup_free char *what = xstrfmt("of '%s'", file ? file : dir);
	cleanup_strvec struct strvec found = STRVEC_INIT;
	cleanup_json struct json *wanted = json_new_object();
	char *usual = env_name_of(dir);

	/* The name that 'up' gives a directory comes first. */
	if (!file && env_exists(s, usual)) {
		*name = usual;
		return 0;
	}
	free(usual);
	json_set_str(wanted, DEVCONTAINER_LABEL_FOLDER, dir);
	if (file)
		json_set_str(wanted, DEVCONTAINER_LABEL_FILE, file);
	if (find_labels(wanted, s, &found, err) < 0)
		return -1;
	return choose(&found, what, name, err);
}

int cli_named_find(const struct cli_named *n, struct store *s, char **name,
		   struct error *err)
{
	if (n->id) {
		*name = xstrdup(n->id);
		return 0;
	}
	return n->labels.nr ? by_labels(n, s, name, err)
			    : by_folder(n, s, name, err);
}

static int known_by(const struct json *labels, const char *dir,
		    struct store *s, char **name, struct error *err)
{
	cleanup_strvec struct strvec found = STRVEC_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (find_labels(labels, s, &found, err) < 0)
		return -1;
	if (found.nr)
		return choose(&found, "with these labels", name, err);
	json_write(&text, labels, false);
	*name = env_name_by(dir, text.buf);
	return 0;
}

/* Each of several configurations of a project has an environment. */
static char *usual_name(const struct cli_project *p, const char *dir)
{
	const char *below = p->kind == RECORD_DEVCONTAINER && p->file
				    ? str_skip(p->file, p->dir)
				    : NULL;
	cleanup_free char *folder =
		below && *below == '/' ? devcontainer_folder_name(below + 1)
				       : NULL;
	cleanup_free char *both = folder ? xstrfmt("%s-%s", dir, folder) : NULL;
	cleanup_free char *file = folder ? xstrfmt("%s%s", dir, below) : NULL;

	return both ? env_name_by(both, file) : env_name_of(dir);
}

int cli_named_new(const char *name, const struct cli_project *p,
		  struct store *s, char **out, struct error *err)
{
	const char *dir = p->place ? p->place : p->dir;

	if (!name && p->labels)
		return known_by(p->labels, dir, s, out, err);
	*out = name ? xstrdup(name) : usual_name(p, dir);
	return 0;
}
