/* internal.h - what the files of the runner share */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_INTERNAL_H
#define RUNTIME_INTERNAL_H

#include <linux/filter.h>
#include <signal.h>
#include <time.h>

#include "base/strbuf.h"
#include "runtime/runtime.h"

/* Names that miss in the headers of older C libraries. */
#ifndef CAP_CHECKPOINT_RESTORE
#define CAP_CHECKPOINT_RESTORE 40
#endif
#define RUNTIME_CAP_LAST 40

/* Files made only as mount points, to be taken out of the upper again. */
#define STUB_MAX 256
#define STUB_PATH 1024

struct runtime_stub {
	char path[STUB_PATH]; /* relative to the root */
	struct timespec times[2]; /* of the parent, before */
	struct timespec after;	  /* its mtime once the stub was there */
	bool parent_new;	  /* the parent was not in the upper */
	bool dir;
};

/*
 * Memory that parent and child both see, also when they do not share all of
 * it: the outcome of the child's part.
 */
struct runtime_report {
	bool failed;
	enum error_code code;
	int sys;
	char msg[1024], hint[512];
	pid_t pid;   /* of the command, when a go-between made it */
	int proc_fd; /* the child's own /proc/self */
	size_t n_stubs;
	struct runtime_stub stubs[STUB_MAX];
};

#define RUNTIME_LIMITS 16 /* resources of setrlimit */
#define RUNTIME_GROUPS 3  /* hierarchies of control groups */

/* All the child needs, made ready by the parent. */
struct runtime_launch {
	const struct runtime_spec *spec; /* NULL: join a sandbox */
	const struct runtime_process *p;
	int join;	  /* pidfd of the sandbox's init, or -1 */
	int join_types;	  /* CLONE_NEW* of the namespaces that differ */
	int userns;	  /* of a new sandbox of its own, or -1 */
	bool outlive;	  /* does not die with this process */
	bool single;	  /* one id is mapped */
	int exec_fd;	  /* program to execute, or -1: argv[0] */
	int null_fd;	  /* /dev/null of the host */
	int parent_fd;	  /* pidfd of the process that waits */
	int watch;	  /* socket of runtime_watch, not owned, or -1 */
	int socket;	  /* to hand descriptors to the parent, or -1 */
	int ours;	  /* where they arrive */
	int master;	  /* of the command's terminal, once started, or -1 */
	int listener;	  /* tells of changes of owners, or -1 */
	int hangup;	  /* its end ends the command; not owned, or -1 */
	bool told_lost;	  /* of an owner that cannot be recorded */
	uint64_t caps;	  /* of the command */
	struct runtime_limit limits[RUNTIME_LIMITS]; /* of a joined sandbox */
	size_t n_limits;
	int groups[RUNTIME_GROUPS]; /* its cgroup.procs; 0: none */
	const struct runtime_user *user; /* of the command; NULL: root */
	struct runtime_place *place; /* by chroot: what was moved aside */
	const struct sock_fprog *filter; /* NULL: none */
	const struct sock_fprog *notify; /* with a listener, better; or NULL */
	struct runtime_report *report;
};

/* Does the command's user need a user namespace to have its number? */
bool runtime_renames(const struct runtime_launch *l);

#define RUNTIME_LAUNCH_INIT \
	{ .join = -1, .userns = -1, .exec_fd = -1, .null_fd = -1, .parent_fd = -1, \
	  .watch = -1, .socket = -1, .ours = -1, .master = -1, \
	  .listener = -1, .hangup = -1 }
#define cleanup_runtime_launch CLEANUP(runtime_launch_release)

/* run.c: one process from its description to its end. What a joined process
 * may do is read from the sandbox; then prepare, start, wait, release. */
int runtime_launch_join(const struct runtime_sandbox *s,
			struct runtime_launch *l, struct error *err)
	MUST_CHECK;
int runtime_launch_prepare(struct runtime_launch *l, struct error *err)
	MUST_CHECK;
pid_t runtime_launch_start(struct runtime_launch *l, struct error *err)
	MUST_CHECK;
void runtime_launch_release(struct runtime_launch *l);
int runtime_pidfd(pid_t pid);
/* Wait for a child: 0..255 or 128 + signal, -1 when it is not ours. */
int runtime_reap(pid_t pid);

/* CLONE_NEW* of what the sandbox has of its own. */
int runtime_new_types(const struct runtime_spec *s);
pid_t runtime_clone_child(struct runtime_launch *l, struct error *err)
	MUST_CHECK;
/* child.c: tell the parent. */
void runtime_report(struct runtime_report *r, const struct error *e);

/* chroot.c: what has a directory for its root. For a command its /dev and
 * files of /etc are replaced, and put back after its end. */
int runtime_chroot_prepare(struct runtime_launch *l, struct error *err)
	MUST_CHECK;
int runtime_chroot_enter(const struct runtime_launch *l, struct error *err)
	MUST_CHECK;
int runtime_chroot_clean(struct runtime_launch *l, struct error *err);
uint64_t runtime_chroot_caps(uint64_t caps);
/* keep.c: start it below a process that ends all it leaves; SIGTERM to that
 * one ends them at once. */
pid_t runtime_keep(struct runtime_launch *l, struct error *err) MUST_CHECK;
/* End what runtime_launch_start began. */
void runtime_kill(const struct runtime_launch *l, pid_t pid);

/* watch.c: the socket to the process that kills the commands of this one when
 * it dies; one a process, started on first use, not to be closed. */
