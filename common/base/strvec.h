/* strvec.h - NULL-terminated lists of strings, also used as environments */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_STRVEC_H
#define BASE_STRVEC_H

#include "base/base.h"

/* v[nr] is NULL once anything was added; `v` may be NULL while empty. */
struct strvec {
	char **v;
	size_t nr, alloc;
};

#define STRVEC_INIT { 0 }
#define cleanup_strvec CLEANUP(strvec_release)

void strvec_release(struct strvec *sv);
void strvec_push(struct strvec *sv, const char *s);
void strvec_pushf(struct strvec *sv, const char *fmt, ...) PRINTF(2, 3);
/* Takes ownership of a malloc'ed string. */
void strvec_push_own(struct strvec *sv, char *s);
void strvec_push_all(struct strvec *sv, const char *const *list);
void strvec_pop(struct strvec *sv);
void strvec_copy(struct strvec *dst, const struct strvec *src);
void strvec_sort(struct strvec *sv);
bool strvec_has(const struct strvec *sv, const char *s);
/* Split at any of the bytes of `seps`; empty parts are left out. */
void strvec_split(struct strvec *sv, const char *s, const char *seps);
/* The list as execve wants it (never NULL). */
char **strvec_argv(struct strvec *sv);

/* An entry "KEY=value": its value, or NULL. */
const char *strvec_env_get(const struct strvec *sv, const char *key);
/* Replace in place or append, so that order is kept. */
void strvec_env_set(struct strvec *sv, const char *key, const char *value);
void strvec_env_unset(struct strvec *sv, const char *key);

#endif
