#!/bin/sh
# run.sh - run units, fuzz corpora and scripts of one build; print the sum
# usage: t/run.sh build/FLAVOUR [SCRIPT...]
set -u
B=$1
shift
cd "$(dirname "$0")/.." || exit 4
DEVENV=$PWD/$B/devenv
HELPER=$PWD/$B/helper
export DEVENV HELPER
passed=0
failed=0
skipped=0
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

count() { # a TAP file
	p=$(grep -c '^ok ' "$1")
	f=$(grep -c '^not ok ' "$1")
	s=$(grep -ci '^ok .*# skip\|^1\.\.0 # skip' "$1")
	passed=$((passed + p))
	failed=$((failed + f))
	skipped=$((skipped + s))
}

suite() { # NAME LIMIT COMMAND...
	name=$1
	limit=$2
	shift 2
	start=$(date +%s)
	timeout -k 10 "$limit" "$@" >"$log/$name.tap" 2>"$log/$name.err" \
		</dev/null
	rc=$?
	count "$log/$name.tap"
	note=
	if [ $rc -ne 0 ] && [ "$f" -eq 0 ]; then
		failed=$((failed + 1))
		note=" (status $rc)"
	fi
	if ! grep -q '^1\.\.[0-9]' "$log/$name.tap"; then
		failed=$((failed + 1))
		note="$note (no plan: it did not reach its end)"
	fi
	echo "$name: $p passed, $f failed, $(($(date +%s) - start)) s$note"
	if [ -n "$note" ] || [ "$f" -gt 0 ]; then
		grep -A 30 '^not ok' "$log/$name.tap" | head -n 80
		tail -n 15 "$log/$name.err"
	fi
}

if [ $# -eq 0 ]; then
	suite units 300 "$B/unit" --tap=/dev/stdout
	for z in "$B"/fuzz/*; do
		[ -x "$z" ] || continue
		name=$(basename "$z")
		suite "$name" 120 sh t/fuzz/replay.sh "$z"
	done
	set -- t/[0-9]*.sh
fi
options=${ASAN_OPTIONS-}
for script; do
	# What libgit2 leaks over ssh and proxies is known by the names of its
	# callers, which only slow unwinding finds in a library without frames.
	case $options$script in
	log_path*/10[12]0-*) ASAN_OPTIONS=$options:fast_unwind_on_malloc=0 ;;
	log_path*) ASAN_OPTIONS=$options ;;
	esac
	suite "$(basename "$script" .sh)" 600 sh "$script"
done
for report in "$log"/asan.* "$log"/ubsan.*; do
	[ -f "$report" ] || continue
	failed=$((failed + 1))
	echo "sanitizer report: $report"
	head -n 30 "$report"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
