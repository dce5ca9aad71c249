/* chroot.c - a command in a plain directory, where nothing can be mounted */
/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/bounds.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "runtime/dev.h"

/*
 * What a sandbox mounts over the image's own /dev and files of /etc is put in
 * their place here, while those wait in a directory beside the root.
 */
#define ASIDE ".aside"

static const char *const etc_files[] = { "hosts", "hostname", "resolv.conf" };

struct runtime_place {
	char *aside_path;
	int root, aside;
	int etc; /* -1: left alone */
	bool made_etc, dev;
};

static int move(int from, int to, const char *name, struct error *err)
{
	if (renameat(from, name, to, name) == 0 || errno == ENOENT)
		return 0;
	return error_errno(err, "cannot move '%s' out of the way", name);
}

/* The only mounts that can be done without: files below our own /dev. */
static int write_mounted(struct runtime_place *p,
			 const struct runtime_mount *m, struct error *err)
{
	cleanup_free char *dir = path_dir(m->target);
	cleanup_free char *name = path_base(m->target);
	cleanup_close int at = -1, out = -1;

	at = fs_mkdir_in_root(p->root, dir, 0755, 0, 0, err);
	if (at < 0)
		return -1;
	out = openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return error_errno(err, "cannot make '%s'", m->target);
	if (fs_write_all(out, m->data, m->size, err) < 0)
		return -1;
	if (fchmod(out, m->mode) < 0)
		return error_errno(err, "cannot make '%s'", m->target);
	return 0;
}

static int refuse(const char *what, struct error *err)
{
	error_set(err, ERR_HOST, "%s cannot be had by chroot, which is all "
				 "there is without the right to mount", what);
	return error_hint(err, "run devenv with CAP_SYS_ADMIN, or as a user "
			       "who may make user namespaces");
}

static int put_mounts(struct runtime_place *p, const struct runtime_spec *s,
		      struct error *err)
{
	for (size_t i = 0; i < s->n_mounts; i++) {
		const struct runtime_mount *m = &s->mounts[i];
		cleanup_free char *what = NULL;

		if (m->kind == RUNTIME_FILE &&
		    str_starts(m->target, "/dev/")) {
			if (write_mounted(p, m, err) < 0)
				return -1;
			continue;
		}
		what = xstrfmt("a mount at '%s'", m->target);
		return refuse(what, err);
	}
	return 0;
}

static int put_dev(struct runtime_place *p, const struct runtime_spec *s,
		   struct error *err)
{
	cleanup_close int dev = -1;

	if (move(p->root, p->aside, "dev", err) < 0)
		return -1;
	p->dev = true;
	if (mkdirat(p->root, "dev", 0755) < 0)
		return error_errno(err, "cannot make /dev of a step");
	dev = openat(p->root, "dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dev < 0 || fchmod(dev, 0755) < 0)
		return error_errno(err, "cannot open /dev of a step");
	if (runtime_dev_make(dev, err) < 0)
		return -1;
	return runtime_root_dirs(p->root, s, err) < 0 ? -1
						      : put_mounts(p, s, err);
}

static void etc_text(const struct runtime_spec *s, size_t i,
		     struct strbuf *out)
{
	const char *name = s->hostname ? s->hostname : "devenv";

	if (i == 0)
		runtime_etc_hosts(name, true, s->hosts, out);
	else if (i == 1)
		strbuf_addf(out, "%s\n", name);
	else
		runtime_etc_resolv(NULL, out);
}

static int put_file(struct runtime_place *p, const struct runtime_spec *s,
		    size_t i, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int fd = -1;

	if (move(p->etc, p->aside, etc_files[i], err) < 0)
		return -1;
	etc_text(s, i, &text);
	fd = openat(p->etc, etc_files[i],
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || fchmod(fd, 0644) < 0)
		return error_errno(err, "cannot make '/etc/%s'", etc_files[i]);
	return fs_write_all(fd, text.buf, text.len, err);
}

static int put_etc(struct runtime_place *p, const struct runtime_spec *s,
		   struct error *err)
{
	struct timespec times[2];
	struct stat st;

