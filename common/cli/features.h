/* features.h - the Features of a plan */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_FEATURES_H
#define CLI_FEATURES_H

#include "build/references.h"
#include "cli/cli.h"
#include "feature/feature.h"

struct cli_features {
	struct devcontainer_features list; /* in order of installation */
	struct strvec dirs; /* of their files, once they are unpacked */
	/* The Dockerfile with them, and its target. */
	struct strbuf text;
	char *target;
	struct json *metadata;	 /* what the label of the image gets */
	struct registry *client; /* NULL while nobody was asked */
};
#define CLI_FEATURES_INIT           \
	{                           \
		.text = STRBUF_INIT \
	}
#define cleanup_cli_features CLEANUP(cli_features_release)
void cli_features_release(struct cli_features *f);

/* Where they are kept and how they are fetched. */
struct cli_features_from {
	struct store *store;
	const struct registry_options *registry;
	bool pull;
	enum feature_lock lock;
};
/* Find them all; a plan without any leaves the list empty. */
int cli_features_find(struct cli_features *f, const struct record_plan *plan,
		      const struct cli_features_from *from,
		      struct error *err) MUST_CHECK;
/* feature_outdated of a plan's. */
int cli_features_versions(struct cli_features *f,
			  const struct record_plan *plan,
			  const struct cli_features_from *from,
			  struct json **out, struct error *err) MUST_CHECK;
/* After that: the Dockerfile `text` of the plan with them. */
int cli_features_write(struct cli_features *f, const struct record_plan *plan,
		       const char *name, const struct strbuf *text,
		       struct error *err) MUST_CHECK;
/*
 * Everything for a build: what they change in `bo` is set, which borrows it,
 * and in its named contexts. Does nothing for a plan without Features.
 */
int cli_features_build(struct cli_features *f, const struct record_plan *plan,
		       const struct cli_features_from *from,
		       struct build_named_list *named, struct build_options *bo,
		       struct error *err) MUST_CHECK;
/* The folders of local Features that a plan names, as far as they are there. */
void cli_features_dirs(const struct record_plan *plan, struct strvec *dirs);
/* A build of them failed: say of which Feature the step was; -1. */
int cli_features_failed(const struct cli_features *f,
			const struct build_result *result, struct error *err);

/* --- features_view.c: without building --- */

struct cli_features_look {
	const char *store; /* its place, or NULL */
	const struct cli_registry *registry;
	bool update;  /* --update-lockfile */
	bool explain; /* say why each one comes where it does */
};
/* cli_features_find; what the lockfile binds stays, and it is written only
 * where that is asked for. */
int cli_features_look(struct cli_features *f, const struct record_plan *plan,
		      const struct cli_features_look *look,
		      struct error *err) MUST_CHECK;
/* The view `features`. `out` may be NULL: all but that. */
int cli_features_print(const struct record_plan *plan,
		       const struct cli_features_look *look, struct strbuf *out,
		       struct error *err) MUST_CHECK;
/* The view `dockerfile`: what would be built. */
int cli_features_dockerfile(const struct record_plan *plan,
			    const struct cli_features_look *look,
			    struct strbuf *out, struct error *err) MUST_CHECK;

/* feature_outdated of a plan. */
int cli_features_outdated(const struct record_plan *plan,
			  const struct cli_features_look *look,
			  struct json **out, struct error *err) MUST_CHECK;

/* --frozen-lockfile, --no-lockfile; else it is obeyed, and written unless
 * `look`. A tree that was cloned for the build stays as it was committed, so
 * that another clone has the same keys. */
enum feature_lock cli_features_lock(const struct cli_build_options *o,
				    bool look);

/* What a plan would fetch for Features, appended; what those depend on is
 * known only when they are here. */
void cli_features_references(const struct record_plan *plan,
			     struct build_references *list);

#endif
