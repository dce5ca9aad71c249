/* repair.h - mending one kind of damage each, for repair*.c */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_REPAIR_H
#define STORE_REPAIR_H

#include "store/reach.h"
#include "store/verify.h"

struct repair {
	struct store *s;
	const struct store_repair_options *o;
	struct store_repair_result *result;
	struct store_image *records; /* before anything was done */
	size_t n_records, alloc_records;
	bool only_certain; /* nothing is given up yet */
	bool alone;	   /* no other process has the store open */
};

/* What a finding came to; for a dry run, what it would come to. */
enum outcome {
	OUTCOME_MENDED,
	OUTCOME_LOST,
	OUTCOME_FAILED = -1, /* the whole repair ends */
};

/*
 * Each mends one finding and says in `how` what became of it ("fetched again
 * from HOST/REPOSITORY"). In a dry run nothing is changed.
 */
enum outcome repair_blob(struct repair *r, const char *digest,
			 struct strbuf *how, struct error *err);
enum outcome repair_layer(struct repair *r, const char *id, struct strbuf *how,
			  struct error *err);
enum outcome repair_record(struct repair *r, const char *path,
			   struct strbuf *how, struct error *err);
/* Both names of it. */
enum outcome repair_image(struct repair *r, const char *path,
			  struct strbuf *how, struct error *err);

/* Have a blob, known by `d`, from where it came from: 1 it is here, or would
 * be; 0 nothing says where it is, or that place does not give it (then `how`
 * says why). */
int repair_fetch(struct repair *r, const char *origin,
		 const struct oci_descriptor *d, bool manifest,
		 struct strbuf *how);
/* What is missing may be in a base store that is not given: it stays so. */
bool repair_lacks_base(struct repair *r, struct strbuf *how);
/* "would be " in a dry run, then the words. */
void repair_say(const struct repair *r, struct strbuf *how, const char *fmt,
		...) PRINTF(3, 4);

#endif
