/* gate.c - whom this process may contact, as options and policies say */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/gate.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"

#define POLICY "/etc/devenv/policy.yaml"
#define CONTAINERS "/etc/containers/policy.json"
#define SEEN_MAX 10000

static int load_policy(struct cli_gate *g, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (fs_read_regular(g->policy_file, POLICY_MAX, &text, err) < 0)
		return -1;
	return policy_parse(&g->policy, g->policy_file, text.buf, text.len,
			    err);
}

static int load_containers(struct cli_gate *g, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (fs_read_regular(g->containers_file, POLICY_MAX, &text, err) < 0)
		return -1;
	return policy_containers_parse(&g->containers, g->containers_file,
				       text.buf, text.len, err);
}

/* Most commands contact nobody and need not read any of it. */
static int load(struct cli_gate *g, struct error *err)
{
	if (g->policy_file && !g->policy.name && load_policy(g, err) < 0)
		return -1;
	if (g->containers_file && !g->containers.name)
		return load_containers(g, err);
	return 0;
}

/* Each decision once: a registry is asked for many blobs. */
static bool is_new(struct cli_gate *g, const char *kind,
		   const struct gate_question *q)
{
	cleanup_free char *key = xstrfmt("%s %s", kind, q->name);

	return g->seen.nr < SEEN_MAX &&
	       strindex_add(&g->seen, key, strlen(key), 0);
}

static void tell(struct cli_gate *g, const struct gate_question *q,
		 unsigned line, const struct error *why)
{
	static const char *const kinds[] = {
		[GATE_URL] = "url",	[GATE_GIT] = "git",
		[GATE_IMAGE] = "image", [GATE_PUSH] = "push",
		[GATE_HOST] = "host",
	};
	const char *decision = error_is(why) ? "deny" : "allow";
	const struct log_field fields[] = {
		{ .key = "decision", .text = decision },
		{ .key = "kind", .text = kinds[q->kind] },
		{ .key = "name", .text = q->name },
		{ .key = "line", .number = line },
	};

	if (!g->policy.name || !is_new(g, kinds[q->kind], q))
		return;
	log_debug("policy: %s %s %s", decision, kinds[q->kind], q->name);
	log_fields("policy", fields, ARRAY_SIZE(fields));
}

static int decide(struct cli_gate *g, const struct gate_question *q,
		  unsigned *line, struct error *err)
{
	if (g->policy.name &&
	    policy_ask(&g->policy, q, time(NULL), line, err) < 0)
		return -1;
	return g->containers.name
		       ? policy_containers_ask(&g->containers, q, err) : 0;
}

static int ask(void *arg, const struct gate_question *q, struct error *err)
{
	struct cli_gate *g = arg;
	cleanup_error struct error why = ERROR_INIT;
	unsigned line = 0;
	int rc;

	if (load(g, err) < 0)
		return -1;
	rc = decide(g, q, &line, &why);
	tell(g, q, line, &why);
	return rc < 0 ? error_move(err, &why) : 0;
}

static char *moved(void *arg, const char *name)
{
	struct cli_gate *g = arg;

	if (g->policy_file && !g->policy.name && load_policy(g, NULL) < 0)
		return NULL; /* whoever asks next is told why */
	return policy_moved(&g->policy, name);
}

/* The machine's own: one that may not even be looked for is not missing. */
static bool is_there(const char *path)
{
	return access(path, F_OK) == 0 ||
	       (errno != ENOENT && errno != ENOTDIR);
}

static char *find_containers(void)
{
	const char *home = getenv("HOME");
	char *own = home && *home
			    ? xstrfmt("%s/.config/containers/policy.json",
				      home)
			    : NULL;

	/* A home that is closed to us is not ours. */
	if (own && fs_exists(own))
		return own;
	free(own);
	return is_there(CONTAINERS) ? xstrdup(CONTAINERS) : NULL;
}

int cli_gate_setup(struct cli_gate *g, bool offline, const char *policy,
		   struct error *err)
{
	struct gate gate = { .offline = offline, .arg = g };

	if (policy)
		g->policy_file = xstrdup(policy);
	else if (is_there(POLICY))
		g->policy_file = xstrdup(POLICY);
	g->containers_file = find_containers();
	if (g->policy_file || g->containers_file)
		gate.ask = ask;
	if (g->policy_file)
		gate.moved = moved;
	gate.strict = g->policy_file;
	gate_set(&gate);
	return policy ? load_policy(g, err) : 0;
}

void cli_gate_release(struct cli_gate *g)
{
	gate_set(&(const struct gate){ 0 });
	free(g->policy_file);
	free(g->containers_file);
	policy_release(&g->policy);
	policy_containers_release(&g->containers);
	strindex_release(&g->seen);
}
