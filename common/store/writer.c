/* writer.c - a blob as it comes in, in one go or in several */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/writer.h"

#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "store/lock.h"

#define READ_BUFFER (1u << 20)
#define FLUSH_EVERY (8u << 20)
#define PARTIAL "partial-"
#define PARTIAL_AGE ((time_t)24 * 3600)

int store_writer_new(struct store *s, struct store_writer **out,
		     struct error *err)
{
	struct store_writer *w = xcalloc(1, sizeof(*w));

	w->s = s;
	w->temp.fd = -1;
	if (store_temp_file(s, &w->temp, err) < 0) {
		free(w);
		return -1;
	}
	digest_init(&w->digest, true);
	*out = w;
	return 0;
}

int store_writer_write(struct store_writer *w, const void *data, size_t n,
		       struct error *err)
{
	if (fs_write_all(w->temp.fd, data, n, err) < 0) {
		w->keep = false; /* a full disk has no room for what is left */
		return error_wrap(err, "cannot store a blob in '%s'",
				  w->s->path);
	}
	digest_update(&w->digest, data, n);
	w->size += n;
	/* What is on its way to the disk already is not waited for at the
	 * end, when the blob has to be there. */
	if (w->size - w->flushed >= FLUSH_EVERY) {
		sync_file_range(w->temp.fd, (off_t)w->flushed,
				(off_t)(w->size - w->flushed),
				SYNC_FILE_RANGE_WRITE);
		w->flushed = w->size;
	}
	return 0;
}

int store_writer_restart(struct store_writer *w, struct error *err)
{
	if (ftruncate(w->temp.fd, 0) < 0 ||
	    lseek(w->temp.fd, 0, SEEK_SET) < 0)
		return error_errno(err, "cannot start a blob again");
	digest_release(&w->digest);
	digest_init(&w->digest, true);
	w->final[0] = '\0';
	w->size = w->flushed = 0;
	return 0;
}

void store_writer_digest(struct store_writer *w, char digest[DIGEST_TEXT])
{
	if (!w->final[0])
		digest_final_text(&w->digest, w->final);
	memcpy(digest, w->final, DIGEST_TEXT);
}

int store_writer_commit(struct store_writer *w, char digest[DIGEST_TEXT],
			uint64_t *size, struct error *err)
{
	char path[STORE_BLOB_PATH], found[DIGEST_TEXT];

	store_writer_digest(w, found);
	if (*digest && !str_eq(digest, found))
		return error_set(err, ERR_INPUT,
				 "a blob has digest %s instead of %s", found,
				 digest);
	if (store_blob_path(path, found, err) < 0)
		return -1;
	if (!blob_is_own(w->s, found, NULL)) {
		if (fsync(w->temp.fd) < 0)
			return error_errno(err, "cannot sync blob %s", found);
		if (renameat(w->s->fd, w->temp.name, w->s->fd, path) < 0)
			return error_errno(err, "cannot store blob %s", found);
		w->temp.name[0] = '\0';
	}
	memcpy(digest, found, sizeof(found));
	if (size)
		*size = w->size;
	w->keep = false;
	store_writer_free(w);
	return 0;
}

void store_writer_free(struct store_writer *w)
{
	if (!w)
		return;
	digest_release(&w->digest);
	if (w->keep && w->size >= STORE_PARTIAL_MIN)
		w->temp.name[0] = '\0';
	store_temp_drop(w->s, &w->temp);
	free(w);
}

/* --- what an earlier process got of it --- */

/* Is the file that was locked still the one of that name? Its maker may have
 * made a blob of it in between. */
static bool is_named(const struct store *s, const struct store_temp *t)
{
	struct stat own, named;

	return fstat(t->fd, &own) == 0 &&
	       fstatat(s->fd, t->name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       own.st_ino == named.st_ino && own.st_dev == named.st_dev &&
	       S_ISREG(own.st_mode);
}

static void name_partial(struct store_temp *t, const char *digest)
{
	snprintf(t->name, sizeof(t->name), "tmp/" PARTIAL "%s",
		 digest_hex(digest));
}

uint64_t store_partial_size(const struct store *s, const char *digest)
{
	struct store_temp t = STORE_TEMP_INIT;
	struct stat st;

	if (!digest_valid(digest))
		return 0;
	name_partial(&t, digest);
	return fstatat(s->fd, t.name, &st, AT_SYMLINK_NOFOLLOW) < 0 ?
		       0 : (uint64_t)st.st_size;
}

/* false: somebody else is at it, or it cannot be had. */
static bool open_partial(struct store *s, const char *digest,
			 struct store_temp *t)
{
	name_partial(t, digest);
	t->fd = openat(s->fd, t->name,
		       O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (t->fd >= 0 && flock(t->fd, LOCK_EX | LOCK_NB) == 0 &&
	    is_named(s, t))
		return true;
	base_close_fd(&t->fd);
	t->name[0] = '\0';
	return false;
}

/* What is there is hashed once, so that the rest can follow. */
static int take_up(struct store_writer *w, uint64_t size, struct error *err)
{
	cleanup_free char *buf = xmalloc(READ_BUFFER);
	struct stat st;
	ssize_t n;

	if (fstat(w->temp.fd, &st) < 0 || (uint64_t)st.st_size >= size)
		return store_writer_restart(w, err);
	while ((n = read(w->temp.fd, buf, READ_BUFFER)) > 0) {
		digest_update(&w->digest, buf, (size_t)n);
		w->size += (uint64_t)n;
	}
	return n < 0 ? store_writer_restart(w, err) : 0;
}

int store_writer_resume(struct store *s, const char *digest, uint64_t size,
			struct store_writer **out, uint64_t *have,
			struct error *err)
{
	struct store_writer *w;

	*have = 0;
	w = xcalloc(1, sizeof(*w));
	w->s = s;
	w->temp = (struct store_temp)STORE_TEMP_INIT;
	if (size < STORE_PARTIAL_MIN || !digest_valid(digest) ||
	    !open_partial(s, digest, &w->temp)) {
		free(w);
		return store_writer_new(s, out, err);
	}
	w->keep = true;
	digest_init(&w->digest, true);
	if (take_up(w, size, err) < 0) {
		store_writer_free(w);
		return -1;
	}
	*have = w->size;
	*out = w;
	return 0;
}

bool store_partial_waits(const char *name, const struct stat *st)
{
	return str_starts(name, PARTIAL) && S_ISREG(st->st_mode) &&
	       st->st_size >= (off_t)STORE_PARTIAL_MIN &&
	       st->st_mtime + PARTIAL_AGE > time(NULL);
}
