/* environment.c - credentials in variables, as Dev Container tools take them */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "registry/internal.h"

static int take(struct registry_credentials *out, const char *user,
		const char *password, const char *source)
{
	log_add_secret(password);
	out->user = xstrdup(user);
	out->password = xstrdup(password);
	out->source = xstrdup(source);
	return 1;
}

/* "HOST|USER|TOKEN" */
static int take_entry(const char *entry, const char *host,
		      struct registry_credentials *out)
{
	const char *user = str_skip(entry, host);
	const char *token = user && *user == '|' ? strchr(user + 1, '|') : NULL;
	cleanup_free char *name = NULL;

	if (!token || !token[1])
		return 0;
	name = xstrndup(user + 1, (size_t)(token - user - 1));
	return take(out, name, token + 1, "DEVCONTAINERS_OCI_AUTH");
}

static int find_oci_auth(const char *host, struct registry_credentials *out)
{
	const char *value = getenv("DEVCONTAINERS_OCI_AUTH");
	cleanup_strvec struct strvec entries = STRVEC_INIT;
	int found = 0;

	if (value)
		strvec_split(&entries, value, ",");
	for (size_t i = 0; !found && i < entries.nr; i++)
		found = take_entry(entries.v[i], host, out);
	return found;
}

/* A token of an enterprise server is not for the public registry. */
static int find_github(const char *host, struct registry_credentials *out)
{
	const char *token = getenv("GITHUB_TOKEN");
	const char *server = getenv("GITHUB_HOST");

	if (!token || !*token || !str_eq(host, "ghcr.io") ||
	    (server && *server && !str_eq(server, "github.com")))
		return 0;
	return take(out, "USERNAME", token, "GITHUB_TOKEN");
}

int registry_find_credentials(struct registry *r, const char *host,
			      const char *repository,
			      struct registry_credentials *out,
			      struct error *err)
{
	int rc;

	if (r->o.devcontainers && find_oci_auth(host, out))
		return 1;
	rc = registry_config_find(&r->config, host, repository, out, err);
	if (rc || !r->o.devcontainers)
		return rc;
	return find_github(host, out);
}
