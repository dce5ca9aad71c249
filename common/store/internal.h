/* internal.h - what the files of the store share */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include "base/fs.h"
#include "base/log.h"
#include "store/store.h"
#include "wrap/tar.h"

#define STORE_FORMAT "1\n"
#define STORE_LAYOUT "oci-layout"
#define STORE_INDEX "index.json"
#define STORE_LAYOUT_TEXT "{\"imageLayoutVersion\":\"1.0.0\"}"
#define STORE_BOOT 64
#define OWNER_XATTR "user.devenv.owner"
#define DEVICE_XATTR "user.devenv.device"
#define MARKS_WHITEOUT "c:0:0" /* its value, where a file is a whiteout */
#define PARKED_XATTR "user.devenv.xattr."
#define CAPABILITY_XATTR "security.capability"
#define XATTR_MAX 65536 /* bytes of a value: the kernel's limit */
#define STORE_BLOB_PATH (13 + DIGEST_HEX + 1) /* "blobs/sha256/" hex NUL */

struct store {
	char *path;
	int fd;	     /* the store's directory */
	int use_fd;  /* holds a shared lock that store_gc waits for */
	int uploads; /* holds locks of notes of uploads, or -1 */
	char boot[STORE_BOOT];
	/* Stores below this one, which it reads but never writes. Of those:
	 * layers can be mounted; it is a plain OCI layout. */
	struct store **bases;
	size_t n_bases;
	struct strvec bad_bases; /* why others cannot be used */
	bool read_only, fit, layout;
	struct store_options o;
	enum compress_kind compression; /* of layers that are made blobs */
	int level;
};

/* --- temp.c --- */

/*
 * A name below tmp/ that belongs to this process: a file or a directory, with
 * a lock on it. `name` is relative to the store.
 */
struct store_temp {
	char name[96];
	int fd;
};
#define STORE_TEMP_INIT { .fd = -1 }
int store_temp_file(struct store *s, struct store_temp *t, struct error *err)
	MUST_CHECK;
int store_temp_dir(struct store *s, struct store_temp *t, struct error *err)
	MUST_CHECK;
/* Remove it, unless it was renamed: then `name` is empty. */
void store_temp_drop(struct store *s, struct store_temp *t);
/* Replace store/`path` by `n` bytes; `sync`: they are on disk before. */
int store_replace(struct store *s, const char *path, const void *data,
		  size_t n, bool sync, struct error *err) MUST_CHECK;
/* The same with several files: all are on disk before the first has its name,
 * and the names appear in this order. */
struct store_file_text {
	const char *path;
	const void *data;
	size_t n;
};
int store_replace_all(struct store *s, const struct store_file_text *list,
		      size_t n, struct error *err) MUST_CHECK;
/* Move a tree out of the way and remove it, so that no name ever shows half
 * of it. */
int store_discard(struct store *s, const char *path, struct error *err)
	MUST_CHECK;
/* Text with its checksum in front, and back; false: torn. */
void store_seal(struct strbuf *out, const char *text, size_t n);
bool store_unseal(struct strbuf *text);
/* Names in a directory of the store, sorted, without those that begin with a
 * dot. */
int store_list(struct store *s, const char *dir, struct strvec *names,
	       struct error *err) MUST_CHECK;
/* Names in a directory by descriptor, unsorted, without "." and "..". */
int store_read_dir(int fd, struct strvec *names, struct error *err) MUST_CHECK;
bool store_is_hex(const char *name, size_t n);

/* --- layer.c --- */

/* Remove it, with what is noted about it. */
int layer_discard(struct store *s, const char *id, struct error *err)
	MUST_CHECK;
/* The store that has it, this one or one below; when none does, this one. */
const struct store *layer_home(const struct store *s, const char *id);
/* Is it in this store, not in one below? */
bool layer_is_own(const struct store *s, const char *id);
int store_layer_fs_fd(const struct store *s, const char *id, struct error *err)
	MUST_CHECK;
/* Is what was written with the layer whole? What was found out later may be
 * lost. */
bool store_meta_sound(const struct store *s, const char *id);
/* Where unsynced layers are noted for store_sync. */
#define STORE_UNSYNCED "unsynced"

/* --- owner.c --- */

bool store_get_xattr(int dirfd, const char *name, const char *xattr,
		     struct strbuf *value);
/* -1 with errno. */
int store_put_xattr(int dirfd, const char *name, const char *xattr,
		    const void *value, size_t n);
bool store_xattr_overlay(const char *name);

/* --- view.c --- */

/* One directory as the layers of a chain show it: fds[0] is the topmost. */
struct view {
	int *fds;
	size_t *layers; /* which layer of the chain each belongs to */
	size_t n;
	const struct store *s;
};
#define cleanup_view CLEANUP(view_release)
void view_release(struct view *v);
/* The roots of chain[0..n-1]. */
int view_open(const struct store *s, const char *const *chain, size_t n,
	      struct view *v, struct error *err) MUST_CHECK;
/* What a name shows: 1 with its place in `fds`, 0 nothing, -1 error. */
int view_lookup(const struct view *v, const char *name, size_t *at,
		struct stat *st, struct error *err) MUST_CHECK;
