/* place.h - a tree being written from a tar, for the files of store/ */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include "store/internal.h"
#include "wrap/tar.h"

/* --- place.c, place_make.c --- */

struct place_options {
	const struct store *s;
	bool layer;  /* whiteouts become overlay's */
	bool add;    /* for ADD: no whiteouts, the root stays as it is */
	bool owners; /* owners must be kept, in records if need be */
	uid_t uid;   /* of files without an owner record */
	gid_t gid;
};
/* A directory, to be finished when all in it is there. */
struct place_dir {
	size_t path; /* offset in `names` */
	mode_t mode;
	struct timespec mtime;
};

/* A tree being written from a tar. */
struct place {
	struct place_options o;
	int root;
	bool setgid;	     /* new files do not get our group */
	mode_t umask;
	uint64_t bytes;	     /* sizes of files so far */
	struct strbuf name;  /* clean path of the entry */
	const char *base;    /* its last part */
	struct strbuf parent; /* clean path that `parent_fd` is */
	int parent_fd;	     /* -1: none */
	struct place_dir *dirs;
	size_t n_dirs, alloc_dirs;
	struct strbuf names; /* paths of dirs, NUL-terminated */
	struct strvec implied; /* directories of a layer that it lacks */
	bool warned_parent, warned_device;
};
struct place *place_new(const struct place_options *o, int root);
void place_free(struct place *p);
void place_free_ptr(struct place **p);
#define cleanup_place CLEANUP(place_free_ptr)
int place_entry(struct place *p, struct tar *t, const struct tar_entry *e,
		struct error *err) MUST_CHECK;
/* Modes and times of directories, which the files in them disturb. */
int place_finish(struct place *p, struct error *err) MUST_CHECK;
/* "/a/./b/../c/" is "a/c"; ".." at the top vanishes, as in a chroot. */
void place_clean(struct strbuf *out, const char *path);
/* The entry at hand, in its directory and with its place free. */
int place_file(struct place *p, struct tar *t, const struct tar_entry *e,
	       struct error *err) MUST_CHECK;
int place_link(struct place *p, const struct tar_entry *e, struct error *err)
	MUST_CHECK;
int place_hard_link(struct place *p, const struct tar_entry *e,
		    struct error *err) MUST_CHECK;
int place_special(struct place *p, const struct tar_entry *e,
		  struct error *err) MUST_CHECK;
/* Owner, then attributes: chown takes capabilities and set-id bits away. */
int place_set_owner(struct place *p, const struct tar_entry *e,
		    struct error *err) MUST_CHECK;
/* Make room for an entry that is not a directory; the last one wins. */
int place_remove_old(struct place *p, struct error *err) MUST_CHECK;
/* "cannot WHAT 'NAME'", with errno. */
int place_fail(const struct place *p, const char *what, struct error *err);

/* Owner for all files, whatever the tar says; NULL: the tar's. Or the owner of
 * those that are root's, who gets its. */
struct unpack_chown {
	uid_t uid;
	gid_t gid;
	bool swap;
};
int store_unpack_tree(struct place *p, struct tar *t,
		      const struct unpack_chown *chown, uint64_t max_entries,
		      struct error *err) MUST_CHECK;

#endif
