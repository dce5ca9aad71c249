/* statcache.c - context/: digests of files that did not change */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "base/path.h"

#define MAGIC "devenv-stat-2\n\0" /* 16 bytes with the literal's own NUL */
#define ROWS_MAX 16777216
#define FILE_BUF ((size_t)128 << 10)

/* A row names a file by what a change of it cannot leave alone. */
struct row {
	uint64_t dev, ino, size;
	int64_t mtime, ctime;
	uint32_t mtime_ns, ctime_ns;
	uint8_t digest[DIGEST_RAW];
	uint64_t plain; /* no attribute that layers carry: 0 or 1 */
};

struct header {
	char magic[16];
	uint64_t rows;
	uint8_t digest[DIGEST_RAW];  /* of the rows */
};

struct store_stat_cache {
	struct store *s;
	char name[STORE_ID + 16];
	void *map; /* NULL: no table */
	size_t map_size;
	const struct row *old;
	uint8_t *used; /* rows of `old` that were asked for */
	size_t n_old, n_used;
	struct row *fresh;
	size_t n_fresh, alloc_fresh;
	uint32_t *by_ino; /* rows of `fresh` + 1, a table for hashing */
	size_t n_by_ino;  /* a power of two, or 0 */
	char *buf;
};

static int compare_rows(const void *va, const void *vb)
{
	const struct row *a = va, *b = vb;

	if (a->ino != b->ino)
		return a->ino < b->ino ? -1 : 1;
	if (a->dev != b->dev)
		return a->dev < b->dev ? -1 : 1;
	return 0;
}

static void fill_row(struct row *r, const struct stat *st)
{
	memset(r, 0, sizeof(*r));
	r->dev = st->st_dev;
	r->ino = st->st_ino;
	r->size = (uint64_t)st->st_size;
	r->mtime = st->st_mtim.tv_sec;
	r->mtime_ns = (uint32_t)st->st_mtim.tv_nsec;
	r->ctime = st->st_ctim.tv_sec;
	r->ctime_ns = (uint32_t)st->st_ctim.tv_nsec;
}

