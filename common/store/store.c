/* store.c - open a store, make it where it is missing, keep it durable */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/path.h"
#include "store/lock.h"

/* Seconds after which the kernel has written a file by itself, so that a sync
 * finds little to do (vm.dirty_expire_centisecs is 30 s). */
#define SETTLED 40

static const char *const directories[] = {
	"blobs", "blobs/sha256", "layers", "cache", "context", "mounts",
	"run", "images", "tmp", STORE_UNSYNCED,
};

char *store_default_path(void)
{
	const char *set = getenv("DEVENV_STORE");
	const char *data = getenv("XDG_DATA_HOME");
	const char *home = getenv("HOME");

	if (set && *set)
		return path_absolute(set);
	if (geteuid() == 0)
		return xstrdup("/var/lib/devenv");
	if (data && *data == '/')
		return path_join(data, "devenv");
	return path_join(home && *home == '/' ? home : "/tmp",
			 ".local/share/devenv");
}

static void read_boot_id(char boot[STORE_BOOT])
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	/* Without one every boot is another: layers count once synced. */
	if (fs_read_file("/proc/sys/kernel/random/boot_id", STORE_BOOT - 1,
			 &text, NULL) < 0) {
		random_hex(boot, 16);
		return;
	}
	strbuf_rtrim(&text);
	snprintf(boot, STORE_BOOT, "%s", text.buf);
}

/* A new volume has nothing but what mkfs puts there. */
static bool is_bare(const struct store *s)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_error struct error why = ERROR_INIT;

	if (store_read_dir(s->fd, &names, &why) < 0)
		return false;
	return !names.nr ||
	       (names.nr == 1 && str_eq(names.v[0], "lost+found"));
}

/*
 * Volumes of pods and what mkdir makes are open to others. What somebody put
 * there before it was closed would be trusted: hence the second look.
 */
static bool close_new(const struct store *s, mode_t mode)
{
	if (!is_bare(s) || fchmod(s->fd, 0700) < 0)
		return false;
	if (is_bare(s))
		return true;
	fchmod(s->fd, mode & 07777);
	return false;
}

static int of_another(const struct store *s, struct error *err)
{
	error_set(err, ERR_SYSTEM, "store '%s' belongs to another user",
		  s->path);
	if (faccessat(s->fd, ".", W_OK, AT_EACCESS) == 0)
		return error_hint(err,
				  "name a directory in it that is yet to be "
				  "made: --store %s/devenv",
				  s->path);
	return error_hint(err, "name a store of your own with --store or "
			       "DEVENV_STORE");
}

static int check_owner(const struct store *s, struct error *err)
{
	struct stat st;

	if (fstat(s->fd, &st) < 0)
		return error_errno(err, "cannot examine '%s'", s->path);
	if (st.st_uid != geteuid())
		return of_another(s, err);
	if (!(st.st_mode & 077) || close_new(s, st.st_mode))
		return 0;
	error_set(err, ERR_SYSTEM, "store '%s' is open to others", s->path);
	return error_hint(err, "run: chmod 700 %s", s->path);
}

static bool is_empty(const struct store *s, const char *name)
{
	struct stat st;

	return fstatat(s->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       !st.st_size;
}

/* What a new store begins with need not reach the disk before its name: one
 * that a power loss left empty is made again. */
static bool is_wanted(const struct store *s, const char *name)
{
	return faccessat(s->fd, name, F_OK, 0) < 0 || is_empty(s, name);
}

static int make_file(struct store *s, const char *name, const char *text,
		     struct error *err)
{
	if (!is_wanted(s, name))
		return 0;
	return store_replace(s, name, text, strlen(text), false, err);
}

/* Several processes may do this at once: each step can be done twice, and
 * the format comes last. */
static int make_layout(struct store *s, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		if (mkdirat(s->fd, directories[i], 0700) < 0 &&
		    errno != EEXIST)
			return error_errno(err, "cannot make '%s/%s'", s->path,
					   directories[i]);
	}
	if (make_file(s, STORE_LAYOUT, STORE_LAYOUT_TEXT, err) < 0 ||
	    (is_wanted(s, STORE_INDEX) &&
	     store_index_rebuild(s, false, err) < 0))
		return -1;
	return make_file(s, "format", STORE_FORMAT, err);
}

static int check_format(struct store *s, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_error struct error why = ERROR_INIT;

	if (fs_read_at(s->fd, "format", 64, &text, &why) == 0) {
		if (!text.len || (str_eq(text.buf, STORE_FORMAT) &&
				  (is_empty(s, STORE_LAYOUT) ||
				   is_empty(s, STORE_INDEX))))
			return make_layout(s, err);
		if (str_eq(text.buf, STORE_FORMAT))
			return 0;
		strbuf_rtrim(&text);
		error_set(err, ERR_SYSTEM,
			  "store '%s' has format '%s', this program knows 1",
			  s->path, text.buf);
		return error_hint(err, "use the newer devenv that made it, or "
				       "another store");
	}
	if (why.sys != ENOENT)
		return error_move(err, &why);
	return make_layout(s, err);
}

static int elsewhere(struct error *err)
{
	return error_hint(err, "name another place with --store or "
			       "DEVENV_STORE");
}

static int cannot(const struct store *s, const char *verb, struct error *err)
{
	error_errno(err, "cannot %s store '%s'", verb, s->path);
	return elsewhere(err);
}

