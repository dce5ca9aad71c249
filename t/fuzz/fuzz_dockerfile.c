/* fuzz_dockerfile.c - parse, check, expand, split and evaluate any bytes */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct json *evaluate(const struct dockerfile *df)
{
	struct oci_platform p = { .os = (char[]){ "linux" },
				  .arch = (char[]){ "amd64" } };
	const struct build_eval_options o = {
		.platform = &p, .build_platform = &p,
	};
	cleanup_build_eval struct build_eval *ev = NULL;
	cleanup_error struct error err = ERROR_INIT;

	if (build_eval_new(&ev, df, &o, &err) < 0) {
		if (!err.msg || err.code == ERR_NONE)
			abort();
		return NULL;
	}
	return build_stages_json(ev, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_error struct error err = ERROR_INIT;
	cleanup_json struct json *ast = NULL;
	cleanup_json struct json *stages = NULL;
	unsigned last = 0;
	size_t i;

	if (dockerfile_parse(&df, "Dockerfile", (const char *)data, size,
			     &err) < 0) {
		/* Every refusal says where. */
		if (err.code != ERR_INPUT || !str_starts(err.msg,
							 "Dockerfile:"))
			abort();
		return 0;
	}
	for (i = 0; i < df.n_nodes; i++) {
		if (df.nodes[i].start <= last ||
		    df.nodes[i].end < df.nodes[i].start)
			abort();
		last = df.nodes[i].end;
	}
	ast = dockerfile_to_json(&df);
	stages = evaluate(&df);
	return 0;
}
