/* run_flags.c - what the options of `docker run` mean without docker */
/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <ctype.h>
#include <strings.h>

#include "devcontainer/run_internal.h"

static void set_capability(const struct run_reader *rd, const char *value)
{
	strvec_push(&rd->r->cap_add, value);
}

static void drop_capability(const struct run_reader *rd, const char *value)
{
	strvec_push(&rd->r->cap_drop, value);
}

static void set_env(const struct run_reader *rd, const char *value)
{
	strvec_push(&rd->r->env, value);
}

static void set_env_file(const struct run_reader *rd, const char *value)
{
	strvec_push(&rd->r->env_files, value);
}

static void set_user(const struct run_reader *rd, const char *value)
{
	free(rd->r->user);
	rd->r->user = xstrdup(value);
}

static void set_hostname(const struct run_reader *rd, const char *value)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

	if (!*value || *value == '-' || strlen(value) > 63 ||
	    strspn(value, set) != strlen(value)) {
		run_note(rd, "'%s' is not a host name", value);
		return;
	}
	free(rd->r->hostname);
	rd->r->hostname = xstrdup(value);
}

static void set_network(const struct run_reader *rd, const char *value)
{
	rd->r->no_network = str_eq(value, "none");
	if (!rd->r->no_network && !str_eq(value, "host"))
		run_note(rd, "the network '%s' is not supported: it is the "
			 "host's", value);
}

/* "--init" and "--init=true". */
static bool is_on(const char *value)
{
	return !*value || str_is_true(value);
}

static void set_privileged(const struct run_reader *rd, const char *value)
{
	rd->r->privileged = is_on(value);
}

static void set_read_only(const struct run_reader *rd, const char *value)
{
	rd->r->read_only = is_on(value);
}

/* "SOURCE:TARGET[:MODE]", where a source without a slash is a volume. */
static void set_volume(const struct run_reader *rd, const char *value)
{
	cleanup_free char *first = xstrndup(value, strcspn(value, ":"));
	const char *rest = value + strlen(first);
	cleanup_free char *target = NULL, *text = NULL;
	const char *mode;

	if (!*rest) {
		text = xstrfmt("type=volume,\"target=%s\"", first);
		run_add_mount(rd, text);
		return;
	}
	target = xstrndup(rest + 1, strcspn(rest + 1, ":"));
	mode = rest + 1 + strlen(target);
	text = xstrfmt("type=%s,\"source=%s\",\"target=%s\"%s",
		       *first == '/' ? "bind" : "volume", first, target,
		       str_eq(mode, ":ro") ? ",ro" : "");
	run_add_mount(rd, text);
	if (*mode && !str_eq(mode, ":ro") && !str_eq(mode, ":rw"))
		run_note(rd, "'%s' of volume '%s' is not acted on", mode + 1,
			 value);
}

static void set_tmpfs(const struct run_reader *rd, const char *value)
{
	cleanup_free char *text = xstrfmt("type=tmpfs,\"target=%.*s\"",
					  (int)strcspn(value, ":"), value);

	run_add_mount(rd, text);
	if (strchr(value, ':'))
		run_note(rd, "'%s' of a tmpfs is not acted on",
			 strchr(value, ':') + 1);
}

/* An environment's own network has no gateway; the host's is the host. */
static void add_host(const struct run_reader *rd, const char *value)
{
	size_t n = strcspn(value, ":=");

	if (!n || !value[n] || value[strcspn(value, " \t\r\n")])
		run_note(rd, "'%s' is not NAME:ADDRESS", value);
	else
		strvec_pushf(&rd->r->hosts, "%.*s:%s", (int)n, value,
			     str_eq(value + n + 1, "host-gateway")
				     ? "127.0.0.1"
				     : value + n + 1);
}

