/* lazy.h - libraries loaded when first used, so that start-up stays cheap */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WRAP_LAZY_H
#define WRAP_LAZY_H

#include "base/error.h"

/*
 * A wrapper lists the functions it uses once:
 *
 *	#define CURL_FUNCTIONS(X) X(curl_easy_init) X(curl_easy_perform)
 *	struct lib { CURL_FUNCTIONS(LAZY_POINTER) };
 *	static const struct lazy_symbol symbols[] = {
 *		CURL_FUNCTIONS(LAZY_SYMBOL(struct lib)) ...
 *
 * LAZY_POINTER declares a member `name` with the function's own type;
 * LAZY_ROW names it with its place. lazy_load fills the struct.
 */
#define LAZY_POINTER(name) __typeof__(&(name)) name;
#define LAZY_ROW(type, name) { #name, offsetof(type, name) },

struct lazy_symbol {
	const char *name;
	size_t offset;
};

/* Load `soname` and fill `lib`. A missing library or symbol is ERR_HOST and
 * names the Debian `package` to install. Loaded libraries are never closed. */
int lazy_load(const char *soname, const char *package,
	      const struct lazy_symbol *symbols, size_t n, void *lib,
	      struct error *err) MUST_CHECK;

#endif
