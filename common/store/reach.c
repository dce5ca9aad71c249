/* reach.c - which layers and blobs something in the store needs */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/reach.h"

#include <fcntl.h>
#include <unistd.h>

void reach_release(struct reach *r)
{
	free(r->items);
	free(r->todo);
	*r = (struct reach){ 0 };
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct reach_item *)a)->name,
		      ((const struct reach_item *)b)->name);
}

static int add_names(struct reach *r, const char *dir, bool layers,
		     struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (store_list(r->s, dir, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++) {
		struct reach_item *item;

		GROW(r->items, r->n, r->alloc);
		item = &r->items[r->n++];
		*item = (struct reach_item){ .layer = layers,
					     .bytes = UINT64_MAX };
		snprintf(item->name, sizeof(item->name), "%s", names.v[i]);
	}
	return 0;
}

int reach_init(struct reach *r, struct store *s, struct error *err)
{
	*r = (struct reach){ .s = s };
	if (add_names(r, "layers", true, err) < 0 ||
	    add_names(r, "blobs/sha256", false, err) < 0)
		return -1;
	if (r->n)
		qsort(r->items, r->n, sizeof(*r->items), compare);
	return 0;
}

void reach_path(const struct reach_item *item, char path[REACH_PATH])
{
	snprintf(path, REACH_PATH, "%s/%s",
		 item->layer ? "layers" : "blobs/sha256", item->name);
}

uint64_t reach_bytes(struct reach *r, struct reach_item *item)
{
	char path[REACH_PATH];
	uint64_t files;

	if (item->bytes != UINT64_MAX)
		return item->bytes;
	reach_path(item, path);
	/* What vanishes meanwhile takes no room. */
	if (store_disk_usage(r->s, path, &item->bytes, &files, NULL) < 0)
		item->bytes = 0;
	return item->bytes;
}

/* A layer and a blob may share a name: the second follows the first. */
static struct reach_item *find(struct reach *r, const char *name)
{
	struct reach_item key = { .layer = false }, *item;

	memcpy(key.name, name, DIGEST_HEX);
	key.name[DIGEST_HEX] = '\0';
	if (!r->n)
		return NULL;
	item = bsearch(&key, r->items, r->n, sizeof(key), compare);
	while (item && item > r->items && !compare(item - 1, &key))
		item--;
	return item;
}

static void touch(struct reach *r, const char *name)
{
	struct reach_item *item = find(r, name);

	for (; item && item < r->items + r->n &&
	       !strncmp(item->name, name, DIGEST_HEX); item++) {
		if (item->live)
			continue;
		item->live = true;
		GROW(r->todo, r->n_todo, r->alloc_todo);
		r->todo[r->n_todo++] = (size_t)(item - r->items);
	}
}

/* Whatever has 64 hexadecimal digits in a text of ours may name a layer or a
 * blob; one too many kept does no harm. */
static void touch_names(struct reach *r, const char *text, size_t n)
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
			touch(r, text + i - run);
		run = 0;
	}
}

static int touch_names_in(struct reach *r, const char *path,
			  struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (fs_read_at(r->s->fd, path, REACH_TEXT_MAX, &text, err) < 0)
		return -1;
	touch_names(r, text.buf, text.len);
	return 0;
}

/* Manifests and configurations name layers; a layer names its compressed
 * form. */
static int follow(struct reach *r, const struct reach_item *item,
		  struct error *err)
{
	struct store_meta meta;
	char path[REACH_PATH];
	struct stat st;

	if (item->layer) {
		if (store_get_meta(r->s, item->name, &meta, NULL) == 0)
			touch_names(r, meta.blob, strlen(meta.blob));
		return 0;
	}
	reach_path(item, path);
	if (fstatat(r->s->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    st.st_size > OCI_MANIFEST_MAX)
		return 0;
	return touch_names_in(r, path, err);
}

int reach_from(struct reach *r, const char *path, uint64_t *bytes,
	       struct error *err)
{
	size_t first = r->n_todo = 0;

	if (touch_names_in(r, path, err) < 0)
		return -1;
	while (first < r->n_todo)
		if (follow(r, &r->items[r->todo[first++]], err) < 0)
			return -1;
	for (size_t i = 0; bytes && i < r->n_todo; i++)
		*bytes += reach_bytes(r, &r->items[r->todo[i]]);
	return 0;
}

static int from_state(struct reach *r, const char *path, uint64_t *bytes,
		      struct error *err)
{
	struct stat st;

	if (fstatat(r->s->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode) || (uint64_t)st.st_size > REACH_TEXT_MAX)
		return 0;
	return reach_from(r, path, bytes, err);
}

/* State files are right below run/<name>; what is deeper is the file system
 * of the environment. */
static int from_run(struct reach *r, const char *name, uint64_t *bytes,
		    struct error *err)
{
	cleanup_free char *dir = xstrfmt("run/%s", name);
	cleanup_strvec struct strvec files = STRVEC_INIT;
	struct stat st;

	if (fstatat(r->s->fd, dir, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISDIR(st.st_mode))
		return 0;
	if (store_list(r->s, dir, &files, err) < 0)
		return -1;
	for (size_t i = 0; i < files.nr; i++) {
		cleanup_free char *path = xstrfmt("%s/%s", dir, files.v[i]);

		if (from_state(r, path, bytes, err) < 0)
			return -1;
	}
	return 0;
}

int reach_from_runs(struct reach *r, uint64_t *bytes, struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (store_list(r->s, "run", &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++)
		if (from_run(r, names.v[i], bytes, err) < 0)
			return -1;
	return 0;
}

void reach_undo(struct reach *r)
{
	for (size_t i = 0; i < r->n_todo; i++)
		r->items[r->todo[i]].live = false;
	r->n_todo = 0;
}
