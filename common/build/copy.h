/* copy.h - what COPY and ADD read and write, for the files of build/ */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_COPY_H
#define BUILD_COPY_H

#include <sys/stat.h>

#include "build/build.h"

/* --- tree.c: what COPY and ADD read --- */

/* A directory tree opened for reading; nothing outside it can be reached. */
struct build_tree {
	int fd;
	const struct dockerfile_ignore *ignore; /* NULL: nothing is left out */
	struct store_stat_cache *cache; /* NULL: contents are read */
	/* Of a stage: files keep their owners, as this store has them. */
	bool keep_owners;
	const struct store *store;
};

/* An entry as a walk meets it, in sorted order, parents first. */
struct tree_entry {
	int dirfd;
	const char *name;
	const char *path; /* relative to where the walk began; "" there */
	const struct stat *st;
	bool leave; /* a directory, after its children */
};
typedef int (*tree_visit)(void *arg, const struct tree_entry *e,
			  struct error *err);

/*
 * Visit `path` (relative to the tree, no link is followed in its last part)
 * and all below it that is not ignored. An ignored directory appears only
 * when something below it does.
 */
int tree_walk(const struct build_tree *t, const char *path, tree_visit visit,
	      void *arg, struct error *err) MUST_CHECK;

/* Names in a directory, sorted; the descriptor is closed. */
int tree_names(int fd, struct strvec *names, struct error *err) MUST_CHECK;
/* Is a path left out by the rules of the tree? `enter`: something below it
 * may not be. */
bool tree_ignored(const struct build_tree *t, const char *path, bool *enter);

/* --- tree_pick.c: what the sources of a COPY mean --- */

struct tree_item {
	char *path;  /* in the tree, without links; "." is its top */
	char *name;  /* of a file when it comes to lie in a directory */
	mode_t type; /* S_IFREG... */
	struct dockerfile_ignore *include; /* --parents: only this of it */
	const struct dockerfile_ignore *exclude; /* the list's */
};
struct tree_items {
	struct tree_item *v;
	size_t nr, alloc;
	struct dockerfile_ignore *exclude; /* --exclude */
};
#define cleanup_tree_items CLEANUP(tree_items_release)
void tree_items_release(struct tree_items *list);
/*
 * All that a COPY names, in the order in which it is copied. A wildcard may
 * match nothing; a path that is not there, or left out by the tree's rules,
 * is ERR_INPUT.
 */
int tree_pick(const struct build_tree *t, const struct build_step *step,
	      struct tree_items *out, struct error *err) MUST_CHECK;
/* The one thing that a path without wildcards names. */
int tree_pick_one(const struct build_tree *t, const char *path,
		  struct tree_items *out, struct error *err) MUST_CHECK;
/* tree_walk of an item, by its own rules as well. */
int tree_walk_item(const struct build_tree *t, const struct tree_item *item,
		   tree_visit visit, void *arg, struct error *err) MUST_CHECK;

/* --- tree_digest.c --- */

/*
 * What an item makes of a COPY, as one digest: names, types, link targets,
 * contents, attributes that are kept, modes as --chmod leaves them, and
 * owners where the tree keeps them. Times do not count, nor how many names a
 * file has.
 */
int tree_digest(const struct build_tree *t, const struct tree_item *item,
		const char *chmod, struct strbuf *out, struct error *err)
	MUST_CHECK;

/* The same for each entry alone: "PATH TAB DIGEST", appended. */
int tree_list(const struct build_tree *t, const struct tree_item *item,
	      const char *chmod, struct strvec *out, struct error *err)
	MUST_CHECK;

/* --- copy.c and copy_tree.c: COPY and ADD into a root --- */

/* Where files go and what they become. */
struct copy_target {
	struct store *store;
	int rootfd;	    /* merged root, writable */
	bool chown;	    /* uid and gid below count */
	uid_t uid;
	gid_t gid;
	const char *chmod;  /* --chmod, or NULL */
	bool single_id;	    /* owners are kept by the store, not the files */
	const struct store_meta *from_meta; /* single_id: of the source */
	struct recopy *recopy; /* recopy.h; NULL: every file is copied */
	bool fresh;	    /* the destination was made for the copy */
};

/* Execute one COPY or ADD; `source` is where it reads from. */
int copy_run(struct copy_target *to, const struct build_tree *source,
	     const struct build_step *step, struct error *err) MUST_CHECK;
/* One file, or the contents of one directory, to an absolute path. */
int copy_file_to(struct copy_target *to, const struct build_tree *source,
		 const struct tree_item *item, const char *dest,
		 struct error *err) MUST_CHECK;
int copy_dir_to(struct copy_target *to, const struct build_tree *source,
		const struct tree_item *item, const char *dest,
		struct error *err) MUST_CHECK;
/* Is it an attribute that a copy from this tree has as well? */
bool copy_keeps_xattr(const struct build_tree *source, const char *name);
/* No part of a path may read as a whiteout. */
int copy_check_name(const char *path, struct error *err) MUST_CHECK;
/* Make the missing directories of a path: 0755 or --chmod, --chown's owner. */
int copy_make_dirs(struct copy_target *to, const char *path,
		   struct error *err) MUST_CHECK;
/* Owner, mode and times of what was put at dirfd/name. */
int copy_finish(struct copy_target *to, int dirfd, const char *name,
		const struct tree_entry *from, struct error *err) MUST_CHECK;

/* --- rescue.c: steps whose sources were built again, and are the same --- */

struct build;
struct build_stage;
struct build_planned;
struct cache_entry;

/* step_key.c: a key that goes by the files that a COPY reads from a stage or
 * an image, which have to be there; "" for any other step. */
int step_content_key(struct build *b, const struct build_stage *st,
		     const struct build_planned *p, char hex[65],
		     struct error *err) MUST_CHECK;
/*
 * Before a step is executed: 1 when it was made before from the same files,
 * which is noted under its key; else 0, and `content` is for rescue_note.
 */
int rescue_find(struct build *b, const struct build_stage *st,
		const struct build_planned *p, char content[65],
		struct error *err) MUST_CHECK;
/* After it was executed: remember the content, and complete `made`. */
int rescue_note(struct build *b, struct cache_entry *made,
		const struct build_planned *p, const char *content,
		struct error *err) MUST_CHECK;
/* A step that another build has made since the plan: 1 when it is taken over,
 * 0 when there is none. */
int rescue_take(struct build *b, size_t stage, struct build_planned *p,
		struct error *err) MUST_CHECK;
/* A step is done, by whichever way: where that says that it counts as another
 * one, look up again what follows from it. */
int rescue_settle(struct build *b, size_t stage, struct build_planned *p,
		  struct error *err) MUST_CHECK;

#endif
