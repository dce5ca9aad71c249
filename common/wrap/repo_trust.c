/* repo_trust.c - certificate authorities for Git over https */
/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"
#include "wrap/digest.h"
#include "wrap/repo_lib.h"

#define CA_MAX (4 * 1024 * 1024)

static const char *const system_bundles[] = {
	"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem", NULL
};

static void add_system_bundle(struct strbuf *out)
{
	const char *const *path;
	const char *own = getenv("SSL_CERT_FILE");

	if (own && *own) {
		if (fs_read_file(own, CA_MAX, out, NULL) < 0)
			log_warn("cannot read SSL_CERT_FILE '%s'", own);
		return;
	}
	for (path = system_bundles; *path; path++)
		if (fs_read_file(*path, CA_MAX, out, NULL) == 0)
			return;
}

static int add_own(struct repo_session *s, struct strbuf *out,
		   struct error *err)
{
	const struct repo_options *o = s->options;
	size_t before = out->len;

	if (o->ca_file && fs_read_file(o->ca_file, CA_MAX, out, err) < 0)
		return error_wrap(err, "CA file");
	if (o->ca_base64 && (strlen(o->ca_base64) > CA_MAX ||
			     base64_decode(out, o->ca_base64, err) < 0))
		return error_is(err) ? error_wrap(err, "CA certificate")
				     : error_set(err, ERR_USAGE,
						 "CA certificate is too large");
	if (out->len != before && !strstr(out->buf, "-----BEGIN CERTIFICATE"))
		return error_set(err, ERR_INPUT, "%s: no PEM certificate in it",
				 o->ca_file ? o->ca_file : "--ssl-cert-base64");
	return 0;
}

/* libgit2 replaces its trusted certificates as a whole and only reads files,
 * so the bundle and the additions become one file in memory. */
int repo_trust_load(struct repo_session *s, struct error *err)
{
	cleanup_strbuf struct strbuf bundle = STRBUF_INIT;
	cleanup_error struct error own = ERROR_INIT;
	cleanup_free char *path = NULL;
	const char *dir = getenv("SSL_CERT_DIR");
	int rc;

	if (!s->options->ca_file && !s->options->ca_base64 &&
	    !getenv("SSL_CERT_FILE") && !dir)
		return 0;
	if (add_own(s, &bundle, &own) < 0)
		return error_move(err, &own);
	strbuf_addch(&bundle, '\n');
	add_system_bundle(&bundle);
	s->ca_fd = memfd_create("ca", MFD_CLOEXEC);
	if (s->ca_fd < 0)
		return error_errno(err, "cannot make a memory file");
	if (fs_write_all(s->ca_fd, bundle.buf, bundle.len, err) < 0)
		return -1;
	path = xstrfmt("/proc/self/fd/%d", s->ca_fd);
	rc = s->git.git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, path,
				     dir && fs_is_dir(dir) ? dir : NULL);
	return rc < 0 ? repo_fail(s, rc, err, "CA certificates") : 0;
}

#define CRYPTO_FUNCTIONS(X) \
	X(d2i_X509) X(X509_free) X(X509_STORE_new) X(X509_STORE_free) \
	X(X509_STORE_load_file) X(X509_STORE_CTX_new) X(X509_STORE_CTX_free) \
	X(X509_STORE_CTX_init) X(X509_STORE_CTX_get0_param) \
	X(X509_VERIFY_PARAM_set1_ip_asc) X(X509_verify_cert) \
	X(X509_STORE_CTX_set_default)

struct crypto {
	CRYPTO_FUNCTIONS(LAZY_POINTER)
};

#define CRYPTO_ROW(name) LAZY_ROW(struct crypto, name)
static const struct lazy_symbol crypto_symbols[] = {
	CRYPTO_FUNCTIONS(CRYPTO_ROW)
};

static void load_store(const struct repo_session *s, const struct crypto *c,
		       X509_STORE *store)
{
	cleanup_free char *own = s->ca_fd >= 0
		? xstrfmt("/proc/self/fd/%d", s->ca_fd) : NULL;
	const char *const *path;

	if (own) {
		c->X509_STORE_load_file(store, own);
		return;
	}
	for (path = system_bundles; *path; path++)
		if (c->X509_STORE_load_file(store, *path) == 1)
			return;
}

static bool verify(const struct repo_session *s, const struct crypto *c,
		   X509 *leaf, const char *address)
{
	X509_STORE *store = c->X509_STORE_new();
	X509_STORE_CTX *ctx = c->X509_STORE_CTX_new();
	bool ok = store && ctx;

	if (ok) {
		load_store(s, c, store);
		ok = c->X509_STORE_CTX_init(ctx, store, leaf, NULL) == 1 &&
		     c->X509_STORE_CTX_set_default(ctx, "ssl_server") == 1 &&
		     c->X509_VERIFY_PARAM_set1_ip_asc(
			     c->X509_STORE_CTX_get0_param(ctx), address) == 1 &&
		     c->X509_verify_cert(ctx) == 1;
	}
	c->X509_STORE_CTX_free(ctx);
	c->X509_STORE_free(store);
	return ok;
}

/* mbedtls 2.28, below libgit2, compares DNS names only. We are shown the
 * server's own certificate, so an authority between it and a trusted one is
 * not found: such a chain stays refused. */
bool repo_trust_address(const struct repo_session *s, const git_cert_x509 *x,
			const char *address)
{
	unsigned char raw[sizeof(struct in6_addr)];
	const unsigned char *data = x->data;
	struct crypto c;
	X509 *leaf;
	bool ok;

	if (x->parent.cert_type != GIT_CERT_X509 || !x->len ||
	    (inet_pton(AF_INET, address, raw) != 1 &&
	     inet_pton(AF_INET6, address, raw) != 1))
		return false;
	if (lazy_load("libcrypto.so.3", "libssl3", crypto_symbols,
		      ARRAY_SIZE(crypto_symbols), &c, NULL) < 0)
		return false;
	leaf = c.d2i_X509(NULL, &data, (long)x->len);
	ok = leaf && verify(s, &c, leaf, address);
	c.X509_free(leaf);
	return ok;
}
