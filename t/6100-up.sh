#!/bin/sh
# 6100-up.sh - from a repository to its environment, and the second time
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"
. "$(dirname "$0")/helper/gitserver.sh"

t_need root userns busybox git nginx fcgiwrap jq useradd setpriv newuidmap
t_ok "a base image" env_base
up() { t_run timeout 60 "$DEVENV" up "$@"; }
name_of() { "$DEVENV" ps -a --format=json | jq -r '.[0].name'; }

# --- a repository ---
git_repo app.git
git clone -q "$GIT_ROOT/app.git" "$TMP/work" 2>/dev/null
commit() { # MESSAGE
	git -C "$TMP/work" add -A && git -C "$TMP/work" commit -qm "$1" &&
		git -C "$TMP/work" push -q origin HEAD 2>/dev/null
}
mkdir "$TMP/work/src"
echo one >"$TMP/work/src/file"
cat >"$TMP/work/Dockerfile" <<'END'
FROM base
RUN echo first >/first
COPY src /src
RUN cat /src/file >/second
END
env_project "$TMP/work" '{
	"build": { "dockerfile": "../Dockerfile", "context": ".." },
	"onCreateCommand": "echo create; echo c >>/hooks",
	"updateContentCommand": ["sh", "-c", "echo u >>/hooks"],
	"postCreateCommand": { "a": "echo p >>/hooks", "b": ["sh", "-c", "echo p >>/hooks"] },
	"postStartCommand": "echo s >>/hooks",
	"postAttachCommand": "echo a >>/hooks"
}'
commit one
git_http_start
mkdir "$TMP/here"
cd "$TMP/here" || exit 1

up "$GIT_HTTP/app.git" -- sh -c 'cat /hooks | tr -d "\n"; pwd; cat /second'
t_status 0 "up of a URL"
t_is "$(cat "$out")" "cuppsa/workspaces/app
one" "hooks in their order, once each; the command in the workspace"
t_err 'built: 3 of 3 steps run' "it says what was built"
t_err '^\[onCreateCommand\] create$' "and what hooks say"
up "$GIT_HTTP/app.git" -- sh -c 'cat /hooks | tr -d "\n"; touch /mine'
t_err 'nothing to build' "the second time builds nothing and says so"
t_is "$(cat "$out")" "cuppsasa" "create hooks run once, start and attach again"
echo two >"$TMP/work/src/file"
commit two
up "$GIT_HTTP/app.git" -- sh -c 'cat /second; ls /mine; cat /hooks | tr -d "\n"'
t_err 'built: 2 of 3 steps run' "a changed file builds what it changes"
t_err 'the image changed, starting anew' "a new image is a new environment"
t_is "$(cat "$out")" "two
cuppsa" "with all hooks"
t_err "ls: /mine: No such file" "and nothing of the old one"
echo three >"$TMP/work/README"
commit three
up "$GIT_HTTP/app.git" -- cat README
t_err 'nothing to build' "a file outside of COPY builds nothing"
t_is "$(cat "$out")" three "but it is seen in the workspace"
up "$GIT_HTTP/app.git" -- sh -c 'exit 33'
t_status 33 "the command's status is passed on"
up "$GIT_HTTP/app.git" -- nope
t_status 127 "a missing command is 127"
up "$GIT_HTTP/gone.git" -- true
t_status 6 "a repository that is not there"
t_err 'gone.git' "is named"
up nodir -- true
t_status 3 "a word that is no directory and no URL"
t_err "'nodir' is neither a directory nor the URL" "is told"
t_err '^hint: URLs look like' "with an example"
up . -- true
t_status 3 "a directory without anything"
t_err 'no devcontainer.json or Dockerfile' "is told"
t_err '^hint: .*--fallback-image' "with what to do"
up --fallback-image base . -- pwd
t_is "$(cat "$out")" "/workspaces/here" "a fallback image helps"
env_idle "after these"

# --- hooks that fail ---
env_project "$TMP/bad" '{"image": "base",
	"onCreateCommand": "echo once >>/count",
	"postCreateCommand": {"good": "true", "bad": "cat /flag"},
	"postStartCommand": "echo later >/later"}'
