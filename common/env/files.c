/* files.c - what an environment finds in files: variables, a start script */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "env/internal.h"
#include "wrap/digest.h"

/* The directory of `path` in the environment: its links end in there. */
static int open_parent(struct env *e, const char *path, struct error *err)
{
	cleanup_close int root = runtime_root_fd(&e->sandbox, err);
	cleanup_free char *dir = path_dir(path);
	int fd;

	if (root < 0)
		return -1;
	fd = fs_open_in_root(root, dir, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return error_errno_code(err, ERR_INPUT,
					"cannot write '%s' in the environment: "
					"'%s'",
					path, dir);
	return fd;
}

static int write_new(int dir, const char *name, const struct strbuf *text,
		     mode_t mode, struct error *err)
{
	cleanup_close int fd = openat(
		dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (fd < 0)
		return error_errno(err, "cannot create a file");
	if (fchmod(fd, mode) < 0)
		return error_errno(err, "cannot set its mode");
	return fs_write_all(fd, text->buf, text->len, err);
}

/* Whoever may write to the directory can put a link there at any time, so the
 * file is made under a name that nobody knows, and takes the place. */
static int replace(int dir, const char *name, const struct strbuf *text,
		   mode_t mode, struct error *err)
{
	char temp[33];
	int rc;

	random_hex(temp, 16);
	rc = write_new(dir, temp, text, mode, err);
	if (!rc && renameat(dir, temp, dir, name) < 0)
		rc = error_errno(err, "cannot put it in place");
	if (rc)
		unlinkat(dir, temp, 0);
	return rc;
}

static int put(struct env *e, const char *path, const struct strbuf *text,
	       mode_t mode, struct error *err)
{
	cleanup_close int dir = open_parent(e, path, err);
	cleanup_free char *name = path_base(path);

	if (dir < 0)
		return -1;
	if (replace(dir, name, text, mode, err) < 0)
		return error_wrap(err, "'%s' in the environment", path);
	return 0;
}

int files_export(struct env *e, struct error *err)
{
	cleanup_strvec struct strvec env = STRVEC_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	size_t i;

	commands_variables(e, &env);
	strvec_sort(&env);
	for (i = 0; i < env.nr; i++) {
		if (strchr(env.v[i], '\n'))
			log_warn("%s: '%.*s' has several lines and is left "
				 "out",
				 e->life->export_file,
				 (int)strcspn(env.v[i], "="), env.v[i]);
		else
			strbuf_addf(&text, "%s\n", env.v[i]);
	}
	return put(e, e->life->export_file, &text, 0644, err);
}

/* One word for a shell. */
static void add_quoted(struct strbuf *out, const char *word)
{
	strbuf_addch(out, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			strbuf_addstr(out, "'\"'\"'");
		else
			strbuf_addch(out, *word);
	}
	strbuf_addch(out, '\'');
}

static void add_commands(struct strbuf *out, const struct json *entry)
{
	cleanup_devcontainer_hook struct devcontainer_hook h = { 0 };
	size_t i, k;

	devcontainer_hook_get(&h, entry);
	for (i = 0; i < h.nr; i++) {
		const struct strvec *argv = &h.v[i].argv;

		for (k = 0; k < argv->nr; k++) {
			if (k)
				strbuf_addch(out, ' ');
			if (h.v[i].shell)
				strbuf_addstr(out, argv->v[k]);
			else
				add_quoted(out, argv->v[k]);
		}
		strbuf_addch(out, '\n');
	}
}

/* A script of an earlier start would be run as if it were this one's. */
static int take_away(struct env *e, const char *path, struct error *err)
{
	cleanup_close int dir = open_parent(e, path, NULL);
	cleanup_free char *name = path_base(path);

	if (dir >= 0 && unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return error_errno(err,
				   "cannot remove '%s' in the "
				   "environment",
				   path);
	return 0;
}

int files_post_start(struct env *e, const struct json *hooks, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const struct json *m;

	for (m = json_first(hooks); m; m = json_next(m))
		add_commands(&text, m);
	if (!text.len)
		return take_away(e, e->life->post_start, err);
	strbuf_prepend(&text, "#!/bin/sh\n\n");
	return put(e, e->life->post_start, &text, 0755, err);
}
