/* merge.c - the entries of a label and a file as one configuration */
/* SPDX-License-Identifier: Apache-2.0 */
#include "devcontainer/metadata.h"

/* Each rule gives the merged value of one property, or NULL for none. */
typedef struct json *merge_rule(const struct json *entries, const char *key);

/* What other tools take for "not given". */
static bool is_falsy(const struct json *j)
{
	switch (json_kind(j)) {
	case JSON_NULL:
		return true;
	case JSON_BOOL:
		return !json_bool(j);
	case JSON_NUMBER:
		return !(json_number(j) < 0) && !(json_number(j) > 0);
	case JSON_STRING:
		return !*json_str(j);
	default:
		return false;
	}
}

static struct json *any_true(const struct json *entries, const char *key)
{
	bool any = false;

	for (const struct json *e = json_first(entries); e; e = json_next(e))
		any = any || !is_falsy(json_get(e, key));
	return json_new_bool(any);
}

static struct json *last_truthy(const struct json *entries, const char *key)
{
	const struct json *last = NULL;

	for (const struct json *e = json_first(entries); e; e = json_next(e))
		if (!is_falsy(json_get(e, key)))
			last = json_get(e, key);
	return json_dup(last);
}

static struct json *last_bool(const struct json *entries, const char *key)
{
	const struct json *last = NULL;

	for (const struct json *e = json_first(entries); e; e = json_next(e))
		if (json_kind(json_get(e, key)) == JSON_BOOL)
			last = json_get(e, key);
	return json_dup(last);
}

/* A list that is empty is none. */
static struct json *unless_empty(struct json *list)
{
	if (json_first(list))
		return list;
	json_free(list);
	return NULL;
}

static bool has(const struct json *list, const struct json *value)
{
	for (const struct json *m = json_first(list); m; m = json_next(m))
		if (json_equal(m, value))
			return true;
	return false;
}

static struct json *set_union(const struct json *entries, const char *key)
{
	struct json *list = json_new_array();

	for (const struct json *e = json_first(entries); e; e = json_next(e)) {
		const struct json *m = json_first(json_get(e, key));

		for (; m; m = json_next(m))
			if (!has(list, m))
				json_push(list, json_dup(m));
	}
	return unless_empty(list);
}

static struct json *all_truthy(const struct json *entries, const char *key)
{
	struct json *list = json_new_array();

	for (const struct json *e = json_first(entries); e; e = json_next(e))
		if (!is_falsy(json_get(e, key)))
			json_push(list, json_dup(json_get(e, key)));
	return list;
}

static struct json *some_truthy(const struct json *entries, const char *key)
{
	return unless_empty(all_truthy(entries, key));
}

static struct json *by_key(const struct json *entries, const char *key)
{
	struct json *map = json_new_object();

	for (const struct json *e = json_first(entries); e; e = json_next(e)) {
		const struct json *m = json_first(json_get(e, key));

		for (; m; m = json_next(m))
			json_set(map, json_key(m), json_dup(m));
	}
	return map;
}

/* Tools know best how to merge theirs, and get all of it. */
static struct json *by_tool(const struct json *entries, const char *key)
{
	struct json *map = json_new_object();

	for (const struct json *e = json_first(entries); e; e = json_next(e)) {
		const struct json *of = json_get(e, key);

		for (const struct json *m = json_first(of); m;
		     m = json_next(m)) {
			struct json *list = json_get(map, json_key(m));

			if (json_get(of, json_key(m)) != m)
				continue; /* the last of its name counts */
			if (!list)
				list = json_add(map, json_key(m),
						json_new_array());
			json_push(list, json_dup(m));
		}
	}
	return unless_empty(map);
}

/* A number is that port of "localhost", and is written as a number. */
static struct json *port(const struct json *j)
{
	const char *digits = json_str(j) ? str_skip(json_str(j), "localhost:")
					 : NULL;
	uint64_t number;

	if (!digits || !str_to_u64(digits, 65535, &number))
		return json_dup(j);
	return json_new_int((int64_t)number);
}

static struct json *ports(const struct json *entries, const char *key)
{
	struct json *list = json_new_array();

