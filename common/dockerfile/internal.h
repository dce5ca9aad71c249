/* internal.h - what the files of the Dockerfile language share */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCKERFILE_INTERNAL_H
#define DOCKERFILE_INTERNAL_H

#include "dockerfile/dockerfile.h"

/* --- rune.c: the Unicode classes that Go's parsers use --- */

/* Length of the first rune; a broken byte counts as U+FFFD of length 1. */
size_t dockerfile_rune(const char *p, const char *end, uint32_t *c);
bool dockerfile_is_space(uint32_t c);
bool dockerfile_is_letter(uint32_t c);
bool dockerfile_is_digit(uint32_t c);
/* Cut white space from both ends. */
void dockerfile_trim(const char **p, const char **end);
const char *dockerfile_ltrim(const char *p, const char *end);

/* --- words.c --- */

/* Split at runs of [\t\v\f\r ]. */
void dockerfile_blank_words(const char *text, struct strvec *out);
/* Quote-aware words, quotes and escapes kept. */
void dockerfile_quoted_words(const char *text, char escape,
			     struct strvec *out);
/* Leading "--" words; returns what follows them. */
const char *dockerfile_flag_words(const char *text, char escape,
				  struct strvec *out);

/* --- heredoc.c --- */

/* The redirections of one line, bodies empty. */
void dockerfile_find_heredocs(const char *line,
			      struct dockerfile_heredoc **v, size_t *nr);
/* "<< EOF" written apart becomes one word. */
void dockerfile_join_heredocs(struct strvec *args);

/* --- node.c --- */

void dockerfile_node_release(struct dockerfile_node *node);
enum dockerfile_kind dockerfile_kind_of(const char *keyword);

/* Sets "NAME:LINE:COL: dockerfile parse error on line LINE: ...". */
int dockerfile_fail(const struct dockerfile *df, unsigned line, unsigned col,
		    struct error *err, const char *fmt, ...) PRINTF(5, 6);
/* As dockerfile_fail, appending " (did you mean X?)" where X is near. */
int dockerfile_fail_near(const struct dockerfile *df,
			 const struct dockerfile_node *node,
			 const char *message, const char *word,
			 const char *const *names, struct error *err);

/* --- node_parse.c --- */

/* One logical line to a node; start, end and heredocs are the caller's. */
int dockerfile_parse_node(struct dockerfile *df, struct dockerfile_node *node,
			  const char *line, unsigned lineno, bool nested,
			  struct error *err) MUST_CHECK;

/* --- directive.c --- */

struct dockerfile_directives {
	bool done;
	bool shebang; /* began with "#!": `syntax` alone may follow */
};
/* Look at a physical line; notes it in df->directives when it is one. */
int dockerfile_directive(struct dockerfile_directives *d,
			 struct dockerfile *df, const char *p,
			 const char *end, unsigned lineno, struct error *err)
	MUST_CHECK;

/* --- lint.c --- */

/* The value of `# check=` applied to `l`: NULL or what is wrong with it
 * (malloc'ed). */
char *dockerfile_check_value(struct dockerfile_lint *l, const char *value);

/* --- flags.c, mount.c --- */

int dockerfile_check_flags(const struct dockerfile *df,
			   const struct dockerfile_node *node,
			   struct error *err) MUST_CHECK;
int dockerfile_check_mount(const struct dockerfile *df,
			   const struct dockerfile_node *node,
			   const char *value, struct error *err) MUST_CHECK;

/* --- pattern.c: `#`, `%` and `/` of substitution --- */

/* Remove a prefix (or suffix) that matches, the shortest or the longest. */
int dockerfile_pattern_trim(const char *value, const char *pattern,
			    bool suffix, bool longest, struct strbuf *out,
			    struct error *err) MUST_CHECK;
int dockerfile_pattern_replace(const char *value, const char *pattern,
			       const char *with, bool all,
			       struct strbuf *out, struct error *err)
	MUST_CHECK;

/* --- glob.c --- */

/* After "[": does `c` belong? Moves *p past "]"; -1 malformed. */
int dockerfile_glob_class(const char **p, const char *end, uint32_t c);

/* --- ignore_match.c: the patterns of .dockerignore --- */

enum ignore_token_kind {
	TOKEN_TEXT,  /* bytes as they are */
	TOKEN_ONE,   /* "?" */
	TOKEN_CLASS, /* "[...]": text points behind the bracket */
	TOKEN_STAR,  /* "*" */
	TOKEN_DEEP,  /* any number of whole elements */
	TOKEN_ALL,   /* anything */
};

struct ignore_token {
	enum ignore_token_kind kind;
	const char *text;
	size_t n;
};

struct ignore_pattern {
	char *text; /* cleaned; the tokens point into it */
	bool exception;
	bool sets; /* one point to come back to is not enough */
	struct ignore_token *v;
	size_t nr, alloc;
};
void dockerfile_ignore_compile(struct ignore_pattern *p);
bool dockerfile_ignore_match(const struct ignore_pattern *p,
			     const char *path);
/* Can it match something below `dir` when it does not match `dir`? */
bool dockerfile_ignore_below(const struct ignore_pattern *p, const char *dir);

#endif
