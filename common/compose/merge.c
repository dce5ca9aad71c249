/* merge.c - one form of a service on top of another */
/* SPDX-License-Identifier: Apache-2.0 */
#include "compose/internal.h"

enum rule { REPLACE, BY_KEY, ADD, BY_TARGET };

static const struct {
	const char *name;
	enum rule rule;
} rules[] = {
	{ "build", BY_KEY },	   { "cap_add", ADD },
	{ "cap_drop", ADD },	   { "depends_on", BY_KEY },
	{ "devices", ADD },	   { "dns", ADD },
	{ "dns_opt", ADD },	   { "dns_search", ADD },
	{ "env_file", ADD },	   { "environment", BY_KEY },
	{ "expose", ADD },	   { "extra_hosts", BY_KEY },
	{ "group_add", ADD },	   { "healthcheck", BY_KEY },
	{ "labels", BY_KEY },	   { "links", ADD },
	{ "networks", BY_KEY },
	{ "ports", ADD },	   { "profiles", ADD },
	{ "security_opt", ADD },   { "sysctls", BY_KEY },
	{ "tmpfs", ADD },	   { "ulimits", BY_KEY },
	{ "volumes", BY_TARGET },
};

static void by_key(struct json *base, const struct json *top)
{
	const struct json *m;

	for (m = json_first(top); m; m = json_next(m)) {
		struct json *old = json_get(base, json_key(m));

		if (json_kind(old) == JSON_OBJECT &&
		    json_kind(m) == JSON_OBJECT)
			by_key(old, m);
		else
			json_set(base, json_key(m), json_dup(m));
	}
}

static bool is_there(const struct json *list, const struct json *one)
{
	const struct json *m;

	for (m = json_first(list); m; m = json_next(m))
		if (json_equal(m, one))
			return true;
	return false;
}

/* Two mounts cannot be at one place: the later one is. */
static struct json *without_targets(struct json *base, const struct json *top)
{
	struct json *kept = json_new_array();
	const struct json *m, *t;

	for (m = json_first(base); m; m = json_next(m)) {
		const char *target = json_get_str(m, "target");

		for (t = json_first(top); t; t = json_next(t))
			if (str_eq_null(target, json_get_str(t, "target")))
				break;
		if (!t)
			json_push(kept, json_dup(m));
	}
	return kept;
}

static void add(struct json *base, const struct json *top)
{
	const struct json *m;

	for (m = json_first(top); m; m = json_next(m))
		if (!is_there(base, m))
			json_push(base, json_dup(m));
}

static enum rule rule_of(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rules); i++)
		if (str_eq(rules[i].name, name))
			return rules[i].rule;
	return REPLACE;
}

void compose_merge(struct json *base, const struct json *top)
{
	const struct json *m;

	for (m = json_first(top); m; m = json_next(m)) {
		const char *key = json_key(m);
		struct json *old = json_get(base, key);
		enum rule rule = old ? rule_of(key) : REPLACE;

		if (rule == REPLACE) {
			json_set(base, key, json_dup(m));
		} else if (rule == BY_KEY) {
			by_key(old, m);
		} else {
			if (rule == BY_TARGET)
				old = json_set(base, key,
					       without_targets(old, m));
			add(old, m);
		}
	}
}
