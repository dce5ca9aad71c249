"""asked.py - what configurations ask of whoever runs them, from a seed"""
# SPDX-License-Identifier: Apache-2.0
import life

# What each of a mount's forms leads to is looked at below its target.
MOUNTS = [
    "type=bind,source=${localWorkspaceFolder}/data,target=/m/a",
    "type=bind,src=${localWorkspaceFolder}/data,dst=/m/a,readonly",
    "source=${localWorkspaceFolder}/data/file,destination=/m/b,type=bind",
    "type=bind,source=${localWorkspaceFolder}/data,target=/m/c,ro=true,"
    "consistency=cached",
    {"type": "bind", "source": "${localWorkspaceFolder}/data",
     "target": "/m/a"},
    "type=volume,source=one,target=/m/d",
    "source=two-${devcontainerId},target=/seed,type=volume",
    "type=volume,target=/m/e",
    {"type": "volume", "source": "one", "target": "/m/f"},
    {"type": "volume", "target": "/m/g"},
    "type=tmpfs,target=/m/h",
    "type=tmpfs,destination=/m/i,tmpfs-size=1048576,tmpfs-mode=700",
    "type=volume,source=one,target=/m/j,ro",
]
ARGS = [
    ["--env", "A1=arg"], ["-e", "GREETING=arg"], ["-eA2=x y"],
    ["--env=A3="], ["-e", "FOO"], ["--env-file=vars"],
    ["--cap-add", "SYS_PTRACE"], ["--cap-add=NET_ADMIN"],
    ["--security-opt", "seccomp=unconfined"],
    ["--security-opt=no-new-privileges"],
    ["-v", "one:/m/k"], ["--volume=${localWorkspaceFolder}/data:/m/l:ro"],
    ["--mount", "type=tmpfs,target=/m/m"], ["--tmpfs", "/m/n"],
    ["--tmpfs=/m/o:size=2097152"], ["--add-host", "there:10.1.2.3"],
    ["--add-host=too:10.1.2.4"], ["--init"], ["-u", "bob"],
    ["--user=1000:0"],
]
CAPS = ["SYS_PTRACE", "CAP_NET_ADMIN", "CHOWN", "SYS_ADMIN"]
# What each sees of that. podman gives volumes to the user, and lets others
# than root use the capabilities that were added; Docker and devenv do not.
LOOK = r"""id -un; pwd
grep -E '^(CapBnd|NoNewPrivs|Seccomp):' /proc/self/status
[ "$(id -u)" != 0 ] || grep ^CapEff: /proc/self/status
while read -r id up dev root at how rest; do
	case $at in
	/m/*|/seed) case "$rest" in
		*' - tmpfs '*) kind=tmpfs ;;
		*) kind=files ;;
		esac
		echo "$at ${how%%,*} $kind"
		[ $kind = files ] || { stat -c "$at %U:%a" "$at"; set -- $(df -k "$at" | tail -n 1)
			[ "$2" -gt 4096 ] || echo "size $2"; }
		[ -f "$at" ] && cat "$at" || cat "$at"/* 2>&1 ;;
	esac
done </proc/self/mountinfo | sort
grep -wE 'there|too' /etc/hosts | tr '\t' ' ' | sort
i=0
while [ ! -s /tmp/started ] && [ $((i += 1)) -lt 3 ]; do usleep 100000; done
[ ! -e /tmp/started ] || cat /tmp/started
[ ! -f /m/here ] || cat /m/here
"""


def config(r):
    """One with all that counts when a container is made."""
    c = {"image": r.choice(["base", "server", "asking"]),
         "remoteUser": r.choice(["root", "root", "bob"]),
         "userEnvProbe": "none"}
    if r.random() < .7:
        c["mounts"] = r.sample(MOUNTS, r.randrange(1, 5))
    if r.random() < .5:
        c["runArgs"] = [word for group in r.sample(ARGS, r.randrange(1, 5))
                        for word in group]
    if r.random() < .4:
        c["capAdd"] = r.sample(CAPS, r.randrange(1, 3))
    if r.random() < .3:
        c["securityOpt"] = r.sample(
            ["seccomp=unconfined", "no-new-privileges", "label=disable"], 2)
    for name, share in ("privileged", .1), ("init", .3):
        if r.random() < share:
            c[name] = r.random() < .7
    if r.random() < .4:
        c["overrideCommand"] = r.random() < .5
    if r.random() < .3:
        c["containerUser"] = r.choice(["root", "bob"])
    if r.random() < .5:
        c["containerEnv"] = life.some(r, life.CONTAINER, .4)
    if r.random() < .3:
        c["workspaceMount"] = r.choice([
            "", "type=bind,source=${localWorkspaceFolder},target=/ws",
            "source=${localWorkspaceFolder}/data,target=/ws,type=bind,"
            "readonly"])
        c["workspaceFolder"] = "/ws" if c["workspaceMount"] else "/home"
    if r.random() < .3:
        c["appPort"] = r.choice([3000, "3001:3001", [3002, "3003:3003"]])
    return c
