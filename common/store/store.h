/* store.h - the local store: blobs, lazy layers, images, step cache */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <sys/stat.h>

#include "oci/oci.h"
#include "wrap/compress.h"

/*
 * Many processes may use one store at once. All that is being made has a
 * temporary name below tmp/ and a lock that dies with its maker; a real name
 * appears by rename, when what it names is complete. What a killed process
 * left is told by its free lock and goes at the next store_open.
 *
 * Against power loss: blobs, images and the index are synced before their
 * name appears. A layer is not, as a sync per RUN costs more than the RUN:
 * it carries the id of the boot in which it was made (layers/<id>/boot), and
 * within that boot the page cache answers for it. In a later boot only a
 * layer with the mark layers/<id>/synced counts, and that mark is made after
 * a syncfs of the whole store (store_sync). Any other is a layer that is not
 * there: the step runs again. Step cache and stat cache entries carry a
 * checksum instead: a lost or torn one is a miss.
 */
struct store;

struct store_options {
	const char *path; /* NULL: DEVENV_STORE, or the default place */
	bool single_id;	  /* owners cannot be set: kept in user.devenv.owner */
	bool user_xattr;  /* overlay marks are user.overlay.* */
	/* No device nodes in layers, not even overlay's: empty files with
	 * user.devenv.device stand for them. Such layers cannot be mounted. */
	bool no_nodes;
	/* Bounds on a layer that is unpacked; 0: 64 GiB, 5,000,000, and a
	 * ratio of 200 (looked at after 64 MiB). */
	uint64_t max_bytes, max_entries, max_ratio;
};

int store_open(struct store **out, const struct store_options *o,
	       struct error *err) MUST_CHECK;
void store_close(struct store *s);
void store_close_ptr(struct store **s);
#define cleanup_store CLEANUP(store_close_ptr)
const char *store_path(const struct store *s);
/* $DEVENV_STORE or the default place; malloc'ed. */
char *store_default_path(void);

/* Was the store at this path, which may not be there, written by no_nodes? */
bool store_is_plain(const char *path);
/* The layers will be written, or mounted, by this process: where they are of
 * another form, that is an error, as their whiteouts would not be seen. */
int store_claim(struct store *s, struct error *err) MUST_CHECK;

/* Make all layers committed so far survive a power loss, whoever made them.
 * One syncfs: call it once, after the last layer, when nobody waits. */
int store_sync(struct store *s, struct error *err) MUST_CHECK;

/* --- blobs/sha256 --- */

bool store_has_blob(const struct store *s, const char *digest,
		    uint64_t *size);
/* A descriptor, or -1 (a missing blob is ERR_SYSTEM with ENOENT). */
int store_open_blob(const struct store *s, const char *digest,
		    struct error *err) MUST_CHECK;
int store_read_blob(const struct store *s, const char *digest, size_t max,
		    struct strbuf *out, struct error *err) MUST_CHECK;
int store_put_blob(struct store *s, const void *data, size_t n,
		   char digest[DIGEST_TEXT], struct error *err) MUST_CHECK;

/* A blob as it comes in; nothing is visible before commit. */
struct store_writer;
int store_writer_new(struct store *s, struct store_writer **w,
		     struct error *err) MUST_CHECK;
/*
 * The same for a blob of which an earlier process may have got a part, `have`
 * bytes: the rest is to be written. What is written is kept for a day when it
 * is not committed.
 */
int store_writer_resume(struct store *s, const char *digest, uint64_t size,
			struct store_writer **w, uint64_t *have,
			struct error *err) MUST_CHECK;
int store_writer_write(struct store_writer *w, const void *data, size_t n,
		       struct error *err) MUST_CHECK;
int store_writer_restart(struct store_writer *w, struct error *err)
	MUST_CHECK;
/* Of all that was written; nothing may follow but a restart. */
void store_writer_digest(struct store_writer *w, char digest[DIGEST_TEXT]);
/* `digest` holds the expected digest, or "" to receive it. Frees w when it
 * succeeds. */
int store_writer_commit(struct store_writer *w, char digest[DIGEST_TEXT],
			uint64_t *size, struct error *err) MUST_CHECK;
void store_writer_free(struct store_writer *w); /* NULL is fine */

/* --- layers/<id> --- */
#define STORE_ID 65 /* 64 hexadecimal digits and NUL */

#define STORE_ORIGIN 4104 /* a path, and some */
/* What is known of a layer; "" and 0 where nothing is. */
struct store_meta {
	char diff_id[DIGEST_TEXT];
	char blob[DIGEST_TEXT]; /* its compressed form */
	char media_type[96];	/* of that form */
	uint64_t blob_size;
	uint64_t size;	/* bytes of the uncompressed tar */
	uid_t uid;	/* single_id: who made the files without an owner */
	gid_t gid;
	char origin[STORE_ORIGIN]; /* of the blob: host/repository, oci:DIR */
	/* Made on an empty root, to lie on anything: its tar has all of it,
	 * and does not follow from what is below. */
	bool alone;
};

