/* noproxy.c - what no_proxy keeps away from proxies */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/noproxy.h"

#include <arpa/inet.h>
#include <strings.h>

#include "base/strvec.h"

#define ADDRESS_MAX 16

/* Bytes of a literal address: 4, 16, or 0 where it is none. */
static size_t address(const char *text, uint8_t out[ADDRESS_MAX])
{
	if (inet_pton(AF_INET, text, out) == 1)
		return 4;
	return inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, size_t bits)
{
	size_t whole = bits / 8;
	uint8_t mask = (uint8_t)(0xff00 >> bits % 8);

	return !memcmp(a, b, whole) &&
	       (!(bits % 8) || !((a[whole] ^ b[whole]) & mask));
}

/* "10.0.0.0/8", "fd00::/8", or one address, in any of its spellings. */
static bool is_network_of(const char *word, const char *host)
{
	uint8_t net[ADDRESS_MAX], own[ADDRESS_MAX];
	cleanup_free char *text = xstrdup(word);
	char *slash = strchr(text, '/');
	size_t n = address(host, own);
	uint64_t bits = n * 8;

	if (slash)
		*slash++ = '\0';
	return n && address(text, net) == n &&
	       (!slash || str_to_u64(slash, n * 8, &bits)) &&
	       same_bits(net, own, bits);
}

static bool is_domain_of(const char *word, const char *host)
{
	size_t n, h = strlen(host);

	if (str_starts(word, "*."))
		word++;
	if (*word == '.')
		word++;
	n = strlen(word);
	return n && n <= h && !strcasecmp(host + h - n, word) &&
	       (n == h || host[h - n - 1] == '.');
}

/* Cut ":PORT" off, and the brackets that an IPv6 address has then. */
static bool port_fits(char *word, unsigned port)
{
	char *colon = strrchr(word, ':'), *end = strrchr(word, ']');
	uint64_t n;

	if (*word == '[' && end) {
		colon = end[1] == ':' ? end + 1 : NULL;
		*end = '\0';
		memmove(word, word + 1, strlen(word));
		if (colon)
			return str_to_u64(end + 2, 65535, &n) && n == port;
		return true;
	}
	if (!colon || strchr(word, ':') != colon)
		return true;
	if (!str_to_u64(colon + 1, 65535, &n))
		return true;
	*colon = '\0';
	return n == port;
}

static bool names(const char *text, const char *host, unsigned port)
{
	cleanup_free char *word = xstrdup(text);

	if (str_eq(word, "*"))
		return true;
	if (!port_fits(word, port))
		return false;
	return is_network_of(word, host) || is_domain_of(word, host);
}

bool noproxy_names(const char *host, unsigned port)
{
	const char *list = getenv("no_proxy");
	cleanup_strvec struct strvec words = STRVEC_INIT;
	size_t i;

	if (!list || !*list)
		list = getenv("NO_PROXY");
	if (list)
		strvec_split(&words, list, ", \t");
	for (i = 0; i < words.nr; i++)
		if (names(words.v[i], host, port))
			return true;
	return false;
}
