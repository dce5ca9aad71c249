/* worktree.c - the repository that a linked work tree belongs to */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "cli/mounts.h"

#define LINK_MAX_SIZE 8192 /* bytes of a file that holds a path */

/* The first line of a small file, after `prefix`; NULL: there is none. */
static char *read_link(const char *dir, const char *name, const char *prefix)
{
	cleanup_free char *path = path_join(dir, name);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const char *value;

	if (!fs_is_file(path) ||
	    fs_read_regular(path, LINK_MAX_SIZE, &text, NULL) < 0)
		return NULL;
	value = str_skip(text.buf, prefix);
	return value ? xstrndup(value, strcspn(value, "\r\n")) : NULL;
}

/*
 * Does the repository know of this work tree? A .git file may come with a
 * tree from anywhere and name any directory of this host; what git itself
 * made has an entry that leads back.
 */
static bool leads_back(const char *gitdir, const char *root)
{
	cleanup_free char *back = read_link(gitdir, "gitdir", "");
	cleanup_free char *file = back ? path_resolve(gitdir, back) : NULL;
	cleanup_free char *dir = file ? path_dir(file) : NULL;
	cleanup_free char *there = dir ? realpath(dir, NULL) : NULL;
	cleanup_free char *here = realpath(root, NULL);

	return there && here && str_eq(there, here);
}

int cli_mounts_worktree(struct cli_mounts *m, const char *root,
			const char *target, bool wanted, struct error *err)
{
	cleanup_free char *link = read_link(root, ".git", "gitdir: ");
	cleanup_free char *gitdir = link ? path_resolve(root, link) : NULL;
	cleanup_free char *common = NULL, *seen = NULL, *place = NULL;

	if (!gitdir || !strstr(gitdir, "/worktrees/"))
		return 0;
	if (!wanted) {
		log_info("'%s' is a linked work tree: git works in there with "
			 "--mount-git-worktree-common-dir", root);
		return 0;
	}
	if (!leads_back(gitdir, root))
		return error_set(err, ERR_INPUT,
				 "'%s/.git' names '%s', which is not that of "
				 "this work tree", root, gitdir);
	common = path_resolve(gitdir, "../..");
	seen = path_resolve(target, link);
	place = path_resolve(seen, "../..");
	cli_mounts_bind(m, common, place);
	return 0;
}
