#!/bin/sh
# run.sh - libFuzzer on every parser, FUZZ_SECONDS (60) each
# usage: run.sh "LIBRARIES" COMPILER_FLAG...
#
# FUZZ_TARGETS names some of them (default: all); inputs that reach something
# new stay in build/fuzz/NAME.new.
set -eu
libs=$1
shift
cd "$(dirname "$0")/../.."
out=build/fuzz
mkdir -p $out
flags="-g -O1 -fsanitize=address,undefined"
failed=0

# Every target is linked against the same objects.
for source in common/*/*.c; do
	object=$out/$(echo "$source" | tr / .).o
	[ ! -e "$object" ] || [ -n "$(find common -name '*.h' \
		-newer "$object")$(find "$source" -newer "$object")" ] ||
		continue
	# shellcheck disable=SC2086 # a list of flags
	clang "$@" $flags -fsanitize=fuzzer-no-link -c -o "$object" "$source"
done
for source in t/fuzz/fuzz_*.c; do
	name=$(basename "$source" .c)
	case " ${FUZZ_TARGETS:-$name} " in
	*" $name "*) ;;
	*) continue ;;
	esac
	corpus=t/fuzz/corpus/${name#fuzz_}
	echo "$name"
	# shellcheck disable=SC2086 # a list of flags and libraries
	clang "$@" $flags -fsanitize=fuzzer -o "$out/$name" "$source" \
		$out/common.*.o $libs
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
