/* normal.c - a service of a compose file, each property in its long form */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"
#include "compose/internal.h"

typedef struct json *(*form_fn)(struct compose_at *at, const struct json *j);

static struct json *wrong(struct compose_at *at, const char *want)
{
	compose_fail(at, false, "%s expected", want);
	return NULL;
}

/* "5", 5 and true where text is wanted. */
static char *scalar_text(const struct json *j)
{
	if (json_str(j))
		return xstrdup(json_str(j));
	if (json_kind(j) == JSON_BOOL)
		return xstrdup(json_bool(j) ? "true" : "false");
	if (json_kind(j) == JSON_NUMBER) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;

		json_write(&text, j, false);
		strbuf_rtrim(&text);
		return xstrdup(text.buf);
	}
	return NULL;
}

static struct json *text(struct compose_at *at, const struct json *j)
{
	cleanup_free char *s = scalar_text(j);

	return s ? json_new_str(s) : wrong(at, "a string");
}

static struct json *boolean(struct compose_at *at, const struct json *j)
{
	const char *s = json_str(j);

	if (json_kind(j) == JSON_BOOL)
		return json_dup(j);
	if (s && (str_eq(s, "true") || str_eq(s, "false")))
		return json_new_bool(str_eq(s, "true"));
	return wrong(at, "true or false");
}

static struct json *number(struct compose_at *at, const struct json *j)
{
	cleanup_free char *s = scalar_text(j);
	uint64_t n;

	if (!s || !str_to_u64(s, INT32_MAX, &n))
		return wrong(at, "a number");
	return json_new_int((int64_t)n);
}

static struct json *texts(struct compose_at *at, const struct json *j)
{
	struct json *list = json_new_array();
	const struct json *m;

	if (json_kind(j) != JSON_ARRAY) {
		struct json *one = text(at, j);

		if (one) {
			json_push(list, one);
			return list;
		}
		json_free(list);
		return NULL;
	}
	for (m = json_first(j); m; m = json_next(m)) {
		struct json *one = text(at, m);

		if (!one) {
			json_free(list);
			return NULL;
		}
		json_push(list, one);
	}
	return list;
}

/* A string is split as a shell would; null means what the image says. */
static struct json *command(struct compose_at *at, const struct json *j)
{
	cleanup_strvec struct strvec words = STRVEC_INIT;
	struct json *list;
	size_t i;

	if (json_kind(j) == JSON_NULL)
		return json_new_null();
	if (!json_str(j))
		return texts(at, j);
	if (!compose_words(json_str(j), &words))
		return wrong(at, "a quote is not closed: a command");
	list = json_new_array();
	for (i = 0; i < words.nr; i++)
		json_push(list, json_new_str(words.v[i]));
	return list;
}

/* "K=V" (or "K: V" of hosts) in a list, or a map; "K" alone is null. */
static struct json *map_by(struct compose_at *at, const struct json *j,
			   const char *seps)
{
	struct json *map = json_new_object();
	bool list = json_kind(j) == JSON_ARRAY;
	const struct json *m;

	if (!list && json_kind(j) != JSON_OBJECT) {
		json_free(map);
		return wrong(at, "a list or a map");
	}
	for (m = json_first(j); m; m = json_next(m)) {
		cleanup_free char *s = scalar_text(m);
		size_t n = list && s ? strcspn(s, seps) : 0;
		cleanup_free char *key = xstrndup(list && s ? s : "", n);
		const char *value = !list ? s : s && s[n] ? s + n + 1 : NULL;

		if (!s && (list || json_kind(m) != JSON_NULL)) {
			json_free(map);
			return wrong(at, "strings");
		}
		json_set(map, list ? key : json_key(m),
			 value ? json_new_str(value) : json_new_null());
	}
	return map;
}

static struct json *map(struct compose_at *at, const struct json *j)
{
	return map_by(at, j, "=");
}

