/* dockerfile.h - the Dockerfile language: text in, instructions out */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCKERFILE_DOCKERFILE_H
#define DOCKERFILE_DOCKERFILE_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/strindex.h"
#include "base/strvec.h"
#include "wrap/json.h"

enum dockerfile_kind {
	DF_UNKNOWN, /* kept by the parser, an error when checked */
	DF_ADD, DF_ARG, DF_CMD, DF_COPY, DF_ENTRYPOINT, DF_ENV, DF_EXPOSE,
	DF_FROM, DF_HEALTHCHECK, DF_LABEL, DF_MAINTAINER, DF_ONBUILD, DF_RUN,
	DF_SHELL, DF_STOPSIGNAL, DF_USER, DF_VOLUME, DF_WORKDIR,
};

enum dockerfile_form {
	DF_FORM_WORDS, /* blank separated words */
	DF_FORM_SHELL, /* one string, the rest of the line */
	DF_FORM_EXEC,  /* a JSON array of strings */
	DF_FORM_PAIRS, /* key=value words: ENV, LABEL, ARG */
};

struct dockerfile_heredoc {
	char *name, *content;
	bool expand; /* delimiter was not quoted */
	bool chomp;  /* <<- */
	unsigned fd;
};

struct dockerfile_pair {
	char *key;
	char *value; /* NULL: `ARG x` without "=" */
};

/* One instruction as written: nothing is expanded, quotes are kept. */
struct dockerfile_node {
	enum dockerfile_kind kind;
	char *keyword; /* upper case */
	struct strvec flags; /* "--name[=value]" words in order */
	enum dockerfile_form form;
	struct strvec args;
	struct dockerfile_pair *pairs;
	size_t n_pairs;
	struct dockerfile_heredoc *heredocs;
	size_t n_heredocs;
	unsigned start, end; /* lines from 1, heredoc bodies included */
	unsigned col; /* of the keyword, from 1 */
	char *text; /* the instruction as source, continuations joined, without
		       heredoc bodies: for messages, ONBUILD and history */
	char *comment; /* text of the comment lines right above, or NULL */
	bool legacy_pair; /* `ENV key value` */
	bool empty_lines; /* in its continuation */
	struct dockerfile_node *onbuild; /* DF_ONBUILD: the trigger */
};

#define DOCKERFILE_TEXT_MAX (1u << 20)	   /* without heredoc bodies */
#define DOCKERFILE_HEREDOC_MAX (8u << 20)  /* all bodies together */
#define DOCKERFILE_NODES_MAX 65536
#define DOCKERFILE_STAGES_MAX 4096
#define DOCKERFILE_FLAGS_MAX 1000 /* of one instruction */
#define DOCKERFILE_WORD_MAX (1u << 20) /* an expanded word */

struct dockerfile {
	char *name; /* for messages */
	char escape; /* '\\' or '`' */
	struct strvec directives; /* "key=value" in order */
	struct dockerfile_node *nodes;
	size_t n_nodes;
};
#define cleanup_dockerfile CLEANUP(dockerfile_release)
void dockerfile_release(struct dockerfile *df);

/*
 * Syntax only (devenv-parse(1) `ast`): unknown instructions and flags pass and
 * no FROM is needed. Errors are ERR_INPUT "NAME:LINE:COL: dockerfile parse
 * error on line N: ..." in BuildKit's words.
 */
int dockerfile_parse(struct dockerfile *df, const char *name,
		     const char *text, size_t n, struct error *err)
	MUST_CHECK;
/* One instruction from an image's OnBuild list. */
int dockerfile_parse_trigger(struct dockerfile *df, const char *text,
			     struct error *err) MUST_CHECK;
/* The `ast` view. */
struct json *dockerfile_to_json(const struct dockerfile *df);

/*
 * Everything the text alone can have wrong in one instruction: keyword,
 * flags and their values, argument counts, forms. The message starts with
 * "NAME:LINE:COL: ".
 */
