/* run_limits.c - limits and parameters of the kernel, as docker run has them */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <inttypes.h>
#include <sys/resource.h>

#include "devcontainer/run_internal.h"

#define CPU_PERIOD 100000
#define CPUS_MAX 65536

static const struct {
	const char *name;
	int resource;
} ulimits[] = {
	{ "core", RLIMIT_CORE },	 { "cpu", RLIMIT_CPU },
	{ "data", RLIMIT_DATA },	 { "fsize", RLIMIT_FSIZE },
	{ "locks", RLIMIT_LOCKS },	 { "memlock", RLIMIT_MEMLOCK },
	{ "msgqueue", RLIMIT_MSGQUEUE }, { "nice", RLIMIT_NICE },
	{ "nofile", RLIMIT_NOFILE },	 { "nproc", RLIMIT_NPROC },
	{ "rss", RLIMIT_RSS },		 { "rtprio", RLIMIT_RTPRIO },
	{ "rttime", RLIMIT_RTTIME },	 { "sigpending", RLIMIT_SIGPENDING },
	{ "stack", RLIMIT_STACK },
};

const char *devcontainer_ulimit_name(int resource)
{
	for (size_t i = 0; i < ARRAY_SIZE(ulimits); i++)
		if (ulimits[i].resource == resource)
			return ulimits[i].name;
	return "";
}

static bool read_limit(const char *text, uint64_t *out)
{
	if (str_eq(text, "-1") || str_eq(text, "unlimited")) {
		*out = UINT64_MAX;
		return true;
	}
	return str_to_u64(text, INT64_MAX, out);
}

int devcontainer_ulimit_parse(struct devcontainer_ulimit *u, const char *text,
			      struct error *err)
{
	size_t n = strcspn(text, "=");
	cleanup_free char *name = xstrndup(text, n);
	const char *value = text[n] ? text + n + 1 : "";
	const char *colon = strchr(value, ':');
	cleanup_free char *soft = xstrndup(value, strcspn(value, ":"));
	size_t i = 0;

	while (i < ARRAY_SIZE(ulimits) && !str_eq(ulimits[i].name, name))
		i++;
	if (i == ARRAY_SIZE(ulimits))
		return error_set(err, ERR_INPUT, "there is no limit '%s'",
				 name);
	u->resource = ulimits[i].resource;
	if (!read_limit(soft, &u->soft) ||
	    !read_limit(colon ? colon + 1 : soft, &u->hard) ||
	    u->soft > u->hard)
		return error_set(err, ERR_INPUT, "'%s' is no limit: write "
				 "NAME=SOFT or NAME=SOFT:HARD", text);
	return 0;
}

void run_set_ulimit(const struct run_reader *rd, const char *value)
{
	struct devcontainer_run *r = rd->r;
	cleanup_error struct error why = ERROR_INIT;
	struct devcontainer_ulimit u;
	size_t i = 0;

	if (devcontainer_ulimit_parse(&u, value, &why) < 0) {
		run_note(rd, "%s", why.msg);
		return;
	}
	while (i < r->n_ulimits && r->ulimits[i].resource != u.resource)
		i++;
	if (i == r->n_ulimits) {
		GROW(r->ulimits, r->n_ulimits, r->alloc_ulimits);
		r->n_ulimits++;
	}
	r->ulimits[i] = u;
}

/* "1.5"; what follows it, or NULL. */
static const char *read_decimal(const char *p, double *out)
{
	double unit = 1;

	if (!isdigit((unsigned char)*p))
		return NULL;
	for (*out = 0; isdigit((unsigned char)*p); p++)
		*out = *out * 10 + (*p - '0');
	if (*p != '.')
		return p;
	for (p++; isdigit((unsigned char)*p); p++)
		*out += (*p - '0') * (unit /= 10);
	return p;
}

/* As docker reads amounts of memory: all units are powers of 1024. */
static bool read_size(const char *text, uint64_t *bytes)
{
	static const char letters[] = "kmgtp";
	double n;
	const char *p = read_decimal(text, &n), *letter;

	if (!p)
		return false;
	letter = *p ? strchr(letters, tolower((unsigned char)*p)) : NULL;
	for (const char *l = letters; letter && l <= letter; l++)
		n *= 1024;
	p += letter ? 1 : 0;
	if (letter && (*p == 'i' || *p == 'I') && p[1])
		p++;
	if ((*p == 'b' || *p == 'B') && !p[1])
		p++;
	if (*p || n >= (double)INT64_MAX)
		return false;
	*bytes = (uint64_t)n;
	return true;
}

static bool want_size(const struct run_reader *rd, const char *value,
		      uint64_t *bytes)
{
	if (read_size(value, bytes))
		return true;
	run_note(rd, "'%s' is no amount of memory: write bytes, or a number "
		 "with k, m or g", value);
	return false;
}

void run_set_memory(const struct run_reader *rd, const char *value)
{
	uint64_t n;

	if (want_size(rd, value, &n))
		rd->r->memory = n;
}

/* The kernel's own reading of sizes knows no fractions and no "gb". */
void run_set_shm(const struct run_reader *rd, const char *value)
{
	cleanup_free char *text = NULL;
	uint64_t n;

	if (!want_size(rd, value, &n))
		return;
	text = xstrfmt("type=tmpfs,target=/dev/shm,tmpfs-mode=1777,"
		       "tmpfs-size=%" PRIu64, n);
	run_add_mount(rd, text);
}

void run_set_cpus(const struct run_reader *rd, const char *value)
{
	double n;
	const char *end = read_decimal(value, &n);

	if (!end || *end || n > CPUS_MAX || (n > 0 && n < .01))
		run_note(rd, "'%s' is no number of processors", value);
	else
		rd->r->cpu_quota = (uint64_t)(n * CPU_PERIOD + .5);
}

void run_set_pids(const struct run_reader *rd, const char *value)
{
	uint64_t n = 0;

	if (str_eq(value, "-1") || str_to_u64(value, INT32_MAX, &n))
		rd->r->pids = n;
	else
		run_note(rd, "'%s' is no number of processes", value);
}

void run_set_stop_timeout(const struct run_reader *rd, const char *value)
{
	if (!str_to_u64(value, 86400, &rd->r->stop_timeout))
		run_note(rd, "'%s' is no number of seconds", value);
}

/* Of what the kernel keeps once for each network or IPC namespace. */
static bool is_own(const char *name)
{
	static const char *const names[] = {
		"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni",
		"kernel.sem", "kernel.shmall", "kernel.shmmax",
		"kernel.shmmni", "kernel.shm_rmid_forced",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_eq(names[i], name))
			return true;
	return str_starts(name, "net.") || str_starts(name, "fs.mqueue.");
}

void run_set_sysctl(const struct run_reader *rd, const char *value)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	cleanup_free char *name = xstrndup(value, strcspn(value, "="));

	if (!value[strlen(name)] || strspn(name, set) != strlen(name) ||
	    strstr(name, "..") || strchr(value, '\n'))
		run_note(rd, "'%s' is not NAME=VALUE", value);
	else if (!is_own(name))
		run_note(rd, "'%s' is not set: it belongs to the whole host",
			 name);
	else
		strvec_push(&rd->r->sysctls, value);
}
