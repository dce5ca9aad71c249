/* metadata.c - the label that says how an image is to be used */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/internal.h"

#include "base/log.h"
#include "devcontainer/metadata.h"

void build_put_metadata(const struct json *entries, struct oci_config *config)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strvec struct strvec warnings = STRVEC_INIT;
	size_t i;

	if (!json_first(entries))
		return;
	devcontainer_label_add(strvec_env_get(&config->labels,
					      DEVCONTAINER_LABEL),
			       entries, &text, &warnings);
	for (i = 0; i < warnings.nr; i++)
		log_warn("%s", warnings.v[i]);
	strvec_env_set(&config->labels, DEVCONTAINER_LABEL, text.buf);
}
