# env-lib.sh - what the tests of the runner and of environments share
# shellcheck shell=sh
#
#	env_base		an image "base" of busybox in the store
#	env_project DIR TEXT	a project with this devcontainer.json
#	env_accounts		users $RANGE and $SINGLE, with and without
#				subordinate ids; `env_as USER COMMAND...`
#	env_idle SENTENCE	no process, mount or temporary file is left
#	runtime_image DIR	a root file system of busybox, users root, bob
#	runtime_alive PID, runtime_gone PID
#	runtime_count REGEX	processes with such a command line;
#				runtime_there, runtime_not_there, runtime_first

env_base() {
	mkdir "$TMP/base" && runtime_image "$TMP/base/root" &&
		printf '%s\n' 'FROM scratch' 'COPY root /' \
			'ENV PATH=/bin GREETING=hello' \
			'LABEL test=yes' 'CMD ["echo", "the default"]' \
			>"$TMP/base/Dockerfile"
	"$DEVENV" build -q -t base "$TMP/base" >/dev/null
}

env_project() {
	mkdir -p "$1/.devcontainer"
	printf '%s\n' "$2" >"$1/.devcontainer/devcontainer.json"
}

# newuidmap reads the system's own files, so real accounts are needed.
env_accounts() {
	RANGE=devenvx$$
	SINGLE=devenvy$$
	t_atexit "userdel $RANGE; userdel $SINGLE"
	useradd "$RANGE" 2>/dev/null ||
		t_skip_all useradd "cannot add users here"
	useradd "$SINGLE" 2>/dev/null
	sed -i "/^$SINGLE:/d" /etc/subuid /etc/subgid
	# The tree may lie where only its owner can go.
	cp "$DEVENV" "$TMP/devenv"
	cp "$HELPER/sandbox" "$TMP/sandbox"
	DEVENV=$TMP/devenv
	S=$TMP/sandbox
}

# exec, so that the pid of a background job is that of the command.
env_as() {
	as_user=$1
	shift
	[ "$as_user" != root ] || exec "$@"
	exec setpriv --reuid "$as_user" --regid "$as_user" --clear-groups "$@"
}

# Sandboxes and devenvs of this test, told by what they hold of $TMP.
env_processes() {
	for p in /proc/[0-9]*; do
		[ "$p" != "/proc/$$" ] || continue
		if grep -qs "$TMP/" "$p/mountinfo" || {
			readlink "$p/exe" | grep -qFx "$DEVENV" &&
				tr '\0' '\n' <"$p/environ" 2>/dev/null |
				grep -qFx "DEVENV_STORE=$DEVENV_STORE"
		}; then
			runtime_alive "${p#/proc/}" && echo "${p#/proc/}"
		fi
	done 2>/dev/null
}

env_none() { [ -z "$(env_processes)" ]; }

env_idle() {
	t_ok "$1: no process is left" t_wait env_none
	t_is "$(grep -c "$DEVENV_STORE" /proc/self/mountinfo)" 0 \
		"$1: no mount is left"
	"$DEVENV" ps >/dev/null 2>&1 # sweeps what killed ones left
	t_is "$(ls -A "$DEVENV_STORE/tmp")" "" "$1: no temporary file is left"
}

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
