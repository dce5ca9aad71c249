/* owner.c - a workspace that its user can write, whoever owns it here */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "env/internal.h"
#include "store/swap.h"

static bool is_root(const char *user)
{
	return !*user || str_eq(user, "root") || str_eq(user, "0");
}

static bool is_wanted(const char *user, const struct env_options *o)
{
	const struct json *wanted = json_get(o->config, "updateRemoteUserUID");

	return !is_root(user) && (!wanted || json_bool(wanted));
}

/* Before there is a sandbox. */
static int look_up(struct env *e, const struct strvec *dirs, const char *user,
		   struct runtime_user *u, struct error *err)
{
	cleanup_free char *at = path_join(e->dir, "look");
	cleanup_close int root = -1;
	int rc;

	if (mkdir(at, 0700) < 0 && errno != EEXIST)
		return error_errno(err, "cannot create '%s'", at);
	if (runtime_mount_overlay((const char *const *)dirs->v, dirs->nr, NULL,
				  NULL, at, err) < 0)
		return -1;
	root = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = root < 0 ? error_errno(err, "cannot open '%s'", at)
		      : runtime_user_lookup(root, user, u, err);
	if (root >= 0)
		close(steal_fd(&root));
	if (runtime_umount(at, rc ? NULL : err) < 0)
		return -1;
	(void)rmdir(at);
	return rc;
}

/* --- of a user with id ranges --- */

/*
 * No mount of a host's file system shows a user of the host as another one to
 * a namespace that this user made: the kernel wants rights over the namespace
 * that mounted it, and overlays take no such mount of their own at all. But
 * the ids of the sandbox may be others than those that unpacked the image: the
 * user of the image gets ours, and root that user's. The files of the two have
 * to change places with them, which takes a copy of the image.
 */
static bool is_ours(const struct env_options *o)
{
	struct stat st;

	for (size_t i = 0; i < o->n_mounts; i++)
		if (o->mounts[i].as_user &&
		    stat(o->mounts[i].source, &st) == 0 && !st.st_uid)
			return true;
	return false;
}

/* Whoever a single command is for does not matter to what is made. */
static const char *usual_user(const struct env_options *o)
{
	const char *user = devcontainer_user(o->config);

	if (!user)
		user = o->image->config.user;
	return user ? user : "";
}

static int copy_image(struct env *e, const struct env_options *o,
		      struct error *err)
{
	const size_t n = o->image->n_layers;
	cleanup_free const char **ids = xcalloc(n, sizeof(*ids));
	const struct store_chain chain = { ids, n, n, 0 };
	cleanup_free char *lower = path_join(e->dir, "lower");
	cleanup_free char *upper = path_join(e->dir, "upper");

	for (size_t i = 0; i < n; i++)
		ids[i] = o->image->layers[i].id;
	log_info("copying the image, so that the workspace is that of '%s'",
		 usual_user(o));
	if (store_flat_swapped(e->store, &chain, e->swap.uid, e->swap.gid,
			       lower, err) < 0)
		return -1;
	/* It becomes the top of what is seen. */
	if (chown(upper, e->swap.uid, e->swap.gid) < 0)
		return error_errno(err, "cannot give '%s' to %u:%u", upper,
				   e->swap.uid, e->swap.gid);
	return 0;
}

int owner_make(struct env *e, const struct env_options *o, struct error *err)
{
	cleanup_runtime_user struct runtime_user u = { 0 };
	cleanup_strvec struct strvec dirs = STRVEC_INIT;
	struct json *swap;

	if (o->mode != RUNTIME_RANGE || !e->name || !o->image->n_layers ||
	    !is_wanted(usual_user(o), o) || !is_ours(o))
		return 0;
	for (size_t i = 0; i < o->image->n_layers; i++)
		strvec_push_own(&dirs, store_layer_fs(e->store,
						      o->image->layers[i].id));
	if (look_up(e, &dirs, usual_user(o), &u, err) < 0)
		return -1;
	if (!u.uid)
		return 0;
	e->swap = (struct runtime_swap){ u.uid, u.gid, e->dir };
	swap = json_set(e->state, "swap", json_new_object());
	json_set_int(swap, "uid", u.uid);
	json_set_int(swap, "gid", u.gid);
	return copy_image(e, o, err);
}

