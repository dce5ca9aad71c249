/* bounds.h - what sets a sandbox apart: limits, groups, parameters, ids */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_BOUNDS_H
#define RUNTIME_BOUNDS_H

#include "runtime/internal.h"

/* limits.c: those of a sandbox's init that differ from ours, as far as we may
 * have them; then, in the child, those or the spec's. */
void runtime_limits_join(const struct runtime_sandbox *s,
			 struct runtime_launch *l);
int runtime_limits_set(const struct runtime_launch *l, struct error *err)
	MUST_CHECK;
/* sysctl.c: below /proc, which `proc` is. */
int runtime_sysctls_set(int proc, const struct strvec *list,
			struct error *err) MUST_CHECK;

/* cgroup.c: to start or join in; *groups as in runtime_launch. */
int runtime_cgroup_open(const struct runtime_cgroup *c, int *groups,
			struct error *err) MUST_CHECK;
void runtime_cgroup_of(const struct runtime_sandbox *s, int *groups);
/* In the child: become a member. */
int runtime_cgroup_enter(const int *groups, struct error *err) MUST_CHECK;
/* Those made for a sandbox, to be removed when it is gone. */
void runtime_cgroup_names(const struct runtime_sandbox *s,
			  struct strvec *dirs);
void runtime_cgroup_remove(const struct strvec *dirs);
/* Where a controller's groups are: the directory of ours, by the texts of
 * /proc/self/mountinfo and /proc/self/cgroup. */
struct runtime_group_place {
	char *dir, *top; /* top: of its hierarchy, as far as it is seen */
	bool v2;
};
bool runtime_cgroup_find(const char *mounts, const char *own,
			 const char *controller,
			 struct runtime_group_place *out);

/* etc.c: text of the generated files */
void runtime_etc_hosts(const char *hostname, bool host_network,
		       const struct strvec *given, struct strbuf *out);
void runtime_etc_resolv(const struct runtime_bounds *b, struct strbuf *out);

/* idmap.c: a map, as the kernel reads it, that swaps two of `ids` ids; a user
 * namespace for a sandbox that has one, as a descriptor. */
void runtime_idmap_text(uint32_t a, uint32_t b, uint32_t ids,
			struct strbuf *out);
int runtime_swap_open(const struct runtime_swap *s, struct error *err)
	MUST_CHECK;

#endif
