/* yaml.h - YAML (over libyaml) as JSON values, bounded, with positions */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WRAP_YAML_H
#define WRAP_YAML_H

#include "wrap/json.h"

#define YAML_MAX (1 << 20)	/* bytes of a text */
#define YAML_MAX_DEPTH 64
#define YAML_MAX_ALIASED 10000 /* values that aliases may repeat */

/*
 * One document. Plain scalars follow the YAML 1.2 core schema; keys are
 * strings as written; "<<" merges. Duplicate keys, explicit tags and a second
 * document are errors: ERR_INPUT "NAME:LINE:COL: ...".
 * Columns count characters from 1. NULL on error.
 */
struct json *yaml_parse(const char *name, const char *text, size_t n,
			struct error *err);
/*
 * Position of the value (or key, where `of_key`) at a path of keys and decimal
 * indices, in text that yaml_parse accepted. false: no such path; what a merge
 * brought in has none.
 */
bool yaml_locate(const char *text, size_t n, const struct strvec *path,
		 bool of_key, unsigned *line, unsigned *col);
/* The same, for many of one text. */
struct yaml_places;
struct yaml_places *yaml_places_new(const char *text, size_t n);
bool yaml_places_find(struct yaml_places *p, const struct strvec *path,
		      bool of_key, unsigned *line, unsigned *col);
void yaml_places_free(struct yaml_places *p); /* NULL is fine */

#endif