void owner_recall(struct env *e)
{
	const struct json *swap = json_get(e->state, "swap");
	int64_t uid = 0, gid = 0;

	if (json_get_int(swap, "uid", &uid) && uid > 0 && uid < UINT32_MAX &&
	    json_get_int(swap, "gid", &gid) && gid >= 0 && gid < UINT32_MAX)
		e->swap = (struct runtime_swap){ (uid_t)uid, (gid_t)gid,
						 e->dir };
}

int owner_volumes(const struct env_options *o, const struct runtime_swap *swap,
		  struct error *err)
{
	for (size_t i = 0; o->mode == RUNTIME_RANGE && i < o->n_mounts; i++)
		if (o->mounts[i].volume &&
		    store_volume_owners(o->mounts[i].source, swap->uid,
					swap->gid, err) < 0)
			return -1;
	return 0;
}

/* --- of mounts --- */

static void warn(const struct env *e, const struct runtime_mount *m,
		 const char *why)
{
	log_warn("'%s' belongs to somebody else than '%s' in there: %s",
		 m->target, e->user, why);
}

/* The rest goes on without: the user may have no need to write. */
static int give(struct env *e, const struct env_options *o,
		const struct runtime_user *u, struct runtime_mount *m,
		struct error *err)
{
	cleanup_error struct error why = ERROR_INIT;
	struct stat st;

	if (stat(m->source, &st) < 0)
		return error_errno(err, "cannot look at '%s'", m->source);
	if (st.st_uid == u->uid || (e->swap.uid && !st.st_uid))
		return 0;
	if (o->mode != RUNTIME_ROOT) {
		warn(e, m, "only root can show as another user's what is not "
			   "the caller's");
		return 0;
	}
	if (runtime_bind_as(m->source, u->uid, u->gid, &m->tree, &why) >= 0)
		return 0;
	if (why.code != ERR_HOST)
		return error_move(err, &why);
	warn(e, m, why.msg);
	return 0;
}

/*
 * A user's directories may be that user's alone, with a group that has no id in
 * a namespace: root of one, who is not that user there, cannot pass.
 */
static int open_binds(struct owner_mounts *m, struct error *err)
{
	for (size_t i = 0; i < m->n; i++) {
		struct runtime_mount *one = &m->v[i];

		if (one->source && !one->tree &&
		    runtime_bind_open(one, &one->tree, err) < 0)
			return -1;
	}
	return 0;
}

void owner_release(struct owner_mounts *m)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (m->v[i].tree)
			close(m->v[i].tree);
	free(m->v);
}

int owner_mounts(struct env *e, const struct env_options *o,
		 const struct strvec *lowers, struct owner_mounts *out,
		 struct error *err)
{
	cleanup_runtime_user struct runtime_user u = { 0 };
	cleanup_strvec struct strvec dirs = STRVEC_INIT;
	bool known = false;
	size_t i;

	out->n = o->n_mounts;
	out->v = xcalloc(out->n + 1, sizeof(*out->v));
	if (out->n)
		memcpy(out->v, o->mounts, out->n * sizeof(*out->v));
	/* With one id, everybody owns what is ours. */
	if (e->swap.uid && open_binds(out, err) < 0)
		return -1;
	if (o->mode == RUNTIME_SINGLE || !is_wanted(e->user, o))
		return 0;
	/* What is written there may name users that the image does not. */
	if (e->swap.uid)
		strvec_push_own(&dirs, path_join(e->dir, "lower"));
	else
		strvec_copy(&dirs, lowers);
	strvec_push_own(&dirs, path_join(e->dir, "upper"));
	for (i = 0; i < out->n; i++) {
		if (!out->v[i].as_user)
			continue;
		if (!known && look_up(e, &dirs, e->user, &u, err) < 0)
			return -1;
		known = true;
		if (u.uid && give(e, o, &u, &out->v[i], err) < 0)
			return -1;
	}
	return 0;
}
