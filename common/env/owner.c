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

static bool is_root(const char *user)
{
	return !*user || str_eq(user, "root") || str_eq(user, "0");
}

/* Before there is a sandbox: what is written in the environment may name
 * users that the image does not. */
static int look_up(struct env *e, const struct strvec *lowers,
		   struct runtime_user *u, struct error *err)
{
	cleanup_strvec struct strvec dirs = STRVEC_INIT;
	cleanup_free char *at = path_join(e->dir, "look");
	cleanup_close int root = -1;
	int rc;

	strvec_copy(&dirs, lowers);
	strvec_push_own(&dirs, path_join(e->dir, "upper"));
	if (mkdir(at, 0700) < 0 && errno != EEXIST)
		return error_errno(err, "cannot create '%s'", at);
	if (runtime_mount_overlay((const char *const *)dirs.v, dirs.nr, NULL,
				  NULL, at, err) < 0)
		return -1;
	root = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = root < 0 ? error_errno(err, "cannot open '%s'", at)
		      : runtime_user_lookup(root, e->user, u, err);
	if (root >= 0)
		close(steal_fd(&root));
	if (runtime_umount(at, rc ? NULL : err) < 0)
		return -1;
	(void)rmdir(at);
	return rc;
}

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
	if (st.st_uid == u->uid)
		return 0;
	if (o->mode != RUNTIME_ROOT) {
		warn(e, m, "only root can show a directory as another user's");
		return 0;
	}
	if (runtime_bind_as(m->source, u->uid, u->gid, &m->tree, &why) >= 0)
		return 0;
	if (why.code != ERR_HOST)
		return error_move(err, &why);
	warn(e, m, why.msg);
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
	const struct json *wanted = json_get(o->config, "updateRemoteUserUID");
	bool known = false;
	size_t i;

	out->n = o->n_mounts;
	out->v = xcalloc(out->n + 1, sizeof(*out->v));
	if (out->n)
		memcpy(out->v, o->mounts, out->n * sizeof(*out->v));
	/* With one id, everybody owns what is ours. */
	if (o->mode == RUNTIME_SINGLE || is_root(e->user) ||
	    (wanted && !json_bool(wanted)))
		return 0;
	for (i = 0; i < out->n; i++) {
		if (!out->v[i].as_user)
			continue;
		if (!known && look_up(e, lowers, &u, err) < 0)
			return -1;
		known = true;
		if (u.uid && give(e, o, &u, &out->v[i], err) < 0)
			return -1;
	}
	return 0;
}
