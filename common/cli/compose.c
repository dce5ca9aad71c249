/* compose.c - from compose files to a plan */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/compose.h"

#include <errno.h>

#include "base/fs.h"
#include "base/path.h"
#include "cli/merged.h"
#include "cli/services.h"
#include "devcontainer/run.h"

/* A repository reads what is in it, whatever links it has. */
static int read_inside(void *arg, const char *path, struct strbuf *out,
		       struct error *err)
{
	const struct cli_project *p = arg;
	cleanup_free char *name = cli_project_name(path);
	cleanup_free char *top = realpath(p->root, NULL);
	cleanup_free char *real = top ? realpath(path, NULL) : NULL;

	if (!real)
		return error_errno_code(err, ERR_INPUT, "cannot open '%s'",
					name);
	if (!path_within(real, top))
		return error_set(err, ERR_INPUT, "'%s' leads out of '%s'",
				 name, p->root);
	return fs_read_regular(real, YAML_MAX, out, err);
}

/* An empty list means what compose itself would take. */
static int default_files(const struct cli_project *p, struct strvec *files,
			 struct error *err)
{
	static const char *const names[] = { "compose.yaml", "compose.yml",
					     "docker-compose.yaml",
					     "docker-compose.yml" };
	const char *given = getenv("COMPOSE_FILE");
	size_t i;

	if (given && *given) {
		strvec_split(files, given, ":");
		return 0;
	}
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup_free char *path = path_join(p->dir, names[i]);

		if (fs_exists(path)) {
			strvec_push_own(files, steal_ptr(&path));
			return 0;
		}
	}
	return error_set(err, ERR_INPUT, "no compose file in '%s'", p->dir);
}

int cli_compose_load(struct compose *c, const struct cli_project *p,
		     const struct json *config, struct error *err)
{
	cleanup_free char *dir = path_dir(p->file);
	const struct compose_scope scope = { .dir = dir,
					     .env = cli_host_env,
					     .read = read_inside,
					     .arg = (void *)p };
	cleanup_strvec struct strvec files = STRVEC_INIT;

	json_get_strings(json_get(config, "dockerComposeFile"), &files);
	if (!files.nr && default_files(p, &files, err) < 0)
		return -1;
	return compose_load(c, &files, &scope, err);
}

static bool is_remote(const char *context)
{
	return context && *context != '/';
}

int cli_compose_build(const struct json *service, const char *name,
		      struct record_plan *plan, struct error *err)
{
	const struct json *build = json_get(service, "build");
	const char *inline_text = json_get_str(build, "dockerfile_inline");
	const char *file = json_get_str(build, "dockerfile");
	const struct json *m;

	if (is_remote(json_get_str(build, "context"))) {
		error_set(err, ERR_INPUT, "the service '%s' is built from a "
			  "URL, which is not supported", name);
		return error_hint(err, "clone it, and name the directory");
	}
	plan->platform = xstrdup_null(json_get_str(service, "platform"));
	if (!build) {
		plan->text = xstrfmt("FROM %s\n",
				     json_get_str(service, "image"));
		return 0;
	}
	plan->context = xstrdup(json_get_str(build, "context"));
	if (inline_text)
		plan->text = xstrdup(inline_text);
	else
		plan->dockerfile = path_resolve(plan->context,
						file ? file : "Dockerfile");
	plan->target = xstrdup_null(json_get_str(build, "target"));
	for (m = json_first(json_get(build, "args")); m; m = json_next(m))
		strvec_env_set(&plan->args, json_key(m), json_str(m));
	return 0;
}

/* --- what the configuration gets --- */

/* The file's own entries come last, as they win. */
static void prepend(struct json *config, const char *key, struct json *list)
{
	const struct json *m;

	for (m = json_first(json_get(config, key)); m; m = json_next(m))
		json_push(list, json_dup(m));
	if (json_len(list))
		json_set(config, key, list);
	else
		json_free(list);
}

static void add_environment(const struct json *service, struct json *config)
{
	struct json *all = json_new_object();
	const struct json *m = json_first(json_get(service, "environment"));

	for (; m; m = json_next(m))
		json_set(all, json_key(m), json_dup(m));
	for (m = json_first(json_get(config, "containerEnv")); m;
	     m = json_next(m))
		json_set(all, json_key(m), json_dup(m));
	json_set(config, "containerEnv", all);
}

/* A volume belongs to its project, unless it has a name of its own. */
static char *volume_name(const struct json *model, const char *source)
{
	const struct json *v = json_get(json_get(model, "volumes"), source);

	if (json_get_str(v, "name"))
		return xstrdup(json_get_str(v, "name"));
	if (json_get_bool(v, "external"))
		return xstrdup(source);
	return xstrfmt("%s_%s", json_get_str(model, "name"), source);
}

/* Quoted only where it must be: others read these texts, too. */
static void add_field(struct strbuf *out, const char *key, const char *value)
{
	const char *q = strchr(value, ',') ? "\"" : "";

	strbuf_addf(out, ",%s%s=%s%s", q, key, value, q);
}

static void add_mounts(const struct json *model, const struct json *service,
		       struct json *config)
{
	struct json *list = json_new_array();
	const struct json *m = json_first(json_get(service, "volumes"));

