/* knownhosts.c - does known_hosts text vouch for this host key? */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/knownhosts.h"

#include <fnmatch.h>
#include <mbedtls/md.h>
#include <strings.h>

#include "wrap/digest.h"

#define SHA1_SIZE 20

/* "|1|salt|hash": HMAC-SHA1 of the name, keyed with the salt. */
static bool hashed_name_is(const char *field, const char *name)
{
	cleanup_free char *text = xstrdup(field + 3);
	cleanup_strbuf struct strbuf salt = STRBUF_INIT;
	cleanup_strbuf struct strbuf hash = STRBUF_INIT;
	const mbedtls_md_info_t *md = mbedtls_md_info_from_type(MBEDTLS_MD_SHA1);
	unsigned char out[SHA1_SIZE];
	char *bar = strchr(text, '|');

	if (!bar || !md)
		return false;
	*bar = '\0';
	if (base64_decode(&salt, text, NULL) < 0 ||
	    base64_decode(&hash, bar + 1, NULL) < 0 || hash.len != SHA1_SIZE)
		return false;
	if (mbedtls_md_hmac(md, (const unsigned char *)salt.buf, salt.len,
			    (const unsigned char *)name, strlen(name), out))
		return false;
	return !memcmp(out, hash.buf, SHA1_SIZE);
}

/* '[' is an ordinary character here, unlike in fnmatch. */
static bool pattern_is(const char *pattern, const char *name)
{
	cleanup_strbuf struct strbuf escaped = STRBUF_INIT;

	for (; *pattern; pattern++) {
		if (*pattern == '[' || *pattern == ']' || *pattern == '\\')
			strbuf_addch(&escaped, '\\');
		strbuf_addch(&escaped, *pattern);
	}
	return !fnmatch(escaped.buf, name, FNM_CASEFOLD);
}

static bool names_host(char *field, const char *name)
{
	char *save = NULL;
	bool found = false;

	if (str_starts(field, "|1|"))
		return hashed_name_is(field, name);
	for (char *p = strtok_r(field, ",", &save); p;
	     p = strtok_r(NULL, ",", &save)) {
		if (*p == '!' && pattern_is(p + 1, name))
			return false;
		found = found || (*p != '!' && pattern_is(p, name));
	}
	return found;
}

static bool key_is(const char *base64, const void *key, size_t n)
{
	cleanup_strbuf struct strbuf raw = STRBUF_INIT;

	if (base64_decode(&raw, base64, NULL) < 0)
		return false;
	return raw.len == n && !memcmp(raw.buf, key, n);
}

static enum knownhosts_answer check_line(char *line, const char *name,
					 const void *key, size_t n)
{
	char *save = NULL;
	char *word = strtok_r(line, " \t\r", &save);
	bool revoked = false;
	char *text;

	if (!word || *word == '#')
		return KNOWNHOSTS_UNKNOWN;
	if (*word == '@') {
		revoked = str_eq(word, "@revoked");
		word = strtok_r(NULL, " \t\r", &save);
		if (!revoked || !word)
			return KNOWNHOSTS_UNKNOWN;
	}
	if (!names_host(word, name) || !strtok_r(NULL, " \t\r", &save))
		return KNOWNHOSTS_UNKNOWN;
	text = strtok_r(NULL, " \t\r", &save);
	if (!text)
		return KNOWNHOSTS_UNKNOWN;
	if (key_is(text, key, n))
		return revoked ? KNOWNHOSTS_REVOKED : KNOWNHOSTS_MATCH;
	return revoked ? KNOWNHOSTS_UNKNOWN : KNOWNHOSTS_DIFFERENT;
}

enum knownhosts_answer knownhosts_check(const char *text, const char *host,
					unsigned port, const void *key,
					size_t n)
{
	cleanup_free char *name = port == 22 ? xstrdup(host)
					     : xstrfmt("[%s]:%u", host, port);
	enum knownhosts_answer best = KNOWNHOSTS_UNKNOWN;

	while (*text && best != KNOWNHOSTS_REVOKED) {
		size_t len = strcspn(text, "\n");
		cleanup_free char *line = xstrndup(text, len);
		enum knownhosts_answer answer = check_line(line, name, key, n);

		if (answer == KNOWNHOSTS_REVOKED || answer == KNOWNHOSTS_MATCH ||
		    best == KNOWNHOSTS_UNKNOWN)
			best = answer;
		text += len;
		text += *text == '\n';
	}
	return best;
}
