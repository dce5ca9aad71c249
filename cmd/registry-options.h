/* registry-options.h - options of every command that speaks to registries */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_REGISTRY_OPTIONS_H
#define CMD_REGISTRY_OPTIONS_H

#include "base/opt.h"
#include "registry/registry.h"

struct cmd_registry {
	char *docker_config, *docker_config_base64;
	char *ca_file, *ca_base64;
	struct strvec insecure;
	int retries, stall_seconds;
};
/* Rows over struct cmd_registry. */
extern const struct opt cmd_registry_rows[];
/* The same for the client; strings and the list stay with `from`. */
void cmd_registry_options(const struct cmd_registry *from,
			  struct registry_options *to);

struct cmd_platform {
	char *platform;
};
extern const struct opt cmd_platform_rows[];
/* The platform named, or this machine's. */
int cmd_platform_get(const struct cmd_platform *from, struct oci_platform *to,
		     struct error *err) MUST_CHECK;

#endif
