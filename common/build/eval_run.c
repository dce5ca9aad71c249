/* eval_run.c - RUN with everything expanded */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/eval.h"
#include "feature/feature.h"

/* "#!/bin/sh..." : the first line of a script, for people. */
static void add_summary(struct strbuf *out, const char *body)
{
	size_t n;

	body += strspn(body, " \t\r\n");
	n = strcspn(body, "\r\n");
	strbuf_addf(out, " (%.*s%s)", (int)n, body,
		    body[n + strspn(body + n, " \t\r\n")] ? "..." : "");
}

/* A lone heredoc is the script itself. */
static int run_script(const struct eval_make *m)
{
	const struct dockerfile_heredoc *h = &m->node->heredocs[0];
	cleanup_free char *body = eval_heredoc_body(h);
	cleanup_free char *path = NULL;

	if (!str_starts(h->content, "#!")) {
		build_eval_shell(&m->st->config, body, &m->step->argv);
		return 0;
	}
	if (eval_check_file_name(m, h->name) < 0)
		return -1;
	path = xstrfmt("/dev/pipes/%s", h->name);
	build_eval_shell(&m->st->config, path, &m->step->argv);
	m->step->script = steal_ptr(&body);
	m->step->script_name = xstrdup(h->name);
	return 0;
}

static int run_argv(const struct eval_make *m)
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

/* One that the kernel takes, and that /etc/hosts can hold. */
static bool is_host_name(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz"
				"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");

	return n && n <= 64 && !name[n];
}

static int set_sandbox(const struct eval_make *m)
{
	const char *network = dockerfile_flag(m->node, "network", 0);
	const char *security = dockerfile_flag(m->node, "security", 0);
	const char *name = build_eval_given(m->ev, "BUILDKIT_SANDBOX_HOSTNAME");
	const char *ns = build_eval_given(m->ev, "BUILDKIT_CACHE_MOUNT_NS");

	if (dockerfile_flag(m->node, "device", 0) && !m->ev->view)
		return eval_unsupported(m, "RUN --device");
	if (network && str_eq(network, "none"))
		m->step->network = BUILD_NET_NONE;
	else if (network && str_eq(network, "host"))
		m->step->network = BUILD_NET_HOST;
	m->step->insecure = security && str_eq(security, "insecure");
	if (name && !is_host_name(name))
		return build_eval_fail(m->ev, m->st, m->node, m->err,
				       "BUILDKIT_SANDBOX_HOSTNAME: '%s' is no "
				       "host name", name);
	m->step->hostname = xstrdup_null(name);
	m->step->cache_ns = xstrdup(ns ? ns : "");
	return 0;
}

/* A Feature is known by its name, not by how it is installed. */
static void add_text(const struct eval_make *m, struct strbuf *out)
{
	const char *body = m->node->n_heredocs ? m->node->heredocs[0].content :
						 NULL;

	if (body && m->ev->features && m->st == &m->ev->stages[m->ev->target] &&
	    str_starts(body, FEATURE_TITLE)) {
		strbuf_addf(out, "RUN %.*s", (int)strcspn(body, "\n"), body);
		return;
	}
	strbuf_addstr(out, m->node->text);
	if (body)
		add_summary(out, body);
}

int eval_make_run(const struct eval_make *m)
{
	cleanup_strbuf struct strbuf history = STRBUF_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	size_t i;

	m->step->op = BUILD_RUN;
	if (set_sandbox(m) < 0 || eval_make_mounts(m) < 0 || run_argv(m) < 0)
		return -1;
	if (!m->step->argv.nr)
		return build_eval_fail(m->ev, m->st, m->node, m->err,
				       "RUN without a command");
	if (build_eval_run_env(m->ev, m->st, m->step, m->err) < 0)
		return -1;
	strbuf_addstr(&history, "RUN ");
	build_eval_arg_prefix(m->st, &history);
	for (i = 0; i < m->step->argv.nr; i++)
		strbuf_addf(&history, "%s ", m->step->argv.v[i]);
	strbuf_addstr(&history, "# buildkit");
	if (build_eval_charge(m->ev, m->st, m->node, history.len, m->err) < 0)
		return -1;
	m->step->created_by = strbuf_detach(&history);
	add_text(m, &text);
	m->step->text = strbuf_detach(&text);
	return 0;
}
