/* opt.h - option tables: parsing, help, environment and completion data */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_OPT_H
#define BASE_OPT_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/strvec.h"

enum opt_type {
	OPT_END,
	OPT_BOOL,  /* bool; --x, --x=true|false, --no-x */
	OPT_STR,   /* char *, malloc'ed; "" is a value */
	OPT_LIST,  /* struct strvec; each use appends */
	OPT_INT,   /* int, 0 or greater */
	OPT_ENUM,  /* int index into `arg`, words separated by '|' */
	OPT_GROUP, /* a heading in the help; only `help` is used */
};

/*
 * One row. `env` is the environment name without prefix (DEVENV_ is put
 * before it; NULL: derived from `name`); `compat` is a further full name
 * (ENVBUILDER_...), or NULL. Lists from the environment are comma separated.
 * An empty variable counts as unset. The command line wins over DEVENV_*,
 * which wins over `compat`.
 */
struct opt {
	enum opt_type type;
	char letter;	  /* 0: none */
	const char *name; /* long name without dashes; no-x negates a bool */
	const char *arg;  /* shown in help; words of an OPT_ENUM */
	const char *compat;
	const char *help;
	size_t offset;
	/* OPT_STR: --x alone is "", only --x=value has one; OPT_ENUM: alone,
	 * none of its words behind it, it is the first of them. */
	bool optional;
	bool secret; /* value is masked in logs; NAME may be given as env only */
	bool is_word; /* stands for the first word */
};

#define OPT_NO_ENV "" /* as `compat`: has no environment name at all */

/* How many words are for us; what follows them belongs to somebody else. */
struct opt_words {
	int max;     /* -1: any number */
	bool strict; /* whatever follows them, options too */
};

/*
 * Parse argv[1..] into `values`. Options may stand anywhere before "--" and
 * before the first word that is not for us. What is left goes to `rest`;
 * `dashdash` is the index in rest where "--" stood, or -1. Errors are
 * ERR_USAGE with a suggestion for a mistyped name.
 */
struct opt_rest {
	struct strvec args;
	int dashdash;
};
int opt_parse(const struct opt *const *tables, void *const *values,
	      size_t n_tables, char **argv, const struct opt_words *words,
	      struct opt_rest *rest, struct error *err) MUST_CHECK;
/* Fill values from the environment; call before opt_parse. */
int opt_from_env(const struct opt *table, void *values, struct error *err)
	MUST_CHECK;
/* Set one row as its option would: a list from words with commas. ERR_USAGE. */
int opt_set(const struct opt *row, void *values, const char *text,
	    struct error *err) MUST_CHECK;
/* Free everything the rows own. */
void opt_release(const struct opt *table, void *values);
/* The options part of --help. */
void opt_help(const struct opt *table, struct strbuf *out);
/* DEVENV_NAME of a row, appended. */
void opt_env_name(const struct opt *row, struct strbuf *out);

#endif
