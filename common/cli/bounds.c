/* bounds.c - limits that a configuration asks for */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <sys/resource.h>

#include "base/log.h"
#include "cli/settings.h"

static void add_value(struct strbuf *out, uint64_t value)
{
	if (value >= RLIM_INFINITY)
		strbuf_addstr(out, "unlimited");
	else
		strbuf_addf(out, "%" PRIu64, value);
}

/* A hard limit is raised by few; the rest get what there is. */
static void lower(const struct devcontainer_ulimit *u,
		  struct runtime_limit *to)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	uint64_t most = 0;

	*to = (struct runtime_limit){ u->resource, u->soft, u->hard };
	if (runtime_limit_may(to, &most))
		return;
	to->hard = MIN(to->hard, most);
	to->soft = MIN(to->soft, to->hard);
	strbuf_addf(&text, "--ulimit %s=", devcontainer_ulimit_name(
						   u->resource));
	add_value(&text, u->soft);
	strbuf_addch(&text, ':');
	add_value(&text, u->hard);
	strbuf_addstr(&text, ": this process may not have more than ");
	add_value(&text, most);
	strbuf_addstr(&text, "; it is ");
	add_value(&text, to->soft);
	strbuf_addch(&text, ':');
	add_value(&text, to->hard);
	log_warn("%s", text.buf);
}

static void get_limits(struct cli_settings *s)
{
	const struct devcontainer_run *r = &s->run;

	s->limits = xcalloc(r->n_ulimits + 1, sizeof(*s->limits));
	for (size_t i = 0; i < r->n_ulimits; i++)
		lower(&r->ulimits[i], &s->limits[i]);
	s->bounds.limits = s->limits;
	s->bounds.n_limits = r->n_ulimits;
}

static void get_sysctls(struct cli_settings *s, const struct cli_launch *l)
{
	const struct strvec *asked = &s->run.sysctls;
	bool own = l->o->network || s->run.no_network;

	for (size_t i = 0; i < asked->nr; i++)
		if (own || !str_starts(asked->v[i], "net."))
			strvec_push(&s->sysctls, asked->v[i]);
		else
			log_warn("--sysctl %s is not acted on: it needs a "
				 "network of its own, --network=none",
				 asked->v[i]);
	s->bounds.sysctls = &s->sysctls;
}

/* What processes of this host keep there is nothing of a repository. */
static bool may_share(const struct cli_launch *l)
{
	if (l->o->privileged)
		return true;
	log_warn("--ipc=host is not granted, unless with --allow-privileged");
	return false;
}

void cli_bounds_get(struct cli_settings *s, const struct cli_launch *l)
{
	const struct devcontainer_run *r = &s->run;

	s->bounds.read_only = r->read_only;
	s->bounds.host_ipc = r->host_ipc && may_share(l);
	s->bounds.cap_drop = &r->cap_drop;
	s->bounds.dns = &r->dns;
	s->bounds.dns_search = &r->dns_search;
	s->bounds.dns_options = &r->dns_options;
	get_limits(s);
	get_sysctls(s, l);
	s->budget = (struct runtime_budget){ r->memory, r->cpu_quota,
					     r->pids };
	/* 0 seconds are at once, which is not "usual". */
	if (r->stop_timeout != UINT64_MAX)
		s->grace_ms = MAX((int64_t)r->stop_timeout * 1000, 1);
}
