/* lint.c - findings about projects, and how they are printed */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <fcntl.h>

#include "base/log.h"
#include "cli/findings.h"

void cli_findings_release(struct cli_findings *f)
{
	size_t i;

	for (i = 0; i < f->nr; i++) {
		free(f->v[i].file);
		free(f->v[i].message);
	}
	free(f->v);
	*f = (struct cli_findings){ 0 };
}

void cli_findings_add(struct cli_findings *f, const char *rule, bool error,
		      const char *file, unsigned line, const char *message)
{
	GROW(f->v, f->nr, f->alloc);
	f->v[f->nr++] = (struct cli_finding){
		.rule = rule, .error = error, .file = xstrdup(file),
		.line = line, .message = xstrdup(message),
	};
}

/* After "FILE": the line of ":LINE:COL: text", and the text; or NULL. */
static const char *position(const char *p, uint64_t *line)
{
	size_t digits = strspn(p + 1, "0123456789");
	const char *col = p + 1 + digits;
	cleanup_free char *number = xstrndup(p + 1, digits);
	size_t cols = *col == ':' ? strspn(col + 1, "0123456789") : 0;

	if (!cols || !str_starts(col + 1 + cols, ": ") ||
	    !str_to_u64(number, UINT32_MAX, line))
		return NULL;
	return col + 1 + cols + 2;
}

/* "FILE:LINE:COL: text"; false: it is not of that form. */
static bool add_text(struct cli_findings *f, const char *rule, bool error,
		     const char *text)
{
	const char *colon = text;

	while ((colon = strchr(colon + 1, ':'))) {
		uint64_t line;
		const char *rest = position(colon, &line);
		cleanup_free char *file = NULL;

		if (!rest)
			continue;
		file = xstrndup(text, (size_t)(colon - text));
		cli_findings_add(f, rule, error, file, (unsigned)line, rest);
		return true;
	}
	return false;
}

/* --- the Dockerfile --- */

/* Base images as the store has them: nothing is fetched. */
struct bases {
	struct store *store;
	struct store_image image;
};

static const struct oci_config *base_config(void *arg,
					    const struct build_base *base)
{
	struct bases *b = arg;
	cleanup_oci_ref struct oci_ref ref = { 0 };
	cleanup_free char *name = NULL;

	if (!b->store || base->named || oci_ref_parse(&ref, base->image, NULL) < 0)
		return NULL;
	name = oci_ref_format(&ref);
	store_image_release(&b->image);
	if (store_get_image(b->store, name, &b->image, NULL) > 0)
		return &b->image.config;
	return NULL;
}

static int read_ignore(const struct record_plan *plan,
		       struct dockerfile_ignore **out, struct error *err)
{
	cleanup_close int fd = -1;

