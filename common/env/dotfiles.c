/* dotfiles.c - a person's own settings, in a new environment */
/* SPDX-License-Identifier: Apache-2.0 */
#include "env/internal.h"
#include "wrap/gate.h"
#include "wrap/giturl.h"

/* The URL, the directory and the command are its arguments. */
static const char script[] =
	"set -e\n"
	"case $2 in\n"
	"'') dir=$HOME/dotfiles ;;\n"
	"'~/'*) dir=$HOME/${2#'~/'} ;;\n"
	"*) dir=$2 ;;\n"
	"esac\n"
	"if [ ! -e \"$dir\" ]; then\n"
	"	command -v git >/dev/null || {\n"
	"		echo 'there is no git in this environment' >&2\n"
	"		exit 127\n"
	"	}\n"
	"	git clone --depth 1 -- \"$1\" \"$dir\"\n"
	"fi\n"
	"cd \"$dir\"\n"
	"start() {\n"
	"	[ -x \"$1\" ] || chmod +x \"$1\"\n"
	"	exec \"./$1\"\n"
	"}\n"
	"if [ -n \"$3\" ]; then\n"
	"	if [ -f \"./$3\" ]; then start \"$3\"; fi\n"
	"	exec /bin/sh -c \"$3\"\n"
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
int dotfiles_ask(const struct env_life *life, struct error *err)
{
	cleanup_giturl struct giturl u = { 0 };
	cleanup_free char *url = full_url(life->dotfiles);
	cleanup_free char *name = NULL;
	struct gate_question q = { .kind = GATE_GIT };

	if (giturl_parse(&u, url, err) < 0)
		return -1;
	q.name = name = giturl_canonical(&u);
	return name ? gate_connect(&q, err) : 0;
}

void dotfiles_hook(const struct env_life *life, struct devcontainer_hook *h)
{
	struct devcontainer_command *c;

	*h = (struct devcontainer_hook){ 0 };
	if (!life->dotfiles || !*life->dotfiles)
		return;
	h->v = c = xcalloc(1, sizeof(*c));
	h->nr = 1;
	strvec_push(&c->argv, "/bin/sh");
	strvec_push(&c->argv, "-c");
	strvec_push(&c->argv, script);
	strvec_push(&c->argv, "dotfiles");
	strvec_push_own(&c->argv, full_url(life->dotfiles));
	strvec_push(&c->argv,
		    life->dotfiles_target ? life->dotfiles_target : "");
	strvec_push(&c->argv,
		    life->dotfiles_command ? life->dotfiles_command : "");
}
