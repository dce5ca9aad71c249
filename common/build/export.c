/* export.c - an image as a layout, an archive, or plain files */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "build/history.h"
#include "build/stage.h"
#include "wrap/tarwrite.h"

/* --- one place to write to: a directory, or a tar --- */

struct sink {
	int dir;	   /* >= 0: files below it */
	struct tarwrite t; /* else */
	int fd;
};

static int write_fd(void *arg, const void *data, size_t n, struct error *err)
{
	return fs_write_all(*(int *)arg, data, n, err);
}

static int put_bytes(struct sink *k, const char *path, const char *data,
		     size_t n, struct error *err)
{
	struct tar_entry e = { .path = path,
			       .mode = S_IFREG | 0644,
			       .size = n };
	int fd, rc;

	if (k->dir >= 0)
		return fs_write_atomic(k->dir, path, data, n, 0644, err);
	fd = memfd_create("devenv", MFD_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "cannot make a file in memory");
	rc = fs_write_all(fd, data, n, err);
	if (!rc && lseek(fd, 0, SEEK_SET) < 0)
		rc = error_errno(err, "cannot rewind");
	if (!rc)
		rc = tarwrite_header(&k->t, &e, err);
	if (!rc)
		rc = tarwrite_file(&k->t, fd, n, path, err);
	close(fd);
	return rc;
}

static int put_blob(struct sink *k, struct store *s, const char *digest,
		    struct error *err)
{
	cleanup_free char *path = xstrfmt("blobs/sha256/%s",
					  digest_hex(digest));
	cleanup_close int in = store_open_blob(s, digest, err), out = -1;
	struct tar_entry e = { .path = path, .mode = S_IFREG | 0644 };
	struct stat st;

	if (in < 0)
		return -1;
	if (fstat(in, &st) < 0)
		return error_errno(err, "cannot stat a blob");
	e.size = (uint64_t)st.st_size;
	if (k->dir < 0) {
		if (tarwrite_header(&k->t, &e, err) < 0)
			return -1;
		return tarwrite_file(&k->t, in, e.size, path, err);
	}
	out = openat(k->dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		     0644);
	if (out < 0)
		return error_errno(err, "cannot create '%s'", path);
	return fs_copy_data(in, out, e.size, err);
}

static int put_dir(struct sink *k, const char *path, struct error *err)
{
	struct tar_entry e = { .path = path, .mode = S_IFDIR | 0755 };

	if (k->dir < 0)
		return tarwrite_header(&k->t, &e, err);
	if (mkdirat(k->dir, path, 0755) < 0 && errno != EEXIST)
		return error_errno(err, "cannot create '%s'", path);
	return 0;
}

/* --- OCI layout, and what docker reads beside it --- */

/* One image on its way out: itself, or what it was rewritten to. */
struct packed {
	struct store_image *image, other;
	struct build_manifest m;
};

static void packed_release(struct packed *p)
{
	store_image_release(&p->other);
	build_manifest_release(&p->m);
}

/* What index.json tells of. */
struct top {
	const char *type, *digest;
	size_t size;
	const struct oci_config *config; /* NULL: of several platforms */
};

static void index_text(const struct top *top, const char *const *names,
		       struct strbuf *out)
{
	cleanup_json struct json *j = json_new_object();
	struct json *list = json_set(j, "manifests", json_new_array());
	static const char *const unnamed[] = { NULL, NULL };
	size_t i = 0;

	json_set_int(j, "schemaVersion", 2);
	json_set_str(j, "mediaType", OCI_INDEX);
	if (!names || !*names)
		names = unnamed;
	do {
		struct json *d = json_push(list, json_new_object());
		const char *tag = names[i] ? strrchr(names[i], ':') : NULL;
		struct json *a;

		json_set_str(d, "mediaType", top->type);
		json_set_str(d, "digest", top->digest);
		json_set_int(d, "size", (int64_t)top->size);
		if (top->config)
			json_set(d, "platform",
				 oci_config_platform(top->config));
		if (!names[i])
			break;
		a = json_set(d, "annotations", json_new_object());
		json_set_str(a, "org.opencontainers.image.ref.name",
			     tag && !strchr(tag, '/') ? tag + 1 : names[i]);
		json_set_str(a, "io.containerd.image.name", names[i]);
	} while (names[++i]);
	json_write(out, j, false);
}

