/* pod.c - the services beside an environment: started in order, ended last */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/signals.h"
#include "env/internal.h"

static const struct env_service *find(const struct env_options *o,
				      const char *service)
{
	size_t i;

	for (i = 0; i < o->n_services; i++)
		if (str_eq(o->services[i].service, service))
			return &o->services[i];
	return NULL;
}

static bool wants(const struct json *need, const char *condition)
{
	return str_eq_null(json_get_str(need, "condition"), condition);
}

/* --- before anything is started --- */

static int check_need(const struct env_options *o,
		      const struct env_service *by, const struct json *need,
		      struct error *err)
{
	const struct env_service *s = find(o, json_key(need));

	if (!s)
		return 0; /* it was not required */
	if (wants(need, "service_completed_successfully") && s->self)
		return error_set(err, ERR_INPUT, "the service '%s' waits for "
				 "the end of '%s', which is the one to work "
				 "in", by->service, s->service);
	if (!wants(need, "service_healthy") || s->self)
		return 0;
	if (health_known(s))
		return health_check(s, err);
	error_set(err, ERR_INPUT, "the service '%s' waits until '%s' is "
		  "healthy, which has no health check", by->service,
		  s->service);
	return error_hint(err, "add a 'healthcheck' to '%s'", s->service);
}

static int check_command(const struct env_service *s, struct error *err)
{
	cleanup_strvec struct strvec argv = STRVEC_INIT;

	if (s->self)
		return 0;
	entry_command(&s->options, &argv);
	if (argv.nr)
		return 0;
	error_set(err, ERR_INPUT, "the service '%s' has no command, nor has "
		  "its image", s->service);
	return error_hint(err, "add a 'command' to '%s'", s->service);
}

int pod_check(const struct env_options *o, struct error *err)
{
	size_t i;

	for (i = 0; i < o->n_services; i++) {
		const struct env_service *s = &o->services[i];
		const struct json *m = json_first(s->needs);

		if (check_command(s, err) < 0)
			return -1;
		for (; m; m = json_next(m))
			if (check_need(o, s, m, err) < 0)
				return -1;
	}
	return 0;
}

/* --- what a service needs --- */

bool pod_awaits_end(const struct env_options *o, const char *service)
{
	size_t i;

	for (i = 0; i < o->n_services; i++)
		if (wants(json_get(o->services[i].needs, service),
			  "service_completed_successfully"))
			return true;
	return false;
}

static struct env *running(const struct env *e, const char *service)
{
	size_t i;

	for (i = 0; i < e->n_services; i++)
		if (str_eq_null(json_get_str(e->services[i]->state, "service"),
				service))
			return e->services[i];
	return NULL;
}

/* A signal may come just before the wait begins. */
static int wait_end(const struct env *m, struct error *err)
{
	struct pollfd p = { m->sandbox.pidfd, POLLIN, 0 };

	while (m->running && poll(&p, 1, 500) <= 0)
		if (signals_check(err) < 0)
			return -1;
	return 0;
}

static int wait_completed(const struct env *m, const char *service,
			  struct error *err)
{
	int status = -1;

	if (m->running)
		log_info("waiting for the end of the service '%s'", service);
	if (wait_end(m, err) < 0)
		return -1;
	if (service_ended(m, &status) && !status)
		return 0;
	service_show_log(m);
	if (status < 0)
		error_set(err, ERR_STEP, "the service '%s' was stopped before "
			  "it was done", service);
	else
		error_set(err, ERR_STEP, "the service '%s' ended with status "
			  "%d", service, status);
	return error_hint(err, "'devenv logs %s' shows all that it said",
			  m->name);
}

static int wait_need(struct env *e, const struct json *need,
		     struct error *err)
{
	const struct env_service *s = find(e->options, json_key(need));
	struct env *m = running(e, json_key(need));

	/* The environment itself is there before what comes after it. */
	if (!s || s->self || !m)
		return 0;
	if (wants(need, "service_completed_successfully"))
		return wait_completed(m, s->service, err);
	return wants(need, "service_healthy") ? health_wait(m, s, err) : 0;
}

static int wait_needs(struct env *e, const struct env_service *s,
		      struct error *err)
{
	const struct json *m = json_first(s->needs);

	for (; m; m = json_next(m)) {
		cleanup_error struct error why = ERROR_INIT;

		if (wait_need(e, m, &why) == 0)
			continue;
		if (why.code != ERR_STEP || json_get_bool(m, "required"))
			return error_move(err, &why);
		log_warn("%s; '%s' starts all the same", why.msg, s->service);
	}
	return 0;
}

/* --- start --- */

static int start(struct env *e, const struct env_service *s,
		 struct error *err)
{
	struct env_options o = s->options;
	struct env *m;

	if (o.network != RUNTIME_NET_NONE) {
		o.network = e->options->network;
		o.net = e->options->net;
	}
	if (env_up_service(&m, e, s, &o, err) < 0)
		return error_wrap(err, "service '%s'", s->service);
	e->services[e->n_services++] = m;
	return 0;
}

