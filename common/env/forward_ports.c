/* forward_ports.c - which ports a configuration wants to be seen here */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "env/internal.h"

struct list {
	struct env_port *v;
	size_t n, alloc;
	const struct strvec *hosts; /* "NAME:ADDRESS" that are known in there */
};

static void add(struct list *l, uint64_t host, uint64_t inside)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (l->v[i].inside == inside)
			return;
	GROW(l->v, l->n, l->alloc);
	l->v[l->n++] = (struct env_port){ .inside = (uint16_t)inside,
					  .host = (uint16_t)host,
					  .fd = -1 };
}

static bool number(const char *text, uint64_t *out)
{
	return str_to_u64(text, UINT16_MAX, out) && *out;
}

/* Itself, or a service that shares its network? */
static bool is_here(const struct list *l, const char *host)
{
	cleanup_free char *entry = xstrfmt("%s:127.0.0.1", host);

	return str_eq(host, "localhost") || str_eq(host, "127.0.0.1") ||
	       (l->hosts && strvec_has(l->hosts, entry));
}

/* "PORT", "HOST:PORT" of the same network, or, where it is published,
 * "[ADDRESS:]HOST-PORT:PORT". */
static bool read_text(struct list *l, const char *text, bool published)
{
	const char *colon = strrchr(text, ':');
	cleanup_free char *before = NULL;
	const char *last;
	uint64_t inside, host;

	if (!colon)
		return number(text, &inside) && (add(l, inside, inside), true);
	before = xstrndup(text, (size_t)(colon - text));
	if (!number(colon + 1, &inside))
		return false;
	if (!published) {
		if (!is_here(l, before))
			return false;
		add(l, inside, inside);
		return true;
	}
	last = strrchr(before, ':');
	if (!number(last ? last + 1 : before, &host))
		return false;
	add(l, host, inside);
	return true;
}

static void read_one(struct list *l, const struct json *j,
		     const char *property)
{
	cleanup_free char *text = json_str(j)
					  ? xstrdup(json_str(j))
					  : xstrfmt("%.0f", json_number(j));

	if (!read_text(l, text, str_eq(property, "appPort")))
		log_warn("%s: '%s' is not forwarded: it is no TCP port of the "
			 "environment itself", property, text);
}

static void read_property(struct list *l, const struct json *config,
			  const char *property)
{
	const struct json *j = json_get(config, property);
	const struct json *m;

	if (j && json_kind(j) != JSON_ARRAY)
		read_one(l, j, property);
	else
		for (m = json_first(j); m; m = json_next(m))
			read_one(l, m, property);
}

struct env_port *forward_ports(const struct json *config,
			       const struct strvec *hosts, size_t *n)
{
	struct list l = { .hosts = hosts };

	read_property(&l, config, "appPort");
	read_property(&l, config, "forwardPorts");
	*n = l.n;
	return l.v;
}