int dockerfile_check(const struct dockerfile *df,
		     const struct dockerfile_node *node, struct error *err)
	MUST_CHECK;
/* Value of a flag ("" for a bare one), NULL when absent. `nth` counts repeats
 * from 0. */
const char *dockerfile_flag(const struct dockerfile_node *node,
			    const char *name, size_t nth);
bool dockerfile_flag_bool(const struct dockerfile_node *node,
			  const char *name);

/* --- RUN --mount --- */

enum dockerfile_mount_type {
	DF_MOUNT_BIND,
	DF_MOUNT_CACHE,
	DF_MOUNT_TMPFS,
	DF_MOUNT_SECRET,
	DF_MOUNT_SSH,
};
enum dockerfile_sharing { DF_SHARED, DF_PRIVATE, DF_LOCKED };

/* One record; texts are NULL where nothing was given. */
struct dockerfile_mount {
	enum dockerfile_mount_type type;
	char *from, *source, *target, *id;
	char *env; /* "": the name is that of the secret */
	enum dockerfile_sharing sharing;
	bool read_only; /* the type's default applied */
	bool required;
	bool has_mode, has_owner;
	uint32_t mode, uid, gid;
	uint64_t size;	    /* of a tmpfs; 0: the kernel's default */
	const char *unused; /* a key that means nothing to the type, or NULL */
};
#define cleanup_dockerfile_mount CLEANUP(dockerfile_mount_release)
void dockerfile_mount_release(struct dockerfile_mount *m);
const char *dockerfile_mount_type_name(enum dockerfile_mount_type type);
/* One CSV record as Go's reader has it; the message has no position. */
int dockerfile_csv(const char *value, struct strvec *fields,
		   struct error *err) MUST_CHECK;
/* The fields of a --mount value, not yet expanded, and what they mean. The
 * messages have no position. */
int dockerfile_mount_split(const char *value, struct strvec *fields,
			   struct error *err) MUST_CHECK;
int dockerfile_mount_parse(struct dockerfile_mount *m,
			   const struct strvec *fields, struct error *err)
	MUST_CHECK;
/* The last `from` of a --mount value, NULL when there is none; malloc'ed. */
char *dockerfile_mount_from(const char *value);

/* Is the whole of `text` one heredoc redirection ("<<EOF", "3<<-'E F'")? */
bool dockerfile_is_heredoc(const char *text);
/* Without the leading tabs of its lines, as `<<-` asks. */
void dockerfile_chomp(struct strbuf *out, const char *content);
/* The usual name of a value of STOPSIGNAL is known, or it is a number. */
bool dockerfile_signal_valid(const char *text);

/* --- expansion --- */

/* Value of a variable, or NULL when unset. */
struct dockerfile_env {
	const char *(*get)(void *arg, const char *name);
	void *arg;
	char escape;
	/* Told (unless NULL) of a name without a value, where no modifier
	 * says what stands for it then. */
	void (*unset)(void *arg, const char *name);
};
/* One word, quotes removed. */
int dockerfile_expand(const struct dockerfile_env *env, const char *word,
		      struct strbuf *out, struct error *err) MUST_CHECK;
/* Into words at blanks outside quotes (EXPOSE). */
int dockerfile_expand_words(const struct dockerfile_env *env,
			    const char *word, struct strvec *out,
			    struct error *err) MUST_CHECK;
/* A heredoc body: variables only, quotes untouched. */
int dockerfile_expand_heredoc(const struct dockerfile_env *env,
			      const char *body, struct strbuf *out,
			      struct error *err) MUST_CHECK;

/* --- stages --- */

struct dockerfile_stage {
	char *name; /* lower case, or NULL */
	size_t from; /* node index of its FROM */
	size_t first, end; /* its further nodes: [first, end) */
};
struct dockerfile_stages {
	struct dockerfile_stage *v;
	size_t nr, alloc;
};
#define cleanup_dockerfile_stages CLEANUP(dockerfile_stages_release)
void dockerfile_stages_release(struct dockerfile_stages *s);
/* Cut the file into stages, checking every instruction. */
int dockerfile_split(const struct dockerfile *df, struct dockerfile_stages *s,
		     struct error *err) MUST_CHECK;
