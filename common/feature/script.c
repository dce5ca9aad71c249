/* script.c - what RUN executes to install a Feature */
/* SPDX-License-Identifier: Apache-2.0 */
#include "feature/internal.h"

/* In single quotes nothing means anything but the quote itself. */
static void quote(struct strbuf *out, const char *text)
{
	strbuf_addch(out, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			strbuf_addstr(out, "'\\''");
		else
			strbuf_addch(out, *text);
	}
	strbuf_addch(out, '\'');
}

/*
 * Homes are looked up anew for each Feature, as one before may have made the
 * user; by the shell alone, as the image may have no program for it. A user
 * may be written with a group. Whose image it is again afterwards is the
 * Dockerfile's business alone.
 */
static const char homes[] =
	"unset " FEATURE_IMAGE_USER "\n"
	"home() {\n"
	"\t[ -r /etc/passwd ] || return 0\n"
	"\twhile IFS=: read -r n _ u _ _ h _; do\n"
	"\t\tif [ \"$n\" = \"${1%%:*}\" ] || [ \"$u\" = \"${1%%:*}\" ]; then\n"
	"\t\t\tprintf '%s\\n' \"$h\"\n"
	"\t\t\treturn 0\n"
	"\t\tfi\n"
	"\tdone </etc/passwd\n"
	"}\n"
	"_CONTAINER_USER_HOME=$(home \"$_CONTAINER_USER\")\n"
	"_REMOTE_USER_HOME=$(home \"$_REMOTE_USER\")\n"
	"export _CONTAINER_USER_HOME _REMOTE_USER_HOME\n";

void script_write(const struct devcontainer_feature *f, const char *dir,
		  struct strbuf *out)
{
	cleanup_strvec struct strvec env = STRVEC_INIT, notes = STRVEC_INIT;

	strbuf_addstr(out, FEATURE_TITLE);
	strbuf_add_safe(out, f->id, strlen(f->id));
	strbuf_addch(out, '\n');
	strbuf_addstr(out, homes);
	devcontainer_feature_env(f, &env, &notes);
	for (size_t i = 0; i < env.nr; i++) {
		size_t n = strcspn(env.v[i], "=");

		strbuf_addf(out, "export %.*s=", (int)n, env.v[i]);
		quote(out, env.v[i] + n + 1);
		strbuf_addch(out, '\n');
	}
	strbuf_addstr(out, "cd ");
	quote(out, dir);
	strbuf_addstr(out, " && ./" INSTALL_SCRIPT "\n");
}
