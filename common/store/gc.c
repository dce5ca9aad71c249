/* gc.c - remove what nothing refers to any more */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define TEXT_MAX ((size_t)32 << 20)

struct gc {
	struct store *s;
	uint64_t max_age;
	bool dry_run;
	time_t now;
	struct strvec live; /* hexadecimal names; the first `sorted` are */
	size_t sorted;
	struct store_gc_result *result;
};

/* Whatever has 64 hexadecimal digits in a text of ours names a layer or a
 * blob; one too many kept does no harm. */
static void find_names(struct gc *g, const char *text, size_t n)
{
	size_t run = 0;

	for (size_t i = 0; i <= n; i++) {
		bool hex = i < n && ((text[i] >= '0' && text[i] <= '9') ||
				     (text[i] >= 'a' && text[i] <= 'f'));

		if (hex) {
			run++;
			continue;
		}
		if (run == DIGEST_HEX)
			strvec_push_own(&g->live, xstrndup(text + i - run,
							   run));
		run = 0;
	}
}

static int find_names_in(struct gc *g, const char *path, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (fs_read_at(g->s->fd, path, TEXT_MAX, &text, err) < 0)
		return -1;
	find_names(g, text.buf, text.len);
	return 0;
}

static uint64_t tree_size(struct store *s, const char *path)
{
	uint64_t bytes = 0, files = 0;

	if (store_disk_usage(s, path, &bytes, &files, NULL) < 0)
		return 0;
	return bytes;
}

static int discard(struct gc *g, const char *path, size_t *count,
		   struct error *err)
{
	g->result->bytes += tree_size(g->s, path);
	++*count;
	return g->dry_run ? 0 : store_discard(g->s, path, err);
}

static bool expired(const struct gc *g, const char *path)
{
	struct stat st;

	return g->max_age &&
	       fstatat(g->s->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_mtime + (time_t)g->max_age < g->now;
}

static int walk(struct gc *g, const char *dir,
		int (*visit)(struct gc *g, const char *path, const char *name,
			     struct error *err), struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (store_list(g->s, dir, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_free char *path = xstrfmt("%s/%s", dir, names.v[i]);

		if (visit(g, path, names.v[i], err) < 0)
			return -1;
	}
	return 0;
}

/* An image that no reference shows has one name only: its record is linked
 * once for each. */
static int visit_image(struct gc *g, const char *path, const char *name,
		       struct error *err)
{
	struct stat st;

	if (str_starts(name, "id-") && expired(g, path) &&
	    fstatat(g->s->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_nlink == 1)
		return discard(g, path, &g->result->images, err);
	return find_names_in(g, path, err);
}

static int visit_cache(struct gc *g, const char *path, const char *name UNUSED,
		       struct error *err)
{
	if (expired(g, path))
		return discard(g, path, &g->result->cache, err);
	return find_names_in(g, path, err);
}

static int visit_state(struct gc *g, const char *path, const char *name UNUSED,
		       struct error *err)
{
	struct stat st;

	if (fstatat(g->s->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode) || (uint64_t)st.st_size > TEXT_MAX)
		return 0;
	return find_names_in(g, path, err);
}

/* State files are right below run/<name>; what is deeper is the file system
 * of the environment. */
static int visit_run(struct gc *g, const char *path, const char *name UNUSED,
		     struct error *err)
{
	struct stat st;

	if (fstatat(g->s->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISDIR(st.st_mode))
		return 0;
	return walk(g, path, visit_state, err);
}

static bool is_live(const struct gc *g, const char *name)
{
	size_t low = 0, high = g->sorted;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = strcmp(g->live.v[mid], name);

		if (!c)
			return true;
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

static int visit_layer(struct gc *g, const char *path, const char *name,
		       struct error *err)
{
	if (is_live(g, name) && store_has_layer(g->s, name))
		return 0;
	return discard(g, path, &g->result->layers, err);
}

static int visit_blob(struct gc *g, const char *path, const char *name,
		      struct error *err)
{
	return is_live(g, name) ? 0 : discard(g, path, &g->result->blobs, err);
}

/* A blob that stays may itself name others: manifests and configurations
 * name layers, and a layer that stays names its compressed form. */
static int follow_blob(struct gc *g, const char *path, const char *name,
		       struct error *err)
{
	struct stat st;

	if (!is_live(g, name) ||
	    fstatat(g->s->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    st.st_size > OCI_MANIFEST_MAX)
		return 0;
	return find_names_in(g, path, err);
}

static int follow_layer(struct gc *g, const char *path UNUSED,
			const char *name, struct error *err UNUSED)
{
	struct store_meta meta;

	if (is_live(g, name) && store_get_meta(g->s, name, &meta, NULL) == 0)
		find_names(g, meta.blob, strlen(meta.blob));
	return 0;
}

static void sort_live(struct gc *g)
{
	if (g->live.nr)
		strvec_sort(&g->live);
	g->sorted = g->live.nr;
}

static int follow(struct gc *g, struct error *err)
{
	if (walk(g, "layers", follow_layer, err) < 0 ||
	    walk(g, "blobs/sha256", follow_blob, err) < 0)
		return -1;
	sort_live(g);
	return 0;
}

static int mark(struct gc *g, struct error *err)
{
	if (walk(g, "images", visit_image, err) < 0 ||
	    walk(g, "cache", visit_cache, err) < 0 ||
	    walk(g, "run", visit_run, err) < 0)
		return -1;
	sort_live(g);
	/* Record, manifest, configuration or layer, blob of the layer: three
	 * rounds follow the longest way. */
	for (int i = 0; i < 3; i++) {
		if (follow(g, err) < 0)
			return -1;
	}
	return 0;
}

int store_gc(struct store *s, uint64_t max_age, bool dry_run,
	     struct store_gc_result *result, struct error *err)
{
	struct gc g = { s, max_age, dry_run, time(NULL), STRVEC_INIT, 0,
			result };
	int rc;

	memset(result, 0, sizeof(*result));
	if (flock(s->use_fd, LOCK_EX | LOCK_NB) < 0) {
		error_set(err, ERR_SYSTEM,
			  "another devenv process uses store '%s'", s->path);
		return error_hint(err, "wait until it ends");
	}
	rc = mark(&g, err);
	if (rc == 0)
		rc = walk(&g, "layers", visit_layer, err);
	if (rc == 0)
		rc = walk(&g, "blobs/sha256", visit_blob, err);
	strvec_release(&g.live);
	if (flock(s->use_fd, LOCK_SH) < 0)
		log_debug("cannot go back to a shared lock");
	return rc;
}
