/* granted.c - secrets, agents and rights that the command line gives steps */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#define INSECURE "security.insecure"

void cli_granted_release(struct cli_granted *g)
{
	while (g->n_secrets)
		build_secret_release(&g->secrets[--g->n_secrets]);
	while (g->n_ssh)
		build_ssh_release(&g->ssh[--g->n_ssh]);
	free(g->secrets);
	free(g->ssh);
}

static int get_rights(const struct strvec *allow, enum runtime_mode mode,
		      bool *insecure, struct error *err)
{
	size_t i;

	*insecure = false;
	for (i = 0; i < allow->nr; i++) {
		if (str_eq(allow->v[i], INSECURE))
			*insecure = true;
		else if (!str_eq(allow->v[i], "network.host"))
			return error_set(err, ERR_USAGE, "--allow: unknown "
					 "right '%s'", allow->v[i]);
	}
	if (!*insecure || mode == RUNTIME_ROOT)
		return 0;
	error_set(err, ERR_HOST, "--allow " INSECURE ": needs root");
	return error_hint(err, "a user's steps have all rights in their own "
			       "namespace only");
}

int cli_granted_get(struct cli_granted *g, const struct cli_build_options *o,
		    enum runtime_mode mode, struct build_options *to,
		    struct error *err)
{
	size_t i;

	g->secrets = xcalloc(o->values.nr + o->secrets.nr + 1,
			     sizeof(*g->secrets));
	g->ssh = xcalloc(o->ssh.nr + 1, sizeof(*g->ssh));
	for (i = 0; i < o->values.nr; i++, g->n_secrets++)
		if (build_secret_value(&g->secrets[g->n_secrets],
				       o->values.v[i], err) < 0)
			return -1;
	for (i = 0; i < o->secrets.nr; i++, g->n_secrets++)
		if (build_secret_parse(&g->secrets[g->n_secrets],
				       o->secrets.v[i], err) < 0)
			return -1;
	for (; g->n_ssh < o->ssh.nr; g->n_ssh++)
		if (build_ssh_parse(&g->ssh[g->n_ssh], o->ssh.v[g->n_ssh],
				    err) < 0)
			return -1;
	to->secrets = g->secrets;
	to->n_secrets = g->n_secrets;
	to->ssh = g->ssh;
	to->n_ssh = g->n_ssh;
	return get_rights(&o->allow, mode, &to->allow_insecure, err);
}