/* "HOST", "HOST:TARGET", "HOST:RIGHTS" or all three. */
static void set_device(const struct run_reader *rd, const char *value)
{
	cleanup_strvec struct strvec part = STRVEC_INIT;
	const char *rights = NULL, *target;
	struct devcontainer_mount m = { .type = DEVCONTAINER_DEVICE };

	strvec_split(&part, value, ":");
	if (part.nr > 1 && part.v[part.nr - 1][0] != '/')
		rights = part.v[part.nr - 1];
	if (!part.nr || *part.v[0] != '/' || part.nr > (rights ? 3 : 2)) {
		run_note(rd, "'%s' is no device of this host", value);
		return;
	}
	/* Nothing here tells reading from writing but the node's own mode. */
	if (rights && !(strchr(rights, 'r') && strchr(rights, 'w')))
		run_note(rd, "'%s' of the device '%s' is not acted on: its "
			 "mode on this host decides", rights, part.v[0]);
	target = part.nr > (rights ? 2 : 1) ? part.v[1] : part.v[0];
	m.source = xstrdup(part.v[0]);
	m.target = xstrdup(target);
	run_push_mount(rd, &m);
}

static void set_gpus(const struct run_reader *rd, const char *value)
{
	rd->r->gpus = true;
	if (!str_eq(value, "all"))
		run_note(rd, "'--gpus %s' shows all GPUs of this host", value);
}

static bool is_address(const char *s)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, s, bytes) == 1 ||
	       inet_pton(AF_INET6, s, bytes) == 1;
}

static void set_dns(const struct run_reader *rd, const char *value)
{
	if (is_address(value))
		strvec_push(&rd->r->dns, value);
	else
		run_note(rd, "'%s' is no address of a name server", value);
}

/* A word of resolv.conf: nothing in it may begin another one. */
static void add_word(const struct run_reader *rd, struct strvec *to,
		     const char *value)
{
	for (const char *p = value; *p; p++)
		if (!isgraph((unsigned char)*p)) {
			run_note(rd, "'%s' is not a word for resolv.conf",
				 value);
			return;
		}
	strvec_push(to, value);
}

static void set_dns_search(const struct run_reader *rd, const char *value)
{
	add_word(rd, &rd->r->dns_search, value);
}

static void set_dns_option(const struct run_reader *rd, const char *value)
{
	add_word(rd, &rd->r->dns_options, value);
}

static void set_group(const struct run_reader *rd, const char *value)
{
	strvec_push(&rd->r->group_add, value);
}

/* Commands start in the workspace; the image's own starts here. */
static void set_workdir(const struct run_reader *rd, const char *value)
{
	if (*value != '/') {
		run_note(rd, "the directory '%s' is not absolute", value);
		return;
	}
	free(rd->r->workdir);
	rd->r->workdir = xstrdup(value);
}

static bool is_private(const char *value)
{
	return !*value || str_eq(value, "private");
}

static void set_pid(const struct run_reader *rd, const char *value)
{
	if (!is_private(value))
		run_note(rd, "'--pid=%s' is not acted on: an environment ends "
			 "with all its processes, so it sees no others",
			 value);
}

static void set_ipc(const struct run_reader *rd, const char *value)
{
	rd->r->host_ipc = str_eq(value, "host");
	if (!rd->r->host_ipc && !is_private(value) &&
	    !str_eq(value, "none") && !str_eq(value, "shareable"))
		run_note(rd, "'--ipc=%s' is not acted on: there is an own one "
			 "or the host's", value);
}

static void set_userns(const struct run_reader *rd, const char *value)
{
	/* What root has; and what the owners of a workspace look like. */
	if (*value && !str_eq(value, "host") && !str_starts(value, "keep-id"))
		run_note(rd, "'--userns=%s' is not acted on: root has none of "
			 "its own, a user's maps the ids of /etc/subuid",
			 value);
}

static void set_restart(const struct run_reader *rd, const char *value)
{
	if (*value && !str_eq(value, "no"))
		run_note(rd, "'--restart=%s' is not acted on: 'devenv up' "
			 "starts an environment again", value);
}

/* What ends an environment asks all its processes alike. */
static void set_stop_signal(const struct run_reader *rd, const char *value)
{
	const char *bare = strncasecmp(value, "SIG", 3) ? value : value + 3;

	if (strcasecmp(bare, "TERM") && !str_eq(value, "15"))
		run_note(rd, "'--stop-signal=%s' is not acted on: processes "
			 "get SIGTERM", value);
}

