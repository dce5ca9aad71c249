/* host.c - what is known of one registry: address, scheme, certificates */
/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/internal.h"

#include <dirent.h>
#include <strings.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"

#define CERT_MAX (1u << 20)

/* The name without its port and brackets. */
static char *bare_name(const char *name)
{
	const char *colon;

	if (*name == '[')
		return xstrndup(name + 1, strcspn(name + 1, "]"));
	colon = strchr(name, ':');
	return colon ? xstrndup(name, (size_t)(colon - name)) : xstrdup(name);
}

static bool is_listed(const struct strvec *list, const char *name)
{
	cleanup_free char *bare = bare_name(name);
	size_t i;

	for (i = 0; i < list->nr; i++)
		if (!strcasecmp(list->v[i], name) ||
		    !strcasecmp(list->v[i], bare))
			return true;
	return false;
}

static void take_cert(struct registry_host *host, const char *dir,
		      const char *name)
{
	cleanup_free char *path = path_join(dir, name), *key = NULL;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (str_ends(name, ".cert") && !host->tls.cert) {
		key = xstrfmt("%.*s.key", (int)strlen(path) - 5, path);
		if (!fs_is_file(key)) {
			log_warn("%s has no key beside it (%s)", path, key);
			return;
		}
		host->tls.cert = steal_ptr(&path);
		host->tls.key = steal_ptr(&key);
	} else if (str_ends(name, ".crt")) {
		cleanup_error struct error err = ERROR_INIT;

		if (fs_read_file(path, CERT_MAX, &text, &err) < 0) {
			log_warn("%s", err.msg);
			return;
		}
		if (host->tls.ca_pem)
			strbuf_prepend(&text, host->tls.ca_pem);
		free(host->tls.ca_pem);
		strbuf_addch(&text, '\n');
		host->tls.ca_pem = strbuf_detach(&text);
	}
}

static void read_certs_of(struct registry_host *host, const char *place)
{
	cleanup_free char *dir = path_join(place, host->name);
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)))
		take_cert(host, dir, e->d_name);
	if (d)
		closedir(d);
}

/* The places where docker and podman look, so that what works there works
 * here. The name has been checked: it holds no slash and no "..". */
static void read_certs(struct registry_host *host)
{
	const char *own = getenv("DEVENV_CERTS_DIR"), *home = getenv("HOME");
	cleanup_free char *users = NULL;

	if (own && *own) {
		read_certs_of(host, own);
		return;
	}
	if (home && *home) {
		users = path_join(home, ".config/containers/certs.d");
		read_certs_of(host, users);
	}
	read_certs_of(host, "/etc/containers/certs.d");
	read_certs_of(host, "/etc/docker/certs.d");
}

static enum registry_scheme first_scheme(const struct registry_host *host)
{
	/* Certificates say that TLS is meant. Without them a loopback host is
	 * nearly always plain, and asking so costs no certificate store. */
	if (host->loopback && !host->tls.ca_pem && !host->tls.cert &&
	    !str_ends(host->name, ":443"))
		return SCHEME_PROBE_HTTP;
	return host->insecure || host->loopback ? SCHEME_PROBE_TLS
						: SCHEME_TLS;
}

struct registry_host *registry_host_new(const struct registry *r,
					const char *name)
{
	struct registry_host *host = xcalloc(1, sizeof(*host));
	cleanup_free char *bare = bare_name(name);

	host->name = xstrdup(name);
	host->api = xstrdup(str_eq(name, "docker.io") ? "registry-1.docker.io"
						      : name);
	host->loopback = url_host_is_loopback(bare);
	host->insecure = is_listed(&r->insecure, name);
	host->tls = (struct http_tls)HTTP_TLS_INIT;
	host->tls.unverified = is_listed(&r->unverified, name);
	read_certs(host);
	host->scheme = first_scheme(host);
	if (host->tls.unverified)
		log_warn("%s is used without verifying who it is", name);
	return host;
}

void registry_host_free(struct registry_host *host)
{
	registry_auth_forget(host);
	free(host->name);
	free(host->api);
	free(host->used);
	strvec_release(&host->warned);
	http_tls_release(&host->tls);
	free(host);
}

char *registry_host_url(const struct registry_host *host, const char *path)
{
	bool tls = host->scheme == SCHEME_TLS ||
		   host->scheme == SCHEME_PROBE_TLS;

	return xstrfmt("%s://%s%s", tls ? "https" : "http", host->api, path);
}

/* Another call that was under way has found out meanwhile. */
static bool already_known(const struct registry_host *host,
			  enum registry_scheme sent,
			  const struct http_transfer *t)
{
	if (sent == SCHEME_PROBE_HTTP)
		return host->scheme != SCHEME_HTTP &&
		       (!t->status || t->status == 400);
	return sent == SCHEME_PROBE_TLS && host->scheme == SCHEME_HTTP &&
	       t->no_tls;
}

bool registry_host_switch(struct registry_host *host,
			  enum registry_scheme sent,
			  const struct http_transfer *t)
{
	if (sent != host->scheme)
		return already_known(host, sent, t);
	switch (sent) {
	case SCHEME_PROBE_HTTP:
		/* A TLS server says 400 to plain http, or nothing. */
		if (!t->status || t->status == 400) {
			host->scheme = SCHEME_PROBE_TLS;
			return true;
		}
		/* The probe was made without the usual patience. */
		host->scheme = SCHEME_HTTP;
		return t->status == 429 || t->status >= 500;
	case SCHEME_PROBE_TLS:
		if (t->status || t->bad_cert) {
			host->scheme = SCHEME_TLS;
			return false;
		}
		if (!t->no_tls)
			return false;
		host->scheme = SCHEME_HTTP;
		if (!host->loopback)
			log_warn("%s is spoken to over plain http",
				 host->name);
		return true;
	default:
		return false;
	}
}
