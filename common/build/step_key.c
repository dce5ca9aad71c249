/* step_key.c - what a step depends on, as its key */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/date.h"
#include "build/stage.h"
#include "build/copy.h"
#include "build/history.h"
#include "build/run.h"

/* What the files of a COPY come to be, whatever they were called. */
static int key_files(const struct build_tree *tree,
		     const struct build_step *step, struct cache_key *k,
		     struct error *err)
{
	cleanup_tree_items struct tree_items items = { 0 };
	size_t i;

	if (tree_pick(tree, step, &items, err) < 0)
		return -1;
	for (i = 0; i < items.nr; i++) {
		const struct tree_item *item = &items.v[i];
		cleanup_strbuf struct strbuf hex = STRBUF_INIT;

		if (tree_digest(tree, item, step->chmod, &hex, err) < 0)
			return -1;
		cache_key_add(k, "file",
			      item->type == S_IFDIR ? "" : item->name);
		cache_key_add(k, "implied", item->include ? "1" : "0");
		cache_key_add(k, "content", hex.buf);
	}
	return 0;
}

/* Files of a context count by what they are, those of a stage or an image by
 * the key of that, which needs no file to be there. */
static int key_part(struct build *b, const struct source_part *part,
		    struct cache_key *k, struct error *err)
{
	const struct build_step *step = &part->step;
	const struct build_from from = { step->from_stage, step->from };
	struct build_tree tree;
	int rc;

	if (part->remote)
		return source_remote_key(b, part->remote, k, err);
	if (!step->sources.nr)
		return 0;
	rc = source_key(b, &from, k, &tree, err);
	if (!rc)
		return key_files(&tree, step, k, err);
	cache_key_add_list(k, "source", &step->sources);
	return rc < 0 ? -1 : 0;
}

static int key_sources(struct build *b, const struct build_step *step,
		       struct cache_key *k, struct error *err)
{
	struct source_part part;
	size_t at = 0;

	if (step->from || step->n_remotes)
		cache_key_add_list(k, "exclude", &step->excludes);
	while (source_next_part(step, &at, &part))
		if (key_part(b, &part, k, err) < 0)
			return -1;
	return 0;
}

static void key_copy(const struct build_step *step, struct cache_key *k)
{
	size_t i;

	cache_key_add(k, "op", !step->add ? "copy" :
			       step->unpack == BUILD_UNPACK_NO ? "add" :
								 "unpack");
	cache_key_add(k, "dest", step->dest);
	cache_key_add(k, "dir", step->dest_is_dir ? "1" : "0");
	cache_key_add(k, "chown", step->chown ? step->chown : "");
	cache_key_add(k, "chmod", step->chmod ? step->chmod : "");
	cache_key_add(k, "parents", step->parents ? "1" : "0");
	cache_key_add(k, "link", step->link ? "1" : "0");
	for (i = 0; i < step->n_files; i++) {
		cache_key_add(k, "heredoc", step->files[i].name);
		cache_key_add(k, "content", step->files[i].content);
	}
}

/* What the file asks for and the command line does not give. */
static int check_allowed(const struct build_options *o,
			 const struct build_step *step, struct error *err)
{
	if (step->network == BUILD_NET_HOST && o->network == RUNTIME_NET_NONE)
		return error_set(err, ERR_INPUT, "RUN --network=host is not "
				 "allowed by --network=none");
	if (!step->insecure || o->allow_insecure)
		return 0;
	error_set(err, ERR_INPUT, "RUN --security=insecure is not allowed");
	return error_hint(err, "it is given all rights of root with "
			       "--allow security.insecure");
}

static int key_run(struct build *b, const struct build_step *step,
		   struct cache_key *k, struct error *err)
{
	if (check_allowed(b->o, step, err) < 0)
		return -1;
	cache_key_add(k, "op", "run");
	cache_key_add_list(k, "arg", &step->argv);
	cache_key_add_list(k, "env", &step->env);
	cache_key_add(k, "cwd", step->cwd);
	cache_key_add(k, "script", step->script ? step->script : "");
	cache_key_add(k, "network",
		      run_network(b->o, step) == RUNTIME_NET_NONE ? "none"
								  : "host");
	if (step->insecure)
		cache_key_add(k, "security", "insecure");
	if (step->hostname)
		cache_key_add(k, "hostname", step->hostname);
	return run_mounts_key(b, step, k, err);
}

static void key_workdir(const struct build *b, const struct build_step *step,
			struct cache_key *k)
{
	cache_key_add(k, "op", "workdir");
	cache_key_add(k, "cwd", step->cwd);
	/* which its directories carry */
	if (b->epoch >= 0) {
		cleanup_free char *epoch = date_format(b->epoch);

		cache_key_add(k, "epoch", epoch);
	}
}

/* What every step depends on. */
static void key_begin(const struct build *b, const struct build_stage *st,
		      const struct build_planned *p, struct cache_key *k)
{
	cleanup_free char *platform = NULL;
	struct build_base base;

	/* That of the text, which is the same at any time: an empty base has
	 * one only when the stage is planned. */
	build_eval_base(b->ev, (size_t)(st - b->stages), &base);
	platform = oci_platform_format(base.platform);
	cache_key_begin(k, p->step.link ? "" : p->parent);
	cache_key_add(k, "platform", platform);
	/* One mapped id cannot hold the owners that a range can. */
	cache_key_add(k, "ids", b->o->single_id ? "single" : "all");
}

static int key_step(struct build *b, const struct build_step *step,
		    struct cache_key *k, struct error *err)
{
	if (step->op == BUILD_COPY) {
		key_copy(step, k);
		return key_sources(b, step, k, err);
	}
	cache_key_add(k, "user", step->user);
	if (step->op == BUILD_RUN)
		return key_run(b, step, k, err);
	key_workdir(b, step, k);
	return 0;
}

int step_key(struct build *b, const struct build_stage *st,
	     struct build_planned *p, struct error *err)
{
	key_begin(b, st, p, &p->text);
	if (key_step(b, &p->step, &p->text, err) < 0)
		return -1;
	cache_key_finish(&p->text, p->key);
	memcpy(p->as, p->key, CACHE_KEY);
	return 0;
}

bool step_is_same(struct build *b, const struct build_stage *st,
		  const struct build_planned *p)
{
	struct build_planned now = { .step = p->step, .text = CACHE_KEY_INIT };
	int rc;

	memcpy(now.parent, p->parent, CACHE_KEY);
	rc = step_key(b, st, &now, NULL);
	cache_key_release(&now.text);
	return !rc && str_eq(now.key, p->key);
}

int step_content_key(struct build *b, const struct build_stage *st,
		     const struct build_planned *p, char hex[CACHE_KEY],
		     struct error *err)
{
	const struct build_step *step = &p->step;
	const struct build_from from = { step->from_stage, step->from };
	cleanup_cache_key struct cache_key k = CACHE_KEY_INIT;
	struct source_view view;
	int rc = 0;

	*hex = '\0';
	if (step->op != BUILD_COPY || !step->from || !step->sources.nr)
		return 0;
	if (source_open(b, &from, NULL, &view, err) < 0)
		return -1;
	/* What is not mounted is a directory, of which the content is in the
	 * first key. */
	if (view.mount) {
		key_begin(b, st, p, &k);
		key_copy(step, &k);
		rc = key_files(&view.tree, step, &k, err);
		cache_key_finish(&k, hex);
	}
	source_close(b, &view);
	return rc;
}
