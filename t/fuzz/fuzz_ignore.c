/* fuzz_ignore.c - a .dockerignore, and below an empty line paths to match */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dockerfile/dockerfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Walk down one path as a scan of a context would. */
static void walk(const struct dockerfile_ignore *ig, char *path)
{
	struct dockerfile_ignore_dir dir = { NULL }, sub;
	char *slash = path;

	while (*slash) {
		char kept;

		slash += strcspn(slash + 1, "/") + 1;
		kept = *slash;
		*slash = '\0';
		dockerfile_ignored(ig, path, &dir, &sub);
		dockerfile_ignore_walk(ig, path);
		free(dir.matched);
		dir = sub;
		*slash = kept;
	}
	free(dir.matched);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *text = xstrndup((const char *)data, size);
	struct dockerfile_ignore *ig = NULL;
	char *paths = strstr(text, "\n\n"), *line, *save = NULL;
	size_t n = paths ? (size_t)(paths - text) : strlen(text);

	if (dockerfile_ignore_parse(&ig, "ignore", text, n, &err) < 0) {
		if (err.code != ERR_INPUT || !str_starts(err.msg, "ignore:"))
			abort();
		return 0;
	}
	for (line = paths ? strtok_r(paths, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		walk(ig, line);
	dockerfile_ignore_free(ig);
	return 0;
}
