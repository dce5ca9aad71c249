/* repo_new.c - a fresh clone, made beside its place and moved there whole */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "wrap/repo_lib.h"

/*
 * Where the clone is made. Normally a hidden sibling of DIR that is renamed
 * in the end. A mount point cannot be renamed over, and a parent may be read
 * only: then a hidden directory inside of DIR takes the repository, and only
 * ".git" is renamed.
 */
struct place {
	const char *dir;
	char *holder, *prefix, *temp, *work;
	int fd;	  /* of the holder */
	int lock; /* of temp: held while its maker lives */
	bool inside;
};

static void place_release(struct place *p)
{
	if (p->temp && p->fd >= 0 &&
	    fs_remove_tree(p->fd, p->temp, NULL) < 0)
		log_warn("cannot remove '%s'", p->work);
	if (p->lock >= 0)
		close(p->lock);
	if (p->fd >= 0)
		close(p->fd);
	free(p->holder);
	free(p->prefix);
	free(p->temp);
	free(p->work);
}

static bool is_mount(const char *dir)
{
	struct statx st;

	return !statx(AT_FDCWD, dir, AT_SYMLINK_NOFOLLOW, 0, &st) &&
	       (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* A lock that can be had belongs to no living process. */
static void remove_if_stale(const struct place *p, const char *name)
{
	cleanup_close int fd = openat(p->fd, name, O_RDONLY | O_DIRECTORY |
				      O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return;
	log_debug("removing '%s/%s' of an interrupted clone", p->holder, name);
	if (fs_remove_tree(p->fd, name, NULL) < 0)
		log_warn("cannot remove '%s/%s'", p->holder, name);
}

static void remove_stale(const struct place *p)
{
	int fd = openat(p->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((e = readdir(dir)))
		if (str_starts(e->d_name, p->prefix))
			remove_if_stale(p, e->d_name);
	closedir(dir);
}

/* Another process may take the new directory for a stale one before it is
 * locked; then it is gone and the next try makes another. */
static int make_temp(struct place *p, struct error *err)
{
	struct stat st;

	for (int tries = 0; tries < 10; tries++) {
		p->temp = fs_temp_dir(p->fd, p->prefix, err);
		if (!p->temp)
			return -1;
		p->lock = openat(p->fd, p->temp,
				 O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (p->lock >= 0 && !flock(p->lock, LOCK_EX | LOCK_NB) &&
		    !fstat(p->lock, &st) && st.st_nlink) {
			p->work = xstrfmt("%s/%s", p->holder, p->temp);
			return 0;
		}
		base_close_fd(&p->lock);
		p->lock = -1;
		free(steal_ptr(&p->temp));
	}
	return error_set(err, ERR_SYSTEM, "cannot make a directory in '%s'",
			 p->holder);
}

static int place_open(struct place *p, const char *dir, struct error *err)
{
	cleanup_free char *parent = path_dir(dir);
	cleanup_free char *base = path_base(dir);

	*p = (struct place){ .dir = dir, .fd = -1, .lock = -1 };
	if (fs_mkdir_p(parent, 0777, err) < 0)
		return -1;
	p->inside = fs_is_dir(dir) &&
		    (is_mount(dir) || access(parent, W_OK) < 0);
	p->holder = xstrdup(p->inside ? dir : parent);
	p->prefix = p->inside ? xstrdup(".devenv-clone-")
			      : xstrfmt(".%.200s.devenv-clone-", base);
	p->fd = open(p->holder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->fd < 0)
		return error_errno(err, "cannot open '%s'", p->holder);
	remove_stale(p);
	return make_temp(p, err);
}

static int init(struct repo_session *s, const char *work,
		git_repository **repo, struct error *err)
{
	git_repository_init_options o = GIT_REPOSITORY_INIT_OPTIONS_INIT;
	int rc;

	o.flags = GIT_REPOSITORY_INIT_NO_REINIT | GIT_REPOSITORY_INIT_MKDIR;
	rc = s->git.git_repository_init_ext(repo, work, &o);
	return rc < 0 ? repo_fail(s, rc, err, "cannot make '%s'", work) : 0;
}

static int set_origin(struct repo_session *s, git_repository *repo,
		      const struct repo_target *t, struct error *err)
{
	cleanup_strvec struct strvec specs = STRVEC_INIT;
	cleanup_free char *url = repo_remote_name(s);
	git_remote *remote = NULL;
	int rc;

	repo_fetch_specs(s, t, &specs);
	rc = s->git.git_remote_create_with_fetchspec(&remote, repo, "origin",
						     url, specs.v[0]);
	s->git.git_remote_free(remote);
	return rc < 0 ? repo_fail(s, rc, err, "cannot write the configuration")
		      : 0;
}

/* refs/remotes/origin/HEAD, which git uses for "origin". Best effort: the
 * default branch is not there in a clone of a single other one. */
static void set_origin_head(struct repo_session *s, git_repository *repo,
			    const struct repo_target *t)
{
	cleanup_free char *to = t->head ? repo_fetch_tracking(t->head) : NULL;
	git_reference *ref = NULL;
	git_oid oid;

	if (!to || s->git.git_reference_name_to_id(&oid, repo, to))
		return;
	if (!s->git.git_reference_symbolic_create(
		    &ref, repo, "refs/remotes/origin/HEAD", to, 1,
		    "devenv clone"))
		s->git.git_reference_free(ref);
}

int repo_new_fill(struct repo_session *s, git_repository *repo,
		  const char *ref, struct repo_target *t, struct error *err)
{
	git_remote *conn = NULL;
	int rc = repo_fetch_connect(s, repo, ref, &conn, t, err);

	if (!rc)
		rc = set_origin(s, repo, t, err);
	if (!rc)
		rc = repo_fetch_download(s, repo, conn, t, false, err);
	s->git.git_remote_free(conn);
	if (rc < 0)
		return -1;
	set_origin_head(s, repo, t);
	return repo_tree_set_head(s, repo, t, err);
}

static int move_in(const struct place *p, struct error *err)
{
	mode_t mask = umask(0);

	umask(mask);
	if (fchmod(p->lock, 0777 & ~mask) < 0)
		return error_errno(err, "cannot change mode of '%s'", p->work);
	if (renameat(p->fd, p->temp, AT_FDCWD, p->dir) < 0)
		return error_errno(err, "cannot move the clone to '%s'",
				   p->dir);
	return 0;
}

static int finish_beside(struct repo_session *s, struct place *p,
			 git_repository *repo, const struct repo_target *t,
			 struct error *err)
{
	const struct giturl here = s->remote;

	if (repo_tree_checkout(s, repo, &t->commit, true, err) < 0 ||
	    repo_submodules(s, repo, p->work, &here, &t->commit, 0, err) < 0 ||
	    move_in(p, err) < 0)
		return -1;
	free(steal_ptr(&p->temp));
	return 0;
}

/* The marker goes with ".git", so that a checkout which is cut off is
 * finished by the next run. */
static int finish_inside(struct repo_session *s, struct place *p,
			 const struct repo_target *t, struct error *err)
{
	cleanup_free char *from = xstrfmt("%s/.git", p->work);
	cleanup_free char *to = xstrfmt("%s/.git", p->dir);
	const struct giturl here = s->remote;
	git_repository *repo = NULL;
	int rc;

	if (repo_mark_set(s, from, &t->commit, err) < 0)
		return -1;
	if (rename(from, to) < 0)
		return error_errno(err, "cannot move the clone to '%s'",
				   p->dir);
	rc = s->git.git_repository_open_ext(
		&repo, p->dir, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
	if (rc < 0)
		return repo_fail(s, rc, err, "cannot open '%s'", p->dir);
	rc = repo_tree_checkout(s, repo, &t->commit, true, err);
	if (!rc)
		rc = repo_submodules(s, repo, p->dir, &here, &t->commit, 0,
				     err);
	if (!rc)
		repo_mark_clear(to);
	s->git.git_repository_free(repo);
	return rc;
}

int repo_new(struct repo_session *s, const char *dir, const char *ref,
	     struct repo_target *t, struct error *err)
{
	CLEANUP(place_release) struct place p;
	git_repository *repo = NULL;
	int rc;

	if (place_open(&p, dir, err) < 0 || init(s, p.work, &repo, err) < 0)
		return -1;
	rc = repo_new_fill(s, repo, ref, t, err);
	if (!rc && !p.inside)
		rc = finish_beside(s, &p, repo, t, err);
	s->git.git_repository_free(repo);
	return !rc && p.inside ? finish_inside(s, &p, t, err) : rc;
}
