/* fuzz_sbom.c - any bytes as every kind of package list, and its document */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sbom/sbom.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const paths[] = {
		"var/lib/dpkg/status", "lib/apk/db/installed",
		"etc/os-release",      "x.dist-info/METADATA",
		"package-lock.json",   "yarn.lock",
		"pnpm-lock.yaml",      "requirements.txt",
		"poetry.lock",	       "Pipfile.lock",
		"go.mod",	       "go.sum",
		"Cargo.lock",	       "Gemfile.lock",
		"composer.lock",       "var/lib/rpm/rpmdb.sqlite",
	};
	static const struct sbom_image image = {
		.name = "x",
		.digest = "sha256:0123456789abcdef0123456789abcdef"
			  "0123456789abcdef0123456789abcdef",
	};
	cleanup_sbom struct sbom s = SBOM_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_json struct json *j = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(paths); i++)
		sbom_read(&s, paths[i], (const char *)data, size);
	sbom_write(&s, &image, &out);
	/* Whatever was read, the document is JSON. */
	j = json_parse("sbom", out.buf, out.len, NULL);
	if (!j)
		abort();
	return 0;
}