/* "NAME:ADDRESS", as the address may have colons, too. */
static struct json *hosts(struct compose_at *at, const struct json *j)
{
	return map_by(at, j, "=:");
}

static struct json *one_env_file(struct compose_at *at, const struct json *j)
{
	struct json *o = json_new_object();
	const char *path = json_str(j) ? json_str(j)
				       : json_get_str(j, "path");
	const struct json *required = json_get(j, "required");
	cleanup_free char *full = NULL;

	if (!path) {
		json_free(o);
		return wrong(at, "the path of a file");
	}
	full = path_resolve(at->f->dir, path);
	json_set_str(o, "path", full);
	json_set_bool(o, "required", !required || json_bool(required));
	return o;
}

static struct json *each(struct compose_at *at, const struct json *j,
			 form_fn form)
{
	struct json *list = json_new_array();
	const struct json *m;
	size_t i = 0;

	if (json_kind(j) != JSON_ARRAY) {
		json_free(list);
		return wrong(at, "a list");
	}
	for (m = json_first(j); m; m = json_next(m)) {
		struct json *one;

		strvec_pushf(&at->path, "%zu", i++);
		one = form(at, m);
		strvec_pop(&at->path);
		if (!one) {
			json_free(list);
			return NULL;
		}
		json_push(list, one);
	}
	return list;
}

static struct json *env_files(struct compose_at *at, const struct json *j)
{
	struct json *list, *one;

	if (json_kind(j) == JSON_ARRAY)
		return each(at, j, one_env_file);
	one = one_env_file(at, j);
	if (!one)
		return NULL;
	list = json_new_array();
	json_push(list, one);
	return list;
}

static struct json *volumes(struct compose_at *at, const struct json *j)
{
	return each(at, j, compose_volume);
}

/* The long form as the short one. */
static struct json *port(struct compose_at *at, const struct json *j)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_free char *target = NULL, *published = NULL;
	const char *address, *protocol;

	if (json_kind(j) != JSON_OBJECT)
		return text(at, j);
	target = scalar_text(json_get(j, "target"));
	published = scalar_text(json_get(j, "published"));
	address = json_get_str(j, "host_ip");
	protocol = json_get_str(j, "protocol");
	if (!target)
		return wrong(at, "a port with a target");
	if (address)
		strbuf_addf(&out, "%s:", address);
	if (address || published)
		strbuf_addf(&out, "%s:", published ? published : "");
	strbuf_addstr(&out, target);
	if (protocol && !str_eq(protocol, "tcp"))
		strbuf_addf(&out, "/%s", protocol);
	return json_new_str(out.buf);
}

static struct json *ports(struct compose_at *at, const struct json *j)
{
	return each(at, j, port);
}

/* A device in its short form, too. */
static struct json *device(struct compose_at *at, const struct json *j)
{
	const char *source = json_get_str(j, "source");
	const char *target = json_get_str(j, "target");
	const char *rights = json_get_str(j, "permissions");
	cleanup_free char *all = NULL;

	if (json_kind(j) != JSON_OBJECT)
		return text(at, j);
	if (!source)
		return wrong(at, "a device with a source");
	all = xstrfmt("%s:%s%s%s", source, target ? target : source,
		      rights ? ":" : "", rights ? rights : "");
	return json_new_str(all);
}

static struct json *devices(struct compose_at *at, const struct json *j)
{
	return each(at, j, device);
}

/* "soft:hard", or a number for both. */
static struct json *limits(struct compose_at *at, const struct json *j)
{
	struct json *map = json_new_object();
	const struct json *m;

	for (m = json_first(j); m; m = json_next(m)) {
		bool both = json_kind(m) == JSON_OBJECT;
		cleanup_free char *soft =
			scalar_text(both ? json_get(m, "soft") : m);
		cleanup_free char *hard =
			scalar_text(both ? json_get(m, "hard") : m);
		cleanup_free char *value = NULL;

		if (!soft || !hard || json_kind(j) != JSON_OBJECT) {
			json_free(map);
			return wrong(at, "a map of limits, each a number or "
					 "soft and hard");
		}
		value = xstrfmt("%s:%s", soft, hard);
		json_set_str(map, json_key(m), value);
	}
	return map;
}

