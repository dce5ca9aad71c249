/* project_find.c - what a directory, a file or a record holds */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "cli/cli.h"
#include "devcontainer/devcontainer.h"
#include "template/template.h"

#define FOLDERS_MAX 1000 /* below .devcontainer */

#define O(member) offsetof(struct cli_project_options, member)
const struct opt cli_project_rows[] = {
	{ OPT_GROUP, .help = "What is built" },
	{ OPT_STR, 0, "config-dir", "DIR", "ENVBUILDER_DEVCONTAINER_DIR",
	  "where devcontainer.json is, instead of .devcontainer",
	  O(config_dir) },
	{ OPT_STR, 'f', "file", "FILE", "ENVBUILDER_DOCKERFILE_PATH",
	  "build this Dockerfile; configurations are ignored", O(file) },
	{ OPT_STR, 0, "context", "DIR", "ENVBUILDER_BUILD_CONTEXT_PATH",
	  "context of a Dockerfile, from the project's folder", O(context) },
	{ OPT_STR, 0, "target", "STAGE", NULL, "stop at this stage",
	  O(target) },
	{ OPT_LIST, 0, "build-arg", "NAME[=VALUE]", NULL,
	  "set an ARG; without a value from the environment",
	  O(build_args) },
	{ OPT_STR, 0, "platform", "OS/ARCH", NULL, "build for this platform",
	  O(platform) },
	{ OPT_STR, 0, "fallback-image", "REF", "ENVBUILDER_FALLBACK_IMAGE",
	  "image for a project that names none", O(fallback) },
	{ OPT_END },
};

void cli_project_release(struct cli_project *p)
{
	record_release(&p->record);
	free(p->dir);
	free(p->root);
	free(p->file);
	free(p->text);
	json_free(p->labels);
	free(p->place);
	*p = (struct cli_project)CLI_PROJECT_INIT;
}

char *cli_project_name(const char *path)
{
	cleanup_free char *here = path_absolute(".");
	const char *below = str_eq(here, "/") ? NULL : path_below(path, here);

	return xstrdup(below && *below ? below : path);
}

/* The nearest folder above that holds .git (a file in linked work trees). */
char *cli_project_top(const char *dir)
{
	cleanup_free char *at = xstrdup(dir);

	for (;;) {
		cleanup_free char *git = path_join(at, ".git");
		char *up;

		if (fs_exists(git))
			return steal_ptr(&at);
		if (str_eq(at, "/"))
			return xstrdup(dir);
		up = path_dir(at);
		free(at);
		at = up;
	}
}

static void set_dir(struct cli_project *p, const char *dir)
{
	free(p->dir);
	free(p->root);
	p->dir = path_absolute(dir);
	p->root = p->alone ? xstrdup(p->dir) : cli_project_top(p->dir);
}

static void set_file(struct cli_project *p, enum record_kind kind,
		     const char *path)
{
	free(p->file);
	p->kind = kind;
	p->file = path_absolute(path);
}

/* A file found in a tree must not lead out of it by a symbolic link. */
static int check_inside(const struct cli_project *p, struct error *err)
{
	cleanup_free char *name = cli_project_name(p->file);
	cleanup_free char *root = realpath(p->root, NULL);
	cleanup_free char *real = root ? realpath(p->file, NULL) : NULL;

	if (!real)
		return error_errno_code(err, ERR_INPUT, "%s", name);
	if (!path_within(real, root))
		return error_set(err, ERR_INPUT,
				 "%s:1:1: the file lies outside of '%s'", name,
				 p->root);
	return 0;
}

/* Names in .devcontainer, sorted; a missing folder has none. */
static int list_names(const char *path, struct strvec *names,
		      struct error *err)
{
	const struct dirent *e;
	DIR *d = opendir(path);

	if (!d)
		return 0;
	while ((e = readdir(d)) && names->nr <= FOLDERS_MAX)
		if (e->d_name[0] != '.')
			strvec_push(names, e->d_name);
	closedir(d);
	if (names->nr > FOLDERS_MAX)
		return error_set(err, ERR_INPUT, "%s: more than %d entries",
				 path, FOLDERS_MAX);
	strvec_sort(names);
	return 0;
}

static int list_folders(const char *dir, struct strvec *present,
			struct error *err)
{
	cleanup_free char *path = path_join(dir, ".devcontainer");
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (list_names(path, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_free char *rel =
			xstrfmt(".devcontainer/%s/devcontainer.json",
				names.v[i]);
		cleanup_free char *full = path_join(dir, rel);

		if (fs_is_file(full))
			strvec_push(present, rel);
	}
	return 0;
}

#define CONFIG_PLACE ".devcontainer/devcontainer.json"

/* The specification does not know this place, envbuilder does. */
#define LAST_PLACE "devcontainer.json"

static int list_configs(const char *dir, struct strvec *present,
			struct error *err)
{
	static const char *const usual[] = { CONFIG_PLACE,
					     ".devcontainer.json" };

