/* requirements.c - what a configuration needs of host and caller */
/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/settings.h"
#include "devcontainer/metadata.h"

static void compare(const char *what, double need, double have)
{
	const double gib = 1024. * 1024 * 1024;

	if (need > have)
		log_warn("hostRequirements: %s: %.1f GiB are needed, this "
			 "host has %.1f", what, need / gib, have / gib);
}

/* As the Dev Container CLI: all GPUs where there are some. */
static bool want_gpu(const struct json *gpu)
{
	if (!gpu || (json_kind(gpu) == JSON_BOOL && !json_bool(gpu)))
		return false;
	if (cli_devices_gpu())
		return true;
	if (!json_str(gpu)) /* "optional" */
		log_warn("hostRequirements: a GPU is needed, this host has "
			 "none");
	return false;
}

static void tell_host(const struct cli_launch *l, const struct json *need)
{
	double cpus = json_number(json_get(need, "cpus"));
	double have = (double)sysconf(_SC_NPROCESSORS_ONLN);
	struct sysinfo info;
	struct statvfs fs;

	if (cpus > have)
		log_warn("hostRequirements: %.0f processors are needed, this "
			 "host has %.0f", cpus, have);
	if (sysinfo(&info) == 0)
		compare("memory",
			devcontainer_size(json_get_str(need, "memory")),
			(double)info.totalram * info.mem_unit);
	if (statvfs(store_path(l->b->store), &fs) == 0)
		compare("storage",
			devcontainer_size(json_get_str(need, "storage")),
			(double)fs.f_blocks * (double)fs.f_frsize);
}

static void tell_secrets(const struct cli_launch *l,
			 const struct json *secrets)
{
	const struct strvec *given = l->life ? l->life->secrets : NULL;
	const struct json *m = json_first(secrets);

	for (; m; m = json_next(m)) {
		const char *about = json_get_str(m, "description");

		if (!given || !strvec_env_get(given, json_key(m)))
			log_info("the secret %s is recommended, --secrets-file "
				 "gives it%s%s", json_key(m),
				 about ? ": " : "", about ? about : "");
	}
}

bool cli_requirements_tell(const struct cli_launch *l,
			   const struct json *config)
{
	const struct json *need = json_get(config, "hostRequirements");

	if (need)
		tell_host(l, need);
	tell_secrets(l, json_get(config, "secrets"));
	return want_gpu(json_get(need, "gpu"));
}
