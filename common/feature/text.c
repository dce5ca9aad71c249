/* text.c - Features as instructions on top of a Dockerfile */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "dockerfile/dockerfile.h"
#include "feature/internal.h"

#define AUTO_NAME "dev_container_auto_added_stage_label"
#define WORK_DIR "/tmp/dev-container-features"

struct writer {
	const struct feature_text *in;
	struct strbuf *out;
	char escape;
	struct error *err;
};

/* --- values --- */

/* Can a name and a value be written in an ENV? */
static bool can_write(const char *name, const char *value)
{
	const char *s = name;

	while (isalnum((unsigned char)*s) || (*s && strchr("_.-", *s)))
		s++;
	return s > name && !*s && !value[strcspn(value, "\r\n")];
}

/* NAME="value"; variables in it count unless `literal`. */
static void write_pair(struct writer *w, const char *name, const char *value,
		       bool literal)
{
	strbuf_addf(w->out, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '"' || *value == w->escape ||
		    (literal && *value == '$'))
			strbuf_addch(w->out, w->escape);
		strbuf_addch(w->out, *value);
	}
	strbuf_addch(w->out, '"');
}

/* The build knows the variables of the image, and no others. */
static bool is_foreign(const char *value)
{
	static const char *const names[] = { "${localEnv:", "${env:",
					     "${containerEnv:" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strstr(value, names[i]))
			return true;
	return false;
}

static int fail_env(struct writer *w, const struct devcontainer_feature *f,
		    const char *name, const char *what)
{
	cleanup_strvec struct strvec path = STRVEC_INIT;

	strvec_push(&path, "containerEnv");
	strvec_push(&path, name);
	return devcontainer_fail(&f->metadata, &path, true, w->err, "'%s' %s",
				 name, what);
}

static int write_env(struct writer *w, const struct devcontainer_feature *f)
{
	const struct json *m =
		json_first(json_get(f->metadata.json, "containerEnv"));

	for (; m; m = json_next(m)) {
		const char *name = json_key(m), *value = json_str(m);

		if (!can_write(name, value))
			return fail_env(w, f, name,
					"has a name or a value that ENV "
					"cannot hold");
		if (is_foreign(value)) {
			fail_env(w, f, name,
				 "refers to the environment of a "
				 "host or a container");
			return error_hint(w->err, "a Feature can refer to "
						  "variables of the image, "
						  "as $NAME");
		}
		strbuf_addstr(w->out, "ENV ");
		write_pair(w, name, value, false);
		strbuf_addch(w->out, '\n');
	}
	return 0;
}

/* --- one Feature --- */

