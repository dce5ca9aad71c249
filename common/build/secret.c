/* secret.c - --secret: what a step may read and nothing may keep */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <strings.h>

#include "base/fs.h"
#include "base/log.h"
#include "build/build.h"

void build_secret_release(struct build_secret *s)
{
	free(s->id);
	explicit_bzero(s->value.buf, s->value.len);
	strbuf_release(&s->value);
	*s = (struct build_secret)BUILD_SECRET_INIT;
}

struct fields {
	char *type, *id, *source, *env;
};

static void fields_release(struct fields *f)
{
	free(f->type);
	free(f->id);
	free(f->source);
	free(f->env);
}

static char **slot_of(struct fields *f, const char *key)
{
	if (!strcasecmp(key, "type"))
		return &f->type;
	if (!strcasecmp(key, "id"))
		return &f->id;
	if (!strcasecmp(key, "source") || !strcasecmp(key, "src"))
		return &f->source;
	return strcasecmp(key, "env") ? NULL : &f->env;
}

/* Messages name keys only: a value may be what must not be seen. */
static int read_fields(struct fields *f, const char *text, struct error *err)
{
	cleanup_strvec struct strvec list = STRVEC_INIT;
	size_t i;

	if (dockerfile_csv(text, &list, err) < 0)
		return -1;
	for (i = 0; i < list.nr; i++) {
		size_t n = strcspn(list.v[i], "=");
		cleanup_free char *key = xstrndup(list.v[i], n);
		char **slot = slot_of(f, key);

		if (!list.v[i][n])
			return error_set(err, ERR_USAGE, "field %zu must be a "
					 "key=value pair", i + 1);
		if (!slot)
			return error_set(err, ERR_USAGE, "unexpected key '%s'",
					 key);
		free(*slot);
		*slot = xstrdup(list.v[i] + n + 1);
	}
	return 0;
}

/* Where the value is, by docker's rules for what is not said. */
static int complete(struct fields *f, struct error *err)
{
	if (!f->id || !*f->id) {
		error_set(err, ERR_USAGE, "the id is missing");
		return -1;
	}
	if (f->type && !str_eq(f->type, "file") && !str_eq(f->type, "env"))
		return error_set(err, ERR_USAGE, "unsupported type '%s'",
				 f->type);
	if (f->type && str_eq(f->type, "env") && !f->env)
		f->env = f->source ? steal_ptr(&f->source) : xstrdup(f->id);
	if (f->env && f->source)
		return error_set(err, ERR_USAGE,
				 "it is a file or a variable, not both");
	if (!f->env && !f->source && !f->type && getenv(f->id))
		f->env = xstrdup(f->id);
	return 0;
}

static int read_value(const struct fields *f, struct strbuf *out,
		      struct error *err)
{
	const char *source = f->source ? f->source : f->id;
	cleanup_free char *path = NULL;
	const char *value;

	if (f->env) {
		value = getenv(f->env);
		if (!value)
			return error_set(err, ERR_USAGE, "the environment has "
					 "no variable '%s'", f->env);
		if (strlen(value) > BUILD_SECRET_MAX)
			return error_set(err, ERR_USAGE, "more than %u KiB",
					 BUILD_SECRET_MAX >> 10);
		strbuf_addstr(out, value);
		return 0;
	}
	/* A file's name, never standard input. */
	path = xstrfmt("%s%s", str_eq(source, "-") ? "./" : "", source);
	if (fs_read_file(path, BUILD_SECRET_MAX, out, err) == 0)
		return 0;
	if (err)
		err->code = ERR_USAGE;
	return -1;
}

int build_secret_parse(struct build_secret *s, const char *text,
		       struct error *err)
{
	CLEANUP(fields_release) struct fields f = { 0 };

	*s = (struct build_secret)BUILD_SECRET_INIT;
	if (read_fields(&f, text, err) < 0 || complete(&f, err) < 0) {
		if (err)
			err->code = ERR_USAGE;
		return error_wrap(err, "--secret");
	}
	s->id = xstrdup(f.id);
	if (read_value(&f, &s->value, err) < 0) {
		build_secret_release(s);
		return error_wrap(err, "--secret %s", f.id);
	}
	log_add_secret_text(s->value.buf, s->value.len);
	return 0;
}

int build_secret_value(struct build_secret *s, const char *text,
		       struct error *err)
{
	size_t n = strcspn(text, "=");

	*s = (struct build_secret)BUILD_SECRET_INIT;
	if (!n || !text[n])
		return error_set(err, ERR_USAGE,
				 "--build-secrets: an entry is not ID=VALUE");
	if (strlen(text + n + 1) > BUILD_SECRET_MAX)
		return error_set(err, ERR_USAGE, "--build-secrets: more than "
				 "%u KiB", BUILD_SECRET_MAX >> 10);
	s->id = xstrndup(text, n);
	strbuf_addstr(&s->value, text + n + 1);
	log_add_secret_text(s->value.buf, s->value.len);
	return 0;
}
