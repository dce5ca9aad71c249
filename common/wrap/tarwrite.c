/* tarwrite.c - write the tar dialect of image layers, byte for byte */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/tarwrite.h"

#include <errno.h>
#include <unistd.h>

#include "base/strbuf.h"

#define BLOCK 512
#define BUF_SIZE ((size_t)1 << 20)
#define NAME_SIZE 100
#define PREFIX_SIZE 155

struct block { /* POSIX.1-1988 ustar header */
	char name[NAME_SIZE];
	char mode[8], uid[8], gid[8];
	char size[12], mtime[12];
	char sum[8];
	char type;
	char link[NAME_SIZE];
	char magic[6], version[2];
	char uname[32], gname[32];
	char major[8], minor[8];
	char prefix[PREFIX_SIZE];
	char pad[12];
};
_Static_assert(sizeof(struct block) == BLOCK, "a header is one block");

struct record { /* of a PAX header */
	const char *prefix, *key;
	const void *value;
	size_t n;
};

#define NUMBER_TEXT 32
struct pax {
	struct record rec[TAR_XATTRS_MAX + 6];
	size_t nr;
	char number[4][NUMBER_TEXT];
	size_t numbers;
};

void tarwrite_init(struct tarwrite *t, tarwrite_fn write, void *arg)
{
	memset(t, 0, sizeof(*t));
	t->write = write;
	t->arg = arg;
	t->buf = xmalloc(BUF_SIZE);
}

void tarwrite_release(struct tarwrite *t)
{
	free(t->buf);
	t->buf = NULL;
}

static int flush_full(struct tarwrite *t, struct error *err)
{
	if (t->used < BUF_SIZE)
		return 0;
	t->used = 0;
	return t->write(t->arg, t->buf, BUF_SIZE, err);
}

static int add(struct tarwrite *t, const void *data, size_t n,
	       struct error *err)
{
	const char *p = data;

	t->total += n;
	while (n) {
		size_t take = MIN(n, BUF_SIZE - t->used);

		memcpy(t->buf + t->used, p, take);
		t->used += take;
		p += take;
		n -= take;
		if (flush_full(t, err) < 0)
			return -1;
	}
	return 0;
}

static int add_padding(struct tarwrite *t, struct error *err)
{
	static const char zero[BLOCK];

	return add(t, zero, (BLOCK - t->total % BLOCK) % BLOCK, err);
}

static bool is_ascii(const char *s)
{
	while (*s && !(*s & 0x80))
		s++;
	return !*s;
}

/* Bytes beyond ASCII are left out: the PAX record has them. */
static char *to_ascii(const char *s)
{
	char *out = xmalloc(strlen(s) + 1), *p = out;

	for (; *s; s++) {
		if (!(*s & 0x80))
			*p++ = *s;
	}
	*p = '\0';
	return out;
}

/* A name that is cut must not end in "/", which would make a file look like
 * a directory to readers of the old format. */
static void put_text(char *field, size_t size, const char *s)
{
	size_t n = strlen(s), keep = MIN(n, size);

	memcpy(field, s, keep);
	if (n <= size || field[size - 1] != '/')
		return;
	while (keep && field[keep - 1] == '/')
		keep--;
	field[keep] = '\0';
}

static bool fits(size_t size, int64_t value)
{
	return value >= 0 && value < (int64_t)1 << (3 * (size - 1));
}

static void put_octal(char *field, size_t size, int64_t value)
{
	if (!fits(size, value))
		value = 0;
	field[size - 1] = '\0';
	for (size_t i = size - 1; i--; value >>= 3)
		field[i] = (char)('0' + (value & 7));
}

static void put_sum(struct block *b)
{
	const unsigned char *p = (const unsigned char *)b;
	unsigned sum = 0;

	memcpy(b->magic, "ustar", 6);
	memcpy(b->version, "00", 2);
	memset(b->sum, ' ', sizeof(b->sum));
	for (size_t i = 0; i < BLOCK; i++)
		sum += p[i];
	put_octal(b->sum, 7, sum);
}

