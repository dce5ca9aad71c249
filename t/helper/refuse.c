/* refuse.c - run a command to which the kernel refuses mounts and namespaces,
 * as the filter of a container does: refuse COMMAND... */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define IS(nr) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), \
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

int main(int argc, char **argv)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		IS(SYS_mount), IS(SYS_umount2), IS(SYS_unshare), IS(SYS_setns),
		IS(SYS_pivot_root), IS(SYS_fsopen), IS(SYS_open_tree),
		IS(SYS_move_mount), IS(SYS_mount_setattr),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(*code), code };

	if (argc < 2)
		return 2;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0) {
		perror("refuse");
		return 4;
	}
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 4;
}
