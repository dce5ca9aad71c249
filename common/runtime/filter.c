/* filter.c - the system calls that processes in a sandbox may make */
/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/internal.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/socket.h>

#include "wrap/seccomp.h"

/*
 * What docker's default profile denies. Denied calls are rare and everything
 * else is let through without looking at arguments, so the kernel answers it
 * from its bitmap of constant verdicts and never runs the program.
 */
#define NEVER 63 /* no capability opens it */
#define LAST_KNOWN 466 /* newer calls: ENOSYS, so that callers fall back */
#define NAMESPACES 0x7e020000u /* CLONE_NEW* that clone() knows */
#define MAX_INSNS 1024
#define MAX_VERDICTS 128
#define LEAF 8 /* numbers that are compared one after the other */

struct denied {
	const char *name;
	int cap;
};

static const struct denied denied[] = {
	{ "acct", CAP_SYS_PACCT },
	{ "add_key", NEVER },
	{ "bpf", CAP_SYS_ADMIN },
	{ "clock_adjtime", CAP_SYS_TIME },
	{ "clock_adjtime64", CAP_SYS_TIME },
	{ "clock_settime", CAP_SYS_TIME },
	{ "clock_settime64", CAP_SYS_TIME },
	{ "create_module", NEVER },
	{ "delete_module", CAP_SYS_MODULE },
	{ "fanotify_init", CAP_SYS_ADMIN },
	{ "finit_module", CAP_SYS_MODULE },
	{ "fsconfig", CAP_SYS_ADMIN },
	{ "fsmount", CAP_SYS_ADMIN },
	{ "fsopen", CAP_SYS_ADMIN },
	{ "fspick", CAP_SYS_ADMIN },
	{ "get_kernel_syms", NEVER },
	{ "get_mempolicy", CAP_SYS_NICE },
	{ "init_module", CAP_SYS_MODULE },
	{ "io_uring_enter", NEVER },
	{ "io_uring_register", NEVER },
	{ "io_uring_setup", NEVER },
	{ "ioperm", CAP_SYS_RAWIO },
	{ "iopl", CAP_SYS_RAWIO },
	{ "kcmp", CAP_SYS_PTRACE },
	{ "kexec_file_load", NEVER },
	{ "kexec_load", NEVER },
	{ "keyctl", NEVER },
	{ "listmount", CAP_SYS_ADMIN },
	{ "lookup_dcookie", CAP_SYS_ADMIN },
	{ "mbind", CAP_SYS_NICE },
	{ "migrate_pages", NEVER },
	{ "mount", CAP_SYS_ADMIN },
	{ "mount_setattr", CAP_SYS_ADMIN },
	{ "move_mount", CAP_SYS_ADMIN },
	{ "move_pages", NEVER },
	{ "nfsservctl", NEVER },
	{ "open_by_handle_at", CAP_DAC_READ_SEARCH },
	{ "open_tree", CAP_SYS_ADMIN },
	{ "perf_event_open", CAP_PERFMON },
	{ "pivot_root", NEVER },
	{ "query_module", NEVER },
	{ "quotactl", CAP_SYS_ADMIN },
	{ "quotactl_fd", CAP_SYS_ADMIN },
	{ "reboot", CAP_SYS_BOOT },
	{ "request_key", NEVER },
	{ "set_mempolicy", CAP_SYS_NICE },
	{ "set_mempolicy_home_node", CAP_SYS_NICE },
	{ "setdomainname", CAP_SYS_ADMIN },
	{ "sethostname", CAP_SYS_ADMIN },
	{ "setns", CAP_SYS_ADMIN },
	{ "settimeofday", CAP_SYS_TIME },
	{ "statmount", CAP_SYS_ADMIN },
	{ "stime", CAP_SYS_TIME },
	{ "swapoff", NEVER },
	{ "swapon", NEVER },
	{ "_sysctl", NEVER },
	{ "sysfs", NEVER },
	{ "syslog", CAP_SYSLOG },
	{ "umount", CAP_SYS_ADMIN },
	{ "umount2", CAP_SYS_ADMIN },
	{ "unshare", CAP_SYS_ADMIN },
	{ "uselib", NEVER },
	{ "userfaultfd", NEVER },
	{ "ustat", NEVER },
	{ "vhangup", CAP_SYS_TTY_CONFIG },
	{ "vm86", NEVER },
	{ "vm86old", NEVER },
	{ "vserver", NEVER },
};

/* With one id mapped these would fail for every other id. */
static const char *const group_calls[] = {
	"setgroups", "setgroups32",
};
static const char *const chown_calls[] = {
	"chown", "chown32", "fchown", "fchown32", "lchown", "lchown32",
	"fchownat",
};

