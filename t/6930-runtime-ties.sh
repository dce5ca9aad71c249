#!/bin/sh
# 6930-runtime-ties.sh - no command outlives a devenv that was killed
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"

t_need root userns busybox useradd setpriv newuidmap
env_accounts

# Processes in sleep that bear our mark, and what watches over them.
left() { runtime_count " $1[.]$$ "; }
none() { [ "$(left 77.)" -eq 0 ]; }
some() { [ "$(left "$1")" -gt 0 ]; }
watchers() {
	for p in /proc/[0-9]*; do
		[ "$(readlink "$p/exe")" != "$S" ] ||
			[ "$(cat "$p/comm" 2>/dev/null)" != devenv-watch ] ||
			echo "${p#/proc/}"
	done
}
no_watcher() { [ -z "$(watchers)" ]; }
one_watcher() { [ "$(watchers | wc -l)" = 1 ]; }
soon() { # within a second
	for i in 1 2 3 4 5 6 7 8 9 10; do
		! "$@" || return 0
		sleep 0.1
	done
	return 1
}

# Start in the background, wait for its mark, kill -9, look.
killed() { # MARK SENTENCE COMMAND...
	mark=$1
	sentence=$2
	shift 2
	(env_as "$who" "$@" >/dev/null 2>&1) &
	job=$!
	t_ok "$kind: $sentence runs" t_wait some "$mark"
	kill -9 $job
	wait $job 2>/dev/null
	t_ok "$kind: it ends with devenv" soon none
}

for kind in root range single; do
	case $kind in
	root) who=root ;;
	range) who=$RANGE ;;
	single) who=$SINGLE ;;
	esac
	img=$TMP/$kind
	runtime_image "$img"
	cp "$(command -v busybox)" "$img/bin/sleep-suid"
	ln -s sleep-suid "$img/bin/suid"
	chown -Rh "$who:" "$img"
	chmod 4755 "$img/bin/sleep-suid"
	rm "$img/bin/sleep"
	ln -s sleep-suid "$img/bin/sleep"
	# A command that takes back what it was asked to die by.
	set -- --bind-ro "$(command -v setpriv):/untie" \
		--bind-ro /usr/lib:/usr/lib --bind-ro /lib:/lib
	[ ! -d /lib64 ] || set -- "$@" --bind-ro /lib64:/lib64

	for verb in run spawn; do
		killed 771 "$verb: a set-user-id program as PID 1" \
			"$S" "$verb" --lower "$img" --user bob -- sleep 771.$$
		killed 772 "$verb: one that a shell executes" \
			"$S" "$verb" --lower "$img" --user bob -- \
			sh -c "sleep 773.$$ & exec sleep 772.$$"
		killed 774 "$verb: a command without a parent-death signal" \
			"$S" "$verb" --lower "$img" "$@" -- \
			/untie --pdeathsig clear /bin/sleep 774.$$
	done
	(env_as "$who" "$S" start --lower "$img" "$@") >"$out"
	pid=$(cat "$out")
	for verb in exec spawn-in; do
		killed 771 "$verb: a set-user-id program" \
			"$S" "$verb" "$pid" --lower "$img" --user bob -- \
			sleep 771.$$
		killed 774 "$verb: a command without a parent-death signal" \
			"$S" "$verb" "$pid" -- \
			/untie --pdeathsig clear /bin/sleep 774.$$
	done
	t_ok "$kind: the environment itself goes on" runtime_alive "$pid"
	t_ok "$kind: no watcher waits for it" soon no_watcher
	(env_as "$who" "$S" stop "$pid")

	# Random points of the start, then of the command.
	for delay in 0 0.002 0.004 0.006 0.008 0.01 0.013 0.016 0.02 0.03; do
		for verb in run spawn; do
			(env_as "$who" "$S" "$verb" --lower "$img" \
				--user bob -- sleep 775.$$ >/dev/null 2>&1) &
			job=$!
			sleep $delay
			kill -9 $job
			wait $job 2>/dev/null
		done
	done
	t_ok "$kind: killed at any point, no process is left" soon none
	t_ok "$kind: no watcher either" soon no_watcher
	t_is "$(grep -c "$TMP" /proc/self/mounts)" 0 "$kind: and no mount"
done

# The watcher as such
"$S" run --lower "$TMP/root" -- sleep 776.$$ >"$TMP/o" 2>&1 &
job=$!
t_ok "a command runs" t_wait some 776
t_ok "beside a watcher" t_wait one_watcher
w=$(watchers)
t_is "$(ls -l "/proc/$w/fd" | grep -c -e "$TMP" -e pipe:)" 0 \
	"the watcher holds no file or output of ours"
t_is "$(awk '{print $6}' "/proc/$w/stat")" "$w" "it has its own session"
kill -INT "$w"
kill -TERM "$w"
t_ok "signals do not end it" runtime_alive "$w"
kill -9 "$w"
kill -9 $job
wait $job 2>/dev/null
t_ok "without it the parent-death signal is there" soon none
t_run timeout 5 sh -c "'$S' run --lower '$TMP/root' -- true | cat"
t_status 0 "a run does not hold its output open"
t_ok "at the end no watcher is left" soon no_watcher

t_done
