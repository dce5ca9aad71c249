/* rpm.c - what rpm has installed: databases in SQLite, and their headers */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sbom/internal.h"
#include "wrap/sqlite.h"

/* Of a header's entries, and of their types, those that are read here. */
enum {
	TAG_NAME = 1000,
	TAG_VERSION = 1001,
	TAG_RELEASE = 1002,
	TAG_EPOCH = 1003,
	TAG_ARCH = 1022,
	TYPE_INT32 = 4,
	TYPE_STRING = 6,
};

#define INTRO_SIZE 8u  /* the numbers of entries and of bytes of data */
#define ENTRY_SIZE 16u /* tag, type, offset, count */

struct header {
	const unsigned char *entries, *data;
	uint32_t n_entries, n_data;
};

static uint32_t number(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static bool header_open(struct header *h, const unsigned char *p, size_t n)
{
	if (n < INTRO_SIZE)
		return false;
	h->n_entries = number(p);
	h->n_data = number(p + 4);
	n -= INTRO_SIZE;
	if (h->n_entries > n / ENTRY_SIZE ||
	    h->n_data != n - (size_t)h->n_entries * ENTRY_SIZE)
		return false;
	h->entries = p + INTRO_SIZE;
	h->data = h->entries + (size_t)h->n_entries * ENTRY_SIZE;
	return true;
}

/* Where the value of a tag begins, with the bytes that follow it in `left`;
 * NULL: there is none, or it is of another type. */
static const unsigned char *find(const struct header *h, uint32_t tag,
				 uint32_t type, size_t *left)
{
	uint32_t i;

	for (i = 0; i < h->n_entries; i++) {
		const unsigned char *e = h->entries + (size_t)i * ENTRY_SIZE;
		uint32_t offset = number(e + 8);

		if (number(e) != tag)
			continue;
		if (number(e + 4) != type || offset >= h->n_data)
			return NULL;
		*left = h->n_data - offset;
		return h->data + offset;
	}
	return NULL;
}

static const char *text(const struct header *h, uint32_t tag)
{
	size_t left = 0;
	const unsigned char *p = find(h, tag, TYPE_STRING, &left);

	return p && memchr(p, '\0', left) ? (const char *)p : NULL;
}

static uint32_t epoch(const struct header *h)
{
	size_t left = 0;
	const unsigned char *p = find(h, TAG_EPOCH, TYPE_INT32, &left);

	return p && left >= 4 ? number(p) : 0;
}

void sbom_rpm_header(struct sbom_list *l, const void *blob, size_t n)
{
	struct header h;
	const char *name = NULL, *version = NULL, *release = NULL;
	cleanup_free char *both = NULL;
	struct sbom_package *p;

	if (header_open(&h, blob, n)) {
		name = text(&h, TAG_NAME);
		version = text(&h, TAG_VERSION);
		release = text(&h, TAG_RELEASE);
	}
	if (!name || !version || !release) {
		l->odd++;
		return;
	}
	/* Keys that signatures are checked with are kept as packages. */
	if (str_eq(name, "gpg-pubkey"))
		return;
	both = xstrfmt("%s-%s", version, release);
	p = sbom_add(l, "rpm", name, both, text(&h, TAG_ARCH));
	if (p)
		p->epoch = epoch(&h);
}

static int add(void *arg, const void *blob, size_t n, UNUSED struct error *err)
{
	sbom_rpm_header(arg, blob, n);
	return 0;
}

void sbom_rpm(struct sbom_list *l)
{
	cleanup_error struct error err = ERROR_INIT;

	if (sqlite_column(l->text, l->n, "Packages", "blob", add, l, &err) < 0)
		sbom_skip(l->s, l->path, err.msg);
}
