/* fuzz_lint.c - all checks of any bytes, some of it an ignore file */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct oci_config *no_config(void *arg,
					  const struct build_base *base)
{
	(void)arg;
	(void)base;
	return NULL;
}

static void check_findings(const struct dockerfile *df,
			   const struct dockerfile_lint *l)
{
	unsigned last = df->nodes[df->n_nodes - 1].end;
	size_t i;
	const char *c;

	if (l->nr > DOCKERFILE_FINDINGS_MAX)
		abort();
	for (i = 0; i < l->nr; i++) {
		const struct dockerfile_finding *f = &l->v[i];

		if (!f->line || f->line > last || !f->rule || !*f->message)
			abort();
		if (i && (f[-1].line > f->line ||
			  (f[-1].line == f->line && f[-1].rule == f->rule &&
			   str_eq(f[-1].message, f->message))))
			abort();
		for (c = f->message; *c; c++)
			if ((unsigned char)*c < ' ' && *c != '\t')
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct oci_platform p = { .os = (char[]){ "linux" },
				  .arch = (char[]){ "amd64" } };
	cleanup_free char *text = xstrndup((const char *)data, size);
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_dockerfile_lint struct dockerfile_lint l = { 0 };
	cleanup_error struct error err = ERROR_INIT;
	const struct build_eval_options o = {
		.platform = &p, .build_platform = &p, .lint = &l,
		.check = true,
	};
	struct dockerfile_ignore *ignore = NULL;
	char *rules = strstr(text, "\n\n\n");

	if (rules) {
		*rules = '\0';
		rules += 3;
		if (dockerfile_ignore_parse(&ignore, "I", rules,
					    strlen(rules), NULL) < 0)
			return 0;
	}
	if (dockerfile_parse(&df, "D", text, strlen(text), NULL) == 0 &&
	    build_lint_begin(&l, &df, NULL, &err) == 0) {
		if (build_lint(&df, &o, ignore, no_config, NULL, &err) < 0 &&
		    err.code != ERR_INPUT)
			abort();
		dockerfile_lint_sort(&l);
		check_findings(&df, &l);
	}
	dockerfile_ignore_free(ignore);
	return 0;
}
