/* fetch.c - missing layers of an image, fetched and unpacked side by side */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "build/await.h"
#include "build/stage.h"
#include "store/lock.h"

#define WORKERS_MAX 4 /* more only compete for the disk */

/* A layer on its way: first as a blob, then as a process that unpacks it. */
struct fetch {
	struct fetching *all;
	struct store *store;
	const struct store_image *image;
	const struct store_image_layer *layer;
	bool ours;	     /* to fetch: its lock is held */
	const char *foreign; /* else the lock that another process holds */
	bool pulled; /* has to be: its blob is not here */
	struct store_writer *writer;
	pid_t pid;
	int report; /* what the worker has to say when it fails */
};

struct fetching {
	struct fetch *v;
	size_t nr;
	int locks; /* of the layers that are ours, and of blobs to be pulled */
};

static void fetching_release(struct fetching *f)
{
	size_t i;

	for (i = 0; i < f->nr; i++) {
		store_writer_free(f->v[i].writer);
		if (f->v[i].pid > 0)
			waitpid(f->v[i].pid, NULL, 0);
		base_close_fd(&f->v[i].report);
	}
	store_unlock(&f->locks);
	free(f->v);
}

static int write_blob(void *arg, const void *data, size_t n,
		      struct error *err)
{
	struct fetch *f = arg;

	if (!f->writer && store_writer_new(f->store, &f->writer, err) < 0)
		return -1;
	return store_writer_write(f->writer, data, n, err);
}

static int restart_blob(void *arg, struct error *err)
{
	struct fetch *f = arg;

	return f->writer ? store_writer_restart(f->writer, err) : 0;
}

static void blob_digest(void *arg, char digest[DIGEST_TEXT])
{
	struct fetch *f = arg;

	if (f->writer)
		store_writer_digest(f->writer, digest);
	else
		digest_bytes("", 0, digest);
}

static int resume_blob(void *arg, uint64_t *have, struct error *err)
{
	struct fetch *f = arg;
	const struct oci_descriptor *d = &f->layer->desc;

	return store_writer_resume(f->store, d->digest, d->size, &f->writer,
				   have, err);
}

static const char *origin_of(const struct fetch *f)
{
	return build_layer_origin(f->image, f->layer);
}

static int unpack(struct fetch *f, struct error *err)
{
	const struct oci_descriptor *d = &f->layer->desc;
	struct store_meta meta = { .blob_size = d->size };
	cleanup_close int fd = store_open_blob(f->store, d->digest, err);
	const char *base;

	if (fd < 0)
		return -1;
	memcpy(meta.blob, d->digest, DIGEST_TEXT);
	snprintf(meta.media_type, sizeof(meta.media_type), "%s",
		 d->media_type);
	if (origin_of(f))
		snprintf(meta.origin, sizeof(meta.origin), "%s", origin_of(f));
	if (!store_unpack(f->store, fd, f->layer->diff_id, &meta, err))
		return 0;
	base = store_blob_base(f->store, d->digest);
	return base ? error_hint(err, "it is from the base store '%s': mend "
				 "that, or go on without it", base)
		    : -1;
}

/* code, NUL-terminated message, NUL-terminated hint */
static NORETURN void worker(struct fetch *f, int out)
{
	struct error err = ERROR_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (!unpack(f, &err))
		_exit(0);
	strbuf_addf(&text, "%d", err.code);
	strbuf_addch(&text, '\0');
	strbuf_add(&text, err.msg, strlen(err.msg) + 1);
	if (err.hint)
		strbuf_addstr(&text, err.hint);
	(void)!write(out, text.buf, text.len);
	_exit(1);
}

