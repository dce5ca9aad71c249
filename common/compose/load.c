/* load.c - compose files of a project, merged */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>

#include "base/path.h"
#include "compose/internal.h"

/* Of services, as in compose's schema. */
#define NAME_CHARS \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

void compose_release(struct compose *c)
{
	json_free(c->model);
	strvec_release(&c->warnings);
	*c = (struct compose)COMPOSE_INIT;
}

void compose_file_release(struct compose_file *f)
{
	free(f->path);
	free(f->name);
	free(f->dir);
	strbuf_release(&f->text);
	json_free(f->json);
	free(f);
}

static void load_release(struct compose_load *l)
{
	while (l->n_files)
		compose_file_release(l->files[--l->n_files]);
	free(l->files);
	yaml_places_free(l->places);
	strvec_release(&l->env);
}

void compose_at_release(struct compose_at *at)
{
	strvec_release(&at->path);
}

/* --- positions --- */

/* Of the file last asked about: most have nothing to tell, some a lot. */
static struct yaml_places *places(struct compose_load *l,
				  const struct compose_file *f)
{
	if (l->placed != f) {
		yaml_places_free(l->places);
		l->places = yaml_places_new(f->text.buf, f->text.len);
		l->placed = f;
	}
	return l->places;
}

static void add_place(const struct compose_at *at, bool of_key,
		      struct strbuf *out)
{
	cleanup_strvec struct strvec path = STRVEC_INIT;
	unsigned line = 1, col = 1;

	strvec_copy(&path, &at->path);
	while (!yaml_places_find(places(at->l, at->f), &path, of_key, &line,
				 &col) &&
	       path.nr) {
		strvec_pop(&path);
		of_key = true;
	}
	strbuf_addf(out, "%s:%u:%u: ", at->f->name, line, col);
}

int compose_fail(const struct compose_at *at, bool of_key, const char *fmt,
		 ...)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	va_list ap;

	add_place(at, of_key, &text);
	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	return error_set(at->l->err, ERR_INPUT, "%s", text.buf);
}

void compose_warn(const struct compose_at *at, const char *fmt, ...)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	va_list ap;

	add_place(at, true, &text);
	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	if (!strvec_has(at->l->warnings, text.buf))
		strvec_push(at->l->warnings, text.buf);
}

/* --- bounds --- */

static size_t weigh(const struct json *j)
{
	const struct json *m;
	size_t n = 64 + (json_str(j) ? strlen(json_str(j)) : 0);

	for (m = json_first(j); m; m = json_next(m))
		n += weigh(m) + (json_key(m) ? strlen(json_key(m)) : 0);
	return n;
}

int compose_count(const struct compose_at *at, const struct json *j)
{
	at->l->total += weigh(j);
	if (at->l->total > COMPOSE_TOTAL_MAX)
		return compose_fail(at, true, "the project becomes larger "
				    "than %zu bytes", COMPOSE_TOTAL_MAX);
	return 0;
}

int compose_few(const struct compose_at *at, const struct json *j)
{
	if (json_len(j) > COMPOSE_ENTRIES_MAX)
		return compose_fail(at, true, "more than %d entries",
				    COMPOSE_ENTRIES_MAX);
	return 0;
}

/* --- variables --- */

const char *compose_variable(void *load, const char *name)
{
	const struct compose_load *l = load;
	const char *value = l->scope->env(l->scope->arg, name);

	return value ? value : strvec_env_get(&l->env, name);
}

static int expand_string(struct compose_at *at, struct json *j)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_strvec struct strvec unset = STRVEC_INIT;
	cleanup_error struct error why = ERROR_INIT;
	size_t i;

	if (!strchr(json_str(j), '$'))
		return 0;
	if (compose_interpolate(json_str(j), compose_variable, at->l, &out,
				&unset, &why) < 0) {
		compose_fail(at, false, "%s", why.msg);
		return why.hint ? error_hint(at->l->err, "%s", why.hint) : -1;
	}
	for (i = 0; i < unset.nr; i++)
		compose_warn(at, "the variable %s is not set: it is empty",
			     unset.v[i]);
	json_assign_str(j, out.buf);
	return compose_count(at, j);
}

int compose_expand(struct compose_at *at, struct json *j)
{
	struct json *m;
	size_t i = 0;
	int rc = 0;

	if (json_str(j))
		return expand_string(at, j);
	for (m = json_first(j); m && !rc; m = json_next(m)) {
		if (json_kind(j) == JSON_OBJECT)
			strvec_push(&at->path, json_key(m));
		else
			strvec_pushf(&at->path, "%zu", i++);
		rc = compose_expand(at, m);
		strvec_pop(&at->path);
	}
	return rc;
}

/* --- files --- */