/* A layer being made: two empty directories below the store. */
struct store_draft {
	char *dir;   /* absolute path of the temporary directory */
	char *fs;    /* upper directory */
	char *work;  /* overlay work directory */
	int lock_fd; /* says that its maker lives */
};
int store_draft_new(struct store *s, struct store_draft *d,
		    struct error *err) MUST_CHECK;
/* Make it layers/<id>; a layer of that name that is there already wins and
 * the draft is dropped. */
int store_draft_commit(struct store *s, struct store_draft *d,
		       const struct store_meta *meta,
		       const char id[STORE_ID], struct error *err) MUST_CHECK;
/* In a fork: work on the draft, but leave its lock to the process that made
 * it, so that nothing is left to sweep later when that one is killed. */
int store_draft_borrow(struct store_draft *d, struct error *err) MUST_CHECK;
/* Remove it; harmless after commit. */
void store_draft_drop(struct store *s, struct store_draft *d);

/* Marks in a draft: a name is gone; a directory hides all that was in it. */
int store_put_whiteout(const struct store *s, int dirfd, const char *name,
		       struct error *err) MUST_CHECK;
int store_put_opaque(const struct store *s, int dirfd, const char *name,
		     struct error *err) MUST_CHECK;
/* Does a layer carry this extended attribute, as a draft has it? */
bool store_keeps_xattr(const char *name);

/* A fresh id for a layer that a step makes. */
void store_new_id(char id[STORE_ID]);
bool store_has_layer(const struct store *s, const char *id);
/* layers/<id>/fs, malloc'ed. */
char *store_layer_fs(const struct store *s, const char *id);
int store_get_meta(const struct store *s, const char *id,
		   struct store_meta *meta, struct error *err) MUST_CHECK;
int store_set_meta(struct store *s, const char *id,
		   const struct store_meta *meta, struct error *err)
	MUST_CHECK;

/*
 * Unpack a layer tar (plain, gzip or zstd by its bytes) from a descriptor
 * into a new layer whose id is the hexadecimal part of `diff_id`. The
 * uncompressed bytes are verified against diff_id. Whiteouts become overlay
 * marks. Nothing in the tar can reach outside the layer. A layer that is
 * there already makes this a no-op. `meta` may be NULL.
 *
 * Names are clamped as if the layer were "/". A parent directory that the tar
 * does not list is made 0755 0:0, with a warning: the layers below, whose
 * attributes it hides, need not be there. A device that may not be made here
 * becomes an empty file with user.devenv.device, an attribute that may not be
 * set becomes user.devenv.xattr.NAME; both are undone on export. Overlay's
 * own attributes and character device 0:0 are never taken from a tar.
 */
int store_unpack(struct store *s, int fd, const char *diff_id,
		 const struct store_meta *meta, struct error *err) MUST_CHECK;
/* Has a blob the content of that diff id, as unpacking finds out? ERR_INPUT. */
int store_check_layer_blob(struct store *s, const char *blob,
			   const char *diff_id, struct error *err) MUST_CHECK;

/* Bytes of a tar or of its compressed form on their way out. */
typedef int (*store_write_fn)(void *arg, const void *data, size_t n,
			      struct error *err);

/*
 * The layer chain[n-1] as a tar, compared with chain[0..n-2] below it
 * (lowest first): deterministic order, only what changed, every ancestor
 * directory once, whiteouts as .wh. names, Go archive/tar's bytes. Lower
 * layers that have not been unpacked must not be needed: the caller unpacks
 * them first.
 */
int store_layer_tar(struct store *s, const char *const *chain, size_t n,
		    store_write_fn write, void *arg, struct error *err)
	MUST_CHECK;
/* Fill in the diff ids of a chain that are "", and remember them in the meta
 * of their layers. Those that are known already need no layer here. */
int store_diff_ids(struct store *s, const char *const *chain, size_t n,
		   char (*diff_ids)[DIGEST_TEXT], struct error *err)
	MUST_CHECK;
/* How store_layer_blob compresses from now on; gzip until then. */
void store_compress(struct store *s, enum compress_kind kind, int level);
/* Make sure its compressed form is in blobs/ and remembered in the meta. One
 * that is there stays, however it is compressed. */
int store_layer_blob(struct store *s, const char *const *chain, size_t n,
		     struct store_meta *meta, struct error *err) MUST_CHECK;
/* A compressed form with no file younger than `latest`: a blob of another
 * diff id, of which the layer's meta is not told. */
