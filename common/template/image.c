/* image.c - read an image template strictly */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>

#include "base/path.h"
#include "base/strbuf.h"
#include "template/template.h"
#include "wrap/yaml.h"

void template_image_release(struct template_image *t)
{
	free(t->name);
	free(t->context);
	free(t->dockerfile);
	free(t->image);
	strvec_release(&t->credentials);
	strvec_release(&t->warnings);
	*t = (struct template_image)TEMPLATE_IMAGE_INIT;
}

bool template_name_valid(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/');
}

struct reader {
	const char *file;
	const char *text;
	size_t n;
	struct error *err;
};

/* An error at a key (or its value) of the top level or, with `outer`, of
 * the mapping below it; where it is missing, at what should hold it. */
static int fail(const struct reader *r, const char *outer, const char *key,
		bool of_key, const char *fmt, ...) PRINTF(5, 6);

static int fail(const struct reader *r, const char *outer, const char *key,
		bool of_key, const char *fmt, ...)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strvec struct strvec path = STRVEC_INIT;
	unsigned line = 1, col = 1;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	if (outer)
		strvec_push(&path, outer);
	if (key)
		strvec_push(&path, key);
	while (!yaml_locate(r->text, r->n, &path, of_key, &line, &col) &&
	       path.nr) {
		strvec_pop(&path);
		of_key = false;
	}
	return error_set(r->err, ERR_INPUT, "%s:%u:%u: %s", r->file, line,
			 col, text.buf);
}

static int check_keys(const struct reader *r, const struct json *object,
		      const char *outer, const char *const *known)
{
	for (struct json *m = json_first(object); m; m = json_next(m)) {
		const char *near;
		bool found = false;

		for (size_t i = 0; known[i] && !found; i++)
			found = str_eq(known[i], json_key(m));
		if (found)
			continue;
		near = str_nearest(json_key(m), known);
		fail(r, outer, json_key(m), true, "unknown key '%s'",
		     json_key(m));
		return near ? error_hint(r->err, "did you mean '%s'?", near) :
			      -1;
	}
	return 0;
}

static int get_str(const struct reader *r, const struct json *object,
		   const char *outer, const char *key, const char **out)
{
	const struct json *j = json_get(object, key);

	if (j && (!json_str(j) || !*json_str(j)))
		return fail(r, outer, key, false, "'%s' must be a string",
			    key);
	if (j)
		*out = json_str(j);
	return 0;
}

static bool leads_out(const char *clean)
{
	return *clean == '/' || str_eq(clean, "..") ||
	       str_starts(clean, "../");
}

static int inside(const struct reader *r, const char *key, const char *dir,
		  const char *path, char **out)
{
	cleanup_free char *joined = path_join(dir, path);

	if (*path == '/' || leads_out(joined))
		return fail(r, "spec", key, false,
			    "'%s' leads out of the repository", path);
	*out = path_clean(path);
	return 0;
}

static int get_credentials(const struct reader *r, const struct json *spec,
			   struct strvec *out)
{
	const struct json *j = json_get(spec, "credentials");

	if (!j || json_str(j)) {
		json_get_strings(j, out);
		return 0;
	}
	for (struct json *m = json_first(j); m; m = json_next(m))
		if (!json_str(m))
			j = NULL;
	if (json_kind(j) != JSON_ARRAY)
		return fail(r, "spec", "credentials", false,
			    "'credentials' must be a name or a list of names");
	json_get_strings(j, out);
	return 0;
}

static int read_spec(const struct reader *r, const struct json *spec,
		     struct template_image *t)
{
	static const char *const known[] = { "context", "dockerfile", "image",
					     "credentials", NULL };
	const char *context = ".", *dockerfile = "Dockerfile", *image = NULL;

	if (json_kind(spec) != JSON_OBJECT)
		return fail(r, NULL, "spec", false,
			    spec ? "'spec' must be a mapping" :
				   "'spec' is missing");
	if (check_keys(r, spec, "spec", known) < 0 ||
	    get_str(r, spec, "spec", "context", &context) < 0 ||
	    get_str(r, spec, "spec", "dockerfile", &dockerfile) < 0 ||
	    get_str(r, spec, "spec", "image", &image) < 0 ||
	    inside(r, "context", ".", context, &t->context) < 0 ||
	    inside(r, "dockerfile", t->context, dockerfile,
		   &t->dockerfile) < 0)
		return -1;
	t->image = xstrdup_null(image);
	return get_credentials(r, spec, &t->credentials);
}

static int read_top(const struct reader *r, const struct json *top,
		    struct template_image *t)
{
	static const char *const known[] = { "name", "type", "spec", NULL };
	const char *name = NULL, *type = NULL;

	if (json_kind(top) != JSON_OBJECT)
		return fail(r, NULL, NULL, false,
			    "expected a mapping with name, type and spec");
	if (get_str(r, top, NULL, "type", &type) < 0)
		return -1;
	if (!type)
		return fail(r, NULL, NULL, false, "'type' is missing");
	if (str_eq(type, "environment"))
		return fail(r, NULL, "type", false,
			    "environment templates are not supported by this "
			    "version");
	if (!str_eq(type, "image"))
		return fail(r, NULL, "type", false, "unknown type '%s'",
			    type);
	if (check_keys(r, top, NULL, known) < 0 ||
	    get_str(r, top, NULL, "name", &name) < 0)
		return -1;
	if (!name)
		return fail(r, NULL, NULL, false, "'name' is missing");
	if (!template_name_valid(name))
		return fail(r, NULL, "name", false, "invalid name '%s'",
			    name);
	t->name = xstrdup(name);
	return read_spec(r, json_get(top, "spec"), t);
}

/* Lines that begin with "//" become YAML comments of the same length, so
 * that positions stay true. */
static void slash_comments(const char *file, struct strbuf *text,
			   struct strvec *warnings)
{
	unsigned line = 1;

	for (size_t i = 0; i < text->len; line++) {
		char *p = text->buf + i;
		size_t blanks = strspn(p, " \t");

		if (p[blanks] == '/' && p[blanks + 1] == '/') {
			p[blanks] = p[blanks + 1] = '#';
			strvec_pushf(warnings,
				     "%s:%u:%zu: '//' is not a YAML comment; "
				     "write '#'",
				     file, line, blanks + 1);
		}
		i += strcspn(p, "\n") + 1;
	}
}

int template_image_parse(struct template_image *t, const char *file,
			 const char *text, size_t n, struct error *err)
{
	cleanup_template_image struct template_image got = TEMPLATE_IMAGE_INIT;
	cleanup_strbuf struct strbuf copy = STRBUF_INIT;
	cleanup_json struct json *top = NULL;
	struct reader r = { .file = file, .err = err };

	if (n > YAML_MAX)
		return error_set(err, ERR_INPUT,
				 "%s:1:1: file is larger than %d bytes", file,
				 YAML_MAX);
	if (memchr(text, '\0', n))
		return error_set(err, ERR_INPUT, "%s:1:1: not a text file",
				 file);
	strbuf_add(&copy, text, n);
	slash_comments(file, &copy, &got.warnings);
	top = yaml_parse(file, copy.buf, copy.len, err);
	if (!top)
		return -1;
	r.text = copy.buf;
	r.n = copy.len;
	if (read_top(&r, top, &got) < 0)
		return -1;
	*t = got;
	got = (struct template_image)TEMPLATE_IMAGE_INIT;
	return 0;
}
