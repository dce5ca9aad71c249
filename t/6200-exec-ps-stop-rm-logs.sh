#!/bin/sh
# 6200-exec-ps-stop-rm-logs.sh - environments by name: exec, ps, logs, stop, rm, their state
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"

t_need root busybox jq
t_ok "a base image" env_base
D=$DEVENV
t_run "$D" run -d --name one base -- sh -c 'echo said; echo err >&2; sleep 300'
t_status 0 "run -d"
t_is "$(jq -r '.environment | [.name, .provider, .user] | join(" ")' "$out")" \
	"one local root" "prints a record with the environment"
t_is "$(jq -r .schema "$out")" devenv/1 "of the schema"
t_run "$D" exec -u bob -w /tmp -e A=b one -- sh -c 'id -un; pwd; echo $A; exit 9'
t_status 9 "exec passes the status on"
t_is "$(cat "$out")" "bob
/tmp
b" "with user, directory and variables"
t_run "$D" exec one nope
t_status 127 "exec: a missing command is 127"
t_run "$D" exec none true
t_status 125 "exec: an environment that is not there is 125"
t_err "there is no environment 'none'" "and named"
for verb in stop logs rm; do
	t_run "$D" $verb none
	t_status 2 "$verb: one that is not there"
	t_err "there is no environment 'none'" "$verb: it is named"
done
t_ok "nothing is left in the store" [ ! -e "$DEVENV_STORE/run/none" ]
t_run "$D" exec ../one true
t_err "'../one' is not a name of an environment" "exec: names are checked"
t_run "$D" exec
t_status 2 "exec: a name is needed"
t_run "$D" ps
t_out '^one +running ' "ps lists it"
t_run "$D" ps --format=json
t_is "$(jq -r '.[0] | [.name, .running, .damaged] | join(" ")' "$out")" \
	"one true false" "as JSON, too"
said() { [ "$("$D" logs one | sort | tr '\n' ' ')" = "err said " ]; }
t_ok "logs has what it said" t_wait said
t_run "$D" rm one
t_status 6 "rm refuses what runs"
t_err "'one' is running" "and says so"
t_run "$D" stop one
t_status 0 "stop"
t_run "$D" stop one
t_status 0 "twice is fine"
t_run "$D" exec one true
t_status 125 "exec in what was stopped is 125"
t_err "'one' is not running" "and said"
t_run "$D" ps
t_is "$(wc -c <"$out")" 0 "ps shows what runs"
t_run "$D" ps -a
t_out '^one +stopped ' "ps -a all"
env_idle "stopped"

# --- state in other hands ---
state=$DEVENV_STORE/run/one/state.json
cp "$state" "$TMP/state"
for text in '' '{' '[]' 'null'; do
	echo "$text" >"$state"
	t_run "$D" run --name one base true
	t_status 125 "a damaged state ('$text')"
	t_err 'state.json. is damaged' "is named"
	t_err "^hint: 'devenv rm -f one' removes" "with what to do"
	t_run "$D" ps -a
	t_out '^one +damaged ' "ps shows it"
done
t_run "$D" rm one
t_status 4 "rm of a damaged one asks for --force"
t_run "$D" rm -f one
t_status 0 "rm -f removes it"
t_is "$(ls "$DEVENV_STORE/run")" "" "and nothing of it stays"
"$D" run --name one base touch /kept
jq '.pid = 1 | .start_time = 1' "$state" >"$TMP/s" && cp "$TMP/s" "$state"
t_run "$D" ps
t_is "$(wc -c <"$out")" 0 "a number that is another process now"
sleep 300 &
other=$!
start=$(cut -d' ' -f22 "/proc/$other/stat")
jq ".pid = $other | .start_time = $start | .boot = \"another\"" "$state" \
	>"$TMP/s" && cp "$TMP/s" "$state"
t_run "$D" stop one
t_ok "a process of another boot is not touched" kill -0 $other
kill $other
t_run "$D" run --name one base ls /kept
t_status 0 "what was written is still there"
t_run "$D" run --name one --replace base ls /kept
t_status 1 "--replace starts anew"

# --- who uses it keeps it ---
"$D" run --name one base -- sleep 2 &
job=$!
running() { "$D" ps | grep -q '^one'; }
t_ok "one runs" t_wait running
t_run "$D" rm one
t_status 6 "rm refuses it"
t_run "$D" rm -f one
t_status 0 "rm -f ends and removes it"
wait $job
t_run "$D" ps -a
t_is "$(wc -c <"$out")" 0 "nothing is left of it"
t_run "$D" logs one
t_err "there is no environment 'one'" "logs of it neither"
t_run "$D" run -d --name slow base -- sh -c 'trap "" TERM; sleep 300'
t_run timeout 20 "$D" stop --stop-timeout=1 slow
t_status 0 "stop ends what ignores SIGTERM"
env_idle "the end"

t_done