/* Index of the target: a name (any case), an index, or NULL for the last. */
int dockerfile_target(const struct dockerfile_stages *s, const char *target,
		      size_t *index, struct error *err) MUST_CHECK;

/* --- lint.c, lint_rules.c: valid, and better written otherwise --- */

enum dockerfile_rule {
	RULE_CONSISTENT_INSTRUCTION_CASING,
	RULE_COPY_IGNORED_FILE,
	RULE_DUPLICATE_STAGE_NAME,
	RULE_EXPOSE_INVALID_FORMAT,
	RULE_EXPOSE_PROTO_CASING,
	RULE_FROM_AS_CASING,
	RULE_FROM_PLATFORM_FLAG_CONST_DISALLOWED,
	RULE_INVALID_BASE_IMAGE_PLATFORM,
	RULE_INVALID_DEFAULT_ARG_IN_FROM,
	RULE_INVALID_DEFINITION_DESCRIPTION,
	RULE_JSON_ARGS_RECOMMENDED,
	RULE_LEGACY_KEY_VALUE_FORMAT,
	RULE_MAINTAINER_DEPRECATED,
	RULE_MULTIPLE_INSTRUCTIONS_DISALLOWED,
	RULE_NO_EMPTY_CONTINUATION,
	RULE_REDUNDANT_TARGET_PLATFORM,
	RULE_RESERVED_STAGE_NAME,
	RULE_SECRETS_USED_IN_ARG_OR_ENV,
	RULE_STAGE_NAME_CASING,
	RULE_UNDEFINED_ARG_IN_FROM,
	RULE_UNDEFINED_VAR,
	RULE_WORKDIR_RELATIVE_PATH,
	DOCKERFILE_RULES
};

#define DOCKERFILE_FINDINGS_MAX 1000

struct dockerfile_finding {
	const char *rule; /* "StageNameCasing" */
	unsigned line;
	char *message;
};

struct dockerfile_lint {
	const struct dockerfile *df; /* borrowed */
	uint32_t skip; /* a bit a rule; experimental ones begin skipped */
	bool error;    /* findings make a build fail */
	struct dockerfile_finding *v; /* as found, each once */
	size_t nr, alloc;
	bool more; /* than DOCKERFILE_FINDINGS_MAX */
	struct strindex seen; /* "LINE RULE: MESSAGE" of all */
	/* What counts at the instruction that was asked about last. */
	const struct dockerfile_node *at;
	uint32_t at_skip;
	bool at_error;
	/* Told of each as it is found, unless NULL. */
	void (*found)(void *arg, const struct dockerfile_finding *f);
	void *arg;
};
#define cleanup_dockerfile_lint CLEANUP(dockerfile_lint_release)
void dockerfile_lint_release(struct dockerfile_lint *l);
/*
 * Begin with what the `check` directive says, or `override` (unless NULL).
 * Its errors are dockerfile_split's; the override's are ERR_USAGE.
 */
int dockerfile_lint_init(struct dockerfile_lint *l,
			 const struct dockerfile *df, const char *override,
			 struct error *err) MUST_CHECK;
/* All rules that need nothing but the text, valid or not. */
void dockerfile_lint_text(struct dockerfile_lint *l);
/* Would a finding of that kind be kept? */
bool dockerfile_lint_wants(struct dockerfile_lint *l,
			   enum dockerfile_rule rule,
			   const struct dockerfile_node *node);
/* A finding at an instruction, unless a directive or a `# check=` above the
 * instruction says otherwise. */
void dockerfile_lint_add(struct dockerfile_lint *l, enum dockerfile_rule rule,
			 const struct dockerfile_node *node, const char *fmt,
			 ...) PRINTF(4, 5);
