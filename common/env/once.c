/* once.c - a command in an image that leaves nothing */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "env/internal.h"

/* A scratch directory with an upper, a work and, for images without files, an
 * empty lower directory. */
struct once {
	char *dir, *upper, *work, *empty, *merged;
	int lock;
	bool by_chroot;
	struct strvec lowers;
};

static void once_release(struct once *o, struct store *s)
{
	if (o->dir)
		store_scratch_drop(s, o->dir, o->lock);
	free(o->dir);
	free(o->upper);
	free(o->work);
	free(o->empty);
	free(o->merged);
	strvec_release(&o->lowers);
}

static int make_dir(char **path, const char *dir, const char *name,
		    struct error *err)
{
	*path = path_join(dir, name);
	/* One becomes the root of the command, whatever our umask. */
	if (mkdir(*path, 0755) < 0 || chmod(*path, 0755) < 0)
		return error_errno(err, "cannot create '%s'", *path);
	return 0;
}

/* Its files as they are, to run in where nothing can be mounted. */
static int unpack(struct once *o, const struct env_options *eo,
		  struct error *err)
{
	const size_t n = eo->image->n_layers;
	cleanup_free const char **ids = xcalloc(n + 1, sizeof(*ids));
	const struct store_chain chain = { ids, n, n, 0 };
	size_t i;

	for (i = 0; i < n; i++)
		ids[i] = eo->image->layers[i].id;
	return store_flat_copy(eo->store, &chain, o->merged, err);
}

static int prepare(struct once *o, const struct env_options *eo,
		   struct error *err)
{
	size_t i;

	o->dir = store_scratch(eo->store, &o->lock, err);
	if (!o->dir || make_dir(&o->upper, o->dir, "upper", err) < 0 ||
	    make_dir(&o->work, o->dir, "work", err) < 0 ||
	    make_dir(&o->empty, o->dir, "empty", err) < 0 ||
	    make_dir(&o->merged, o->dir, "root", err) < 0)
		return -1;
	for (i = 0; i < eo->image->n_layers; i++)
		strvec_push_own(&o->lowers,
				store_layer_fs(eo->store,
					       eo->image->layers[i].id));
	if (!o->lowers.nr)
		strvec_push(&o->lowers, o->empty);
	o->by_chroot = eo->mode == RUNTIME_CHROOT;
	return o->by_chroot ? unpack(o, eo, err) : 0;
}

static int look_up(struct once *o, const char *spec, struct runtime_user *u,
		   struct error *err)
{
	cleanup_close int root = -1;
	int rc;

	if (!o->by_chroot &&
	    runtime_mount_overlay((const char *const *)o->lowers.v,
				  o->lowers.nr, NULL, NULL, o->merged, err) <
	    0)
		return -1;
	root = open(o->merged, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = root < 0 ? error_errno(err, "cannot open '%s'", o->merged)
		      : runtime_user_lookup(root, spec, u, err);
	if (root >= 0)
		close(steal_fd(&root));
	if (!o->by_chroot && runtime_umount(o->merged, rc ? NULL : err) < 0)
		return -1;
	return rc;
}

static int run(struct once *o, const struct env_options *eo,
	       const struct env_command *c, int *status, struct error *err)
{
	const struct oci_config *config = &eo->image->config;
	struct runtime_spec spec = { .root = o->by_chroot ? o->merged : NULL,
				     .lowers = (const char *const *)
						       o->lowers.v,
				     .n_lowers = o->lowers.nr,
				     .upper = o->upper,
				     .work = o->work,
				     .draft = true, /* it vanishes */
				     .hostname = eo->hostname,
				     .network = eo->network,
				     .dirs = &config->volumes,
				     .mounts = eo->mounts,
				     .n_mounts = eo->n_mounts };
	cleanup_env_process struct env_process ep = { 0 };
	const struct runtime_swap none = { 0 };
	const char *user = eo->user	  ? eo->user
			   : config->user ? config->user
					  : "";

	if (look_up(o, user, &ep.user, err) < 0 ||
	    owner_volumes(eo, &none, err) < 0)
		return -1;
	env_variables(&config->env, NULL, eo->env, c->tty, &ep);
	ep.cwd = xstrdup(c->cwd			? c->cwd
			 : config->workdir && *config->workdir
				 ? config->workdir
				 : "/");
	env_process_fill(&ep, c);
	ep.p.in = STDIN_FILENO;
	ep.p.out = STDOUT_FILENO;
	ep.p.err = STDERR_FILENO;
	return runtime_run(&spec, &ep.p, status, err);
}

int env_run(const struct env_options *eo, const struct env_command *c,
	    int *status, struct error *err)
{
	struct once o = { .lock = -1 };
	int rc = prepare(&o, eo, err);

	if (!rc)
		rc = run(&o, eo, c, status, err);
	once_release(&o, eo->store);
	return rc;
}
