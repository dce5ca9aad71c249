/* tree.c - from a URL or a directory to the plan of a workspace */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/tree.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "cli/life.h"
#include "wrap/giturl.h"

void cli_tree_release(struct cli_tree *t)
{
	record_release(&t->source);
	cli_context_release(&t->fresh);
}

/* A bad URL is left to who clones. */
static int check_word(const char *word, struct error *err)
{
	cleanup_giturl struct giturl u = { 0 };

	if (giturl_parse(&u, word, NULL) < 0 || u.kind != GITURL_PATH ||
	    fs_exists(u.path))
		return 0;
	error_set(err, ERR_INPUT,
		  "'%s' is neither a directory nor the URL of a repository",
		  word);
	return error_hint(err, "URLs look like https://HOST/PATH or "
			       "USER@HOST:PATH");
}

/* A directory that is there is not cloned. */
static int get_dir(struct cli_tree *t, const struct cli_tree_options *o,
		   const struct cli_builder *b, const char *word,
		   struct strvec *words, struct error *err)
{
	struct cli_clone_options how = *o->clone;
	struct record_source source;

	if (!word || fs_is_dir(word)) {
		strvec_push(words, word ? word : ".");
		return 0;
	}
	how.keep = true; /* somebody may be at work in there */
	if (check_word(word, err) < 0 ||
	    cli_clone_get(&how, b->git, word, NULL, &t->source, err) < 0)
		return -1;
	record_source_get(&source, &t->source);
	strvec_push(words, source.path);
	return 0;
}

static void keep_source(const struct cli_tree *t, struct cli_builder *b,
			struct cli_round *r)
{
	struct record_source source;

	if (!t->source.json)
		return;
	record_source_get(&source, &t->source);
	record_source_set(&source, &r->project.record);
	b->source = source;
	b->origin = source.url;
}

static bool is_remote(const char *word)
{
	return word && !fs_is_dir(word);
}

/* What initializeCommand prepares is the workspace. */
static int check_remote(const struct cli_tree_options *o, const char *word,
			struct error *err)
{
	if (o->initialize)
		return error_set(err, ERR_USAGE,
				 "--remote-repo-build-mode and "
				 "--allow-initialize exclude each other");
	if (is_remote(word) || is_remote(o->clone->git_url))
		return 0;
	return error_set(err, ERR_USAGE,
			 "--remote-repo-build-mode needs the "
			 "URL of a repository");
}

static int open_store(const struct cli_tree_options *o, struct cli_builder *b,
		      struct error *err)
{
	return cli_open_store(o->store, o->driver, &b->store, &b->mode, err);
}

static int plan_remote(struct cli_tree *t, const struct cli_tree_options *o,
		       const char *url, const char *dir, struct cli_builder *b,
		       struct cli_round *r, struct error *err)
{
	if (open_store(o, b, err) < 0 ||
	    cli_context_remote(&t->fresh, b, r, o->clone, url, dir, o->project,
			       err) < 0)
		return -1;
	return cli_initialize(r->plan.config, dir, false, err);
}

int cli_tree_plan(struct cli_tree *t, const struct cli_tree_options *o,
		  const char *word, struct cli_builder *b, struct cli_round *r,
		  struct error *err)
{
	cleanup_strvec struct strvec words = STRVEC_INIT;

	if ((o->remote && check_remote(o, word, err) < 0) ||
	    get_dir(t, o, b, word, &words, err) < 0)
		return -1;
	if (o->remote)
		return plan_remote(t, o,
				   is_remote(word) ? word : o->clone->git_url,
				   words.v[0], b, r, err);
	if (cli_round_plan(r, &words, o->project, err) < 0 ||
	    (!o->only_probe && cli_initialize(r->plan.config, r->project.dir,
					      o->initialize, err) < 0) ||
	    open_store(o, b, err) < 0)
		return -1;
	keep_source(t, b, r);
	return 0;
}

/* What the repository, its files or a remote are to blame for. */
static bool may_fall_back(const struct cli_tree_options *o, const char *word,
			  const struct cli_round *r, const struct error *why)
{
	if (!o->project->fallback || o->must_build || o->only_probe ||
	    r->plan.kind == RECORD_FALLBACK ||
	    (is_remote(word) && check_word(word, NULL) < 0))
		return false;
	return why->code == ERR_INPUT || why->code == ERR_NETWORK ||
	       why->code == ERR_REFUSED || why->code == ERR_STEP;
}

/* A clone that failed leaves the place where it would have been. */
static char *make_dir(const struct cli_tree_options *o, const char *word,
		      struct error *err)
{
	cleanup_free char *dir = is_remote(word)
					 ? cli_clone_place(o->clone, word)
					 : path_absolute(word ? word : ".");

	return fs_mkdir_p(dir, 0755, err) < 0 ? NULL : steal_ptr(&dir);
}

int cli_tree_fall_back(struct cli_tree *t, const struct cli_tree_options *o,
		       const char *word, struct cli_builder *b,
		       struct cli_round *r, struct error *why,
		       struct error *err)
{
	const struct cli_project_options plain = {
		.fallback = o->project->fallback,
		.platform = o->project->platform,
	};

	if (!may_fall_back(o, word, r, why))
		return error_move(err, why);
	log_error("%s", why->msg);
	log_warn("the fallback image '%s' is used instead", plain.fallback);
	cli_round_release(r);
	*r = (struct cli_round){ .project.kind = RECORD_FALLBACK };
	cli_context_release(&t->fresh);
	t->fresh = (struct cli_context)CLI_CONTEXT_INIT;
	record_new(&r->project.record);
	r->project.dir = make_dir(o, word, err);
	if (!r->project.dir ||
	    cli_config_labels(&o->project->id_labels, &r->project.labels,
			      err) < 0 ||
	    cli_project_plan(&r->project, &plain, &r->plan, err) < 0 ||
	    (!b->store && open_store(o, b, err) < 0))
		return -1;
	r->project.root = cli_project_top(r->project.dir);
	keep_source(t, b, r);
	return 0;
}

void cli_tree_built(struct cli_tree *t, struct cli_round *r)
{
	if (t->fresh.dir)
		cli_context_settle(&t->fresh, r);
}
