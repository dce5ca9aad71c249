/* policy.h - what may be fetched and pushed: rules in, decisions out */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "base/error.h"
#include "base/strvec.h"
#include "wrap/gate.h"
#include "wrap/json.h"

#define POLICY_MAX (1u << 20)	/* bytes of a file */
#define POLICY_RULES_MAX 10000	/* of each list */

/* A rule: which names it is about, and what it says of them. */
struct policy_rule {
	unsigned line;
	struct strvec hosts; /* globs of host[:port]; empty: any */
	struct strvec paths; /* globs of the repository or path; empty: any */
	struct strvec urls;  /* globs of the whole; empty: any */
	bool deny;
	bool pull, push; /* what of images it is about */
	/* what is asked of an image, besides its name */
	bool need_digest;      /* in the reference itself */
	struct strvec digests; /* empty: any */
	int64_t max_age;       /* seconds; 0: any */
};

struct policy_rules {
	struct policy_rule *v;
	size_t nr, alloc;
};

struct policy {
	char *name; /* of the file */
	bool allow; /* what no rule is about */
	struct policy_rules images, git, urls;
	bool has_redirects;
	struct strvec redirects; /* globs of host[:port] */
	struct strvec mirrors;	 /* "PREFIX=PREFIX" of host[/repository...] */
};
#define cleanup_policy CLEANUP(policy_release)
void policy_release(struct policy *p);

/* devenv-policy(5). ERR_INPUT "FILE:LINE:COL: ..."; what is not known is an
 * error, as a rule that is misspelt protects nobody. */
int policy_parse(struct policy *p, const char *name, const char *text,
		 size_t n, struct error *err) MUST_CHECK;
/*
 * ERR_REFUSED, or 0. The first rule that is about a name decides; if it
 * allows, the image has to be what it asks for as well. `now` is what ages are
 * counted from. `line` is that of the rule, 0 for none.
 */
int policy_ask(const struct policy *p, const struct gate_question *asked,
	       int64_t now, unsigned *line, struct error *err) MUST_CHECK;
/* Where `mirrors` has an image read instead; malloc'ed, NULL: nowhere. */
char *policy_moved(const struct policy *p, const char *name);

/* `*` is anything within a part, `**` anything, `?` one byte. */
bool policy_glob(const char *pattern, const char *text);
/* Does a path or URL have parts that are no names ("." and "..", however they
 * are written)? Then no glob says what it names. */
bool policy_climbs(const char *text);

/* --- containers.c: containers-policy.json(5) --- */

/* The part about registries. */
struct policy_containers {
	char *name;
	struct json *json;
};
#define cleanup_policy_containers CLEANUP(policy_containers_release)
void policy_containers_release(struct policy_containers *c);
int policy_containers_parse(struct policy_containers *c, const char *name,
			    const char *text, size_t n, struct error *err)
	MUST_CHECK;
/* ERR_REFUSED for `reject`, and for signatures, which nobody here checks. */
int policy_containers_ask(const struct policy_containers *c,
			  const struct gate_question *q, struct error *err)
	MUST_CHECK;

#endif