/* Where a long name can be cut at a "/" for ustar's two fields, or 0. */
static size_t split(const char *path)
{
	size_t n = strlen(path), end = n, i;

	if (n <= NAME_SIZE || !is_ascii(path))
		return 0;
	if (n > PREFIX_SIZE + 1)
		end = PREFIX_SIZE + 1;
	else if (path[n - 1] == '/')
		end--;
	for (i = end; i && path[i - 1] != '/'; i--)
		;
	if (i < 2 || n - i > NAME_SIZE || n == i)
		return 0;
	return i - 1;
}

static void want(struct pax *p, const char *prefix, const char *key,
		 const void *value, size_t n)
{
	p->rec[p->nr++] = (struct record){ prefix, key, value, n };
}

static void want_number(struct pax *p, const char *key, size_t size, int64_t v)
{
	char *text = p->number[p->numbers];

	if (fits(size, v))
		return;
	p->numbers++;
	snprintf(text, NUMBER_TEXT, "%lld", (long long)v);
	want(p, "", key, text, strlen(text));
}

static void want_fraction(struct pax *p, const struct tar_entry *e)
{
	char *text = p->number[p->numbers++];

	snprintf(text, NUMBER_TEXT, "%lld.%09ld", (long long)e->mtime,
		 e->mtime_ns);
	want(p, "", "mtime", text, strlen(text));
}

static int compare_records(const void *va, const void *vb)
{
	const struct record *a = va, *b = vb;
	int by_prefix = strcmp(a->prefix, b->prefix);

	/* The one prefix starts with a capital, all plain keys do not. */
	if (by_prefix)
		return -by_prefix;
	return strcmp(a->key, b->key);
}

static void write_record(struct strbuf *out, const struct record *r)
{
	size_t n = strlen(r->prefix) + strlen(r->key) + r->n + 3;
	size_t len = n + 1;

	/* The length counts its own digits. */
	while (len != n + (size_t)snprintf(NULL, 0, "%zu", len))
		len = n + (size_t)snprintf(NULL, 0, "%zu", len);
	strbuf_addf(out, "%zu %s%s=", len, r->prefix, r->key);
	strbuf_add(out, r->value, r->n);
	strbuf_addch(out, '\n');
}

/* "dir/PaxHeaders.0/base"; of a directory "dir/PaxHeaders.0". */
static char *pax_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *raw = NULL;
	char *name;
	size_t n;

	if (!slash)
		raw = xstrfmt("PaxHeaders.0/%s", path);
	else
		raw = xstrfmt("%.*s/PaxHeaders.0/%s", (int)(slash - path), path,
			      slash + 1);
	name = to_ascii(raw);
	n = MIN(strlen(name), NAME_SIZE);
	while (n && name[n - 1] == '/')
		n--;
	name[n] = '\0';
	return name;
}

static int write_pax(struct tarwrite *t, struct pax *p, const char *path,
		     struct error *err)
{
	cleanup_strbuf struct strbuf body = STRBUF_INIT;
	cleanup_free char *name = pax_name(path);
	struct block b = { .type = 'x' };

	qsort(p->rec, p->nr, sizeof(*p->rec), compare_records);
	for (size_t i = 0; i < p->nr; i++)
		write_record(&body, &p->rec[i]);
	put_text(b.name, sizeof(b.name), name);
	put_octal(b.mode, sizeof(b.mode), 0);
	put_octal(b.uid, sizeof(b.uid), 0);
	put_octal(b.gid, sizeof(b.gid), 0);
	put_octal(b.size, sizeof(b.size), (int64_t)body.len);
	put_octal(b.mtime, sizeof(b.mtime), 0);
	put_sum(&b);
	if (add(t, &b, sizeof(b), err) < 0 ||
	    add(t, body.buf, body.len, err) < 0)
		return -1;
	return add_padding(t, err);
}

static char type_of(const struct tar_entry *e)
{
	if (e->hard)
		return '1';
	switch (e->mode & S_IFMT) {
	case S_IFLNK:
		return '2';
	case S_IFCHR:
		return '3';
	case S_IFBLK:
		return '4';
	case S_IFDIR:
		return '5';
	case S_IFIFO:
		return '6';
	default:
		return '0';
	}
}

