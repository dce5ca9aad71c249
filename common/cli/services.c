/* services.c - which services run beside the one to work in */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/services.h"

#include "devcontainer/run.h"

struct work {
	const struct compose *c;
	const struct cli_project *p;
	struct record_plan *plan;
	const char *self;
	struct strvec order;
};

static const struct json *service_of(const struct work *w, const char *name)
{
	return json_get(json_get(w->c->model, "services"), name);
}

/* The service to work in, those that the file names, or all of them. */
static int find_order(struct work *w, struct error *err)
{
	const struct json *wanted = json_get(w->plan->config, "runServices");
	cleanup_strvec struct strvec roots = STRVEC_INIT;

	if (json_len(wanted)) {
		json_get_strings(wanted, &roots);
		strvec_push(&roots, w->self);
		return compose_order(w->c, &roots, &w->order, err);
	}
	if (compose_order(w->c, &roots, &w->order, err) < 0)
		return -1;
	/* Its profile is on when it is asked for. */
	strvec_push(&roots, w->self);
	return compose_order(w->c, &roots, &w->order, err);
}

/* --- what it is called --- */

bool cli_services_name(const char *name)
{
	const size_t n = strlen(name);

	return n && n <= 253 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTU"
			    "VWXYZ0123456789.-_") == n;
}

static void add_name(struct work *w, const char *service, const char *name,
		     struct json *names)
{
	const struct json *m;

	if (!name || !*name)
		return;
	if (!cli_services_name(name)) {
		strvec_pushf(&w->plan->warnings, "the service '%s' cannot be "
			     "called '%s': that is no host name", service,
			     name);
		return;
	}
	for (m = json_first(names); m; m = json_next(m))
		if (str_eq(json_str(m), name))
			return;
	json_push(names, json_new_str(name));
}

static void add_links(struct work *w, const char *service,
		      struct json *names)
{
	const struct json *s = json_first(json_get(w->c->model, "services"));
	const size_t n = strlen(service);

	for (; s; s = json_next(s)) {
		const struct json *m = json_first(json_get(s, "links"));

		for (; m; m = json_next(m))
			if (str_starts(json_str(m), service) &&
			    json_str(m)[n] == ':')
				add_name(w, service, json_str(m) + n + 1,
					 names);
	}
}

static struct json *names_of(struct work *w, const char *service)
{
	const struct json *s = service_of(w, service);
	const struct json *net = json_first(json_get(s, "networks"));
	struct json *names = json_new_array();

	add_name(w, service, service, names);
	add_name(w, service, json_get_str(s, "container_name"), names);
	add_name(w, service, json_get_str(s, "hostname"), names);
	for (; net; net = json_next(net)) {
		const struct json *m = json_first(json_get(net, "aliases"));

		for (; m; m = json_next(m))
			add_name(w, service, json_str(m), names);
	}
	add_links(w, service, names);
	return names;
}

/* --- ports --- */

/* "[ADDRESS:][PUBLISHED:]TARGET[/PROTOCOL]" */
static char *target_port(const char *text)
{
	const char *colon = strrchr(text, ':');

	return xstrdup(colon ? colon + 1 : text);
}

static void add_ports(const struct json *service, struct strvec *ports)
{
	static const char *const keys[] = { "ports", "expose" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct json *m = json_first(json_get(service, keys[i]));

		for (; m; m = json_next(m)) {
			cleanup_free char *port = target_port(json_str(m));

			if (!strvec_has(ports, port))
				strvec_push(ports, port);
		}
	}
}

/* Two that each would have for itself elsewhere. */
static void warn_of_clashes(struct work *w, size_t nr)
{
	cleanup_strvec struct strvec ours = STRVEC_INIT;
	size_t i, k;

	add_ports(service_of(w, w->order.v[nr]), &ours);
	for (i = 0; i < nr; i++) {
		cleanup_strvec struct strvec theirs = STRVEC_INIT;

		add_ports(service_of(w, w->order.v[i]), &theirs);
		for (k = 0; k < ours.nr; k++)
			if (strvec_has(&theirs, ours.v[k]))
				strvec_pushf(&w->plan->warnings,
					     "the services '%s' and '%s' both "
					     "have port %s: on the one network "
					     "that they share only one of "
					     "them can", w->order.v[i],
					     w->order.v[nr], ours.v[k]);
	}
}

static void warn_of_ports(struct work *w, const char *name)
{
	const struct json *ports = json_get(service_of(w, name), "ports");
	cleanup_json struct json *config = json_new_object();
	cleanup_devcontainer_run struct devcontainer_run run =
		DEVCONTAINER_RUN_INIT;
	size_t i;

	json_set(config, "appPort", ports ? json_dup(ports)
					  : json_new_array());
	devcontainer_run_get(&run, config);
	for (i = 0; i < run.n_notes; i++)
		strvec_pushf(&w->plan->warnings, "service '%s': %s", name,
			     run.notes[i].text);
}

/* --- one service --- */

static struct json *config_of(const struct work *w, const char *name)
{
	struct json *config = json_new_object();

	cli_compose_apply(w->c, service_of(w, name), config);
	/* Nobody works in it: what its user's shell sets up is not needed. */
	json_set_str(config, "userEnvProbe", "none");
	return config;
}

static int plan_service(struct work *w, const char *name, struct json *entry,
			struct error *err)
{
	cleanup_record_plan struct record_plan one = RECORD_PLAN_INIT;

	one.kind = RECORD_DEVCONTAINER;
	if (cli_compose_build(service_of(w, name), name, &one, err) < 0 ||
	    cli_project_check_files(w->p, &one, err) < 0)
		return -1;
	one.config = config_of(w, name);
	json_set(entry, "plan", record_plan_json(&one));
	return 0;
}

static void copy(const struct json *from, const char *key, struct json *to)
{
	if (json_get(from, key))
		json_set(to, key, json_dup(json_get(from, key)));
}

static int add_service(struct work *w, size_t at, struct error *err)
{
	const char *name = w->order.v[at];
	const struct json *service = service_of(w, name);
	struct json *entry = json_push(w->plan->services, json_new_object());

	/* It becomes part of one. */
	if (!env_name_valid(name))
		return error_set(err, ERR_INPUT, "a service cannot be called "
				 "'%s'", name);
	json_set_str(entry, "name", name);
	json_set(entry, "names", names_of(w, name));
	copy(service, "depends_on", entry);
	copy(service, "healthcheck", entry);
	warn_of_clashes(w, at);
	warn_of_ports(w, name);
	if (str_eq(name, w->self))
		return 0;
	return plan_service(w, name, entry, err);
}

int cli_services_plan(const struct compose *c, const struct cli_project *p,
		      struct record_plan *plan, struct error *err)
{
	struct work w = { .c = c,
			  .p = p,
			  .plan = plan,
			  .self = json_get_str(plan->config, "service") };
	int rc = find_order(&w, err);
	size_t i;

	if (!rc && w.order.nr > 1) {
		plan->services = json_new_array();
		for (i = 0; i < w.order.nr && !rc; i++)
			rc = add_service(&w, i, err);
	}
	strvec_release(&w.order);
	return rc;
}
