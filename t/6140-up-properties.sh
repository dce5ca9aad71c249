#!/bin/sh
# 6140-up-properties.sh - what a configuration asks of the runner
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"

t_need root userns busybox jq
t_ok "a base image" env_base
up() { t_run timeout -k 2 20 "$DEVENV" up --name one "$@"; }
conf() { env_project "$TMP/p" "$1"; }
line() { # REGEX SENTENCE: a warning with a place in the file
	t_err "warning: .*p/.devcontainer/devcontainer.json:$1" "$2"
}

# --- mounts and volumes ---
mkdir -p "$TMP/p/data" "$TMP/seed/root/stuff"
git init -q "$TMP/p"
echo here >"$TMP/p/data/file"
echo seed >"$TMP/seed/root/stuff/file"
printf 'FROM base\nCOPY root /\nRUN chown -R bob /stuff; chmod 750 /stuff\n' \
	>"$TMP/seed/Dockerfile"
t_ok "an image with files" "$DEVENV" build -q -t seed "$TMP/seed"
conf '{"image": "seed", "mounts": [
	"type=bind,source=${localWorkspaceFolder}/data,target=/data,readonly",
	{"type": "volume", "source": "vol-${devcontainerId}", "target": "/stuff"},
	{"type": "tmpfs", "target": "/scratch"},
	"type=bind,source=/etc,target=/host-etc",
	"type=npipe,source=a,target=/b", "target=relative"],
	"runArgs": ["-v", "named:/named", "--mount=type=tmpfs,dst=/tiny,tmpfs-size=1m,tmpfs-mode=700"]}'
up "$TMP/p" -- sh -c 'cat /data/file; touch /data/x; cat /stuff/file; stat -c %U:%a /stuff
	grep -c " /scratch \| /tiny \| /named " /proc/mounts; echo more >/stuff/new; echo n >/named/n
	ls /host-etc 2>&1'
t_is "$(grep -v '^ls' "$out")" "here
seed
bob:750
3" "bind, volume with the image's files, tmpfs"
t_err 'touch: /data/x: Read-only' "readonly"
t_err "warning: the mount at '/host-etc' is left out: '/etc' is outside of" \
	"nothing outside of the repository is bound"
line "6:2: the mount type 'npipe' is not supported" "an odd mount is named"
line "6:35: the target of a mount is not an absolute path" "so is a wrong one"
t_is "$(grep -c "mount type 'npipe'" "$err")" 1 "once"
t_ok "the environment goes" "$DEVENV" rm one
up "$TMP/p" -- cat /stuff/new /named/n
t_is "$(cat "$out")" "more
n" "volumes stay"
t_run timeout 60 "$DEVENV" run -v named:/v base cat /v/n
t_is "$(cat "$out")" n "run -v takes a volume by name"
t_ok "the store is sound with volumes" "$DEVENV" store verify
t_ok "collecting garbage" "$DEVENV" store gc
t_ok "leaves volumes alone" test -s "$DEVENV_STORE/volumes/named/n"
t_ok "rm --volumes removes one" "$DEVENV" rm --volumes named
t_run "$DEVENV" rm --volumes named
t_status 3 "once"
t_err "there is no volume 'named'" "and says so"
t_run "$DEVENV" rm --volumes ../one
t_status 2 "a path is no name of a volume"
t_err "'../one' is not a name for a volume" "and is refused"
t_run "$DEVENV" run -v ../x:/v base true
t_status 2 "a path is no volume"
t_err "there is no '../x'" "and that is said"

# --- linked work trees ---
"$DEVENV" stop one 2>/dev/null
git init -q "$TMP/main"
git -C "$TMP/main" -c user.name=t -c user.email=t@t commit -q --allow-empty -m one
git -C "$TMP/main" worktree add -q "$TMP/linked" 2>/dev/null
env_project "$TMP/linked" '{"image": "base"}'
up "$TMP/linked" -- cat .git
t_err "linked' is a linked work tree: git works in there with --mount" "a linked work tree"
up --mount-git-worktree-common-dir "$TMP/linked" -- sh -c \
	'cat "$(sed "s/gitdir: //" .git)/HEAD" "$(sed "s/gitdir: //" .git)/../../HEAD"'
t_status 0 "its repository can be seen, too"
t_is "$(sort -u "$out" | grep -c '^ref: refs/heads/')" 2 "where it looks for it"
mkdir -p "$TMP/evil" "$TMP/other/worktrees/x"
echo "gitdir: $TMP/other/worktrees/x" >"$TMP/evil/.git"
env_project "$TMP/evil" '{"image": "base"}'
up --mount-git-worktree-common-dir "$TMP/evil" -- true
t_status 3 "a directory that knows nothing of the tree"
t_err "evil/.git' names '.*', which is not that of this work tree" "is not mounted"

# --- rights ---
conf '{"image": "base", "capAdd": ["SYS_PTRACE", "CAP_CHOWN", "NET_ADMIN"],
	"securityOpt": ["seccomp=unconfined", "no-new-privileges", "label=disable", "apparmor=x"]}'
up "$TMP/p" -- cat /proc/self/status
t_err 'warning: the capability NET_ADMIN is left out: as root it needs --allow-privileged' \
	"root asks before it gives rights away"
