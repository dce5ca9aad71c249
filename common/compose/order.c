/* order.c - which services there are, and which comes first */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strbuf.h"
#include "compose/compose.h"

const struct json *compose_service(const struct compose *c, const char *name,
				   struct error *err)
{
	const struct json *services = json_get(c->model, "services");
	const struct json *found = json_get(services, name), *m;
	cleanup_strbuf struct strbuf names = STRBUF_INIT;

	if (found)
		return found;
	for (m = json_first(services); m; m = json_next(m))
		strbuf_addf(&names, "%s%s", names.len ? ", " : "",
			    json_key(m));
	error_set(err, ERR_INPUT, "there is no service '%s'", name);
	error_hint(err, "the services are: %s", names.buf);
	return NULL;
}

struct walk {
	const struct compose *c;
	struct strvec open; /* those whose dependencies are looked at */
	struct strvec *order;
	struct error *err;
};

static int visit(struct walk *w, const char *name);

/* Those whose network or name a service asks for: without depends_on, too. */
static int visit_implied(struct walk *w, const struct json *service)
{
	const char *mode = json_get_str(service, "network_mode");
	const struct json *m = json_first(json_get(service, "links"));

	if (mode && str_starts(mode, "service:") &&
	    visit(w, mode + strlen("service:")) < 0)
		return -1;
	for (; m; m = json_next(m)) {
		cleanup_free char *name = xstrndup(
			json_str(m), strcspn(json_str(m), ":"));

		if (visit(w, name) < 0)
			return -1;
	}
	return 0;
}

static int visit(struct walk *w, const char *name)
{
	const struct json *m, *service = compose_service(w->c, name, w->err);

	if (!service)
		return -1;
	if (strvec_has(w->order, name))
		return 0;
	if (strvec_has(&w->open, name))
		return error_set(w->err, ERR_INPUT,
				 "the service '%s' depends on itself", name);
	strvec_push(&w->open, name);
	if (visit_implied(w, service) < 0)
		return -1;
	for (m = json_first(json_get(service, "depends_on")); m;
	     m = json_next(m)) {
		const struct json *all = json_get(w->c->model, "services");

		if (!json_get(all, json_key(m)) &&
		    !json_get_bool(m, "required"))
			continue;
		if (visit(w, json_key(m)) < 0)
			return -1;
	}
	strvec_pop(&w->open);
	strvec_push(w->order, name);
	return 0;
}

int compose_order(const struct compose *c, const struct strvec *roots,
		  struct strvec *order, struct error *err)
{
	struct walk w = { .c = c, .order = order, .err = err };
	const struct json *m = json_first(json_get(c->model, "services"));
	size_t i;
	int rc = 0;

	for (i = 0; i < roots->nr && !rc; i++)
		rc = visit(&w, roots->v[i]);
	for (; !roots->nr && m && !rc; m = json_next(m))
		if (!json_len(json_get(m, "profiles")))
			rc = visit(&w, json_key(m));
	strvec_release(&w.open);
	return rc;
}
