/* eval_mount.c - RUN --mount with everything expanded */
/* SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "base/log.h"
#include "base/path.h"
#include "build/eval.h"

#define MOUNTS_MAX 128 /* of one step */

void build_mount_release(struct build_mount *mount)
{
	dockerfile_mount_release(&mount->m);
	free(mount->id);
	free(mount->target);
	free(mount->env);
}

/* Values are expanded, but for the name of a stage. */
static int expand_fields(const struct eval_make *m, const char *value,
			 struct strvec *out)
{
	cleanup_strvec struct strvec fields = STRVEC_INIT;
	size_t i;

	if (dockerfile_mount_split(value, &fields, m->err) < 0)
		return build_eval_place(m->ev, m->st, m->node, m->err);
	for (i = 0; i < fields.nr; i++) {
		const char *field = fields.v[i], *eq = strchr(field, '=');
		cleanup_free char *text = NULL;

		if (!eq || !strncasecmp(field, "from=", 5)) {
			strvec_push(out, field);
			continue;
		}
		text = eval_expand(m, eq + 1);
		if (!text)
			return -1;
		strvec_pushf(out, "%.*s=%s", (int)(eq - field), field, text);
	}
	return 0;
}

/* The id that counts, and where the bytes are seen. */
static void set_secret(struct build_mount *mount, const char *target)
{
	const struct dockerfile_mount *m = &mount->m;
	cleanup_free char *base = NULL;

	mount->id = m->source ? xstrdup(m->source) :
		    m->id     ? xstrdup(m->id) : path_base(m->target);
	if (m->env)
		mount->env = xstrdup(*m->env ? m->env : mount->id);
	base = path_base(mount->id);
	if (m->target)
		mount->target = xstrdup(target);
	else if (!m->env)
		mount->target = path_join("/run/secrets", base);
}

static void set_agent(const struct eval_make *m, struct build_mount *mount,
		      const char *target)
{
	size_t i, nth = 0;

	for (i = 0; i + 1 < m->step->n_mounts; i++)
		nth += m->step->mounts[i].m.type == DF_MOUNT_SSH;
	mount->id = xstrdup(mount->m.id ? mount->m.id : "default");
	mount->target = mount->m.target
				? xstrdup(target)
				: xstrfmt("/run/buildkit/ssh_agent.%zu", nth);
	/* The first one is what ssh looks for. */
	if (!nth)
		mount->env = xstrdup("SSH_AUTH_SOCK");
}

static int check_env_name(const struct eval_make *m,
			  const struct build_mount *mount)
{
	if (!mount->env || (*mount->env && !strchr(mount->env, '=')))
		return 0;
	return build_eval_fail(m->ev, m->st, m->node, m->err,
			       "RUN --mount: '%s' cannot name a variable",
			       mount->env);
}

static int place(const struct eval_make *m, struct build_mount *mount)
{
	const char *given = mount->m.target ? mount->m.target : "";
	cleanup_free char *target = path_resolve(m->step->cwd, given);

	if (mount->m.type == DF_MOUNT_SECRET)
		set_secret(mount, target);
	else if (mount->m.type == DF_MOUNT_SSH)
		set_agent(m, mount, target);
	else
		mount->target = xstrdup(target);
	if (mount->m.type == DF_MOUNT_CACHE)
		mount->id = mount->m.id ? xstrdup(mount->m.id)
					: path_clean(given);
	if (mount->target && !mount->target[1])
		return build_eval_fail(m->ev, m->st, m->node, m->err,
				       "invalid mount target \"/\"");
	return check_env_name(m, mount);
}

static int find_source(const struct eval_make *m, struct build_mount *mount)
{
	const struct build_from context = BUILD_FROM_CONTEXT;
	const struct dockerfile_mount *given = &mount->m;
	size_t at = (size_t)(m->st - m->ev->stages);

	mount->from = context;
	if (!given->from || (given->type != DF_MOUNT_BIND &&
			     given->type != DF_MOUNT_CACHE))
		return 0;
	return build_eval_from(m->ev, at, m->node, given->from, &mount->from,
			       m->err);
}

static int add(const struct eval_make *m, const char *value)
{
	cleanup_strvec struct strvec fields = STRVEC_INIT;
	struct build_step *step = m->step;
	struct build_mount *mount;

	if (step->n_mounts == MOUNTS_MAX)
		return build_eval_fail(m->ev, m->st, m->node, m->err,
				       "more than %d mounts", MOUNTS_MAX);
	if (expand_fields(m, value, &fields) < 0)
		return -1;
	mount = &step->mounts[step->n_mounts];
	if (dockerfile_mount_parse(&mount->m, &fields, m->err) < 0)
		return build_eval_place(m->ev, m->st, m->node, m->err);
	if (mount->m.unused)
		log_warn("%s:%u: RUN --mount: '%s' means nothing for type %s",
			 m->ev->df->name, m->node->start, mount->m.unused,
			 dockerfile_mount_type_name(mount->m.type));
	step->n_mounts++;
	return place(m, mount) < 0 ? -1 : find_source(m, mount);
}

/* What lies inside another mount comes after it. Equal targets keep their
 * order: the last one is seen. */
static void sort(struct build_step *step)
{
	size_t i, j;

	for (i = 1; i < step->n_mounts; i++) {
		struct build_mount one = step->mounts[i];
		const char *target = one.target ? one.target : "";

		for (j = i; j > 0; j--) {
			const char *before = step->mounts[j - 1].target;

			if (strcmp(before ? before : "", target) <= 0)
				break;
			step->mounts[j] = step->mounts[j - 1];
		}
		step->mounts[j] = one;
	}
}

int eval_make_mounts(const struct eval_make *m)
{
	const char *value;
	size_t i, n = 0;

	while (dockerfile_flag(m->node, "mount", n))
		n++;
	m->step->mounts = xcalloc(n + 1, sizeof(*m->step->mounts));
	for (i = 0; (value = dockerfile_flag(m->node, "mount", i)); i++)
		if (add(m, value) < 0)
			return -1;
	sort(m->step);
	return 0;
}
