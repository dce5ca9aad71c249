/* state.c - what is remembered of an environment, and who uses it */
/* SPDX-License-Identifier: Apache-2.0 */
#include "env/internal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"

bool env_name_valid(const char *name)
{
	size_t i, n = strlen(name);

	if (!n || n > 64 || *name == '.' || *name == '-')
		return false;
	for (i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) &&
		    !strchr("-_.", name[i]))
			return false;
	return true;
}

char *env_name_of(const char *workspace)
{
	cleanup_strbuf struct strbuf name = STRBUF_INIT;
	cleanup_free char *base = path_base(workspace);
	char digest[DIGEST_TEXT];
	size_t i;

	for (i = 0; i < 40 && base[i]; i++) {
		bool plain = isalnum((unsigned char)base[i]);

		strbuf_addch(&name, plain ? base[i] : '-');
	}
	digest_bytes(workspace, strlen(workspace), digest);
	return xstrfmt("%s-%.8s", name.buf[0] == '-' ? "env" : name.buf,
		       digest_hex(digest));
}

static int open_in(const struct env *e, const char *name, int flags,
		   struct error *err)
{
	cleanup_free char *path = path_join(e->dir, name);
	int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return error_errno(err, "cannot open '%s'", path);
	return fd;
}

int state_lock(const struct env *e, struct error *err)
{
	cleanup_close int fd = open_in(e, "lock", O_RDWR | O_CREAT, err);

	if (fd < 0)
		return -1;
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return error_errno(err, "cannot lock '%s'", e->dir);
	return steal_fd(&fd);
}

int state_use(struct env *e, struct error *err)
{
	e->users_fd = open_in(e, "users", O_RDWR | O_CREAT, err);
	if (e->users_fd < 0)
		return -1;
	if (flock(e->users_fd, LOCK_SH) < 0)
		return error_errno(err, "cannot lock '%s'", e->dir);
	return 0;
}

bool state_last(struct env *e)
{
	return e->users_fd < 0 || !flock(e->users_fd, LOCK_EX | LOCK_NB);
}

int state_read(struct env *e, struct error *err)
{
	cleanup_free char *path = path_join(e->dir, ENV_STATE);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	json_free(e->state);
	e->state = NULL;
	if (!fs_exists(path)) {
		e->state = json_new_object();
		return 0;
	}
	if (fs_read_file(path, ENV_STATE_MAX, &text, err) < 0)
		return -1;
	e->state = json_parse(path, text.buf, text.len, err);
	return e->state ? 0 : -1;
}

int state_write(struct env *e, struct error *err)
{
	cleanup_free char *path = path_join(e->dir, ENV_STATE);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	json_write(&text, e->state, true);
	return fs_write_atomic(AT_FDCWD, path, text.buf, text.len, 0600, err);
}

int state_sandbox(struct env *e, struct error *err)
{
	cleanup_error struct error gone = ERROR_INIT;
	int64_t pid = 0, start = 0;

	if (!json_get_int(e->state, "pid", &pid) || pid <= 0 ||
	    !json_get_int(e->state, "start_time", &start))
		return 0;
	if (runtime_attach((pid_t)pid, (uint64_t)start, &e->sandbox, &gone) <
	    0)
		return 0;
	(void)err;
	e->running = true;
	return 1;
}
