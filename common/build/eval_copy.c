/* eval_copy.c - COPY and ADD with everything expanded */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"
#include "build/eval.h"

/* BuildKit takes github.com/... for a context only. */
static int check_source(const struct eval_make *m, const char *source)
{
	bool git = dockerfile_is_git(source), url = dockerfile_is_url(source);

	if ((!git && !url) || str_starts(source, "github.com/"))
		return 0;
	if (m->node->kind == DF_COPY)
		return build_eval_fail(m->ev, m->st, m->node, m->err,
				       "source can't be a %s for COPY",
				       git ? "git ref" : "URL");
	return eval_add_remote(m, source);
}

static int add_file(const struct eval_make *m, size_t index)
{
	const struct dockerfile_heredoc *h = &m->node->heredocs[index];
	cleanup_free char *body = eval_heredoc_body(h);
	char *content;

	if (eval_check_file_name(m, h->name) < 0)
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

/* A quoted name with a blank is cut by the words of COPY. */
static int check_heredocs(const struct eval_make *m)
{
	size_t i, n = 0;

	for (i = 0; i + 1 < m->node->args.nr; i++)
		n += dockerfile_is_heredoc(m->node->args.v[i]);
	if (n >= m->node->n_heredocs)
		return 0;
	return build_eval_fail(m->ev, m->st, m->node, m->err,
			       "the name of a heredoc must be one word");
}

static int copy_sources(const struct eval_make *m)
{
	const struct strvec *args = &m->node->args;
	size_t i, n = 0;

	if (check_heredocs(m) < 0)
		return -1;
	m->step->files = xcalloc(m->node->n_heredocs + 1,
				 sizeof(*m->step->files));
	for (i = 0; i + 1 < args->nr; i++) {
		cleanup_free char *source = NULL;

		if (n < m->node->n_heredocs &&
		    dockerfile_is_heredoc(args->v[i])) {
			if (add_file(m, n++) < 0)
				return -1;
			continue;
		}
		source = eval_expand(m, args->v[i]);
		if (!source)
			return -1;
		strvec_push(&m->step->sources, source);
		if (check_source(m, source) < 0)
			return -1;
	}
	return eval_check_remotes(m);
}

static bool names_dir(const char *path)
{
	return !*path || str_eq(path, ".") || str_ends(path, "/") ||
	       str_ends(path, "/.");
}

static int copy_dest(const struct eval_make *m, const char *dest)
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

static int copy_owner(const struct eval_make *m)
{
	const char *chown = dockerfile_flag(m->node, "chown", 0);
	const char *chmod = dockerfile_flag(m->node, "chmod", 0);
	cleanup_error struct error inner = ERROR_INIT;
	unsigned mode;

	if (chown && *chown) {
		m->step->chown = eval_expand(m, chown);
		if (!m->step->chown)
			return -1;
	}
	if (!chmod || !*chmod)
		return 0;
	m->step->chmod = eval_expand(m, chmod);
	if (!m->step->chmod)
		return -1;
	if (*m->step->chmod &&
	    dockerfile_chmod(m->step->chmod, 0644, false, &mode, &inner) < 0)
		return build_eval_fail(m->ev, m->st, m->node, m->err, "%s",
				       inner.msg);
	return 0;
}

/* A layer that knows nothing of those below it cannot ask them for names. */
static int check_link(const struct eval_make *m)
{
	const char *c = m->step->chown;

	if (!m->step->link || !c || !c[strspn(c, "0123456789:")])
		return 0;
	build_eval_fail(m->ev, m->st, m->node, m->err,
			"--link cannot look up the owner '%s': it does not "
			"see the image below", c);
	return error_hint(m->err, "give numbers to --chown, or leave out "
				  "--link");
}

static int copy_switches(const struct eval_make *m)
{
	struct build_step *step = m->step;
	const char *unpack = dockerfile_flag(m->node, "unpack", 0);
	cleanup_error struct error inner = ERROR_INIT;
	struct dockerfile_ignore *rules = NULL;
	const char *word;
	size_t i;

	step->parents = dockerfile_flag_bool(m->node, "parents");
	/* BuildKit ignores --link beside --chmod. */
	step->link = dockerfile_flag_bool(m->node, "link") &&
		     !(step->chmod && *step->chmod);
	if (unpack)
		step->unpack = dockerfile_flag_bool(m->node, "unpack")
				       ? BUILD_UNPACK_YES
				       : BUILD_UNPACK_NO;
	for (i = 0; (word = dockerfile_flag(m->node, "exclude", i)); i++)
		strvec_push(&step->excludes, word);
	if (dockerfile_ignore_words(&rules, &step->excludes, &inner) < 0)
		return build_eval_fail(m->ev, m->st, m->node, m->err,
				       "--exclude: %s", inner.msg);
	dockerfile_ignore_free(rules);
	return check_link(m);
}

/* BuildKit's order: flags, sources, heredocs, destination as written. */
static void copy_text(const struct eval_make *m, const char *dest)
{
	struct build_step *step = m->step;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	size_t i;

	strbuf_addstr(&text, m->node->keyword);
	if (step->parents)
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

static int copy_from(const struct eval_make *m)
{
	const char *from = dockerfile_flag(m->node, "from", 0);
	struct build_from means = BUILD_FROM_CONTEXT;

	if (!from || !*from)
		return 0;
	if (build_eval_from(m->ev, (size_t)(m->st - m->ev->stages), m->node,
			    from, &means, m->err) < 0)
		return -1;
	m->step->from_stage = means.stage;
	m->step->from = xstrdup(means.name ? means.name : from);
	return 0;
}

int eval_make_copy(const struct eval_make *m)
{
	cleanup_free char *dest = NULL;

	m->step->op = BUILD_COPY;
	m->step->add = m->node->kind == DF_ADD;
	if (copy_from(m) < 0)
		return -1;
	if (copy_sources(m) < 0 || copy_owner(m) < 0 || copy_switches(m) < 0)
		return -1;
	dest = eval_expand(m, m->node->args.v[m->node->args.nr - 1]);
	if (!dest || copy_dest(m, dest) < 0)
		return -1;
	copy_text(m, dest);
	return 0;
}
