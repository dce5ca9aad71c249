/* eval_remote.c - sources of ADD that are fetched: URLs and Git */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/eval.h"
#include "wrap/giturl.h"
#include "wrap/url.h"

void build_remote_release(struct build_remote *r)
{
	free(r->url);
	free(r->name);
	free(r->checksum);
	dockerfile_git_release(&r->git);
}

static int set_url(struct build_remote *r, const char *text, struct error *err)
{
	cleanup_url struct url u = { 0 };

	if (url_parse(&u, text, err) < 0)
		return -1;
	r->url = xstrdup(text);
	if (!r->name)
		r->name = url_file_name(text);
	if (!r->name) /* as BuildKit calls it */
		r->name = xstrdup("__unnamed__");
	return 0;
}

static int set_git(struct build_remote *r, const char *text, struct error *err)
{
	cleanup_strbuf struct strbuf shown = STRBUF_INIT;
	cleanup_giturl struct giturl u = { 0 };

	r->is_git = true;
	if (dockerfile_git_parse(&r->git, text, err) < 0 ||
	    giturl_parse(&u, r->git.remote, err) < 0)
		return -1;
	giturl_redact(text, &shown);
	r->url = strbuf_detach(&shown);
	r->checksum = xstrdup_null(r->git.checksum);
	return 0;
}

int build_remote_parse(struct build_remote *r, const char *text,
		       struct error *err)
{
	int rc = dockerfile_is_git(text) ? set_git(r, text, err)
					 : set_url(r, text, err);

	if (rc < 0 && err && err->code == ERR_USAGE)
		err->code = ERR_INPUT;
	return rc;
}

static int fail(const struct eval_make *m, const char *text)
{
	return build_eval_fail(m->ev, m->st, m->node, m->err, "%s", text);
}

/* --checksum of the instruction beside that of the reference. */
static int git_checksum(const struct eval_make *m, struct build_remote *r,
			const char *value)
{
	size_t n = strspn(value, "0123456789abcdef");

	if (r->checksum && !str_eq(r->checksum, value))
		return build_eval_fail(m->ev, m->st, m->node, m->err,
				       "checksum conflicts: --checksum=%s and "
				       "%s in the reference", value,
				       r->checksum);
	if (value[n] || n < 4 || n > 64)
		return build_eval_fail(m->ev, m->st, m->node, m->err,
				       "invalid checksum '%s': the beginning "
				       "of a commit's id is expected", value);
	free(r->checksum);
	r->checksum = xstrdup(value);
	return 0;
}

static int set_checksum(const struct eval_make *m, struct build_remote *r)
{
	const char *flag = dockerfile_flag(m->node, "checksum", 0);
	cleanup_free char *value = NULL;

	if (!flag || !*flag)
		return 0;
	value = eval_expand(m, flag);
	if (!value)
		return -1;
	if (r->is_git)
		return git_checksum(m, r, value);
	if (!digest_valid(value))
		return build_eval_fail(m->ev, m->st, m->node, m->err,
				       "invalid checksum digest format '%s': "
				       "sha256: and 64 digits are expected",
				       value);
	r->checksum = steal_ptr(&value);
	return 0;
}

static int set_git_dir(const struct eval_make *m, struct build_remote *r)
{
	bool flag = dockerfile_flag_bool(m->node, "keep-git-dir");

	if (dockerfile_flag(m->node, "keep-git-dir", 0) &&
	    r->git.keep_git_dir >= 0 && flag != r->git.keep_git_dir)
		return fail(m, "inconsistent keep-git-dir configuration");
	r->keep_git_dir = flag || r->git.keep_git_dir == 1;
	return 0;
}

int eval_add_remote(const struct eval_make *m, const char *source)
{
	struct build_step *step = m->step;
	cleanup_error struct error why = ERROR_INIT;
	struct build_remote *r;

	step->remotes = xrealloc_array(step->remotes, step->n_remotes + 1,
				       sizeof(*step->remotes));
	r = &step->remotes[step->n_remotes++];
	*r = (struct build_remote){ .at = step->sources.nr - 1 };
	if (build_remote_parse(r, source, &why) < 0) {
		build_eval_fail(m->ev, m->st, m->node, m->err, "%s", why.msg);
		return why.hint ? error_hint(m->err, "%s", why.hint) : -1;
	}
	if (r->is_git) {
		/* Credentials are for the remote, not for people. */
		free(step->sources.v[r->at]);
		step->sources.v[r->at] = xstrdup(r->url);
	}
	if (set_checksum(m, r) < 0)
		return -1;
	return r->is_git ? set_git_dir(m, r) : 0;
}

int eval_check_remotes(const struct eval_make *m)
{
	const char *checksum = dockerfile_flag(m->node, "checksum", 0);
	size_t n = m->step->sources.nr + m->step->n_files;

	if (!checksum || !*checksum)
		return 0;
	if (n > 1)
		return fail(m, "checksum can't be specified for multiple "
			       "sources");
	if (!m->step->n_remotes)
		return fail(m, "checksum requires an HTTP(S) or Git source");
	return 0;
}

const struct build_remote *build_step_remote(const struct build_step *step,
					     size_t i)
{
	size_t k;

	for (k = 0; k < step->n_remotes; k++)
		if (step->remotes[k].at == i)
			return &step->remotes[k];
	return NULL;
}
