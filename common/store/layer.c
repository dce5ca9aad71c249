/* layer.c - layers/<id>: drafts, commit, what is known of a layer */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define META_MAX 65536

/* `id` may come from a file that anybody could have edited. */
static bool valid_id(const char *id)
{
	return store_is_hex(id, STORE_ID - 1);
}

void store_new_id(char id[STORE_ID])
{
	random_hex(id, (STORE_ID - 1) / 2);
}

static bool is_dir(const struct store *s, const char *path, mode_t never)
{
	struct stat st;

	return fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode) && !(st.st_mode & never);
}

/* A link in a base store would bring files of this host into images, as would
 * others who may replace them. Its root is as open as that of the image. */
static bool is_straight(const struct store *base, const char *id)
{
	char path[STORE_ID + 16];

	snprintf(path, sizeof(path), "layers/%.64s", id);
	if (!is_dir(base, "layers", 022) || !is_dir(base, path, 022))
		return false;
	snprintf(path, sizeof(path), "layers/%.64s/fs", id);
	return is_dir(base, path, 0);
}

const struct store *layer_home(const struct store *s, const char *id)
{
	for (size_t i = 0; i < s->n_bases && !layer_is_own(s, id); i++)
		if (s->bases[i]->fit && layer_is_own(s->bases[i], id) &&
		    is_straight(s->bases[i], id))
			return s->bases[i];
	return s;
}

char *store_layer_fs(const struct store *s, const char *id)
{
	return xstrfmt("%s/layers/%s/fs", layer_home(s, id)->path, id);
}

int store_layer_fs_fd(const struct store *s, const char *id, struct error *err)
{
	char path[STORE_ID + 16];
	int fd;

	snprintf(path, sizeof(path), "layers/%.64s/fs", id);
	fd = openat(layer_home(s, id)->fd, path,
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "cannot open layer %.12s", id);
	return fd;
}

