/* archive.c - images in tar files: OCI archives, and docker's made into one */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "build/internal.h"
#include "wrap/compress.h"
#include "wrap/ring.h"

#define BLOBS "blobs/sha256"

void build_archive_release(struct build_archive *a)
{
	if (a->dir)
		store_scratch_drop(a->store, a->dir, a->lock);
	free(a->dir);
	*a = (struct build_archive)BUILD_ARCHIVE_INIT;
}

static bool has(int dirfd, const char *name, mode_t type)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (st.st_mode & S_IFMT) == type;
}

/* A link in place of a directory would lead out of the archive. */
static bool is_layout(int dirfd)
{
	return has(dirfd, "oci-layout", S_IFREG) &&
	       has(dirfd, "index.json", S_IFREG) &&
	       has(dirfd, "blobs", S_IFDIR) && has(dirfd, BLOBS, S_IFDIR);
}

/* --- docker's form: uncompressed layers, named by a manifest.json --- */

/* A layer on its way into the blobs: hashed, compressed, hashed again. */
struct packing {
	int fd;
	uint64_t size;
	struct digest packed;
};

static int pack_write(void *arg, const void *data, size_t n,
		      struct error *err)
{
	struct packing *p = arg;

	digest_update(&p->packed, data, n);
	p->size += n;
	return fs_write_all(p->fd, data, n, err);
}

/* Full chunks but for the last: the result does not depend on how the input
 * came. */
static ssize_t read_chunk(struct decompress *d, char *buf, struct error *err)
{
	size_t have = 0;
	ssize_t n;

	do {
		n = decompress_read(d, buf + have, RING_CHUNK - have, err);
		if (n < 0)
			return -1;
		have += (size_t)n;
	} while (n && have < RING_CHUNK);
	return (ssize_t)have;
}

static int pack(struct packing *p, int in, char plain[DIGEST_TEXT],
		struct error *err)
{
	cleanup_free char *buf = xmalloc(RING_CHUNK);
	cleanup_decompress struct decompress *d = NULL;
	cleanup_compress struct compress *c = NULL;
	cleanup_digest struct digest sum;
	ssize_t n;

	digest_init(&sum, true);
	if (decompress_new(&d, compress_read_fd, &in, err) < 0 ||
	    compress_new(&c, COMPRESS_GZIP, 0, pack_write, p, err) < 0)
		return -1;
	while ((n = read_chunk(d, buf, err)) > 0) {
		digest_update(&sum, buf, (size_t)n);
		if (compress_write(c, buf, (size_t)n, err) < 0)
			return -1;
	}
	if (n < 0 || compress_end(c, err) < 0)
		return -1;
	digest_final_text(&sum, plain);
	return 0;
}