/* The directory `name`, found at `at`. */
int view_enter(const struct store *s, const struct view *v, const char *name,
	       size_t at, struct view *child, struct error *err) MUST_CHECK;
/* All names it shows, sorted bytewise. */
int view_names(const struct view *v, struct strvec *names, struct error *err)
	MUST_CHECK;
bool view_is_whiteout(const struct store *s, int dirfd, const char *name,
		      const struct stat *st);
bool view_is_opaque(const struct store *s, int fd);

/* marks.c: are their layers written in one way? */
bool marks_same_form(const struct store *s, const struct store *base);
/* marks.c: the attribute of an opaque directory. */
const char *marks_opaque(const struct store *s);

/* --- diff.c --- */

/* What is known of the layers of a chain. */
int diff_metas(struct store *s, const char *const *chain, size_t n,
	       struct store_meta *metas, struct error *err) MUST_CHECK;
/* Layer number `top` of a chain as a tar, compared with those below it unless
 * it stands alone; `chain` has the roots of them all, and perhaps of layers
 * above. */
int diff_tar(struct store *s, const struct view *chain, size_t top,
	     const struct store_meta *metas, store_write_fn write, void *arg,
	     struct error *err) MUST_CHECK;

/* --- emit.c --- */

/* Files of layers on their way into a tar. */
struct emit;
struct emit *emit_new(struct store *s, store_write_fn write, void *arg);
void emit_free(struct emit *e);
void emit_free_ptr(struct emit **e);
#define cleanup_emit CLEANUP(emit_free_ptr)
/* Times with fractions of seconds: not for layers. */
void emit_exact(struct emit *e);
/* Times of files that follow are no later than this. */
void emit_clamp(struct emit *e, int64_t latest);
int emit_file(struct emit *e, int dirfd, const char *name, const char *path,
	      const struct stat *st, const struct store_meta *meta,
	      struct error *err) MUST_CHECK;
int emit_whiteout(struct emit *e, const char *dir, const char *name,
		  struct error *err) MUST_CHECK;
int emit_end(struct emit *e, struct error *err) MUST_CHECK;
/* Is the file the same below, but for a directory's mtime? */
int emit_same(struct store *s, int dirfd, const struct stat *st,
	      const struct store_meta *meta, int below,
	      const struct stat *below_st, const struct store_meta *below_meta,
	      const char *name, struct error *err) MUST_CHECK;

/* --- diff.c --- */

/* As store_layer_tar, with no time later than `latest`. */
int store_layer_tar_until(struct store *s, const char *const *chain, size_t n,
			  int64_t latest, store_write_fn write, void *arg,
			  struct error *err) MUST_CHECK;

/* --- blob.c --- */

/* Is it in this store, not in one below? */
bool blob_is_own(const struct store *s, const char *digest, uint64_t *size);
/* Where these `n` bytes go, as a blob; false: it is there, and undamaged. */
bool blob_is_wanted(const struct store *s, const void *data, size_t n,
		    char digest[DIGEST_TEXT], char path[STORE_BLOB_PATH]);

/* --- index.c --- */

#define STORE_REF_NAME "org.opencontainers.image.ref.name"
/* Put `reference` with `manifest` into index.json, or take it out when
 * `manifest` is NULL. */
int store_index_set(struct store *s, const char *reference,
		    const struct oci_descriptor *manifest, struct error *err)
	MUST_CHECK;

/* Write index.json anew from the images that are complete. */
int store_index_rebuild(struct store *s, bool sync, struct error *err)
	MUST_CHECK;
/* The manifest an image is listed with; false: not all of it is here. */
bool store_index_entry(struct store *s, const struct store_image *i,
		       struct oci_descriptor *desc);

/* --- census.c --- */

/* store_images for who has words of his own for damaged records. */
int census_images(struct store *s, struct store_images *out,
		  struct error *err) MUST_CHECK;
/* By the first name of each; those without one last. */
void census_sort(struct store_images *images);

/* --- image.c --- */

#define STORE_RECORD (12 + DIGEST_HEX) /* "images/ref-" hex NUL */
#define STORE_RECORD_MAX ((size_t)32 << 20) /* bytes of one */
/* The two names of an image's record. */
void store_record_of_ref(char name[STORE_RECORD], const char *reference);
void store_record_of_id(char name[STORE_RECORD], const char *hex);

int store_read_image(struct store *s, const char *file, struct store_image *i,
		     struct error *err) MUST_CHECK;
int image_to_text(const struct store_image *i, struct strbuf *out,
		  struct error *err) MUST_CHECK;
/* store_gc goes by the time of the last use. */
void image_note_use(const struct store *s, const char *file);

/* store_get_image in this store alone. */
int image_get_own(struct store *s, const char *name, struct store_image *i,
		  struct error *err) MUST_CHECK;
/* Visit the records that can be read, each under each of its names; `i` may
 * be taken. Of the others it warns, or not. */
typedef void (*store_record_fn)(void *arg, const char *path,
				struct store_image *i);
int store_each_record(struct store *s, bool warn, store_record_fn visit,
		      void *arg, struct error *err) MUST_CHECK;
/* Is this the name that a reference gives? */
bool store_record_is_ref(const char *path);

#endif