	for (size_t i = 0; i < ARRAY_SIZE(usual); i++) {
		cleanup_free char *full = path_join(dir, usual[i]);

		if (fs_is_file(full))
			strvec_push(present, usual[i]);
	}
	if (list_folders(dir, present, err) < 0)
		return -1;
	if (!present->nr) {
		cleanup_free char *full = path_join(dir, LAST_PLACE);

		if (fs_is_file(full))
			strvec_push(present, LAST_PLACE);
	}
	return 0;
}

/* --config that is a path: below --config-dir or the project, else from
 * here. */
static bool config_path(struct cli_project *p,
			const struct cli_project_options *o)
{
	cleanup_free char *dir =
		path_resolve(p->dir, o->config_dir ? o->config_dir : ".");
	cleanup_free char *in_dir =
		path_resolve(dir, o->config ? o->config : "devcontainer.json");

	if (fs_is_file(in_dir))
		set_file(p, RECORD_DEVCONTAINER, in_dir);
	else if (o->config && fs_is_file(o->config))
		set_file(p, RECORD_DEVCONTAINER, o->config);
	else
		return false;
	return true;
}

static int find_config(struct cli_project *p,
		       const struct cli_project_options *o, struct error *err)
{
	cleanup_strvec struct strvec present = STRVEC_INIT;
	cleanup_free char *full = NULL;
	const char *chosen;

	if (o->config_dir || (o->config && strchr(o->config, '.'))) {
		if (config_path(p, o))
			return 0;
		if (!o->config)
			return error_set(err, ERR_INPUT,
					 "no devcontainer.json in '%s'",
					 o->config_dir);
	}
	if (list_configs(p->dir, &present, err) < 0)
		return -1;
	chosen = devcontainer_choose(&present, o->config, err);
	if (!chosen && error_is(err))
		return -1;
	if (!chosen && !p->content)
		return 0;
	/* What is read instead has the name of a file that could be there. */
	full = path_join(p->dir, chosen ? chosen : CONFIG_PLACE);
	set_file(p, RECORD_DEVCONTAINER, full);
	return chosen ? check_inside(p, err) : 0;
}

static int read_dockerfile(struct cli_project *p, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (fs_read_file("-", CLI_DOCKERFILE_MAX, &text, err) < 0)
		return -1;
	if (!text.len)
		return error_set(err, ERR_INPUT,
				 "-f -: standard input is empty");
	p->kind = RECORD_DOCKERFILE;
	p->text = strbuf_detach(&text);
	return 0;
}

/* -f: as docker does from here, or else in the project; the tree of a record
 * comes first, since "here" means nothing to it. */
static int find_dockerfile(struct cli_project *p, const char *file,
			   struct error *err)
{
	cleanup_free char *inside = path_resolve(p->dir, file);
	bool prefer_tree = record_get(&p->record, "source");