/* By line. */
void dockerfile_lint_sort(struct dockerfile_lint *l);
/* The keyword as it is written; malloc'ed. */
char *dockerfile_written(const struct dockerfile_node *node);
/* Is this the name of something secret (API_KEY, not KEY_FILE)? */
bool dockerfile_is_secret(const char *name);

/* --- small grammars, checked and normalised --- */

/* "8080", "80-82/tcp", "53/UDP" -> "53/udp" entries appended. */
int dockerfile_ports(const char *word, struct strvec *out, struct error *err)
	MUST_CHECK;
/* Go duration to nanoseconds. */
int dockerfile_duration(const char *text, int64_t *ns, struct error *err)
	MUST_CHECK;
/* As Go prints one: "1h2m0.5s". */
void dockerfile_duration_format(struct strbuf *out, int64_t ns);
/* Octal or symbolic --chmod: the new mode of a file with `mode`. */
int dockerfile_chmod(const char *spec, unsigned mode, bool is_dir,
		     unsigned *out, struct error *err) MUST_CHECK;
/* Is this COPY/ADD source an http(s) URL / a git reference? */
bool dockerfile_is_url(const char *source);
bool dockerfile_is_git(const char *source);

/* A git reference: URL[?KEY=VALUE&...][#REF[:SUBDIR]]. */
struct dockerfile_git {
	char *remote;	/* the address alone, perhaps with credentials */
	char *ref;	/* NULL: the remote's default branch */
	char *subdir;	/* NULL: all of it */
	char *checksum; /* what the commit's id begins with, or NULL */
	int keep_git_dir, submodules; /* 1, 0; -1: not said */
	bool mtime_commit; /* files get the time of the commit */
};
#define cleanup_dockerfile_git CLEANUP(dockerfile_git_release)
void dockerfile_git_release(struct dockerfile_git *g);
/* ERR_INPUT, without a place. */
int dockerfile_git_parse(struct dockerfile_git *g, const char *text,
			 struct error *err) MUST_CHECK;

/* Go's filepath.Match: 1 match, 0 none, -1 malformed pattern. */
int dockerfile_glob(const char *pattern, const char *name);
/* Is there a wildcard that no backslash precedes? */
bool dockerfile_has_glob(const char *text);
/* Go's %q of a string. */
void dockerfile_quote(struct strbuf *out, const char *s);

/* --- .dockerignore --- */

struct dockerfile_ignore;
/* `text` may be NULL (nothing is ignored). ERR_INPUT with NAME:LINE:COL. */
int dockerfile_ignore_parse(struct dockerfile_ignore **out, const char *name,
			    const char *text, size_t n, struct error *err)
	MUST_CHECK;
/* The same rules as single words (--exclude). ERR_INPUT without a place. */
int dockerfile_ignore_words(struct dockerfile_ignore **out,
			    const struct strvec *words, struct error *err)
	MUST_CHECK;
/* Leaves out all but what one pattern matches (--parents). */
int dockerfile_ignore_rest(struct dockerfile_ignore **out, const char *pattern,
			   struct error *err) MUST_CHECK;
void dockerfile_ignore_free(struct dockerfile_ignore *ig);
/* State of one directory while walking down; start with a zeroed one for the
 * context's root. Parent matches carry over. */
struct dockerfile_ignore_dir {
	uint8_t *matched; /* one flag a pattern; NULL at the root */
};
/* Is `path` (relative to the context, no leading slash) left out? For a
 * directory, `sub` (may be NULL) receives the state to walk it with; free
 * sub->matched. */
bool dockerfile_ignored(const struct dockerfile_ignore *ig, const char *path,
			const struct dockerfile_ignore_dir *parent,
			struct dockerfile_ignore_dir *sub);
/* Is there any exception ("!x")? */
bool dockerfile_ignore_excepts(const struct dockerfile_ignore *ig);
/* Must an ignored directory still be walked, because an exception may bring
 * something below it back? */
bool dockerfile_ignore_walk(const struct dockerfile_ignore *ig,
			    const char *dir);

#endif
