/* eval.h - what the files of the evaluation share */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_EVAL_H
#define BUILD_EVAL_H

#include "base/strindex.h"
#include "build/build.h"

#define BUILD_VARS_MAX 4096 /* of one stage, ENV and ARG each */
#define BUILD_EXPANDED_MAX (64u << 20) /* bytes, of all stages together */

/* Of a stage: its environment, arguments and labels. Of all: the arguments
 * before the first FROM as `env`, with all names declared there as `args`. */
struct eval_index {
	struct strindex env, args, labels;
};
void eval_index_free(struct eval_index *ix);

struct build_stage {
	const struct dockerfile_stage *cut;
	char *label; /* name, or "stage-N": for messages */
	char *image; /* base as expanded */
	size_t base; /* stage it continues, or SIZE_MAX */
	bool scratch;
	const struct build_named *named; /* its base is from there, or NULL */
	bool replaced; /* a context of its name stands for all of it */
	bool filled;   /* the files of `named` were taken */
	struct oci_platform platform;
	bool needed;
	size_t *deps; /* stages whose files or configuration it needs */
	size_t n_deps, alloc_deps;

	/* While it is evaluated */
	struct oci_config config;
	struct strvec args;   /* declared, in order: "K=V", or "K" if unset */
	struct eval_index *index;
	bool cmd_set;	      /* a CMD of this file, not of a base image */
	bool workdir_set;     /* so a WORKDIR */
	struct dockerfile *triggers; /* one each, parsed */
	size_t n_triggers, next_trigger;
	size_t next_node;
	bool in_trigger;
};

struct build_eval {
	const struct dockerfile *df;
	struct dockerfile_stages cuts;
	struct build_stage *stages;
	size_t nr, target;
	struct strvec build_args; /* "K=V" */
	bool *used;		  /* one a build argument */
	struct strvec globals;	  /* before the first FROM, "K=V" */
	struct eval_index *index;
	size_t *by_name; /* stages with a name: by name, then in order */
	size_t n_named;
	size_t expanded;	  /* bytes of text that variables made */
	struct oci_platform platform;
	const struct build_named_list *named;
	int64_t epoch; /* -1: none */
	char *epoch_from; /* a context or stage whose time it is, or NULL */
	struct build_remote epoch_remote; /* what that stage adds */
	bool view; /* steps are shown, not run: nothing is unsupported */
	struct dockerfile_lint *lint; /* or NULL */
	bool check; /* findings end nothing */
	bool features;
	const struct dockerfile_ignore *ignore; /* for checks; or NULL */
	/* Names that were told as unset in one instruction. */
	const struct dockerfile_node *told_at;
	struct strindex told;
};

/* --- eval_scope.c: variables --- */

/* Sets "NAME:LINE:COL: ..."; a trigger stands where its FROM does. */
int build_eval_fail(const struct build_eval *ev, const struct build_stage *st,
		    const struct dockerfile_node *node, struct error *err,
		    const char *fmt, ...) PRINTF(5, 6);
/* Put the position before a message that has none. */
int build_eval_place(const struct build_eval *ev, const struct build_stage *st,
		     const struct dockerfile_node *node, struct error *err);
/* Count text that variables made; fails above BUILD_EXPANDED_MAX, because a
 * short file can refer to a long value from every line. */
int build_eval_charge(struct build_eval *ev, const struct build_stage *st,
		      const struct dockerfile_node *node, size_t n,
		      struct error *err) MUST_CHECK;
/* Expand in a stage, or (st == NULL) in the global scope; NULL on error. */
char *build_eval_expand(struct build_eval *ev,
			const struct build_stage *st,
			const struct dockerfile_node *node, const char *word,
			struct error *err);
/* The same for EXPOSE (words split after expansion) and heredoc bodies. */
int build_eval_expand_words(struct build_eval *ev,
			    const struct build_stage *st,
			    const struct dockerfile_node *node,
			    const char *word, struct strvec *out,
			    struct error *err) MUST_CHECK;
char *build_eval_expand_body(struct build_eval *ev,
			     const struct build_stage *st,
			     const struct dockerfile_node *node,
			     const char *body, struct error *err);
int build_eval_init_args(struct build_eval *ev,
			 const struct build_eval_options *o,
			 struct error *err) MUST_CHECK;
/* --- eval_epoch.c --- */

#define BUILD_EPOCH "SOURCE_DATE_EPOCH"
/* Take it from the build arguments, or from the environment as buildx does. */
int build_eval_init_epoch(struct build_eval *ev, struct error *err)
	MUST_CHECK;
/* A value of the argument; one that stands for no time becomes NULL. */
int build_eval_set_epoch(struct build_eval *ev, const char **value,
			 struct error *err) MUST_CHECK;

