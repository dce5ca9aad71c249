/* run_mount.c - RUN --mount: from what the text says to what is mounted */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "build/run.h"

#define SECRET_MODE 0400
#define SSH_MODE 0600

static const struct build_secret *find_secret(const struct build *b,
					      const char *id)
{
	size_t i;

	for (i = b->o->n_secrets; i-- > 0;) /* the last one counts */
		if (str_eq(b->o->secrets[i].id, id))
			return &b->o->secrets[i];
	return NULL;
}

static const struct build_ssh *find_ssh(const struct build *b, const char *id)
{
	size_t i;

	for (i = b->o->n_ssh; i-- > 0;)
		if (str_eq(b->o->ssh[i].id, id))
			return &b->o->ssh[i];
	return NULL;
}

/* A missing secret or agent is none, unless the step asks for it. */
static int missing(const struct build_mount *mount, struct error *err)
{
	bool ssh = mount->m.type == DF_MOUNT_SSH;

	if (!mount->m.required)
		return 0;
	error_set(err, ERR_INPUT, ssh ? "ssh agent '%s': not found"
				      : "secret '%s': not found", mount->id);
	return ssh ? error_hint(err, "give it with --ssh %s[=SOCKET|KEY]",
				mount->id)
		   : error_hint(err, "give it with --secret id=%s,src=FILE",
				mount->id);
}

static struct runtime_mount *add(struct run_mounts *r,
				 enum runtime_mount_kind kind,
				 const struct build_mount *mount)
{
	struct runtime_mount *one = &r->v[r->nr++];

	*one = (struct runtime_mount){ .kind = kind,
				       .target = xstrdup(mount->target),
				       .read_only = mount->m.read_only };
	return one;
}

static int open_secret(struct run_mounts *r, const struct build_mount *mount,
		       struct error *err)
{
	const struct build_secret *s = find_secret(r->b, mount->id);
	struct runtime_mount *one;

	if (!s)
		return missing(mount, err);
	if (mount->env && strlen(s->value.buf) != s->value.len)
		return error_set(err, ERR_INPUT, "the secret '%s' has a zero "
				 "byte: no variable can hold it", mount->id);
	if (mount->env)
		strvec_env_set(&r->env, mount->env, s->value.buf);
	if (!mount->target)
		return 0;
	one = add(r, RUNTIME_FILE, mount);
	one->data = s->value.buf;
	one->size = s->value.len;
	one->uid = mount->m.uid;
	one->gid = mount->m.gid;
	one->mode = mount->m.has_mode ? mount->m.mode : SECRET_MODE;
	return 0;
}

static int open_ssh(struct run_mounts *r, const struct build_mount *mount,
		    struct error *err)
{
	const struct build_ssh *s = find_ssh(r->b, mount->id);
	struct ssh_agent *agent = &r->agents[r->n_agents];
	cleanup_free char *name = xstrfmt("ssh-%zu", r->n_agents);
	cleanup_free char *dir = path_join(r->dir, name);
	const struct ssh_owner owner = {
		.uid = mount->m.uid,
		.gid = mount->m.gid,
		.mode = mount->m.has_mode ? mount->m.mode : SSH_MODE,
		.keep = r->b->o->single_id,
	};

	if (!s)
		return missing(mount, err);
	if (mkdir(dir, 0700) < 0)
		return error_errno(err, "cannot create '%s'", dir);
	*agent = (struct ssh_agent)SSH_AGENT_INIT;
	r->n_agents++;
	if (ssh_agent_start(agent, s, dir, &owner, err) < 0)
		return -1;
	add(r, RUNTIME_BIND, mount)->source = path_join(dir, SSH_RELAY_SOCKET);
	if (mount->env)
		strvec_env_set(&r->env, mount->env, mount->target);
	return 0;
}

/* What of a cache is seen; without a seed `source` is a part of the cache
 * itself. */
static void open_cache(struct run_mounts *r, const struct build_mount *mount)
{
	struct runtime_mount *one = add(r, RUNTIME_BIND, mount);

	one->source = xstrdup(run_cache_dir(r, mount));
	if (mount->m.source && !mount->m.from)
		one->below = path_join("/", mount->m.source);
}

static int open_bind(struct run_mounts *r, const struct build_mount *mount,
		     struct error *err)
{
	struct runtime_mount *one = add(r, RUNTIME_BIND, mount);

	return run_source_open(r, mount, one, err);
}

static int open_one(struct run_mounts *r, const struct build_mount *mount,
		    struct error *err)
{
	struct runtime_mount *one;