	if (s->no_etc)
		return 0;
	if (mkdirat(p->root, "etc", 0755) == 0)
		p->made_etc = true;
	p->etc = fs_open_in_root(p->root, "/etc", O_RDONLY | O_DIRECTORY, 0);
	if (p->etc < 0 || fstat(p->etc, &st) < 0)
		return error_errno(err, "cannot open /etc of a step");
	for (size_t i = 0; i < ARRAY_SIZE(etc_files); i++)
		if (put_file(p, s, i, err) < 0)
			return -1;
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	if (futimens(p->etc, times) < 0)
		return error_errno(err, "cannot set the time of /etc");
	return 0;
}

/* What the step made of it goes, as it would with a mount. */
static int put_back(struct runtime_place *p, int dir, const char *name,
		    struct error *err)
{
	if (fs_remove_tree(dir, name, err) < 0)
		return -1;
	return move(p->aside, dir, name, err);
}

static int put_etc_back(struct runtime_place *p, struct error *err)
{
	struct timespec times[2];
	struct stat st;

	if (fstat(p->etc, &st) < 0)
		return error_errno(err, "cannot examine /etc of a step");
	if (!st.st_nlink) /* removed by the step, with all that was in it */
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(etc_files); i++)
		if (put_back(p, p->etc, etc_files[i], err) < 0)
			return -1;
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	if (futimens(p->etc, times) < 0)
		return error_errno(err, "cannot set the time of /etc");
	if (p->made_etc)
		(void)unlinkat(p->root, "etc", AT_REMOVEDIR);
	return 0;
}

int runtime_chroot_clean(struct runtime_launch *l, struct error *err)
{
	struct runtime_place *p = l->place;
	int rc = 0;

	if (!p)
		return 0;
	l->place = NULL;
	if (p->dev)
		rc = put_back(p, p->root, "dev", err);
	if (p->etc >= 0 && rc == 0)
		rc = put_etc_back(p, err);
	if (rc == 0)
		rc = fs_remove_tree(AT_FDCWD, p->aside_path, err);
	base_close_fd(&p->root);
	base_close_fd(&p->aside);
	base_close_fd(&p->etc);
	free(p->aside_path);
	free(p);
	return rc;
}

int runtime_chroot_prepare(struct runtime_launch *l, struct error *err)
{
	const struct runtime_spec *s = l->spec;
	struct runtime_place *p;

	if (s->network != RUNTIME_NET_HOST)
		return refuse("a step without network", err);
	if (s->privileged)
		return refuse("a privileged step", err);
	p = l->place = xcalloc(1, sizeof(*p));
	p->etc = p->aside = -1;
	p->aside_path = xstrfmt("%s" ASIDE, s->root);
	p->root = open(s->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->root < 0)
		return error_errno(err, "cannot open '%s'", s->root);
	if (mkdir(p->aside_path, 0700) < 0)
		return error_errno(err, "cannot make '%s'", p->aside_path);
	p->aside = open(p->aside_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->aside < 0)
		return error_errno(err, "cannot open '%s'", p->aside_path);
	if (put_dev(p, s, err) < 0)
		return -1;
	return put_etc(p, s, err);
}

/* The way out of a chroot is another one, or a disk by its number. */
uint64_t runtime_chroot_caps(uint64_t caps)
{
	return caps & ~(UINT64_C(1) << CAP_SYS_CHROOT |
			UINT64_C(1) << CAP_MKNOD);
}

int runtime_chroot_enter(const struct runtime_launch *l, struct error *err)
{
	if (fchdir(l->place->root) < 0 || chroot(".") < 0)
		return error_errno_code(err, ERR_HOST,
					"cannot make '%s' the root directory",
					l->spec->root);
	return 0;
}
