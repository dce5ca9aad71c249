/* source_remote.c - sources that are fetched: known by state, read as trees */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "build/source.h"

static void state_free(struct source_state *s)
{
	free(s->id);
	free(s->etag);
	free(s->modified);
	free(s->commit);
	free(s->ref);
	free(s);
}

void source_remote_release_all(struct build *b)
{
	while (b->n_remotes)
		state_free(b->remotes[--b->n_remotes]);
	free(b->remotes);
}

/* Two sources that get the same files have the same text here. */
static char *identify(const struct build_remote *r)
{
	const struct dockerfile_git *g = &r->git;

	if (!r->is_git)
		return xstrfmt("%s\n%s\n%s", r->url, r->name,
			       r->checksum ? r->checksum : "");
	return xstrfmt("git %d %d %d\n%s\n%s\n%s", r->keep_git_dir,
		       g->submodules, g->mtime_commit, g->remote,
		       g->ref ? g->ref : "", r->checksum ? r->checksum : "");
}

static struct source_state *find_known(const struct build *b, const char *id)
{
	size_t i;

	for (i = 0; i < b->n_remotes; i++)
		if (str_eq(b->remotes[i]->id, id))
			return b->remotes[i];
	return NULL;
}

const struct source_state *source_remote_known(const struct build *b,
					       const struct build_remote *r)
{
	cleanup_free char *id = identify(r);

	return find_known(b, id);
}

int source_remote_find(struct build *b, const struct build_remote *r,
		       struct source_state **out, struct error *err)
{
	cleanup_free char *id = identify(r);
	struct source_state *s = find_known(b, id);
	int rc;

	*out = s;
	if (s)
		return 0;
	s = xcalloc(1, sizeof(*s));
	s->id = steal_ptr(&id);
	rc = r->is_git ? source_git_find(b, r, s, err)
		       : source_http_find(b, r, s, err);
	if (rc < 0) {
		state_free(s);
		return -1;
	}
	GROW(b->remotes, b->n_remotes, b->alloc_remotes);
	b->remotes[b->n_remotes++] = s;
	*out = s;
	return 0;
}

int source_remote_key(struct build *b, const struct build_remote *r,
		      struct cache_key *k, struct error *err)
{
	struct source_state *s;

	if (source_remote_find(b, r, &s, err) < 0)
		return -1;
	if (r->is_git)
		source_git_key(r, s, k);
	else
		source_http_key(r, s, k);
	return 0;
}

/* Links in a repository lead no further than its top. */
static int open_subdir(const struct build_remote *r, int top,
		       struct error *err)
{
	const char *subdir = r->is_git ? r->git.subdir : NULL;
	int fd = fs_open_in_root(top, subdir ? subdir : ".",
				 O_RDONLY | O_DIRECTORY, 0);

	if (fd >= 0)
		return fd;
	return error_errno_code(err, ERR_INPUT, "%s: cannot open the "
				"directory '%s'", r->url, subdir);
}

int source_remote_open(struct build *b, const struct build_remote *r,
		       struct source_view *view, struct error *err)
{
	cleanup_free char *dir = NULL;
	cleanup_close int top = -1;
	struct source_state *s;

	*view = (struct source_view){ .tree = { .fd = -1 } };
	if (source_remote_find(b, r, &s, err) < 0)
		return -1;
	if (!s->layer[0] && (r->is_git ? source_git_fetch(b, r, s, err)
				       : source_http_fetch(b, r, s, err)) < 0)
		return -1;
	dir = store_layer_fs(b->o->store, s->layer);
	top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return error_errno(err, "cannot open '%s'", dir);
	view->tree.fd = open_subdir(r, top, err);
	view->owned = view->tree.fd >= 0;
	return view->owned ? 0 : -1;
}

/* All of a repository, or the one file of a download. */
static void take_remote(const struct build_remote *r, struct source_part *p)
{
	static char all[] = ".", only[] = "*";

	p->remote = r;
	p->one[0] = r->is_git ? all : only;
	p->step.sources.v = p->one;
	p->step.sources.nr = 1;
	p->step.parents = false;
	if (p->step.unpack != BUILD_UNPACK_YES)
		p->step.unpack = BUILD_UNPACK_NO;
}

bool source_next_part(const struct build_step *step, size_t *at,
		      struct source_part *p)
{
	size_t nr = step->sources.nr, end = *at;

	if (*at > nr)
		return false;
	*p = (struct source_part){ .step = *step };
	while (end < nr && !build_step_remote(step, end))
		end++;
	if (end == *at && end < nr) {
		p->step.n_files = 0;
		take_remote(build_step_remote(step, end), p);
		++*at;
		return true;
	}
	p->step.sources.v = step->sources.v + *at;
	p->step.sources.nr = end - *at;
	if (end < nr)
		p->step.n_files = 0;
	*at = end < nr ? end : nr + 1;
	return true;
}
