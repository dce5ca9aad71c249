/* digest.c - SHA-256, base64 and randomness */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/digest.h"

#include <mbedtls/base64.h>
#include <mbedtls/sha256.h>
#include <mbedtls/version.h>
#include <openssl/evp.h>
#include <sys/random.h>

#include "wrap/lazy.h"

#define EVP_FUNCTIONS(X) \
	X(EVP_MD_CTX_new) \
	X(EVP_MD_CTX_free) \
	X(EVP_sha256) \
	X(EVP_DigestInit_ex) \
	X(EVP_DigestUpdate) \
	X(EVP_DigestFinal_ex)

struct evp {
	EVP_FUNCTIONS(LAZY_POINTER)
};
#define EVP_ROW(name) LAZY_ROW(struct evp, name)

/* libcrypto's SHA-256 uses the processor's instructions and is four times
 * as fast as mbedtls; loading it costs a millisecond, so only bulk work
 * does. NULL: not there, mbedtls does all. */
static const struct evp *evp(void)
{
	static const struct lazy_symbol rows[] = { EVP_FUNCTIONS(EVP_ROW) };
	static struct evp lib;
	static int state;

	if (!state)
		state = lazy_load("libcrypto.so.3", "libssl3", rows,
				  ARRAY_SIZE(rows), &lib, NULL) < 0
				? -1
				: 1;
	return state > 0 ? &lib : NULL;
}

/* mbedtls 3 dropped the suffix that 2.x put on the checked functions. */
#if MBEDTLS_VERSION_MAJOR >= 3
#define sha_starts mbedtls_sha256_starts
#define sha_update mbedtls_sha256_update
#define sha_finish mbedtls_sha256_finish
#else
#define sha_starts mbedtls_sha256_starts_ret
#define sha_update mbedtls_sha256_update_ret
#define sha_finish mbedtls_sha256_finish_ret
#endif

void digest_init(struct digest *d, bool bulk)
{
	const struct evp *lib = bulk ? evp() : NULL;

	d->evp = lib != NULL;
	if (lib) {
		d->ctx = lib->EVP_MD_CTX_new();
		if (!d->ctx || lib->EVP_DigestInit_ex(
				       d->ctx, lib->EVP_sha256(), NULL) != 1)
			abort();
		return;
	}
	d->ctx = xmalloc(sizeof(mbedtls_sha256_context));
	mbedtls_sha256_init(d->ctx);
	(void)sha_starts(d->ctx, 0);
}

void digest_update(struct digest *d, const void *data, size_t n)
{
	if (d->evp)
		evp()->EVP_DigestUpdate(d->ctx, data, n);
	else
		(void)sha_update(d->ctx, data, n);
}

void digest_final(struct digest *d, uint8_t *raw)
{
	if (d->evp)
		evp()->EVP_DigestFinal_ex(d->ctx, raw, NULL);
	else
		(void)sha_finish(d->ctx, raw);
	digest_release(d);
}

void digest_final_text(struct digest *d, char text[DIGEST_TEXT])
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;
	uint8_t raw[DIGEST_RAW];

	digest_final(d, raw);
	strbuf_addstr(&sb, "sha256:");
	strbuf_add_hex(&sb, raw, sizeof(raw));
	memcpy(text, sb.buf, DIGEST_TEXT);
}

void digest_release(struct digest *d)
{
	if (!d->ctx)
		return;
	if (d->evp) {
		evp()->EVP_MD_CTX_free(d->ctx);
	} else {
		mbedtls_sha256_free(d->ctx);
		free(d->ctx);
	}
	d->ctx = NULL;
}

void digest_bytes(const void *data, size_t n, char text[DIGEST_TEXT])
{
	struct digest d;

	digest_init(&d, n > 1u << 20);
	digest_update(&d, data, n);
	digest_final_text(&d, text);
}

bool digest_valid(const char *text)
{
	const char *hex = str_skip(text, "sha256:");

	return hex && strlen(hex) == DIGEST_HEX &&
	       strspn(hex, "0123456789abcdef") == DIGEST_HEX;
}

const char *digest_hex(const char *text)
{
	const char *hex = str_skip(text, "sha256:");

	return hex ? hex : text;
}

void base64_encode(struct strbuf *out, const void *data, size_t n)
{
	size_t need = 0;

	mbedtls_base64_encode(NULL, 0, &need, data, n);
	strbuf_grow(out, need);
	if (!need || mbedtls_base64_encode(
			     (unsigned char *)out->buf + out->len, need + 1,
			     &need, data, n))
		return;
	strbuf_setlen(out, out->len + need);
}

int base64_decode(struct strbuf *out, const char *text, struct error *err)
{
	size_t n = strlen(text), need = 0;
	const unsigned char *in = (const unsigned char *)text;

	strbuf_grow(out, n);
	if (mbedtls_base64_decode((unsigned char *)out->buf + out->len, n + 1,
				  &need, in, n))
		return error_set(err, ERR_INPUT, "invalid base64");
	strbuf_setlen(out, out->len + need);
	return 0;
}

void random_bytes(void *out, size_t n)
{
	char *p = out;

	while (n) {
		ssize_t got = getrandom(p, MIN(n, (size_t)256), 0);

		if (got < 0)
			continue; /* interrupted */
		p += got;
		n -= (size_t)got;
	}
}

void random_hex(char *out, size_t n)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;
	uint8_t raw[64];

	n = MIN(n, sizeof(raw));
	random_bytes(raw, n);
	strbuf_add_hex(&sb, raw, n);
	memcpy(out, sb.buf, 2 * n + 1);
}
