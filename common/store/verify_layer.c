/* verify_layer.c - files of layers against the digests known of them */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/verify.h"

#include <errno.h>

#define OTHER_DIGEST "its files have another digest"

static int add_bytes(void *arg, const void *data, size_t n,
		     struct error *err UNUSED)
{
	digest_update(arg, data, n);
	return 0;
}

/* Of the top of a chain as a tar. */
static int chain_digest(struct store *s, const char *const *chain, size_t n,
			char digest[DIGEST_TEXT], struct error *err)
{
	cleanup_digest struct digest d;

	digest_init(&d, true);
	if (store_layer_tar(s, chain, n, add_bytes, &d, err) < 0)
		return -1;
	digest_final_text(&d, digest);
	return 0;
}

static void note(struct verify *v, const char *id, const char *what)
{
	if (!verify_has(v, DAMAGE_LAYER, id))
		verify_note(v, DAMAGE_LAYER, id, "layers/%s: %s", id, what);
}

/*
 * Other programs write archives that we would write in another way. What
 * became of one when it was unpacked is what becomes of it now.
 */
static int compare_with_blob(struct verify *v, const char *id,
			     const struct store_meta *meta,
			     const char digest[DIGEST_TEXT], struct error *err)
{
	cleanup_close int fd = -1;
	char other[DIGEST_TEXT];

	if (!*meta->blob || verify_has(v, DAMAGE_BLOB, meta->blob) ||
	    !store_has_blob(v->s, meta->blob, NULL))
		return 0; /* nothing says what it has to be */
	fd = store_open_blob(v->s, meta->blob, err);
	if (fd < 0 ||
	    unpack_digest(v->s, fd, meta->diff_id, meta, other, err) < 0)
		return error_wrap(err, "layer %.12s", id);
	if (str_eq(digest, other))
		verify_set_sound(v, id);
	else
		note(v, id, "its files are not those of its blob");
	return 0;
}

/* One whose id is its diff id was unpacked, and stands for itself. */
static int check_unpacked(struct verify *v, const char *id,
			  const struct store_meta *meta, struct error *err)
{
	cleanup_error struct error why = ERROR_INIT;
	char digest[DIGEST_TEXT];

	if (chain_digest(v->s, &id, 1, digest, &why) < 0) {
		if (why.sys == ENOENT && !store_has_layer(v->s, id))
			return 0;
		note(v, id, why.msg);
		return 0;
	}
	if (!str_eq(digest, meta->diff_id))
		return compare_with_blob(v, id, meta, digest, err);
	verify_set_sound(v, id);
	return 0;
}

/* One that was made here is what it changes of those below. The digest known
 * of it may come from another chain than this one: false is a suspicion. */
static bool check_made(struct verify *v, const char *const *chain, size_t n,
		       const struct store_meta *meta)
{
	cleanup_error struct error why = ERROR_INIT;
	const char *id = chain[n - 1];
	char digest[DIGEST_TEXT];

	if (chain_digest(v->s, chain, n, digest, &why) < 0) {
		log_debug("%s", why.msg);
		return !store_has_layer(v->s, id); /* removed meanwhile */
	}
	if (!str_eq(digest, meta->diff_id))
		return false;
	verify_set_sound(v, id);
	return true;
}

/* From the lowest up, as far as all below is sound: damage there would show
 * in what lies on it. */
static int check_chain(struct verify *v, const struct store_image *image,
		       struct strvec *suspects, struct error *err)
{
	cleanup_free const char **chain =
		xcalloc(image->n_layers + 1, sizeof(*chain));

	for (size_t i = 0; i < image->n_layers; i++) {
		const char *id = image->layers[i].id;
		struct store_meta meta;

		chain[i] = id;
		/* A store below is for its owner to look after. */
		if (verify_is_sound(v, id) ||
		    (store_has_layer(v->s, id) && !layer_is_own(v->s, id)))
			continue;
		if (verify_has(v, DAMAGE_LAYER, id) ||
		    store_get_meta(v->s, id, &meta, NULL) < 0)
			return 0;
		if (!*meta.diff_id)
			continue;
		if (str_eq(digest_hex(meta.diff_id), id)) {
			if (check_unpacked(v, id, &meta, err) < 0)
				return -1;
		} else if (!check_made(v, chain, i + 1, &meta)) {
			strvec_push(suspects, id);
			return 0;
		}
	}
	return 0;
}

/* Layers that no image has are looked at when they stand for themselves. */
static int check_others(struct verify *v, struct error *err)
{
	cleanup_strvec struct strvec ids = STRVEC_INIT;

	if (store_list(v->s, "layers", &ids, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.nr; i++) {
		const char *id = ids.v[i];
		struct store_meta meta;

		if (store_get_meta(v->s, id, &meta, NULL) < 0 ||
		    !*meta.diff_id || verify_is_sound(v, id) ||
		    verify_has(v, DAMAGE_LAYER, id))
			continue;
		if (meta.alone && !check_made(v, &id, 1, &meta))
			note(v, id, OTHER_DIGEST);
		else if (!meta.alone && str_eq(digest_hex(meta.diff_id), id) &&
			 check_unpacked(v, id, &meta, err) < 0)
			return -1;
	}
	return 0;
}

int verify_layers(struct verify *v, struct error *err)
{
	cleanup_store_images struct store_images images = { .nr = 0 };
	cleanup_strvec struct strvec suspects = STRVEC_INIT;

	if (census_images(v->s, &images, err) < 0)
		return -1;
	for (size_t i = 0; i < images.nr; i++)
		if (check_chain(v, &images.v[i].image, &suspects, err) < 0)
			return -1;
	for (size_t i = 0; i < suspects.nr; i++)
		if (!verify_is_sound(v, suspects.v[i]))
			note(v, suspects.v[i], OTHER_DIGEST);
	return check_others(v, err);
}
