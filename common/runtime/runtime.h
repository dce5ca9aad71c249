/* runtime.h - run commands in a root file system of their own */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_RUNTIME_H
#define RUNTIME_RUNTIME_H

#include <sys/types.h>

#include "base/error.h"
#include "base/log.h"
#include "base/strvec.h"

struct runtime_sandbox;

/* How this process may use the kernel. */
enum runtime_mode {
	RUNTIME_ROOT,	/* real root with CAP_SYS_ADMIN */
	RUNTIME_RANGE,	/* user namespace with subordinate ids */
	/*
	 * User namespace, one id mapped. A user other than root is that id
	 * under another number, in a nested user namespace. No file can have
	 * another owner; so that package managers work, chown and its kind
	 * succeed, and while runtime_run or runtime_collect waits for the
	 * sandbox the owner is recorded in the attribute user.devenv.owner
	 * ("UID:GID") of files and directories of the root. Not recorded are
	 * owners of links and special files, in mounts, and in environments.
	 * Root's changes of its own ids succeed and do nothing.
	 */
	RUNTIME_SINGLE,
	/* Root that may not mount: runtime_spec's `root` is what works. */
	RUNTIME_CHROOT,
};

enum runtime_driver { RUNTIME_AUTO, RUNTIME_OVERLAY, RUNTIME_BY_CHROOT };

/*
 * Move this process where mounts are private: as root into a fresh mount
 * namespace, as a user into a forked child that is root of a user namespace
 * (newuidmap/newgidmap ranges where there are some, else the caller's id
 * alone). The parent of that fork stays, passes on signals and ends with the
 * child's status, so the call returns in the child only. To be called once,
 * before any thread is made. ERR_HOST says what the kernel refused.
 * RUNTIME_SINGLE is for the caller to tell. A user namespace can be entered from
 * the one it was made in only, so a user's environments that other processes
 * started are entered by that parent, on request; callers see no difference.
 * RUNTIME_CHROOT is what root gets by that driver, or by RUNTIME_AUTO where it
 * may not mount; nothing changes then.
 */
int runtime_enter(enum runtime_driver driver, enum runtime_mode *mode,
		  struct error *err) MUST_CHECK;

/* uid, gid and supplementary groups inside a root file system. */
struct runtime_user {
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	size_t n_groups;
	char *name, *home, *shell; /* name and shell may be NULL */
};
#define cleanup_runtime_user CLEANUP(runtime_user_release)
void runtime_user_release(struct runtime_user *u);
/*
 * Look "user[:group]" up in etc/passwd and etc/group below `rootfd`, as data
 * (never NSS), by the rules of the Dockerfile USER instruction: empty is root;
 * a numeric user that is not found has gid 0; an explicit group means no
 * supplementary groups. "unable to find user X" is ERR_INPUT.
 */
int runtime_user_lookup(int rootfd, const char *spec, struct runtime_user *u,
			struct error *err) MUST_CHECK;
/* Make `u` a member of these groups, too: names of etc/group, or numbers. */
int runtime_user_join(int rootfd, const struct strvec *groups,
		      struct runtime_user *u, struct error *err) MUST_CHECK;
/* The id of a bare user or group name or number, for --chown. A name that
 * is not found is ERR_INPUT. */
int runtime_chown_lookup(int rootfd, const char *spec, uid_t *uid,
			 gid_t *gid, struct error *err) MUST_CHECK;

/*
 * Mount an overlay at `target` in this process's mount namespace. `lowers`
 * are directories, lowest first; `upper` and `work` may both be NULL (read
 * only), else they are a draft as in runtime_spec below. One lower and no
 * upper is a read-only bind mount. Any number of lowers works (fsconfig).
 */
int runtime_mount_overlay(const char *const *lowers, size_t n,
			  const char *upper, const char *work,
			  const char *target, struct error *err) MUST_CHECK;
int runtime_umount(const char *target, struct error *err) MUST_CHECK;

