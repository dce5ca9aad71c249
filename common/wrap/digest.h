/* digest.h - SHA-256 and the sha256:HEX digests of image-spec descriptor.md */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WRAP_DIGEST_H
#define WRAP_DIGEST_H

#include "base/error.h"
#include "base/strbuf.h"

#define DIGEST_RAW 32
#define DIGEST_HEX 64
#define DIGEST_TEXT (7 + DIGEST_HEX + 1) /* "sha256:" hex NUL */

/* A running SHA-256. Small inputs use mbedtls; bulk uses libcrypto's EVP,
 * loaded on first need, where it is found. */
struct digest {
	void *ctx;
	bool evp;
};

void digest_init(struct digest *d, bool bulk);
void digest_update(struct digest *d, const void *data, size_t n);
/* Ends and frees; raw has DIGEST_RAW bytes. */
void digest_final(struct digest *d, uint8_t *raw);
/* Ends, frees, writes "sha256:HEX". */
void digest_final_text(struct digest *d, char text[DIGEST_TEXT]);
/* Frees without a result; harmless after final. */
void digest_release(struct digest *d);
#define cleanup_digest CLEANUP(digest_release)

void digest_bytes(const void *data, size_t n, char text[DIGEST_TEXT]);
/* Exactly "sha256:" and 64 lower-case hexadecimal digits. */
bool digest_valid(const char *text);
/* Part after "sha256:". */
const char *digest_hex(const char *text);

/* base64 (RFC 4648 section 4, padded) through mbedtls. */
void base64_encode(struct strbuf *out, const void *data, size_t n);
int base64_decode(struct strbuf *out, const char *text, struct error *err)
	MUST_CHECK;
/* `n` bytes from the kernel's random source. */
void random_bytes(void *out, size_t n);
/* Lower-case hexadecimal, n bytes giving 2n digits and a NUL. */
void random_hex(char *out, size_t n);

#endif
