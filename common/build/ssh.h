/* ssh.h - an ssh agent within reach of a step */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SSH_H
#define BUILD_SSH_H

#include "base/proc.h"
#include "build/build.h"

#define SSH_AGENT_SOCKET "agent" /* names in the directory of an agent */
#define SSH_RELAY_SOCKET "relay"

/* Whose the socket is that the step sees. */
struct ssh_owner {
	uid_t uid;
	gid_t gid;
	mode_t mode;
	bool keep; /* one id is mapped: it is ours */
};

struct ssh_agent {
	struct proc proc; /* what keeps an agent of our own */
	int input;	  /* its end ends that */
	pid_t pid;	  /* of that agent, or 0 */
	pid_t relay;
};
#define SSH_AGENT_INIT { .proc = PROC_INIT, .input = -1 }

/*
 * Listen at DIR/relay for the step, and pass on what it may ask the agent:
 * which keys there are, and signatures. Nothing of it outlives this process.
 */
int ssh_agent_start(struct ssh_agent *a, const struct build_ssh *s,
		    const char *dir, const struct ssh_owner *owner,
		    struct error *err) MUST_CHECK;
void ssh_agent_stop(struct ssh_agent *a);
/* ssh_relay.c: `path` is that of the agent's socket. */
int ssh_relay_start(struct ssh_agent *a, const char *path, const char *dir,
		    const struct ssh_owner *owner, struct error *err)
	MUST_CHECK;

#endif
