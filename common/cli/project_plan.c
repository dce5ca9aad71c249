/* project_plan.c - the plan of a project that was found */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "cli/compose.h"
#include "cli/merged.h"
#include "template/template.h"

static struct devcontainer_scope scope_of(const struct cli_project *p)
{
	return (struct devcontainer_scope){ .folder = p->dir,
					    .mount_root = p->root,
					    .config_file = p->file,
					    .place = p->place,
					    .labels = p->labels,
					    .env = cli_host_env };
}

static int read_config(const struct cli_project *p, struct devcontainer *dc,
		       struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const char *path = p->content ? p->content : p->file;
	cleanup_free char *name = cli_project_name(path);

	if (fs_read_regular(path, DEVCONTAINER_MAX, &text, err) < 0)
		return -1;
	return devcontainer_parse(dc, name, text.buf, text.len, err);
}

struct json *cli_project_config(const struct cli_project *p,
				struct error *err)
{
	cleanup_devcontainer struct devcontainer dc = DEVCONTAINER_INIT;
	struct devcontainer_scope scope = scope_of(p);

	if (p->planned)
		return json_dup(json_get(record_get(&p->record, "plan"),
					 "config"));
	if (p->kind != RECORD_DEVCONTAINER) {
		error_set(err, ERR_INPUT, "no devcontainer.json in '%s'",
			  p->dir);
		return NULL;
	}
	if (read_config(p, &dc, err) < 0)
		return NULL;
	return devcontainer_resolve(&dc, &scope, err);
}

/* Links in a repository must not lead a build out of it. */
static int check_inside(const char *path, const char *root, struct error *err)
{
	cleanup_free char *name = cli_project_name(path);
	cleanup_free char *real_root = realpath(root, NULL);
	cleanup_free char *real = real_root ? realpath(path, NULL) : NULL;

	if (!real)
		return error_errno_code(err, ERR_INPUT, "%s", name);
	if (!path_within(real, real_root))
		return error_set(err, ERR_INPUT, "'%s' leads out of '%s'",
				 name, root);
	return 0;
}

int cli_project_check_files(const struct cli_project *p,
			    const struct record_plan *plan, struct error *err)
{
	if (plan->dockerfile &&
	    check_inside(plan->dockerfile, p->root, err) < 0)
		return -1;
	if (plan->context && check_inside(plan->context, p->root, err) < 0)
		return -1;
	return 0;
}

/* What the image's label is to say of the file; nothing at all is NULL. */
static struct json *own_metadata(const struct devcontainer *dc)
{
	cleanup_json struct json *raw = devcontainer_raw(dc);
	cleanup_json struct json *entry = devcontainer_label_entry(raw);
	struct json *list;

	if (!json_first(entry))
		return NULL;
	list = json_new_array();
	json_push(list, steal_ptr(&entry));
	return list;
}

static int plan_config(const struct cli_project *p, const char *fallback,
		       struct record_plan *plan, struct error *err)
{
	cleanup_devcontainer struct devcontainer dc = DEVCONTAINER_INIT;
	cleanup_devcontainer_build struct devcontainer_build b =
		DEVCONTAINER_BUILD_INIT;
	struct devcontainer_scope scope = scope_of(p);

	if (read_config(p, &dc, err) < 0)
		return -1;
	plan->config = devcontainer_resolve(&dc, &scope, err);
	if (!plan->config ||
	    devcontainer_build_get(&b, &dc, plan->config, &scope, fallback,
				   err) < 0)
		return -1;
	plan->dockerfile = steal_ptr(&b.dockerfile);
	plan->context = steal_ptr(&b.context);
	plan->text = steal_ptr(&b.text);
	plan->target = steal_ptr(&b.target);
	plan->platform = steal_ptr(&b.platform);
	plan->features = steal_ptr(&b.features);
	plan->options = steal_ptr(&b.options);
	plan->config_file = xstrdup(p->file);
	plan->metadata = own_metadata(&dc);
	strvec_copy(&plan->args, &b.args);
	strvec_copy(&plan->cache_from, &b.cache_from);
	strvec_copy(&plan->warnings, &b.warnings);
	if (json_get(plan->config, "dockerComposeFile") &&
	    cli_compose_plan(p, &dc, plan, err) < 0)
		return -1;
	plan->user = xstrdup_null(devcontainer_user(plan->config));
	return cli_project_check_files(p, plan, err);
}

/* The Dockerfile of a template: in its context, or from the top. */
static char *template_dockerfile(const char *top, const char *context,
				 const char *name)
{
	char *path = path_join(context, name);

	if (!fs_is_file(path) && !str_starts(name, "../")) {
		cleanup_free char *other = path_join(top, name);

		if (fs_is_file(other)) {
			free(path);
			return steal_ptr(&other);
		}
	}
	return path;
}