static void set_name(const struct run_reader *rd, const char *value)
{
	run_note(rd, "'--name=%s' is not acted on: 'devenv up --name' names "
		 "an environment", value);
}

static void set_label(const struct run_reader *rd, const char *value)
{
	run_note(rd, "the label '%s' is not kept: an environment is found by "
		 "its name", value);
}

/* As with the Dev Container CLI, whose own option comes later. */
static void set_entrypoint(const struct run_reader *rd, const char *value)
{
	run_note(rd, "'--entrypoint=%s' has no effect: an environment starts "
		 "with that of its image where 'overrideCommand' is false",
		 value);
}

static void set_platform(const struct run_reader *rd, const char *value)
{
	run_note(rd, "'--platform=%s' is not acted on: it belongs into "
		 "build.options, or to 'devenv up --platform'", value);
}

/* How the docker client behaves, or what is so anyway. */
static void set_nothing(const struct run_reader *rd, const char *value)
{
	(void)rd;
	(void)value;
}

static const struct run_flag flags[] = {
	{ "add-host", 0, false, add_host },
	{ "attach", 'a', false, set_nothing },
	{ "cap-add", 0, false, set_capability },
	{ "cap-drop", 0, false, drop_capability },
	{ "cgroupns", 0, false, set_nothing }, /* none is seen */
	{ "cpus", 0, false, run_set_cpus },
	{ "detach", 'd', true, set_nothing },
	{ "device", 0, false, set_device },
	{ "dns", 0, false, set_dns },
	{ "dns-opt", 0, false, set_dns_option },
	{ "dns-option", 0, false, set_dns_option },
	{ "dns-search", 0, false, set_dns_search },
	{ "entrypoint", 0, false, set_entrypoint },
	{ "env", 'e', false, set_env },
	{ "env-file", 0, false, set_env_file },
	{ "expose", 0, false, set_nothing }, /* as any port of the host */
	{ "gpus", 0, false, set_gpus },
	{ "group-add", 0, false, set_group },
	{ "hostname", 'h', false, set_hostname },
	{ "init", 0, true, set_nothing }, /* there is one always */
	{ "interactive", 'i', true, set_nothing },
	{ "ipc", 0, false, set_ipc },
	{ "label", 'l', false, set_label },
	{ "memory", 'm', false, run_set_memory },
	{ "mount", 0, false, run_add_mount },
	{ "name", 0, false, set_name },
	{ "net", 0, false, set_network },
	{ "network", 0, false, set_network },
	{ "no-healthcheck", 0, true, set_nothing }, /* none is made */
	{ "oom-kill-disable", 0, true, NULL },
	{ "pid", 0, false, set_pid },
	{ "pids-limit", 0, false, run_set_pids },
	{ "platform", 0, false, set_platform },
	{ "privileged", 0, true, set_privileged },
	{ "publish", 'p', false, run_add_port },
	{ "publish-all", 'P', true, set_nothing },
	{ "quiet", 'q', true, set_nothing },
	{ "read-only", 0, true, set_read_only },
	{ "restart", 0, false, set_restart },
	{ "rm", 0, true, set_nothing }, /* 'devenv rm' is for that */
	{ "security-opt", 0, false, run_add_security },
	{ "shm-size", 0, false, run_set_shm },
	{ "sig-proxy", 0, true, set_nothing },
	{ "stop-signal", 0, false, set_stop_signal },
	{ "stop-timeout", 0, false, run_set_stop_timeout },
	{ "sysctl", 0, false, run_set_sysctl },
	{ "tmpfs", 0, false, set_tmpfs },
	{ "tty", 't', true, set_nothing }, /* each command has its own */
	{ "ulimit", 0, false, run_set_ulimit },
	{ "user", 'u', false, set_user },
	{ "userns", 0, false, set_userns },
	{ "volume", 'v', false, set_volume },
	{ "workdir", 'w', false, set_workdir },
};

const struct run_flag *run_flag_long(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (str_eq(flags[i].name, name))
			return &flags[i];
	return NULL;
}

const struct run_flag *run_flag_letter(char letter)
{
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (letter && flags[i].letter == letter)
			return &flags[i];
	return NULL;
}
