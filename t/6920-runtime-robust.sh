#!/bin/sh
# 6920-runtime-robust.sh - nothing is left when devenv is killed; terminals
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"

t_need root busybox script
S=$HELPER/sandbox
runtime_image "$TMP/bb"

# Kill at random points: before, in and after the set-up.
for delay in 0 0.001 0.002 0.003 0.004 0.006 0.01 0.03; do
	for again in 1 2 3; do
		"$S" run --lower "$TMP/bb" \
			-- sleep "77$again.$$" &
		pid=$!
		sleep $delay
		kill -9 $pid
		wait $pid 2>/dev/null
	done
done
none() { [ "$(runtime_count "^sleep 77[123].$$")" -eq 0 ]; }
t_ok "no process is left after kill -9" t_wait none
t_is "$(grep -c "$TMP" /proc/self/mounts)" 0 "and no mount"

# What the command started goes too.
"$S" run --lower "$TMP/bb" -- sh -c "sleep 771.$$ & exec sleep 772.$$" &
pid=$!
two() { [ "$(runtime_count "^sleep 77[12].$$")" -eq 2 ]; }
t_ok "children of the command run" t_wait two
kill -9 $pid
wait $pid 2>/dev/null
t_ok "they end with devenv as well" t_wait none

# A signal that the caller catches
"$S" run --catch --lower "$TMP/bb" -- sleep "773.$$" 2>"$err" &
pid=$!
one() { [ "$(runtime_count "^sleep 77[3].$$")" -eq 1 ]; }
t_ok "a command runs" t_wait one
kill -TERM $pid
wait $pid
t_is $? 143 "a caught signal ends the run with its status"
t_ok "and the command" t_wait none

# Commands beside us
t_run "$S" spawn --lower "$TMP/bb" -- sh -c 'seq 1 60000; exit 4'
t_status 4 "the status of a command beside us"
t_is "$(grep -c '^cmd:  [0-9]*$' "$err")" 60000 \
	"more output than a pipe holds is logged"
t_is "$(tail -n 1 "$err")" "cmd:  60000" "to its end"
t_run timeout 20 "$S" spawn --lower "$TMP/bb" -- \
	sh -c 'sleep 773.'$$' & echo begun'
t_status 0 "a process it leaves behind does not hold us up"
t_err 'begun' "what was written is there"
t_ok "and ends with the sandbox" t_wait none
t_run timeout --preserve-status -k 5 -s INT 1 \
	"$S" spawn --catch --lower "$TMP/bb" -- sleep "773.$$"
t_status 130 "an interruption ends the wait with its status"
t_ok "and the command" t_wait none

# Environments
t_run "$S" start --lower "$TMP/bb"
pid=$(cat "$out")
t_ok "an environment outlives its maker" runtime_alive "$pid"
t_run "$S" exec "$pid" -- sh -c "(sleep 774.$$ &); ls -l /proc/1/exe"
t_out 'memfd:devenv-init' "its init is not the devenv program"
t_run "$S" exec "$pid" -- sh -c 'echo x >/proc/1/exe'
t_err "can't create|cannot create" "and cannot be written"
t_run "$S" exec "$pid" -- sh -c 'for i in 1 2 3; do (true &); done; sleep 0.1
	ps | grep -c "\[true\]"'
t_out '^0$' "orphans are reaped"
t_run "$S" exec "$pid" -- sh -c 'ls /proc/self/fd | sort | tr "\n" " "'
t_out '^0 1 2 3 $' "no descriptor of ours is inherited"
t_run timeout 20 "$S" spawn-in "$pid" -- \
	sh -c "(while :; do echo spam; done &); echo begun"
t_status 0 "a daemon that writes on does not hold us up"
t_ok "nor is its environment stopped by it" runtime_alive "$pid"
"$S" stop "$pid"
t_ok "stopped, all of it is gone" t_wait none
t_ok "the init too" t_wait runtime_gone "$pid"

# Terminals
cat >"$TMP/tty.sh" <<END
stty rows 33 cols 99
"$S" run --tty --lower "$TMP/bb" -- sh -c 'tty; stty size; exit 5'
echo "status \$?"
stty -a | grep -o ' echo ' | tr -d ' '
END
t_run script -qec "sh '$TMP/tty.sh'" /dev/null
t_out '/dev/pts/0' "the command has a terminal of its own"
t_out '33 99' "with the size of ours"
t_out 'status 5' "the status is passed on"
t_out '^echo' "our terminal is as it was"

t_done
