/* ps.c - devenv ps: the environments of the store */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cmd/cmd.h"
#include "env/env.h"

struct options {
	bool all;
	int format;
};

#define O(member) offsetof(struct options, member)
static const struct opt rows[] = {
	{ OPT_BOOL, 'a', "all", NULL, OPT_NO_ENV,
	  "those that do not run, too", O(all) },
	{ OPT_ENUM, 0, "format", "text|json", OPT_NO_ENV, "form of the list",
	  O(format) },
	{ OPT_END },
};

static const struct cmd_table tables[] = { { rows, 0 }, { 0 } };

static void add_json(struct json *list, const struct env_info *i)
{
	struct json *j = json_push(list, json_new_object());

	json_set_str(j, "name", i->name);
	json_set_str(j, "image", i->image && *i->image ? i->image : NULL);
	json_set_str(j, "workspace", i->workspace);
	json_set_str(j, "created", i->created);
	json_set_bool(j, "damaged", i->damaged);
	json_set(j, "failed",
		 i->failed ? json_new_str(i->failed) : json_new_null());
	json_set(j, "pod", json_new_str(i->pod));
	json_set(j, "service", json_new_str(i->service));
	json_set(j, "exit_status",
		 i->status < 0 ? json_new_null() : json_new_int(i->status));
	json_set_bool(j, "running", i->running);
	json_set(j, "pid",
		 i->running ? json_new_int(i->pid) : json_new_null());
}

static void add_text(struct strbuf *out, const struct env_info *i)
{
	strbuf_addf(out, "%-24s %-8s %-20s %s%s%s", i->name,
		    i->damaged	 ? "damaged"
		    : i->running ? "running"
				 : "stopped",
		    i->created ? i->created : "-",
		    i->workspace ? i->workspace : "-",
		    i->failed ? "  failed: " : "",
		    i->failed ? i->failed : "");
	if (i->pod)
		strbuf_addf(out, "  service of %s", i->pod);
	if (i->status >= 0)
		strbuf_addf(out, "  ended with status %d", i->status);
	strbuf_addch(out, '\n');
}

static int run(struct cmd_call *call, struct error *err)
{
	const struct options *o = call->options;
	cleanup_store struct store *s = NULL;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_json struct json *list = json_new_array();
	cleanup_free struct env_info *v = NULL;
	size_t n, i;

	if (cmd_words(call, 0, 0, err) < 0 ||
	    cli_read_store(call->globals->store, &s, err) < 0 ||
	    env_list(s, &v, &n, err) < 0)
		return -1;
	for (i = 0; i < n; i++) {
		if (v[i].running || o->all) {
			add_json(list, &v[i]);
			add_text(&out, &v[i]);
		}
		env_info_release(&v[i]);
	}
	if (o->format) {
		strbuf_reset(&out);
		json_write(&out, list, true);
	}
	return cli_write(NULL, &out, err);
}

const struct cmd cmd_ps = {
	.name = "ps",
	.summary = "List the environments.",
	.usage = "ps [-a] [--format=text|json]",
	.tables = tables,
	.size = sizeof(struct options),
	.run = run,
};
