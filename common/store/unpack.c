/* unpack.c - a layer tar into layers/<id>, verified while it streams */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/place.h"
#include "store/verify.h"

#include <fcntl.h>
#include <unistd.h>

#include "wrap/ring.h"

#define RATIO_FROM ((uint64_t)64 << 20)

/* Thread one reads, decompresses and hashes; thread two makes files. */
struct feed {
	const struct store *s;
	struct ring *ring;
	int fd;
	uint64_t size; /* bytes after decompression */
	char found[DIGEST_TEXT];
	struct digest digest;
	struct error err;
};

static int check_bomb(const struct feed *f, const struct decompress *d,
		      struct error *err)
{
	const struct store_options *o = &f->s->o;

	if (f->size > o->max_bytes)
		return error_set(err, ERR_INPUT,
				 "the layer is larger than %llu bytes",
				 (unsigned long long)o->max_bytes);
	if (decompress_kind(d) == COMPRESS_NONE || f->size < RATIO_FROM)
		return 0;
	if (f->size / o->max_ratio > decompress_in(d))
		return error_set(err, ERR_INPUT,
				 "the layer is compressed more than %llu "
				 "times, which only bombs are",
				 (unsigned long long)o->max_ratio);
	return 0;
}

static ssize_t next_piece(struct feed *f, struct decompress *d, void *space,
			  struct error *err)
{
	ssize_t n = decompress_read(d, space, RING_CHUNK, err);

	if (n <= 0)
		return n;
	f->size += (uint64_t)n;
	if (check_bomb(f, d, err) < 0)
		return -1;
	digest_update(&f->digest, space, (size_t)n);
	return n;
}

static int pump(struct feed *f, struct error *err)
{
	cleanup_decompress struct decompress *d = NULL;
	char *space;

	if (decompress_new(&d, compress_read_fd, &f->fd, err) < 0)
		return -1;
	while ((space = ring_space(f->ring))) {
		ssize_t n = next_piece(f, d, space, err);

		if (n <= 0)
			return (int)n;
		ring_push(f->ring, (size_t)n);
	}
	return 0;
}

static int check_found(const struct feed *f, const char *diff_id,
		       struct error *err)
{
	if (str_eq(f->found, diff_id))
		return 0;
	return error_set(err, ERR_INPUT, "layer %s has the content of %s",
			 diff_id, f->found);
}

int store_check_layer_blob(struct store *s, const char *blob,
			   const char *diff_id, struct error *err)
{
	cleanup_free char *space = xmalloc(RING_CHUNK);
	cleanup_close int fd = store_open_blob(s, blob, err);
	cleanup_decompress struct decompress *d = NULL;
	struct feed f = { .s = s, .fd = fd };
	ssize_t n;

	if (fd < 0 || decompress_new(&d, compress_read_fd, &f.fd, err) < 0)
		return -1;
	digest_init(&f.digest, true);
	while ((n = next_piece(&f, d, space, err)) > 0)
		;
	digest_final_text(&f.digest, f.found);
	if (n < 0)
		return error_wrap(err, "layer %.19s", diff_id);
	return check_found(&f, diff_id, err);
}

static void feed_main(void *arg)
{
	struct feed *f = arg;

	if (pump(f, &f->err) < 0)
		log_debug("unpacking ends early");
	ring_end(f->ring);
}

static ssize_t feed_read(void *arg, void *data, size_t n,
			 struct error *err UNUSED)
{
	struct feed *f = arg;

	return (ssize_t)ring_read(f->ring, data, n);
}

static void swap(uint32_t *id, uint32_t with)
{
	if (*id == 0)
		*id = with;
	else if (*id == with)
		*id = 0;
}

static void change_owner(struct tar_entry *e, const struct unpack_chown *c)
{
	if (c->swap) {
		swap(&e->uid, c->uid);
		swap(&e->gid, c->gid);
		return;
	}
	e->uid = c->uid;
	e->gid = c->gid;
}

int store_unpack_tree(struct place *p, struct tar *t,
		      const struct unpack_chown *chown, uint64_t max_entries,
		      struct error *err)
{
	struct tar_entry e;
	int more;

	while ((more = tar_next(t, &e, err)) > 0) {
		if (!max_entries--)
			return error_set(err, ERR_INPUT,
					 "too many files in the archive");
		if (chown)
			change_owner(&e, chown);
		if (place_entry(p, t, &e, err) < 0)
			return -1;
	}
	return more < 0 ? -1 : place_finish(p, err);
}