	if (str_eq(file, "-"))
		return read_dockerfile(p, err);
	if (fs_is_file(inside) && (prefer_tree || !fs_is_file(file)))
		set_file(p, RECORD_DOCKERFILE, inside);
	else if (fs_is_file(file))
		set_file(p, RECORD_DOCKERFILE, file);
	else
		return error_set(err, ERR_INPUT, "no Dockerfile '%s'", file);
	return p->alone ? check_inside(p, err) : 0;
}

static int find_in_dir(struct cli_project *p,
		       const struct cli_project_options *o, struct error *err)
{
	static const char *const names[] = { "Dockerfile", "Containerfile",
					     "dockerfile" };

	p->kind = RECORD_FALLBACK;
	if (o->file)
		return find_dockerfile(p, o->file, err);
	if (find_config(p, o, err) < 0)
		return -1;
	for (size_t i = 0; !p->file && i < ARRAY_SIZE(names); i++) {
		cleanup_free char *full = path_join(p->dir, names[i]);

		if (!fs_is_file(full))
			continue;
		set_file(p, RECORD_DOCKERFILE, full);
		return check_inside(p, err);
	}
	return 0;
}

/* The workspace a devcontainer.json belongs to. */
static char *workspace_of(const char *config)
{
	cleanup_free char *dir = path_dir(config);
	cleanup_free char *up = path_dir(dir);
	cleanup_free char *base = path_base(dir);
	cleanup_free char *up_base = path_base(up);

	if (str_eq(base, ".devcontainer"))
		return steal_ptr(&up);
	if (str_eq(up_base, ".devcontainer"))
		return path_dir(up);
	return steal_ptr(&dir);
}

static int use_record(struct cli_project *p, const char *name,
		      const struct strbuf *text,
		      const struct cli_project_options *o, struct error *err)
{
	struct record_source source;
	bool again;

	record_release(&p->record);
	if (record_parse(&p->record, name, text->buf, text->len, err) < 0)
		return -1;
	record_source_get(&source, &p->record);
	again = p->replan || o->file || o->config || o->config_dir ||
		o->override;
	p->planned = record_get(&p->record, "plan") &&
		     !(source.path && again);
	if (p->planned && (!source.path || fs_is_dir(source.path))) {
		set_dir(p, source.path ? source.path : ".");
		return 0;
	}
	if (!source.path)
		return record_fail(&p->record, err,
				   (const char *[]){ "source", "path", NULL },
				   "the record names no tree");
	if (!fs_is_dir(source.path))
		return error_set(err, ERR_INPUT,
				 "'%s' of record '%s' is not a directory",
				 source.path, name);
	set_dir(p, source.path);
	return find_in_dir(p, o, err);
}

static bool is_record(const struct strbuf *text)
{
	cleanup_json struct json *j = NULL;

	if (record_detect(text->buf, text->len))
		j = json_parse("", text->buf, text->len, NULL);
	return json_get_str(j, "schema");
}

static int missing(const char *path, struct error *err)
{
	error_set(err, ERR_INPUT, "there is no file or directory '%s'", path);
	return error_hint(err, "name a project's directory, its Dockerfile or "
			       "devcontainer.json, or a record; '-' reads one "
			       "from standard input");
}

static int use_file(struct cli_project *p, const char *path,
		    const struct cli_project_options *o, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *full = path_absolute(path), *dir = NULL;
	cleanup_error struct error why = ERROR_INIT;
	bool stdin_too = str_eq(path, "-");

	if (fs_read_file(path, RECORD_MAX, &text, &why) < 0)
		return why.sys == ENOENT || why.sys == ENOTDIR
			       ? missing(path, err)
			       : error_move(err, &why);
	if (stdin_too || is_record(&text))
		return use_record(p, path, &text, o, err);
	if (str_ends(path, ".json")) {
		set_file(p, RECORD_DEVCONTAINER, full);
		dir = workspace_of(full);
	} else {
		bool yaml = str_ends(path, ".yaml") || str_ends(path, ".yml");

		set_file(p, yaml ? RECORD_TEMPLATE : RECORD_DOCKERFILE, full);
		dir = path_dir(full);
	}
	set_dir(p, dir);
	return 0;
}

static int use_template(struct cli_project *p, const char *folder,
			const char *name, struct error *err)
{
	static const char *const ends[] = { "yaml", "yml" };
	const char *top[2];

	if (!template_name_valid(name))
		return error_set(err, ERR_USAGE, "'%s' is not a template name",
				 name);
	set_dir(p, ".");
	top[0] = p->dir;
	top[1] = p->root;
	for (size_t i = 0; i < 4; i++) {
		cleanup_free char *path = xstrfmt("%s/%s/%s.%s", top[i / 2],
						  folder, name, ends[i % 2]);

		if (!fs_is_file(path))
			continue;
		set_file(p, RECORD_TEMPLATE, path);
		return check_inside(p, err);
	}
	error_set(err, ERR_INPUT, "no template '%s/%s.yaml'", folder, name);
	return error_hint(err, "templates are read in '%s'", p->root);
}

/* `run` finds the workspace by this. */
static void note_tree(struct cli_project *p)
{
	const struct record_source source = { .path = p->dir };

	if (!p->planned && !record_get(&p->record, "source"))
		record_source_set(&source, &p->record);
}

static int find_words(struct cli_project *p, const struct strvec *words,
		      const struct cli_project_options *o, struct error *err)
{
	const char *first = words->nr ? words->v[0] : ".";

	if (words->nr == 2 && str_eq(first, "image"))
		return use_template(p, TEMPLATE_IMAGES, words->v[1], err);
	if (words->nr == 2 && str_eq(first, "environment"))
		return use_template(p, TEMPLATE_ENVIRONMENTS, words->v[1],
				    err);
	if (words->nr > 1)
		return error_set(err, ERR_USAGE, "unexpected '%s'",
				 words->v[1]);
	if (!fs_is_dir(first)) {
		if (use_file(p, first, o, err) < 0)
			return -1;
	} else {
		set_dir(p, first);
		if (find_in_dir(p, o, err) < 0)
			return -1;
	}
	return 0;
}

int cli_project_find(struct cli_project *p, const struct strvec *words,
		     const struct cli_project_options *o, struct error *err)
{
	record_new(&p->record);
	p->content = o->override;
	p->alone |= o->no_git_root;
	if (cli_config_labels(&o->id_labels, &p->labels, err) < 0 ||
	    find_words(p, words, o, err) < 0)
		return -1;
	note_tree(p);
	if (!o->override || (p->kind == RECORD_DEVCONTAINER && !p->planned))
		return 0;
	return error_set(err, ERR_USAGE, "--override-config is for a project "
			 "with a devcontainer.json");
}