	switch (mount->m.type) {
	case DF_MOUNT_SECRET:
		return open_secret(r, mount, err);
	case DF_MOUNT_SSH:
		return open_ssh(r, mount, err);
	case DF_MOUNT_CACHE:
		open_cache(r, mount);
		return 0;
	case DF_MOUNT_TMPFS:
		one = add(r, RUNTIME_TMPFS, mount);
		if (mount->m.size)
			one->options = xstrfmt("size=%llu", (unsigned long long)
					       mount->m.size);
		return 0;
	default:
		return open_bind(r, mount, err);
	}
}

/* Variables need no mount. All else is refused before a source is opened: a
 * tree that can be written there is the stage's own. */
static int check_driver(struct build *b, const struct build_step *step,
			struct error *err)
{
	size_t i;

	for (i = 0; b->o->by_chroot && i < step->n_mounts; i++) {
		const struct build_mount *mount = &step->mounts[i];

		if (!mount->target || run_copy_can(b, mount))
			continue;
		error_set(err, ERR_HOST, "RUN --mount=type=%s cannot be had by "
			  "chroot, which is all there is without the right to "
			  "mount", dockerfile_mount_type_name(mount->m.type));
		return error_hint(err, "run devenv with CAP_SYS_ADMIN, or as a "
				       "user who may make user namespaces");
	}
	return 0;
}

int run_mounts_open(struct run_mounts *r, struct build *b,
		    const struct build_step *step, struct error *err)
{
	size_t i;

	*r = (struct run_mounts){ .b = b, .step = step, .root = -1 };
	/* One more, for a script. */
	r->v = xcalloc(step->n_mounts + 1, sizeof(*r->v));
	r->views = xcalloc(step->n_mounts + 1, sizeof(*r->views));
	r->drafts = xcalloc(step->n_mounts + 1, sizeof(*r->drafts));
	r->agents = xcalloc(step->n_mounts + 1, sizeof(*r->agents));
	if (!step->n_mounts)
		return 0;
	if (check_driver(b, step, err) < 0)
		return -1;
	r->dir = path_join(b->scratch, RUN_DIR);
	if (mkdir(r->dir, 0700) < 0)
		return error_errno(err, "cannot create '%s'", r->dir);
	if (run_caches_take(r, err) < 0)
		return -1;
	for (i = 0; i < step->n_mounts; i++)
		if (open_one(r, &step->mounts[i], err) < 0)
			return -1;
	return 0;
}

void run_mounts_close(struct run_mounts *r)
{
	size_t i;

	run_copies_take(r);
	for (i = 0; i < r->nr; i++) {
		free(r->v[i].target);
		free(r->v[i].source);
		free(r->v[i].below);
		free(r->v[i].options);
	}
	while (r->n_agents)
		ssh_agent_stop(&r->agents[--r->n_agents]);
	while (r->n_views)
		source_close(r->b, &r->views[--r->n_views]);
	while (r->n_drafts)
		store_draft_drop(r->b->o->store, &r->drafts[--r->n_drafts]);
	run_caches_release(r);
	if (r->dir && fs_remove_tree(AT_FDCWD, r->dir, NULL) < 0)
		log_debug("cannot remove '%s'", r->dir);
	free(r->dir);
	strvec_release(&r->env);
	free(r->v);
	free(r->views);
	free(r->drafts);
	free(r->agents);
}

static void key_number(struct cache_key *k, const char *name, uint64_t n)
{
	cleanup_free char *text = xstrfmt("%llu", (unsigned long long)n);

	cache_key_add(k, name, text);
}

/* Neither the value of a secret, nor what a cache holds, nor whom it is
 * shared with. */
static int key_one(struct build *b, const struct build_mount *mount,
		   struct cache_key *k, struct error *err)
{
	const struct dockerfile_mount *m = &mount->m;

	cache_key_add(k, "mount", dockerfile_mount_type_name(m->type));
	cache_key_add(k, "target", mount->target ? mount->target : "");
	cache_key_add(k, "ro", m->read_only ? "1" : "0");
	if (m->type == DF_MOUNT_TMPFS)
		key_number(k, "size", m->size);
	if (m->has_mode)
		key_number(k, "mode", m->mode);
	if (m->has_owner) {
		key_number(k, "uid", m->uid);
		key_number(k, "gid", m->gid);
	}
	if (m->type == DF_MOUNT_SECRET || m->type == DF_MOUNT_SSH) {
		cache_key_add(k, "id", mount->id);
		cache_key_add(k, "variable", mount->env ? mount->env : "");
		cache_key_add(k, "required", m->required ? "1" : "0");
	}
	if (m->type == DF_MOUNT_BIND || (m->type == DF_MOUNT_CACHE && m->from))
		return run_source_key(b, mount, k, err);
	return 0;
}

int run_mounts_key(struct build *b, const struct build_step *step,
		   struct cache_key *k, struct error *err)
{
	size_t i;

	for (i = 0; i < step->n_mounts; i++)
		if (key_one(b, &step->mounts[i], k, err) < 0)
			return -1;
	return 0;
}