/*
 * A root that is the only id cannot become another, and package managers give
 * up when they cannot drop their rights for a download or a manual page. So
 * these calls do nothing and succeed. Nobody gains by it: all ids of the
 * process are 0 before and after, which is all a successful call could leave
 * here. Nothing is lost either: what runs on keeps the rights of the sandbox's
 * root, which its parent has anyway, and the sandbox's walls are namespaces,
 * capabilities and this filter, not ids. A user other than root, who is root's
 * id by another name, gets the kernel's own answer.
 */
static const char *const id_calls[] = {
	"setuid", "setuid32", "setgid", "setgid32", "setreuid", "setreuid32",
	"setregid", "setregid32", "setresuid", "setresuid32", "setresgid",
	"setresgid32",
};

static const uint32_t personalities[] = {
	0, 0x8, 0x20000, 0x20008, 0xffffffff
};

struct program {
	struct sock_filter code[MAX_INSNS];
	unsigned short n;
};

static void emit(struct program *p, uint16_t code, uint32_t k, uint8_t jt,
		 uint8_t jf)
{
	if (p->n == MAX_INSNS)
		abort();
	p->code[p->n++] = (struct sock_filter){ code, jt, jf, k };
}

static void load(struct program *p, size_t offset)
{
	emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* Arguments are 64 bits wide; these calls read the low half only. */
static size_t argument(int i)
{
	size_t at = offsetof(struct seccomp_data, args) + (size_t)i * 8;

	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? at : at + 4;
}

static void ret(struct program *p, uint32_t action)
{
	emit(p, BPF_RET | BPF_K, action, 0, 0);
}

static void ret_if_nr(struct program *p, int nr, uint32_t action)
{
	if (nr < 0)
		return;
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 1);
	ret(p, action);
}

/* What becomes of single calls of one ABI, by number. */
struct verdicts {
	struct verdict {
		uint32_t nr, action;
	} v[MAX_VERDICTS];
	size_t n;
};

static void judge(struct verdicts *all, int nr, uint32_t action)
{
	size_t i = all->n;

	if (nr < 0)
		return;
	if (all->n == MAX_VERDICTS)
		abort();
	for (; i && all->v[i - 1].nr > (uint32_t)nr; i--)
		all->v[i] = all->v[i - 1];
	all->v[i] = (struct verdict){ (uint32_t)nr, action };
	all->n++;
}

/* Distinct actions are few; each is written once, behind the comparisons. */
static void decide_leaf(struct program *p, const struct verdict *v, size_t n)
{
	uint32_t actions[LEAF];
	size_t n_actions = 0;

	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < n_actions && actions[k] != v[i].action)
			k++;
		if (k == n_actions)
			actions[n_actions++] = v[i].action;
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, v[i].nr,
		     (uint8_t)(n - i + k), 0);
	}
	ret(p, SECCOMP_RET_ALLOW);
	for (size_t k = 0; k < n_actions; k++)
		ret(p, actions[k]);
}

/* The kernel compiles the program and tries all numbers for its bitmap each
 * time a process installs it: short ways count. */
static void decide(struct program *p, const struct verdict *v, size_t n)
{
	size_t half = n / 2, at = p->n;

	if (n <= LEAF) {
		decide_leaf(p, v, n);
		return;
	}
	emit(p, BPF_JMP | BPF_JGE | BPF_K, v[half].nr, 0, 0);
	decide(p, v, half);
	if (p->n - at - 1 > UINT8_MAX)
		abort();
	p->code[at].jt = (uint8_t)(p->n - at - 1);
	decide(p, v + half, n - half);
}

static void deny_clone(struct program *p, int nr)
{
	if (nr < 0)
		return;
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 4);
	load(p, argument(0));
	emit(p, BPF_JMP | BPF_JSET | BPF_K, NAMESPACES, 0, 1);
	ret(p, SECCOMP_RET_ERRNO | EPERM);
	ret(p, SECCOMP_RET_ALLOW);
}

static void deny_personality(struct program *p, int nr)
{
	uint8_t n = ARRAY_SIZE(personalities);

	if (nr < 0)
		return;
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0,
	     (uint8_t)(n + 3));
	load(p, argument(0));
	for (uint8_t i = 0; i < n; i++)
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, personalities[i],
		     (uint8_t)(n - i), 0);
	ret(p, SECCOMP_RET_ERRNO | EPERM);
	ret(p, SECCOMP_RET_ALLOW);
}

static void deny_vsock(struct program *p, int nr)
{
	if (nr < 0)
		return;
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 4);
	load(p, argument(0));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, AF_VSOCK, 0, 1);
	ret(p, SECCOMP_RET_ERRNO | EPERM);
	ret(p, SECCOMP_RET_ALLOW);
}