up "$TMP/bad" -- true
t_status 7 "a failing hook is status 7"
t_err '^devenv: \[postCreateCommand bad\] ended with status 1$' "and named"
t_err '^hint: the environment is kept' "with what follows"
sed -i 's,cat /flag,true,' "$TMP/bad/.devcontainer/devcontainer.json"
up "$TMP/bad" -- cat /count /later
t_is "$(cat "$out")" "once
later" "the next up goes on where it failed"
up --skip-hooks --replace "$TMP/bad" -- ls /count
t_status 1 "--skip-hooks runs none"

# --- what a configuration says ---
env_project "$TMP/conf" '{"image": "base",
	"containerUser": "root", "remoteUser": "bob",
	"workspaceFolder": "/code/sub",
	"workspaceMount": "source=${localWorkspaceFolder},target=/code,type=bind",
	"containerEnv": {"A": "${containerEnv:GREETING}-a", "D": "${containerEnv:NONE:else}"},
	"remoteEnv": {"GREETING": null, "R": "${containerEnv:A}-r",
		"H": "${containerEnv:HOME}", "O": "conf"},
	"postStartCommand": "echo hook $A $R ${GREETING:-unset} $(id -un) $(pwd)"}'
mkdir "$TMP/conf/sub"
up -e O=line "$TMP/conf" -- sh -c 'echo "$A $D $R ${GREETING:-unset} $H $O $DEVCONTAINER"; id -un; pwd'
t_is "$(cat "$out")" "hello-a else hello-a-r unset /home/bob line true
bob
/code/sub" "variables, user, workspace"
t_err '^\[postStartCommand\] hook hello-a hello-a-r unset bob /code/sub$' \
	"hooks see the same"
t_is "$(grep -c 'not acted on' "$err")" 0 "no warning for what is acted on"
up -u root "$TMP/conf" -- id -un
t_is "$(cat "$out")" root "--user wins"
env_project "$TMP/conf" '{"image": "base", "workspaceFolder": "/w"}'
up "$TMP/conf" -- sh -c 'pwd; ls'
t_is "$(cat "$out")" "/w
sub" "a workspaceFolder alone is where the workspace is"
env_project "$TMP/conf" '{"image": "base", "workspaceFolder": "/w",
	"workspaceMount": "source=/etc,target=/w,type=bind"}'
up "$TMP/conf" -- ls
t_status 3 "a repository cannot mount what is not its own"
t_err "workspaceMount: '/etc' is outside of '$TMP/conf'" "and is told"
ln -s /etc "$TMP/conf/link"
sed -i 's,source=/etc,source=${localWorkspaceFolder}/link,' \
	"$TMP/conf/.devcontainer/devcontainer.json"
up "$TMP/conf" -- ls
t_err 'is outside of' "not by a link either"
env_project "$TMP/conf" '{"image": "base", "workspaceFolder": "/w",
	"workspaceMount": "target=/w,type=tmpfs"}'
up "$TMP/conf" -- ls
t_err "workspaceMount: 'type=tmpfs' is not supported" \
	"another kind of mount is named"
env_project "$TMP/conf" '{"image": "base",}
}'
up "$TMP/conf" -- ls
t_status 3 "broken JSON"
t_err '.devcontainer/devcontainer.json:2:1: ' "has its place"
env_project "$TMP/conf" '{"image": "base", "mounts": ["type=bind,source=/,target=/h"],
	"privileged": true}'
up "$TMP/conf" -- true
t_status 0 "what is not granted"
t_err "the mount at '/h' is left out: '/' is outside of '$TMP/conf'" \
	"what a repository may not see is named"
t_err "'privileged' is left out: as root it needs --allow-privileged" \
	"so is what it may not do"

# --- at the same time ---
env_project "$TMP/race" '{"image": "base",
	"onCreateCommand": "echo x >>/n; sleep 0.3"}'
for i in 1 2 3 4; do
	"$DEVENV" up "$TMP/race" -- sh -c 'sleep 0.2; cat /n' \
		>"$TMP/race.$i" 2>"$TMP/race.err.$i" &
	eval "job$i=\$!"
