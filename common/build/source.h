/* source.h - what the files that fetch sources share */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SOURCE_H
#define BUILD_SOURCE_H

#include "build/history.h"
#include "build/internal.h"

/*
 * What a remote source was found to be, for the rest of the build. Its files
 * are a layer, which cache entries keep; "" until somebody needs them.
 */
struct source_state {
	char *id; /* of the source */
	char layer[STORE_ID];
	int64_t time; /* Last-Modified, or of the commit; 0: unknown. Known
			 when the layer is */
	/* http */
	char digest[DIGEST_TEXT];
	char *etag;	/* NULL: none */
	char *modified; /* Last-Modified; may be "" */
	/* Git */
	char *commit; /* full id */
	char *ref;    /* full name, NULL for a commit */
};

/* source_context.c: as source_remote_open, but an archive is unpacked. */
int source_context_open(struct build *b, const struct build_remote *r,
			struct source_view *view, struct error *err)
	MUST_CHECK;

/* source.c: the images that are read from, by number; NULL: no more. One
 * that is a directory has no base_name. */
const struct build_stage *source_nth(const struct build *b, size_t n);

/* source_remote.c: what a source was found to be; NULL: nobody asked. */
const struct source_state *source_remote_known(const struct build *b,
					       const struct build_remote *r);
/* Find out what a source is, once a build. */
int source_remote_find(struct build *b, const struct build_remote *r,
		       struct source_state **out, struct error *err)
	MUST_CHECK;

/*
 * `find` asks the server what is there now; what is not known yet may be
 * fetched for that. `fetch` makes sure that the layer is there. `key` adds
 * what it is.
 */
int source_http_find(struct build *b, const struct build_remote *r,
		     struct source_state *s, struct error *err) MUST_CHECK;
int source_http_fetch(struct build *b, const struct build_remote *r,
		      struct source_state *s, struct error *err) MUST_CHECK;
void source_http_key(const struct build_remote *r,
		     const struct source_state *s, struct cache_key *k);
int source_git_find(struct build *b, const struct build_remote *r,
		    struct source_state *s, struct error *err) MUST_CHECK;
int source_git_fetch(struct build *b, const struct build_remote *r,
		     struct source_state *s, struct error *err) MUST_CHECK;
void source_git_key(const struct build_remote *r,
		    const struct source_state *s, struct cache_key *k);

#endif
