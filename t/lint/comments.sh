#!/bin/sh
# comments.sh - files begin with their job and licence; only /* */ comments
set -eu
cd "$(dirname "$0")/../.."
status=0
find common cmd t/unit t/helper t/fuzz -name '*.[ch]' | sort |
	xargs awk '
	function bad(why) { print FILENAME ":" FNR ": " why; status = 1 }
	FNR == 1 {
		n = split(FILENAME, part, "/")
		name = part[n]
		if (index($0, "/* " name " - ") != 1)
			bad("begins not with /* " name " - its job")
	}
	FNR <= 3 && /SPDX-License-Identifier: Apache-2.0/ { spdx[FILENAME] = 1 }
	FNR == 4 && !spdx[FILENAME] { bad("no SPDX line at the top") }
	{
		line = $0
		gsub(/\\./, "", line)
		gsub(/"[^"]*"/, "", line)
		sub(/\/\*.*/, "", line)
	}
	line ~ /^[^*]*\/\// && line !~ /^[ \t]*\*/ && !open {
		bad("comments are /* */") }
	# Text inside a comment of several lines may hold URLs.
	/\/\*/ && !/\*\// { open = 1 }
	/\*\// { open = 0 }
	END { exit status }' || status=1
if grep -rnE '\([PEASID][0-9]{2}[,) ]' common cmd; then
	echo "rows of the goal table are named by tests"
	status=1
fi
if grep -rnwE 'TO''DO|FIX''ME' common cmd t contrib man ./*.md Makefile \
	--include='*.[ch157]' --include='*.sh' --include='*.md' \
	--include=Makefile; then
	echo "work that is left is not written down in comments"
	status=1
fi
exit $status
