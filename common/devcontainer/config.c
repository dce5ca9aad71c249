/* config.c - read a devcontainer.json and choose among several */
/* SPDX-License-Identifier: Apache-2.0 */
#include "devcontainer/devcontainer.h"

#include <stdarg.h>

#include "devcontainer/internal.h"

void devcontainer_release(struct devcontainer *dc)
{
	json_free(dc->json);
	free(dc->name);
	free(dc->text);
	*dc = (struct devcontainer)DEVCONTAINER_INIT;
}

/* Position of a value, or of the nearest thing around it that exists. */
static void locate(const struct devcontainer *dc, const struct strvec *path,
		   bool of_key, unsigned *line, unsigned *col)
{
	cleanup_strvec struct strvec keys = STRVEC_INIT;

	*line = *col = 1;
	strvec_copy(&keys, path);
	while (!jsonc_locate(dc->text, dc->n, &keys, of_key, line, col) &&
	       keys.nr) {
		strvec_pop(&keys);
		of_key = false;
	}
}

int devcontainer_fail(const struct devcontainer *dc, const struct strvec *path,
		      bool of_key, struct error *err, const char *fmt, ...)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	unsigned line, col;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	locate(dc, path, of_key, &line, &col);
	return error_set(err, ERR_INPUT, "%s:%u:%u: %s", dc->name, line, col,
			 text.buf);
}

char *devcontainer_position(const struct devcontainer *dc,
			    const struct strvec *path)
{
	unsigned line, col;

	locate(dc, path, true, &line, &col);
	return xstrfmt("%s:%u:%u", dc->name, line, col);
}

void devcontainer_where(const struct devcontainer *dc, const char *property,
			struct strbuf *out)
{
	cleanup_strvec struct strvec path = STRVEC_INIT;
	cleanup_free char *position = NULL;

	strvec_push(&path, property);
	position = devcontainer_position(dc, &path);
	strbuf_addf(out, "%s: ", position);
}

int devcontainer_read(struct devcontainer *dc, const char *name,
		      const char *text, size_t n, struct error *err)
{
	cleanup_devcontainer struct devcontainer got = DEVCONTAINER_INIT;
	cleanup_strbuf struct strbuf fixed = STRBUF_INIT;
	struct strvec top = STRVEC_INIT;

	if (n > DEVCONTAINER_MAX)
		return error_set(err, ERR_INPUT,
				 "%s:1:1: file is larger than %d bytes", name,
				 DEVCONTAINER_MAX);
	strbuf_add(&fixed, text, n);
	jsonc_repair_utf8(&fixed);
	got.json = jsonc_parse(name, fixed.buf, fixed.len, err);
	if (!got.json)
		return -1;
	got.name = xstrdup(name);
	got.n = fixed.len;
	got.text = strbuf_detach(&fixed);
	if (json_kind(got.json) != JSON_OBJECT)
		return devcontainer_fail(&got, &top, false, err,
					 "expected an object");
	*dc = got;
	got = (struct devcontainer)DEVCONTAINER_INIT;
	return 0;
}

int devcontainer_parse(struct devcontainer *dc, const char *name,
		       const char *text, size_t n, struct error *err)
{
	cleanup_devcontainer struct devcontainer got = DEVCONTAINER_INIT;

	if (devcontainer_read(&got, name, text, n, err) < 0 ||
	    devcontainer_check(&got, err) < 0)
		return -1;
	*dc = got;
	got = (struct devcontainer)DEVCONTAINER_INIT;
	return 0;
}

char *devcontainer_folder_name(const char *path)
{
	const char *rest = str_skip(path, ".devcontainer/");
	const char *slash = rest ? strchr(rest, '/') : NULL;

	return slash ? xstrndup(rest, (size_t)(slash - rest)) : NULL;
}

static void list_choices(const struct strvec *present, struct strbuf *out)
{
	for (size_t i = 0; i < present->nr; i++) {
		cleanup_free char *name = devcontainer_folder_name(present->v[i]);

		strbuf_addf(out, "%s%s", out->len ? ", " : "",
			    name ? name : present->v[i]);
	}
}

const char *devcontainer_choose(const struct strvec *present,
				const char *wanted, struct error *err)
{
	static const char *const usual[] = { ".devcontainer/devcontainer.json",
					     ".devcontainer.json" };
	cleanup_strbuf struct strbuf list = STRBUF_INIT;

	for (size_t i = 0; wanted && i < present->nr; i++) {
		cleanup_free char *name = devcontainer_folder_name(present->v[i]);

		if (str_eq_null(name, wanted) || str_eq(present->v[i], wanted))
			return present->v[i];
	}
	for (size_t i = 0; !wanted && i < ARRAY_SIZE(usual); i++)
		if (strvec_has(present, usual[i]))
			return usual[i];
	if (!wanted && present->nr <= 1)
		return present->nr ? present->v[0] : NULL;
	list_choices(present, &list);
	if (wanted)
		error_set(err, ERR_INPUT, "no configuration '%s'", wanted);
	else
		error_set(err, ERR_INPUT, "several configurations: %s",
			  list.buf);
	if (list.len)
		error_hint(err, "choose with --config NAME: %s", list.buf);
	return NULL;
}
