/* cache.c - devenv cache: look at and clean caches beside the store */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/caches.h"
#include "cmd/cmd.h"

struct options {
	struct cli_cache cache;
	struct cli_registry registry;
};

static const struct cmd_table tables[] = {
	{ cli_cache_rows, offsetof(struct options, cache) },
	{ cli_registry_rows, offsetof(struct options, registry) },
	{ 0 },
};

static int run(struct cmd_call *call, struct error *err)
{
	const struct options *o = call->options;
	struct registry_options access;
	const char *word;

	cli_registry_options(&o->registry, &access);
	if (cmd_words(call, 1, 1, err) < 0)
		return error_hint(err, "use ls or gc");
	word = call->args.v[0];
	if (str_eq(word, "ls"))
		return cli_cache_list(&o->cache, &access, err);
	if (str_eq(word, "gc"))
		return cli_cache_collect(&o->cache, &access, err);
	error_set(err, ERR_USAGE, "unknown cache command '%s'", word);
	return error_hint(err, "use ls or gc");
}

const struct cmd cmd_cache = {
	.name = "cache",
	.summary = "Look at and clean a cache in a registry or a directory.",
	.usage = "cache ls --cache-repo CACHE [OPTION...]\n"
		 "cache gc --cache-repo CACHE [-n] [--keep-age AGE] "
		 "[--keep-size SIZE]\n"
		 "         [OPTION...]",
	.tables = tables,
	.size = sizeof(struct options),
	.run = run,
};