static int unpack_feed(struct feed *f, struct place *p, struct error *err)
{
	cleanup_tar struct tar *t = NULL;

	if (tar_open(&t, false, feed_read, f, err) < 0)
		return -1;
	return store_unpack_tree(p, t, NULL, f->s->o.max_entries, err);
}

static int unpack_into(struct feed *f, struct place *p, struct error *err)
{
	struct ring_thread thread;
	int rc;

	digest_init(&f->digest, true);
	ring_start(&thread, feed_main, f);
	rc = unpack_feed(f, p, err);
	if (rc < 0)
		ring_cancel(f->ring);
	/* What follows the end of the archive belongs to the digest, too. */
	ring_drain(f->ring);
	ring_join(&thread);
	digest_final_text(&f->digest, f->found);
	/* Broken input makes a broken archive: its own words are better. */
	if (!error_is(&f->err))
		return rc;
	if (err)
		error_release(err);
	return error_move(err, &f->err);
}

static int unpack_draft(struct store *s, struct store_draft *d, int fd,
			const char *diff_id, struct store_meta *meta,
			struct error *err)
{
	struct place_options o = { .s = s, .layer = true, .owners = true,
				   .uid = meta->uid, .gid = meta->gid };
	cleanup_close int root = open(d->fs, O_RDONLY | O_DIRECTORY |
						     O_CLOEXEC);
	cleanup_ring struct ring *ring = ring_new();
	cleanup_place struct place *p = NULL;
	struct feed f = { .s = s, .ring = ring, .fd = fd };

	if (root < 0)
		return error_errno(err, "cannot open '%s'", d->fs);
	p = place_new(&o, root);
	if (unpack_into(&f, p, err) < 0)
		return error_wrap(err, "layer %.19s", diff_id);
	if (check_found(&f, diff_id, err) < 0)
		return -1;
	memcpy(meta->diff_id, f.found, sizeof(f.found));
	meta->size = f.size;
	return 0;
}

/* In place of what has the id: 0 or -1. */
static int unpack_as(struct store *s, int fd, const char *diff_id,
		     const char *id, const struct store_meta *meta,
		     bool replace, struct error *err)
{
	struct store_meta m = { .diff_id = "" };
	cleanup_free char *old = xstrfmt("layers/%s", id);
	struct store_draft d;
	int rc;

	if (meta)
		m = *meta;
	if (store_draft_new(s, &d, err) < 0)
		return -1;
	rc = unpack_draft(s, &d, fd, diff_id, &m, err);
	if (rc == 0 && replace)
		rc = store_discard(s, old, err);
	if (rc == 0)
		rc = store_draft_commit(s, &d, &m, id, err);
	store_draft_drop(s, &d);
	return rc;
}

int store_unpack(struct store *s, int fd, const char *diff_id,
		 const struct store_meta *meta, struct error *err)
{
	if (!digest_valid(diff_id))
		return error_set(err, ERR_INPUT, "'%.80s' is no sha256 digest",
				 diff_id);
	if (store_has_layer(s, digest_hex(diff_id)))
		return 0;
	return unpack_as(s, fd, diff_id, digest_hex(diff_id), meta, false,
			 err);
}

int unpack_again(struct store *s, int fd, const char *diff_id, const char *id,
		 const struct store_meta *meta, struct error *err)
{
	if (unpack_as(s, fd, diff_id, id, meta, true, err) < 0)
		return -1;
	return store_sync(s, err);
}

static int add_bytes(void *arg, const void *data, size_t n,
		     struct error *err UNUSED)
{
	digest_update(arg, data, n);
	return 0;
}

/* As the only layer of a chain. */
static int draft_digest(struct store *s, const struct store_draft *d,
			const struct store_meta *meta,
			char digest[DIGEST_TEXT], struct error *err)
{
	cleanup_close int fd = open(d->fs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t layer = 0;
	const struct view view = { &fd, &layer, 1, s };
	cleanup_digest struct digest sum;

	if (fd < 0)
		return error_errno(err, "cannot open '%s'", d->fs);
	digest_init(&sum, true);
	if (diff_tar(s, &view, 0, meta, add_bytes, &sum, err) < 0)
		return -1;
	digest_final_text(&sum, digest);
	return 0;
}

int unpack_digest(struct store *s, int fd, const char *diff_id,
		  const struct store_meta *meta, char digest[DIGEST_TEXT],
		  struct error *err)
{
	struct store_meta m = *meta;
	struct store_draft d;
	int rc;

	if (store_draft_new(s, &d, err) < 0)
		return -1;
	rc = unpack_draft(s, &d, fd, diff_id, &m, err);
	if (rc == 0)
		rc = draft_digest(s, &d, &m, digest, err);
	store_draft_drop(s, &d);
	return rc;
}
