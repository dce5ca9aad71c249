/* lazy.c - libraries loaded when first used */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/lazy.h"

#include <dlfcn.h>

int lazy_load(const char *soname, const char *package,
	      const struct lazy_symbol *symbols, size_t n, void *lib,
	      struct error *err)
{
	void *handle = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
	size_t i;

	if (!handle) {
		error_set(err, ERR_HOST, "cannot load %s: %s", soname,
			  dlerror());
		return error_hint(err, "install the package %s", package);
	}
	for (i = 0; i < n; i++) {
		void *at = dlsym(handle, symbols[i].name);

		if (!at)
			return error_set(err, ERR_HOST,
					 "%s is too old: it has no %s",
					 soname, symbols[i].name);
		/* ISO C has no cast from object to function pointer. */
		memcpy((char *)lib + symbols[i].offset, &at, sizeof(at));
	}
	return 0;
}
