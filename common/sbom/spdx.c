/* spdx.c - a list of packages as an SPDX 2.3 document */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <time.h>

#include "sbom/internal.h"
#include "wrap/digest.h"
#include "wrap/url.h"

#define NONE "NOASSERTION"
#define IMAGE "SPDXRef-Image"

/* In the order of the document; equal ones are one package in two lists. */
static int compare(const void *a, const void *b)
{
	const struct sbom_package *p = a, *q = b;
	int rc = strcmp(p->type, q->type);

	if (!rc)
		rc = strcmp(p->name, q->name);
	if (!rc)
		rc = strcmp(p->version, q->version);
	if (!rc)
		rc = strcmp(p->arch ? p->arch : "", q->arch ? q->arch : "");
	if (!rc)
		rc = (p->epoch > q->epoch) - (p->epoch < q->epoch);
	return rc ? rc : strcmp(p->path, q->path);
}

static bool same_package(const struct sbom_package *p,
			 const struct sbom_package *q)
{
	return str_eq(p->type, q->type) && str_eq(p->name, q->name) &&
	       str_eq(p->version, q->version) && p->epoch == q->epoch &&
	       str_eq_null(p->arch, q->arch);
}

/* The rest of the grammar of a purl is what url_escape leaves alone, and
 * slashes between the parts of a name. */
static void add_name(struct strbuf *out, const struct sbom_package *p)
{
	const char *s = p->name;

	for (;;) {
		size_t n = strcspn(s, "/");
		cleanup_free char *part = xstrndup(s, n);
		char *c;

		/* Python's names are the same in any case. */
		for (c = part; str_eq(p->type, "pypi") && *c; c++)
			*c = *c == '_' ? '-'
				       : (char)tolower((unsigned char)*c);
		url_escape(out, part);
		if (!s[n])
			return;
		strbuf_addch(out, '/');
		s += n + 1;
	}
}

/* Whose name stands before those of its packages; NULL: nobody's. */
static const char *distribution(const struct sbom *s, const char *type)
{
	bool deb = str_eq(type, "deb"), apk = str_eq(type, "apk");

	if (s->os && (deb || apk || str_eq(type, "rpm")))
		return s->os;
	return deb ? "debian" : apk ? "alpine" : NULL;
}

static void purl(const struct sbom *s, const struct sbom_package *p,
		 struct strbuf *out)
{
	const char *vendor = distribution(s, p->type);
	char epoch[16];

	strbuf_addf(out, "pkg:%s/", p->type);
	if (vendor)
		strbuf_addf(out, "%s/", vendor);
	add_name(out, p);
	strbuf_addch(out, '@');
	url_escape(out, p->version);
	if (p->arch)
		url_add_query(out, "arch", p->arch);
	if (vendor && s->os && s->os_version) {
		cleanup_free char *distro = xstrfmt("%s-%s", s->os,
						    s->os_version);

		url_add_query(out, "distro", distro);
	}
	if (p->epoch) {
		snprintf(epoch, sizeof(epoch), "%u", (unsigned)p->epoch);
		url_add_query(out, "epoch", epoch);
	}
}

/* SPDXRef-deb-NAME-DIGITS: letters, digits, "." and "-" only. */
static void spdx_id(const struct sbom_package *p, const char *url,
		    struct strbuf *out)
{
	char digest[DIGEST_TEXT];
	const char *c;

	digest_bytes(url, strlen(url), digest);
	strbuf_addf(out, "SPDXRef-%s-", p->type);
	for (c = p->name; *c; c++)
		strbuf_addch(out, isalnum((unsigned char)*c) || *c == '.'
					  ? *c : '-');
	strbuf_addf(out, "-%.12s", digest_hex(digest));
}

static struct json *new_package(const char *id, const char *name,
				const char *version)
{
	struct json *j = json_new_object();

	json_set_str(j, "SPDXID", id);
	json_set_str(j, "name", name);
	json_set_str(j, "versionInfo", version);
	json_set_str(j, "downloadLocation", NONE);
	json_set_bool(j, "filesAnalyzed", false);
	json_set_str(j, "licenseConcluded", NONE);
	json_set_str(j, "licenseDeclared", NONE);
	json_set_str(j, "copyrightText", NONE);
	return j;
}

