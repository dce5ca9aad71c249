/* pod.c - how the services beside an environment run */
/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "cli/services.h"

/* What the options of one service point into. */
struct cli_pod_member {
	struct cli_launch launch;
	struct cli_ready ready;
	char *name, *hostname;
	struct strvec hosts;
};

static void member_release(struct cli_pod_member *m)
{
	cli_ready_release(&m->ready);
	strvec_release(&m->hosts);
	free(m->name);
	free(m->hostname);
}

void cli_pod_release(struct cli_pod *pod)
{
	while (pod->nr)
		member_release(&pod->members[--pod->nr]);
	free(pod->members);
	free(pod->services);
	strvec_release(&pod->hosts);
	json_free(pod->config);
	base_close_fd(&pod->net);
}

/* Every name of every service is this machine, or the pod's own network. A
 * record may say anything. */
static void list_hosts(const struct cli_services *list, struct strvec *hosts)
{
	size_t i;

	for (i = 0; i < list->nr; i++) {
		const struct json *m =
			json_first(json_get(list->v[i].entry, "names"));

		for (; m; m = json_next(m))
			if (json_str(m) && cli_services_name(json_str(m)))
				strvec_pushf(hosts, "%s:127.0.0.1",
					     json_str(m));
	}
}

static void add_hosts(const struct strvec *from, struct strvec *out)
{
	size_t i;

	for (i = 0; i < from->nr; i++)
		strvec_push(out, from->v[i]);
}

/* Nothing of the workspace: a service has what its volumes say. */
static int get_member(struct cli_pod *pod, const struct cli_ready *r,
		      const struct cli_service *s, struct cli_pod_member *m,
		      struct error *err)
{
	const struct cli_launch *l = r->l;

	m->name = env_service_name(l->name, json_get_str(s->entry, "name"));
	m->launch = (struct cli_launch){
		.b = l->b,
		.o = &pod->options,
		.image = &s->round.result.image,
		.record = &s->round.project.record,
		.mount_root = l->mount_root ? l->mount_root : l->workspace,
		.name = m->name,
	};
	m->ready = (struct cli_ready)CLI_READY_INIT;
	m->ready.l = &m->launch;
	m->ready.config = json_dup(s->round.plan.config);
	return cli_ready_get(&m->ready, err);
}

static void fill_service(struct cli_pod *pod, const struct cli_service *s,
			 struct cli_pod_member *m, struct env_service *out)
{
	struct env_options *o = &out->options;
	const bool no_network = m->ready.settings.run.no_network;

	cli_ready_options(&m->ready, o);
	o->network = no_network ? RUNTIME_NET_NONE : RUNTIME_NET_HOST;
	o->no_hooks = true;
	if (!o->hostname) {
		const char *name = json_get_str(s->entry, "name");

		m->hostname = xstrfmt("%.63s", name);
		o->hostname = m->hostname;
	}
	add_hosts(&pod->hosts, &m->hosts);
	add_hosts(o->hosts, &m->hosts);
	o->hosts = &m->hosts;
}

/* What others publish is published where the pod has a network of its own. */
static void add_ports(const struct cli_services *list, struct json *config)
{
	struct json *all = json_new_array();
	const struct json *own = json_get(config, "appPort"), *m;
	size_t i;

	if (own && json_kind(own) != JSON_ARRAY)
		json_push(all, json_dup(own));
	for (m = json_kind(own) == JSON_ARRAY ? json_first(own) : NULL; m;
	     m = json_next(m))
		json_push(all, json_dup(m));
	for (i = 0; i < list->nr; i++)
		for (m = json_first(json_get(list->v[i].round.plan.config,
					     "appPort"));
		     m; m = json_next(m))
			json_push(all, json_dup(m));
	json_set(config, "appPort", all);
}

/* One network that none of them makes, as each of them may end first. */
static int share_network(struct cli_pod *pod, const struct cli_services *list,
			 struct env_options *eo, struct error *err)
{
	if (eo->network != RUNTIME_NET_NONE)
		return 0;
	if (env_net(eo->store, eo->name, &pod->net, err) < 0)
		return -1;
	eo->network = RUNTIME_NET_GIVEN;
	eo->net = pod->net;
	pod->config = json_dup(eo->config);
	add_ports(list, pod->config);
	eo->config = pod->config;
	return 0;
}

int cli_pod_get(struct cli_pod *pod, const struct cli_ready *r,
		struct env_options *eo, struct error *err)
{
	const struct cli_services *list = r->l->services;
	const size_t n = list ? list->nr : 0;

	if (!n)
		return 0;
	pod->options = (struct cli_run_options){
		.privileged = r->l->o->privileged,
		.replace = r->l->o->replace,
	};
	pod->members = xcalloc(n, sizeof(*pod->members));
	pod->services = xcalloc(n, sizeof(*pod->services));
	list_hosts(list, &pod->hosts);
	for (; pod->nr < n; pod->nr++) {
		const struct cli_service *s = &list->v[pod->nr];
		struct cli_pod_member *m = &pod->members[pod->nr];
		struct env_service *out = &pod->services[pod->nr];

		out->service = json_get_str(s->entry, "name");
		out->needs = json_get(s->entry, "depends_on");
		out->health = json_get(s->entry, "healthcheck");
		out->self = s->self;
		if (s->self)
			continue;
		if (get_member(pod, r, s, m, err) < 0) {
			member_release(m);
			return error_wrap(err, "service '%s'", out->service);
		}
		fill_service(pod, s, m, out);
	}
	add_hosts(eo->hosts, &pod->hosts);
	eo->hosts = &pod->hosts;
	eo->services = pod->services;
	eo->n_services = n;
	return share_network(pod, list, eo, err);
}
