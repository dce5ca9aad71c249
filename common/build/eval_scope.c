/* eval_scope.c - ARG, ENV and the predefined variables */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>

#include "build/eval.h"

static const char *const proxies[] = {
	"HTTP_PROXY",  "http_proxy",  "HTTPS_PROXY", "https_proxy",
	"FTP_PROXY",   "ftp_proxy",   "NO_PROXY",    "no_proxy",
	"ALL_PROXY",   "all_proxy",
};

static const struct dockerfile_node *
place_of(const struct build_eval *ev, const struct build_stage *st,
	 const struct dockerfile_node *node)
{
	if (st && st->in_trigger)
		return &ev->df->nodes[st->cut->from];
	return node;
}

int build_eval_fail(const struct build_eval *ev, const struct build_stage *st,
		    const struct dockerfile_node *node, struct error *err,
		    const char *fmt, ...)
{
	const struct dockerfile_node *at = place_of(ev, st, node);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf safe = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	strbuf_add_safe(&safe, text.buf, text.len);
	return error_set(err, ERR_INPUT, "%s:%u:%u: %s%s", ev->df->name,
			 at->start, at->col, at == node ? "" : "ONBUILD: ",
			 safe.buf);
}

int build_eval_place(const struct build_eval *ev, const struct build_stage *st,
		     const struct dockerfile_node *node, struct error *err)
{
	const struct dockerfile_node *at = place_of(ev, st, node);

	return error_wrap(err, "%s:%u:%u%s", ev->df->name, at->start, at->col,
			  at == node ? "" : ": ONBUILD");
}

/* Where a word stands. */
struct scope {
	struct build_eval *ev;
	const struct build_stage *st; /* NULL: outside of all stages */
	const struct dockerfile_node *node;
};

/* ENV wins over an ARG of the same name, whichever came later. */
static const char *get(void *arg, const char *name)
{
	const struct scope *s = arg;
	const char *value;

	if (!s->st)
		return strindex_env_get(&s->ev->index->env, &s->ev->globals,
					name);
	value = strindex_env_get(&s->st->index->env, &s->st->config.env, name);
	return value ? value : strindex_env_get(&s->st->index->args,
						&s->st->args, name);
}

static void unset(void *arg, const char *name)
{
	const struct scope *s = arg;

	build_eval_unset(s->ev, s->st, s->node, name);
}

static struct dockerfile_env env_of(struct scope *s)
{
	return (struct dockerfile_env){
		.get = get,
		.unset = unset,
		.arg = s,
		.escape = s->st && s->st->in_trigger ? '\\' :
						       s->ev->df->escape,
	};
}

int build_eval_charge(struct build_eval *ev, const struct build_stage *st,
		      const struct dockerfile_node *node, size_t n,
		      struct error *err)
{
	if (n <= BUILD_EXPANDED_MAX - ev->expanded) {
		ev->expanded += n;
		return 0;
	}
	return build_eval_fail(ev, st, node, err,
			       "variables expand to more than %u bytes",
			       BUILD_EXPANDED_MAX);
}

/* What one of the expansions below made: counted, or released. */
static char *finish(struct build_eval *ev, const struct build_stage *st,
		    const struct dockerfile_node *node, struct strbuf *out,
		    struct error *err)
{
	if (build_eval_charge(ev, st, node, out->len, err) == 0)
		return strbuf_detach(out);
	return NULL;
}

char *build_eval_expand(struct build_eval *ev, const struct build_stage *st,
			const struct dockerfile_node *node, const char *word,
			struct error *err)
{
	struct scope here = { ev, st, node };
	struct dockerfile_env env = env_of(&here);
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	if (dockerfile_expand(&env, word, &out, err) < 0) {
		build_eval_place(ev, st, node, err);
		return NULL;
	}
	return finish(ev, st, node, &out, err);
}

int build_eval_expand_words(struct build_eval *ev,
			    const struct build_stage *st,
			    const struct dockerfile_node *node,
			    const char *word, struct strvec *out,
			    struct error *err)
{
	struct scope here = { ev, st, node };
	struct dockerfile_env env = env_of(&here);
	size_t i = out->nr, n = 0;

	if (dockerfile_expand_words(&env, word, out, err) < 0)
		return build_eval_place(ev, st, node, err);
	for (; i < out->nr; i++)
		n += strlen(out->v[i]);
	return build_eval_charge(ev, st, node, n, err);
}