static int plan_template(const struct cli_project *p,
			 struct record_plan *plan, struct error *err)
{
	cleanup_template_image struct template_image t = TEMPLATE_IMAGE_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *name = cli_project_name(p->file);

	if (fs_read_regular(p->file, CLI_DOCKERFILE_MAX, &text, err) < 0 ||
	    template_image_parse(&t, name, text.buf, text.len, err) < 0)
		return -1;
	plan->name = steal_ptr(&t.name);
	plan->reference = steal_ptr(&t.image);
	plan->context = path_join(p->root, t.context);
	plan->dockerfile =
		template_dockerfile(p->root, plan->context, t.dockerfile);
	strvec_copy(&plan->credentials, &t.credentials);
	strvec_copy(&plan->warnings, &t.warnings);
	return cli_project_check_files(p, plan, err);
}

static int plan_dockerfile(const struct cli_project *p,
			   const struct cli_project_options *o,
			   struct record_plan *plan, struct error *err)
{
	plan->dockerfile = xstrdup_null(p->file);
	plan->text = xstrdup_null(p->text);
	plan->context = path_resolve(p->dir, o->context ? o->context : ".");
	if (fs_is_dir(plan->context))
		return 0;
	return error_set(err, ERR_INPUT, "'%s' is not a directory",
			 plan->context);
}

static int plan_fallback(const struct cli_project *p, const char *image,
			 struct record_plan *plan, struct error *err)
{
	if (!image) {
		error_set(err, ERR_INPUT,
			  "no devcontainer.json or Dockerfile in '%s'",
			  p->dir);
		return error_hint(err, "name one with --config or --file, or "
				       "an image with --fallback-image");
	}
	if (!*image || image[strcspn(image, " \t\r\n\\`\"'$")])
		return error_set(err, ERR_USAGE, "'%s' is not an image name",
				 image);
	plan->text = xstrfmt("FROM %s\n", image);
	return 0;
}

static int make_plan(const struct cli_project *p,
		     const struct cli_project_options *o,
		     struct record_plan *plan, struct error *err)
{
	if (p->planned)
		return record_plan_get(plan, &p->record, err);
	plan->kind = p->kind;
	if (p->kind == RECORD_DEVCONTAINER)
		return plan_config(p, o->fallback, plan, err);
	if (p->kind == RECORD_TEMPLATE)
		return plan_template(p, plan, err);
	if (p->kind == RECORD_DOCKERFILE)
		return plan_dockerfile(p, o, plan, err);
	return plan_fallback(p, o->fallback, plan, err);
}

/* Options of the command line win over what the files say. */
static void apply_options(const struct cli_project_options *o,
			  struct record_plan *plan)
{
	if (o->target) {
		free(plan->target);
		plan->target = xstrdup(o->target);
	}
	if (o->platform) {
		free(plan->platform);
		plan->platform = xstrdup(o->platform);
	}
	for (size_t i = 0; i < o->build_args.nr; i++) {
		const char *arg = o->build_args.v[i];
		cleanup_free char *name = xstrndup(arg, strcspn(arg, "="));

		strvec_env_unset(&plan->args, name);
		strvec_push(&plan->args, arg);
	}
}

int cli_project_plan(const struct cli_project *p,
		     const struct cli_project_options *o,
		     struct record_plan *plan, struct error *err)
{
	cleanup_record_plan struct record_plan made = RECORD_PLAN_INIT;

	if (o->context && p->kind != RECORD_DOCKERFILE)
		return error_set(err, ERR_USAGE,
				 "--context is for a Dockerfile; give one "
				 "with --file");
	if (make_plan(p, o, &made, err) < 0)
		return -1;
	apply_options(o, &made);
	if (o->features && cli_config_features(o->features, &made, err) < 0)
		return -1;
	*plan = made;
	made = (struct record_plan)RECORD_PLAN_INIT;
	return 0;
}

void cli_project_warn(const struct record_plan *plan)
{
	for (size_t i = 0; i < plan->warnings.nr; i++)
		log_warn("%s", plan->warnings.v[i]);
}

int cli_project_dockerfile(const struct record_plan *plan, struct strbuf *text,
			   char **name, struct error *err)
{
	if (!plan->text && !plan->dockerfile)
		return record_plan_check(plan, err);
	if (plan->text) {
		*name = xstrdup("Dockerfile");
		strbuf_addstr(text, plan->text);
		return 0;
	}
	if (fs_read_regular(plan->dockerfile, CLI_DOCKERFILE_MAX, text, err) < 0)
		return -1;
	*name = cli_project_name(plan->dockerfile);
	return 0;
}