static int finish_worker(struct fetch *f, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const char *msg, *hint;
	int status = 0;
	long code;

	if (f->pid <= 0)
		return 0;
	if (fs_read_fd(f->report, 1 << 16, &text, err) < 0)
		return -1;
	while (waitpid(f->pid, &status, 0) < 0 && errno == EINTR)
		;
	f->pid = 0;
	store_lock_drop(f->all->locks, f->layer->id);
	if (!status)
		return 0;
	code = strtol(text.buf, NULL, 10);
	msg = text.buf + strlen(text.buf) + 1;
	if (code <= 0 || msg >= text.buf + text.len)
		return error_set(err, ERR_SYSTEM,
				 "unpacking the layer %s was ended by a "
				 "signal", f->layer->diff_id);
	error_set(err, (enum error_code)code, "layer %.19s: %s",
		  f->layer->diff_id, msg);
	hint = msg + strlen(msg) + 1;
	if (hint < text.buf + text.len)
		error_hint(err, "%s", hint);
	return -1;
}

/* Wait for the oldest worker when there are enough. */
static int make_room(struct fetching *all, struct error *err)
{
	struct fetch *oldest = NULL;
	size_t running = 0, i;

	for (i = 0; i < all->nr; i++) {
		if (all->v[i].pid <= 0)
			continue;
		running++;
		if (!oldest)
			oldest = &all->v[i];
	}
	return running < WORKERS_MAX ? 0 : finish_worker(oldest, err);
}

static int start_worker(struct fetch *f, struct error *err)
{
	int fds[2];

	if (make_room(f->all, err) < 0)
		return -1;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	f->pid = fork();
	if (f->pid < 0) {
		close(fds[0]);
		close(fds[1]);
		return error_errno(err, "cannot fork");
	}
	if (!f->pid)
		worker(f, fds[1]);
	close(fds[1]);
	f->report = fds[0];
	return 0;
}

/* A layer that came uncompressed has one name with its blob. */
static void drop_blob(const struct fetch *f)
{
	const char *name = digest_hex(f->layer->desc.digest);

	if (!str_eq(name, f->layer->id))
		store_lock_drop(f->all->locks, name);
}

static int blob_done(void *arg, struct error *err)
{
	struct fetch *f = arg;
	char digest[DIGEST_TEXT];

	memcpy(digest, f->layer->desc.digest, DIGEST_TEXT);
	if (f->writer &&
	    store_writer_commit(f->writer, digest, NULL, err) < 0)
		return -1;
	f->writer = NULL;
	drop_blob(f);
	return start_worker(f, err);
}

/* Layers that are not unpacked, each once. */
static void plan(struct fetching *f, struct store *s,
		 const struct store_image *image)
{
	size_t i, j;

	f->v = xcalloc(image->n_layers, sizeof(*f->v));
	for (i = 0; i < image->n_layers; i++) {
		const struct store_image_layer *l = &image->layers[i];

		for (j = 0; j < f->nr; j++)
			if (str_eq(f->v[j].layer->id, l->id))
				break;
		if (j == f->nr && !store_has_layer(s, l->id))
			f->v[f->nr++] = (struct fetch){
				.all = f,
				.store = s,
				.image = image,
				.layer = l,
				.report = -1,
			};
	}
}

static int layer_gone(const struct fetch *f, struct error *err)
{
	error_set(err, ERR_SYSTEM, "the layer %s is no longer in the store",
		  f->layer->id);
	return error_hint(err, "name the base store that had it with "
			       "--base-store, or build the image again");
}

/* Those whose blob is here are unpacked; the others remain to be pulled. */
static int unpack_known(struct fetching *f, struct error *err)
{
	size_t i;

	for (i = 0; i < f->nr; i++) {
		struct fetch *one = &f->v[i];
		const char *digest = one->layer->desc.digest;

		if (!one->ours)
			continue;
		if (!*digest)
			return layer_gone(one, err);
		if (!one->pulled && start_worker(one, err) < 0)
			return -1;
	}
	return 0;
}