/* The ARG lines before the first FROM. */
int build_eval_globals(struct build_eval *ev, struct error *err) MUST_CHECK;
/* An ARG of a stage; appends its history text. */
int build_eval_arg(struct build_eval *ev, struct build_stage *st,
		   const struct dockerfile_node *node, struct strbuf *text,
		   struct error *err) MUST_CHECK;
/* The value that the command line gives an argument, or NULL. */
const char *build_eval_given(struct build_eval *ev, const char *key);
/* Environment of a RUN, and the proxies that no ARG declares. */
int build_eval_run_env(struct build_eval *ev, const struct build_stage *st,
		       struct build_step *step, struct error *err) MUST_CHECK;
/* "|2 a=1 b=2 " of the history, or nothing. */
void build_eval_arg_prefix(const struct build_stage *st, struct strbuf *out);

/* --- eval_users.c: whom Features are installed for --- */

/* The value of an ARG that is given none, malloc'ed; NULL: it has none. */
char *build_eval_user(const struct build_eval *ev,
		      const struct build_stage *st, const char *name);

/* --- eval_lint.c: checks; nothing happens where nobody asked for them --- */

/* A name without a value; `st` NULL: in a FROM. */
void build_eval_unset(struct build_eval *ev, const struct build_stage *st,
		      const struct dockerfile_node *node, const char *name);
/* What FROM lines are without build arguments. */
void build_eval_lint_defaults(const struct build_eval *ev,
			      const struct build_eval_options *o);
/* The base a stage is about to begin with. */
void build_eval_lint_base(const struct build_eval *ev,
			  const struct build_stage *st,
			  const struct oci_config *base);
/* An instruction that was evaluated. */
void build_eval_lint_step(struct build_eval *ev, struct build_stage *st,
			  const struct dockerfile_node *node,
			  const struct build_step *step);
/* Fails once there are findings and `error=true` makes them count. */
int build_eval_lint_verdict(const struct build_eval *ev, struct error *err)
	MUST_CHECK;

/* --- eval_graph.c: stages and what they need --- */

int build_eval_resolve(struct build_eval *ev, struct error *err) MUST_CHECK;
/* What --from means at `at`; strings are borrowed from `from` or the stages. */
int build_eval_from(const struct build_eval *ev, size_t at,
		    const struct dockerfile_node *node, const char *from,
		    struct build_from *out, struct error *err) MUST_CHECK;
/* A stage that begins with the files of a named context: the step that takes
 * them, once. */
bool build_eval_fill(const struct build_eval *ev, struct build_stage *st,
		     struct build_step *step);
/* Add what an instruction needs to the stage `at`. */
int build_eval_add_deps(struct build_eval *ev, size_t at,
			const struct dockerfile_node *node, struct error *err)
	MUST_CHECK;
void build_eval_mark(struct build_eval *ev, size_t stage);

/* --- eval_meta.c, eval_step.c, eval_run.c, eval_mount.c, eval_copy.c --- */

/* Those that change the configuration only; appends the history text. */
int build_eval_meta(struct build_eval *ev, struct build_stage *st,
		    const struct dockerfile_node *node, struct strbuf *text,
		    struct error *err) MUST_CHECK;
/* RUN, COPY, ADD and WORKDIR. */
int build_eval_step(struct build_eval *ev, struct build_stage *st,
		    const struct dockerfile_node *node,
		    struct build_step *step, struct error *err) MUST_CHECK;
/* One instruction on its way to a step. */
struct eval_make {
	struct build_eval *ev;
	struct build_stage *st;
	const struct dockerfile_node *node;
	struct build_step *step;
	struct error *err;
};
int eval_make_run(const struct eval_make *m) MUST_CHECK;
/* eval_mount.c: the --mount flags of a RUN */
int eval_make_mounts(const struct eval_make *m) MUST_CHECK;
void build_mount_release(struct build_mount *mount);
int eval_make_copy(const struct eval_make *m) MUST_CHECK;
/* The last source is a URL or a Git reference; and whether what the flags ask
 * for fits all sources. */
int eval_add_remote(const struct eval_make *m, const char *source) MUST_CHECK;
int eval_check_remotes(const struct eval_make *m) MUST_CHECK;
/* Malloc'ed, NULL on error. */
char *eval_expand(const struct eval_make *m, const char *word);
int eval_unsupported(const struct eval_make *m, const char *what);
/* The text of a heredoc, without the tabs that `<<-` takes; malloc'ed. */
char *eval_heredoc_body(const struct dockerfile_heredoc *h);
/* Fails when a heredoc's name cannot be that of a file. */
int eval_check_file_name(const struct eval_make *m, const char *name)
	MUST_CHECK;
/* `text` behind the SHELL in force, appended. */
void build_eval_shell(const struct oci_config *c, const char *text,
		      struct strvec *out);

#endif
