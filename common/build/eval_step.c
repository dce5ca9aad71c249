/* eval_step.c - RUN, COPY, ADD and WORKDIR with everything expanded */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"
#include "build/eval.h"

/* One call's worth of arguments, to keep the functions below short. */
struct make {
	struct build_eval *ev;
	struct build_stage *st;
	const struct dockerfile_node *node;
	struct build_step *step;
	struct error *err;
};

static char *expand(const struct make *m, const char *word)
{
	return build_eval_expand(m->ev, m->st, m->node, word, m->err);
}

static int unsupported(const struct make *m, const char *what)
{
	return build_eval_fail(m->ev, m->st, m->node, m->err,
			       "%s is not supported by this version", what);
}

/* --- RUN --- */

/* "#!/bin/sh..." : the first line of a script, for people. */
static void add_summary(struct strbuf *out, const char *body)
{
	size_t n;

	body += strspn(body, " \t\r\n");
	n = strcspn(body, "\r\n");
	strbuf_addf(out, " (%.*s%s)", (int)n, body,
		    body[n + strspn(body + n, " \t\r\n")] ? "..." : "");
}

static char *body_of(const struct dockerfile_heredoc *h)
{
	struct strbuf out = STRBUF_INIT;

	if (h->chomp)
		dockerfile_chomp(&out, h->content);
	else
		strbuf_addstr(&out, h->content);
	return strbuf_detach(&out);
}

static int check_file_name(const struct make *m, const char *name)
{
	if (*name && !strchr(name, '/') && !str_eq(name, ".") &&
	    !str_eq(name, ".."))
		return 0;
	return build_eval_fail(m->ev, m->st, m->node, m->err,
			       "heredoc name '%s' cannot be a file name",
			       name);
}

/* A lone heredoc is the script itself (I02). */
static int run_script(const struct make *m)
{
	const struct dockerfile_heredoc *h = &m->node->heredocs[0];
	cleanup_free char *body = body_of(h);
	cleanup_free char *path = NULL;

	if (!str_starts(h->content, "#!")) {
		build_eval_shell(&m->st->config, body, &m->step->argv);
		return 0;
	}
	if (check_file_name(m, h->name) < 0)
		return -1;
	path = xstrfmt("/dev/pipes/%s", h->name);
	build_eval_shell(&m->st->config, path, &m->step->argv);
	m->step->script = steal_ptr(&body);
	m->step->script_name = xstrdup(h->name);
	return 0;
}

static int run_argv(const struct make *m)
{
	const struct dockerfile_node *node = m->node;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	size_t i;

	if (node->form == DF_FORM_EXEC) {
		strvec_copy(&m->step->argv, &node->args);
		return 0;
	}
	if (node->n_heredocs == 1 && node->args.nr == 1 &&
	    dockerfile_is_heredoc(node->args.v[0]))
		return run_script(m);
	/* Anything else is put together again for the shell. */
	strbuf_addstr(&text, node->args.nr ? node->args.v[0] : "");
	for (i = 0; i < node->n_heredocs; i++)
		strbuf_addf(&text, "\n%s%s", node->heredocs[i].content,
			    node->heredocs[i].name);
	build_eval_shell(&m->st->config, text.buf, &m->step->argv);
	return 0;
}

static int check_run(const struct make *m)
{
	const char *network = dockerfile_flag(m->node, "network", 0);
	const char *security = dockerfile_flag(m->node, "security", 0);

	if (dockerfile_flag(m->node, "mount", 0))
		return unsupported(m, "RUN --mount");
	if (network && !str_eq(network, "default"))
		return unsupported(m, "RUN --network");
	if (security && !str_eq(security, "sandbox"))
		return unsupported(m, "RUN --security");
	if (dockerfile_flag(m->node, "device", 0))
		return unsupported(m, "RUN --device");
	return 0;
}