const char *runtime_chown_name(uint32_t abi, int nr)
{
	for (size_t i = 0; i < ARRAY_SIZE(chown_calls); i++)
		if (seccomp_number(abi, chown_calls[i]) == nr)
			return chown_calls[i];
	return NULL;
}

static void judge_all(struct verdicts *all, uint32_t abi,
		      const char *const *names, size_t n, uint32_t action)
{
	for (size_t i = 0; i < n; i++)
		judge(all, seccomp_number(abi, names[i]), action);
}

static void single_id(struct verdicts *all, uint32_t abi, unsigned int kind)
{
	judge_all(all, abi, group_calls, ARRAY_SIZE(group_calls),
		  SECCOMP_RET_ERRNO | 0);
	judge_all(all, abi, chown_calls, ARRAY_SIZE(chown_calls),
		  kind & FILTER_NOTIFY ? SECCOMP_RET_USER_NOTIF
				       : SECCOMP_RET_ERRNO | 0);
	if (kind & FILTER_ROOT)
		judge_all(all, abi, id_calls, ARRAY_SIZE(id_calls),
			  SECCOMP_RET_ERRNO | 0);
}

static void abi_part(struct program *p, uint32_t abi, uint64_t caps,
		     unsigned int kind)
{
	bool admin = caps & (UINT64_C(1) << CAP_SYS_ADMIN);
	struct verdicts all = { .n = 0 };

	load(p, offsetof(struct seccomp_data, nr));
	/* The private calls of 32-bit arm lie far above all others. */
	ret_if_nr(p, seccomp_number(abi, "cacheflush"), SECCOMP_RET_ALLOW);
	ret_if_nr(p, seccomp_number(abi, "set_tls"), SECCOMP_RET_ALLOW);
	/* x32 numbers start far above; they end here. */
	emit(p, BPF_JMP | BPF_JGT | BPF_K, LAST_KNOWN, 0, 1);
	ret(p, SECCOMP_RET_ERRNO | ENOSYS);
	for (size_t i = 0; i < ARRAY_SIZE(denied); i++)
		if (!(caps & (UINT64_C(1) << denied[i].cap)))
			judge(&all, seccomp_number(abi, denied[i].name),
			      SECCOMP_RET_ERRNO | EPERM);
	if (kind & FILTER_SINGLE)
		single_id(&all, abi, kind);
	if (!admin) {
		/* Its flags are in memory, where a filter cannot look. */
		judge(&all, seccomp_number(abi, "clone3"),
		      SECCOMP_RET_ERRNO | ENOSYS);
		deny_clone(p, seccomp_number(abi, "clone"));
	}
	deny_personality(p, seccomp_number(abi, "personality"));
	deny_vsock(p, seccomp_number(abi, "socket"));
	decide(p, all.v, all.n);
}

static struct sock_fprog *build(uint64_t caps, unsigned int kind)
{
	struct program *p = xcalloc(1, sizeof(*p));
	struct sock_fprog *prog = xcalloc(1, sizeof(*prog));
	uint32_t abi[2];
	size_t n = seccomp_abis(abi);

	for (size_t i = 0; i < n; i++) {
		unsigned short skip;

		load(p, offsetof(struct seccomp_data, arch));
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, abi[i], 1, 0);
		skip = p->n;
		emit(p, BPF_JMP | BPF_JA, 0, 0, 0);
		abi_part(p, abi[i], caps, kind);
		p->code[skip].k = (uint32_t)(p->n - skip - 1);
	}
	ret(p, SECCOMP_RET_ERRNO | ENOSYS);
	prog->len = p->n;
	prog->filter = xmemdup(p->code, p->n * sizeof(p->code[0]));
	free(p);
	return prog;
}

/*
 * Steps of one build hardly ever differ in capabilities, so each program is
 * kept. None is ever freed or changed: a child may be reading it.
 */
const struct sock_fprog *runtime_filter(uint64_t caps, unsigned int kind)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct {
		uint64_t caps;
		unsigned int kind;
		const struct sock_fprog *prog;
	} cache[8];
	const struct sock_fprog *prog = NULL;
	size_t i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < ARRAY_SIZE(cache) && cache[i].prog; i++)
		if (cache[i].caps == caps && cache[i].kind == kind)
			prog = cache[i].prog;
	if (!prog) {
		prog = build(caps, kind);
		if (i < ARRAY_SIZE(cache)) {
			cache[i].caps = caps;
			cache[i].kind = kind;
			cache[i].prog = prog;
		}
	}
	pthread_mutex_unlock(&lock);
	return prog;
}