/* What is to be had from the same place as `first`, at once. */
static int pull_from(struct fetching *f, struct registry **r,
		     const struct registry_options *o, size_t first,
		     struct error *err)
{
	const char *origin = origin_of(&f->v[first]);
	cleanup_free struct registry_blob *blobs =
		xcalloc(f->nr, sizeof(*blobs));
	size_t n = 0, i;

	if (!origin)
		return layer_gone(&f->v[first], err);
	for (i = first; i < f->nr; i++) {
		struct fetch *one = &f->v[i];

		if (!one->pulled || !str_eq_null(origin_of(one), origin))
			continue;
		one->pulled = false;
		blobs[n++] = (struct registry_blob){
			.desc = one->layer->desc,
			.sink = { write_blob, restart_blob, one, blob_digest,
				  resume_blob },
			.done = blob_done,
		};
	}
	return cache_pull(r, o, origin, blobs, n, err);
}

/* `name` is the layer's or its blob's. 1 it is ours, 0 another's, -1. */
static int take_lock(struct fetch *one, const char *name, struct error *err)
{
	int rc = store_lock_add(one->store, name, &one->all->locks, err);

	if (!rc)
		one->foreign = name;
	return rc;
}

/* Somebody may fetch the blob alone. */
static int claim_blob(struct fetch *one, struct error *err)
{
	const char *digest = one->layer->desc.digest;
	int rc;

	if (!*digest || store_has_blob(one->store, digest, NULL))
		return 1;
	rc = take_lock(one, digest_hex(digest), err);
	one->pulled = rc > 0 && !store_has_blob(one->store, digest, NULL);
	if (rc > 0 && !one->pulled)
		drop_blob(one);
	return rc;
}

/* Of what nobody else fetches. A layer may have come since it was missed. */
static int claim(struct fetching *f, struct error *err)
{
	size_t i;

	for (i = 0; i < f->nr; i++) {
		struct fetch *one = &f->v[i];
		int rc = take_lock(one, one->layer->id, err);

		if (!rc)
			continue;
		if (rc > 0 && !store_has_layer(one->store, one->layer->id))
			rc = claim_blob(one, err);
		else if (rc > 0)
			rc = 0;
		if (rc < 0)
			return -1;
		one->ours = rc;
		if (!rc)
			store_lock_drop(f->locks, one->layer->id);
	}
	return 0;
}

static int pull(struct fetching *f, struct registry **r,
		const struct registry_options *o, struct error *err)
{
	size_t i;

	if (unpack_known(f, err) < 0)
		return -1;
	for (i = 0; i < f->nr; i++) {
		if (!f->v[i].pulled)
			continue;
		if (pull_from(f, r, o, i, err) < 0)
			return -1;
	}
	return 0;
}

static int finish(struct fetching *f, struct error *err)
{
	size_t i;

	for (i = 0; i < f->nr; i++)
		if (finish_worker(&f->v[i], err) < 0)
			return -1;
	return 0;
}

/* With no lock held. 1: what others did may have failed, so look again. */
static int wait_for_others(struct fetching *f, struct error *err)
{
	int waited = 0;
	size_t i;

	store_unlock(&f->locks);
	for (i = 0; i < f->nr; i++) {
		const struct fetch *one = &f->v[i];

		if (!one->foreign)
			continue;
		waited = 1;
		if (await_fetch(one->store, one->foreign, &one->layer->desc,
				err) < 0)
			return -1;
	}
	return waited;
}

int build_fetch_layers(struct store *s, struct registry **r,
		       const struct registry_options *o,
		       const struct store_image *image, struct error *err)
{
	int rc = 1;

	while (rc > 0) {
		CLEANUP(fetching_release) struct fetching f = { .locks = -1 };

		plan(&f, s, image);
		rc = claim(&f, err);
		if (!rc)
			rc = pull(&f, r, o, err);
		if (!rc)
			rc = finish(&f, err);
		if (!rc)
			rc = wait_for_others(&f, err);
	}
	return rc;
}