t_err "warning: 'seccomp=unconfined' is left out" "each of them"
t_is "$(grep -c CAP_CHOWN "$err")" 0 "but for those it has anyway"
line "2:78: the security option 'apparmor=x' is not acted on" "what is unknown is named"
status_of() { sed -n "s/^$1:[[:space:]]*//p" "$out"; }
cap() { echo $((0x$(status_of CapEff) >> $1 & 1)); }
t_is "$(status_of NoNewPrivs)" 1 "no-new-privileges"
t_is "$(status_of Seccomp)" 2 "the filter stays"
t_is "$(cap 12)$(cap 19)" 01 "tracing is granted, the network is not"
"$DEVENV" stop one
up --allow-privileged "$TMP/p" -- cat /proc/self/status
t_is "$(status_of Seccomp)" 0 "--allow-privileged grants"
t_is "$(cap 12)" 1 "all of it"

# --- runArgs ---
"$DEVENV" stop one
echo 'FROM_FILE=yes
# no
GIVEN' >"$TMP/p/vars"
conf '{"image": "base", "containerEnv": {"A": "conf"}, "runArgs": [
	"--env", "A=arg", "-eB=b", "--env-file=vars", "-h", "box", "-u", "bob",
	"--init", "--network=none",
	"--cpu-shares=9",
	"--blkio-weight", "10", "-p", "8080:80", "-p=90:90", "stray", "--user"],
	"appPort": [3000, "4000:4000", "5000:50"]}'
t_run env GIVEN=here timeout 60 "$DEVENV" up --name one "$TMP/p" -- sh -c \
	'echo $A $B $FROM_FILE $GIVEN $(hostname) $(id -un); ls /sys/class/net'
t_is "$(cat "$out")" "arg b yes here box bob
lo" "environment, files, names, user, network"
line "4:2: the option '--cpu-shares' is not acted on" "what is not supported is named with its line"
line "5:2: the option '--blkio-weight' is not acted on" "and its value is no option"
line '5:26: port 80 is not published as 8080' "a port that would be another"
line "5:55: 'stray' is no option" "a stray word"
line "5:64: the option '--user' has no value" "a missing value"
line '6:33: port 50 is not published as 5000' "ports of appPort"
t_is "$(grep -c 'not acted on\|published\|no option\|no value' "$err")" 6 \
	"and no more"

# --- requirements, secrets, ports ---
"$DEVENV" stop one
conf '{"image": "base", "hostRequirements": {"cpus": 9999, "memory": "900tb", "storage": "8kb"},
	"secrets": {"TOKEN": {"description": "for the tests"}, "KEY": {}},
	"forwardPorts": [3000, "db:5432"],
	"portsAttributes": {"3000-3010": {"label": "web", "onAutoForward": "notify"}},
	"otherPortsAttributes": {"onAutoForward": "silent"}, "shutdownAction": "none"}'
echo '{"KEY": "k"}' >"$TMP/secrets"
up --secrets-file "$TMP/secrets" -d "$TMP/p"
t_err 'warning: hostRequirements: 9999 processors are needed, this host has [0-9]' "processors"
t_err 'warning: hostRequirements: memory: 921600.0 GiB are needed, this host has [0-9]' "memory"
t_is "$(grep -c 'hostRequirements: storage' "$err")" 0 "what is there is no word worth"
t_err 'the secret TOKEN is recommended, --secrets-file gives it: for the tests' "secrets"
t_is "$(grep -c 'secret KEY' "$err")" 0 "those given are not asked for"
t_is "$(jq -c .environment.ports "$out")" \
	'[{"address":"127.0.0.1:3000","label":"web","onAutoForward":"notify","port":3000},{"onAutoForward":"silent","port":"db:5432"}]' \
	"the record has the ports"
"$DEVENV" stop one
up "$TMP/p" -- true
t_is "$("$DEVENV" ps --format=json | jq -r '.[].name')" one \
	"shutdownAction none leaves it running"
"$DEVENV" stop one

# --- the image's own command, and entry points ---
printf '%s\n' 'FROM base' 'ENTRYPOINT ["sh", "-c", "echo $1 >/started; sleep 1000", "-"]' \
	'CMD ["me"]' "LABEL devcontainer.metadata='[{\"id\":\"f\",\"entrypoint\":\"echo \$(id -un) >/tmp/entry\"}]'" \
	>"$TMP/seed/Dockerfile"
t_ok "an image with a command" "$DEVENV" build -q -t server "$TMP/seed"
conf '{"image": "server", "overrideCommand": false, "containerUser": "root", "remoteUser": "bob"}'
up "$TMP/p" -- sh -c 'while [ ! -s /started ]; do sleep 0.1; done; cat /tmp/entry /started'
t_is "$(cat "$out")" "root
me" "entry points run as the container's user, then the image's command"
conf '{"image": "server"}'
up "$TMP/p" -- sh -c 'while [ ! -s /tmp/entry ]; do sleep 0.1; done; ls /started'
t_status 0 "kept from before"
up --replace "$TMP/p" -- sh -c 'while [ ! -s /tmp/entry ]; do sleep 0.1; done; ls /started'
t_status 1 "by default the command is not run"
env_idle "after all this"
t_done
