/* internal.h - what the readers of package lists share */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SBOM_INTERNAL_H
#define SBOM_INTERNAL_H

#include "sbom/sbom.h"

/* A list being read. */
struct sbom_list {
	struct sbom *s;
	const char *path;
	const char *text;
	size_t n;
	size_t at; /* of sbom_line */
	size_t odd; /* packages whose fields cannot be */
};
/* The next line, without its end; false: there is none. A line longer than
 * the buffer is cut, which no field of a sound list is. */
struct sbom_text {
	char buf[4096];
};
bool sbom_line(struct sbom_list *l, struct sbom_text *out);
/* Note a package; NULL or empty fields make it none. `arch` may be NULL. What
 * is returned holds until the next one; NULL: it was not noted. */
struct sbom_package *sbom_add(struct sbom_list *l, const char *type,
			      const char *name, const char *version,
			      const char *arch);

/* system.c */
void sbom_dpkg(struct sbom_list *l);
void sbom_apk(struct sbom_list *l);
void sbom_os_release(struct sbom_list *l);
void sbom_metadata(struct sbom_list *l); /* of an installed Python package */
/* rpm.c */
void sbom_rpm(struct sbom_list *l); /* a database in SQLite */
/* One package of it: a header as rpm keeps it, without the magic before. */
void sbom_rpm_header(struct sbom_list *l, const void *blob, size_t n);
/* locks.c: lock files of languages that are lines of text */
void sbom_cargo(struct sbom_list *l);
void sbom_poetry(struct sbom_list *l);
void sbom_requirements(struct sbom_list *l);
void sbom_go_mod(struct sbom_list *l);
void sbom_go_sum(struct sbom_list *l);
void sbom_gemfile(struct sbom_list *l);
void sbom_yarn(struct sbom_list *l);
void sbom_pnpm(struct sbom_list *l);
/* locks_json.c: those that are JSON */
void sbom_npm(struct sbom_list *l);
void sbom_pipfile(struct sbom_list *l);
void sbom_composer(struct sbom_list *l);

#endif
