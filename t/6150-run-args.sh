#!/bin/sh
# 6150-run-args.sh - limits, devices, names: what docker run would be told
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"

t_need root userns busybox useradd setpriv newuidmap jq unshare
env_accounts
t_ok "a base image" env_base
up() { t_run timeout -k 2 20 "$DEVENV" up --name one "$@"; }
conf() { env_project "$TMP/p" "{\"image\": \"base\", $1}"; }
line() { # REGEX SENTENCE: a warning with a place in the file
	t_err "warning: .*p/.devcontainer/devcontainer.json:$1" "$2"
}
stop() { "$DEVENV" stop one; }
as() (env_as "$@")

# --- limits of processes, names, groups ---
git init -q "$TMP/p"
conf '"remoteUser": "bob", "runArgs": [
	"--ulimit", "nofile=100:200", "--ulimit=core=0", "--ulimit", "nproc=unlimited",
	"--dns=192.0.2.1", "--dns", "2001:db8::1", "--dns-search", "example.test",
	"--dns-option=ndots:3", "--group-add=staff", "--group-add", "4711", "-it", "--rm",
	"--cap-drop=NET_RAW", "--shm-size=1.5mb", "--sysctl", "kernel.msgmax=9000",
	"--sysctl=net.ipv4.ip_default_ttl=9", "--name", "x", "--stop-timeout=1", "--expose=80",
	"--userns=keep-id", "--restart=no", "--cgroupns=host", "--pid=host"]'
# shellcheck disable=SC2016 # the shell in there expands
look='ulimit -n; ulimit -Hn; ulimit -c; cat /etc/resolv.conf; id -G; cat /proc/sys/kernel/msgmax
	df -k /dev/shm | tail -n 1 | tr -s " " | cut -d " " -f 2; cat /proc/self/status'
up "$TMP/p" -- sh -c "$look"
t_status 0 "limits"
grep -v '^#' "$out" | sed '/^Name:/,$d' >"$TMP/seen"
t_is "$(tr '\n' ' ' <"$TMP/seen")" \
	"100 200 0 nameserver 192.0.2.1 nameserver 2001:db8::1 search example.test options ndots:3 1000 50 4711 9000 1536 " \
	"are those of all commands, with names, groups, shared memory and sysctls"
t_is "$((0x$(sed -n 's/^CapBnd:[[:space:]]*//p' "$out") >> 13 & 1))" 0 "cap-drop"
t_err 'warning: --sysctl net.ipv4.ip_default_ttl=9 is not acted on: it needs a network of its own' \
	"the host's network is left alone"
line "6:40: '--name=x' is not acted on: 'devenv up --name'" "a name"
line "7:57: '--pid=host' is not acted on" "processes of the host"
hard=$(sed -n 's/^Max processes *[^ ]* *\([^ ]*\).*/\1/p' /proc/self/limits)
if [ "$hard" != unlimited ] && ! prlimit --nproc=:unlimited true 2>/dev/null; then
	t_err "warning: --ulimit nproc=unlimited:unlimited: this process may not have more than $hard; it is $hard:$hard" \
		"a limit above ours"
fi
t_is "$(grep -c 'not acted on\|nproc' "$err")" \
	"$((3 + $(grep -c 'warning: --ulimit nproc' "$err")))" "and nothing else is told"
t_run timeout 20 "$DEVENV" up -d --name one "$TMP/p"
t_run timeout 20 "$DEVENV" exec one -- sh -c 'ulimit -Hn; id -G'
t_is "$(tr '\n' ' ' <"$out")" "200 1000 50 4711 " "commands that come later, too"
t_is "$(jq .grace_ms "$DEVENV_STORE/run/one/state.json")" 1000 "the time to end"
stop
t_run timeout 20 "$DEVENV" up --net none --name one "$TMP/p" -- cat /proc/sys/net/ipv4/ip_default_ttl
t_is "$(cat "$out")" 9 "a network of its own has parameters of its own"
conf '"runArgs": ["--group-add", "nogroup-here"]'
up "$TMP/p" -- true
t_err 'unable to find group nogroup-here' "a group that is not there is named"

# --- the same of a service ---
stop
mkdir -p "$TMP/s/.devcontainer"
echo '{"dockerComposeFile": "c.yml", "service": "app", "workspaceFolder": "/"}' \
	>"$TMP/s/.devcontainer/devcontainer.json"
cat >"$TMP/s/.devcontainer/c.yml" <<'END'
services:
  app:
    image: base
    command: sleep 60
    ulimits: { nofile: { soft: 100, hard: 200 }, core: 0 }
    devices: [ "/dev/zero:/dev/nothing", { source: /dev/full, target: /dev/brim, permissions: rw } ]
    dns: 192.0.2.7
    dns_opt: [ "ndots:2" ]
    extra_hosts: { far: "2001:db8::7" }
    group_add: [ staff, 4711 ]
    sysctls: { kernel.msgmax: 9001 }
    read_only: true
    cap_drop: [ NET_RAW ]
    stop_grace_period: 1500ms
    pids_limit: 100
    pid: host
    mem_limit: lots
