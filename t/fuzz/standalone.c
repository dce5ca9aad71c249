/* standalone.c - run a fuzz target once on every file named as argument */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/fs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		cleanup_error struct error err = ERROR_INIT;

		if (fs_read_file(argv[i], 64u << 20, &text, &err) < 0) {
			fprintf(stderr, "%s\n", err.msg);
			return 1;
		}
		LLVMFuzzerTestOneInput((const uint8_t *)text.buf, text.len);
	}
	return 0;
}
