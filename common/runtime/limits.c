/* limits.c - limits of resources, for all processes of a sandbox */
/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/resource.h>

#include "runtime/bounds.h"

bool runtime_limit_may(const struct runtime_limit *l, uint64_t *most)
{
	const uint64_t hard = l->hard; /* *most may be that, too */
	struct rlimit old, wanted;

	if (getrlimit((__rlimit_resource_t)l->resource, &old) < 0)
		return false;
	*most = old.rlim_max;
	if (hard <= old.rlim_max)
		return true;
	/* What it takes differs from limit to limit: only a try tells. */
	wanted = (struct rlimit){ old.rlim_cur, hard };
	if (setrlimit((__rlimit_resource_t)l->resource, &wanted) < 0)
		return false;
	return setrlimit((__rlimit_resource_t)l->resource, &old) == 0;
}

/* A process that is entered into a sandbox is held to what its init is. */
void runtime_limits_join(const struct runtime_sandbox *s,
			 struct runtime_launch *l)
{
	for (int i = 0; i < RUNTIME_LIMITS; i++) {
		struct rlimit ours, theirs;
		struct runtime_limit *to = &l->limits[l->n_limits];

		if (prlimit(s->init, (__rlimit_resource_t)i, NULL, &theirs) <
			    0 ||
		    getrlimit((__rlimit_resource_t)i, &ours) < 0 ||
		    (ours.rlim_cur == theirs.rlim_cur &&
		     ours.rlim_max == theirs.rlim_max))
			continue;
		*to = (struct runtime_limit){ i, theirs.rlim_cur,
					      theirs.rlim_max };
		if (!runtime_limit_may(to, &to->hard))
			to->soft = MIN(to->soft, to->hard);
		else
			to->hard = theirs.rlim_max;
		l->n_limits++;
	}
}

static int set_all(const struct runtime_limit *limits, size_t n,
		   struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct rlimit to = { limits[i].soft, limits[i].hard };

		if (setrlimit((__rlimit_resource_t)limits[i].resource, &to) <
		    0)
			return error_errno(err, "cannot set the limit %d of a "
					   "process", limits[i].resource);
	}
	return 0;
}

int runtime_limits_set(const struct runtime_launch *l, struct error *err)
{
	const struct runtime_bounds *b = l->spec ? l->spec->bounds : NULL;

	if (b)
		return set_all(b->limits, b->n_limits, err);
	return set_all(l->limits, l->n_limits, err);
}