/* What is no file (a FIFO would never end) is none here either. */
static int open_file(int dirfd, const char *path, struct error *err)
{
	cleanup_close int fd = fs_open_in_root(dirfd, path,
					       O_RDONLY | O_NONBLOCK, 0);
	struct stat st;

	if (fd < 0)
		return error_errno_code(err, ERR_INPUT, "cannot open '%s'",
					path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return error_set(err, ERR_INPUT, "'%s' is no file", path);
	return steal_fd(&fd);
}

static int add_layer(int dirfd, int blobs, const char *path,
		     const char *diff_id, struct oci_manifest *m,
		     struct error *err)
{
	cleanup_close int in = open_file(dirfd, path, err), out = -1;
	struct packing p = { 0 };
	char plain[DIGEST_TEXT], digest[DIGEST_TEXT];
	int rc;

	if (in < 0)
		return -1;
	out = openat(blobs, "new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		     0600);
	if (out < 0)
		return error_errno(err, "cannot create a blob");
	p.fd = out;
	digest_init(&p.packed, true);
	rc = pack(&p, in, plain, err);
	digest_final_text(&p.packed, digest);
	if (rc < 0)
		return error_wrap(err, "layer '%s'", path);
	if (!str_eq(plain, diff_id))
		return error_set(err, ERR_INPUT,
				 "layer '%s' is %s, where the configuration "
				 "says %.80s", path, plain, diff_id);
	if (renameat(blobs, "new", blobs, digest_hex(digest)) < 0)
		return error_errno(err, "cannot name a blob");
	oci_manifest_add_layer(m, OCI_LAYER_GZIP, digest, p.size);
	return 0;
}

static bool is_named(const struct json *entry, const char *name)
{
	cleanup_oci_ref struct oci_ref ref = { 0 };
	cleanup_free char *full = NULL;
	const struct json *tag;

	if (oci_ref_parse(&ref, name, NULL) == 0)
		full = oci_ref_format(&ref);
	tag = json_first(json_get(entry, "RepoTags"));
	for (; tag; tag = json_next(tag)) {
		const char *text = json_str(tag);

		if (str_eq_null(text, name) ||
		    (full && str_eq_null(text, full)))
			return true;
	}
	return false;
}

static const struct json *choose(const struct json *list, const char *name,
				 struct error *err)
{
	const struct json *entry = json_first(list);
	const char *example;

	if (!name && json_len(list) == 1)
		return entry;
	for (; name && entry; entry = json_next(entry))
		if (is_named(entry, name))
			return entry;
	example = json_str(json_first(json_get(json_first(list), "RepoTags")));
	error_set(err, ERR_INPUT,
		  name ? "no image has the name '%s'"
		       : "there is not exactly one image%s", name ? name : "");
	if (example)
		error_hint(err, "name one with docker-archive:FILE:NAME, for "
				"example %s", example);
	return NULL;
}

static int add_config(int dirfd, int blobs, const char *path,
		      struct oci_config *config, struct oci_manifest *m,
		      struct error *err)
{
	cleanup_close int fd = open_file(dirfd, path, err);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char digest[DIGEST_TEXT];

	if (fd < 0)
		return -1;
	if (fs_read_fd(fd, OCI_CONFIG_MAX, &text, err) < 0 ||
	    oci_config_parse(config, text.buf, text.len, err) < 0)
		return error_wrap(err, "configuration '%s'", path);
	digest_bytes(text.buf, text.len, digest);
	oci_descriptor_set(&m->config, OCI_CONFIG, digest, text.len);
	return fs_write_atomic(blobs, digest_hex(digest), text.buf, text.len,
			       0600, err);
}

static int convert(int dirfd, int blobs, const struct json *entry,
		   struct oci_manifest *m, struct error *err)
{
	const char *path = json_get_str(entry, "Config");
	const struct json *layers = json_get(entry, "Layers");
	cleanup_oci_config struct oci_config config = { 0 };
	const struct json *layer = json_first(layers);
	size_t i;

	if (!path || json_kind(layers) != JSON_ARRAY)
		return error_set(err, ERR_INPUT,
				 "manifest.json lacks 'Config' or 'Layers'");
	if (add_config(dirfd, blobs, path, &config, m, err) < 0)
		return -1;
	if (json_len(layers) != config.diff_ids.nr ||
	    config.diff_ids.nr > OCI_LAYERS_MAX)
		return error_set(err, ERR_INPUT,
				 "manifest.json lists %zu layers, the "
				 "configuration %zu", json_len(layers),
				 config.diff_ids.nr);
	for (i = 0; i < config.diff_ids.nr; i++, layer = json_next(layer)) {
		const char *name = json_str(layer);

		if (!name)
			return error_set(err, ERR_INPUT,
					 "manifest.json: a layer is no text");
		if (add_layer(dirfd, blobs, name, config.diff_ids.v[i], m,
			      err) < 0)
			return -1;
	}
	return 0;
}

static int load_docker(int dirfd, const char *name, struct build_manifest *m,
		       struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_json struct json *list = NULL;
	cleanup_close int blobs = -1;
	const struct json *entry;

	if (fs_read_at(dirfd, "manifest.json", OCI_MANIFEST_MAX, &text, err) <
	    0)
		return -1;
	list = json_parse("manifest.json", text.buf, text.len, err);
	entry = list ? choose(list, name, err) : NULL;
	if (!entry)
		return -1;
	blobs = fs_mkdir_in_root(dirfd, BLOBS, 0700, geteuid(), getegid(),
				 err);
	if (blobs < 0 || convert(dirfd, blobs, entry, &m->parsed, err) < 0)
		return -1;
	oci_manifest_write(&m->parsed, &m->body);
	digest_bytes(m->body.buf, m->body.len, m->digest);
	return 0;
}

int build_archive_load(struct build_archive *a, struct store *s, int fd,
		       const char *name, const struct oci_platform *platform,
		       struct build_manifest *m, struct error *err)
{
	cleanup_close int dirfd = -1;

	a->store = s;
	a->dir = store_scratch(s, &a->lock, err);
	if (!a->dir)
		return -1;
	dirfd = open(a->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return error_errno(err, "cannot open '%s'", a->dir);
	if (store_extract_archive(s, fd, dirfd, true, geteuid(), getegid(),
				  err) < 0)
		return -1;
	if (is_layout(dirfd))
		return build_layout_read(dirfd, name, platform, m, err);
	if (has(dirfd, "manifest.json", S_IFREG))
		return load_docker(dirfd, name, m, err);
	error_set(err, ERR_INPUT, "this is neither a record nor an archive of "
				  "an image");
	return error_hint(err, "archives come from 'docker save', 'skopeo "
			       "copy' or 'devenv build --output'; 'devenv "
			       "build -' makes an image of other tars");
}
