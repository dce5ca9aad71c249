/* template_write.c - a template's files with its options, into a project */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "cli/template.h"
#include "devcontainer/template.h"

#define FILE_MAX_BYTES (128u << 20)
#define NAMES_MAX 5 /* of files in the way, in one message */

/* Those are about the template, not of it. */
static bool is_own(const char *path)
{
	return str_eq(path, DEVCONTAINER_TEMPLATE_FILE) ||
	       str_eq(path, "README.md") || str_eq(path, "NOTES.md");
}

static int compare(const void *a, const void *b)
{
	const struct cli_template_file *p = a, *q = b;

	return strcmp(p->path, q->path);
}

/* Take out what is not written; the rest comes in order. */
static void choose(struct cli_template *t, const struct strvec *omit)
{
	size_t kept = 0, i;

	for (i = 0; i < t->nr; i++) {
		struct cli_template_file *f = &t->v[i];

		if (!is_own(f->path) &&
		    !devcontainer_template_omits(omit, f->path)) {
			t->v[kept++] = *f;
			continue;
		}
		free(f->path);
		strbuf_release(&f->text);
	}
	t->nr = kept;
	if (kept)
		qsort(t->v, kept, sizeof(*t->v), compare);
}

/* A pattern that leaves nothing out is mistyped. */
static int check_omit(const struct cli_template *t, const struct strvec *omit,
		      struct error *err)
{
	cleanup_strbuf struct strbuf names = STRBUF_INIT;
	cleanup_strvec struct strvec optional = STRVEC_INIT;
	size_t i, k;

	for (i = 0; i < omit->nr; i++) {
		struct strvec one = { .v = &omit->v[i], .nr = 1 };

		for (k = 0; k < t->nr; k++)
			if (devcontainer_template_omits(&one, t->v[k].path))
				break;
		if (k < t->nr)
			continue;
		json_get_strings(json_get(t->metadata, "optionalPaths"),
				 &optional);
		for (k = 0; k < optional.nr; k++)
			strbuf_addf(&names, "%s%s", k ? ", " : "",
				    optional.v[k]);
		error_set(err, ERR_USAGE, "the template has no file '%s' that "
			  "could be left out", omit->v[i]);
		return names.len ? error_hint(err, "it names as optional: %s",
					      names.buf)
				 : -1;
	}
	return 0;
}

/* As git tells them from text. */
static bool is_binary(const struct strbuf *text)
{
	return memchr(text->buf, '\0', MIN(text->len, (size_t)8000));
}

static int fill(struct cli_template *t, const struct strvec *values,
		struct error *err)
{
	cleanup_strvec struct strvec unknown = STRVEC_INIT;
	size_t total = 0, i;

	for (i = 0; i < t->nr; i++) {
		struct cli_template_file *f = &t->v[i];
		struct strbuf out = STRBUF_INIT;

		if (is_binary(&f->text))
			continue;
		if (devcontainer_template_fill(f->text.buf, f->text.len,
					       values, &unknown,
					       FILE_MAX_BYTES - total, &out,
					       err) < 0) {
			strbuf_release(&out);
			return error_wrap(err, "%s", f->path);
		}
		total += MIN(out.len, FILE_MAX_BYTES - total);
		strbuf_release(&f->text);
		f->text = out;
	}
	for (i = 0; i < unknown.nr; i++)
		log_warn("the template uses the option '%s', which it does "
			 "not declare: nothing is put there", unknown.v[i]);
	return 0;
}

/* What is at a path: 0 nothing, 1 the same, 2 something else, -1 error. */
static int look(int root, const struct cli_template_file *f,
		struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int fd = fs_open_in_root(
		root, f->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? 0 : 2;
	if (fstat(fd, &st) < 0)
		return error_errno(err, "cannot examine '%s'", f->path);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != f->text.len)
		return 2;
	if (fs_read_fd(fd, FILE_MAX_BYTES, &text, err) < 0)
		return -1;
	return text.len == f->text.len &&
			       !memcmp(text.buf, f->text.buf, text.len)
		       ? 1 : 2;
}

static int check_free(int root, const struct cli_template *t,
		      struct error *err)
{
	cleanup_strbuf struct strbuf names = STRBUF_INIT;
	size_t n = 0, i;

	for (i = 0; i < t->nr; i++) {
		int found = look(root, &t->v[i], err);

		if (found < 0)
			return -1;
		if (found == 2 && n++ < NAMES_MAX)
			strbuf_addf(&names, "%s%s", names.len ? ", " : "",
				    t->v[i].path);
	}
	if (!n)
		return 0;
	error_set(err, ERR_SYSTEM, "files are there and differ: %s%s",
		  names.buf, n > NAMES_MAX ? ", ..." : "");
	return error_hint(err, "--force replaces them, --omit leaves them "
			       "out");
}

static int write_file(int root, const struct cli_template_file *f,
		      struct error *err)
{
	cleanup_free char *dir = path_dir(f->path);
	cleanup_free char *base = path_base(f->path);
	cleanup_close int fd = fs_mkdir_in_root(root, dir, 0755, geteuid(),
						getegid(), err);

	if (fd < 0)
		return -1;
	if (fs_write_atomic(fd, base, f->text.buf, f->text.len,
			    f->executable ? 0755 : 0644, err) < 0)
		return error_wrap(err, "%s", f->path);
	return 0;
}

static int write_all(struct cli_template *t, const char *dir, bool force,
		     struct strvec *files, struct error *err)
{
	cleanup_close int root = -1;
	size_t i;

	if (fs_mkdir_p(dir, 0755, err) < 0)
		return -1;
	root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return error_errno(err, "cannot open '%s'", dir);
	if (!force && check_free(root, t, err) < 0)
		return -1;
	for (i = 0; i < t->nr; i++) {
		if (write_file(root, &t->v[i], err) < 0)
			return -1;
		strvec_push(files, t->v[i].path);
	}
	return 0;
}

int cli_template_write(struct cli_template *t,
		       const struct cli_template_options *o, const char *dir,
		       struct strvec *files, struct error *err)
{
	cleanup_strvec struct strvec values = STRVEC_INIT;

	if (devcontainer_template_values(t->metadata, &o->options, &values,
					 err) < 0 ||
	    check_omit(t, &o->omit, err) < 0)
		return -1;
	choose(t, &o->omit);
	if (fill(t, &values, err) < 0)
		return error_wrap(err, "%s", t->name);
	if (o->features && cli_template_features(t, o->features, err) < 0)
		return -1;
	return write_all(t, dir, o->force, files, err);
}
