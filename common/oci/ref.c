/* ref.c - image references: parse, normalise, print */
/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/oci.h"

#include <ctype.h>
#include <string.h>

#define REF_MAX 4096
#define REPOSITORY_MAX 255
#define TAG_MAX 128

static bool is_lower(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

void oci_ref_release(struct oci_ref *ref)
{
	free(ref->host);
	free(ref->repository);
	free(ref->tag);
	free(ref->digest);
	*ref = (struct oci_ref){ 0 };
}

void oci_ref_copy(struct oci_ref *to, const struct oci_ref *from)
{
	to->host = xstrdup_null(from->host);
	to->repository = xstrdup_null(from->repository);
	to->tag = xstrdup_null(from->tag);
	to->digest = xstrdup_null(from->digest);
}

char *oci_ref_format(const struct oci_ref *ref)
{
	return xstrfmt("%s/%s%s%s%s%s", ref->host, ref->repository,
		       ref->tag ? ":" : "", ref->tag ? ref->tag : "",
		       ref->digest ? "@" : "", ref->digest ? ref->digest : "");
}

/* One path component: runs of [a-z0-9] joined by ".", "_", "__" or dashes. */
static bool component_valid(const char *s, size_t n)
{
	size_t i = 0, start;

	while (i < n) {
		start = i;
		while (i < n && is_lower(s[i]))
			i++;
		if (i == start)
			return false;
		if (i == n)
			return true;
		if (s[i] == '-') {
			while (i < n && s[i] == '-')
				i++;
		} else if (s[i] == '.') {
			i++;
		} else if (s[i] == '_') {
			i += i + 1 < n && s[i + 1] == '_' ? 2 : 1;
		} else {
			return false;
		}
	}
	return false;
}

static bool repository_valid(const char *s)
{
	size_t n;

	for (;; s += n + 1) {
		n = strcspn(s, "/");
		if (!component_valid(s, n))
			return false;
		if (!s[n])
			return true;
	}
}

static bool tag_valid(const char *s)
{
	size_t i;

	if (!is_alnum(s[0]) && s[0] != '_')
		return false;
	for (i = 1; s[i]; i++)
		if (i >= TAG_MAX ||
		    (!is_alnum(s[i]) && !strchr("._-", s[i])))
			return false;
	return true;
}

static bool name_valid(const char *s, size_t n)
{
	size_t i, label = 0;

	for (i = 0; i < n; i++) {
		if (s[i] == '.') {
			if (!label || s[i - 1] == '-')
				return false;
			label = 0;
			continue;
		}
		if (!is_alnum(s[i]) && (s[i] != '-' || !label))
			return false;
		label++;
	}
	return label && s[n - 1] != '-';
}

static bool host_valid(const char *s)
{
	size_t n;
	uint64_t port;

	if (*s == '[') {
		n = strspn(s + 1, "0123456789abcdefABCDEF:.") + 1;
		if (n < 3 || s[n++] != ']')
			return false;
	} else {
		n = strcspn(s, ":");
		if (!name_valid(s, n))
			return false;
	}
	return !s[n] || (s[n] == ':' && str_to_u64(s + n + 1, 65535, &port) &&
			 port > 0);
}

/* Only a name with a dot, a port, brackets or "localhost" can be told from
 * the first component of a repository on Docker Hub. */
static bool looks_like_host(const char *s, size_t n)
{
	return memchr(s, '.', n) || memchr(s, ':', n) ||
	       (n == 9 && !memcmp(s, "localhost", 9)) || s[0] == '[';
}

/* Names of hosts are the same in any case: who compares them, as policies and
 * credentials are, is to see one. */
static void lower(char *s)
{
	for (; *s; s++)
		*s = (char)tolower((unsigned char)*s);
}

static void set_host(struct oci_ref *ref, const char *name)
{
	const char *slash = strchr(name, '/');
	size_t n = slash ? (size_t)(slash - name) : 0;

	if (!slash || !looks_like_host(name, n)) {
		ref->host = xstrdup("docker.io");
	} else {
		ref->host = xstrndup(name, n);
		lower(ref->host);
		name = slash + 1;
	}
	if (str_eq(ref->host, "index.docker.io") ||
	    str_eq(ref->host, "registry-1.docker.io")) {
		free(ref->host);
		ref->host = xstrdup("docker.io");
	}
	if (str_eq(ref->host, "docker.io") && !strchr(name, '/'))
		ref->repository = xstrfmt("library/%s", name);
	else
		ref->repository = xstrdup(name);
}

static int check_digest(const char *text, const char *digest,
			struct error *err)
{
	if (digest_valid(digest))
		return 0;
	if (str_starts(digest, "sha512:"))
		return error_set(err, ERR_USAGE,
				 "image reference '%s': sha512 digests are not "
				 "supported",
				 text);
	return error_set(err, ERR_USAGE,
			 "image reference '%s': '%s' is not a digest (sha256: "
			 "and 64 hexadecimal digits in lower case)",
			 text, digest);
}

static int check_name(const char *text, const struct oci_ref *ref,
		      struct error *err)
{
	if (!host_valid(ref->host))
		return error_set(err, ERR_USAGE,
				 "image reference '%s': '%s' is not a host "
				 "name",
				 text, ref->host);
	if (!*ref->repository)
		return error_set(err, ERR_USAGE,
				 "image reference '%s' names no repository",
				 text);
	if (strlen(ref->repository) > REPOSITORY_MAX)
		return error_set(err, ERR_USAGE,
				 "image reference: the repository is longer "
				 "than %d bytes",
				 REPOSITORY_MAX);
	if (repository_valid(ref->repository))
		return 0;
	if (strpbrk(ref->repository, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
		return error_set(err, ERR_USAGE,
				 "image reference '%s': the repository '%s' "
				 "must be lower case",
				 text, ref->repository);
	return error_set(err, ERR_USAGE,
			 "image reference '%s': '%s' is not a repository name",
			 text, ref->repository);
}

static int parse(struct oci_ref *ref, const char *text, struct error *err)
{
	cleanup_free char *name = xstrdup(text);
	char *at = strchr(name, '@'), *slash, *colon;

	if (at) {
		*at++ = '\0';
		if (check_digest(text, at, err) < 0)
			return -1;
		ref->digest = xstrdup(at);
	}
	slash = strrchr(name, '/');
	colon = strchr(slash ? slash : name, ':');
	if (colon) {
		*colon++ = '\0';
		if (!tag_valid(colon))
			return error_set(err, ERR_USAGE,
					 "image reference '%s': '%s' is not a "
					 "tag",
					 text, colon);
		ref->tag = xstrdup(colon);
	}
	set_host(ref, name);
	if (!ref->tag && !ref->digest)
		ref->tag = xstrdup("latest");
	return check_name(text, ref, err);
}

int oci_ref_parse(struct oci_ref *ref, const char *text, struct error *err)
{
	struct oci_ref r = { 0 };
	const char *scheme;

	if (!*text)
		return error_set(err, ERR_USAGE, "empty image reference");
	if (strlen(text) > REF_MAX)
		return error_set(err, ERR_USAGE,
				 "image reference is longer than %d bytes",
				 REF_MAX);
	scheme = strstr(text, "://");
	if (scheme) {
		error_set(err, ERR_USAGE,
			  "image reference '%s' must not have a scheme", text);
		return error_hint(err, "write it as '%s'", scheme + 3);
	}
	if (parse(&r, text, err) < 0) {
		oci_ref_release(&r);
		return -1;
	}
	*ref = r;
	return 0;
}
