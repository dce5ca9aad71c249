/* context.c - plans of trees that are no directory here: a tar, a URL */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"

void cli_context_release(struct cli_context *c)
{
	if (c->dir && c->lock >= 0)
		store_scratch_drop(c->store, c->dir, c->lock);
	free(c->dir);
	build_context_release(&c->fetched);
}

static int read_tar(struct cli_context *c, struct store *s, struct error *err)
{
	cleanup_close int fd = -1;

	c->store = s;
	c->dir = store_scratch(s, &c->lock, err);
	if (!c->dir)
		return -1;
	fd = open(c->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "cannot open '%s'", c->dir);
	if (store_extract_archive(s, STDIN_FILENO, fd, false, 0, 0, err) < 0) {
		error_wrap(err, "standard input");
		return error_hint(err, "a record or a tar is expected there, "
				       "as from 'tar c .'; a Dockerfile is "
				       "read by '-f -'");
	}
	return 0;
}

static int fetch(struct cli_context *c, struct cli_builder *b,
		 const struct strvec *args, const char *url,
		 struct error *err)
{
	struct build_options o = {
		.store = b->store,
		.registry = &b->registry_options,
		.args = args,
		.git = { .url = url,
			 .ca_file = b->registry_options.ca_file,
			 .ca_base64 = b->registry_options.ca_base64 },
	};

	if (b->git)
		cli_git_access(b->git, &o.git);
	if (build_context_fetch(&o, url, &c->fetched, err) < 0)
		return -1;
	c->dir = xstrdup(c->fetched.dir);
	b->origin = url;
	b->fetched = true;
	b->context_time = c->fetched.time;
	return 0;
}

static int find_and_plan(struct cli_round *r, const struct strvec *words,
			 const struct cli_project_options *o,
			 struct error *err)
{
	if (cli_project_find(&r->project, words, o, err) < 0)
		return -1;
	return cli_project_plan(&r->project, o, &r->plan, err);
}

/* Find the plan in there, then come back, as names on the command line mean
 * files here. */
static int plan_inside(const struct cli_context *c, struct cli_round *r,
		       const struct strvec *words,
		       const struct cli_project_options *o, struct error *err)
{
	cleanup_close int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int rc;

	r->project.alone = true;
	if (here < 0 || chdir(c->dir) < 0)
		return error_errno(err, "cannot enter '%s'", c->dir);
	rc = find_and_plan(r, words, o, err);
	if (fchdir(here) < 0 && !rc)
		return error_errno(err, "cannot go back");
	return rc;
}

static int plan_tar(struct cli_context *c, struct cli_builder *b,
		    struct cli_round *r, const struct strvec *words,
		    const struct cli_project_options *o, struct error *err)
{
	cleanup_strvec struct strvec none = STRVEC_INIT;

	if (read_tar(c, b->store, err) < 0)
		return -1;
	return plan_inside(c, r, words->nr > 1 ? words : &none, o, err);
}

static int plan_url(struct cli_context *c, struct cli_builder *b,
		    struct cli_round *r, const char *url,
		    const struct cli_project_options *o, struct error *err)
{
	cleanup_strvec struct strvec none = STRVEC_INIT;
	struct record_source source;

	if (fetch(c, b, &o->build_args, url, err) < 0)
		return -1;
	if (plan_inside(c, r, &none, o, err) < 0)
		return error_wrap(err, "%s", c->fetched.url);
	source = (struct record_source){ .url = c->fetched.url,
					 .ref = c->fetched.ref,
					 .commit = c->fetched.commit };
	record_source_set(&source, &r->project.record);
	return 0;
}

/* Its history differs from clone to clone, and is no part of what others have
 * built of it. */
static int clone_into(struct cli_context *c, const struct cli_builder *b,
		      const struct cli_clone_options *clone,
		      struct record *record, struct error *err)
{
	struct cli_clone_options o = *clone;
	cleanup_free char *git = NULL;

	c->store = b->store;
	c->dir = store_scratch(b->store, &c->lock, err);
	if (!c->dir)
		return -1;
	if (!o.depth)
		o.depth = 1;
	if (cli_clone_get(&o, b->git, o.git_url, c->dir, record, err) < 0)
		return -1;
	git = path_join(c->dir, ".git");
	return fs_remove_tree(AT_FDCWD, git, err);
}

int cli_context_clone(struct cli_context *c, struct cli_builder *b,
		      struct cli_round *r,
		      const struct cli_clone_options *clone,
		      const struct cli_project_options *o, struct error *err)
{
	cleanup_strvec struct strvec none = STRVEC_INIT;
	cleanup_record struct record record = RECORD_INIT;
	struct record_source source;

	if (clone_into(c, b, clone, &record, err) < 0)
		return -1;
	record_source_get(&source, &record);
	source.path = NULL;
	b->origin = clone->git_url;
	if (!r->project.place)
		r->project.place = cli_clone_place(clone, clone->git_url);
	if (plan_inside(c, r, &none, o, err) < 0)
		return error_wrap(err, "%s", source.url);
	record_source_set(&source, &r->project.record);
	return 0;
}

static bool is_remote(const char *word)
{
	return (dockerfile_is_git(word) || dockerfile_is_url(word)) &&
	       !fs_exists(word);
}

static int nothing_came(struct error *err)
{
	error_set(err, ERR_INPUT, "standard input is empty");
	return error_hint(err, "a record or a tar was expected; what writes "
			       "to the pipe may have failed");
}

int cli_context_plan(struct cli_context *c, struct cli_builder *b,
		     struct cli_round *r, const struct strvec *words,
		     const struct cli_project_options *o, struct error *err)
{
	bool dash = words->nr == 1 && str_eq(words->v[0], "-");
	bool file = o->file && str_eq(o->file, "-");
	bool named = words->nr == 2 && cli_input_possible();
	enum cli_input kind = INPUT_NOTHING;

	if (dash && file)
		return error_set(err, ERR_USAGE,
				 "standard input cannot be both the context "
				 "and the Dockerfile");
	if (words->nr == 1 && is_remote(words->v[0]))
		return plan_url(c, b, r, words->v[0], o, err);
	if ((dash || named) && cli_input_kind(&kind, err) < 0)
		return -1;
	if (dash && kind == INPUT_NOTHING)
		return nothing_came(err);
	if (kind == INPUT_TAR)
		return plan_tar(c, b, r, words, o, err);
	return find_and_plan(r, words, o, err);
}
