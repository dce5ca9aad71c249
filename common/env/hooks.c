/* hooks.c - lifecycle commands in their order, the create ones once */
/* SPDX-License-Identifier: Apache-2.0 */
#include "env/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum when { CREATE, START, ATTACH };

#define UPDATE 1   /* place of updateContentCommand */
#define DOTFILES 3 /* theirs */
#define POST_START 4

static const struct {
	const char *property;
	enum when when;
} order[] = {
	{ "onCreateCommand", CREATE },	 { "updateContentCommand", CREATE },
	{ "postCreateCommand", CREATE }, { "dotfiles", CREATE },
	{ "postStartCommand", START },	 { "postAttachCommand", ATTACH },
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

/* What its commands have beside their words. */
struct manner {
	const char *property;
	const struct strvec *env; /* or NULL */
	const char *shown;	  /* instead of the words; or NULL */
};

static void say(const char *label, const char *instead,
		const struct strvec *words)
{
	cleanup_strbuf struct strbuf shown = STRBUF_INIT;
	size_t i;

	if (instead)
		strbuf_addf(&shown, " %s", instead);
	for (i = 0; !instead && i < words->nr; i++)
		strbuf_addf(&shown, " %s", words->v[i]);
	log_info("%s%s", label, shown.buf);
}

static int start(struct env *e, const struct devcontainer_command *cmd,
		 const struct manner *m, struct running *r, struct error *err)
{
	struct env_command c = { 0 };
	size_t i;

	r->label = cmd->name ? xstrfmt("[%s %s]", m->property, cmd->name)
			     : xstrfmt("[%s]", m->property);
	if (cmd->shell) {
		strvec_push(&r->argv, "/bin/sh");
		strvec_push(&r->argv, "-c");
	}
	for (i = 0; i < cmd->argv.nr; i++)
		strvec_push(&r->argv, cmd->argv.v[i]);
	c.argv = r->argv.v;
	c.env = m->env;
	if (env_prepare(e, &c, &r->ep, err) < 0)
		return -1;
	say(r->label, m->shown, &cmd->argv);
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

static void report(const struct running *r, size_t n, const char *property,
		   int64_t ms)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const struct log_field f[] = {
			{ "hook", property, 0 },
			{ "label", r[i].label, 0 },
			{ "status", NULL, r[i].child.status },
			{ "ms", NULL, ms },
		};

		log_fields("hook", f, ARRAY_SIZE(f));
	}
}

/* All commands of a hook run side by side; each is waited for. */
static int run_hook(struct env *e, const struct devcontainer_hook *hook,
		    const struct manner *m, struct error *err)
{
	struct running *r = xcalloc(hook->nr, sizeof(*r));
	struct runtime_child **children =
		xcalloc(hook->nr, sizeof(*children));
	const int64_t begin = clock_ms();
	size_t n = 0;
	int rc = 0;

	while (n < hook->nr && !rc) {
		r[n].child = (struct runtime_child)RUNTIME_CHILD_INIT;
		rc = start(e, &hook->v[n], m, &r[n], err);
		children[n] = &r[n].child;
		n++;
	}
	if (!rc)
		rc = runtime_collect(children, n, err);
	if (!rc) {
		report(r, n, m->property, clock_ms() - begin);
		rc = judge(r, n, m->property, err);
	}
	free(children);
	running_release(r, n);
	return rc;
}

static struct json *markers(struct env *e)
{
	struct json *m = json_get(e->state, "hooks");

	return m ? m : json_set(e->state, "hooks", json_new_object());
}

/* Since when the sandbox runs: what is done once a start is marked by it. */
static int64_t started(const struct env *e)
{
	int64_t when = 0;

	json_get_int(e->state, "start_time", &when);
	return when;
}

static bool is_started(const struct env *e, size_t i)
{
	int64_t when = -1;

	json_get_int(json_get(e->state, "hooks"), order[i].property, &when);
	return when == started(e);
}

static bool due(struct env *e, size_t i)
{
	if (i == UPDATE && e->life->prebuild)
		return true;
	if (order[i].when == CREATE)
		return !json_get_bool(markers(e), order[i].property);
	if (order[i].when == START)
		return !is_started(e, i);
	return !e->life->no_attach;
}

