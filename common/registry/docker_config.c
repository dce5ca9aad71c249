/* docker_config.c - credentials from docker's and containers' files */
/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/internal.h"

#include <ctype.h>
#include <errno.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "base/proc.h"

#define CONFIG_MAX (1u << 20)
#define HELPER_MAX (64u << 10)
#define HELPER_TIMEOUT_MS 10000
#define HUB_SERVER "https://index.docker.io/v1/"

void registry_credentials_release(struct registry_credentials *c)
{
	free(c->user);
	free(c->password);
	free(c->identity_token);
	free(c->registry_token);
	free(c->source);
	*c = (struct registry_credentials){ 0 };
}

void registry_config_release(struct registry_config *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		free(c->files[i].name);
		json_free(c->files[i].json);
	}
	free(c->files);
	*c = (struct registry_config){ 0 };
}

int registry_config_add(struct registry_config *c, const char *name,
			const char *text, size_t n, struct error *err)
{
	struct json *j = jsonc_parse(name, text, n, err);

	if (!j)
		return -1;
	if (json_kind(j) != JSON_OBJECT) {
		json_free(j);
		return error_set(err, ERR_INPUT,
				 "%s: a docker configuration is an object",
				 name);
	}
	GROW(c->files, c->n, c->alloc);
	c->files[c->n++] = (struct registry_config_file){
		.name = xstrdup(name),
		.json = j,
	};
	return 0;
}

static int add_file(struct registry_config *c, const char *path,
		    struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (fs_read_file(path, CONFIG_MAX, &text, err) < 0)
		return -1;
	return registry_config_add(c, path, text.buf, text.len, err);
}

/* The variable and option of docker name a directory; a file serves, too. */
static int add_named(struct registry_config *c, const char *place,
		     struct error *err)
{
	cleanup_free char *inside = path_join(place, "config.json");

	return add_file(c, fs_is_dir(place) ? inside : place, err);
}

static int add_if_there(struct registry_config *c, const char *dir,
			const char *name, struct error *err)
{
	cleanup_free char *path = NULL;

	if (!dir || !*dir)
		return 0;
	path = path_join(dir, name);
	if (access(path, R_OK) < 0 || !fs_is_file(path))
		return 0;
	return add_file(c, path, err);
}

static int add_variable(struct registry_config *c, const char *name,
			struct error *err)
{
	const char *place = getenv(name);
	cleanup_free char *inside = NULL;

	if (!place || !*place)
		return 0;
	/* A directory without a file is how one says "no credentials". */
	inside = path_join(place, "config.json");
	if (fs_is_dir(place) && !fs_exists(inside))
		return 0;
	if (add_named(c, place, err) < 0)
		return error_wrap(err, "%s", name);
	return 0;
}

static int add_base64(struct registry_config *c, const char *text,
		      struct error *err)
{
	cleanup_strbuf struct strbuf plain = STRBUF_INIT;

	if (base64_decode(&plain, text, err) < 0)
		return error_wrap(err, "docker configuration in base64");
	return registry_config_add(c, "docker configuration in base64",
				   plain.buf, plain.len, err);
}

int registry_config_load(struct registry_config *c,
			 const struct registry_options *o, struct error *err)
{
	const char *home = getenv("HOME");

	if (o->docker_config_base64 && *o->docker_config_base64)
		return add_base64(c, o->docker_config_base64, err);
	if (o->docker_config && *o->docker_config)
		return add_named(c, o->docker_config, err);
	if (add_variable(c, "REGISTRY_AUTH_FILE", err) < 0 ||
	    add_variable(c, "DOCKER_CONFIG", err) < 0 ||
	    add_if_there(c, "/.devenv", "config.json", err) < 0 ||
	    add_if_there(c, "/.envbuilder", "config.json", err) < 0 ||
	    add_if_there(c, home, ".docker/config.json", err) < 0 ||
	    add_if_there(c, getenv("XDG_RUNTIME_DIR"), "containers/auth.json",
			 err) < 0 ||
	    add_if_there(c, home, ".config/containers/auth.json", err) < 0)
		return -1;
	return 0;
}

/* "https://index.docker.io/v1/" and its like as host[/path]. */
static char *plain_key(const char *key)
{
	const char *s = strstr(key, "://");
	char *copy = xstrdup(s ? s + 3 : key), *slash;
	size_t n = strlen(copy), i;

	for (i = 0; copy[i] && copy[i] != '/'; i++)
		copy[i] = (char)tolower((unsigned char)copy[i]);
	while (n && copy[n - 1] == '/')
		copy[--n] = '\0';
	slash = strchr(copy, '/');
	if (slash && (str_eq(slash, "/v1") || str_eq(slash, "/v2")))
		*slash = '\0';
	if (str_eq(copy, "index.docker.io") ||
	    str_eq(copy, "registry-1.docker.io")) {
		free(copy);
		copy = xstrdup("docker.io");
	}
	return copy;
}

/* The member whose key is the host or the longest prefix of host/repository
 * that ends at a slash. */
static const struct json *find_member(const struct json *object,
				      const char *host,
				      const char *repository)
{
	cleanup_free char *name = xstrfmt("%s/%s", host, repository);
	const struct json *m, *best = NULL;
	size_t best_len = 0;

	for (m = json_first(object); m; m = json_next(m)) {
		cleanup_free char *key = plain_key(json_key(m));
		size_t n = strlen(key);

		if (n <= best_len || !str_starts(name, key) ||
		    (name[n] && name[n] != '/'))
			continue;
		best = m;
		best_len = n;
	}
	return best;
}