static int check_services(struct compose_at *at, const struct json *services)
{
	const struct json *m;

	if (json_kind(services) != JSON_OBJECT)
		return compose_fail(at, false, "a map of services expected");
	for (m = json_first(services); m; m = json_next(m)) {
		const char *name = json_key(m);

		strvec_push(&at->path, name);
		if (!*name || name[strspn(name, NAME_CHARS)])
			return compose_fail(at, true, "'%s' is not a name for "
					    "a service", name);
		strvec_pop(&at->path);
	}
	return 0;
}

static int check_top(struct compose_at *at)
{
	static const char *const known[] = { "name", "version", "services",
					     "volumes" };
	const struct json *m;
	size_t i;

	if (json_kind(at->f->json) != JSON_OBJECT)
		return compose_fail(at, false, "a map with 'services' "
				    "expected");
	for (m = json_first(at->f->json); m; m = json_next(m)) {
		strvec_push(&at->path, json_key(m));
		for (i = 0; i < ARRAY_SIZE(known); i++)
			if (str_eq(json_key(m), known[i]))
				break;
		if (str_eq(json_key(m), "include"))
			return compose_fail(at, true,
					    "'include' is not supported");
		if (str_eq(json_key(m), "services") &&
		    check_services(at, m) < 0)
			return -1;
		if (i == ARRAY_SIZE(known) && !str_starts(json_key(m), "x-"))
			compose_warn(at, "'%s' is not acted on", json_key(m));
		strvec_pop(&at->path);
	}
	return 0;
}

static int read_file(struct compose_load *l, struct compose_file *f)
{
	struct compose_at at = { .l = l, .f = f };
	int rc;

	if (l->scope->read(l->scope->arg, f->path, &f->text, l->err) < 0)
		return -1;
	f->json = yaml_parse(f->name, f->text.buf, f->text.len, l->err);
	if (!f->json)
		return -1;
	rc = check_top(&at);
	if (!rc)
		rc = compose_expand(&at, f->json);
	strvec_release(&at.path);
	return rc;
}

const struct compose_file *compose_open(struct compose_load *l,
					const char *path, const char *dir)
{
	struct compose_file *f;
	const char *below;
	size_t i;

	for (i = 0; i < l->n_files; i++)
		if (str_eq(l->files[i]->path, path))
			return l->files[i];
	if (l->n_files == COMPOSE_FILES_MAX) {
		error_set(l->err, ERR_INPUT, "more than %d compose files",
			  COMPOSE_FILES_MAX);
		return NULL;
	}
	below = path_below(path, l->scope->dir);
	f = xcalloc(1, sizeof(*f));
	f->path = xstrdup(path);
	f->name = xstrdup(below && *below ? below : path);
	f->dir = xstrdup(dir);
	if (read_file(l, f) < 0) {
		compose_file_release(f);
		return NULL;
	}
	GROW(l->files, l->n_files, l->alloc);
	l->files[l->n_files++] = f;
	return f;
}

/* --- the project --- */

static int read_dotenv(struct compose_load *l, const char *project)
{
	cleanup_free char *path = path_join(project, ".env");
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_error struct error why = ERROR_INIT;

	if (l->scope->read(l->scope->arg, path, &text, &why) < 0)
		return why.sys == ENOENT ? 0 : error_move(l->err, &why);
	return compose_dotenv(path, text.buf, l->scope->env, l->scope->arg,
			      &l->env, l->err);
}

static int add_file(struct compose_load *l, const struct compose_file *f,
		    struct json *model)
{
	struct json *services = json_get(model, "services");
	const struct json *m;

	for (m = json_first(json_get(f->json, "services")); m;
	     m = json_next(m)) {
		cleanup_strvec struct strvec chain = STRVEC_INIT;
		struct json *one = compose_extend(l, f, json_key(m), &chain);
		struct json *old = json_get(services, json_key(m));

		if (!one)
			return -1;
		if (old) {
			compose_merge(old, one);
			json_free(one);
		} else {
			json_set(services, json_key(m), one);
		}
	}
	for (m = json_first(json_get(f->json, "volumes")); m;
	     m = json_next(m))
		json_set(json_get(model, "volumes"), json_key(m),
			 json_dup(m));
	if (json_get_str(f->json, "name"))
		json_set_str(model, "name", json_get_str(f->json, "name"));
	return 0;
}

/* What names a project may have of this text, appended. */
static void add_name(struct strbuf *out, const char *text)
{
	for (; *text; text++) {
		int c = tolower((unsigned char)*text);

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		    c == '-' || c == '_')
			strbuf_addch(out, c);
	}
}

static void set_name(struct compose_load *l, const char *project,
		     struct json *model)
{
	const char *given = compose_variable(l, "COMPOSE_PROJECT_NAME");
	cleanup_strbuf struct strbuf name = STRBUF_INIT;
	cleanup_free char *base = path_base(project);
	cleanup_free char *above = path_dir(project);
	cleanup_free char *outer = path_base(above);