static void docker_text(const struct build_manifest *m,
			const char *const *names, struct strbuf *out)
{
	cleanup_json struct json *j = json_new_array();
	struct json *one = json_push(j, json_new_object());
	struct json *tags = json_set(one, "RepoTags", json_new_array());
	struct json *layers = json_set(one, "Layers", json_new_array());
	cleanup_free char *config =
		xstrfmt("blobs/sha256/%s",
			digest_hex(m->parsed.config.digest));
	size_t i;

	json_set_str(one, "Config", config);
	for (i = 0; names && names[i]; i++)
		json_push(tags, json_new_str(names[i]));
	for (i = 0; i < m->parsed.n_layers; i++) {
		cleanup_free char *path =
			xstrfmt("blobs/sha256/%s",
				digest_hex(m->parsed.layers[i].digest));

		json_push(layers, json_new_str(path));
	}
	json_write(out, j, false);
}

/* A layer that occurs twice is one blob, and a tar must not hold it twice. */
static int put_once(struct sink *k, struct store *s, const char *digest,
		    struct strvec *done, struct error *err)
{
	if (strvec_has(done, digest))
		return 0;
	strvec_push(done, digest);
	return put_blob(k, s, digest, err);
}

static int put_image(struct sink *k, struct store *s, const struct packed *p,
		     struct strvec *done, struct error *err)
{
	size_t i;

	for (i = 0; i < p->m.parsed.n_layers; i++)
		if (put_once(k, s, p->m.parsed.layers[i].digest, done, err) <
		    0)
			return -1;
	if (put_once(k, s, p->m.parsed.config.digest, done, err) < 0)
		return -1;
	return put_once(k, s, p->image->manifest, done, err);
}

static int put_index(struct sink *k, const struct build_export *x,
		     const struct packed *v, struct error *err)
{
	cleanup_strbuf struct strbuf index = STRBUF_INIT, text = STRBUF_INIT;
	struct top top = { OCI_MANIFEST, v->image->manifest, v->m.body.len,
			   &v->image->config };
	cleanup_free const struct store_image **images =
		xcalloc(x->n, sizeof(*images));
	cleanup_free char *path = NULL;
	char digest[DIGEST_TEXT];
	size_t i;

	for (i = 0; i < x->n; i++)
		images[i] = v[i].image;
	if (x->n > 1) {
		if (build_index_text(x->store, images, x->n, &index, err) < 0)
			return -1;
		digest_bytes(index.buf, index.len, digest);
		path = xstrfmt("blobs/sha256/%s", digest_hex(digest));
		top = (struct top){ OCI_INDEX, digest, index.len, NULL };
		if (put_bytes(k, path, index.buf, index.len, err) < 0)
			return -1;
	}
	index_text(&top, x->names, &text);
	return put_bytes(k, "index.json", text.buf, text.len, err);
}