int runtime_watch(struct error *err) MUST_CHECK;
/* Hand ourselves over to it; for a child before its program. */
int runtime_watch_me(int sock);

/* outer.c: the socket to the process that stays outside of a user namespace,
 * -1 where there is none. */
int *runtime_outer(void);
/* Only that process may enter `s` or look into it. */
bool runtime_is_foreign(const struct runtime_sandbox *s);
int runtime_outer_root(const struct runtime_sandbox *s, struct error *err)
	MUST_CHECK;
int runtime_outer_exec(const struct runtime_sandbox *s,
		       const struct runtime_process *p, int *status,
		       struct error *err) MUST_CHECK;
/* The other side of a request, in a process of its own. */
NORETURN void runtime_outer_serve(int sock);
/* As runtime_exec; the end of `hangup` kills the command. */
int runtime_exec_until(const struct runtime_sandbox *s,
		       const struct runtime_process *p, int hangup,
		       int *status, struct error *err) MUST_CHECK;

/* filter.c: the profile for processes that hold `caps`; made once a process
 * and set of capabilities, never freed. */
enum {
	FILTER_SINGLE = 1, /* one id is mapped: chown pretends success */
	FILTER_ROOT = 2,   /* so do changes of ids, of a root by one id */
	FILTER_NOTIFY = 4, /* chown waits for an answer instead */
};
const struct sock_fprog *runtime_filter(uint64_t caps, unsigned int kind);
/* The name of a call of chown's kind, or NULL. */
const char *runtime_chown_name(uint32_t abi, int nr);

/* owners.c: does this kernel have listeners of a form known here? */
bool runtime_owners_possible(void);
/* After poll of l->listener, which is closed (-1) at its end. */
void runtime_owners_answer(struct runtime_launch *l, short revents);

/* caps.c */
int runtime_caps(const struct runtime_spec *s, uint64_t *caps,
		 struct error *err) MUST_CHECK;
int runtime_caps_bound(uint64_t caps, struct error *err) MUST_CHECK;
int runtime_caps_set(uint64_t caps, struct error *err) MUST_CHECK;

/* ids.c: may this process use one id only? */
bool runtime_ids_single(void);
bool runtime_ids_text_single(const char *uid_map);
struct runtime_range {
	uint32_t start, count;
};
/* The largest range of user `name` or `id` in a subuid file's text. */
bool runtime_range_find(const char *text, const char *name, uid_t id,
			struct runtime_range *out);
/* Write the maps of `pid`, which sits in a new user namespace. */
int runtime_ids_map(pid_t pid, uid_t uid, gid_t gid, bool *ranges,
		    struct error *err) MUST_CHECK;

/* What an overlay is made of; `upper` and `work` may both be NULL. */
struct runtime_layers {
	const char *const *lowers; /* lowest first */
	size_t n;
	const char *upper, *work;
	bool draft; /* as in runtime_spec */
};
/* overlay.c: a detached mount, or -1. */
int runtime_overlay(const struct runtime_layers *l, struct error *err)
	MUST_CHECK;
int runtime_overlay_old(const struct runtime_layers *l, const char *target,
			struct error *err) MUST_CHECK;

/* mount.c: small steps with the mount API. All descriptors close on exec. */
int runtime_fs_new(const char *type, const char *const *options,
		   unsigned int attr, struct error *err) MUST_CHECK;
int runtime_clone(int dirfd, const char *path, bool deep, struct error *err)
	MUST_CHECK;
/* All of what an absolute path names, if no part of it is a link. */
int runtime_clone_straight(const char *path, struct error *err) MUST_CHECK;
int runtime_attach_at(int mnt, int dirfd, const char *path,
		      struct error *err) MUST_CHECK;
int runtime_attributes(int mnt, bool deep, uint64_t set, struct error *err)
	MUST_CHECK;
bool runtime_fs_type_is(int fd, long magic);
/* One of the spec's mounts, attached nowhere yet; `scratch` is a tmpfs. */
int runtime_mount_new(const struct runtime_launch *l,
		      const struct runtime_mount *m, int scratch,
		      struct error *err) MUST_CHECK;

/* root.c: build the root of a new sandbox and move into it. */
int runtime_root_enter(const struct runtime_launch *l, struct error *err)
	MUST_CHECK;
/* Make the spec's directories in a root. */
int runtime_root_dirs(int root, const struct runtime_spec *s,
		      struct error *err) MUST_CHECK;
/* points.c: the place of a mount inside `root`; made when missing. */
int runtime_point(const struct runtime_launch *l, int root, const char *path,
		  bool dir, struct error *err) MUST_CHECK;
void runtime_points_clean(const char *upper,
			  const struct runtime_report *report);

/* net.c: start the loopback device of the network we are in. */
int runtime_loopback_up(struct error *err) MUST_CHECK;

/* Memory for the stack of a child, or NULL. */
#define RUNTIME_STACK ((size_t)256 << 10)
char *runtime_stack(void);
/* child.c: runs in the new process, which ends when this returns. */
int runtime_child(void *launch);

/* init.c: a sealed descriptor of the small init program, or -1. */
int runtime_init_program(struct error *err) MUST_CHECK;

/* tty.c: carry a terminal between our standard input and output and l->master
 * until the process behind `pidfd` ends. */
int runtime_tty_open(struct error *err) MUST_CHECK;
void runtime_tty_relay(struct runtime_launch *l, int pidfd);

/* socket pair helpers */
int runtime_fd_send(int sock, int fd);
int runtime_fd_receive(int sock);

#endif