	if (!given || !*given)
		given = json_get_str(model, "name");
	if (given && *given) {
		add_name(&name, given);
	} else if (str_eq(base, ".devcontainer")) {
		add_name(&name, outer);
		strbuf_addstr(&name, "_devcontainer");
	} else {
		add_name(&name, base);
	}
	json_set_str(model, "name", name.buf);
}

/* Null takes the host's value, or is nothing. */
static void fill(struct compose_load *l, struct json *map)
{
	struct json *m, *next;

	for (m = json_first(map); m; m = next) {
		cleanup_free char *key = xstrdup(json_key(m));
		const char *value = compose_variable(l, key);

		next = json_next(m);
		if (json_kind(m) != JSON_NULL)
			continue;
		if (value)
			json_assign_str(m, value);
		else
			json_remove(map, key);
	}
}

static int read_env_file(struct compose_load *l, const struct json *one,
			 struct strvec *env)
{
	const char *path = json_get_str(one, "path");
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_error struct error why = ERROR_INIT;

	if (l->scope->read(l->scope->arg, path, &text, &why) < 0) {
		if (why.sys == ENOENT && !json_get_bool(one, "required"))
			return 0;
		return error_move(l->err, &why);
	}
	return compose_dotenv(path, text.buf, compose_variable, l, env,
			      l->err);
}

/* Where a service is written, for a message about all of it. */
static struct compose_at place_of(struct compose_load *l, const char *name)
{
	struct compose_at at = { .l = l, .f = l->files[0] };
	size_t i;

	for (i = 0; i < l->n_files; i++)
		if (json_get(json_get(l->files[i]->json, "services"), name))
			at.f = l->files[i];
	strvec_push(&at.path, "services");
	strvec_push(&at.path, name);
	return at;
}

static int fail_service(struct compose_load *l, const char *name,
			const char *what)
{
	CLEANUP(compose_at_release) struct compose_at at = place_of(l, name);

	return compose_fail(&at, true, "the service '%s' %s", name, what);
}

static int fill_environment(struct compose_load *l, struct json *service)
{
	CLEANUP(compose_at_release) struct compose_at at =
		place_of(l, json_key(service));
	cleanup_strvec struct strvec env = STRVEC_INIT;
	struct json *own = json_get(service, "environment"), *all;
	const struct json *m;
	size_t i;

	fill(l, own);
	fill(l, json_get(json_get(service, "build"), "args"));
	m = json_first(json_get(service, "env_file"));
	for (; m; m = json_next(m))
		if (read_env_file(l, m, &env) < 0)
			return -1;
	if (!env.nr)
		return 0;
	all = json_new_object();
	for (i = 0; i < env.nr; i++) {
		size_t n = strcspn(env.v[i], "=");
		cleanup_free char *key = xstrndup(env.v[i], n);

		json_set_str(all, key, env.v[i] + n + 1);
	}
	for (m = json_first(own); m; m = json_next(m))
		json_set(all, json_key(m), json_dup(m));
	json_set(service, "environment", all);
	return compose_count(&at, all);
}

static int finish(struct compose_load *l, struct json *model)
{
	struct json *m, *services = json_get(model, "services");

	for (m = json_first(services); m; m = json_next(m)) {
		const struct json *d;

		if (!json_get(m, "image") && !json_get(m, "build"))
			return fail_service(l, json_key(m),
					    "has neither image nor build");
		d = json_first(json_get(m, "depends_on"));
		for (; d; d = json_next(d))
			if (!json_get(services, json_key(d)) &&
			    json_get_bool(d, "required"))
				return fail_service(l, json_key(m),
						    "depends on one that is "
						    "not there");
		if (fill_environment(l, m) < 0)
			return -1;
	}
	return 0;
}

static int load(struct compose_load *l, const struct strvec *files,
		struct json *model)
{
	cleanup_free char *first = path_resolve(l->scope->dir, files->v[0]);
	cleanup_free char *project = path_dir(first);
	size_t i;

	if (read_dotenv(l, project) < 0)
		return -1;
	for (i = 0; i < files->nr; i++) {
		cleanup_free char *path = path_resolve(l->scope->dir,
						       files->v[i]);
		const struct compose_file *f = compose_open(l, path, project);

		if (!f || add_file(l, f, model) < 0)
			return -1;
	}
	set_name(l, project, model);
	return finish(l, model);
}

int compose_load(struct compose *c, const struct strvec *files,
		 const struct compose_scope *scope, struct error *err)
{
	CLEANUP(load_release) struct compose_load l = {
		.scope = scope, .warnings = &c->warnings, .err = err,
	};

	if (!files->nr)
		return error_set(err, ERR_INPUT, "no compose file");
	c->model = json_new_object();
	json_set(c->model, "services", json_new_object());
	json_set(c->model, "volumes", json_new_object());
	if (load(&l, files, c->model) == 0)
		return 0;
	compose_release(c);
	return -1;
}
