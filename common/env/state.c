/* state.c - what is remembered of an environment, and who uses it */
/* SPDX-License-Identifier: Apache-2.0 */
#include "env/internal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "base/signals.h"

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

char *env_name_by(const char *workspace, const char *text)
{
	cleanup_strbuf struct strbuf name = STRBUF_INIT;
	cleanup_free char *base = path_base(workspace);
	char digest[DIGEST_TEXT];
	size_t i;

	for (i = 0; i < 40 && base[i]; i++) {
		bool plain = isalnum((unsigned char)base[i]);

		strbuf_addch(&name, plain ? base[i] : '-');
	}
	digest_bytes(text, strlen(text), digest);
	return xstrfmt("%s-%.8s", name.buf[0] == '-' ? "env" : name.buf,
		       digest_hex(digest));
}

char *env_name_of(const char *workspace)
{
	return env_name_by(workspace, workspace);
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

/* Who waited for a lock may hold that of an environment since removed. */
static bool is_current(const struct env *e, int fd)
{
	cleanup_free char *path = path_join(e->dir, "lock");
	struct stat mine, named;

	return fstat(fd, &mine) == 0 && stat(path, &named) == 0 &&
	       mine.st_dev == named.st_dev && mine.st_ino == named.st_ino;
}

static int wait_for_lock(const struct env *e, int fd, struct error *err)
{
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return 0;
	log_info("waiting for another devenv that works on '%s'", e->name);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return error_errno(err, "cannot lock '%s'", e->dir);
		else if (signals_check(err) < 0)
			return -1;
	return 0;
}

int state_lock(const struct env *e, bool create, struct error *err)
{
	for (;;) {
		cleanup_close int fd = -1;

		if (create && mkdir(e->dir, 0700) < 0 && errno != EEXIST)
			return error_errno(err, "cannot create '%s'", e->dir);
		if (!create && !fs_is_dir(e->dir))
			return state_missing(e->name, err);
		fd = open_in(e, "lock", O_RDWR | O_CREAT, err);
		if (fd < 0 || wait_for_lock(e, fd, err) < 0)
			return -1;
		if (is_current(e, fd))
			return steal_fd(&fd);
	}
}

int state_try_lock(const struct env *e)
{
	cleanup_close int fd = open_in(e, "lock", O_RDWR, NULL);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -1;
	return steal_fd(&fd);
}

/* Of the process, not of the open file: it goes with devenv itself, whatever
 * processes that it made are still about to end. */
static int lock_users(const struct env *e, int how, short type)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET };

	return fcntl(e->users_fd, how, &l);
}

int state_use(struct env *e, struct error *err)
{
	e->users_fd = open_in(e, "users", O_RDWR | O_CREAT, err);
	if (e->users_fd < 0)
		return -1;
	if (lock_users(e, F_SETLKW, F_RDLCK) < 0)
		return error_errno(err, "cannot lock '%s'", e->dir);
	return 0;
}

bool state_wanted(struct env *e)
{
	int64_t pid = 0;

	if (state_read(e, NULL) < 0 || !json_get_int(e->state, "pid", &pid) ||
	    pid != e->sandbox.init)
		return false;
	return json_get_bool(e->state, "detached") ||
	       (e->users_fd < 0 && state_use(e, NULL) < 0) ||
	       lock_users(e, F_SETLK, F_WRLCK) < 0;
}

int state_detach(struct env *e, struct error *err)
{
	json_set_bool(e->state, "detached", true);
	return state_write(e, err);
}

char *state_dir(const struct store *s, const char *name)
{
	return xstrfmt("%s/run/%s", store_path(s), name);
}

int state_bad_name(const char *name, struct error *err)
{
	error_set(err, ERR_USAGE, "'%s' is not a name of an environment",
		  name);
	return error_hint(err, "letters, digits, '-', '_' and '.', 64 at "
			  "most, first a letter, digit or '_'");
}

int state_missing(const char *name, struct error *err)
{
	error_set(err, ERR_USAGE, "there is no environment '%s'", name);
	return error_hint(err, "'devenv ps -a' lists the environments");
}

int state_damaged(const struct env *e, const char *what, struct error *err)
{
	error_set(err, ERR_SYSTEM, "'%s/" ENV_STATE "' is damaged: %s",
		  e->dir, what);
	return error_hint(err, "'devenv rm -f %s' removes the environment",
			  e->name);
}

static int parse(struct env *e, const struct strbuf *text, struct error *err)
{
	cleanup_error struct error why = ERROR_INIT;

	e->state = json_parse(ENV_STATE, text->buf, text->len, &why);
	if (!e->state)
		return state_damaged(e, why.msg, err);
	if (json_kind(e->state) != JSON_OBJECT)
		return state_damaged(e, "it holds no object", err);
	return 0;
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
	return parse(e, &text, err);
}

int state_write(struct env *e, struct error *err)
{
	cleanup_free char *path = path_join(e->dir, ENV_STATE);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	json_write(&text, e->state, true);
	return fs_write_atomic(AT_FDCWD, path, text.buf, text.len, 0600, err);
}

/* A process id and its start, in ticks since boot, mean something until the
 * next boot only. */
static char *boot_id(void)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (fs_read_file("/proc/sys/kernel/random/boot_id", 64, &text, NULL) <
	    0)
		return xstrdup("unknown");
	return xstrndup(text.buf, strcspn(text.buf, "\n"));
}

int state_started(struct env *e, struct error *err)
{
	cleanup_free char *boot = boot_id();

	json_remove(e->state, "detached");
	json_remove(e->state, "exit_status");
	json_set_str(e->state, "boot", boot);
	json_set_int(e->state, "pid", e->sandbox.init);
	json_set_int(e->state, "start_time",
		     (int64_t)runtime_start_time(e->sandbox.init));
	return state_write(e, err);
}

int state_stopped(struct env *e, struct error *err)
{
	json_remove(e->state, "pid");
	json_remove(e->state, "detached");
	return state_write(e, err);
}

int state_grace(const struct env *e)
{
	int64_t ms = 0;

	if (json_get_int(e->state, "grace_ms", &ms) && ms >= 0 &&
	    ms <= INT32_MAX)
		return (int)ms;
	return json_get_str(e->state, "pod") ? SERVICE_GRACE_MS : ENV_GRACE_MS;
}

static bool has_ended(int pidfd)
{
	struct pollfd p = { pidfd, POLLIN, 0 };

	return poll(&p, 1, 0) > 0;
}

bool state_sandbox(struct env *e)
{
	cleanup_free char *boot = boot_id();
	const char *then = json_get_str(e->state, "boot");
	int64_t pid = 0, start = 0;

	if (!json_get_int(e->state, "pid", &pid) || pid <= 0 ||
	    pid > INT32_MAX ||
	    !json_get_int(e->state, "start_time", &start) || start <= 0 ||
	    !str_eq_null(boot, then))
		return false;
	if (runtime_attach((pid_t)pid, (uint64_t)start, &e->sandbox, NULL) < 0)
		return false;
	/* One that ended keeps its number until somebody reaps it. */
	e->running = !has_ended(e->sandbox.pidfd);
	return e->running;
}