END
t_run timeout 20 "$DEVENV" up -d --name one "$TMP/s"
t_status 0 "a service"
t_err "warning: service 'app': '--pid=host' is not acted on" "what is not done of it is named"
t_err "warning: service 'app': 'lots' is no amount of memory" "so is what is wrong"
t_is "$(jq .grace_ms "$DEVENV_STORE/run/one/state.json")" 2000 "the time to end, in seconds"
# shellcheck disable=SC2016 # the shell in there expands
t_run timeout 20 "$DEVENV" exec one -- sh -c 'ulimit -n; ulimit -Hn; ulimit -c; head -c 3 /dev/nothing | wc -c
	test -c /dev/brim && cat /etc/resolv.conf /proc/sys/kernel/msgmax; id -G; grep far /etc/hosts; touch /x'
t_is "$(grep -v '^#' "$out" | tr '\n\t' '  ')" \
	"100 200 0 3 nameserver 192.0.2.7 options ndots:2 9001 0 50 4711 2001:db8::7 far " "properties are those options"
t_err 'touch: /x: Read-only' "and a root that is only read"

# --- a root that is only read ---
stop
conf '"runArgs": ["--read-only", "--tmpfs", "/scratch", "-w", "/etc"], "overrideCommand": false'
up "$TMP/p" -- sh -c 'touch /here; touch here /scratch/x /dev/shm/x && pwd'
t_status 0 "read-only"
t_is "$(cat "$out")" /workspaces/p "the workspace and tmpfs are written"
t_err "touch: /here: Read-only file system" "the rest is not"
rm "$TMP/p/here"

# --- devices ---
stop
conf '"runArgs": ["--device=/dev/fuse", "--device", "/dev/zero:/dev/nothing:rwm", "--device=/dev/loop0",
	"--device=/etc/passwd:/x", "--device=/dev/not-there", "--device=/dev/shm", "--device=/dev"]'
up "$TMP/p" -- sh -c 'ls -d /dev/loop0 /x /dev; stat -c %t:%T /dev/fuse; head -c 3 /dev/nothing | wc -c'
t_is "$(cat "$out")" "/dev
a:e5
3" "devices that give nothing of the host, or every user has"
t_err "warning: the device '/dev/loop0' is not granted, unless with --allow-privileged" "a disk is no such"
t_err "warning: '/etc/passwd' is left out: it is no device below /dev" "a file"
t_err "warning: the device '/dev/not-there' is left out: this host has none" "nothing"
t_err "warning: '/dev/shm' is left out" "a directory that is mounted there"
t_err "warning: '/dev' is left out" "all of them"
stop
up --allow-privileged "$TMP/p" -- sh -c 'stat -c %F /dev/loop0'
t_is "$(cat "$out")" "block special file" "--allow-privileged grants"
stop

# A host with and without GPUs, by a /dev of its own.
conf '"runArgs": ["--gpus", "all"], "hostRequirements": {"gpu": true}'
# shellcheck disable=SC2016 # the shell below expands
fake='mount -t tmpfs none "$0" && cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /dev/ptmx "$0" &&
	mkdir "$0/pts" "$0/shm" "$0/dri" "$0/mqueue" && "$1" && mount --move "$0" /dev && shift && exec "$@"'
cat >"$TMP/gpus" <<-EOF
	#!/bin/sh
	mknod -m 666 "$TMP/dev/nvidia0" c 1 5 && mknod -m 660 "$TMP/dev/dri/renderD128" c 1 3 &&
		mknod -m 660 "$TMP/dev/dri/card0" c 1 3
EOF
chmod +x "$TMP/gpus"
mkdir "$TMP/dev"
t_run timeout 20 unshare -m sh -c "$fake" "$TMP/dev" "$TMP/gpus" \
	"$DEVENV" up --name one "$TMP/p" -- sh -c 'ls /dev/dri; head -c 2 /dev/nvidia0 | wc -c'
t_is "$(cat "$out")" "renderD128
2" "GPUs, but no screen"
t_err 'the GPUs of this host are seen; the libraries of their driver' "which is told"
stop
t_run timeout 20 unshare -m sh -c "$fake" "$TMP/dev" true "$DEVENV" up --name one "$TMP/p" -- true
t_status 0 "none"
t_err 'warning: --gpus is not acted on: this host has no GPU' "asked for"
t_err 'warning: hostRequirements: a GPU is needed, this host has none' "and needed"
stop
conf '"hostRequirements": {"gpu": "optional"}'
t_run timeout 20 unshare -m sh -c "$fake" "$TMP/dev" "$TMP/gpus" \
	"$DEVENV" up --name one "$TMP/p" -- test -c /dev/nvidia0