/* The one that "waitFor" names; initializeCommand is over, long since. */
static size_t waited_for(const struct env *e)
{
	const char *wait = json_get_str(e->config, "waitFor");
	size_t i;

	for (i = 0; wait && i < ARRAY_SIZE(order); i++)
		if (str_eq(order[i].property, wait))
			return i;
	return wait && str_eq(wait, "initializeCommand") ? 0 : UPDATE;
}

/* The last one that runs. */
static size_t last(const struct env *e)
{
	const struct env_life *life = e->life;
	size_t end = life->no_start ? DOTFILES : ARRAY_SIZE(order) - 1;

	if (life->prebuild)
		end = UPDATE;
	return life->no_waiting ? MIN(end, waited_for(e)) : end;
}

const char *hooks_end(const struct env *e)
{
	size_t end = last(e);

	if (end == ARRAY_SIZE(order) - 1)
		return "done";
	if (e->life->no_waiting && end == waited_for(e))
		return "skipNonBlocking";
	return e->life->prebuild ? "prebuild" : "stopForPersonalization";
}

/* What one entry asks for; those of a list run one after the other. */
static int run_entry(struct env *e, const struct json *entry,
		     const char *property, struct error *err)
{
	cleanup_devcontainer_hook struct devcontainer_hook h = { 0 };
	const struct manner m = { property, e->life->secrets, NULL };

	devcontainer_hook_get(&h, entry);
	return h.nr ? run_hook(e, &h, &m, err) : 0;
}

/* Of the hooks that run once, those that are done are counted, so that the
 * next time begins with the one that failed. */
static int run_list(struct env *e, size_t i, struct error *err)
{
	const char *property = order[i].property;
	bool once = order[i].when == CREATE;
	cleanup_free char *name = xstrfmt("%ss", property);
	const struct json *list = json_get(e->config, name);
	const struct json *m = json_first(list);
	int64_t done = 0, nr = 0;

	if (i == POST_START && e->life->post_start)
		return files_post_start(e, list, err);
	if (once && !(i == UPDATE && e->life->prebuild))
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

/* An environment without them is one all the same. */
static int run_dotfiles(struct env *e, struct error *err)
{
	CLEANUP(dotfiles_release) struct env_dotfiles d = { 0 };
	cleanup_error struct error why = ERROR_INIT;
	struct manner m = { .property = order[DOTFILES].property };

	if (dotfiles_get(&d, e->life, &why) < 0) {
		log_warn("without dotfiles: %s", why.msg);
		return 0; /* the next start asks again */
	}
	m.env = &d.env;
	m.shown = d.url;
	if (d.hook.nr && run_hook(e, &d.hook, &m, &why) < 0) {
		if (why.code != ERR_STEP)
			return error_move(err, &why);
		log_warn("%s", why.msg);
	}
	json_set_bool(markers(e), order[DOTFILES].property, true);
	return state_write(e, err);
}

/* Without a command there is nothing worth remembering. */
static int mark_started(struct env *e, size_t i, struct error *err)
{
	cleanup_free char *list = xstrfmt("%ss", order[i].property);

	if (!json_len(json_get(e->config, list)) && !e->life->post_start)
		return 0;
	json_set_int(markers(e), order[i].property, started(e));
	return state_write(e, err);
}

int hooks_run(struct env *e, struct error *err)
{
	size_t i, end = last(e);
	int rc;

	json_remove(e->state, "failed");
	for (i = 0; i <= end; i++) {
		if (!due(e, i))
			continue;
		rc = i == DOTFILES ? run_dotfiles(e, err)
				   : run_list(e, i, err);
		if (!rc && order[i].when == START)
			rc = mark_started(e, i, err);
		if (rc < 0) {
			json_set_str(e->state, "failed", order[i].property);
			(void)!state_write(e, NULL);
			return -1;
		}
	}
	return 0;
}

static const char *state_of(const struct env *e, size_t i)
{
	const char *failed = json_get_str(e->state, "failed");

	if (failed && str_eq(failed, order[i].property))
		return "failed";
	if (order[i].when == CREATE &&
	    !json_get_bool(json_get(e->state, "hooks"), order[i].property))
		return "pending";
	if (order[i].when == START && !is_started(e, i))
		return "pending";
	return "done";
}

struct json *hooks_describe(const struct env *e)
{
	struct json *j = json_new_object();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(order); i++) {
		cleanup_free char *list = xstrfmt("%ss", order[i].property);

		if (json_len(json_get(e->config, list)))
			json_set_str(j, order[i].property, state_of(e, i));
	}
	return j;
}