int store_layer_blob_until(struct store *s, const char *const *chain, size_t n,
			   int64_t latest, struct store_meta *meta,
			   struct error *err) MUST_CHECK;

/* Layers of a chain, lowest first, to be seen as one. */
struct store_chain {
	const char *const *ids;
	size_t n;
	size_t young;	/* files of ids[young] and above are shown no */
	int64_t latest; /* younger than this; young == n: as they are */
};
/* The whole file system of a chain as one tar, without whiteouts
 * (`--output type=tar`). */
int store_flat_tar(struct store *s, const struct store_chain *chain,
		   store_write_fn write, void *arg, struct error *err)
	MUST_CHECK;
/* The same into a directory (`type=local`), which must be empty or missing;
 * owners are set where this process may. */
int store_flat_copy(struct store *s, const struct store_chain *chain,
		    const char *dest, struct error *err) MUST_CHECK;
/* A file as a chain of layers shows it; `name` in `dirfd` of its layer. */
struct store_file {
	const char *path; /* from the top, without "/" */
	int dirfd;
	const char *name;
	const struct stat *st;
};
/* Visit all, directories before what is in them, sorted. `visit` returns 1 to
 * leave out what is in a directory; -1 ends it. */
int store_walk(struct store *s, const char *const *ids, size_t n,
	       int (*visit)(void *arg, const struct store_file *f,
			    struct error *err),
	       void *arg, struct error *err) MUST_CHECK;
/*
 * Owner of a file of a layer: the file's own, or in single_id mode what
 * user.devenv.owner says (else meta->uid, gid; `meta` NULL: 0). Links and
 * special files cannot carry that attribute; theirs is the target of the
 * symbolic link layers/<id>/owners/<inode>, and is not kept when they are
 * made through a mount.
 */
void store_owner(const struct store *s, int dirfd, const char *name,
		 const struct stat *st, const struct store_meta *meta,
		 uid_t *uid, gid_t *gid);
/* Set the owner of a file of a draft by the same rules (follows no link). */
int store_set_owner(const struct store *s, int dirfd, const char *name,
		    uid_t uid, gid_t gid, struct error *err) MUST_CHECK;

/* Is this an attribute that layers carry? */
bool store_xattr_wanted(const char *name);
/* One that this store keeps in place of a device or an attribute that could
 * not be made, and undoes on export? */
bool store_xattr_stand_in(const char *name);
/* Make a device, or where that is not allowed its stand-in, with the mode
 * 0600: 0, or 1 for the stand-in. -1 with errno; EEXIST when the name is
 * taken. */
int store_put_device(const struct store *s, int dirfd, const char *name,
		     mode_t mode, dev_t rdev);

/* mkdir -p inside a root by the same rules; fs_mkdir_in_root otherwise. */
int store_mkdir_in_root(const struct store *s, int rootfd, const char *path,
			mode_t mode, uid_t uid, gid_t gid,
			struct error *err) MUST_CHECK;
/* single_id: all files of a draft that have no owner yet were made by this
 * one. Nothing to do in other modes. */
int store_stamp_owner(const struct store *s, const struct store_draft *d,
		      uid_t uid, gid_t gid, struct error *err) MUST_CHECK;
/* Is this a tar, plain or compressed in a way that ADD unpacks (gzip, bzip2,
 * xz, zstd)? 1, 0, -1. The descriptor is at offset 0 afterwards. */
int store_is_archive(int fd, struct error *err) MUST_CHECK;
/*
 * Unpack such a tar below a directory that becomes part of a layer, as ADD
 * does: owners as in the archive, `dest` keeps its own metadata, and names
 * that would be whiteouts are ERR_INPUT. Nothing lands outside.
 */
int store_add_archive(const struct store *s, int fd, int dest,
		      struct error *err) MUST_CHECK;
/* Unpack a tar, in any compression of libarchive, below a directory: owners as
 * in the archive, or all `uid:gid` where `chown`. Nothing lands outside. */
int store_extract_archive(const struct store *s, int fd, int dest, bool chown,
			  uid_t uid, gid_t gid, struct error *err) MUST_CHECK;

/* --- images --- */

/* One layer of an image: unpacked here, known by digest, or both. */
struct store_image_layer {
	char id[STORE_ID];	   /* layers/<id>, whether or not unpacked */
	char diff_id[DIGEST_TEXT]; /* "" until needed */
	struct oci_descriptor desc; /* compressed form; digest "" if none */
	char *origin; /* what has it, as in store_meta; NULL: the image's */
};
struct store_image {
	char *reference;	/* normalised, or NULL */
	char *origin;		/* host/repository it came from, or NULL */
	char manifest[DIGEST_TEXT]; /* "" when never made */
	char index[DIGEST_TEXT]; /* that it is one of, kept whole; or "" */
	char config_digest[DIGEST_TEXT]; /* "" when diff_ids are missing */
	struct oci_config config;
	struct store_image_layer *layers;
	size_t n_layers;
	struct json *annotations; /* for a manifest that is made; or NULL */
	const char *base; /* the base store it was found in, or NULL */
};
#define cleanup_store_image CLEANUP(store_image_release)
void store_image_release(struct store_image *i);
/* Remember an image under its reference (replacing) and config digest; an
 * image with a manifest whose blobs are all there is listed in index.json. */
