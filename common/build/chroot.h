/* chroot.h - steps where nothing can be mounted */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_CHROOT_H
#define BUILD_CHROOT_H

#include "build/internal.h"

void chroot_free(struct chroot_tree *t);
/* The files of a stage whose `dirs` are complete; a descriptor. What is
 * written there becomes a layer by chroot_take. */
int chroot_open(struct build *b, struct build_stage *st, bool write,
		struct error *err) MUST_CHECK;
/* The same for a command: the path of its root. */
int chroot_begin(struct build *b, struct build_stage *st, const char **path,
		 struct error *err) MUST_CHECK;
int chroot_take(struct build *b, struct build_stage *st,
		const struct store_draft *draft, struct error *err) MUST_CHECK;
/* collect.c: the difference of two walks through the tree `from` as the layer
 * `to`. */
struct snapshot;
int collect_changes(const struct store *s, const struct snapshot *before,
		    const struct snapshot *after, int from, int to,
		    struct error *err) MUST_CHECK;

#endif
