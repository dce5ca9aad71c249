/* template_read.c - the files of a template, of a folder or a registry */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <strings.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "cli/template.h"
#include "devcontainer/devcontainer.h"
#include "devcontainer/template.h"
#include "wrap/tar.h"

#define CONFIG_TYPE "application/vnd.devcontainers"
#define LAYER_TYPE "application/vnd.devcontainers.layer.v1+tar"
#define ARCHIVE_MAX (64u << 20) /* bytes, packed */
#define FILES_MAX (128u << 20)	/* bytes, unpacked */
#define ENTRIES_MAX 10000
#define DEPTH_MAX 64

void cli_template_release(struct cli_template *t)
{
	size_t i;

	for (i = 0; i < t->nr; i++) {
		free(t->v[i].path);
		strbuf_release(&t->v[i].text);
	}
	free(t->v);
	free(t->name);
	json_free(t->metadata);
}

/* A hook in a .git would run with the user's next command there. */
static int check_path(const char *path, struct error *err)
{
	cleanup_strvec struct strvec parts = STRVEC_INIT;
	size_t i;

	strvec_split(&parts, path, "/");
	for (i = 0; i < parts.nr; i++) {
		if (!strcasecmp(parts.v[i], ".git"))
			return error_set(err, ERR_INPUT, "it has files of a "
					 "repository: '%s'", path);
		if (str_eq(parts.v[i], ".."))
			return error_set(err, ERR_INPUT,
					 "a file leads out of it: '%s'", path);
	}
	if (*path == '/' || !parts.nr)
		return error_set(err, ERR_INPUT,
				 "a file leads out of it: '%s'", path);
	return 0;
}

/* Folders count, too: an archive of nothing else packs without end. */
static int count(struct cli_template *t, struct error *err)
{
	if (++t->entries > ENTRIES_MAX)
		return error_set(err, ERR_INPUT, "it has more than %d files",
				 ENTRIES_MAX);
	return 0;
}

/* A new file, still empty; NULL is an error. */
static struct cli_template_file *add(struct cli_template *t, const char *path,
				     mode_t mode, struct error *err)
{
	struct cli_template_file *f;

	if (check_path(path, err) < 0)
		return NULL;
	GROW(t->v, t->nr, t->alloc);
	f = &t->v[t->nr++];
	*f = (struct cli_template_file){ .path = path_clean(path),
					 .text = STRBUF_INIT,
					 .executable = mode & 0111 };
	return f;
}

static int add_bytes(struct cli_template *t, struct cli_template_file *f,
		     const void *data, size_t n, struct error *err)
{
	t->bytes += n;
	if (t->bytes > FILES_MAX)
		return error_set(err, ERR_INPUT, "it is larger than %u MiB",
				 FILES_MAX >> 20);
	strbuf_add(&f->text, data, n);
	return 0;
}

/* --- a folder --- */

static int read_dir(struct cli_template *t, int dirfd, const char *path,
		    int depth, struct error *err);

static int read_file(struct cli_template *t, int fd, const char *path,
		     mode_t mode, struct error *err)
{
	struct cli_template_file *f = add(t, path, mode, err);
	char buf[1 << 16];
	ssize_t n;

	if (!f)
		return -1;
	while ((n = fs_read_full(fd, buf, sizeof(buf))) > 0)
		if (add_bytes(t, f, buf, (size_t)n, err) < 0)
			return -1;
	return n < 0 ? error_errno(err, "cannot read '%s'", path) : 0;
}

static int read_entry(struct cli_template *t, int dirfd, const char *name,
		      const char *path, int depth, struct error *err)
{
	cleanup_close int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW |
						   O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (count(t, err) < 0)
		return -1;
	if (fd < 0 && errno == ELOOP)
		return error_set(err, ERR_INPUT, "it has a link: '%s'", path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "cannot open '%s'", path);
	if (S_ISDIR(st.st_mode))
		return read_dir(t, fd, path, depth + 1, err);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERR_INPUT, "it has a device or a pipe: "
				 "'%s'", path);
	return read_file(t, fd, path, st.st_mode, err);
}

static int list(int dirfd, struct strvec *names, struct error *err)
{
	int fd = dup(dirfd);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d) {
		base_close_fd(&fd);
		return error_errno(err, "cannot read a directory");
	}
	while ((e = readdir(d)) && names->nr <= ENTRIES_MAX)
		if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			strvec_push(names, e->d_name);
	closedir(d);
	strvec_sort(names);
	return 0;
}

static int read_dir(struct cli_template *t, int dirfd, const char *path,
		    int depth, struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	size_t i;

	if (depth > DEPTH_MAX)
		return error_set(err, ERR_INPUT,
				 "its folders are nested deeper than %d",
				 DEPTH_MAX);
	if (list(dirfd, &names, err) < 0)
		return -1;
	for (i = 0; i < names.nr; i++) {
		cleanup_free char *below = path_join(path, names.v[i]);

		if (read_entry(t, dirfd, names.v[i], below, depth, err) < 0)
			return -1;
	}
	return 0;
}

static int read_folder(struct cli_template *t, const char *dir,
		       struct error *err)
{
	cleanup_close int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_errno_code(err, ERR_INPUT, "cannot open it");
	return read_dir(t, fd, ".", 0, err);
}

/* --- a registry --- */

struct archive {
	struct strbuf bytes;
	size_t at;
};

static ssize_t archive_read(void *arg, void *data, size_t n,
			    struct error *err UNUSED)
{
	struct archive *a = arg;

