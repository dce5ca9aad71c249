/* noproxy.h - what no_proxy keeps away from proxies */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WRAP_NOPROXY_H
#define WRAP_NOPROXY_H

#include "base/base.h"

/*
 * Does no_proxy or, where that is unset, NO_PROXY name this host (without
 * brackets)? Its words are separated by commas or blanks: "*"; an address, or
 * a network as ADDRESS/BITS; a name, with or without a dot or "*." in front,
 * which names all below it, too. A word with ":PORT" is about that port only.
 */
bool noproxy_names(const char *host, unsigned port);

#endif
