/* init.c - the first process of a sandbox: reaps, and ends it when told */
/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/internal.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"

/*
 * The init stays as long as the sandbox does and everything in there can look
 * at it. So it is not this program, whose memory and file would be within
 * reach (CVE-2019-5736), but one of its own, of a few instructions, in a
 * sealed memory file. It starts with all signals blocked:
 *
 *	for (;;) {
 *		sig = sigtimedwait({ TERM, CHLD }, stopping ? 20 ms : forever);
 *		if (sig == SIGTERM) { stopping = true; kill(-1, SIGTERM); }
 *		while (wait4(-1, NULL, WNOHANG | __WALL, NULL) > 0)
 *			;
 *		if (stopping && kill(-1, 0) < 0)
 *			exit(0);
 *	}
 */
#if defined(__x86_64__)
__asm__(".pushsection .rodata\n"
	".balign 16\n"
	".globl runtime_init_code\n.hidden runtime_init_code\n"
	".globl runtime_init_code_end\n.hidden runtime_init_code_end\n"
	"runtime_init_code:\n"
	"	subq $32, %rsp\n"
	"	movq $0x14000, (%rsp)\n" /* TERM is bit 14, CHLD 16 */
	"	movq $0, 8(%rsp)\n"
	"	movq $20000000, 16(%rsp)\n"
	"	xorl %r12d, %r12d\n"
	"1:	movq %rsp, %rdi\n"
	"	xorl %esi, %esi\n"
	"	xorl %edx, %edx\n"
	"	testl %r12d, %r12d\n"
	"	jz 2f\n"
	"	leaq 8(%rsp), %rdx\n"
	"2:	movl $8, %r10d\n"
	"	movl $128, %eax\n" /* rt_sigtimedwait */
	"	syscall\n"
	"	cmpl $15, %eax\n"
	"	jne 3f\n"
	"	movl $1, %r12d\n"
	"	movq $-1, %rdi\n"
	"	movl $15, %esi\n"
	"	movl $62, %eax\n" /* kill */
	"	syscall\n"
	"3:	movq $-1, %rdi\n"
	"	xorl %esi, %esi\n"
	"	movl $0x40000001, %edx\n"
	"	xorl %r10d, %r10d\n"
	"	movl $61, %eax\n" /* wait4 */
	"	syscall\n"
	"	testq %rax, %rax\n"
	"	jg 3b\n"
	"	testl %r12d, %r12d\n"
	"	jz 1b\n"
	"	movq $-1, %rdi\n"
	"	xorl %esi, %esi\n"
	"	movl $62, %eax\n"
	"	syscall\n"
	"	testq %rax, %rax\n"
	"	jns 1b\n"
	"	xorl %edi, %edi\n"
	"	movl $231, %eax\n" /* exit_group */
	"	syscall\n"
	"	hlt\n"
	"runtime_init_code_end:\n"
	".popsection\n");
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
__asm__(".pushsection .rodata\n"
	".balign 16\n"
	".globl runtime_init_code\n.hidden runtime_init_code\n"
	".globl runtime_init_code_end\n.hidden runtime_init_code_end\n"
	"runtime_init_code:\n"
	"	sub sp, sp, #32\n"
	"	mov x9, #0x4000\n"
	"	movk x9, #1, lsl #16\n"
	"	movz x10, #0x2d00\n"
	"	movk x10, #0x131, lsl #16\n"
	"	str x9, [sp]\n"
	"	str xzr, [sp, #8]\n"
	"	str x10, [sp, #16]\n"
	"	mov x19, #0\n"
	"1:	mov x0, sp\n"
	"	mov x1, #0\n"
	"	mov x2, #0\n"
	"	cbz x19, 2f\n"
	"	add x2, sp, #8\n"
	"2:	mov x3, #8\n"
	"	mov x8, #137\n"
	"	svc #0\n"
	"	cmp x0, #15\n"
	"	b.ne 3f\n"
	"	mov x19, #1\n"
	"	mov x0, #-1\n"
	"	mov x1, #15\n"
	"	mov x8, #129\n"
	"	svc #0\n"
	"3:	mov x0, #-1\n"
	"	mov x1, #0\n"
	"	movz x2, #1\n"
	"	movk x2, #0x4000, lsl #16\n"
	"	mov x3, #0\n"
	"	mov x8, #260\n"
	"	svc #0\n"
	"	cmp x0, #0\n"
	"	b.gt 3b\n"
	"	cbz x19, 1b\n"
	"	mov x0, #-1\n"
	"	mov x1, #0\n"
	"	mov x8, #129\n"
	"	svc #0\n"
	"	tbz x0, #63, 1b\n"
	"	mov x0, #0\n"
	"	mov x8, #94\n"
	"	svc #0\n"
	"	brk #0\n"
	"runtime_init_code_end:\n"
	".popsection\n");
#define MACHINE EM_AARCH64
#else
#error "init.c has no code for this machine yet"
#endif

extern const char runtime_init_code[], runtime_init_code_end[];

#define BASE 0x10000
#define HEADERS (sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr))

/* One segment to execute; the second header asks for a stack without code. */
static void make_program(struct strbuf *out)
{
	size_t code = (size_t)(runtime_init_code_end - runtime_init_code);
	const Elf64_Ehdr head = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			     ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC,
		.e_machine = MACHINE,
		.e_version = EV_CURRENT,
		.e_entry = BASE + HEADERS,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 2,
	};
	const Elf64_Phdr segments[2] = {
		{ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = BASE,
		  .p_paddr = BASE, .p_filesz = HEADERS + code,
		  .p_memsz = HEADERS + code, .p_align = 0x10000 },
		{ .p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W },
	};

	strbuf_add(out, &head, sizeof(head));
	strbuf_add(out, segments, sizeof(segments));
	strbuf_add(out, runtime_init_code, code);
}

int runtime_init_program(struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int fd = memfd_create("devenv-init", MFD_CLOEXEC |
					    MFD_ALLOW_SEALING);

	if (fd < 0)
		return error_errno(err, "cannot make the sandbox's init");
	make_program(&text);
	if (fs_write_all(fd, text.buf, text.len, err) < 0)
		return -1;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW |
		  F_SEAL_WRITE) < 0)
		return error_errno(err, "cannot seal the sandbox's init");
	return steal_fd(&fd);
}
