/* json.h - JSON values (over cJSON), strict parsing, sorted writing, JSONC */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WRAP_JSON_H
#define WRAP_JSON_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/strvec.h"

struct json; /* a value and, for arrays and objects, what it owns */

enum json_kind {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

#define JSON_MAX_DEPTH 256
#define JSON_MAX_KEYS 20000 /* of one object: look-ups are linear */
#define cleanup_json CLEANUP(json_free_ptr)

void json_free(struct json *j);
void json_free_ptr(struct json **j);

/*
 * Strict RFC 8259: duplicate keys are allowed and the last one wins. `name`
 * is put before the position in messages ("NAME:LINE:COL: ..."). Errors are
 * ERR_INPUT. The caller caps `n`.
 */
struct json *json_parse(const char *name, const char *text, size_t n,
			struct error *err);
/* The same with comments, trailing commas, a byte order mark, and blanks as
 * the Dev Container tools accept them (and nothing else). */
struct json *jsonc_parse(const char *name, const char *text, size_t n,
			 struct error *err);
/*
 * The grammar check both parsers share. Accepted text is changed in place,
 * byte for byte at the same positions: a byte order mark, comments, trailing
 * commas and unusual blanks become spaces, so that what is left is RFC 8259
 * JSON. Also refused, because a value could not be kept: invalid UTF-8, lone
 * surrogates, \u0000, numbers out of range or longer than 63 characters,
 * nesting above JSON_MAX_DEPTH, objects above JSON_MAX_KEYS. Columns count
 * bytes from 1; lines end with LF, CRLF or CR.
 */
int jsonc_scan(const char *name, char *text, size_t n, bool comments,
	       struct error *err) MUST_CHECK;
/* Put U+FFFD in place of what is not UTF-8, as the Dev Container tools read
 * their files. */
void jsonc_repair_utf8(struct strbuf *text);
/* Line and column of a byte. */
void jsonc_position(const char *text, size_t at, unsigned *line,
		    unsigned *col);
/*
 * Position of the value (or of the key, where `of_key`) at a path of keys and
 * decimal indices, in text that jsonc_parse accepted. false: no such path.
 */
bool jsonc_locate(const char *text, size_t n, const struct strvec *path,
		  bool of_key, unsigned *line, unsigned *col);

enum json_kind json_kind(const struct json *j); /* NULL counts as JSON_NULL */
const char *json_kind_name(enum json_kind kind);
/* Getters take NULL and wrong kinds and then give NULL, 0 or false. */
struct json *json_get(const struct json *object, const char *key);
const char *json_get_str(const struct json *object, const char *key);
bool json_get_bool(const struct json *object, const char *key);
bool json_get_int(const struct json *object, const char *key, int64_t *out);
const char *json_str(const struct json *j);
bool json_bool(const struct json *j);
bool json_int(const struct json *j, int64_t *out); /* whole, |x| < 2^53 */
double json_number(const struct json *j);
size_t json_len(const struct json *j);
struct json *json_at(const struct json *array, size_t i);
/* Members in source order: for (m = json_first(o); m; m = json_next(m)). */
struct json *json_first(const struct json *container);
struct json *json_next(const struct json *member);
const char *json_key(const struct json *member);
/* Append the strings of an array; a lone string counts as one. */
void json_get_strings(const struct json *j, struct strvec *out);

struct json *json_new_object(void);
struct json *json_new_array(void);
struct json *json_new_str(const char *s); /* NULL gives null */
struct json *json_new_int(int64_t i);
struct json *json_new_number(double d);
struct json *json_new_bool(bool b);
struct json *json_new_null(void);
struct json *json_dup(const struct json *j);
/* Set replaces; both take ownership of `value`. Returns `value`. */
struct json *json_set(struct json *object, const char *key,
		      struct json *value);
/* The same for a key that is not there yet, without looking for it. */
struct json *json_add(struct json *object, const char *key,
		      struct json *value);
struct json *json_push(struct json *array, struct json *value);
void json_set_str(struct json *object, const char *key, const char *s);
void json_set_int(struct json *object, const char *key, int64_t i);
void json_set_bool(struct json *object, const char *key, bool b);
void json_set_strvec(struct json *object, const char *key,
		     const struct strvec *sv);
/* Replace the string a value holds (kind becomes string). */
void json_assign_str(struct json *j, const char *s);
/* Remove a member and give it to the caller (NULL when absent). */
struct json *json_take(struct json *object, const char *key);
void json_remove(struct json *object, const char *key);
bool json_equal(const struct json *a, const struct json *b);

/* Keys sorted bytewise, no insignificant blanks (compact) or two-space
 * indentation and a final newline (pretty). Same value, same bytes. */
void json_write(struct strbuf *out, const struct json *j, bool pretty);
/* As json_write compact, members in source order. */
void json_write_unsorted(struct strbuf *out, const struct json *j,
			 bool pretty);
/* A quoted JSON string. */
void json_write_str(struct strbuf *out, const char *s, size_t n);

#endif
