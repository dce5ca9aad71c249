/* host.c - what configurations require of the machine */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "devcontainer/metadata.h"

double devcontainer_size(const char *text)
{
	static const struct {
		const char *name;
		double bytes;
	} units[] = {
		{ "", 1 },
		{ "kb", 1024. },
		{ "mb", 1024. * 1024 },
		{ "gb", 1024. * 1024 * 1024 },
		{ "tb", 1024. * 1024 * 1024 * 1024 },
	};
	const char *p = text;
	double n = 0;

	if (!p || !isdigit((unsigned char)*p))
		return 0;
	for (; isdigit((unsigned char)*p); p++)
		n = n * 10 + (*p - '0');
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (str_eq(p, units[i].name))
			return n * units[i].bytes;
	return 0;
}

static double size_of(const struct json *object, const char *key)
{
	return devcontainer_size(json_get_str(object, key));
}

/* Sizes are written in bytes. */
static void set_size(struct json *object, const char *key, double bytes)
{
	cleanup_free char *text = xstrfmt("%.0f", bytes);

	if (bytes > 0)
		json_set_str(object, key, text);
}

static bool is_unset(const struct json *gpu)
{
	return !gpu || (json_kind(gpu) == JSON_BOOL && !json_bool(gpu));
}

/* Both requirements as one; takes `a`, which may be NULL. */
static struct json *merge_gpu(struct json *a, const struct json *b)
{
	cleanup_json struct json *old = a;
	struct json *both;
	double cores;

	if (is_unset(old))
		return json_dup(b);
	if (is_unset(b) || (str_eq_null(json_str(old), "optional") &&
			    str_eq_null(json_str(b), "optional")))
		return steal_ptr(&old);
	both = json_new_object();
	cores = MAX(json_number(json_get(old, "cores")),
		    json_number(json_get(b, "cores")));
	if (cores > 0)
		json_set(both, "cores", json_new_number(cores));
	set_size(both, "memory",
		 MAX(size_of(old, "memory"), size_of(b, "memory")));
	return both;
}

struct json *devcontainer_host_merge(const struct json *entries)
{
	cleanup_json struct json *gpu = NULL;
	struct json *out;
	double cpus = 0, memory = 0, storage = 0;

	for (const struct json *e = json_first(entries); e; e = json_next(e)) {
		const struct json *h = json_get(e, "hostRequirements");

		cpus = MAX(cpus, json_number(json_get(h, "cpus")));
		memory = MAX(memory, size_of(h, "memory"));
		storage = MAX(storage, size_of(h, "storage"));
		gpu = merge_gpu(steal_ptr(&gpu), json_get(h, "gpu"));
	}
	if (!(cpus > 0) && !(memory > 0) && !(storage > 0) && is_unset(gpu))
		return NULL;
	out = json_new_object();
	json_set(out, "cpus", json_new_number(cpus));
	set_size(out, "memory", memory);
	set_size(out, "storage", storage);
	if (gpu)
		json_set(out, "gpu", steal_ptr(&gpu));
	return out;
}
