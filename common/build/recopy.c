/* recopy.c - take what did not change from the layer of an earlier COPY */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/recopy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

/*
 * Beside the entries of the step cache there is, for a COPY as it is written,
 * a record of its newest layer: the files in directories that it made itself,
 * with their digests. A file that would come out the same is linked from that
 * layer, or cloned where the file system can: layers are never written to.
 * What is not certain is copied.
 */
#define MAGIC "devenv-copy-1\n\0" /* 16 bytes with the literal's own NUL */
#define RECORD_MAX ((size_t)15 << 20)
/* Fewer are copied at once, and nobody sees that they have two names. */
#define ROWS_MIN 64

struct header {
	char magic[16];
	char layer[STORE_ID + 7]; /* a multiple of 8 */
};

/* A file; its path in the root follows, with its NUL. */
struct row {
	uint32_t size; /* of the row, with the path: a multiple of 8 */
	uint32_t n_path;
	uint8_t digest[DIGEST_RAW];
};

struct recopy {
	struct store *store;
	const struct build_tree *source;
	char key[CACHE_KEY];
	char top[PATH_MAX]; /* of the root, as the kernel names it */
	int draft;
	int old;     /* root of the old layer, or -1 */
	bool clones; /* files can share data without being one file */
	bool spoiled;
	struct store_meta meta; /* of the old layer */
	struct strbuf was;	/* its record, that `rows` point into */
	const struct row **rows; /* by path */
	size_t n_rows, alloc_rows;
	struct strbuf is; /* the record of this copy */
	size_t n_is;
	struct strbuf path;
};

/* Programs that act for others look at what lies here more closely than at
 * other files: cron, for one, takes no table that has two names. */
static const char *const left_alone[] = { "etc/", "var/" };

static const char *row_path(const struct row *r)
{
	return (const char *)(r + 1);
}

static int compare_rows(const void *va, const void *vb)
{
	const struct row *const *a = va, *const *b = vb;

	return strcmp(row_path(*a), row_path(*b));
}

static size_t padded(size_t n)
{
	return (n + 7) / 8 * 8;
}

/* The step as it is written; what its files are does not count. */
static void make_key(const struct build *b, const struct build_step *step,
		     char key[CACHE_KEY])
{
	cleanup_cache_key struct cache_key k = CACHE_KEY_INIT;
	const char *context = b->o->context ? b->o->context : "";

	cache_key_begin(&k, "");
	cache_key_add(&k, "op", "recopy");
	/* One that came as a tar has another place each time. */
	if (!str_starts(context, store_path(b->o->store)))
		cache_key_add(&k, "context", context);
	cache_key_add(&k, "ids", b->o->single_id ? "single" : "all");
	cache_key_add(&k, "from", step->from ? step->from : "");
	cache_key_add_list(&k, "source", &step->sources);
	cache_key_add(&k, "dest", step->dest);
	cache_key_add(&k, "chown", step->chown ? step->chown : "");
	cache_key_add(&k, "chmod", step->chmod ? step->chmod : "");
	cache_key_finish(&k, key);
}

static bool read_rows(struct recopy *r)
{
	size_t at = sizeof(struct header);

	while (at < r->was.len) {
		const struct row *row = (const void *)(r->was.buf + at);
		size_t left = r->was.len - at;

		if (left < sizeof(*row) || row->size > left ||
		    row->n_path >= row->size ||
		    row->size != padded(sizeof(*row) + row->n_path + 1) ||
		    strnlen(row_path(row), row->n_path + 1) != row->n_path)
			return false;
		GROW(r->rows, r->n_rows, r->alloc_rows);
		r->rows[r->n_rows++] = row;
		at += row->size;
	}
	if (r->n_rows)
		qsort(r->rows, r->n_rows, sizeof(*r->rows), compare_rows);
	return true;
}