static int bad_helper(const char *name, const char *why, struct error *err)
{
	cleanup_strbuf struct strbuf shown = STRBUF_INIT;

	strbuf_add_safe(&shown, why, strnlen(why, 300));
	strbuf_rtrim(&shown);
	return error_set(err, ERR_HOST,
			 "credential helper docker-credential-%s: %s", name,
			 shown.len ? shown.buf : "failed without a word");
}

static int take_helper_answer(const char *name, const struct strbuf *text,
			      struct registry_credentials *out,
			      struct error *err)
{
	cleanup_json struct json *j = json_parse(name, text->buf, text->len,
						 NULL);
	const char *user = json_get_str(j, "Username");
	const char *secret = json_get_str(j, "Secret");

	if (!user || !secret)
		return bad_helper(name, "its answer is not understood", err);
	if (str_eq(user, "<token>")) {
		out->identity_token = xstrdup(secret);
	} else {
		out->user = xstrdup(user);
		out->password = xstrdup(secret);
	}
	out->source = xstrfmt("docker-credential-%s", name);
	return 1;
}

/* Our own settings hold secrets that are none of the helper's business. */
static void helper_environment(struct strvec *env)
{
	extern char **environ;
	char **e;

	for (e = environ; *e; e++)
		if (!str_starts(*e, "DEVENV_") &&
		    !str_starts(*e, "ENVBUILDER_"))
			strvec_push(env, *e);
}

static int ask_helper(const char *name, const char *server,
		      struct registry_credentials *out, struct error *err)
{
	cleanup_strbuf struct strbuf in = STRBUF_INIT, answer = STRBUF_INIT;
	cleanup_strvec struct strvec env = STRVEC_INIT;
	cleanup_proc struct proc p = PROC_INIT;
	const char *s;

	for (s = name; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("._-", *s))
			break;
	if (*s || !*name)
		return error_set(err, ERR_INPUT,
				 "a credential helper's name may hold only "
				 "letters, digits and ._-");
	strvec_pushf(&p.args, "docker-credential-%s", name);
	strvec_push(&p.args, "get");
	helper_environment(&env);
	p.env = &env;
	p.timeout_ms = HELPER_TIMEOUT_MS;
	strbuf_addf(&in, "%s\n", server);
	if (proc_capture(&p, &in, &answer, HELPER_MAX, err) < 0) {
		error_wrap(err, "credential helper");
		return error_hint(err, "install docker-credential-%s or take "
				       "it out of the docker configuration",
				  name);
	}
	if (p.status && strstr(answer.buf, "credentials not found"))
		return 0;
	if (p.status)
		return bad_helper(name, answer.buf, err);
	return take_helper_answer(name, &answer, out, err);
}

static int take_auth(const struct json *entry, const char *file,
		     struct registry_credentials *out, struct error *err)
{
	cleanup_strbuf struct strbuf plain = STRBUF_INIT;
	const char *auth = json_get_str(entry, "auth");
	const char *user = json_get_str(entry, "username");
	const char *password = json_get_str(entry, "password");
	char *colon = NULL;

	if (auth && *auth) {
		if (base64_decode(&plain, auth, err) < 0)
			return error_wrap(err, "%s: auth of '%s'", file,
					  json_key(entry));
		colon = strchr(plain.buf, ':');
		if (!colon)
			return error_set(err, ERR_INPUT,
					 "%s: auth of '%s' is not "
					 "user:password in base64",
					 file, json_key(entry));
		*colon = '\0';
		user = plain.buf;
		password = colon + 1;
	}
	out->identity_token = xstrdup_null(json_get_str(entry,
							"identitytoken"));
	out->registry_token = xstrdup_null(json_get_str(entry,
							"registrytoken"));
	if (user && *user && password) {
		out->user = xstrdup(user);
		out->password = xstrdup(password);
	}
	if (!out->user && !out->identity_token && !out->registry_token)
		return 0;
	out->source = xstrdup(file);
	return 1;
}

static int find_in(const struct registry_config_file *f, const char *host,
		   const char *repository, struct registry_credentials *out,
		   struct error *err)
{
	const char *server = str_eq(host, "docker.io") ? HUB_SERVER : host;
	const struct json *m;
	const char *helper;
	int rc;

	m = find_member(json_get(f->json, "credHelpers"), host, repository);
	if (json_str(m) && *json_str(m))
		return ask_helper(json_str(m), server, out, err);
	helper = json_get_str(f->json, "credsStore");
	if (helper && *helper) {
		rc = ask_helper(helper, server, out, err);
		if (rc)
			return rc;
	}
	m = find_member(json_get(f->json, "auths"), host, repository);
	return m ? take_auth(m, f->name, out, err) : 0;
}

static void mask(const struct registry_credentials *c)
{
	if (c->password)
		log_add_secret(c->password);
	if (c->identity_token)
		log_add_secret(c->identity_token);
	if (c->registry_token)
		log_add_secret(c->registry_token);
}

int registry_config_find(const struct registry_config *c, const char *host,
			 const char *repository,
			 struct registry_credentials *out, struct error *err)
{
	size_t i;
	int rc;

	for (i = 0; i < c->n; i++) {
		rc = find_in(&c->files[i], host, repository, out, err);
		if (rc > 0)
			mask(out);
		if (rc)
			return rc;
	}
	return 0;
}
