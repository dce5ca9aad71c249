/* base.h - allocation, cleanup attributes and small macros every file uses */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))
#define CLEANUP(func) __attribute__((cleanup(func)))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/*
 * Variables with these attributes are undone when they leave scope.
 * A type `struct x` that owns something defines x_release() and
 * cleanup_x beside it.
 */
#define cleanup_free CLEANUP(base_free_ptr)
#define cleanup_close CLEANUP(base_close_fd)
#define cleanup_file CLEANUP(base_close_file)

/* Hand a value over: the variable is emptied, its cleanup does nothing. */
#define steal_ptr(p) \
	(__extension__({ \
		__typeof__(*(p)) *p_ = (p); \
		__typeof__(*p_) v_ = *p_; \
		*p_ = NULL; \
		v_; \
	}))
#define steal_fd(p) \
	(__extension__({ \
		int *p_ = (p); \
		int v_ = *p_; \
		*p_ = -1; \
		v_; \
	}))

/* Make room for one more element in a growing array of `nr` of `alloc`. */
#define GROW(array, nr, alloc) \
	do { \
		if ((nr) == (alloc)) { \
			(alloc) = (alloc) ? (alloc) * 2 : 8; \
			(array) = xrealloc_array((array), (alloc), \
						 sizeof(*(array))); \
		} \
	} while (0)

/* Allocation never fails: out of memory ends the process. Sizes that come
 * from a file or a peer are capped by the caller before they get here. */
void *xmalloc(size_t size) __attribute__((malloc));
void *xcalloc(size_t n, size_t size) __attribute__((malloc));
void *xrealloc_array(void *p, size_t n, size_t size) MUST_CHECK;
char *xstrdup(const char *s) __attribute__((malloc));
/* NULL stays NULL. */
char *xstrdup_null(const char *s);
char *xstrndup(const char *s, size_t n) __attribute__((malloc));
void *xmemdup(const void *p, size_t n) __attribute__((malloc));
char *xstrfmt(const char *fmt, ...) PRINTF(1, 2);

void base_free_ptr(void *p);
void base_close_fd(int *fd); /* and make it -1 */
void base_close_file(FILE **f);

static inline bool str_eq(const char *a, const char *b)
{
	return !strcmp(a, b);
}

/* Both may be NULL; two NULLs are equal. */
bool str_eq_null(const char *a, const char *b);
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
/* The rest of `s` after `prefix`, or NULL when it does not start so. */
const char *str_skip(const char *s, const char *prefix);
/* "1" or "true" in any case; NULL is neither. */
bool str_is_true(const char *s);
/* Decimal digits only, 0 <= value <= max. false leaves *out alone. */
bool str_to_u64(const char *s, uint64_t max, uint64_t *out);
/* The candidate nearest to `word` (edit distance < 3), or NULL. */
const char *str_nearest(const char *word, const char *const *candidates);

#undef strcpy
#undef strcat
#undef sprintf
#undef vsprintf
#define strcpy(a, b) banned_function_strcpy
#define strcat(a, b) banned_function_strcat
#define sprintf(...) banned_function_sprintf
#define vsprintf(...) banned_function_vsprintf
#define strtok(a, b) banned_function_strtok
#define atoi(a) banned_function_atoi
#define atol(a) banned_function_atol
#define mktemp(a) banned_function_mktemp
#define system(a) banned_function_system
#define gets(a) banned_function_gets

#endif
