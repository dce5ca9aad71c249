/* report.h - what the files of the report of a build share */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_REPORT_H
#define BUILD_REPORT_H

#include "build/build.h"

/*
 * Text as HTML, in an element or a quoted attribute. Whoever wrote it has no
 * way to end that: markup is escaped, and so is what has no form of its own or
 * could turn the text around it (controls, broken UTF-8, bidirectional marks);
 * secrets are masked.
 */
void report_add_str(struct strbuf *out, const char *text);
/* The page up to its body, and its end. */
void report_begin(struct strbuf *out, const char *title);
void report_end(struct strbuf *out);

/* Files of a layer that take the most room. */
#define REPORT_LARGEST 5
struct report_layer {
	uint64_t bytes, files;
	struct report_file {
		char *path;
		uint64_t size;
	} largest[REPORT_LARGEST];
	size_t n_largest;
};
void report_layer_release(struct report_layer *l);
/* Walk a layer that is unpacked; what cannot be read is left out. */
void report_walk(const char *dir, struct report_layer *l);

#endif