t_status 0 "an optional one is taken"
stop
t_run timeout 20 unshare -m sh -c "$fake" "$TMP/dev" true "$DEVENV" up --name one "$TMP/p" -- true
t_is "$(grep -c GPU "$err")" 0 "and not missed"

# --- memory that is shared ---
stop
conf '"runArgs": ["--ipc=host"]'
up "$TMP/p" -- readlink /proc/self/ns/ipc
t_err 'warning: --ipc=host is not granted, unless with --allow-privileged' "the host's IPC needs a right"
t_is "$([ "$(cat "$out")" = "$(readlink /proc/self/ns/ipc)" ] && echo same)" "" "without it there is an own one"
stop
up --allow-privileged "$TMP/p" -- readlink /proc/self/ns/ipc
t_is "$(cat "$out")" "$(readlink /proc/self/ns/ipc)" "with it, the host's"

# --- control groups ---
stop
conf '"runArgs": ["--memory=64m", "--cpus", "0.5", "--pids-limit=50"]'
groups() { find /sys/fs/cgroup -type d -name 'devenv-*' 2>/dev/null; }
t_run timeout 20 "$DEVENV" up -d --name one "$TMP/p"
t_status 0 "limits for all processes together"
pid=$(jq .environment.pid "$out")
if grep -q 'warning: --.* is not acted on: no control group for' "$err"; then
	t_ok "what this host cannot limit is named" true
else
	t_is "$(grep -c /devenv- "/proc/$pid/cgroup")" \
		"$(t_run timeout 20 "$DEVENV" exec one -- grep -c /devenv- /proc/self/cgroup; cat "$out")" \
		"commands are in the same groups"
	memory=$(groups | grep /memory/)
	t_is "$(cat "$memory/memory.limit_in_bytes" "$memory/memory.max" 2>/dev/null)" $((64 << 20)) "memory"
	cpu=$(groups | grep /cpu/)
	t_is "$(cat "$cpu/cpu.cfs_quota_us" "$cpu/cpu.max" 2>/dev/null | cut -d ' ' -f 1)" 50000 "processors"
	t_run timeout 20 "$DEVENV" exec one -- sh -c \
		'for i in $(seq 60); do sleep 5 & done'
	t_err "can't fork" "processes"
fi
stop
t_is "$(groups)" "" "the groups go with it"
t_run timeout 20 "$DEVENV" up -d --name one "$TMP/p"
pid=$(jq .environment.pid "$out")
kill -9 "$pid"
t_ok "one that is killed" t_wait runtime_gone "$pid"
t_run timeout 20 "$DEVENV" up --name one "$TMP/p" -- true
stop
t_is "$(groups)" "" "leaves its groups to the next one"
env_idle "as root"

# --- as a user ---
for user in $RANGE $SINGLE; do
	DEVENV_STORE=$TMP/store-$user
	mkdir -m 700 "$DEVENV_STORE" "$TMP/$user"
	env_project "$TMP/$user/p" '{"image": "base", "runArgs": ["--ulimit=nofile=64:128", "--read-only",
		"--device=/dev/zero:/dev/nothing", "--device=/dev/fuse", "--dns=192.0.2.1", "--pids-limit=50",
		"--sysctl=kernel.msgmax=9000", "--sysctl=net.ipv4.ip_default_ttl=9", "--network=none",
		"--group-add=staff"]}'
	chown -R "$user:$user" "$DEVENV_STORE" "$TMP/$user"
	as "$user" "$DEVENV" build -q -t base "$TMP/base" >/dev/null 2>"$TMP/err"
	# shellcheck disable=SC2016 # the shell in there expands
	t_run as "$user" timeout 20 "$DEVENV" up --name one "$TMP/$user/p" -- sh -c \
		'ulimit -n; ulimit -Hn; head -c 1 /dev/nothing | wc -c; cat /etc/resolv.conf /proc/sys/kernel/msgmax
		cat /proc/sys/net/ipv4/ip_default_ttl; touch /x || echo no'
	t_is "$(tr '\n' ' ' <"$out")" "64 128 1 nameserver 192.0.2.1 9000 9 no " "a user's limits and devices ($user)"
	t_err 'warning: --pids-limit is not acted on: no control group for' "without a delegated group that is told"
	if [ "$(stat -c %a /dev/fuse)" != 666 ]; then
		t_err "warning: the device '/dev/fuse' is not for this user" "a device of others"
	fi
	env_idle "as $user"
done
t_done