	for (const struct json *e = json_first(entries); e; e = json_next(e)) {
		const struct json *m = json_first(json_get(e, key));

		for (; m; m = json_next(m)) {
			cleanup_json struct json *one = port(m);

			if (!has(list, one))
				json_push(list, steal_ptr(&one));
		}
	}
	return unless_empty(list);
}

/* Of a mount in either form; "" where there is none. */
static char *mount_target(const struct json *mount)
{
	static const char *const names[] = { "target=", "dst=",
					     "destination=" };
	cleanup_strvec struct strvec fields = STRVEC_INIT;
	const char *found = json_get_str(mount, "target");

	if (json_str(mount))
		strvec_split(&fields, json_str(mount), ",");
	for (size_t i = 0; i < fields.nr; i++)
		for (size_t n = 0; n < ARRAY_SIZE(names); n++)
			if (str_starts(fields.v[i], names[n]))
				found = fields.v[i] + strlen(names[n]);
	return xstrdup(found ? found : "");
}

static bool is_mounted_later(const struct strvec *targets, size_t i)
{
	for (size_t n = i + 1; n < targets->nr; n++)
		if (str_eq(targets->v[n], targets->v[i]))
			return true;
	return false;
}

/* Of several mounts at a place the last counts, and keeps its position. */
static struct json *mounts(const struct json *entries, const char *key)
{
	cleanup_strvec struct strvec targets = STRVEC_INIT;
	struct json *list = json_new_array();
	size_t i = 0;

	for (const struct json *e = json_first(entries); e; e = json_next(e)) {
		const struct json *m = json_first(json_get(e, key));

		for (; m; m = json_next(m))
			strvec_push_own(&targets, mount_target(m));
	}
	for (const struct json *e = json_first(entries); e; e = json_next(e)) {
		const struct json *m = json_first(json_get(e, key));

		for (; m; m = json_next(m))
			if (!is_mounted_later(&targets, i++))
				json_push(list, json_dup(m));
	}
	return unless_empty(list);
}

static struct json *host(const struct json *entries, const char *key)
{
	(void)key;
	return devcontainer_host_merge(entries);
}

static const struct {
	const char *key;
	merge_rule *rule;
	const char *as; /* its name in the result, when it has another */
} rules[] = {
	{ "init", any_true, NULL },
	{ "privileged", any_true, NULL },
	{ "capAdd", set_union, NULL },
	{ "securityOpt", set_union, NULL },
	{ "entrypoint", some_truthy, "entrypoints" },
	{ "mounts", mounts, NULL },
	{ "customizations", by_tool, NULL },
	{ "onCreateCommand", all_truthy, "onCreateCommands" },
	{ "updateContentCommand", all_truthy, "updateContentCommands" },
	{ "postCreateCommand", all_truthy, "postCreateCommands" },
	{ "postStartCommand", all_truthy, "postStartCommands" },
	{ "postAttachCommand", all_truthy, "postAttachCommands" },
	{ "waitFor", last_truthy, NULL },
	{ "remoteUser", last_truthy, NULL },
	{ "containerUser", last_truthy, NULL },
	{ "userEnvProbe", last_truthy, NULL },
	{ "remoteEnv", by_key, NULL },
	{ "containerEnv", by_key, NULL },
	{ "overrideCommand", last_bool, NULL },
	{ "portsAttributes", by_key, NULL },
	{ "otherPortsAttributes", last_truthy, NULL },
	{ "forwardPorts", ports, NULL },
	{ "shutdownAction", last_truthy, NULL },
	{ "updateRemoteUserUID", last_bool, NULL },
	{ "hostRequirements", host, NULL },
};

struct json *devcontainer_merge(const struct json *config,
				const struct json *entries)
{
	struct json *merged = json_dup(config);

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		const char *as = rules[i].as;
		struct json *value = rules[i].rule(entries, rules[i].key);

		json_remove(merged, rules[i].key);
		if (as)
			json_remove(merged, as);
		if (value)
			json_add(merged, as ? as : rules[i].key, value);
	}
	return merged;
}