/* Those that are in the way of nothing else come before, too. */
static bool is_after(const struct env_options *o, size_t i)
{
	size_t self = 0, k;
	const struct json *m;

	while (self < o->n_services && !o->services[self].self)
		self++;
	if (i <= self)
		return false;
	for (m = json_first(o->services[i].needs); m; m = json_next(m))
		for (k = self; k < i; k++)
			if (str_eq(o->services[k].service, json_key(m)) &&
			    (k == self || is_after(o, k)))
				return true;
	return false;
}

static int start_those(struct env *e, bool after, struct error *err)
{
	const struct env_options *o = e->options;
	size_t i;

	for (i = 0; i < o->n_services; i++) {
		const struct env_service *s = &o->services[i];

		if (is_after(o, i) != after)
			continue;
		if (wait_needs(e, s, err) < 0 ||
		    (!s->self && start(e, s, err) < 0))
			return -1;
	}
	return 0;
}

/* The name was noted before it was known whose it is: that one may be another
 * pod's, or nobody's. One that is not whole yet says nothing of that. */
static bool is_ours(const struct env *e, char *name)
{
	cleanup_free char *dir = state_dir(e->store, name);
	struct env m = { .name = name, .dir = dir };
	cleanup_json struct json *state = NULL;
	cleanup_close int lock = -1;
	const char *pod;

	if (!fs_is_dir(dir) || state_read(&m, NULL) < 0)
		return false;
	state = m.state;
	pod = json_get_str(state, "pod");
	if (pod || json_get(state, "key"))
		return str_eq_null(pod, e->name);
	lock = state_try_lock(&m);
	return lock >= 0;
}

void pod_list(const struct env *e, struct strvec *out)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	size_t i;

	json_get_strings(json_get(e->state, "services"), &names);
	for (i = 0; i < names.nr; i++)
		if (env_name_valid(names.v[i]) && is_ours(e, names.v[i]))
			strvec_push(out, names.v[i]);
}

/* Services that the configuration does not have any more. */
static int remove_old(struct env *e, const struct strvec *names,
		      struct error *err)
{
	cleanup_strvec struct strvec old = STRVEC_INIT;
	size_t i;

	pod_list(e, &old);
	for (i = 0; i < old.nr; i++) {
		if (strvec_has(names, old.v[i]))
			continue;
		log_info("'%s' is no service any more: removed", old.v[i]);
		if (env_remove(e->store, old.v[i], true, err) < 0)
			return -1;
	}
	return 0;
}

int pod_before(struct env *e, struct error *err)
{
	const struct env_options *o = e->options;
	cleanup_strvec struct strvec names = STRVEC_INIT;
	size_t i;

	for (i = 0; i < o->n_services; i++)
		if (!o->services[i].self)
			strvec_push(&names, o->services[i].options.name);
	if (remove_old(e, &names, err) < 0)
		return -1;
	json_remove(e->state, "services");
	if (!names.nr)
		return 0;
	/* Who stops or removes the environment must know of them first. */
	json_set_strvec(e->state, "services", &names);
	e->services = xcalloc(names.nr, sizeof(struct env *));
	if (state_write(e, err) < 0)
		return -1;
	return start_those(e, false, err);
}

/* A service that does not last is none of the environment's mistakes, yet
 * somebody will ask. */
static void warn_of_failed(const struct env *m)
{
	struct pollfd p = { m->sandbox.pidfd, POLLIN, 0 };
	int status;

	if (!m->running || poll(&p, 1, 0) <= 0 ||
	    !service_ended(m, &status) || !status)
		return;
	service_show_log(m);
	log_warn("the service '%s' ended with status %d; 'devenv logs %s' "
		 "shows all that it said",
		 json_get_str(m->state, "service"), status, m->name);
}

void pod_tell(const struct env *e)
{
	size_t i;

	for (i = 0; i < e->n_services; i++)
		warn_of_failed(e->services[i]);
}

int pod_after(struct env *e, struct error *err)
{
	if (start_those(e, true, err) < 0)
		return -1;
	/* Those that were started anew are to go on like the rest. */
	return json_get_bool(e->state, "detached") ? pod_detach(e, err) : 0;
}

/* --- use and leave --- */

void pod_attach(struct env *e)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	size_t i;

	pod_list(e, &names);
	e->services = xcalloc(names.nr + 1, sizeof(struct env *));
	for (i = 0; i < names.nr; i++) {
		cleanup_error struct error why = ERROR_INIT;

		if (env_attach(&e->services[e->n_services], e->store,
			       names.v[i], &why) == 0)
			e->n_services++;
		else
			log_debug("%s", why.msg);
	}
}

int pod_detach(struct env *e, struct error *err)
{
	size_t i;

	for (i = 0; i < e->n_services; i++)
		if (e->services[i]->running &&
		    env_detach(e->services[i], err) < 0)
			return -1;
	return 0;
}

void pod_close(struct env *e)
{
	while (e->n_services)
		env_close(e->services[--e->n_services]);
	free(e->services);
	e->services = NULL;
}