static int make_run(const struct make *m)
{
	cleanup_strbuf struct strbuf history = STRBUF_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	size_t i;

	if (!m->ev->view && check_run(m) < 0)
		return -1;
	m->step->op = BUILD_RUN;
	if (run_argv(m) < 0)
		return -1;
	if (!m->step->argv.nr)
		return build_eval_fail(m->ev, m->st, m->node, m->err,
				       "RUN without a command");
	build_eval_run_env(m->ev, m->st, m->step);
	strbuf_addstr(&history, "RUN ");
	build_eval_arg_prefix(m->st, &history);
	for (i = 0; i < m->step->argv.nr; i++)
		strbuf_addf(&history, "%s ", m->step->argv.v[i]);
	strbuf_addstr(&history, "# buildkit");
	if (build_eval_charge(m->ev, m->st, m->node, history.len, m->err) < 0)
		return -1;
	m->step->created_by = strbuf_detach(&history);
	strbuf_addstr(&text, m->node->text);
	if (m->node->n_heredocs)
		add_summary(&text, m->node->heredocs[0].content);
	m->step->text = strbuf_detach(&text);
	return 0;
}

/* --- COPY and ADD --- */

static int check_copy_flags(const struct make *m)
{
	static const char *const switches[] = { "link", "parents",
						"keep-git-dir", "unpack" };
	static const char *const values[] = { "exclude", "checksum" };
	const char *from = dockerfile_flag(m->node, "from", 0);
	cleanup_free char *what = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(switches) && !what; i++)
		if (dockerfile_flag_bool(m->node, switches[i]))
			what = xstrfmt("%s --%s", m->node->keyword,
				       switches[i]);
	for (i = 0; i < ARRAY_SIZE(values) && !what; i++)
		if (dockerfile_flag(m->node, values[i], 0))
			what = xstrfmt("%s --%s", m->node->keyword,
				       values[i]);
	if (!what && from && *from && m->step->from_stage == SIZE_MAX)
		what = xstrfmt("COPY --from=%s (not a stage)", from);
	return what ? unsupported(m, what) : 0;
}

static int check_source(const struct make *m, const char *source)
{
	bool git = dockerfile_is_git(source), url = dockerfile_is_url(source);

	if (!git && !url)
		return 0;
	if (m->node->kind == DF_COPY)
		return build_eval_fail(m->ev, m->st, m->node, m->err,
				       "source can't be a %s for COPY",
				       git ? "git ref" : "URL");
	if (m->ev->view)
		return 0;
	return unsupported(m, git ? "ADD of a git repository" :
				    "ADD of a URL");
}

static int add_file(const struct make *m, size_t index)
{
	const struct dockerfile_heredoc *h = &m->node->heredocs[index];
	cleanup_free char *body = body_of(h);
	char *content;

	if (check_file_name(m, h->name) < 0)
		return -1;
	content = h->expand ? build_eval_expand_body(m->ev, m->st, m->node,
						     body, m->err) :
			      steal_ptr(&body);
	if (!content)
		return -1;
	m->step->files[m->step->n_files++] = (struct dockerfile_heredoc){
		.name = xstrdup(h->name), .content = content,
	};
	return 0;
}

/* A quoted name with a blank is cut by the words of COPY (P15). */
static int check_heredocs(const struct make *m)
{
	size_t i, n = 0;

	for (i = 0; i + 1 < m->node->args.nr; i++)
		n += dockerfile_is_heredoc(m->node->args.v[i]);
	if (n >= m->node->n_heredocs)
		return 0;
	return build_eval_fail(m->ev, m->st, m->node, m->err,
			       "the name of a heredoc must be one word");
}

static int copy_sources(const struct make *m)
{
	const struct strvec *args = &m->node->args;
	size_t i, n = 0;

	if (check_heredocs(m) < 0)
		return -1;
	m->step->files = xcalloc(m->node->n_heredocs + 1,
				 sizeof(*m->step->files));
	for (i = 0; i + 1 < args->nr; i++) {
		char *source;

		if (n < m->node->n_heredocs &&
		    dockerfile_is_heredoc(args->v[i])) {
			if (add_file(m, n++) < 0)
				return -1;
			continue;
		}
		source = expand(m, args->v[i]);
		if (!source)
			return -1;
		strvec_push_own(&m->step->sources, source);
		if (check_source(m, source) < 0)
			return -1;
	}
	return 0;
}

