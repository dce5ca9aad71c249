# runtime-lib.sh - what the tests of the runner share
# shellcheck shell=sh

# A root file system of busybox with the users root and bob.
runtime_image() {
	mkdir -p "$1/bin" "$1/etc" "$1/tmp"
	chmod 1777 "$1/tmp"
	cp "$(command -v busybox)" "$1/bin/busybox"
	for applet in $(busybox --list); do
		[ "$applet" = busybox ] || ln -s busybox "$1/bin/$applet"
	done
	printf '%s\n' root:x:0:0::/root:/bin/sh \
		bob:x:1000:1000::/home/bob:/bin/sh >"$1/etc/passwd"
	printf '%s\n' root:x:0: bob:x:1000: staff:x:50:bob >"$1/etc/group"
}

# Is a process there, and no zombie?
runtime_alive() {
	grep -q '^State:.[^Z]' "/proc/$1/status" 2>/dev/null
}

runtime_gone() { ! runtime_alive "$1"; }

# Processes whose command line matches; each word ends in a blank.
runtime_count() {
	ps -eo args= | sed 's/$/ /' | grep -c -e "$1"
}

# Accounts $RANGE, with subordinate ids, and $SINGLE, without; newuidmap reads
# the system's own files. `as USER COMMAND...` runs $S and other commands.
runtime_accounts() {
	RANGE=devenvr$$
	SINGLE=devenvs$$
	t_atexit "userdel $RANGE; userdel $SINGLE"
	useradd "$RANGE" 2>/dev/null ||
		t_skip_all useradd "cannot add users here"
	useradd "$SINGLE" 2>/dev/null
	sed -i "/^$SINGLE:/d" /etc/subuid /etc/subgid
	cp "$HELPER/sandbox" "$TMP/sandbox"
	S=$TMP/sandbox
}

# exec, so that the pid of a background job is that of the command.
runtime_as() {
	as_user=$1
	shift
	[ "$as_user" != root ] || exec "$@"
	exec setpriv --reuid "$as_user" --regid "$as_user" --clear-groups "$@"
}

runtime_there() { [ "$(runtime_count "$1")" -gt 0 ]; }
runtime_not_there() { ! runtime_there "$1"; }

# The first process of our program with these words, which is the outermost.
runtime_first() {
	for p in $(ls -v /proc | grep '^[0-9]'); do
		[ "$(readlink "/proc/$p/exe" 2>/dev/null)" = "$S" ] || continue
		tr '\0' ' ' <"/proc/$p/cmdline" | grep -q -e "$1" || continue
		echo "$p"
		return
	done
}
