/* dev.h - the devices that every root has, for runtime/ alone */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_DEV_H
#define RUNTIME_DEV_H

#include "base/error.h"

/* Devices and links of a /dev: bound from those made below `scratch`, in
 * "nodes", where no command can see them, or from this host's. */
int runtime_dev_fill(int dev, int scratch, struct error *err) MUST_CHECK;
/* The same, made in place: for who may not mount. */
int runtime_dev_make(int dev, struct error *err) MUST_CHECK;
/* The device of that name, not whatever bears it in `dir`: an O_PATH. */
int runtime_dev_open(int dir, const char *name, struct error *err) MUST_CHECK;

#endif
