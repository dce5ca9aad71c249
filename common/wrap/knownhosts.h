/* knownhosts.h - look a host key up in known_hosts text, sshd(8) format */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WRAP_KNOWNHOSTS_H
#define WRAP_KNOWNHOSTS_H

#include "base/base.h"

enum knownhosts_answer {
	KNOWNHOSTS_UNKNOWN, /* no line for this host */
	KNOWNHOSTS_MATCH,
	KNOWNHOSTS_DIFFERENT, /* only other keys of this host */
	KNOWNHOSTS_REVOKED,
};

/*
 * `key` is the raw public key blob as sent by the server; its type is its
 * first field. Hashed names, "[host]:port", patterns with '*', '?' and '!',
 * and the marker @revoked count; @cert-authority lines do not (certificates
 * are not offered). `port` 22 is written without brackets.
 */
enum knownhosts_answer knownhosts_check(const char *text, const char *host,
					unsigned port, const void *key,
					size_t n);

#endif
