#!/bin/sh
# 6910-runtime-user.sh - sandboxes of users, with id ranges and without
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"

t_need root userns busybox useradd setpriv newuidmap
env_accounts
as() {
	as_user=$1
	shift
	timeout 30 setpriv --reuid "$as_user" --regid "$as_user" \
		--clear-groups "$@"
}

for user in "$RANGE" "$SINGLE"; do
	kind=range
	[ "$user" = "$RANGE" ] || kind=single
	img=$TMP/$kind
	runtime_image "$img"
	mkdir "$TMP/$kind-u" "$TMP/$kind-w"
	chown -Rh "$user:$user" "$img" "$TMP/$kind-u" "$TMP/$kind-w"
	run() { t_run as "$user" "$S" run --lower "$img" "$@"; }

	t_run as "$user" "$S" mode
	t_out "^$kind\$" "$kind: the mode is found out"
	run -- sh -c 'id -u; id -g; echo x >/new; ls -ln /new; exit 7'
	t_status 7 "$kind: the status is passed on"
	t_out ' 0 +0 .* /new' "$kind: the user is root inside"
	run -- sh -c 'cat /dev/null; head -c 4 /dev/zero | wc -c; ls /dev/pts/ptmx'
	t_status 0 "$kind: devices work"
	run -- sh -c 'ls -a /.. | sort; echo --; ls -a / | sort'
	t_is "$(sed '/^--$/,$d' "$out")" "$(sed '1,/^--$/d' "$out")" \
		"$kind: nothing lies above the root"
	run --user bob -- sh -c 'id; touch /tmp/x; ls -ln /tmp/x'
	t_out 'uid=1000\(bob\) gid=1000\(bob\)' "$kind: USER is that user"
	t_out ' 1000 +1000 ' "$kind: and owns what it makes"
	run -- chown 5:5 /etc/passwd
	t_status 0 "$kind: chown to another id does not fail"
	run -- sh -c 'grep -E "CapEff|Seccomp:" /proc/self/status'
	t_out 'CapEff:.00000000a80425fb' "$kind: the default capabilities"
	t_out 'Seccomp:.2' "$kind: a filter is in force"
	run -- sh -c 'echo x >/proc/sys/kernel/hostname'
	t_err 'Read-only' "$kind: kernel settings are read-only"
	run -- sh -c 'touch /sys/kernel/x'
	t_err 'Read-only' "$kind: /sys is read-only"
	run --no-net -- ping -c1 127.0.0.1
	t_status 0 "$kind: loopback works without a network"
	run --upper "$TMP/$kind-u" --work "$TMP/$kind-w" -- rm /etc/group
	t_is "$(cd "$TMP/$kind-u" && find . -mindepth 1 | sort | tr '\n' ' ')" \
		"./etc ./etc/group " "$kind: the upper holds what changed only"
	run -- nope
	t_status 127 "$kind: a missing command is 127"

	# From another process, outside of the user namespace
	t_run as "$user" "$S" start --lower "$img" --hostname box
	t_status 0 "$kind: an environment starts"
	pid=$(cat "$out")
	t_run as "$user" "$S" exec "$pid" -- sh -c 'hostname; ps; exit 9'
	t_status 9 "$kind: a command runs in it"
	t_out '^box$' "$kind: with its host name"
	t_out '^ +1 .*devenv-init' "$kind: below its init"
	t_run as "$user" "$S" exec "$pid" --lower "$img" --user bob -- id -u
	t_out '^1000$' "$kind: as another user too"
	t_run as "$user" "$S" root "$pid"
	t_status 0 "$kind: its root can be opened"

	# From one that has entered a user namespace of its own
	t_run as "$user" "$S" exec "$pid" --enter --env A=b --lower "$img" \
		--user bob --cwd /tmp/new --mkdir -- \
		sh -c 'hostname; id; pwd; echo "$A"; cat; exit 9' <"$0"
	t_status 9 "$kind: it runs from within a namespace beside it"
	t_out '^box$' "$kind: in the environment"
	t_out 'uid=1000\(bob\) gid=1000\(bob\)' "$kind: as the user asked for"
	t_out '^/tmp/new$' "$kind: in its directory"
	t_out '^b$' "$kind: with its variables"
	t_out '^# 6910' "$kind: and our input"
	t_run as "$user" "$S" exec "$pid" --enter -- nope
	t_status 127 "$kind: a missing command is told"
	t_err "cannot run 'nope': command not found" "$kind: by name"
	t_run as "$user" "$S" root "$pid" --enter
	t_status 0 "$kind: the root can be opened from there"
	t_run as "$user" "$S" spawn-in "$pid" --enter -- \
		sh -c 'hostname; exit 8'
	t_status 8 "$kind: and commands be started beside us"
	t_err '^cmd: +box$' "$kind: with their output logged"
	mark=78$pid.$$
	as "$user" "$S" exec "$pid" --enter --catch -- sleep "$mark" \
		2>"$TMP/interrupted" &
	t_ok "$kind: one runs" t_wait runtime_there "^sleep $mark"
	kill -TERM "$(runtime_first "exec $pid --enter")"
	wait $!
	t_is $? 143 "$kind: a caught signal ends it"
	t_ok "$kind: and the command" t_wait runtime_not_there "^sleep $mark"
	as "$user" "$S" exec "$pid" --enter -- sleep "$mark" &
	t_ok "$kind: one runs again" t_wait runtime_there "^sleep $mark"
	kill -KILL "$(runtime_first "exec $pid --enter")"
	t_ok "$kind: it ends with devenv" \
		t_wait runtime_not_there "^sleep $mark"
	wait $! 2>/dev/null
	other=$SINGLE
	[ "$kind" = range ] || other=$RANGE
	t_run as "$other" "$S" exec "$pid" -- true
	t_status 4 "$kind: other users cannot enter"
	t_run as "$user" "$S" stop "$pid"
	t_ok "$kind: it stops" t_wait runtime_gone "$pid"
	t_run as "$user" "$S" exec "$pid" -- true
	t_err 'not running any more|cannot look into' "$kind: and is gone"
done

t_done
