/* output.c - results of commands */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "cli/cli.h"

int cli_write(const char *path, const struct strbuf *data, struct error *err)
{
	cleanup_close int fd = -1;
	int rc = 0;

	if (path && !str_eq(path, "-"))
		rc = fs_open_special(path, &fd, err);
	if (rc < 0)
		return -1;
	if (rc && fs_write_all(fd, data->buf, data->len, err) < 0)
		return error_wrap(err, "%s", path);
	if (rc)
		return 0;
	if (path && !str_eq(path, "-"))
		return fs_write_atomic(AT_FDCWD, path, data->buf, data->len,
				       0666, err);
	if (fs_write_all(STDOUT_FILENO, data->buf, data->len, err) < 0)
		return error_wrap(err, "standard output");
	return 0;
}