static bool is_device(const struct tar_entry *e)
{
	return !e->hard && (S_ISCHR(e->mode) || S_ISBLK(e->mode));
}

static void fill(struct block *b, const struct tar_entry *e)
{
	put_octal(b->mode, sizeof(b->mode), e->mode & 07777);
	put_octal(b->uid, sizeof(b->uid), e->uid);
	put_octal(b->gid, sizeof(b->gid), e->gid);
	put_octal(b->size, sizeof(b->size), (int64_t)e->size);
	put_octal(b->mtime, sizeof(b->mtime), e->mtime);
	put_octal(b->major, sizeof(b->major), is_device(e) ? e->major : 0);
	put_octal(b->minor, sizeof(b->minor), is_device(e) ? e->minor : 0);
	b->type = type_of(e);
}

static void collect(struct pax *p, const struct tar_entry *e, const char *path,
		    bool exact)
{
	if (strlen(path) > NAME_SIZE || !is_ascii(path))
		want(p, "", "path", path, strlen(path));
	if (e->link && (strlen(e->link) > NAME_SIZE || !is_ascii(e->link)))
		want(p, "", "linkpath", e->link, strlen(e->link));
	want_number(p, "uid", 8, e->uid);
	want_number(p, "gid", 8, e->gid);
	want_number(p, "size", 12, (int64_t)e->size);
	if (exact && e->mtime_ns && e->mtime >= 0)
		want_fraction(p, e);
	else
		want_number(p, "mtime", 12, e->mtime);
	for (size_t i = 0; i < e->n_xattrs; i++)
		want(p, "SCHILY.xattr.", e->xattrs[i].name, e->xattrs[i].value,
		     e->xattrs[i].size);
}

int tarwrite_header(struct tarwrite *t, const struct tar_entry *e,
		    struct error *err)
{
	cleanup_free char *path = xstrfmt("%s%s", e->path,
					  S_ISDIR(e->mode) ? "/" : "");
	cleanup_free char *link = to_ascii(e->link ? e->link : "");
	struct block b = { .type = '0' };
	size_t cut = split(path);
	struct pax p = { .nr = 0 };

	if (is_device(e) && (!fits(8, e->major) || !fits(8, e->minor)))
		return error_set(err, ERR_INPUT,
				 "'%s': a tar cannot hold device %u:%u",
				 e->path, e->major, e->minor);
	collect(&p, e, path, t->exact);
	/* A long name alone needs no record when ustar can split it. */
	if (p.nr && !(cut && p.nr == 1 && str_eq(p.rec[0].key, "path"))) {
		if (write_pax(t, &p, path, err) < 0)
			return -1;
		cut = 0;
	}
	fill(&b, e);
	put_text(b.link, sizeof(b.link), link);
	if (cut) {
		memcpy(b.prefix, path, cut);
		put_text(b.name, sizeof(b.name), path + cut + 1);
	} else {
		cleanup_free char *name = to_ascii(path);

		put_text(b.name, sizeof(b.name), name);
	}
	put_sum(&b);
	return add(t, &b, sizeof(b), err);
}

int tarwrite_file(struct tarwrite *t, int fd, uint64_t size, const char *name,
		  struct error *err)
{
	t->total += size;
	while (size) {
		size_t room = MIN(size, BUF_SIZE - t->used);
		ssize_t n = read(fd, t->buf + t->used, room);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "cannot read '%s'", name);
		if (!n)
			return error_set(err, ERR_SYSTEM,
					 "'%s' became shorter while it was read",
					 name);
		t->used += (size_t)n;
		size -= (uint64_t)n;
		if (flush_full(t, err) < 0)
			return -1;
	}
	return add_padding(t, err);
}

int tarwrite_end(struct tarwrite *t, struct error *err)
{
	static const char zero[2 * BLOCK];

	if (add(t, zero, sizeof(zero), err) < 0)
		return -1;
	if (t->used && t->write(t->arg, t->buf, t->used, err) < 0)
		return -1;
	t->used = 0;
	return 0;
}
