/* hooks.c - lifecycle commands in their order, the create ones once */
/* SPDX-License-Identifier: Apache-2.0 */
#include "env/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/path.h"

enum when { CREATE, START, ATTACH };

static const struct {
	const char *property;
	enum when when;
} order[] = {
	{ "onCreateCommand", CREATE },	 { "updateContentCommand", CREATE },
	{ "postCreateCommand", CREATE }, { "postStartCommand", START },
	{ "postAttachCommand", ATTACH },
};

/* One command of a hook while it runs. */
struct running {
	struct env_process ep;
	struct strvec argv;
	struct runtime_child child;
	char *label;
};

static void running_release(struct running *r, size_t n)
{
	while (n--) {
		runtime_child_release(&r[n].child);
		env_process_release(&r[n].ep);
		strvec_release(&r[n].argv);
		free(r[n].label);
	}
	free(r);
}

static int start(struct env *e, const struct devcontainer_command *cmd,
		 const char *property, struct running *r, struct error *err)
{
	cleanup_strbuf struct strbuf shown = STRBUF_INIT;
	struct env_command c = { 0 };
	size_t i;

	r->label = cmd->name ? xstrfmt("[%s %s]", property, cmd->name)
			     : xstrfmt("[%s]", property);
	if (cmd->shell) {
		strvec_push(&r->argv, "/bin/sh");
		strvec_push(&r->argv, "-c");
	}
	for (i = 0; i < cmd->argv.nr; i++)
		strvec_push(&r->argv, cmd->argv.v[i]);
	c.argv = r->argv.v;
	if (env_prepare(e, &c, &r->ep, err) < 0)
		return -1;
	for (i = 0; i < cmd->argv.nr; i++)
		strbuf_addf(&shown, " %s", cmd->argv.v[i]);
	log_info("%s%s", r->label, shown.buf);
	return runtime_spawn_in(&e->sandbox, &r->ep.p, r->label, &r->child,
				err);
}

static int judge(const struct running *r, size_t n, const char *property,
		 struct error *err)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!r[i].child.status)
			continue;
		error_set(err, ERR_STEP, "%s ended with status %d",
			  r[i].label, r[i].child.status);
		return error_hint(err, "the environment is kept; hooks after "
				  "%s did not run", property);
	}
	return 0;
}

/* All commands of a hook run side by side; each is waited for. */
static int run_hook(struct env *e, const struct devcontainer_hook *hook,
		    const char *property, struct error *err)
{
	struct running *r = xcalloc(hook->nr, sizeof(*r));
	struct runtime_child **children =
		xcalloc(hook->nr, sizeof(*children));
	size_t n = 0;
	int rc = 0;

	while (n < hook->nr && !rc) {
		r[n].child = (struct runtime_child)RUNTIME_CHILD_INIT;
		rc = start(e, &hook->v[n], property, &r[n], err);
		children[n] = &r[n].child;
		n++;
	}
	if (!rc)
		rc = runtime_collect(children, n, err);
	if (!rc)
		rc = judge(r, n, property, err);
	free(children);
	running_release(r, n);
	return rc;
}

static struct json *markers(struct env *e)
{
	struct json *m = json_get(e->state, "hooks");

	return m ? m : json_set(e->state, "hooks", json_new_object());
}

static bool due(struct env *e, size_t i)
{
	if (order[i].when == CREATE)
		return !json_get_bool(markers(e), order[i].property);
	return order[i].when == ATTACH || !e->joined;
}

/* What one entry asks for; those of a list run one after the other. */
static int run_entry(struct env *e, const struct json *entry,
		     const char *property, struct error *err)
{
	cleanup_devcontainer_hook struct devcontainer_hook h = { 0 };

	devcontainer_hook_get(&h, entry);
	return h.nr ? run_hook(e, &h, property, err) : 0;
}

/* Of the hooks that run once, those that are done are counted, so that the
 * next time begins with the one that failed. */
static int run_list(struct env *e, size_t i, struct error *err)
{
	const char *property = order[i].property;
	bool once = order[i].when == CREATE;
	cleanup_free char *list = xstrfmt("%ss", property);
	const struct json *m = json_first(json_get(e->config, list));
	int64_t done = 0, nr = 0;

	if (once)
		json_get_int(markers(e), property, &done);
	for (; m; m = json_next(m)) {
		if (nr++ < done)
			continue;
		if (run_entry(e, m, property, err) < 0)
			return -1;
		if (!once)
			continue;
		json_set_int(markers(e), property, nr);
		if (state_write(e, err) < 0)
			return -1;
	}
	if (!once)
		return 0;
	json_set_bool(markers(e), property, true);
	return state_write(e, err);
}

int hooks_run(struct env *e, struct error *err)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(order); i++)
		if (due(e, i) && run_list(e, i, err) < 0)
			return -1;
	return 0;
}
