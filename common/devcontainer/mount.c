/* mount.c - mounts as docker's --mount has them */
/* SPDX-License-Identifier: Apache-2.0 */
#include "devcontainer/run.h"

void devcontainer_mount_release(struct devcontainer_mount *m)
{
	free(m->source);
	free(m->target);
	free(m->options);
	*m = (struct devcontainer_mount){ 0 };
}

/* "a,b" at its commas; quotes keep those inside and go. */
static void split_fields(const char *text, struct strvec *out)
{
	cleanup_strbuf struct strbuf field = STRBUF_INIT;
	bool quoted = false;

	for (; *text; text++) {
		if (*text == '"') {
			quoted = !quoted;
		} else if (*text == ',' && !quoted) {
			strvec_push(out, field.buf);
			strbuf_reset(&field);
		} else {
			strbuf_addch(&field, *text);
		}
	}
	strvec_push(out, field.buf);
}

static void replace(char **place, const char *value)
{
	free(*place);
	*place = xstrdup(value);
}

static int set_type(struct devcontainer_mount *m, const char *value,
		    struct error *err)
{
	static const char *const types[] = {
		[DEVCONTAINER_BIND] = "bind",
		[DEVCONTAINER_VOLUME] = "volume",
		[DEVCONTAINER_TMPFS] = "tmpfs",
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (str_eq(value, types[i])) {
			m->type = (enum devcontainer_mount_type)i;
			return 0;
		}
	}
	return error_set(err, ERR_INPUT, "the mount type '%s' is not "
			 "supported", value);
}

static void add_option(struct devcontainer_mount *m, const char *name,
		       const char *value)
{
	char *all = xstrfmt("%s%s%s=%s", m->options ? m->options : "",
			    m->options ? "," : "", name, value);

	free(m->options);
	m->options = all;
}

static bool is_any(const char *key, const char *const *names)
{
	while (*names)
		if (str_eq(key, *names++))
			return true;
	return false;
}

static int set_field(struct devcontainer_mount *m, const char *field,
		     struct error *err)
{
	static const char *const sources[] = { "source", "src", NULL };
	static const char *const targets[] = { "target", "dst", "destination",
					       NULL };
	static const char *const read_only[] = { "readonly", "ro", NULL };
	/* Only what these mean on other systems, and to compose. */
	static const char *const no_effect[] = { "consistency", "external",
						 NULL };
	const char *eq = strchr(field, '=');
	cleanup_free char *key = xstrndup(field, strcspn(field, "="));
	const char *value = eq ? eq + 1 : "";

	if (str_eq(key, "type"))
		return set_type(m, value, err);
	if (is_any(key, sources))
		replace(&m->source, value);
	else if (is_any(key, targets))
		replace(&m->target, value);
	else if (is_any(key, read_only))
		m->read_only = !eq || str_is_true(value);
	else if (str_eq(key, "tmpfs-size"))
		add_option(m, "size", value);
	else if (str_eq(key, "tmpfs-mode"))
		add_option(m, "mode", value);
	else if (!is_any(key, no_effect))
		return error_set(err, ERR_INPUT,
				 "'%s' of a mount is not supported", field);
	return 0;
}

/* Names as docker has them. */
static bool is_volume_name(const char *s)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

	return strlen(s) < 200 && !strchr("_.-", *s) &&
	       strspn(s, set) == strlen(s);
}

/* What reaches mount(2) as text says nothing but size and mode. */
static bool is_options(const char *s)
{
	return !s || strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789=,%") ==
			     strlen(s);
}

static int check(const struct devcontainer_mount *m, struct error *err)
{
	if (!m->target || *m->target != '/') {
		error_set(err, ERR_INPUT,
			  "the target of a mount is not an absolute path");
		return error_hint(err, "for example type=bind,source="
				  "${localWorkspaceFolder},target=/workspace");
	}
	if (m->type == DEVCONTAINER_BIND && (!m->source || *m->source != '/'))
		return error_set(err, ERR_INPUT,
				 "the source of a mount is not an absolute "
				 "path");
	if (m->type == DEVCONTAINER_VOLUME && m->source &&
	    (!*m->source || !is_volume_name(m->source)))
		return error_set(err, ERR_INPUT,
				 "'%s' is not a name for a volume", m->source);
	if (!is_options(m->options))
		return error_set(err, ERR_INPUT, "'%s' is not supported for a "
				 "tmpfs", m->options);
	return 0;
}

int devcontainer_mount_parse(struct devcontainer_mount *m, const char *text,
			     struct error *err)
{
	cleanup_strvec struct strvec fields = STRVEC_INIT;
	struct devcontainer_mount got = { .type = DEVCONTAINER_VOLUME };
	int rc = 0;

	split_fields(text, &fields);
	for (size_t i = 0; i < fields.nr && !rc; i++)
		rc = set_field(&got, fields.v[i], err);
	if (!rc)
		rc = check(&got, err);
	if (rc < 0)
		devcontainer_mount_release(&got);
	else
		*m = got;
	return rc;
}
