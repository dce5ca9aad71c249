#!/bin/sh
# run.sh - libFuzzer on every parser, FUZZ_SECONDS (60) each
# usage: run.sh "LIBRARIES" COMPILER_FLAG...
set -eu
libs=$1
shift
cd "$(dirname "$0")/../.."
out=build/fuzz
mkdir -p $out
failed=0
for source in t/fuzz/fuzz_*.c; do
	name=$(basename "$source" .c)
	corpus=t/fuzz/corpus/${name#fuzz_}
	echo "$name"
	# shellcheck disable=SC2086 # a list of libraries
	clang "$@" -g -O1 -fsanitize=fuzzer,address,undefined -o "$out/$name" \
		"$source" common/*/*.c $libs
	mkdir -p "$out/$name.new"
	"$out/$name" -max_total_time="${FUZZ_SECONDS:-60}" -timeout=5 \
		-rss_limit_mb=512 -artifact_prefix="$out/$name-" \
		"$out/$name.new" "$corpus" >"$out/$name.log" 2>&1 || {
		failed=1
		echo "$name found something: see $out/$name.log"
		tail -n 20 "$out/$name.log"
	}
done
exit $failed