static bool same_stat(const struct row *a, const struct row *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       a->mtime == b->mtime && a->ctime == b->ctime &&
	       a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

static void rows_digest(const struct row *rows, size_t n, uint8_t *raw)
{
	struct digest d;

	digest_init(&d, true);
	digest_update(&d, rows, n * sizeof(*rows));
	digest_final(&d, raw);
}

static bool check_map(struct store_stat_cache *c)
{
	const struct header *h = c->map;
	uint8_t raw[DIGEST_RAW];

	if (c->map_size < sizeof(*h) || memcmp(h->magic, MAGIC, 16) ||
	    h->rows > ROWS_MAX ||
	    c->map_size != sizeof(*h) + h->rows * sizeof(struct row))
		return false;
	c->old = (const struct row *)(h + 1);
	c->n_old = (size_t)h->rows;
	rows_digest(c->old, c->n_old, raw);
	return !memcmp(raw, h->digest, sizeof(raw));
}

/* Whatever is wrong with the file: it is as if there were none. */
static void load(struct store_stat_cache *c)
{
	cleanup_close int fd = openat(c->s->fd, c->name,
				      O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_size < (off_t)sizeof(struct header) ||
	    (uint64_t)st.st_size > sizeof(struct header) +
					   ROWS_MAX * sizeof(struct row))
		return;
	c->map_size = (size_t)st.st_size;
	c->map = mmap(NULL, c->map_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (c->map == MAP_FAILED) {
		c->map = NULL;
		return;
	}
	if (check_map(c)) {
		c->used = xcalloc(c->n_old + 1, 1);
		return;
	}
	log_debug("stat cache '%s' is damaged and not used", c->name);
	munmap(c->map, c->map_size);
	c->map = NULL;
	c->n_old = 0;
}

int store_stat_cache_open(struct store *s, const char *root,
			  struct store_stat_cache **out,
			  struct error *err UNUSED)
{
	struct store_stat_cache *c = xcalloc(1, sizeof(*c));
	cleanup_free char *path = path_absolute(root);
	char digest[DIGEST_TEXT];

	c->s = s;
	digest_bytes(path, strlen(path), digest);
	snprintf(c->name, sizeof(c->name), "context/%s", digest_hex(digest));
	/* store_gc goes by the time of the last use. */
	utimensat(s->fd, c->name, NULL, AT_SYMLINK_NOFOLLOW);
	load(c);
	*out = c;
	return 0;
}

static uint32_t *fresh_slot(const struct store_stat_cache *c, uint64_t ino)
{
	uint64_t mixed = ino * 0x9e3779b97f4a7c15u;
	size_t i = (size_t)(mixed ^ mixed >> 32) & (c->n_by_ino - 1);

	while (c->by_ino[i] && c->fresh[c->by_ino[i] - 1].ino != ino)
		i = (i + 1) & (c->n_by_ino - 1);
	return &c->by_ino[i];
}

static void add_fresh(struct store_stat_cache *c, const struct row *r)
{
	if (c->n_fresh == ROWS_MAX)
		return;
	GROW(c->fresh, c->n_fresh, c->alloc_fresh);
	c->fresh[c->n_fresh++] = *r;
	if (2 * c->n_fresh >= c->n_by_ino) {
		c->n_by_ino = c->n_by_ino ? 2 * c->n_by_ino : 64;
		free(c->by_ino);
		c->by_ino = xcalloc(c->n_by_ino, sizeof(*c->by_ino));
		for (size_t i = 0; i + 1 < c->n_fresh; i++)
			*fresh_slot(c, c->fresh[i].ino) = (uint32_t)i + 1;
	}
	*fresh_slot(c, r->ino) = (uint32_t)c->n_fresh;
}

static const struct row *find_fresh(const struct store_stat_cache *c,
				    const struct row *key)
{
	uint32_t i = c->n_fresh ? *fresh_slot(c, key->ino) : 0;

	return i && same_stat(&c->fresh[i - 1], key) ? &c->fresh[i - 1] : NULL;
}

static const struct row *find(struct store_stat_cache *c,
			      const struct row *key)
{
	const struct row *r;

	if (!c->n_old)
		return find_fresh(c, key);
	r = bsearch(key, c->old, c->n_old, sizeof(*key), compare_rows);
	if (!r || !same_stat(r, key))
		return find_fresh(c, key);
	if (!c->used[r - c->old]) {
		c->used[r - c->old] = 1;
		c->n_used++;
	}
	return r;
}

/*
 * A file that changes again within the clock's granularity keeps its times.
 * So a file that is younger than that, when it is read, is not remembered
 * (git calls such an entry racy). Four milliseconds is the coarsest tick;
 * file systems with times in whole seconds, or two, have zero nanoseconds.
 */
static bool racy(const struct row *r, const struct timespec *now)
{
	const int64_t second = 1000000000;
	int64_t window = r->mtime_ns || r->ctime_ns ? second / 50 : 2 * second;
	int64_t mtime_age = (now->tv_sec - r->mtime) * second + now->tv_nsec -
			    r->mtime_ns;
	int64_t ctime_age = (now->tv_sec - r->ctime) * second + now->tv_nsec -
			    r->ctime_ns;

	return ctime_age < window ||
	       (mtime_age < window && mtime_age > -window);
}

static bool is_plain(int fd)
{
	char names[4096];
	ssize_t n = flistxattr(fd, names, sizeof(names));

	for (const char *p = names; n > 0 && p < names + n; p += strlen(p) + 1)
		if (store_xattr_wanted(p))
			return false;
	return n >= 0 || errno == ENOTSUP;
}

static int hash_file(struct store_stat_cache *c, int dirfd, const char *name,
		     struct row *r, struct error *err)
{
	cleanup_close int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW |
							   O_CLOEXEC);
	struct timespec now;
	struct stat before, after;
	struct row again;
	struct digest d;
	ssize_t n;

	if (fd < 0 || fstat(fd, &before) < 0)
		return error_errno(err, "cannot open '%s'", name);
	clock_gettime(CLOCK_REALTIME, &now);
	if (!c->buf)
		c->buf = xmalloc(FILE_BUF);
	digest_init(&d, before.st_size > 4096);
	while ((n = read(fd, c->buf, FILE_BUF)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			digest_release(&d);
			return error_errno(err, "cannot read '%s'", name);
		}
		digest_update(&d, c->buf, (size_t)n);
	}
	fill_row(r, &before);
	digest_final(&d, r->digest);
	r->plain = is_plain(fd);
	if (fstat(fd, &after) < 0)
		return error_errno(err, "cannot examine '%s'", name);
	fill_row(&again, &after);
	/* Only what was the same file before and after may be remembered. */
	return same_stat(r, &again) && !racy(r, &now);
}

int store_stat_cache_digest(struct store_stat_cache *c, int dirfd,
			    const char *name, const struct stat *st,
			    uint8_t raw[DIGEST_RAW], struct error *err)
{
	const struct row *known;
	struct row r;
	int keep;

	fill_row(&r, st);
	known = find(c, &r);
	if (known) {
		memcpy(raw, known->digest, DIGEST_RAW);
		return 0;
	}
	keep = hash_file(c, dirfd, name, &r, err);
	if (keep < 0)
		return -1;
	memcpy(raw, r.digest, DIGEST_RAW);
	if (keep)
		add_fresh(c, &r);
	return 0;
}

bool store_stat_cache_knows(struct store_stat_cache *c, const struct stat *st,
			    uint8_t raw[DIGEST_RAW], bool *plain)
{
	const struct row *known;
	struct row r;

	fill_row(&r, st);
	known = find(c, &r);
	if (!known)
		return false;
	memcpy(raw, known->digest, DIGEST_RAW);
	*plain = known->plain;
	return true;
}

/* Rows that nobody asked for belong to files that are gone or left out: they
 * go when something is written anyhow. */
static void save(struct store_stat_cache *c)
{
	cleanup_error struct error err = ERROR_INIT;
	size_t n = c->n_used + c->n_fresh, at = 0;
	size_t size = sizeof(struct header) + n * sizeof(struct row);
	cleanup_free struct header *h = xcalloc(1, size);
	struct row *rows = (struct row *)(h + 1);

	for (size_t i = 0; i < c->n_old; i++) {
		if (c->used[i])
			rows[at++] = c->old[i];
	}
	if (c->n_fresh)
		memcpy(rows + at, c->fresh, c->n_fresh * sizeof(*rows));
	qsort(rows, n, sizeof(*rows), compare_rows);
	memcpy(h->magic, MAGIC, 16);
	h->rows = n;
	rows_digest(rows, n, h->digest);
	if (n <= ROWS_MAX &&
	    store_replace(c->s, c->name, h, size, false, &err) < 0)
		log_debug("stat cache is not written: %s", err.msg);
}

void store_stat_cache_close(struct store_stat_cache *c)
{
	if (!c)
		return;
	if (c->n_fresh)
		save(c);
	if (c->map)
		munmap(c->map, c->map_size);
	free(c->used);
	free(c->fresh);
	free(c->by_ino);
	free(c->buf);
	free(c);
}