int store_put_image(struct store *s, const struct store_image *i,
		    struct error *err) MUST_CHECK;
/* By normalised reference, by config digest or by manifest digest ("sha256:"
 * or a unique prefix of at least 12 digits). 1 found, 0 not, -1 error. */
int store_get_image(struct store *s, const char *name, struct store_image *i,
		    struct error *err) MUST_CHECK;
int store_remove_image(struct store *s, const char *name, struct error *err)
	MUST_CHECK;
/* References, sorted. */
int store_list_images(struct store *s, struct strvec *names,
		      struct error *err) MUST_CHECK;

/* --- cache/ : small texts by key (64 hexadecimal digits) --- */

/* 1 found, 0 not, -1 error. */
int store_cache_get(struct store *s, const char *key, struct strbuf *out,
		    struct error *err) MUST_CHECK;
int store_cache_put(struct store *s, const char *key, const char *text,
		    size_t n, struct error *err) MUST_CHECK;
/* Remove a layer that nothing refers to any more but perhaps an environment.
 * While that or another process could use it, it stays for store_gc. */
int store_forget_layer(struct store *s, const char *id, struct error *err)
	MUST_CHECK;

/* Visit all sound entries; `used` is the time of the last use (ns). It
 * ends when `visit` returns something else than 0, which is returned. */
int store_cache_each(struct store *s,
		     int (*visit)(void *arg, const char *key,
				  const char *text, size_t n, int64_t used),
		     void *arg, struct error *err) MUST_CHECK;
int store_cache_remove(struct store *s, const char *key, struct error *err)
	MUST_CHECK;

/* --- context/ : stat cache --- */

/* Digests of files of one context tree, by (dev, ino, size, mtime, ctime).
 * Entries younger than the clock's granularity are not trusted. */
struct store_stat_cache;
int store_stat_cache_open(struct store *s, const char *root,
			  struct store_stat_cache **out, struct error *err)
	MUST_CHECK;
/* Digest (raw SHA-256) of a regular file; reads it only when unknown. */
int store_stat_cache_digest(struct store_stat_cache *c, int dirfd,
			    const char *name, const struct stat *st,
			    uint8_t raw[DIGEST_RAW], struct error *err)
	MUST_CHECK;
/* The same where that is certain without looking at it: what changes the file
 * from now on changes what stat says. `plain`: no attribute that layers
 * carry. */
bool store_stat_cache_knows(struct store_stat_cache *c, const struct stat *st,
			    uint8_t raw[DIGEST_RAW], bool *plain);
/* Write it back when something changed, and free. */
void store_stat_cache_close(struct store_stat_cache *c);

/* --- mounts/ : directories that steps keep (RUN --mount=type=cache) --- */

enum store_sharing {
	STORE_SHARED,  /* with everybody who shares it */
	STORE_PRIVATE, /* alone: one that is free, or a new one */
	STORE_LOCKED,  /* alone: the first, when it is free */
};
/* Fills a directory that was just made, mode 0700. */
struct store_mount_maker {
	int (*fill)(void *arg, int fd, struct error *err);
	void *arg;
};
struct store_mount {
	char *fs;    /* absolute path */
	int lock_fd; /* held while it is used; dies with its holder */
};
#define STORE_MOUNT_INIT { .lock_fd = -1 }
/*
 * An instance of the cache `key` (64 hexadecimal digits), made where there is
 * none. 1: taken; 0: others have it, ask again later (STORE_LOCKED only).
 */
int store_mount_take(struct store *s, const char *key,
		     enum store_sharing sharing,
		     const struct store_mount_maker *maker,
		     struct store_mount *m, struct error *err) MUST_CHECK;
void store_mount_release(struct store_mount *m);

/* --- scratch and environments --- */

/* Remove what only killed processes left (done by store_open, too). */
int store_sweep(struct store *s, struct error *err) MUST_CHECK;
/* Directory for an environment, run/<name>; created 0700. malloc'ed. */
char *store_run_dir(struct store *s, const char *name, struct error *err);
/* A private scratch directory that goes with its maker, malloc'ed path. */
char *store_scratch(struct store *s, int *lock_fd, struct error *err);
/* Remove it before that. */
void store_scratch_drop(struct store *s, const char *path, int lock_fd);

#include "store/care.h"

#endif
