/* sysctl.c - parameters of the kernel that each namespace has of its own */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>

#include "base/fs.h"
#include "runtime/bounds.h"

static int set_one(int proc, const char *text, struct error *err)
{
	const char *value = text + strcspn(text, "=");
	cleanup_free char *name = xstrndup(text, (size_t)(value - text));
	cleanup_free char *path = xstrfmt("sys/%s", name);
	cleanup_close int fd = -1;

	for (char *p = path; *p; p++)
		if (*p == '.')
			*p = '/';
	fd = openat(proc, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || write(fd, value + 1, strlen(value + 1)) < 0) {
		error_errno_code(err, ERR_HOST, "cannot set '%s'", text);
		return error_hint(err, errno == ENOENT
				? "this kernel has no such parameter"
				: "leave it out of 'runArgs' where it cannot "
				  "be set");
	}
	return 0;
}

int runtime_sysctls_set(int proc, const struct strvec *list,
			struct error *err)
{
	for (size_t i = 0; list && i < list->nr; i++)
		if (set_one(proc, list->v[i], err) < 0)
			return -1;
	return 0;
}