	if (!plan->context)
		return 0;
	fd = open(plan->context, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno_code(err, ERR_INPUT,
					"cannot open the context '%s'",
					plan->context);
	return build_ignore(fd, plan->context, plan->dockerfile, out, err);
}

struct work {
	const struct record_plan *plan;
	struct dockerfile_ignore *ignore;
	struct bases bases;
	struct build_eval_options o;
};

/* `platform` NULL: this machine's. */
static int lint_for(struct work *w, const char *platform, struct error *err)
{
	cleanup_oci_platform struct oci_platform target = { 0 };
	cleanup_oci_platform struct oci_platform host = { 0 };

	oci_platform_host(&host);
	if (!platform)
		oci_platform_host(&target);
	else if (oci_platform_parse(&target, platform, err) < 0)
		return -1;
	w->o.platform = &target;
	w->o.build_platform = &host;
	return build_lint(w->o.lint->df, &w->o, w->ignore, base_config,
			  &w->bases, err);
}

/* Each finding is kept once, for however many platforms it is made. */
static int evaluate(struct work *w, struct error *err)
{
	cleanup_strvec struct strvec platforms = STRVEC_INIT;
	size_t i;

	if (read_ignore(w->plan, &w->ignore, err) < 0)
		return -1;
	if (!w->plan->platform)
		return lint_for(w, NULL, err);
	strvec_split(&platforms, w->plan->platform, ",");
	for (i = 0; i < platforms.nr; i++)
		if (lint_for(w, platforms.v[i], err) < 0)
			return -1;
	return 0;
}

int cli_lint_plan(struct cli_findings *f, struct store *s,
		  const struct record_plan *plan,
		  const struct build_named_list *named, struct error *err)
{
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_dockerfile_lint struct dockerfile_lint l = { 0 };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *name = NULL;
	struct work w = {
		.plan = plan,
		.bases = { .store = s },
		.o = { .build_args = &plan->args, .target = plan->target,
		       .named = named, .lint = &l, .check = true },
	};
	size_t i;
	int rc;

	if (cli_project_dockerfile(plan, &text, &name, err) < 0 ||
	    dockerfile_parse(&df, name, text.buf, text.len, err) < 0 ||
	    build_lint_begin(&l, &df, &plan->args, err) < 0)
		return -1;
	rc = evaluate(&w, err);
	store_image_release(&w.bases.image);
	dockerfile_ignore_free(w.ignore);
	dockerfile_lint_sort(&l);
	for (i = 0; i < l.nr; i++)
		cli_findings_add(f, l.v[i].rule, l.error, name, l.v[i].line,
				 l.v[i].message);
	if (l.more)
		log_warn("%s: more than %d findings: the rest is left out",
			 name, DOCKERFILE_FINDINGS_MAX);
	return rc;
}

/* --- the file that names it --- */

static void add_notes(struct cli_findings *f, enum record_kind kind,
		      const struct record_plan *plan)
{
	const char *rule = kind == RECORD_TEMPLATE ? "TemplateWarning" :
						     "ConfigWarning";
	size_t i;

	for (i = 0; i < plan->warnings.nr; i++)
		add_text(f, rule, false, plan->warnings.v[i]);
}

int cli_lint_project(struct cli_findings *f, struct store *s,
		     const struct cli_project *p,
		     const struct cli_project_options *o, struct error *err)
{
	cleanup_record_plan struct record_plan plan = RECORD_PLAN_INIT;
	cleanup_error struct error why = ERROR_INIT;
	bool described = p->kind == RECORD_DEVCONTAINER ||
			 p->kind == RECORD_TEMPLATE;

	if (cli_project_plan(p, o, &plan, &why) < 0) {
		if (described && why.code == ERR_INPUT &&
		    add_text(f, p->kind == RECORD_TEMPLATE ?
				     "TemplateInvalid" : "ConfigInvalid",
			     true, why.msg))
			return 0;
		return error_move(err, &why);
	}
	add_notes(f, p->kind, &plan);
	if (!plan.text && !plan.dockerfile)
		return 0; /* what is built is not known by this version */
	return cli_lint_plan(f, s, &plan, NULL, err);
}

/* --- printing --- */

static struct json *to_json(const struct cli_findings *f)
{
	struct json *list = json_new_array();
	size_t i;

	for (i = 0; i < f->nr; i++) {
		struct json *j = json_push(list, json_new_object());

		json_set_str(j, "rule", f->v[i].rule);
		json_set_str(j, "file", f->v[i].file);
		json_set_int(j, "line", f->v[i].line);
		json_set_str(j, "level", f->v[i].error ? "error" : "warning");
		json_set_str(j, "message", f->v[i].message);
	}
	return list;
}

int cli_findings_print(const struct cli_findings *f, bool as_json, int rc,
		       struct error *err)
{
	cleanup_error struct error second = ERROR_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_json struct json *list = as_json ? to_json(f) : NULL;
	size_t i;

	if (as_json)
		json_write(&out, list, true);
	for (i = 0; !as_json && i < f->nr; i++) {
		strbuf_addstr(&out, f->v[i].file);
		if (f->v[i].line)
			strbuf_addf(&out, ":%u", f->v[i].line);
		strbuf_addf(&out, ": %s: %s\n", f->v[i].rule,
			    f->v[i].message);
	}
	/* What was found before an error helps against it. */
	if (cli_write(NULL, &out, rc < 0 ? &second : err) < 0)
		return -1;
	return rc;
}
