/* entry.c - what an environment starts with, before its lifecycle commands */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <unistd.h>

#include "base/path.h"
#include "env/internal.h"

/* The entry points of image and features one after the other, each of which
 * has to return, then the image's own command. */
static void script(const struct json *config, struct strbuf *out)
{
	const struct json *m = json_first(json_get(config, "entrypoints"));

	for (; m; m = json_next(m))
		strbuf_addf(out, "%s\n", json_str(m));
	strbuf_addstr(out, "[ $# = 0 ] || exec \"$@\"\n");
}

static bool wants_command(const struct json *config)
{
	const struct json *j = json_get(config, "overrideCommand");

	return json_kind(j) == JSON_BOOL && !json_bool(j);
}

int entry_log(const struct env *e, struct error *err)
{
	cleanup_free char *path = path_join(e->dir, "log");
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC |
				    O_NOFOLLOW, 0600);

	if (fd < 0)
		return error_errno(err, "cannot open '%s'", path);
	return fd;
}

static int start(struct env *e, const struct strvec *argv, const char *user,
		 const char *cwd, struct error *err)
{
	cleanup_env_process struct env_process ep = { 0 };
	const struct env_command c = { .argv = argv->v };
	cleanup_close int root = runtime_root_fd(&e->sandbox, err);
	cleanup_close int log = -1;
	int status;

	if (root < 0 || runtime_user_lookup(root, user, &ep.user, err) < 0 ||
	    runtime_user_join(root, &e->groups, &ep.user, err) < 0)
		return -1;
	log = entry_log(e, err);
	if (log < 0)
		return -1;
	env_variables(&e->env, NULL, NULL, false, &ep);
	ep.cwd = xstrdup(cwd);
	env_process_fill(&ep, &c);
	ep.p.no_new_privs = e->no_new_privs;
	ep.p.out = log;
	ep.p.err = log;
	ep.p.outlive = true;
	if (runtime_exec(&e->sandbox, &ep.p, &status, err) < 0)
		return -1;
	if (status)
		return error_set(err, ERR_STEP, "the entry points could not "
				 "be started: /bin/sh ended with status %d",
				 status);
	return 0;
}

/* An entry point of a service goes without the image's arguments. */
void entry_command(const struct env_options *o, struct strvec *argv)
{
	const struct json *service = json_get(o->config, "serviceCommand");
	const struct json *entry = json_get(service, "entrypoint");
	const struct json *command = json_get(service, "command");
	const struct oci_config *c = &o->image->config;

	if (json_kind(entry) == JSON_ARRAY)
		json_get_strings(entry, argv);
	else
		strvec_push_all(argv, (const char *const *)c->entrypoint.v);
	if (json_kind(command) == JSON_ARRAY)
		json_get_strings(command, argv);
	else if (json_kind(entry) != JSON_ARRAY)
		strvec_push_all(argv, (const char *const *)c->cmd.v);
}

/* The command is where the image wants it, not where people work. */
const char *entry_dir(const struct env_options *o)
{
	const char *given = json_get_str(json_get(o->config, "serviceCommand"),
					 "working_dir");
	const struct oci_config *c = &o->image->config;

	if (given)
		return given;
	return c->workdir && *c->workdir ? c->workdir : "/";
}

int entry_start(struct env *e, const struct env_options *o,
		struct error *err)
{
	const struct oci_config *c = &o->image->config;
	const char *user = json_get_str(e->config, "containerUser");
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strvec struct strvec argv = STRVEC_INIT;
	bool command = wants_command(e->config);

	if (!command && !json_first(json_get(e->config, "entrypoints")))
		return 0;
	script(e->config, &text);
	strvec_push(&argv, "/bin/sh");
	strvec_push(&argv, "-c");
	/* Left to the init in there, which no child of ours would be. */
	strvec_push(&argv, "/bin/sh -c \"$0\" - \"$@\" &");
	strvec_push(&argv, text.buf);
	if (command)
		entry_command(o, &argv);
	return start(e, &argv, user ? user : c->user ? c->user : "",
		     command ? entry_dir(o) : e->cwd, err);
}