static struct json *one_dependency(struct compose_at *at,
				   const struct json *j)
{
	static const char *const conditions[] = {
		"service_started", "service_healthy",
		"service_completed_successfully",
	};
	const char *condition = json_get_str(j, "condition");
	const struct json *required = json_get(j, "required");
	struct json *o;
	size_t i;

	if (!condition)
		condition = conditions[0];
	for (i = 0; i < ARRAY_SIZE(conditions); i++)
		if (str_eq(condition, conditions[i]))
			break;
	if (i == ARRAY_SIZE(conditions)) {
		compose_fail(at, false, "'%s' is no condition", condition);
		return NULL;
	}
	o = json_new_object();
	json_set_str(o, "condition", condition);
	json_set_bool(o, "required", !required || json_bool(required));
	return o;
}

static struct json *depends(struct compose_at *at, const struct json *j)
{
	bool list = json_kind(j) == JSON_ARRAY;
	struct json *map = json_new_object();
	const struct json *m;

	for (m = json_first(j); m; m = json_next(m)) {
		const char *name = list ? json_str(m) : json_key(m);
		struct json *one = NULL;

		if (!name) {
			json_free(map);
			return wrong(at, "names of services");
		}
		strvec_push(&at->path, name);
		one = one_dependency(at, list ? NULL : m);
		strvec_pop(&at->path);
		if (!one) {
			json_free(map);
			return NULL;
		}
		json_set(map, name, one);
	}
	return map;
}

struct property {
	const char *name;
	form_fn form;
};

/* The members of an object by a table; what the table lacks is told. */
static struct json *members(struct compose_at *at, const struct json *j,
			    const struct property *known, size_t n)
{
	struct json *o = json_new_object();
	const struct json *m;

	for (m = json_first(j); m; m = json_next(m)) {
		const char *key = json_key(m);
		struct json *value = NULL;
		size_t i = 0;

		strvec_push(&at->path, key);
		while (i < n && !str_eq(known[i].name, key))
			i++;
		if (i < n && known[i].form && compose_few(at, m) == 0)
			value = known[i].form(at, m);
		else if (i == n && !str_starts(key, "x-"))
			compose_warn(at, "'%s' is not acted on", key);
		strvec_pop(&at->path);
		if (value) {
			json_set(o, key, value);
		} else if (i < n && known[i].form) {
			json_free(o);
			return NULL;
		}
	}
	return o;
}

static struct json *directory(struct compose_at *at, const struct json *j)
{
	cleanup_free char *full = NULL;

	if (!json_str(j))
		return wrong(at, "a directory");
	/* A remote context stays what it is. */
	if (strstr(json_str(j), "://") || str_starts(json_str(j), "git@"))
		return json_dup(j);
	full = path_resolve(at->f->dir, json_str(j));
	return json_new_str(full);
}

static struct json *build(struct compose_at *at, const struct json *j)
{
	static const struct property known[] = {
		{ "context", directory },  { "dockerfile", text },
		{ "dockerfile_inline", text }, { "target", text },
		{ "args", map },	   { "cache_from", texts },
		{ "labels", map },
	};
	struct json *o;

	if (json_str(j)) {
		struct json *context = directory(at, j);

		o = json_new_object();
		json_set(o, "context", context);
		return o;
	}
	if (json_kind(j) != JSON_OBJECT)
		return wrong(at, "a directory or a map");
	o = members(at, j, known, ARRAY_SIZE(known));
	if (o && !json_get(o, "context"))
		json_set_str(o, "context", at->f->dir);
	return o;
}

/* A string is a command for the shell. */
static struct json *health_test(struct compose_at *at, const struct json *j)
{
	struct json *list;