static void relate(struct json *list, const char *from, const char *how,
		   const char *to)
{
	struct json *j = json_push(list, json_new_object());

	json_set_str(j, "spdxElementId", from);
	json_set_str(j, "relationshipType", how);
	json_set_str(j, "relatedSpdxElement", to);
}

/* The package at `i` with all lists it is in; the number of the next. */
static size_t add_package(const struct sbom *s, size_t i,
			  struct json *packages, struct json *relations)
{
	const struct sbom_package *p = &s->v[i];
	cleanup_strbuf struct strbuf url = STRBUF_INIT, id = STRBUF_INIT;
	cleanup_strbuf struct strbuf lists = STRBUF_INIT;
	struct json *j, *ref;
	const char *last = NULL;

	purl(s, p, &url);
	spdx_id(p, url.buf, &id);
	for (; i < s->nr && same_package(p, &s->v[i]); i++) {
		if (last && str_eq(last, s->v[i].path))
			continue;
		strbuf_addf(&lists, "%s%s", last ? ", " : "listed in ",
			    s->v[i].path);
		last = s->v[i].path;
	}
	j = json_push(packages, new_package(id.buf, p->name, p->version));
	json_set_str(j, "sourceInfo", lists.buf);
	ref = json_push(json_set(j, "externalRefs", json_new_array()),
			json_new_object());
	json_set_str(ref, "referenceCategory", "PACKAGE-MANAGER");
	json_set_str(ref, "referenceType", "purl");
	json_set_str(ref, "referenceLocator", url.buf);
	relate(relations, IMAGE, "CONTAINS", id.buf);
	return i;
}

/* SPDX has whole seconds of UTC only. */
static void add_time(struct strbuf *out, const char *created)
{
	struct tm tm = { 0 };
	const char *s = created ? strptime(created, "%Y-%m-%dT%H:%M:%S", &tm)
				: NULL;
	time_t t = s ? timegm(&tm) : 0;
	char text[32];

	if (s && *s == '.')
		s += 1 + strspn(s + 1, "0123456789");
	if (s && strptime(s, "%z", &tm))
		t -= tm.tm_gmtoff;
	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	strbuf_addstr(out, text);
}

static struct json *creation(const struct sbom *s,
			     const struct sbom_image *image)
{
	struct json *j = json_new_object();
	cleanup_strbuf struct strbuf gaps = STRBUF_INIT, time = STRBUF_INIT;
	size_t i;

	add_time(&time, image->created);
	json_set_str(j, "created", time.buf);
	json_push(json_set(j, "creators", json_new_array()),
		  json_new_str("Tool: devenv-" DEVENV_VERSION));
	for (i = 0; i < s->gaps.nr; i++)
		strbuf_addf(&gaps, "%s%s", i ? "; " : "not listed: ",
			    s->gaps.v[i]);
	if (gaps.len)
		json_set_str(j, "comment", gaps.buf);
	return j;
}

static struct json *image_package(const struct sbom_image *image)
{
	struct json *j = new_package(IMAGE, image->name, image->digest);
	struct json *sum = json_push(json_set(j, "checksums",
					      json_new_array()),
				     json_new_object());

	json_set_str(j, "primaryPackagePurpose", "CONTAINER");
	json_set_str(sum, "algorithm", "SHA256");
	json_set_str(sum, "checksumValue", digest_hex(image->digest));
	return j;
}

void sbom_write(struct sbom *s, const struct sbom_image *image,
		struct strbuf *out)
{
	cleanup_json struct json *j = json_new_object();
	cleanup_free char *space = xstrfmt("https://devenv.dev/spdx/%s",
					   digest_hex(image->digest));
	struct json *packages = json_new_array();
	struct json *relations = json_new_array();
	size_t i = 0;

	if (s->nr)
		qsort(s->v, s->nr, sizeof(*s->v), compare);
	json_push(packages, image_package(image));
	relate(relations, "SPDXRef-DOCUMENT", "DESCRIBES", IMAGE);
	while (i < s->nr)
		i = add_package(s, i, packages, relations);
	json_set_str(j, "spdxVersion", "SPDX-2.3");
	json_set_str(j, "dataLicense", "CC0-1.0");
	json_set_str(j, "SPDXID", "SPDXRef-DOCUMENT");
	json_set_str(j, "name", image->name);
	json_set_str(j, "documentNamespace", space);
	json_set(j, "creationInfo", creation(s, image));
	json_set(j, "packages", packages);
	json_set(j, "relationships", relations);
	json_write(out, j, true);
}
