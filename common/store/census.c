/* census.c - the images of a store, and who needs how much of its room */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/reach.h"

#include <fcntl.h>
#include <unistd.h>

/* --- images --- */

static void use_release(struct store_image_use *u)
{
	store_image_release(&u->image);
	strvec_release(&u->references);
}

void store_images_release(struct store_images *i)
{
	for (size_t k = 0; k < i->nr; k++)
		use_release(&i->v[k]);
	free(i->v);
	*i = (struct store_images){ .nr = 0 };
}

uint64_t store_image_size(const struct store *s, const struct store_image *i)
{
	uint64_t size = 0;

	for (size_t k = 0; k < i->n_layers; k++) {
		const struct store_image_layer *l = &i->layers[k];
		struct store_meta meta;

		if (l->desc.size)
			size += l->desc.size;
		else if (store_get_meta(s, l->id, &meta, NULL) == 0)
			size += meta.blob_size ? meta.blob_size : meta.size;
	}
	return size;
}

static void add_platform(const struct oci_platform *p, struct strvec *out)
{
	cleanup_free char *text = oci_platform_format(p);

	if (!strvec_has(out, text))
		strvec_push(out, text);
}

void store_image_platforms(const struct store *s, const struct store_image *i,
			   struct strvec *out)
{
	cleanup_oci_index struct oci_index x = { .n = 0 };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	add_platform(&i->config.platform, out);
	if (!*i->index ||
	    store_read_blob(s, i->index, OCI_MANIFEST_MAX, &text, NULL) < 0 ||
	    oci_index_parse(&x, text.buf, text.len, NULL) < 0)
		return;
	for (size_t k = 0; k < x.n; k++)
		if (x.v[k].image && x.v[k].platform.os && x.v[k].platform.arch)
			add_platform(&x.v[k].platform, out);
}

/* One whose id is not known yet has one name, and is that. */
static struct store_image_use *find_use(struct store_images *all,
					const struct store_image *image)
{
	for (size_t i = 0; *image->config_digest && i < all->nr; i++)
		if (str_eq(all->v[i].image.config_digest, image->config_digest))
			return &all->v[i];
	GROW(all->v, all->nr, all->alloc);
	all->v[all->nr] = (struct store_image_use){ .used = 0 };
	return &all->v[all->nr++];
}

struct reading {
	struct store *s;
	struct store_images all;
};

