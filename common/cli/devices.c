/* devices.c - devices of this host in an environment */
/* SPDX-License-Identifier: Apache-2.0 */
#include <glob.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "cli/mounts.h"
#include "cli/settings.h"

/* What a GPU computes with. Its display (dri/card0) is another matter. */
static const char *const gpu_nodes[] = {
	"/dev/nvidia[0-9]*", "/dev/nvidiactl",	    "/dev/nvidia-uvm",
	"/dev/nvidia-uvm-tools", "/dev/nvidia-caps/nvidia-cap*",
	"/dev/nvidia-modeset", "/dev/dri/renderD*", "/dev/kfd",
};

static void find_gpus(struct strvec *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(gpu_nodes); i++) {
		glob_t found;

		if (glob(gpu_nodes[i], 0, NULL, &found) == 0)
			strvec_push_all(out,
					(const char *const *)found.gl_pathv);
		globfree(&found);
	}
}

bool cli_devices_gpu(void)
{
	cleanup_strvec struct strvec found = STRVEC_INIT;

	find_gpus(&found);
	return found.nr > 0;
}

/*
 * Alone they give nothing of the host to whoever opens them: a network device,
 * a file system, a virtual machine of its own. So do devices that every user
 * may open.
 */
static bool is_harmless(const struct stat *st)
{
	static const unsigned int minors[] = {
		200 /* net/tun */, 229 /* fuse */, 232 /* kvm */
	};
	const mode_t all = S_IROTH | S_IWOTH;

	if (!S_ISCHR(st->st_mode))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(minors); i++)
		if (st->st_rdev == makedev(10, minors[i]))
			return true;
	return (st->st_mode & all) == all;
}

/* A directory of devices, and nothing that is mounted below /dev. */
static bool is_directory_of_some(const char *path, const struct stat *st)
{
	struct stat dev;

	return S_ISDIR(st->st_mode) && !str_eq(path, "/dev") &&
	       stat("/dev", &dev) == 0 && dev.st_dev == st->st_dev;
}

static void add(struct cli_mounts *m, const struct cli_launch *l,
		const char *source, const char *target, bool granted)
{
	cleanup_free char *real = realpath(source, NULL);
	struct stat st;

	if (!real || stat(real, &st) < 0) {
		log_warn("the device '%s' is left out: this host has none",
			 source);
		return;
	}
	if (!path_within(real, "/dev") ||
	    !(S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode) ||
	      is_directory_of_some(real, &st))) {
		log_warn("'%s' is left out: it is no device below /dev",
			 source);
		return;
	}
	if (!granted && !l->o->privileged && !is_harmless(&st)) {
		log_warn("the device '%s' is not granted, unless with "
			 "--allow-privileged", source);
		return;
	}
	if (!S_ISDIR(st.st_mode) && access(real, R_OK | W_OK) < 0)
		log_warn("the device '%s' is not for this user: nobody can "
			 "open it in the environment", source);
	cli_mounts_device(m, real, target);
}

void cli_devices_add(struct cli_mounts *m, const struct cli_launch *l,
		     const struct devcontainer_run *run)
{
	cleanup_strvec struct strvec gpus = STRVEC_INIT;

	for (size_t i = 0; i < run->n_mounts; i++)
		if (run->mounts[i].type == DEVCONTAINER_DEVICE)
			add(m, l, run->mounts[i].source,
			    run->mounts[i].target, false);
	if (!run->gpus)
		return;
	find_gpus(&gpus);
	if (!gpus.nr)
		log_warn("--gpus is not acted on: this host has no GPU");
	else
		log_info("the GPUs of this host are seen; the libraries of "
			 "their driver have to be in the image");
	for (size_t i = 0; i < gpus.nr; i++)
		add(m, l, gpus.v[i], gpus.v[i], true);
}