static int open_directory(struct store *s, struct error *err)
{
	s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->fd < 0 && errno == ENOENT) {
		cleanup_free char *parent = path_dir(s->path);

		if (fs_mkdir_p(parent, 0755, err) < 0)
			return elsewhere(err);
		if (mkdir(s->path, 0700) < 0 && errno != EEXIST)
			return cannot(s, "make", err);
		s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (s->fd < 0)
		return cannot(s, "open", err);
	return check_owner(s, err);
}

static int take_use_lock(struct store *s, struct error *err)
{
	s->use_fd = openat(s->fd, "format", O_RDONLY | O_CLOEXEC);
	if (s->use_fd < 0 || flock(s->use_fd, LOCK_SH) < 0)
		return error_errno(err, "cannot lock store '%s'", s->path);
	return 0;
}

/*
 * Layers of earlier boots that were never synced go; those of this boot get
 * their mark once the kernel has had the time to write them.
 */
static int settle(struct store *s, struct error *err)
{
	cleanup_strvec struct strvec ids = STRVEC_INIT;
	struct stat st;
	bool old = false;

	if (store_list(s, STORE_UNSYNCED, &ids, err) < 0)
		return -1;
	if (!ids.nr)
		return 0;
	for (size_t i = 0; i < ids.nr; i++) {
		cleanup_free char *note = xstrfmt(STORE_UNSYNCED "/%s",
						  ids.v[i]);

		if (fstatat(s->fd, note, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    st.st_mtime + SETTLED < time(NULL))
			old = true;
		if (layer_is_own(s, ids.v[i]))
			continue;
		if (layer_discard(s, ids.v[i], err) < 0)
			return -1;
	}
	return old ? store_sync(s, err) : 0;
}

int store_sync(struct store *s, struct error *err)
{
	cleanup_strvec struct strvec ids = STRVEC_INIT;

	/* Listed before the sync: a layer that comes later is not in it. */
	if (store_list(s, STORE_UNSYNCED, &ids, err) < 0)
		return -1;
	if (!ids.nr)
		return 0;
	if (syncfs(s->fd) < 0)
		return error_errno(err, "cannot sync '%s'", s->path);
	for (size_t i = 0; i < ids.nr; i++) {
		cleanup_free char *note = xstrfmt(STORE_UNSYNCED "/%s",
						  ids.v[i]);
		cleanup_free char *mark = xstrfmt("layers/%s/synced",
						  ids.v[i]);
		cleanup_close int fd = openat(s->fd, mark,
					      O_WRONLY | O_CREAT | O_CLOEXEC,
					      0600);

		/* ENOENT: the layer was removed meanwhile */
		if (fd < 0 && errno != ENOENT)
			return error_errno(err, "cannot make '%s/%s'",
					   s->path, mark);
		unlinkat(s->fd, note, 0);
	}
	return 0;
}

int store_open(struct store **out, const struct store_options *o,
	       struct error *err)
{
	cleanup_store struct store *s = xcalloc(1, sizeof(*s));

	s->fd = s->use_fd = s->uploads = -1;
	s->o = *o;
	s->path = o->path ? path_absolute(o->path) : store_default_path();
	s->o.path = NULL; /* the caller's, perhaps gone tomorrow */
	s->compression = COMPRESS_GZIP;
	if (!s->o.max_bytes)
		s->o.max_bytes = (uint64_t)64 << 30;
	if (!s->o.max_entries)
		s->o.max_entries = 5000000;
	if (!s->o.max_ratio)
		s->o.max_ratio = 200;
	read_boot_id(s->boot);
	if (open_directory(s, err) < 0 || check_format(s, err) < 0 ||
	    take_use_lock(s, err) < 0 || store_sweep(s, err) < 0 ||
	    settle(s, err) < 0 || base_open(s, err) < 0)
		return -1;
	*out = steal_ptr(&s);
	return 0;
}

void store_compress(struct store *s, enum compress_kind kind, int level)
{
	s->compression = kind;
	s->level = level;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	base_close(s);
	store_unlock(&s->uploads);
	base_close_fd(&s->use_fd);
	base_close_fd(&s->fd);
	free(s->path);
	free(s);
}

void store_close_ptr(struct store **s)
{
	store_close(*s);
}

const char *store_path(const struct store *s)
{
	return s->path;
}

char *store_run_dir(struct store *s, const char *name, struct error *err)
{
	cleanup_free char *dir = xstrfmt("%s/run/%s", s->path, name);

	if (!*name || *name == '.' || strchr(name, '/') || strlen(name) > 128) {
		error_set(err, ERR_USAGE, "'%s' cannot name an environment",
			  name);
		return NULL;
	}
	if (mkdir(dir, 0700) < 0 && errno != EEXIST) {
		error_errno(err, "cannot make '%s'", dir);
		return NULL;
	}
	return steal_ptr(&dir);
}

char *store_scratch(struct store *s, int *lock_fd, struct error *err)
{
	struct store_temp t = STORE_TEMP_INIT;

	if (store_temp_dir(s, &t, err) < 0)
		return NULL;
	*lock_fd = t.fd;
	return xstrfmt("%s/%s", s->path, t.name);
}

void store_scratch_drop(struct store *s, const char *path, int lock_fd)
{
	if (fs_remove_tree(s->fd, path, NULL) < 0)
		log_debug("cannot remove '%s'", path);
	base_close_fd(&lock_fd);
}