	if (!json_str(j))
		return texts(at, j);
	list = json_new_array();
	json_push(list, json_new_str("CMD-SHELL"));
	json_push(list, json_dup(j));
	return list;
}

static struct json *health(struct compose_at *at, const struct json *j)
{
	static const struct property known[] = {
		{ "test", health_test },    { "interval", text },
		{ "timeout", text },	    { "retries", number },
		{ "start_period", text },   { "start_interval", text },
		{ "disable", boolean },
	};

	if (json_kind(j) != JSON_OBJECT)
		return wrong(at, "a map");
	return members(at, j, known, ARRAY_SIZE(known));
}

static struct json *network(struct compose_at *at, const struct json *j)
{
	static const struct property known[] = { { "aliases", texts } };

	return json_kind(j) == JSON_NULL ? json_new_object()
	       : json_kind(j) == JSON_OBJECT
		       ? members(at, j, known, ARRAY_SIZE(known))
		       : wrong(at, "a map");
}

/* All services share one: what is left of several is what they are called. */
static struct json *networks(struct compose_at *at, const struct json *j)
{
	const bool list = json_kind(j) == JSON_ARRAY;
	struct json *map = json_new_object();
	const struct json *m;

	if (json_len(j) > 1)
		compose_warn(at, "all services share one network: several are "
			     "not kept apart");
	for (m = json_first(j); m; m = json_next(m)) {
		const char *name = list ? json_str(m) : json_key(m);
		struct json *one = NULL;

		if (!name) {
			json_free(map);
			return wrong(at, "names of networks");
		}
		strvec_push(&at->path, name);
		one = list ? json_new_object() : network(at, m);
		strvec_pop(&at->path);
		if (!one) {
			json_free(map);
			return NULL;
		}
		json_set(map, name, one);
	}
	return map;
}

static struct json *network_mode(struct compose_at *at, const struct json *j)
{
	const char *s = json_str(j);

	if (s && !str_eq(s, "none") && !str_eq(s, "host") &&
	    !str_eq(s, "bridge") && !str_starts(s, "service:"))
		compose_warn(at, "the network '%s' is not acted on: all "
			     "services share one", s);
	return text(at, j);
}

/* Without a form: they say nothing that matters here. */
static const struct property properties[] = {
	{ "build", build },		{ "cap_add", texts },
	{ "cap_drop", texts },		{ "command", command },
	{ "container_name", text },
	{ "cpus", text },		{ "depends_on", depends },
	{ "devices", devices },		{ "dns", texts },
	{ "dns_opt", texts },		{ "dns_search", texts },
	{ "entrypoint", command },	{ "env_file", env_files },
	{ "environment", map },		{ "expose", texts },
	{ "extends", NULL },		{ "extra_hosts", hosts },
	{ "gpus", text },		{ "group_add", texts },
	{ "healthcheck", health },	{ "hostname", text },
	{ "image", text },		{ "init", boolean },
	{ "ipc", text },		{ "labels", map },
	{ "links", texts },		{ "mem_limit", text },
	{ "network_mode", network_mode }, { "networks", networks },
	{ "pid", text },		{ "pids_limit", text },
	{ "platform", text },		{ "ports", ports },
	{ "privileged", boolean },	{ "profiles", texts },
	{ "read_only", boolean },	{ "security_opt", texts },
	{ "shm_size", text },		{ "stdin_open", NULL },
	{ "stop_grace_period", text },	{ "stop_signal", text },
	{ "sysctls", map },		{ "tmpfs", texts },
	{ "tty", NULL },		{ "ulimits", limits },
	{ "user", text },		{ "userns_mode", text },
	{ "volumes", volumes },		{ "working_dir", text },
};

struct json *compose_normal(struct compose_at *at, const struct json *service)
{
	if (json_kind(service) != JSON_OBJECT)
		return wrong(at, "a map of properties");
	return members(at, service, properties, ARRAY_SIZE(properties));
}
