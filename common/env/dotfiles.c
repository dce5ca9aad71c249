/* dotfiles.c - a person's own settings, in a new environment */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "env/internal.h"
#include "wrap/gate.h"
#include "wrap/giturl.h"

#define USER_NAME "DEVENV_DOTFILES_USER"
#define PASSWORD "DEVENV_DOTFILES_PASSWORD"

/* The directory, the command and then what git is to do are its arguments. */
static const char script[] =
	"set -e\n"
	"case $1 in\n"
	"'') dir=$HOME/dotfiles ;;\n"
	"'~/'*) dir=$HOME/${1#'~/'} ;;\n"
	"*) dir=$1 ;;\n"
	"esac\n"
	"command=$2\n"
	"shift 2\n"
	"if [ ! -e \"$dir\" ]; then\n"
	"	command -v git >/dev/null || {\n"
	"		echo 'there is no git in this environment' >&2\n"
	"		exit 127\n"
	"	}\n"
	"	git \"$@\" \"$dir\"\n"
	"fi\n"
	"unset " USER_NAME " " PASSWORD "\n"
	"cd \"$dir\"\n"
	"start() {\n"
	"	[ -x \"$1\" ] || chmod +x \"$1\"\n"
	"	exec \"./$1\"\n"
	"}\n"
	"if [ -n \"$command\" ]; then\n"
	"	if [ -f \"./$command\" ]; then start \"$command\"; fi\n"
	"	exec /bin/sh -c \"$command\"\n"
	"fi\n"
	"for f in install.sh install bootstrap.sh bootstrap script/bootstrap \\\n"
	"	setup.sh setup script/setup; do\n"
	"	if [ -f \"$f\" ]; then start \"$f\"; fi\n"
	"done\n"
	"for f in .[!.]*; do\n"
	"	[ \"$f\" = .git ] || [ ! -e \"$f\" ] ||\n"
	"		ln -sfn \"$dir/$f\" \"$HOME/$f\"\n"
	"done\n";

/* OWNER/NAME, as people say it who keep theirs where most do. */
static char *full_url(const char *text)
{
	const char *slash = strchr(text, '/');

	if (!slash || slash == text || *text == '.' || strpbrk(text, ":@~") ||
	    !slash[1] || strchr(slash + 1, '/'))
		return xstrdup(text);
	return xstrfmt("https://github.com/%s.git", text);
}

/* The git of the environment clones them, for us. */
static int ask(const struct giturl *u, struct error *err)
{
	cleanup_free char *name = giturl_canonical(u);
	const struct gate_question q = { .kind = GATE_GIT, .name = name };

	return name ? gate_connect(&q, err) : 0;
}

/* Arguments can be read by everybody, and git keeps the URL: credentials go
 * through variables, to the host they are for, and to no helper that would
 * remember them. */
static void add_credentials(struct env_dotfiles *d, const struct giturl *u,
			    struct strvec *git)
{
	const char *host = strstr(d->url, "://") + 3;
	const int n = (int)(host - d->url + strcspn(host, "/"));

	strvec_push(git, "-c");
	strvec_push(git, "credential.helper=");
	strvec_push(git, "-c");
	strvec_pushf(git, "credential.%.*s.helper=!f() { "
			  "test \"$1\" != get || printf "
			  "'username=%%s\\npassword=%%s\\n' "
			  "\"$" USER_NAME "\" \"$" PASSWORD "\"; }; f",
		     n, d->url);
	strvec_env_set(&d->env, USER_NAME, u->user ? u->user : "");
	strvec_env_set(&d->env, PASSWORD, u->password ? u->password : "");
	/* A token often is the user's name. */
	log_add_secret(u->password ? u->password : u->user);
}

static void add_command(struct env_dotfiles *d, const struct env_life *life,
			const struct giturl *u)
{
	struct devcontainer_command *c = xcalloc(1, sizeof(*c));
	const bool http = u->kind == GITURL_HTTP || u->kind == GITURL_HTTPS;

	d->hook.v = c;
	d->hook.nr = 1;
	strvec_push(&c->argv, "/bin/sh");
	strvec_push(&c->argv, "-c");
	strvec_push(&c->argv, script);
	strvec_push(&c->argv, "dotfiles");
	strvec_push(&c->argv,
		    life->dotfiles_target ? life->dotfiles_target : "");
	strvec_push(&c->argv,
		    life->dotfiles_command ? life->dotfiles_command : "");
	if (http && (u->user || u->password))
		add_credentials(d, u, &c->argv);
	strvec_push(&c->argv, "clone");
	strvec_push(&c->argv, "--depth=1");
	if (u->fragment && *u->fragment)
		strvec_pushf(&c->argv, "--branch=%s", u->fragment);
	strvec_push(&c->argv, "--");
	strvec_push(&c->argv, d->url);
}

int dotfiles_get(struct env_dotfiles *d, const struct env_life *life,
		 struct error *err)
{
	cleanup_strbuf struct strbuf url = STRBUF_INIT;
	cleanup_giturl struct giturl u = { 0 };
	cleanup_free char *text = NULL;

	if (!life->dotfiles || !*life->dotfiles)
		return 0;
	text = full_url(life->dotfiles);
	if (giturl_parse(&u, text, err) < 0 || ask(&u, err) < 0)
		return -1;
	giturl_text(&u, &url);
	d->url = strbuf_detach(&url);
	if (life->secrets)
		strvec_copy(&d->env, life->secrets);
	add_command(d, life, &u);
	return 0;
}

void dotfiles_release(struct env_dotfiles *d)
{
	devcontainer_hook_release(&d->hook);
	strvec_release(&d->env);
	free(d->url);
}
