/* feature_internal.h - shared by the files that put Features in order */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVCONTAINER_FEATURE_INTERNAL_H
#define DEVCONTAINER_FEATURE_INTERNAL_H

#include "devcontainer/feature.h"

/* <0, 0, >0: which of those that may be installed now comes first. */
int feature_compare(const struct devcontainer_feature *a,
		    const struct devcontainer_feature *b);
/* Would the second be installed in vain? */
bool feature_equal(const struct devcontainer_feature *a,
		   const struct devcontainer_feature *b);
/* Is `f` what an installsAfter or an override names, in any version? */
bool feature_match(const struct devcontainer_feature *f,
		   const struct devcontainer_feature *named);
/* Published side by side, so that one may be the other's former name? */
bool feature_same_space(const struct devcontainer_feature *a,
			const struct devcontainer_feature *b);
/* From its metadata. */
void feature_set_aliases(struct devcontainer_feature *f);

#endif
