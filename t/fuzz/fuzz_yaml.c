/* fuzz_yaml.c - documents and image templates */
/* SPDX-License-Identifier: Apache-2.0 */
#include "template/template.h"
#include "wrap/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *text = (const char *)data;
	cleanup_template_image struct template_image t = TEMPLATE_IMAGE_INIT;
	cleanup_json struct json *j = yaml_parse("f", text, n, NULL);
	struct strvec top = STRVEC_INIT;
	unsigned line = 0, col = 0;

	if (j && !yaml_locate(text, n, &top, false, &line, &col))
		abort();
	if (template_image_parse(&t, "f", text, n, NULL) == 0 &&
	    (!strncmp(t.context, "..", 3) || *t.context == '/'))
		abort();
	return 0;
}
