#!/bin/sh
# run.sh - every check of the sources; usage: run.sh COMPILER_FLAG...
set -u
cd "$(dirname "$0")/../.." || exit 4
passed=0
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# NAME COMMAND...: what a check prints is shown when it fails, notes always.
lint() {
	name=$1
	shift
	start=$(date +%s)
	if "$@" >"$log" 2>&1; then
		passed=$((passed + 1))
		echo "ok - $name, $(($(date +%s) - start)) s"
		grep '^note: ' "$log"
	else
		failed=$((failed + 1))
		echo "not ok - $name"
		head -n 100 "$log"
	fi
}

# TOOL NAME COMMAND...: a check whose tool is missing has failed.
with() {
	if command -v "$1" >/dev/null; then
		shift
		lint "$@"
	else
		failed=$((failed + 1))
		echo "not ok - $2: no $1 here (make deps-lint installs it)"
	fi
}

# A few files for each process: all cores, and one bad file stops no other.
tidy() {
	printf '%s\n' "$sources" |
		xargs -P "$(nproc)" -n 6 sh t/lint/tidy.sh "$*"
}

# A golden case's context.sh is a few lines that a test reads in.
scripts=$(git ls-files '*.sh' .ci/run ':!t/golden' 2>/dev/null ||
	find t contrib .ci -name '*.sh' ! -path 't/golden/*')
sources=$(find common cmd -name '*.c' | sort)

lint layers sh t/lint/layers.sh
lint comments sh t/lint/comments.sh
lint rows sh t/lint/rows.sh
with ctags size sh t/lint/size.sh
with nm symbols sh t/lint/symbols.sh build/release
# shellcheck disable=SC2086 # words
with shellcheck shellcheck shellcheck $scripts
with mandoc man sh t/lint/man.sh
with cppcheck cppcheck cppcheck -q --std=c11 -j "$(nproc)" --error-exitcode=1 \
	--suppressions-list=t/lint/cppcheck.txt --inline-suppr \
	--enable=warning,performance,portability -Icommon -I. -D_GNU_SOURCE \
	-D__x86_64__ '-DDEVENV_VERSION=""' common cmd
with clang-tidy clang-tidy tidy "$@"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