static bool can_clone(const char *dir)
{
	const int flags = O_TMPFILE | O_RDWR | O_CLOEXEC;
	cleanup_close int from = open(dir, flags, 0600);
	cleanup_close int to = open(dir, flags, 0600);

	return from >= 0 && to >= 0 && !ioctl(to, FICLONE, from);
}

/* Whatever is wrong with the record: it is as if there were none. */
static void open_old(struct recopy *r, const char *draft)
{
	const struct header *h;
	cleanup_free char *dir = NULL;

	if (store_cache_get(r->store, r->key, &r->was, NULL) <= 0 ||
	    r->was.len < sizeof(*h))
		return;
	h = (const void *)r->was.buf;
	if (memcmp(h->magic, MAGIC, sizeof(h->magic)) ||
	    strnlen(h->layer, STORE_ID) != STORE_ID - 1 || !read_rows(r) ||
	    store_get_meta(r->store, h->layer, &r->meta, NULL) < 0)
		return;
	dir = store_layer_fs(r->store, h->layer);
	r->old = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	r->clones = can_clone(draft);
}

/* The name the kernel has for a directory, which holds no link. */
static bool name_of(int fd, char path[PATH_MAX])
{
	char link[32];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX - 1);
	path[n < 0 ? 0 : n] = '\0';
	return n > 0;
}

struct recopy *recopy_new(const struct build *b, const struct build_step *step,
			  const struct build_tree *source, int root,
			  const char *draft)
{
	struct recopy *r;

	/* What several sources bring may be replaced by each other. */
	if (!source->cache || b->o->by_chroot || step->sources.nr != 1 ||
	    step->n_files || step->n_remotes || step->parents)
		return NULL;
	r = xcalloc(1, sizeof(*r));
	*r = (struct recopy){ .store = b->o->store, .source = source,
			      .draft = -1, .old = -1, .was = STRBUF_INIT,
			      .is = STRBUF_INIT, .path = STRBUF_INIT };
	make_key(b, step, r->key);
	r->draft = open(draft, O_PATH | O_DIRECTORY | O_CLOEXEC);
	r->spoiled = r->draft < 0 || !name_of(root, r->top);
	if (!b->o->no_cache)
		open_old(r, draft);
	return r;
}

void recopy_free(struct recopy *r)
{
	if (!r)
		return;
	base_close_fd(&r->draft);
	base_close_fd(&r->old);
	strbuf_release(&r->was);
	strbuf_release(&r->is);
	strbuf_release(&r->path);
	free(r->rows);
	free(r);
}

void recopy_save(struct recopy *r, const char *layer)
{
	struct header h = { .magic = MAGIC };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_error struct error err = ERROR_INIT;

	if (!r || r->spoiled || r->n_is < ROWS_MIN || r->is.len > RECORD_MAX)
		return;
	memcpy(h.layer, layer, STORE_ID);
	strbuf_add(&text, &h, sizeof(h));
	strbuf_add(&text, r->is.buf, r->is.len);
	if (store_cache_put(r->store, r->key, text.buf, text.len, &err) < 0)
		log_debug("the record of a copy is not kept: %s", err.msg);
}

/* --- directories --- */

void recopy_dir_release(struct recopy_dir *d)
{
	base_close_fd(&d->fresh);
	base_close_fd(&d->old);
	free(d->path);
	*d = (struct recopy_dir)RECOPY_DIR_INIT;
}

