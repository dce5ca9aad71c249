/* sbom.c - which files list packages, and what they list */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sbom/internal.h"

#include "base/path.h"

#define GAPS_MAX 1000

void sbom_release(struct sbom *s)
{
	size_t i;

	for (i = 0; i < s->nr; i++) {
		free(s->v[i].name);
		free(s->v[i].version);
		free(s->v[i].arch);
		free(s->v[i].path);
	}
	free(s->v);
	free(s->os);
	free(s->os_version);
	strvec_release(&s->gaps);
	*s = (struct sbom)SBOM_INIT;
}

typedef void reader(struct sbom_list *l);

#define BERKELEY "databases of rpm in Berkeley DB are not read"
#define NDB "databases of rpm in its format ndb are not read"
#define LOG "it may hold changes that the database lacks, and is not read"

/* By the whole path, or by the last part of it; without a reader: known, and
 * why it is not read. */
static const struct known {
	const char *path;
	reader *read;
	const char *why;
} by_path[] = {
	{ "var/lib/dpkg/status", sbom_dpkg },
	{ "lib/apk/db/installed", sbom_apk },
	{ "usr/lib/apk/db/installed", sbom_apk },
	{ "usr/lib/os-release", sbom_os_release },
	{ "etc/os-release", sbom_os_release },
	{ "var/lib/rpm/rpmdb.sqlite", sbom_rpm },
	{ "var/lib/rpm/rpmdb.sqlite-wal", NULL, LOG },
	{ "var/lib/rpm/Packages", NULL, BERKELEY },
	{ "var/lib/rpm/Packages.db", NULL, NDB },
	{ "usr/lib/sysimage/rpm/rpmdb.sqlite", sbom_rpm },
	{ "usr/lib/sysimage/rpm/rpmdb.sqlite-wal", NULL, LOG },
	{ "usr/lib/sysimage/rpm/Packages", NULL, BERKELEY },
	{ "usr/lib/sysimage/rpm/Packages.db", NULL, NDB },
}, by_name[] = {
	{ "package-lock.json", sbom_npm },
	{ "npm-shrinkwrap.json", sbom_npm },
	{ "yarn.lock", sbom_yarn },
	{ "pnpm-lock.yaml", sbom_pnpm },
	{ "requirements.txt", sbom_requirements },
	{ "poetry.lock", sbom_poetry },
	{ "uv.lock", sbom_poetry },
	{ "pdm.lock", sbom_poetry },
	{ "Pipfile.lock", sbom_pipfile },
	{ "go.mod", sbom_go_mod },
	{ "go.sum", sbom_go_sum },
	{ "Cargo.lock", sbom_cargo },
	{ "Gemfile.lock", sbom_gemfile },
	{ "composer.lock", sbom_composer },
};

static const struct known *find_in(const struct known *list, size_t n,
				   const char *text)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (str_eq(list[i].path, text))
			return &list[i];
	return NULL;
}

static const struct known *find(const char *path)
{
	static const struct known status_d = { NULL, sbom_dpkg };
	static const struct known metadata = { NULL, sbom_metadata };
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const struct known *k = find_in(by_path, ARRAY_SIZE(by_path), path);

	if (k)
		return k;
	if (str_starts(path, "var/lib/dpkg/status.d/") && !strchr(name, '.'))
		return &status_d;
	if (str_ends(path, ".dist-info/METADATA"))
		return &metadata;
	return find_in(by_name, ARRAY_SIZE(by_name), name);
}

bool sbom_wants(const char *path)
{
	return find(path);
}

void sbom_skip(struct sbom *s, const char *path, const char *why)
{
	if (s->gaps.nr < GAPS_MAX)
		strvec_pushf(&s->gaps, "/%s: %s", path, why);
}

bool sbom_line(struct sbom_list *l, struct sbom_text *out)
{
	const char *start = l->text + l->at, *end;
	size_t n;

	if (l->at >= l->n)
		return false;
	end = memchr(start, '\n', l->n - l->at);
	n = end ? (size_t)(end - start) : l->n - l->at;
	l->at += n + 1;
	if (n && start[n - 1] == '\r')
		n--;
	n = MIN(n, sizeof(out->buf) - 1);
	memcpy(out->buf, start, n);
	out->buf[n] = '\0';
	return true;
}

/* What goes into addresses and onto terminals is visible ASCII. */
static bool is_field(const char *text)
{
	const char *s;

	for (s = text; *s; s++)
		if (*s <= ' ' || *s > '~' || *s == '"' || *s == '\\')
			return false;
	return s != text && s - text <= SBOM_FIELD_MAX;
}

struct sbom_package *sbom_add(struct sbom_list *l, const char *type,
			      const char *name, const char *version,
			      const char *arch)
{
	struct sbom *s = l->s;

	if (!name || !version || !*name || !*version)
		return NULL;
	if (s->nr >= SBOM_PACKAGES_MAX || !is_field(name) ||
	    !is_field(version) || (arch && !is_field(arch))) {
		l->odd++;
		return NULL;
	}
	GROW(s->v, s->nr, s->alloc);
	s->v[s->nr] = (struct sbom_package){
		.type = type,
		.name = xstrdup(name),
		.version = xstrdup(version),
		.arch = xstrdup_null(arch),
		.path = xstrfmt("/%s", l->path),
	};
	return &s->v[s->nr++];
}

void sbom_read(struct sbom *s, const char *path, const char *text, size_t n)
{
	const struct known *k = find(path);
	struct sbom_list l = { .s = s, .path = path, .text = text, .n = n };
	char why[80];

	if (!k->read) {
		/* An empty one, as rpm leaves its log, holds nothing. */
		if (n)
			sbom_skip(s, path, k->why);
		return;
	}
	k->read(&l);
	if (!l.odd)
		return;
	snprintf(why, sizeof(why), "%zu packages with impossible names or "
		 "versions, or too many", l.odd);
	sbom_skip(s, path, why);
}