static bool names_dir(const char *path)
{
	return !*path || str_eq(path, ".") || str_ends(path, "/") ||
	       str_ends(path, "/.");
}

static int copy_dest(const struct make *m, const char *dest)
{
	struct build_step *step = m->step;
	cleanup_free char *path = path_resolve(step->cwd, dest);

	step->dest_is_dir = names_dir(dest);
	if (step->sources.nr + step->n_files > 1 && !step->dest_is_dir)
		return build_eval_fail(
			m->ev, m->st, m->node, m->err,
			"when using %s with more than one source file, the "
			"destination must be a directory and end with a /",
			m->node->keyword);
	step->dest = xstrfmt("%s%s", path,
			     str_ends(dest, "/") && path[1] ? "/" : "");
	return 0;
}

static int copy_owner(const struct make *m)
{
	const char *chown = dockerfile_flag(m->node, "chown", 0);
	const char *chmod = dockerfile_flag(m->node, "chmod", 0);
	cleanup_error struct error inner = ERROR_INIT;
	unsigned mode;

	if (chown && *chown) {
		m->step->chown = expand(m, chown);
		if (!m->step->chown)
			return -1;
	}
	if (!chmod || !*chmod)
		return 0;
	m->step->chmod = expand(m, chmod);
	if (!m->step->chmod)
		return -1;
	if (*m->step->chmod &&
	    dockerfile_chmod(m->step->chmod, 0644, false, &mode, &inner) < 0)
		return build_eval_fail(m->ev, m->st, m->node, m->err, "%s",
				       inner.msg);
	return 0;
}

/* BuildKit's order: flags, sources, heredocs, destination as written. */
static void copy_text(const struct make *m, const char *dest)
{
	struct build_step *step = m->step;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	size_t i;

	strbuf_addstr(&text, m->node->keyword);
	if (dockerfile_flag_bool(m->node, "parents"))
		strbuf_addstr(&text, " --parents");
	if (step->chown)
		strbuf_addf(&text, " --chown=%s", step->chown);
	if (step->chmod)
		strbuf_addf(&text, " --chmod=%s", step->chmod);
	for (i = 0; i < step->sources.nr; i++)
		strbuf_addf(&text, " %s", step->sources.v[i]);
	for (i = 0; i < step->n_files; i++)
		strbuf_addf(&text, " <<%s", step->files[i].name);
	strbuf_addf(&text, " %s", dest);
	step->created_by = xstrfmt("%s # buildkit", text.buf);
	step->text = strbuf_detach(&text);
}

static int make_copy(const struct make *m)
{
	const char *from = dockerfile_flag(m->node, "from", 0);
	cleanup_free char *dest = NULL;

	m->step->op = BUILD_COPY;
	m->step->add = m->node->kind == DF_ADD;
	if (from && *from) {
		m->step->from = xstrdup(from);
		if (build_eval_from(m->ev, (size_t)(m->st - m->ev->stages),
				    m->node, from, &m->step->from_stage,
				    m->err) < 0)
			return -1;
	}
	if (!m->ev->view && check_copy_flags(m) < 0)
		return -1;
	if (copy_sources(m) < 0 || copy_owner(m) < 0)
		return -1;
	dest = expand(m, m->node->args.v[m->node->args.nr - 1]);
	if (!dest || copy_dest(m, dest) < 0)
		return -1;
	copy_text(m, dest);
	return 0;
}

/* --- WORKDIR --- */

static int make_workdir(const struct make *m)
{
	cleanup_free char *path = expand(m, m->node->args.v[0]);
	char *dir;

	if (!path)
		return -1;
	dir = path_resolve(m->step->cwd, path);
	/* The root is always there: no layer (I21). */
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
	const struct make m = { ev, st, node, step, err };

	if (node->kind == DF_RUN)
		return make_run(&m);
	if (node->kind == DF_WORKDIR)
		return make_workdir(&m);
	return make_copy(&m);
}
