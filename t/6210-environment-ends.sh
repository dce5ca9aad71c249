#!/bin/sh
# 6210-environment-ends.sh - only an environment that came to be goes on
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"

t_need root busybox
t_ok "a base image" env_base
flag=$TMP/app/flag
go=$TMP/app/go
env_project "$TMP/app" '{"image": "base", "postStartCommand":
	"touch flag; until [ -s go ]; do sleep 0.05; done; exit $(cat go)"}'

running() { [ -n "$("$DEVENV" ps -q)" ]; }
# up -d until its last lifecycle command waits for $go; devenv is $job.
begin() {
	rm -f "$flag" "$go"
	"$DEVENV" up -q -d --name one "$TMP/app" >/dev/null 2>"$err" &
	job=$!
	t_ok "up -d: $1" t_wait test -e "$flag"
}
# A command in there until $TMP/leave; devenv is $user.
use() {
	rm -f "$TMP/app/in" "$TMP/app/leave"
	"$DEVENV" exec one sh -c 'touch in; until [ -e leave ]; do sleep 0.05; done' &
	user=$!
	t_ok "another uses it" t_wait test -e "$TMP/app/in"
}

begin "a command waits"
kill -9 $job
wait $job 2>/dev/null
t_ok "killed in its last command it leaves nothing" t_wait env_none

begin "a command is to fail"
echo 5 >"$go"
wait $job
status=$?
t_status 7 "it fails"
t_err '\[postStartCommand\] ended with status 5' "and says which"
t_ok "it leaves nothing" t_wait env_none

begin "a command is to fail while another uses it"
use
echo 5 >"$go"
wait $job
status=$?
t_status 7 "it fails"
sleep 1.2
t_ok "the other goes on" running
touch "$TMP/app/leave"
wait $user
t_ok "with its end the environment ends" t_wait env_none

begin "all is to be well while another uses it"
use
echo 0 >"$go"
wait $job
status=$?
t_status 0 "it is well"
touch "$TMP/app/leave"
wait $user
sleep 0.3
t_ok "the other's end does not end what is to go on" running
"$DEVENV" stop one

t_run "$DEVENV" run -d --name two base nope
t_status 127 "run -d of a command that is not there"
t_ok "leaves nothing" t_wait env_none
t_is "$("$DEVENV" ps)" "" "ps shows none"
env_idle "the end"

t_done