static int put_layout(struct sink *k, const struct build_export *x,
		      const struct packed *v, bool docker, struct error *err)
{
	static const char version[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	cleanup_strbuf struct strbuf manifest = STRBUF_INIT;
	cleanup_strvec struct strvec done = STRVEC_INIT;
	size_t i;

	if (put_dir(k, "blobs", err) < 0 ||
	    put_dir(k, "blobs/sha256", err) < 0)
		return -1;
	for (i = 0; i < x->n; i++)
		if (put_image(k, x->store, &v[i], &done, err) < 0)
			return -1;
	if (put_bytes(k, "oci-layout", version, sizeof(version) - 1, err) < 0)
		return -1;
	docker_text(&v->m, x->names, &manifest);
	if (docker && put_bytes(k, "manifest.json", manifest.buf,
				manifest.len, err) < 0)
		return -1;
	return put_index(k, x, v, err);
}

/* Layers that only a registry has, as of a base that nothing needed. */
static int local_blob(const struct build_export *x,
		      const struct store_image *image,
		      const struct oci_descriptor *d, struct error *err)
{
	cleanup_free char *origin = NULL;

	if (store_has_blob(x->store, d->digest, NULL))
		return 0;
	origin = build_origin_of(x->store, image, d->digest);
	if (!origin)
		return error_set(err, ERR_SYSTEM,
				 "blob %s is not in the store and nothing says "
				 "where it came from", d->digest);
	return build_bring_blobs(x->store, x->registry, x->options, origin, d,
				 1, err);
}

static int local_blobs(const struct build_export *x,
		       const struct store_image *image, struct error *err)
{
	size_t i;

	for (i = 0; i < image->n_layers; i++)
		if (local_blob(x, image, &image->layers[i].desc, err) < 0 ||
		    build_check_layer(x->store, &image->layers[i], err) < 0)
			return -1;
	return 0;
}

static int pack(const struct build_export *x, struct build_result *result,
		bool rewrite, struct packed *p, struct error *err)
{
	struct build_export one = *x;

	one.result = result;
	p->image = rewrite ? &p->other : &result->image;
	if (rewrite && build_rewrite(&one, &p->other, err) < 0)
		return -1;
	if (build_materialize(x->store, x->registry, x->options, p->image,
			      &p->m, err) < 0)
		return -1;
	return local_blobs(x, p->image, err);
}

static int write_layout(const struct build_export *x,
			const struct build_output *o, int fd,
			struct error *err)
{
	struct sink k = { .dir = o->directory ? fd : -1, .fd = fd };
	cleanup_free struct packed *v = xcalloc(x->n, sizeof(*v));
	size_t i;
	int rc = 0;

	for (i = 0; i < x->n; i++)
		v[i].m = (struct build_manifest)BUILD_MANIFEST_INIT;
	for (i = 0; !rc && i < x->n; i++)
		rc = pack(x, &x->result[i], o->rewrite, &v[i], err);
	tarwrite_init(&k.t, write_fd, &k.fd);
	if (!rc)
		rc = put_layout(&k, x, v, o->kind == BUILD_OUTPUT_DOCKER,
				err);
	if (!rc && !o->directory)
		rc = tarwrite_end(&k.t, err);
	tarwrite_release(&k.t);
	for (i = 0; i < x->n; i++)
		packed_release(&v[i]);
	return rc;
}

/* --- flattened --- */

static int flat(const struct build_export *x, const struct build_output *o,
		int fd, struct error *err)
{
	const struct store_image *image = &x->result->image;
	cleanup_free const char **ids = build_chain(image);
	const struct store_chain chain = {
		.ids = ids,
		.n = image->n_layers,
		.young = o->rewrite ? x->result->base_layers : image->n_layers,
		.latest = x->result->epoch,
	};

	if (build_fetch_layers(x->store, x->registry, x->options, image,
			       err) < 0)
		return -1;
	if (o->kind == BUILD_OUTPUT_LOCAL)
		return store_flat_copy(x->store, &chain, o->dest, err);
	return store_flat_tar(x->store, &chain, write_fd, &fd, err);
}

static int write_output(const struct build_export *x,
			const struct build_output *o, int fd,
			struct error *err)
{
	if (o->kind == BUILD_OUTPUT_TAR || o->kind == BUILD_OUTPUT_LOCAL)
		return flat(x, o, fd, err);
	return write_layout(x, o, fd, err);
}

/* An archive appears as a whole or not at all. */
static int to_file(const struct build_export *x, const struct build_output *o,
		   struct error *err)
{
	cleanup_free char *temp = xstrfmt("%s.%d.tmp", o->dest, (int)getpid());
	cleanup_close int fd = -1;
	int special = fs_open_special(o->dest, &fd, err);

	if (special < 0)
		return -1;
	if (special && write_output(x, o, fd, err) < 0)
		return error_wrap(err, "%s", o->dest);
	if (special)
		return 0;
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return error_errno(err, "cannot create '%s'", temp);
	if (write_output(x, o, fd, err) < 0) {
		unlink(temp);
		return -1;
	}
	if (rename(temp, o->dest) < 0) {
		error_errno(err, "cannot replace '%s'", o->dest);
		unlink(temp);
		return -1;
	}
	return 0;
}

int build_export(const struct build_export *x, const struct build_output *o,
		 struct error *err)
{
	cleanup_close int dir = -1;

	if (x->n > 1 && o->kind != BUILD_OUTPUT_OCI)
		return error_set(err, ERR_USAGE,
				 "--output: only type=oci holds several "
				 "platforms");
	if (o->rewrite && x->result->epoch < 0) {
		error_set(err, ERR_USAGE, "--output rewrite-timestamp=true "
					  "needs a time to go by");
		return error_hint(err, "give --build-arg SOURCE_DATE_EPOCH="
				       "SECONDS");
	}
	if (o->kind == BUILD_OUTPUT_LOCAL)
		return flat(x, o, -1, err);
	if (o->directory) {
		if (fs_mkdir_p(o->dest, 0755, err) < 0)
			return -1;
		dir = open(o->dest, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0)
			return error_errno(err, "cannot open '%s'", o->dest);
		return write_output(x, o, dir, err);
	}
	if (str_eq(o->dest, "-"))
		return write_output(x, o, STDOUT_FILENO, err);
	return to_file(x, o, err);
}
