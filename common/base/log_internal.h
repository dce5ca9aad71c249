/* log_internal.h - what log.c and progress.c share */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LOG_INTERNAL_H
#define BASE_LOG_INTERNAL_H

#include "base/log.h"
#include "base/strbuf.h"

/* To the sink, or written. */
void log_say(const struct log_event *e);
bool log_is_json(void);
/* Mask secrets and write as one piece to standard error. */
void log_put(struct strbuf *sb);
/* `"key":"value"` of an event, with a comma unless it is the first. */
void log_json_str(struct strbuf *sb, const char *key, const char *value,
		  size_t n);
void progress_show(const struct log_event *e);

#endif