bool layer_is_own(const struct store *s, const char *id)
{
	char path[STORE_ID + 16], boot[STORE_BOOT];
	ssize_t n;

	if (!valid_id(id))
		return false;
	snprintf(path, sizeof(path), "layers/%s/synced", id);
	if (faccessat(s->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return true;
	snprintf(path, sizeof(path), "layers/%s/boot", id);
	n = readlinkat(s->fd, path, boot, sizeof(boot));
	return n > 0 && (size_t)n == strlen(s->boot) &&
	       !memcmp(boot, s->boot, (size_t)n);
}

bool store_has_layer(const struct store *s, const char *id)
{
	return layer_is_own(layer_home(s, id), id);
}

static void meta_text(const struct store_meta *m, struct strbuf *out)
{
	cleanup_json struct json *j = json_new_object();
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	json_set_str(j, "diff_id", m->diff_id);
	json_set_str(j, "blob", m->blob);
	json_set_str(j, "media_type", m->media_type);
	json_set_int(j, "blob_size", (int64_t)m->blob_size);
	json_set_int(j, "size", (int64_t)m->size);
	json_set_int(j, "uid", m->uid);
	json_set_int(j, "gid", m->gid);
	json_set_str(j, "origin", m->origin);
	json_set_bool(j, "alone", m->alone);
	json_write(&text, j, false);
	store_seal(out, text.buf, text.len);
}

static void get_text(const struct json *j, const char *key, char *out,
		     size_t size)
{
	const char *text = json_get_str(j, key);

	snprintf(out, size, "%s", text ? text : "");
}

static uint64_t get_number(const struct json *j, const char *key)
{
	int64_t value;

	return json_get_int(j, key, &value) && value > 0 ? (uint64_t)value : 0;
}

/* false: no such file, or a torn one. */
static bool read_meta(const struct store *s, const char *id, const char *name,
		      struct store_meta *m)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_json struct json *j = NULL;
	char path[STORE_ID + 32];

	snprintf(path, sizeof(path), "layers/%s/%s", id, name);
	if (fs_read_at(layer_home(s, id)->fd, path, META_MAX, &text, NULL) <
		    0 ||
	    !store_unseal(&text))
		return false;
	j = json_parse(path, text.buf, text.len, NULL);
	if (!j)
		return false;
	memset(m, 0, sizeof(*m));
	get_text(j, "diff_id", m->diff_id, sizeof(m->diff_id));
	get_text(j, "blob", m->blob, sizeof(m->blob));
	get_text(j, "media_type", m->media_type, sizeof(m->media_type));
	get_text(j, "origin", m->origin, sizeof(m->origin));
	m->blob_size = get_number(j, "blob_size");
	m->size = get_number(j, "size");
	m->uid = (uid_t)get_number(j, "uid");
	m->gid = (gid_t)get_number(j, "gid");
	m->alone = json_get_bool(j, "alone");
	return true;
}

/*
 * `meta` is written once, with the layer. What is found out later goes to
 * `info`, without a sync: torn by a power loss it is found out again.
 */
int store_get_meta(const struct store *s, const char *id,
		   struct store_meta *meta, struct error *err)
{
	if (!store_has_layer(s, id))
		return error_set(err, ERR_SYSTEM, "layer %.12s is not here",
				 id);
	if (read_meta(s, id, "info", meta) || read_meta(s, id, "meta", meta))
		return 0;
	error_set(err, ERR_SYSTEM, "layer %.12s is damaged", id);
	return error_hint(err, "run: devenv store verify");
}

bool store_meta_sound(const struct store *s, const char *id)
{
	struct store_meta meta;

	return read_meta(s, id, "meta", &meta);
}

int store_set_meta(struct store *s, const char *id,
		   const struct store_meta *meta, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char path[STORE_ID + 16];

	if (!store_has_layer(s, id))
		return error_set(err, ERR_SYSTEM, "layer %.12s is not here",
				 id);
	if (layer_home(s, id) != s)
		return 0; /* found out again when needed */
	meta_text(meta, &text);
	snprintf(path, sizeof(path), "layers/%s/info", id);
	return store_replace(s, path, text.buf, text.len, false, err);
}

int layer_discard(struct store *s, const char *id, struct error *err)
{
	cleanup_free char *dir = xstrfmt("layers/%s", id);
	cleanup_free char *note = xstrfmt(STORE_UNSYNCED "/%s", id);

	if (store_discard(s, dir, err) < 0)
		return -1;
	unlinkat(s->fd, note, 0);
	return 0;
}

int store_draft_new(struct store *s, struct store_draft *d, struct error *err)
{
	struct store_temp t = STORE_TEMP_INIT;

	memset(d, 0, sizeof(*d));
	d->lock_fd = -1;
	if (store_temp_dir(s, &t, err) < 0)
		return -1;
	/* The mode of `fs` is that of "/" for an image that does not say. */
	if (mkdirat(t.fd, "fs", 0755) < 0 || mkdirat(t.fd, "work", 0700) < 0 ||
	    fchmodat(t.fd, "fs", 0755, 0) < 0) {
		error_errno(err, "cannot make a layer in '%s'", s->path);
		store_temp_drop(s, &t);
		return -1;
	}
	d->dir = xstrfmt("%s/%s", s->path, t.name);
	d->fs = xstrfmt("%s/fs", d->dir);
	d->work = xstrfmt("%s/work", d->dir);
	d->lock_fd = t.fd;
	return 0;
}

int store_draft_borrow(struct store_draft *d, struct error *err)
{
	close(d->lock_fd);
	d->lock_fd = open(d->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->lock_fd < 0)
		return error_errno(err, "cannot open '%s'", d->dir);
	return 0;
}

static void draft_release(struct store_draft *d)
{
	free(d->dir);
	free(d->fs);
	free(d->work);
	base_close_fd(&d->lock_fd);
	memset(d, 0, sizeof(*d));
	d->lock_fd = -1;
}

void store_draft_drop(struct store *s, struct store_draft *d)
{
	if (!d->dir)
		return;
	if (fs_remove_tree(s->fd, d->dir, NULL) < 0)
		log_debug("cannot remove '%s'", d->dir);
	draft_release(d);
}

/* What an overlay leaves there is known, and a commit is made per RUN. */
static int remove_work(const struct store_draft *d, struct error *err)
{
	static const char *const dirs[] = {
		"work/work/incompat/volatile", "work/work/incompat",
		"work/work", "work",
	};
	int rc = unlinkat(d->lock_fd, "work/work/incompat/volatile/dirty", 0);

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		rc = unlinkat(d->lock_fd, dirs[i], AT_REMOVEDIR);
	return rc ? fs_remove_tree(d->lock_fd, "work", err) : 0;
}

static int write_commit(struct store *s, const struct store_draft *d,
			const struct store_meta *meta, struct error *err)
{
	static const struct store_meta nothing;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int fd = openat(d->lock_fd, "meta",
				      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
				      0600);

	meta_text(meta ? meta : &nothing, &text);
	if (fd < 0)
		return error_errno(err, "cannot commit a layer to '%s'",
				   s->path);
	if (fs_write_all(fd, text.buf, text.len, err) < 0)
		return error_wrap(err, "cannot commit a layer to '%s'",
				  s->path);
	if (symlinkat(s->boot, d->lock_fd, "boot") < 0 && errno != EEXIST)
		return error_errno(err, "cannot commit a layer to '%s'",
				   s->path);
	return remove_work(d, err);
}

/* 1 renamed, 0 somebody else was first, -1. */
static int publish(struct store *s, const struct store_draft *d,
		   const char *id, struct error *err)
{
	cleanup_free char *to = xstrfmt("layers/%s", id);

	for (int tries = 0; tries < 3; tries++) {
		if (renameat2(AT_FDCWD, d->dir, s->fd, to,
			      RENAME_NOREPLACE) == 0)
			return 1;
		if (errno != EEXIST)
			return error_errno(err, "cannot commit layer %.12s",
					   id);
		if (layer_is_own(s, id))
			return 0;
		/* left unsynced by an earlier boot */
		if (store_discard(s, to, err) < 0)
			return -1;
	}
	return error_set(err, ERR_SYSTEM, "cannot commit layer %.12s", id);
}

static int note_unsynced(struct store *s, const char *id, struct error *err)
{
	cleanup_free char *note = xstrfmt(STORE_UNSYNCED "/%s", id);
	cleanup_close int fd = openat(s->fd, note,
				      O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_errno(err, "cannot make '%s/%s'", s->path, note);
	return 0;
}

int store_draft_commit(struct store *s, struct store_draft *d,
		       const struct store_meta *meta,
		       const char id[STORE_ID], struct error *err)
{
	int done;

	if (!valid_id(id))
		return error_set(err, ERR_INPUT, "'%.80s' is no layer id", id);
	if (store_has_layer(s, id)) {
		store_draft_drop(s, d);
		return 0;
	}
	if (write_commit(s, d, meta, err) < 0)
		return -1;
	done = publish(s, d, id, err);
	if (done < 0)
		return -1;
	if (!done) {
		store_draft_drop(s, d);
		return 0;
	}
	draft_release(d);
	return note_unsynced(s, id, err);
}