/* A name for a directory, whatever that of a local one is. */
static char *plain_id(const char *id)
{
	char *plain = xstrdup(id);

	for (char *c = plain; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_.-", *c))
			*c = '_';
	return plain;
}

/* A line that ends a heredoc and is none of its own. */
static void choose_end(const struct strbuf *script, struct strbuf *end)
{
	strbuf_addstr(end, "EOF");
	for (;;) {
		cleanup_free char *line = xstrfmt("\n%s\n", end->buf);

		if (!strstr(script->buf, line))
			return;
		strbuf_addch(end, '_');
	}
}

static int write_feature(struct writer *w, size_t i,
			 const struct devcontainer_feature *f)
{
	const char *version = json_get_str(f->metadata.json, "version");
	cleanup_strbuf struct strbuf script = STRBUF_INIT, end = STRBUF_INIT;
	cleanup_free char *id = plain_id(f->ref.id);
	cleanup_free char *dir = xstrfmt("%s/%s", WORK_DIR, id);

	script_write(f, dir, &script);
	choose_end(&script, &end);
	strbuf_addstr(w->out, "\n# ");
	strbuf_add_safe(w->out, f->id, strlen(f->id));
	if (version) {
		strbuf_addstr(w->out, ", version ");
		strbuf_add_safe(w->out, version, strlen(version));
	}
	strbuf_addch(w->out, '\n');
	if (write_env(w, f) < 0)
		return -1;
	strbuf_addf(w->out,
		    "RUN --mount=type=bind,rw,from=" FEATURE_CONTEXT
		    "%zu,target=%s <<'%s'\n%s%s\n",
		    i, dir, end.buf, script.buf, end.buf);
	return 0;
}

/* --- around them --- */

static int write_user(struct writer *w, const char *name, const char *user)
{
	strbuf_addstr(w->out, "ARG ");
	if (!user || !*user)
		strbuf_addstr(w->out, name);
	else if (can_write(name, user))
		write_pair(w, name, user, true);
	else
		return error_set(w->err, ERR_INPUT,
				 "'%s' is not the name of a user", user);
	strbuf_addch(w->out, '\n');
	return 0;
}

static int write_users(struct writer *w)
{
	const struct json *config = w->in->config;

	strbuf_addstr(w->out, "ARG " FEATURE_IMAGE_USER "\n");
	if (write_user(w, FEATURE_CONTAINER_USER,
		       json_get_str(config, "containerUser")) < 0 ||
	    write_user(w, FEATURE_REMOTE_USER,
		       json_get_str(config, "remoteUser")) < 0)
		return -1;
	strbuf_addstr(w->out, "USER root\n");
	return 0;
}

/* An image that is run by other tools has these, too; what needs a container
 * to be known is set when there is one. */
static void write_container_env(struct writer *w)
{
	const struct json *m =
		json_first(json_get(w->in->config, "containerEnv"));

	for (; m; m = json_next(m)) {
		const char *value = json_str(m);

		if (!value || strstr(value, "${containerEnv:") ||
		    !can_write(json_key(m), value))
			continue;
		strbuf_addstr(w->out, "ENV ");
		write_pair(w, json_key(m), value, true);
		strbuf_addch(w->out, '\n');
	}
}

/* The bytes of the first `line` lines, without what ends the last. */
static size_t end_of_line(const char *text, size_t n, unsigned line)
{
	size_t at = 0;

	for (;;) {
		const char *lf = memchr(text + at, '\n', n - at);
		size_t end = lf ? (size_t)(lf - text) : n;

		if (--line == 0 || !lf) {
			while (end > at &&
			       isspace((unsigned char)text[end - 1]))
				end--;
			return end;
		}
		at = end + 1;
	}
}

/* A name that no stage has, malloc'ed. */
static char *free_name(const struct dockerfile_stages *cuts, const char *base)
{
	cleanup_strbuf struct strbuf name = STRBUF_INIT;
	size_t i = 0;

	strbuf_addstr(&name, base);
	while (i < cuts->nr) {
		bool taken = str_eq_null(cuts->v[i].name, name.buf);

		if (taken)
			strbuf_addch(&name, '_');
		i = taken ? 0 : i + 1;
	}
	return strbuf_detach(&name);
}

/* The text, with a name (if not NULL) for a stage that has none. What it ends
 * with must not go on in the lines that are added. */
static void write_text(struct writer *w, const struct dockerfile_node *from,
		       const char *name)
{
	const struct feature_text *in = w->in;
	size_t cut = name ? end_of_line(in->text, in->n, from->end) : in->n;

	strbuf_add(w->out, in->text, cut);
	if (name)
		strbuf_addf(w->out, " AS %s", name);
	strbuf_add(w->out, in->text + cut, in->n - cut);
	strbuf_rtrim(w->out);
	if (w->out->len && w->out->buf[w->out->len - 1] == w->escape)
		strbuf_setlen(w->out, w->out->len - 1);
	strbuf_addch(w->out, '\n');
}

/* Lines of the file keep their numbers, so that messages about them are
 * right: what is new comes after the last. */
static int write_base(struct writer *w, char **target)
{
	const struct feature_text *in = w->in;
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_dockerfile_stages struct dockerfile_stages cuts = { 0 };
	cleanup_free char *name = NULL, *stage = NULL;
	const struct dockerfile_stage *st;
	size_t i;

	if (dockerfile_parse(&df, in->name, in->text, in->n, w->err) < 0 ||
	    dockerfile_split(&df, &cuts, w->err) < 0 ||
	    dockerfile_target(&cuts, in->target, &i, w->err) < 0)
		return -1;
	st = &cuts.v[i];
	w->escape = df.escape;
	/* A stage that is its base image only can go on at once. */
	if (i + 1 == cuts.nr && st->first == st->end) {
		write_text(w, &df.nodes[st->from], NULL);
		*target = xstrdup_null(in->target);
		return 0;
	}
	if (!st->name)
		name = free_name(&cuts, AUTO_NAME);
	stage = free_name(&cuts, FEATURE_STAGE);
	write_text(w, &df.nodes[st->from], name);
	strbuf_addf(w->out, "\nFROM %s AS %s\n", name ? name : st->name, stage);
	*target = steal_ptr(&stage);
	return 0;
}

static int write_all(struct writer *w, const struct devcontainer_features *list)
{
	if (write_users(w) < 0)
		return -1;
	for (size_t i = 0; i < list->nr; i++)
		if (write_feature(w, i, &list->v[i]) < 0)
			return -1;
	strbuf_addstr(w->out, "\nUSER $" FEATURE_IMAGE_USER "\n");
	write_container_env(w);
	return 0;
}

int feature_dockerfile(const struct feature_text *in,
		       const struct devcontainer_features *list,
		       struct strbuf *out, char **target, struct error *err)
{
	struct writer w = { .in = in, .out = out, .err = err };
	cleanup_free char *stage = NULL;

	if (write_base(&w, &stage) < 0 || write_all(&w, list) < 0)
		return -1;
	*target = steal_ptr(&stage);
	return 0;
}
