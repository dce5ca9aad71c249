/* eval_step.c - WORKDIR, and what RUN, COPY and ADD share */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"
#include "build/eval.h"

char *eval_expand(const struct eval_make *m, const char *word)
{
	return build_eval_expand(m->ev, m->st, m->node, word, m->err);
}

int eval_unsupported(const struct eval_make *m, const char *what)
{
	return build_eval_fail(m->ev, m->st, m->node, m->err,
			       "%s is not supported by this version", what);
}

char *eval_heredoc_body(const struct dockerfile_heredoc *h)
{
	struct strbuf out = STRBUF_INIT;

	if (h->chomp)
		dockerfile_chomp(&out, h->content);
	else
		strbuf_addstr(&out, h->content);
	return strbuf_detach(&out);
}

int eval_check_file_name(const struct eval_make *m, const char *name)
{
	if (*name && !strchr(name, '/') && !str_eq(name, ".") &&
	    !str_eq(name, ".."))
		return 0;
	return build_eval_fail(m->ev, m->st, m->node, m->err,
			       "heredoc name '%s' cannot be a file name",
			       name);
}

static int make_workdir(const struct eval_make *m)
{
	cleanup_free char *path = eval_expand(m, m->node->args.v[0]);
	char *dir;

	if (!path)
		return -1;
	dir = path_resolve(m->step->cwd, path);
	/* The root is always there: no layer. */
	m->step->op = dir[1] ? BUILD_WORKDIR : BUILD_META;
	m->step->created_by = xstrfmt("WORKDIR %s", dir);
	m->step->text = xstrdup(m->step->created_by);
	free(m->step->cwd);
	m->step->cwd = xstrdup(dir);
	free(m->st->config.workdir);
	m->st->config.workdir = dir;
	return 0;
}

int build_eval_step(struct build_eval *ev, struct build_stage *st,
		    const struct dockerfile_node *node,
		    struct build_step *step, struct error *err)
{
	const struct eval_make m = { ev, st, node, step, err };

	if (node->kind == DF_RUN)
		return eval_make_run(&m);
	if (node->kind == DF_WORKDIR)
		return make_workdir(&m);
	return eval_make_copy(&m);
}