enum runtime_mount_kind {
	RUNTIME_BIND,
	RUNTIME_TMPFS,
	RUNTIME_FILE,
	/* a device of the host, or a directory with some: no other bind mount
	 * lets them be opened */
	RUNTIME_DEVICE,
};
struct runtime_mount {
	enum runtime_mount_kind kind;
	char *target; /* absolute, resolved inside the root; made as the mount
			 is (directory or not) where it misses */
	bool read_only;
	/* a bind: path of the host, and what of it, resolved inside it (NULL:
	 * all) */
	char *source, *below;
	/* A place of a repository: the user's, whoever owns it here (for
	 * env_up), and without links on the way, as those who work in it may
	 * put one there at any time. */
	bool as_user;
	bool volume; /* of the store, whose owners follow those in there */
	int tree;     /* of runtime_bind_as, instead of the source; 0: none */
	/* a tmpfs: "size=..,mode=.."; may be NULL */
	char *options;
	/* a file in memory that nothing else shows */
	const void *data;
	size_t size;
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

/*
 * A mount of `source` for a runtime_mount's `tree`, in which what belongs to
 * the owner and group of `source` belongs to `uid` and `gid`, and the reverse;
 * what is made in there is the owner's here. 1: there it is, to be closed by
 * the caller; 0: `source` is that user's already; ERR_HOST where the file
 * system or the kernel cannot do it. For RUNTIME_ROOT.
 */
int runtime_bind_as(const char *source, uid_t uid, gid_t gid, int *tree,
		    struct error *err) MUST_CHECK;

/* What a bind shows, for its `tree`; to be closed by the caller. */
int runtime_bind_open(const struct runtime_mount *m, int *tree,
		      struct error *err) MUST_CHECK;

enum runtime_network {
	RUNTIME_NET_HOST,
	RUNTIME_NET_NONE,
	RUNTIME_NET_GIVEN, /* that of runtime_spec's `net` */
};

/* A network of its own, loopback alone, or that of a sandbox: a descriptor
 * for several sandboxes to share, which keeps it. ERR_HOST where a sandbox
 * belongs to another user namespace. */
int runtime_net_new(struct error *err) MUST_CHECK;
int runtime_net_of(const struct runtime_sandbox *s, struct error *err)
	MUST_CHECK;

/* A limit of setrlimit; RLIM_INFINITY: none. */
struct runtime_limit {
	int resource;
	uint64_t soft, hard;
};
/* May this process give `hard` to another? Else *most is what it may. */
bool runtime_limit_may(const struct runtime_limit *l, uint64_t *most);

/* What a sandbox is held to, or shares, beyond what all of them are. Lists may
 * be NULL. */
struct runtime_bounds {
	bool read_only; /* all but mounts */
	bool host_ipc;	/* with /dev/shm and /dev/mqueue */
	const struct strvec *cap_drop;
	const struct strvec *sysctls; /* "K=V", of its own namespaces */
	const struct runtime_limit *limits; /* not above ours */
	size_t n_limits;
	/* instead of what this host's resolv.conf has of the kind */
	const struct strvec *dns, *dns_search, *dns_options;
};

/* Control groups for one sandbox. */
struct runtime_budget {
	uint64_t memory;    /* bytes; 0: not limited */
	uint64_t cpu_quota; /* of each 100000 us, of all processors */
	uint64_t pids;
};
struct runtime_cgroup;
/*
 * Make them, to be started in (runtime_spec). What this host cannot limit is
 * warned about; NULL when nothing is left. They go with the sandbox, or with
 * the next one that is made. Released once the sandbox has started.
 */
struct runtime_cgroup *runtime_cgroup_make(const struct runtime_budget *b);
void runtime_cgroup_release(struct runtime_cgroup *c);

/*
 * For RUNTIME_RANGE: in the sandbox root and this user, and their groups, have
 * changed places, so that the user is who runs us here and owns our files, in
 * there and on this host. What `lowers` and `upper` hold of the two has to have
 * changed places as well. They and `work` are names in `dir`, and binds have
 * their `tree`: root of the sandbox cannot go where only we may.
 */
struct runtime_swap {
	uid_t uid;
	gid_t gid;
	const char *dir;
};

/* The sandbox: what processes in it share. */
struct runtime_spec {
	/*
	 * A directory that becomes the root by chroot, instead of all of what
	 * follows up to `draft`: for RUNTIME_CHROOT. There is no /proc, /sys
	 * or namespace then; processes that the command leaves are killed.
	 * Mounts are ERR_HOST, but for read-only files below /dev; the
	 * image's /dev, and the files of `no_etc`, are moved aside for the
	 * time. The command cannot make devices or call chroot.
	 */
	const char *root;
	const char *const *lowers; /* lowest first */
	size_t n_lowers;
	const char *upper, *work; /* NULL: writes go to a tmpfs and vanish */
	/*
	 * Nobody relies on `upper` after a power loss, until it is synced by
	 * other means: fsync inside does nothing and the end does not wait
	 * for the disk. `work` cannot be used a second time.
	 */
	bool draft;
	const char *hostname;	  /* NULL: "devenv" */
	enum runtime_network network;
	int net; /* of RUNTIME_NET_GIVEN */
	/* Directories of the root that are made where they miss; or NULL. No
	 * mount is in their way: they are the root's whatever is mounted. */
	const struct strvec *dirs;
	const struct runtime_mount *mounts;
	size_t n_mounts;
	bool no_seccomp, privileged;
	const struct strvec *cap_add;
	/* Generated /etc/hosts, /etc/hostname and /etc/resolv.conf are bound
	 * over the root's (made where missing, removed again when made). */
	bool no_etc;
	/* more of /etc/hosts, "NAME:ADDRESS", that win over this host's */
	const struct strvec *hosts;
	const struct runtime_bounds *bounds; /* NULL: none */
	const struct runtime_cgroup *cgroup; /* NULL: ours */
	const struct runtime_swap *swap; /* NULL: ids as they are here */
};

/*
 * Make in an empty directory what every sandbox mounts at. As the lowest of
 * `lowers`, on their file system, it saves the runs on an image that lacks
 * some of it from making that in `upper` and removing it again.
 */
int runtime_points_make(int dirfd, struct error *err) MUST_CHECK;

/* One process in it. */
struct runtime_process {
	char *const *argv;
	const struct strvec *env; /* complete; PATH in it finds argv[0] */
	const char *cwd;	  /* absolute; NULL: "/" */
	bool make_cwd;		  /* create it (owner: user) when missing */
	const struct runtime_user *user; /* NULL: root */
	int in, out, err;	  /* descriptors for 0..2; -1: /dev/null */
	bool tty;		  /* own pseudo-terminal, joined to ours */
	bool no_new_privs;
	bool outlive;		  /* goes on when this process ends */
	mode_t umask;		  /* 0: 022 */
};

#define RUNTIME_PROCESS_INIT { .in = -1, .out = -1, .err = -1 }

/* Make now what all sandboxes of this process use, so that not each fork of it
 * makes it for itself. */
int runtime_warm(struct error *err) MUST_CHECK;
/* For a fork that dies with its parent: use what the parent has. */
void runtime_inherit(void);

/*
 * Run one process as PID 1 of a fresh sandbox; everything in it dies with it.
 * `status` is 0..255 or 128 + signal. Trouble before the command's first
 * instruction is an error: ERR_RUN_MISSING, ERR_RUN_PERM for the command,
 * ERR_HOST/ERR_SYSTEM for the sandbox. When this process (the thread that
 * called) dies, by whatever signal, the sandbox dies too and no mount is left.
 * A signal noted by signals_catch ends the sandbox, with an error.
 */
int runtime_run(const struct runtime_spec *spec,
		const struct runtime_process *p, int *status,
		struct error *err) MUST_CHECK;

/*
 * A process that runs while its caller does other things; its output comes
 * through a pipe and is logged line by line. It dies with this process.
 */
struct runtime_child {
	int status; /* once collected: 0..255 or 128 + signal */
	pid_t pid;
	/*
	 * -1 once it ended. Both ends of its output are kept until then: that
	 * nobody writes any more is nothing to wake up for.
	 */
	int pidfd, output, input;
	struct log_output *log;
	struct runtime_launch *launch;
};
#define RUNTIME_CHILD_INIT { .pidfd = -1, .output = -1, .input = -1 }
/* As runtime_run and runtime_exec, without the wait. Output (where p->out and
 * p->err are -1) is logged behind `prefix`, which may be NULL. p->user stays
 * in use until the child was collected. */
int runtime_spawn(const struct runtime_spec *spec,
		  const struct runtime_process *p, const char *prefix,
		  struct runtime_child *c, struct error *err) MUST_CHECK;
int runtime_spawn_in(const struct runtime_sandbox *s,
		     const struct runtime_process *p, const char *prefix,
		     struct runtime_child *c, struct error *err) MUST_CHECK;
/* Log output until all of them ended; an interruption kills them. */
int runtime_collect(struct runtime_child *const *children, size_t n,
		    struct error *err) MUST_CHECK;
/* The same for at most `ms` milliseconds: 1 when some still run then. */
int runtime_collect_for(struct runtime_child *const *children, size_t n,
			int64_t ms, struct error *err) MUST_CHECK;
/* Let a process with `outlive` go on, and free. */
void runtime_child_leave(struct runtime_child *c);
/* Kill it if it runs, and free. */
void runtime_child_release(struct runtime_child *c);

/* A sandbox that lives until stopped: PID 1 is a small init that reaps. */
struct runtime_sandbox {
	pid_t init; /* as seen from here */
	int pidfd;
};
int runtime_start(const struct runtime_spec *spec,
		  struct runtime_sandbox *s, struct error *err) MUST_CHECK;
/* Attach to a sandbox another process made, by the pid of its init. The
 * start time guards against a reused pid (0: do not check). */
int runtime_attach(pid_t init, uint64_t start_time, struct runtime_sandbox *s,
		   struct error *err) MUST_CHECK;
uint64_t runtime_start_time(pid_t pid); /* clock ticks since boot, 0: gone */
/* Run a process in a sandbox and wait for it. */
int runtime_exec(const struct runtime_sandbox *s,
		 const struct runtime_process *p, int *status,
		 struct error *err) MUST_CHECK;
/* The root directory of the sandbox, as a descriptor. */
int runtime_root_fd(const struct runtime_sandbox *s, struct error *err)
	MUST_CHECK;
/* SIGTERM, wait `grace_ms`, SIGKILL; waits until it is gone. */
void runtime_stop(struct runtime_sandbox *s, int grace_ms);
void runtime_sandbox_release(struct runtime_sandbox *s);

#endif
