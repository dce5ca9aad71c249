/* initialize.c - the lifecycle command that runs on this host */
/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "base/log.h"
#include "base/proc.h"
#include "cli/life.h"
#include "devcontainer/devcontainer.h"

#define PROPERTY "initializeCommand"

static int start(struct proc *p, const struct devcontainer_command *c,
		 const char *dir, struct error *err)
{
	size_t i;

	*p = (struct proc)PROC_INIT;
	if (c->shell) {
		strvec_push(&p->args, "/bin/sh");
		strvec_push(&p->args, "-c");
	}
	for (i = 0; i < c->argv.nr; i++)
		strvec_push(&p->args, c->argv.v[i]);
	p->dir = dir;
	p->out = STDERR_FILENO; /* standard output is for results */
	log_info("[" PROPERTY "%s%s] on this host: %s", c->name ? " " : "",
		 c->name ? c->name : "", c->argv.v[0]);
	return proc_start(p, err);
}

/* All that started are waited for, whatever happened to the others. */
static int run(const struct devcontainer_hook *h, const char *dir,
	       struct error *err)
{
	struct proc *procs = xcalloc(h->nr, sizeof(*procs));
	cleanup_error struct error later = ERROR_INIT;
	size_t i, n = 0;
	int rc = 0;

	for (; n < h->nr && !rc; n++)
		rc = start(&procs[n], &h->v[n], dir, err);
	for (i = 0; i < n; i++) {
		if (procs[i].pid <= 0)
			continue;
		if (proc_wait(&procs[i], rc ? &later : err) < 0)
			rc = -1;
		else if (procs[i].status && !rc)
			rc = error_set(err, ERR_STEP,
				       PROPERTY " ended with status %d",
				       procs[i].status);
	}
	for (i = 0; i < n; i++)
		proc_release(&procs[i]);
	free(procs);
	return rc;
}

int cli_initialize(const struct json *config, const char *dir, bool allowed,
		   struct error *err)
{
	cleanup_devcontainer_hook struct devcontainer_hook h = { 0 };

	devcontainer_hook_get(&h, json_get(config, PROPERTY));
	if (!h.nr)
		return 0;
	if (allowed)
		return run(&h, dir, err);
	log_warn(PROPERTY " was not run: it is a command of the repository "
		 "for this host; --allow-initialize runs it");
	return 0;
}
