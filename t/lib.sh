# lib.sh - sourced by every test script: TAP, a scratch folder, servers
# shellcheck shell=sh
#
#	. "$(dirname "$0")/lib.sh"
#	t_ok "sentence" command ...        passes when the command succeeds
#	t_run command ...                  runs; $status, $out, $err (files)
#	t_status 3 "sentence"              the last t_run ended so
#	t_err 'regex' "sentence"           its standard error matches (grep -E)
#	t_out 'regex' "sentence"           its standard output matches
#	t_is "$a" "$b" "sentence"          equal strings
#	t_need userns                      skip the script without it
#	t_done                             plan line; must come last
#
# $DEVENV is the program, $HELPER the folder of test programs, $TMP a scratch
# folder that goes at the end, $SRC the top of the source tree. A script that
# is not in t/ itself says where the top is in $t_top.

set -u
LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin # servers are there, and not in a user's PATH
export LC_ALL PATH
SRC=$(cd "${t_top:-$(dirname "$0")/..}" && pwd)
DEVENV=${DEVENV:-$SRC/devenv}
HELPER=${HELPER:-$SRC/build/release/helper}
TMP=$(mktemp -d "${TMPDIR:-/tmp}/devenv-test.XXXXXX")
chmod 755 "$TMP"
HOME=$TMP/home
mkdir "$HOME"
DEVENV_STORE=$TMP/store
export HOME DEVENV_STORE DEVENV HELPER SRC TMP
unset DOCKER_CONFIG REGISTRY_AUTH_FILE XDG_DATA_HOME XDG_RUNTIME_DIR \
	SSH_AUTH_SOCK http_proxy https_proxy HTTP_PROXY HTTPS_PROXY \
	no_proxy NO_PROXY
t_nr=0
t_failed=0
t_cleanups=:
out=$TMP/out
err=$TMP/err
status=0

# Commands to run at the end, newest first.
t_atexit() { t_cleanups="$*; $t_cleanups"; }

t_end() {
	eval "$t_cleanups"
	chmod -R u+rwx "$TMP" 2>/dev/null
	# A user's layers may hold files of subordinate ids.
	rm -rf "$TMP" 2>/dev/null ||
		unshare --map-root-user --map-auto rm -rf "$TMP"
}
trap t_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

t_pass() {
	t_nr=$((t_nr + 1))
	echo "ok $t_nr - $1"
}

t_fail() {
	t_nr=$((t_nr + 1))
	t_failed=$((t_failed + 1))
	echo "not ok $t_nr - $1"
	shift
	for t_line; do echo "# $t_line"; done
}

t_ok() {
	t_name=$1
	shift
	if "$@" >"$TMP/ok.log" 2>&1; then
		t_pass "$t_name"
	else
		t_fail "$t_name" "failed: $*"
		sed 's/^/# /' "$TMP/ok.log" | tail -n 20
	fi
}

t_run() {
	status=0
	"$@" >"$out" 2>"$err" || status=$?
}

t_show() {
	echo "# status $status; standard error:"
	sed 's/^/#   /' "$err" | tail -n 15
	echo "# standard output:"
	sed 's/^/#   /' "$out" | head -n 10
}

t_status() {
	if [ "$status" = "$1" ]; then
		t_pass "$2"
	else
		t_fail "$2" "wanted status $1"
		t_show
	fi
}

t_err() {
	if grep -Eq -e "$1" "$err"; then
		t_pass "$2"
	else
		t_fail "$2" "no match for: $1"
		t_show
	fi
}

t_out() {
	if grep -Eq -e "$1" "$out"; then
		t_pass "$2"
	else
		t_fail "$2" "no match for: $1"
		t_show
	fi
}

t_is() {
	if [ "$1" = "$2" ]; then
		t_pass "$3"
	else
		t_fail "$3" "have: $1" "want: $2"
	fi
}

# A missing feature skips the script at a user's; where DEVENV_TEST_REQUIRE
# names it (or says "all"), it fails.
t_skip_all() {
	case " ${DEVENV_TEST_REQUIRE:-} " in
	*" all "* | *" $1 "*)
		t_fail "$1 is required here" "$2"
		t_done
		;;
	esac
	echo "1..0 # SKIP $2"
	exit 0
}

t_need() {
	for t_feature; do
		case $t_feature in
		root) [ "$(id -u)" -eq 0 ] || t_skip_all root "needs root" ;;
		userns)
			unshare -U true 2>/dev/null ||
				t_skip_all userns "no user namespaces here"
			;;
		*)
			command -v "$t_feature" >/dev/null ||
				t_skip_all "$t_feature" "no $t_feature here"
			;;
		esac
	done
}

# A free loopback port.
t_port() {
	"$HELPER/freeport"
}

# Wait until a command succeeds, 10 s at most.
t_wait() {
	t_tries=100
	until "$@" >/dev/null 2>&1; do
		t_tries=$((t_tries - 1))
		[ $t_tries -gt 0 ] || return 1
		sleep 0.1
	done
}

t_done() {
	echo "1..$t_nr"
	[ $t_failed -eq 0 ] || exit 1
	exit 0
}