static int open_below(int root, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

void recopy_enter(struct recopy *r, int fd, struct recopy_dir *d)
{
	char name[PATH_MAX];
	const char *path;

	if (r->spoiled || !name_of(fd, name))
		return;
	path = str_skip(name, r->top);
	if (!path || *path++ != '/')
		return;
	for (size_t i = 0; i < ARRAY_SIZE(left_alone); i++)
		if (str_starts(path, left_alone[i]))
			return;
	d->fresh = open_below(r->draft, path);
	if (d->fresh < 0)
		return;
	d->path = xstrdup(path);
	if (r->old >= 0)
		d->old = open_below(r->old, path);
}

void recopy_spoil(struct recopy *r)
{
	r->spoiled = true;
}

/* --- files --- */

/* The digest of a file that can be in two layers: one that is certain, and
 * that has neither other names, which are to stay one file, nor attributes. */
static bool digest_of(const struct recopy *r, const struct tree_entry *e,
		      uint8_t digest[DIGEST_RAW])
{
	bool plain;

	return e->st->st_nlink == 1 &&
	       store_stat_cache_knows(r->source->cache, e->st, digest,
				      &plain) &&
	       plain;
}

static void name_file(struct recopy *r, const struct recopy_dir *d,
		      const struct tree_entry *e)
{
	strbuf_reset(&r->path);
	strbuf_addstr(&r->path, d->path);
	strbuf_addch(&r->path, '/');
	strbuf_addstr(&r->path, e->name);
}

static const struct row *find_row(const struct recopy *r)
{
	size_t low = 0, high = r->n_rows;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = strcmp(row_path(r->rows[mid]), r->path.buf);

		if (!c)
			return r->rows[mid];
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static void add_row(struct recopy *r, const uint8_t digest[DIGEST_RAW])
{
	static const char zeros[8];
	struct row row = { .n_path = (uint32_t)r->path.len };
	size_t n = sizeof(row) + r->path.len;

	row.size = (uint32_t)padded(n + 1);
	memcpy(row.digest, digest, DIGEST_RAW);
	strbuf_add(&r->is, &row, sizeof(row));
	strbuf_add(&r->is, r->path.buf, r->path.len);
	strbuf_add(&r->is, zeros, row.size - n);
	r->n_is++;
}

static bool same_times(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Is the file of the old layer, whose content is known, the one wanted? */
static bool is_wanted(const struct recopy *r, const struct recopy_dir *d,
		      const struct recopy_want *want)
{
	const struct tree_entry *e = want->e;
	struct stat st;
	uid_t uid;
	gid_t gid;

	if (fstatat(d->old, e->name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode) || (st.st_mode & 07777) != want->mode ||
	    st.st_size != e->st->st_size ||
	    !same_times(&st.st_mtim, &e->st->st_mtim))
		return false;
	store_owner(r->store, d->old, e->name, &st, &r->meta, &uid, &gid);
	return uid == want->uid && gid == want->gid;
}

int recopy_take(struct recopy *r, const struct recopy_dir *d,
		const struct recopy_want *want, int *data)
{
	const struct tree_entry *e = want->e;
	uint8_t digest[DIGEST_RAW];
	const struct row *row;

	if (r->spoiled || d->old < 0)
		return 0;
	name_file(r, d, e);
	row = find_row(r);
	if (!row || !digest_of(r, e, digest) ||
	    memcmp(row->digest, digest, sizeof(digest)) ||
	    !is_wanted(r, d, want))
		return 0;
	if (r->clones) {
		*data = openat(d->old, e->name,
			       O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		return 0;
	}
	/* A file can have so many names only; then it is copied once more. */
	if (linkat(d->old, e->name, d->fresh, e->name, 0) < 0)
		return 0;
	add_row(r, digest);
	return 1;
}

void recopy_note(struct recopy *r, const struct recopy_dir *d,
		 const struct tree_entry *e, int in)
{
	uint8_t digest[DIGEST_RAW];
	struct stat now;

	if (r->spoiled || !d->path || !digest_of(r, e, digest))
		return;
	/* The digest is that of what was read if nothing changed since. */
	if (fstat(in, &now) < 0 || now.st_size != e->st->st_size ||
	    !same_times(&now.st_mtim, &e->st->st_mtim) ||
	    !same_times(&now.st_ctim, &e->st->st_ctim))
		return;
	name_file(r, d, e);
	add_row(r, digest);
}