static void add_image(void *arg, const char *path, struct store_image *image)
{
	struct reading *r = arg;
	struct store_image_use *u;
	struct stat st;

	if (fstatat(r->s->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return; /* removed since */
	u = find_use(&r->all, image);
	if (store_record_is_ref(path) && image->reference)
		strvec_push(&u->references, image->reference);
	u->used = MAX(u->used, st.st_mtim.tv_sec);
	if (u->image.layers)
		return;
	u->image = *image;
	memset(image, 0, sizeof(*image));
}

static int compare_uses(const void *va, const void *vb)
{
	const struct store_image_use *a = va, *b = vb;
	const char *x = a->references.nr ? a->references.v[0] : "~";
	const char *y = b->references.nr ? b->references.v[0] : "~";
	int order = strcmp(x, y);

	return order ? order
		     : strcmp(a->image.config_digest, b->image.config_digest);
}

void census_sort(struct store_images *images)
{
	for (size_t k = 0; k < images->nr; k++)
		if (images->v[k].references.nr)
			strvec_sort(&images->v[k].references);
	if (images->nr)
		qsort(images->v, images->nr, sizeof(*images->v), compare_uses);
}

static int read_images(struct store *s, bool warn, struct store_images *out,
		       struct error *err)
{
	struct reading r = { .s = s };

	if (store_each_record(s, warn, add_image, &r, err) < 0)
		return -1;
	census_sort(&r.all);
	*out = r.all;
	return 0;
}

int store_images(struct store *s, struct store_images *out, struct error *err)
{
	return read_images(s, true, out, err);
}

int census_images(struct store *s, struct store_images *out, struct error *err)
{
	return read_images(s, false, out, err);
}

/* --- room --- */

/* What one image needs: indices into the items of the reach. */
struct needs {
	size_t *v;
	size_t nr, alloc;
};

struct census {
	struct store *s;
	struct reach reach;
	struct needs *needs; /* of each image */
	unsigned int *users; /* images that need an item */
	struct store_census *out;
};

void store_census_release(struct store_census *c)
{
	store_images_release(&c->images);
}

static void census_release(struct census *c)
{
	for (size_t k = 0; c->needs && k < c->out->images.nr; k++)
		free(c->needs[k].v);
	free(c->needs);
	free(c->users);
	reach_release(&c->reach);
}

static int need(struct census *c, struct needs *n, const char *record,
		struct error *err)
{
	/* Any of its names may be gone meanwhile. */
	if (faccessat(c->s->fd, record, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (reach_from(&c->reach, record, NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < c->reach.n_todo; i++) {
		GROW(n->v, n->nr, n->alloc);
		n->v[n->nr++] = c->reach.todo[i];
		c->users[c->reach.todo[i]]++;
	}
	return 0;
}

static int need_image(struct census *c, size_t k, struct error *err)
{
	const struct store_image_use *u = &c->out->images.v[k];
	struct needs *n = &c->needs[k];
	char name[STORE_RECORD];

	for (size_t i = 0; i < u->references.nr; i++) {
		store_record_of_ref(name, u->references.v[i]);
		if (need(c, n, name, err) < 0)
			return -1;
	}
	if (*u->image.config_digest) {
		store_record_of_id(name, digest_hex(u->image.config_digest));
		if (need(c, n, name, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < n->nr; i++)
		c->reach.items[n->v[i]].live = false;
	return 0;
}

static void share_out(struct census *c)
{
	struct store_census *out = c->out;

	for (size_t k = 0; k < out->images.nr; k++) {
		struct store_image_use *u = &out->images.v[k];

		for (size_t i = 0; i < c->needs[k].nr; i++) {
			const size_t at = c->needs[k].v[i];
			struct reach_item *item = &c->reach.items[at];
			const uint64_t bytes = reach_bytes(&c->reach, item);
			const bool alone = c->users[at] == 1;

			*(alone ? &u->own : &u->shared) += bytes;
			if (!item->live)
				*(alone ? &out->own : &out->shared) += bytes;
			item->live = true;
		}
	}
}

static int count_images(struct census *c, struct error *err)
{
	size_t n = c->out->images.nr;

	c->needs = xcalloc(n + 1, sizeof(*c->needs));
	c->users = xcalloc(c->reach.n + 1, sizeof(*c->users));
	for (size_t k = 0; k < n; k++)
		if (need_image(c, k, err) < 0)
			return -1;
	share_out(c);
	return 0;
}

static int add_usage(struct census *c, const char *dir, uint64_t *bytes,
		     struct error *err)
{
	uint64_t here, files;

	if (store_disk_usage(c->s, dir, &here, &files, err) < 0)
		return -1;
	*bytes += here;
	return 0;
}

/* A directory with its entries; how many there are. */
static int count_dir(struct census *c, const char *dir, uint64_t *bytes,
		     size_t *n, struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (store_list(c->s, dir, &names, err) < 0)
		return -1;
	*n = names.nr;
	return add_usage(c, dir, bytes, err);
}

/* What is remembered, and what nothing else needs. */
static int count_steps(struct census *c, struct error *err)
{
	cleanup_strvec struct strvec keys = STRVEC_INIT;

	if (store_list(c->s, "cache", &keys, err) < 0)
		return -1;
	for (size_t i = 0; i < keys.nr; i++) {
		cleanup_free char *path = xstrfmt("cache/%s", keys.v[i]);

		if (faccessat(c->s->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
		    reach_from(&c->reach, path, &c->out->steps, err) < 0)
			return -1;
	}
	return 0;
}

static int count_rest(struct census *c, struct error *err)
{
	struct store_census *o = c->out;
	uint64_t known;

	for (size_t i = 0; i < c->reach.n; i++)
		if (!c->reach.items[i].live)
			o->unused += reach_bytes(&c->reach, &c->reach.items[i]);
	known = o->own + o->shared + o->environments + o->steps + o->mounts +
		o->context + o->unused;
	if (add_usage(c, ".", &o->total, err) < 0)
		return -1;
	/* Others may be writing; and parts of shared files are rounded. */
	o->total = MAX(o->total, known);
	o->other = o->total - known;
	return 0;
}

static int count_all(struct census *c, struct error *err)
{
	struct store_census *o = c->out;
	size_t ignored;

	if (reach_init(&c->reach, c->s, err) < 0 ||
	    store_images(c->s, &o->images, err) < 0 ||
	    count_images(c, err) < 0 ||
	    reach_from_runs(&c->reach, &o->environments, err) < 0 ||
	    count_dir(c, "run", &o->environments, &o->n_environments, err) <
		    0 ||
	    count_steps(c, err) < 0 ||
	    count_dir(c, "cache", &o->steps, &o->n_steps, err) < 0 ||
	    count_dir(c, "mounts", &o->mounts, &o->n_mounts, err) < 0 ||
	    count_dir(c, "context", &o->context, &ignored, err) < 0)
		return -1;
	return count_rest(c, err);
}

int store_census(struct store *s, struct store_census *out, struct error *err)
{
	struct store_census result = { .total = 0 };
	struct census c = { .s = s, .out = &result };
	int rc = count_all(&c, err);

	census_release(&c);
	if (rc < 0)
		store_census_release(&result);
	else
		*out = result;
	return rc;
}
