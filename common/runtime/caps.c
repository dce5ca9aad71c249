/* caps.c - capabilities of the processes in a sandbox */
/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/internal.h"

#include <ctype.h>
#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BIT(cap) (UINT64_C(1) << (cap))
#define ALL (BIT(RUNTIME_CAP_LAST + 1) - 1)
#define DEFAULT                                                              \
	(BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FSETID) |          \
	 BIT(CAP_FOWNER) | BIT(CAP_MKNOD) | BIT(CAP_NET_RAW) |               \
	 BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETFCAP) |              \
	 BIT(CAP_SETPCAP) | BIT(CAP_NET_BIND_SERVICE) |                      \
	 BIT(CAP_SYS_CHROOT) | BIT(CAP_KILL) | BIT(CAP_AUDIT_WRITE))

static const char *const names[RUNTIME_CAP_LAST + 1] = {
	"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID",
	"KILL", "SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE",
	"NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW",
	"IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT",
	"SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
	"SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE",
	"AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE",
	"MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ",
	"PERFMON", "BPF", "CHECKPOINT_RESTORE",
};

static uint64_t cap_by_name(const char *name)
{
	const char *bare = strncasecmp(name, "CAP_", 4) ? name : name + 4;

	if (!strcasecmp(bare, "ALL"))
		return ALL;
	for (int i = 0; i <= RUNTIME_CAP_LAST; i++)
		if (!strcasecmp(names[i], bare))
			return BIT(i);
	return 0;
}

static int add_names(const struct strvec *list, uint64_t *caps,
		     struct error *err)
{
	for (size_t i = 0; list && i < list->nr; i++) {
		uint64_t bit = cap_by_name(list->v[i]);

		if (!bit)
			return error_set(err, ERR_USAGE,
					 "unknown capability '%s'",
					 list->v[i]);
		*caps |= bit;
	}
	return 0;
}

/* What is added by its name wins over ALL that is dropped, and the reverse. */
int runtime_caps(const struct runtime_spec *s, uint64_t *caps,
		 struct error *err)
{
	uint64_t add = 0, drop = 0;

	if (add_names(s->cap_add, &add, err) < 0 ||
	    add_names(s->bounds ? s->bounds->cap_drop : NULL, &drop, err) < 0)
		return -1;
	if (s->privileged)
		*caps = ALL;
	else if (add == ALL)
		*caps = ALL & ~drop;
	else
		*caps = (DEFAULT & ~drop) | add;
	return 0;
}

/* Only what the bounding set holds can come back on exec, so what is not
 * listed is gone for good. */
int runtime_caps_bound(uint64_t caps, struct error *err)
{
	for (int i = 0; i < 64; i++) {
		/* What is not there needs no right to be dropped. */
		if (caps & BIT(i) || prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 0)
			continue;
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL) /* the kernel's last one is passed */
			break;
		return error_errno(err, "cannot drop capability %d", i);
	}
	return 0;
}

/* capset is called directly: the sets of this thread alone change. */
int runtime_caps_set(uint64_t caps, struct error *err)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct have[2], want[2];

	if (syscall(SYS_capget, &head, have) < 0)
		return error_errno(err, "cannot read the capabilities");
	for (int i = 0; i < 2; i++) {
		uint32_t part = (uint32_t)(caps >> (32 * i));

		want[i].permitted = have[i].permitted & part;
		want[i].effective = want[i].permitted;
		want[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &head, want) < 0)
		return error_errno(err, "cannot set the capabilities");
	return 0;
}
