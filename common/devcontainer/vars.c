/* vars.c - ${localEnv:...} and the other variables of a configuration */
/* SPDX-License-Identifier: Apache-2.0 */
#include "devcontainer/internal.h"

/* A file of DEVCONTAINER_MAX can name a long variable very often. */
#define ADDED_MAX (16 << 20)

/* Unlike strvec_split, keeps empty parts: ${localEnv:X:} has a default. */
static void split_args(const char *text, struct strvec *parts)
{
	for (;;) {
		size_t n = strcspn(text, ":");

		strvec_push_own(parts, xstrndup(text, n));
		if (!text[n])
			return;
		text += n + 1;
	}
}

/* One `${inside}`: 1 replaced, 0 not a variable. */
static int replace_one(struct vars *v, const char *inside, size_t n,
		       struct strbuf *out, struct error *err)
{
	cleanup_free char *text = xstrndup(inside, n);
	cleanup_strvec struct strvec parts = STRVEC_INIT;
	struct strvec args;
	size_t before = out->len;
	int r;

	split_args(text, &parts);
	args = (struct strvec){ .v = parts.v + 1, .nr = parts.nr - 1 };
	r = v->replace(v->arg, parts.v[0], &args, out, err);
	if (r < 0)
		return -1;
	v->added += out->len - before;
	if (v->added > ADDED_MAX)
		return error_set(err, ERR_INPUT,
				 "variables expand to more than %d bytes",
				 ADDED_MAX);
	return r;
}

/* Up to the brace, or to where a line ends, be it by U+2028 or U+2029. */
static size_t until_brace(const char *open)
{
	size_t n = strcspn(open, "}\r\n\xe2");

	while (open[n] == '\xe2' && strncmp(open + n, "\xe2\x80\xa8", 3) != 0 &&
	       strncmp(open + n, "\xe2\x80\xa9", 3) != 0)
		n += 1 + strcspn(open + n + 1, "}\r\n\xe2");
	return n;
}

int devcontainer_expand(struct vars *v, const char *text, struct strbuf *out,
			struct error *err)
{
	int changed = 0;

	while (*text) {
		const char *open = strstr(text, "${");
		size_t n = open ? until_brace(open) : 0;
		int r = 0;

		if (!open)
			break;
		strbuf_add(out, text, (size_t)(open - text));
		if (open[n] == '}')
			r = replace_one(v, open + 2, n - 2, out, err);
		if (r < 0)
			return -1;
		/* What is no variable may still contain the next one, unless
		 * a brace closed it. */
		n = open[n] == '}' ? n + 1 : 2;
		if (!r)
			strbuf_add(out, open, n);
		changed |= r;
		text = open + n;
	}
	strbuf_addstr(out, text);
	return changed;
}

static int replace_in(struct vars *v, struct json *j, struct error *err)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	int r = devcontainer_expand(v, json_str(j), &out, err);

	if (r <= 0)
		return r;
	jsonc_repair_utf8(&out); /* the environment may hold any bytes */
	json_assign_str(j, out.buf);
	return 0;
}

int devcontainer_expand_tree(struct vars *v, struct json *j,
			     struct error *err)
{
	size_t i = 0;

	if (json_str(j))
		return replace_in(v, j, err);
	for (struct json *m = json_first(j); m; m = json_next(m), i++) {
		if (json_key(m))
			strvec_push(&v->path, json_key(m));
		else
			strvec_pushf(&v->path, "%zu", i);
		if (devcontainer_expand_tree(v, m, err) < 0)
			return -1;
		strvec_pop(&v->path);
	}
	return 0;
}

int devcontainer_lookup(const char *name, const struct strvec *args,
			const char *(*get)(void *arg, const char *name),
			void *arg, struct strbuf *out, struct error *err)
{
	const char *value;

	if (!args->nr)
		return error_set(err, ERR_INPUT,
				 "'${%s}' names no environment variable",
				 name);
	value = get(arg, args->v[0]);
	if (!value && args->nr > 1)
		value = args->v[1];
	strbuf_addstr(out, value ? value : "");
	return 1;
}

struct container_env {
	const char *(*get)(void *arg, const char *name);
	void *arg;
};

static int replace_container_env(void *arg, const char *name,
				 const struct strvec *args,
				 struct strbuf *out, struct error *err)
{
	const struct container_env *env = arg;

	if (!str_eq(name, "containerEnv"))
		return 0;
	return devcontainer_lookup(name, args, env->get, env->arg, out, err);
}

int devcontainer_container_env(struct json *j,
			       const char *(*get)(void *arg, const char *name),
			       void *arg, struct error *err)
{
	struct container_env env = { get, arg };
	struct vars v = { .replace = replace_container_env, .arg = &env };
	int r = devcontainer_expand_tree(&v, j, err);

	strvec_release(&v.path);
	return r;
}
