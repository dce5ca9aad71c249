# env-lib.sh - what the tests of running environments share
# shellcheck shell=sh
#
#	env_base		an image "base" of busybox in the store
#	env_project DIR TEXT	a project with this devcontainer.json
#	env_accounts		users $RANGE and $SINGLE, with and without
#				subordinate ids; `env_as USER COMMAND...`
#	env_idle SENTENCE	no process, mount or temporary file is left

. "$SRC/t/runtime-lib.sh"

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
	DEVENV=$TMP/devenv
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