char *build_eval_expand_body(struct build_eval *ev,
			     const struct build_stage *st,
			     const struct dockerfile_node *node,
			     const char *body, struct error *err)
{
	struct scope here = { ev, st, node };
	struct dockerfile_env env = env_of(&here);
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	if (dockerfile_expand_heredoc(&env, body, &out, err) < 0) {
		build_eval_place(ev, st, node, err);
		return NULL;
	}
	return finish(ev, st, node, &out, err);
}
static bool same_key(const char *entry, const char *key)
{
	const char *rest = str_skip(entry, key);

	return rest && (!*rest || *rest == '=');
}

/* The value given on the command line, noted as used; NULL: none. */
const char *build_eval_given(struct build_eval *ev, const char *key)
{
	size_t i;

	for (i = 0; i < ev->build_args.nr; i++) {
		if (same_key(ev->build_args.v[i], key)) {
			ev->used[i] = true;
			return ev->build_args.v[i] + strlen(key) + 1;
		}
	}
	return NULL;
}

static bool is_proxy(const char *entry)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(proxies); i++)
		if (same_key(entry, proxies[i]))
			return true;
	return false;
}

static void set_global(struct build_eval *ev, const char *key,
		       const char *value)
{
	const char *mine = build_eval_given(ev, key);

	strvec_env_set(&ev->globals, key, mine ? mine : value);
}

