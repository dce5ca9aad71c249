/* sbom.c - the packages of an image of the store, as a document */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "cli/attest.h"
#include "sbom/sbom.h"

/* What is below is not of the image, or is listed above it. */
static bool leave_out(const struct store_file *f)
{
	static const char *const names[] = { "node_modules", ".git" };
	static const char *const tops[] = { "proc", "sys", "dev" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (str_eq(f->name, names[i]))
			return true;
	for (i = 0; i < ARRAY_SIZE(tops); i++)
		if (str_eq(f->path, tops[i]))
			return true;
	return false;
}

static int visit(void *arg, const struct store_file *f, struct error *err)
{
	struct sbom *s = arg;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int fd = -1;

	if (S_ISDIR(f->st->st_mode))
		return leave_out(f);
	if (!S_ISREG(f->st->st_mode) || !sbom_wants(f->path))
		return 0;
	if (f->st->st_size > SBOM_FILE_MAX) {
		sbom_skip(s, f->path, "it is larger than 64 MiB");
		return 0;
	}
	fd = openat(f->dirfd, f->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "cannot open '/%s'", f->path);
	if (fs_read_fd(fd, SBOM_FILE_MAX, &text, err) < 0)
		return error_wrap(err, "'/%s'", f->path);
	sbom_read(s, f->path, text.buf, text.len);
	return 0;
}

int cli_sbom(const struct cli_attested *a, struct strbuf *out,
	     struct error *err)
{
	const struct store_image *image = a->image;
	cleanup_sbom struct sbom s = SBOM_INIT;
	cleanup_free const char **ids = xcalloc(image->n_layers + 1,
						sizeof(*ids));
	const struct sbom_image about = {
		.name = a->name		   ? a->name
			: image->reference ? image->reference
					   : image->config_digest,
		.digest = image->config_digest,
		.created = image->config.created,
	};
	size_t i;

	for (i = 0; i < image->n_layers; i++)
		ids[i] = image->layers[i].id;
	if (build_fetch_layers(a->store, a->registry, a->options, image,
			       err) < 0 ||
	    store_walk(a->store, ids, image->n_layers, visit, &s, err) < 0)
		return -1;
	for (i = 0; i < s.gaps.nr; i++)
		log_warn("not in the list of packages: %s", s.gaps.v[i]);
	sbom_write(&s, &about, out);
	return 0;
}
