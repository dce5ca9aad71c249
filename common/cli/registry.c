/* registry.c - options of every command that speaks to registries */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#define R(member) offsetof(struct cli_registry, member)
const struct opt cli_registry_rows[] = {
	{ OPT_GROUP, .help = "Registry" },
	{ OPT_STR, 0, "docker-config", "PATH", NULL,
	  "docker configuration with credentials: its directory or file",
	  R(docker_config) },
	{ OPT_STR, 0, "docker-config-base64", "TEXT",
	  "ENVBUILDER_DOCKER_CONFIG_BASE64",
	  "the same as base64; better in the environment",
	  R(docker_config_base64), .secret = true },
	{ OPT_STR, 0, "ca-file", "FILE", NULL,
	  "trust these certificate authorities, too", R(ca_file) },
	{ OPT_STR, 0, "ssl-cert-base64", "TEXT", "ENVBUILDER_SSL_CERT_BASE64",
	  "the same as base64", R(ca_base64) },
	{ OPT_LIST, 0, "insecure-registry", "HOST", NULL,
	  "HOST[:PORT] may speak plain http", R(insecure) },
	{ OPT_LIST, 0, "skip-tls-verify-registry", "HOST", NULL,
	  "HOST[:PORT] may have any certificate", R(unverified) },
	{ OPT_LIST, 0, "allow-private-realm", "HOST", NULL,
	  "a registry may name this host of an inner network",
	  R(private_realms) },
	{ OPT_LIST, 0, "registry-mirror", "[ORIGIN=]HOST[/PREFIX]",
	  "KANIKO_REGISTRY_MIRROR",
	  "read images of ORIGIN (docker.io) there first", R(mirrors) },
	{ OPT_INT, 0, "registry-retries", "N", NULL,
	  "how often a request is tried (default 5)", R(retries) },
	{ OPT_INT, 0, "registry-stall", "SECONDS", NULL,
	  "give up a transfer that stands still (default 60)",
	  R(stall_seconds) },
	{ OPT_INT, 0, "registry-timeout", "SECONDS", NULL,
	  "try no request again after this time", R(timeout_seconds) },
	{ OPT_END },
};

const struct opt cli_upload_rows[] = {
	{ OPT_STR, 0, "chunk-size", "SIZE", NULL,
	  "send larger blobs in parts of this size", R(chunk_size) },
	{ OPT_END },
};

const struct opt cli_compression_rows[] = {
	{ OPT_STR, 0, "compression", "gzip|zstd|none[:LEVEL]", NULL,
	  "how layers are compressed that are not yet", R(compression) },
	{ OPT_END },
};

int cli_compress(const struct cli_registry *from, struct store *s,
		 struct error *err)
{
	enum compress_kind kind;
	int level;

	if (!from->compression)
		return 0;
	if (compress_parse(from->compression, &kind, &level, err) < 0)
		return error_wrap(err, "--compression");
	store_compress(s, kind, level);
	return 0;
}

void cli_registry_options(const struct cli_registry *from,
			  struct registry_options *to)
{
	*to = (struct registry_options){
		.docker_config = from->docker_config,
		.docker_config_base64 = from->docker_config_base64,
		.ca_file = from->ca_file,
		.ca_base64 = from->ca_base64,
		.insecure = from->insecure,
		.unverified = from->unverified,
		.private_realms = from->private_realms,
		.chunk_size = from->chunk_size,
		.timeout_seconds = from->timeout_seconds,
		.mirrors = from->mirrors,
		.retries = from->retries,
		.stall_seconds = from->stall_seconds,
	};
}

const struct opt cli_platform_rows[] = {
	{ OPT_STR, 0, "platform", "OS/ARCH[/VARIANT]", NULL,
	  "platform of the image (default: this machine's)",
	  offsetof(struct cli_platform, platform) },
	{ OPT_END },
};

int cli_platform_get(const struct cli_platform *from, struct oci_platform *to,
		     struct error *err)
{
	if (from->platform)
		return oci_platform_parse(to, from->platform, err);
	oci_platform_host(to);
	return 0;
}