done
for i in 1 2 3 4; do
	eval "wait \$job$i"
	t_is "$?-$(cat "$TMP/race.$i")" "0-x" "up $i of 4 at once"
done
t_ok "who waits says so" grep -q 'waiting for another devenv' "$TMP"/race.err.*
env_idle "after a race"

# A running environment is joined and lives as long as anybody is in it.
mkfifo "$TMP/fifo"
"$DEVENV" up "$TMP/race" -- sh -c 'echo $$ >/pid; cat' <"$TMP/fifo" \
	>"$TMP/first" 2>&1 &
first=$!
exec 3>"$TMP/fifo"
joined() { "$DEVENV" ps --format=json | jq -e '.[] | select(.running)'; }
t_ok "a first one runs" t_wait joined
up "$TMP/race" -- sh -c 'tr "\0" " " </proc/$(cat /pid)/cmdline'
t_out '^cat ' "a second up joins it"
exec 3>&-
wait $first
env_idle "after both"

# --- ends ---
for sig in INT TERM; do
	case $sig in INT) n=130 ;; *) n=143 ;; esac
	# a background job of a script ignores SIGINT
	python3 - "$DEVENV" up "$TMP/race" -- sleep 100 3<&- 2>"$err" <<END &
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
END
	job=$!
	t_ok "SIG$sig: it runs" t_wait joined
	kill -$sig $job
	wait $job
	t_is $? $n "SIG$sig ends it with $n"
	env_idle "SIG$sig"
done
for delay in 0 0.005 0.01 0.015 0.02 0.03 0.05 0.1 0.4; do
	"$DEVENV" up --replace "$TMP/race" -- sleep 100 >"$out" 2>&1 &
	job=$!
	sleep $delay
	kill -9 $job
	wait $job 2>/dev/null
done
env_idle "kill -9"
up --replace "$TMP/race" -- cat /n
t_is "$(cat "$out")" x "and the next up works"

# --- users ---
env_accounts
for kind in range single; do
	[ $kind = range ] && who=$RANGE || who=$SINGLE
	mkdir "$TMP/$kind"
	cp -r "$TMP/base" "$TMP/work" "$TMP/$kind/"
	chown -R "$who" "$TMP/$kind"
	DEVENV_STORE=$TMP/$kind/store
	as() { (HOME=$TMP/$kind; export HOME; env_as "$who" timeout 60 "$@"); }
	t_run as "$DEVENV" build -t base "$TMP/$kind/base"
	t_status 0 "$kind: a base image"
	t_run as "$DEVENV" up "$TMP/$kind/work" -- \
		sh -c 'id -u; cat /second; tr -d "\n" </hooks; echo x >made'
	t_is "$(cat "$out")" "0
two
cuppsa" "$kind: up"
	t_is "$(grep -c 'warning: no id ranges for this user' "$err")" \
		"$([ $kind = range ]; echo $?)" "$kind: a single id is told"
	t_is "$(stat -c %U "$TMP/$kind/work/made")" "$who" \
		"$kind: the workspace is the user's"
	t_run as "$DEVENV" up -d "$TMP/$kind/work" -- sleep 300
	name=$(jq -r .environment.name "$out")
	t_run as "$DEVENV" exec "$name" -- sh -c 'cat /second; exit 5'
	t_is "$status-$(cat "$out")" "5-two" "$kind: exec in what runs"
	t_run as "$DEVENV" up "$TMP/$kind/work" -- ps
	t_status 0 "$kind: up joins what runs"
	t_out 'sleep 300' "$kind: the same sandbox"
	t_run as "$DEVENV" stop "$name"
	t_status 0 "$kind: stop"
	t_run as "$DEVENV" rm "$name"
	t_status 0 "$kind: rm"
	t_is "$(wc -c <"$err")" 0 "$kind: rm has nothing to tell"
	for delay in 0.01 0.03 0.06 0.1; do
		(HOME=$TMP/$kind; export HOME; env_as "$who" "$DEVENV" up \
			"$TMP/$kind/work" -- sleep 100) >"$out" 2>&1 &
		job=$!
		sleep $delay
		kill -9 $job
		wait $job 2>/dev/null
	done
	env_idle "$kind: kill -9"
done

t_done
