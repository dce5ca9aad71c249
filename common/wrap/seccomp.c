/* seccomp.c - system call numbers by name, for every ABI of this machine */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/seccomp.h"

#include <seccomp.h>

size_t seccomp_abis(uint32_t abi[2])
{
	abi[0] = seccomp_arch_native();
	switch (abi[0]) {
	case SCMP_ARCH_X86_64:
		abi[1] = SCMP_ARCH_X86;
		return 2;
	case SCMP_ARCH_AARCH64:
		abi[1] = SCMP_ARCH_ARM;
		return 2;
	default:
		return 1;
	}
}

int seccomp_number(uint32_t abi, const char *name)
{
	int nr = seccomp_syscall_resolve_name_arch(abi, name);

	/* Negative values are the library's pseudo numbers. */
	return nr < 0 ? -1 : nr;
}