	for (; m; m = json_next(m)) {
		const char *type = json_get_str(m, "type");
		const char *given = json_get_str(m, "source");
		cleanup_free char *source =
			given && str_eq(type, "volume")
				? volume_name(model, given)
				: xstrdup_null(given);
		cleanup_strbuf struct strbuf text = STRBUF_INIT;

		strbuf_addf(&text, "type=%s", type);
		if (source)
			add_field(&text, "source", source);
		add_field(&text, "target", json_get_str(m, "target"));
		if (json_get_bool(m, "read_only"))
			strbuf_addstr(&text, ",readonly");
		json_push(list, json_new_str(text.buf));
	}
	for (m = json_first(json_get(service, "tmpfs")); m; m = json_next(m)) {
		cleanup_free char *target =
			xstrndup(json_str(m), strcspn(json_str(m), ":"));
		cleanup_strbuf struct strbuf text = STRBUF_INIT;

		strbuf_addstr(&text, "type=tmpfs");
		add_field(&text, "target", target);
		json_push(list, json_new_str(text.buf));
	}
	prepend(config, "mounts", list);
}

static void add_list(const struct json *service, const char *from,
		     struct json *config, const char *to)
{
	const struct json *list = json_get(service, from);

	prepend(config, to, list ? json_dup(list) : json_new_array());
}

static void add_flags(const struct json *service, struct json *config)
{
	struct json *args = cli_compose_args(service);

	/* Those of the file are not for services, by the specification. */
	json_remove(config, "runArgs");
	if (json_len(args))
		json_set(config, "runArgs", args);
	else
		json_free(args);
}

static void copy_missing(const struct json *service, const char *from,
			 struct json *config, const char *to)
{
	const struct json *value = json_get(service, from);

	if (value && !json_get(config, to))
		json_set(config, to, json_dup(value));
}

/* What starts with the environment, where the image's own is not meant. */
static void add_command(const struct json *service, struct json *config)
{
	static const char *const keys[] = { "entrypoint", "command",
					    "working_dir" };
	struct json *own = json_new_object();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		copy_missing(service, keys[i], own, keys[i]);
	if (json_first(own))
		json_set(config, "serviceCommand", own);
	else
		json_free(own);
	if (!json_get(config, "overrideCommand"))
		json_set_bool(config, "overrideCommand", false);
}

void cli_compose_apply(const struct compose *c, const struct json *service,
		       struct json *config)
{
	add_environment(service, config);
	add_mounts(c->model, service, config);
	add_list(service, "cap_add", config, "capAdd");
	add_list(service, "security_opt", config, "securityOpt");
	add_flags(service, config);
	copy_missing(service, "user", config, "containerUser");
	copy_missing(service, "privileged", config, "privileged");
	copy_missing(service, "init", config, "init");
	json_remove(config, "appPort");
	copy_missing(service, "ports", config, "appPort");
	add_command(service, config);
}

/* --- the plan --- */

static int missing_service(const struct devcontainer *dc, struct error *err)
{
	cleanup_strvec struct strvec path = STRVEC_INIT;

	strvec_push(&path, "dockerComposeFile");
	return devcontainer_fail(dc, &path, true, err,
				 "dockerComposeFile needs 'service', the one "
				 "to work in");
}

static int no_service(const struct devcontainer *dc, struct error *why,
		      struct error *err)
{
	cleanup_strvec struct strvec path = STRVEC_INIT;

	strvec_push(&path, "service");
	devcontainer_fail(dc, &path, false, err, "%s", why->msg);
	return why->hint ? error_hint(err, "%s", why->hint) : -1;
}

/* What of the service's properties is not acted on, or in part. */
static void note_args(const char *name, struct record_plan *plan)
{
	cleanup_devcontainer_run struct devcontainer_run run =
		DEVCONTAINER_RUN_INIT;

	devcontainer_run_get(&run, plan->config);
	for (size_t i = 0; i < run.n_notes; i++)
		if (str_eq(run.notes[i].property, "runArgs"))
			strvec_pushf(&plan->warnings, "service '%s': %s", name,
				     run.notes[i].text);
}

int cli_compose_plan(const struct cli_project *p,
		     const struct devcontainer *dc, struct record_plan *plan,
		     struct error *err)
{
	const char *name = json_get_str(plan->config, "service");
	cleanup_compose struct compose c = COMPOSE_INIT;
	cleanup_error struct error why = ERROR_INIT;
	const struct json *service;
	size_t i;

	if (!name || !*name)
		return missing_service(dc, err);
	if (cli_compose_load(&c, p, plan->config, err) < 0)
		return -1;
	service = compose_service(&c, name, &why);
	if (!service)
		return no_service(dc, &why, err);
	for (i = 0; i < c.warnings.nr; i++)
		strvec_push(&plan->warnings, c.warnings.v[i]);
	if (cli_compose_build(service, name, plan, err) < 0 ||
	    cli_services_plan(&c, p, plan, err) < 0)
		return -1;
	cli_compose_apply(&c, service, plan->config);
	note_args(name, plan);
	return 0;
}