static void set_platform(struct build_eval *ev, const char *prefix,
			 const struct oci_platform *p)
{
	cleanup_free char *text = oci_platform_format(p);
	const char *const parts[][2] = {
		{ "PLATFORM", text },	 { "OS", p->os },
		{ "OSVERSION", "" },	 { "ARCH", p->arch },
		{ "VARIANT", p->variant ? p->variant : "" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		cleanup_free char *key = xstrfmt("%s%s", prefix, parts[i][0]);

		set_global(ev, key, parts[i][1]);
	}
}

/* Those that have a meaning without an ARG are never "unused". */
static void mark_predefined(struct build_eval *ev)
{
	static const char *const names[] = {
		BUILD_EPOCH, "BUILDKIT_CACHE_MOUNT_NS",
		"BUILDKIT_CONTEXT_KEEP_GIT_DIR", "BUILDKIT_DOCKERFILE_CHECK",
		"BUILDKIT_MULTI_PLATFORM", "BUILDKIT_SANDBOX_HOSTNAME",
		"BUILDKIT_SYNTAX",
	};
	size_t i, k;

	for (i = 0; i < ev->build_args.nr; i++) {
		const char *entry = ev->build_args.v[i];

		for (k = 0; k < ARRAY_SIZE(names); k++)
			ev->used[i] |= same_key(entry, names[k]);
		ev->used[i] |= is_proxy(entry);
	}
}

int build_eval_init_args(struct build_eval *ev,
			 const struct build_eval_options *o,
			 struct error *err)
{
	size_t i;

	for (i = 0; o->build_args && i < o->build_args->nr; i++) {
		const char *entry = o->build_args->v[i];
		const char *eq = strchr(entry, '=');
		cleanup_free char *key = xstrndup(
			entry, eq ? (size_t)(eq - entry) : strlen(entry));
		const char *value = eq ? eq + 1 : getenv(key);

		if (value)
			strvec_env_set(&ev->build_args, key, value);
	}
	if (build_eval_init_epoch(ev, err) < 0)
		return -1;
	ev->used = xcalloc(ev->build_args.nr + 1, sizeof(*ev->used));
	mark_predefined(ev);
	set_platform(ev, "BUILD", o->build_platform);
	set_platform(ev, "TARGET", o->platform);
	set_global(ev, "TARGETSTAGE",
		   o->target && *o->target ? o->target : "default");
	return 0;
}

int build_eval_globals(struct build_eval *ev, struct error *err)
{
	size_t i, k;

	for (i = 0; i < ev->cuts.v[0].from; i++) {
		const struct dockerfile_node *node = &ev->df->nodes[i];

		for (k = 0; k < node->n_pairs; k++) {
			const struct dockerfile_pair *p = &node->pairs[k];
			const char *value = build_eval_given(ev, p->key);
			cleanup_free char *own = NULL;

			if (!value && p->value) {
				own = build_eval_expand(ev, NULL, node,
							p->value, err);
				if (!own)
					return -1;
				value = own;
			}
			if (str_eq(p->key, BUILD_EPOCH) &&
			    build_eval_set_epoch(ev, &value, err) < 0)
				return build_eval_place(ev, NULL, node, err);
			strindex_add(&ev->index->args, p->key,
				     strlen(p->key), i);
			if (ev->index->args.nr > BUILD_VARS_MAX)
				return build_eval_fail(ev, NULL, node, err,
						       "too many variables");
			if (value)
				strindex_env_set(&ev->index->env, &ev->globals,
						 p->key, value);
		}
	}
	return 0;
}

/* Redeclaring keeps the place of the first declaration. */
static void declare(struct build_stage *st, const char *key,
		    const char *value)
{
	if (value)
		strindex_env_set(&st->index->args, &st->args, key, value);
	/* `ARG x` again does not take back the value of `ARG x=1`. */
	else if (!strindex_env_entry(&st->index->args, &st->args, key))
		strvec_push(&st->args, key);
}

static int declare_pair(struct build_eval *ev, struct build_stage *st,
			const struct dockerfile_node *node,
			const struct dockerfile_pair *pair,
			struct strbuf *text, struct error *err)
{
	cleanup_free char *key = build_eval_expand(ev, st, node, pair->key,
						   err);
	cleanup_free char *own = NULL;
	const char *value;

	if (!key)
		return -1;
	if (!*key)
		return build_eval_fail(ev, st, node, err,
				       "ARG names can not be blank");
	if (pair->value) {
		own = build_eval_expand(ev, st, node, pair->value, err);
		if (!own)
			return -1;
	}
	if (st->args.nr >= BUILD_VARS_MAX)
		return build_eval_fail(ev, st, node, err,
				       "too many variables");
	strbuf_addf(text, " %s%s%s", key, own ? "=" : "", own ? own : "");
	value = build_eval_given(ev, key);
	if (!value)
		value = own ? own :
			      strindex_env_get(&ev->index->env, &ev->globals,
					       key);
	if (!value) {
		own = build_eval_user(ev, st, key);
		value = own;
	}
	declare(st, key, value);
	return 0;
}

int build_eval_arg(struct build_eval *ev, struct build_stage *st,
		   const struct dockerfile_node *node, struct strbuf *text,
		   struct error *err)
{
	size_t i;

	strbuf_addstr(text, "ARG");
	for (i = 0; i < node->n_pairs; i++)
		if (declare_pair(ev, st, node, &node->pairs[i], text, err) < 0)
			return -1;
	return 0;
}

static bool is_declared(const struct build_stage *st, const char *entry)
{
	cleanup_free char *key = xstrndup(entry, strcspn(entry, "="));

	return strindex_env_entry(&st->index->args, &st->args, key);
}

int build_eval_run_env(struct build_eval *ev, const struct build_stage *st,
		       struct build_step *step, struct error *err)
{
	size_t i, n = 0;

	strvec_copy(&step->env, &st->config.env);
	for (i = 0; i < st->args.nr; i++) {
		const char *eq = strchr(st->args.v[i], '=');
		cleanup_free char *key = NULL;

		if (!eq)
			continue;
		key = xstrndup(st->args.v[i], (size_t)(eq - st->args.v[i]));
		if (!strindex_env_get(&st->index->env, &st->config.env, key))
			strvec_push(&step->env, st->args.v[i]);
	}
	for (i = 0; i < ev->build_args.nr; i++)
		if (is_proxy(ev->build_args.v[i]) &&
		    !is_declared(st, ev->build_args.v[i]))
			strvec_push(&step->proxy, ev->build_args.v[i]);
	/* Every RUN has its own copy. */
	for (i = 0; i < step->env.nr; i++)
		n += strlen(step->env.v[i]);
	return build_eval_charge(ev, st, step->node, n, err);
}

void build_eval_arg_prefix(const struct build_stage *st, struct strbuf *out)
{
	size_t i;

	if (st->args.nr)
		strbuf_addf(out, "|%zu ", st->args.nr);
	for (i = 0; i < st->args.nr; i++) {
		size_t n = strcspn(st->args.v[i], "=");
		cleanup_free char *key = xstrndup(st->args.v[i], n);
		const char *value = strindex_env_get(
			&st->index->env, &st->config.env, key);

		if (!value && st->args.v[i][n])
			value = st->args.v[i] + n + 1;
		strbuf_addf(out, "%s=%s ", key, value ? value : "");
	}
}
