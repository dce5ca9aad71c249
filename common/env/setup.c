/* setup.c - a script of root's that sees to what is run in an environment */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "env/internal.h"
#include "wrap/digest.h"

#define DIR_NAME ".envbuilder" /* where scripts of envbuilder's look for it */
#define VARIABLE "ENVBUILDER_ENV" /* that names the file */
#define SAID_MAX ((size_t)1 << 20)

/* The file in the environment that the script writes to. */
struct paper {
	int root, dir; /* of the environment, and in there */
	bool made_dir;
	char name[17];
	char path[sizeof("/" DIR_NAME "/") + 17];
};

static void paper_release(struct paper *p)
{
	if (p->dir >= 0)
		unlinkat(p->dir, p->name, 0);
	if (p->made_dir)
		unlinkat(p->root, DIR_NAME, AT_REMOVEDIR);
	base_close_fd(&p->dir);
	base_close_fd(&p->root);
}

/* What is in there decides who the command runs as, so that nobody but root
 * may be able to write it. */
static int open_dir(struct paper *p, struct error *err)
{
	struct stat st;

	p->made_dir = mkdirat(p->root, DIR_NAME, 0700) == 0;
	if (!p->made_dir && errno != EEXIST)
		return error_errno(err, "cannot create '/" DIR_NAME "' in the "
					"environment");
	p->dir = fs_open_in_root(p->root, DIR_NAME,
				 O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (p->dir < 0 || fstat(p->dir, &st) < 0)
		return error_errno_code(err, ERR_INPUT,
					"'/" DIR_NAME "' of "
					"the environment");
	if (st.st_uid != geteuid() || (st.st_mode & 022))
		return error_set(err, ERR_INPUT,
				 "'/" DIR_NAME "' of the environment can be "
				 "written by others than root");
	return 0;
}

static int make(struct paper *p, struct env *e, struct error *err)
{
	cleanup_close int fd = -1;

	p->root = runtime_root_fd(&e->sandbox, err);
	if (p->root < 0 || open_dir(p, err) < 0)
		return -1;
	random_hex(p->name, 8);
	snprintf(p->path, sizeof(p->path), "/" DIR_NAME "/%s", p->name);
	fd = openat(p->dir, p->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return error_errno(err,
				   "cannot create '%s' in the "
				   "environment",
				   p->path);
	return 0;
}

static int take_line(const char *line, int nr, struct strvec *said,
		     struct error *err)
{
	const char *equals = strchr(line, '=');

	if (!*line)
		return 0;
	if (!equals || equals == line ||
	    strcspn(line, " \t") < (size_t)(equals - line))
		return error_set(err, ERR_INPUT,
				 "$" VARIABLE ":%d:1: a line is NAME=VALUE",
				 nr);
	strvec_push(said, line);
	return 0;
}

static int read_paper(const struct paper *p, struct strvec *said,
		      struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char *line, *rest;
	int nr = 0;

	if (fs_read_at(p->dir, p->name, SAID_MAX, &text, err) < 0)
		return error_wrap(err, "what the set-up script wrote");
	for (rest = text.buf; (line = strsep(&rest, "\n")) != NULL;)
		if (take_line(line, ++nr, said, err) < 0)
			return -1;
	return 0;
}

/* Root's own variables, whoever the environment is for. */
static int describe(struct env *e, const struct paper *p, struct strvec *env,
		    struct error *err)
{
	CLEANUP(runtime_user_release) struct runtime_user root = { 0 };

	if (runtime_user_lookup(p->root, "", &root, err) < 0)
		return -1;
	strvec_env_set(env, "HOME", root.home ? root.home : "/");
	strvec_env_set(env, "USER", root.name ? root.name : "root");
	strvec_env_set(env, VARIABLE, p->path);
	strvec_env_set(env, "TARGET_USER", *e->user ? e->user : "root");
	return 0;
}

static int run(struct env *e, const char *script, const struct strvec *env,
	       struct error *err)
{
	char *const argv[] = { (char *)"/bin/sh", (char *)"-c", (char *)script,
			       NULL };
	const struct env_command c = { .argv = argv, .user = "", .env = env };
	cleanup_env_process struct env_process ep = { 0 };
	CLEANUP(runtime_child_release)
	struct runtime_child child = RUNTIME_CHILD_INIT;
	struct runtime_child *const children[] = { &child };

	if (env_prepare(e, &c, &ep, err) < 0 ||
	    runtime_spawn_in(&e->sandbox, &ep.p, "[setup]", &child, err) < 0 ||
	    runtime_collect(children, 1, err) < 0)
		return -1;
	if (!child.status)
		return 0;
	error_set(err, ERR_STEP, "the set-up script ended with status %d",
		  child.status);
	return error_hint(err, "the environment is kept; the command did not "
			       "run");
}

int env_setup(struct env *e, const char *script, struct strvec *said,
	      struct error *err)
{
	CLEANUP(paper_release) struct paper p = { .root = -1, .dir = -1 };
	cleanup_strvec struct strvec env = STRVEC_INIT;

	if (make(&p, e, err) < 0 || describe(e, &p, &env, err) < 0 ||
	    run(e, script, &env, err) < 0)
		return -1;
	return read_paper(&p, said, err);
}