	n = MIN(n, a->bytes.len - a->at);
	memcpy(data, a->bytes.buf + a->at, n);
	a->at += n;
	return (ssize_t)n;
}

static int read_member(struct cli_template *t, struct tar *tar,
		       const struct tar_entry *e, struct error *err)
{
	struct cli_template_file *f;
	uint64_t offset;
	const void *data;
	size_t n;
	int rc;

	if (count(t, err) < 0)
		return -1;
	if (S_ISDIR(e->mode))
		return 0;
	if (!S_ISREG(e->mode) || e->hard)
		return error_set(err, ERR_INPUT, "it has a link, a device or "
				 "a pipe: '%s'", e->path);
	f = add(t, e->path, e->mode, err);
	if (!f)
		return -1;
	while ((rc = tar_data(tar, &data, &n, &offset, err)) > 0) {
		if (offset != f->text.len)
			return error_set(err, ERR_INPUT,
					 "it has a file with holes: '%s'",
					 e->path);
		if (add_bytes(t, f, data, n, err) < 0)
			return -1;
	}
	return rc;
}

static int unpack(struct cli_template *t, struct archive *a, struct error *err)
{
	cleanup_tar struct tar *tar = NULL;
	struct tar_entry e;
	int rc;

	if (tar_open(&tar, true, archive_read, a, err) < 0)
		return -1;
	while ((rc = tar_next(tar, &e, err)) > 0)
		if (read_member(t, tar, &e, err) < 0)
			return -1;
	return rc;
}

static int blob_write(void *arg, const void *data, size_t n,
		      struct error *err UNUSED)
{
	strbuf_add(arg, data, n);
	return 0;
}

static int blob_restart(void *arg, struct error *err UNUSED)
{
	strbuf_reset(arg);
	return 0;
}

/* The registry client keeps to the size that is checked here. */
static int pull(struct registry *r, const struct oci_ref *ref,
		const struct oci_manifest *m, struct strbuf *out,
		struct error *err)
{
	struct registry_blob blob = { .sink = { blob_write, blob_restart,
						out } };

	if (!str_eq(m->config.media_type, CONFIG_TYPE) || m->n_layers != 1 ||
	    !str_eq(m->layers[0].media_type, LAYER_TYPE)) {
		error_set(err, ERR_INPUT, "it is no template: its "
			  "configuration is %s", m->config.media_type);
		return error_hint(err, "%s with one layer of %s is expected",
				  CONFIG_TYPE, LAYER_TYPE);
	}
	if (m->layers[0].size > ARCHIVE_MAX)
		return error_set(err, ERR_INPUT, "it is larger than %u MiB",
				 ARCHIVE_MAX >> 20);
	blob.desc = m->layers[0];
	return registry_pull_blobs(r, ref, &blob, 1, err);
}

static int read_registry(struct cli_template *t, const char *name,
			 const struct registry_options *o, struct error *err)
{
	cleanup_registry struct registry *r = NULL;
	cleanup_registry_manifest struct registry_manifest got = {
		.body = STRBUF_INIT
	};
	cleanup_oci_manifest struct oci_manifest m = { 0 };
	cleanup_oci_ref struct oci_ref ref = { 0 };
	struct archive a = { .bytes = STRBUF_INIT };
	struct registry_options own = *o;
	int rc;

	own.devcontainers = true;
	if (oci_ref_parse(&ref, name, err) < 0 ||
	    registry_new(&r, &own, err) < 0 ||
	    registry_get_manifest(r, &ref, &got, err) < 0 ||
	    oci_manifest_parse(&m, got.body.buf, got.body.len, err) < 0)
		return -1;
	rc = pull(r, &ref, &m, &a.bytes, err);
	if (!rc)
		rc = unpack(t, &a, err);
	strbuf_release(&a.bytes);
	return rc;
}

/* --- what both have --- */

static int find_metadata(struct cli_template *t, struct error *err)
{
	cleanup_free char *name = path_join(t->name,
					    DEVCONTAINER_TEMPLATE_FILE);
	size_t i;

	for (i = 0; i < t->nr; i++)
		if (str_eq(t->v[i].path, DEVCONTAINER_TEMPLATE_FILE))
			break;
	if (i == t->nr)
		return error_set(err, ERR_INPUT, "%s: it is no template: it "
				 "has no %s", t->name,
				 DEVCONTAINER_TEMPLATE_FILE);
	if (t->v[i].text.len > DEVCONTAINER_MAX)
		return error_set(err, ERR_INPUT, "%s: it is larger than %d "
				 "bytes", name, DEVCONTAINER_MAX);
	t->metadata = jsonc_parse(name, t->v[i].text.buf, t->v[i].text.len,
				  err);
	if (!t->metadata)
		return -1;
	if (json_kind(t->metadata) != JSON_OBJECT)
		return error_set(err, ERR_INPUT, "%s:1:1: expected an object",
				 name);
	if (json_len(json_get(t->metadata, "options")) >
	    DEVCONTAINER_TEMPLATE_OPTIONS_MAX)
		return error_set(err, ERR_INPUT, "%s: it declares more than "
				 "%d options", name,
				 DEVCONTAINER_TEMPLATE_OPTIONS_MAX);
	return 0;
}

int cli_template_read(struct cli_template *t, const char *name,
		      const struct registry_options *o, struct error *err)
{
	bool folder = *name == '.' || *name == '/' || fs_is_dir(name);

	t->name = xstrdup(name);
	if ((folder ? read_folder(t, name, err)
		    : read_registry(t, name, o, err)) < 0)
		return error_wrap(err, "%s", name);
	return find_metadata(t, err);
}
