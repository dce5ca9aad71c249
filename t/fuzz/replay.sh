#!/bin/sh
# replay.sh - feed a fuzz target its corpus; TAP
set -u
target=$1
name=$(basename "$target")
dir=$(dirname "$0")/corpus/${name#fuzz_}
n=0
bad=0
for f in "$dir"/*; do
	[ -f "$f" ] || continue
	n=$((n + 1))
	if "$target" "$f" >/dev/null; then
		echo "ok $n - $name $(basename "$f")"
	else
		bad=1
		echo "not ok $n - $name $(basename "$f")"
	fi
done
echo "1..$n"
exit $bad
