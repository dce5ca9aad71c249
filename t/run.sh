#!/bin/sh
# run.sh - run units, fuzz corpora and scripts of one build; print the sum
# usage: t/run.sh build/FLAVOUR [SCRIPT...]
#
# DEVENV_TEST_JOBS is how many run at once (the processors, at most 4).
set -u
B=$1
shift
cd "$(dirname "$0")/.." || exit 4
DEVENV=$PWD/$B/devenv
HELPER=$PWD/$B/helper
export DEVENV HELPER
log=$PWD/$B/log
rm -rf "$log"
mkdir -p "$log"
case $B in
*asan)
	# Criterion and shells do not see a leak report: the files are looked
	# at below.
	ASAN_OPTIONS=log_path=$log/asan:detect_leaks=1
	UBSAN_OPTIONS=log_path=$log/ubsan:print_stacktrace=1
	LSAN_OPTIONS=suppressions=$PWD/t/lsan.supp:print_suppressions=0
	export ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS
	;;
esac

# Nothing in the background hears Ctrl-C: who is told to end, ends the command
# it waits for, and `timeout` all that came of it.
pids=
stop() {
	trap - INT TERM
	# shellcheck disable=SC2086 # a list of numbers
	[ -z "$pids" ] || kill $pids 2>/dev/null
	wait
	exit 130
}
trap stop INT TERM

suite() { # NAME LIMIT COMMAND...
	name=$1
	limit=$2
	shift 2
	start=$(date +%s)
	timeout -k 10 "$limit" "$@" >"$log/$name.tap" 2>"$log/$name.err" \
		</dev/null &
	pids=$!
	wait $pids
	rc=$?
	pids=
	p=$(grep -c '^ok ' "$log/$name.tap")
	f=$(grep -c '^not ok ' "$log/$name.tap")
	s=$(grep -ci '^ok .*# skip\|^1\.\.0 # skip' "$log/$name.tap")
	bad=$f
	note=
	if [ $rc -ne 0 ] && [ "$f" -eq 0 ]; then
		bad=$((bad + 1))
		note=" (status $rc)"
	fi
	if ! grep -q '^1\.\.[0-9]' "$log/$name.tap"; then
		bad=$((bad + 1))
		note="$note (no plan: it did not reach its end)"
	fi
	echo "$p $bad $s" >"$log/$name.sum"
	echo "$name: $p passed, $f failed, $(($(date +%s) - start)) s$note"
	if [ -n "$note" ] || [ "$f" -gt 0 ]; then
		grep -A 30 '^not ok' "$log/$name.tap" | head -n 80
		tail -n 15 "$log/$name.err"
	fi
}

# Those of the list that nobody else has begun.
work() { # SCRIPT...
	trap stop TERM
	options=${ASAN_OPTIONS-}
	for script; do
		name=$(basename "$script" .sh)
		mkdir "$log/$name.begun" 2>/dev/null || continue
		# What libgit2 leaks over ssh and proxies is known by the names
		# of its callers, which only slow unwinding finds in a library
		# without frames.
		case $options$script in
		log_path*/10[12]0-* | log_path*/6640-envbuilder-git*)
			ASAN_OPTIONS=$options:fast_unwind_on_malloc=0 ;;
		log_path*) ASAN_OPTIONS=$options ;;
		esac
		suite "$name" 600 sh "$script" >"$log/$name.out"
		flock "$log/print" cat "$log/$name.out"
	done
}

jobs=${DEVENV_TEST_JOBS:-$(nproc)}
[ "$jobs" -le 4 ] || jobs=4
if [ $# -eq 0 ]; then
	suite units 300 "$B/unit" --tap=/dev/stdout
	for z in "$B"/fuzz/*; do
		[ -x "$z" ] || continue
		name=$(basename "$z")
		suite "$name" 120 sh t/fuzz/replay.sh "$z"
	done
	set -- t/[0-9]*.sh
fi
workers=
while [ "$jobs" -gt 0 ]; do
	work "$@" &
	workers="$workers $!"
	jobs=$((jobs - 1))
done
pids=$workers
wait
pids=
failed=0
for report in "$log"/asan.* "$log"/ubsan.*; do
	[ -f "$report" ] || continue
	failed=$((failed + 1))
	echo "sanitizer report: $report"
	head -n 30 "$report"
done
awk -v failed="$failed" '
	{ passed += $1; failed += $2; skipped += $3 }
	END {
		printf "%d passed, %d failed, %d skipped\n", passed, failed,
			skipped
		exit failed > 0
	}' "$log"/*.sum
