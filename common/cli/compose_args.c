/* compose_args.c - properties of a service as options of docker run */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "cli/compose.h"
#include "dockerfile/dockerfile.h"

static const struct option {
	const char *key, *option;
} options[] = {
	{ "cap_drop", "cap-drop" },	{ "cpus", "cpus" },
	{ "devices", "device" },	{ "dns", "dns" },
	{ "dns_opt", "dns-option" },	{ "dns_search", "dns-search" },
	{ "extra_hosts", "add-host" },	{ "gpus", "gpus" },
	{ "group_add", "group-add" },	{ "hostname", "hostname" },
	{ "ipc", "ipc" },		{ "mem_limit", "memory" },
	{ "pid", "pid" },		{ "pids_limit", "pids-limit" },
	{ "read_only", "read-only" },	{ "shm_size", "shm-size" },
	{ "stop_signal", "stop-signal" }, { "sysctls", "sysctl" },
	{ "ulimits", "ulimit" },	{ "userns_mode", "userns" },
};

static void add(struct json *args, const char *option, const char *value)
{
	cleanup_free char *text = xstrfmt("--%s=%s", option, value);

	json_push(args, json_new_str(text));
}

/* A member of a map is "K=V", of hosts "K:V", as addresses have no "=". */
static void add_member(struct json *args, const struct option *o,
		       const struct json *m)
{
	const char *sep = str_eq(o->option, "add-host") ? ":" : "=";
	const char *value = json_str(m) ? json_str(m) : "";
	cleanup_free char *text =
		json_key(m) ? xstrfmt("%s%s%s", json_key(m), sep, value)
			    : xstrdup(value);

	add(args, o->option, text);
}

static void add_option(struct json *args, const struct option *o,
		       const struct json *value)
{
	if (json_kind(value) == JSON_BOOL) {
		add(args, o->option, json_bool(value) ? "true" : "false");
	} else if (json_str(value)) {
		add(args, o->option, json_str(value));
	} else {
		for (const struct json *m = json_first(value); m;
		     m = json_next(m))
			add_member(args, o, m);
	}
}

/* "1m30s" in seconds, begun ones too; what is no time is told as it is. */
static void add_grace(struct json *args, const char *text)
{
	cleanup_free char *seconds = NULL;
	int64_t ns;

	if (!text)
		return;
	if (dockerfile_duration(text, &ns, NULL) == 0 && ns >= 0)
		seconds = xstrfmt("%" PRId64, (ns + 999999999) / 1000000000);
	add(args, "stop-timeout", seconds ? seconds : text);
}

struct json *cli_compose_args(const struct json *service)
{
	struct json *args = json_new_array();
	const char *network = json_get_str(service, "network_mode");

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		add_option(args, &options[i],
			   json_get(service, options[i].key));
	/* Others are how services find each other, which they do anyway. */
	if (network && str_eq(network, "none"))
		add(args, "network", network);
	add_grace(args, json_get_str(service, "stop_grace_period"));
	return args;
}
