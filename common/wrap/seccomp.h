/* seccomp.h - system call numbers by name, for every ABI of this machine */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WRAP_SECCOMP_H
#define WRAP_SECCOMP_H

#include "base/base.h"

/*
 * The ABIs a process here may use: [0] is our own, a 32-bit one may follow.
 * Values are AUDIT_ARCH_*, as in struct seccomp_data. Returns how many.
 */
size_t seccomp_abis(uint32_t abi[2]);
/* The number of a system call, or -1 where that ABI does not have it. */
int seccomp_number(uint32_t abi, const char *name);

#endif
