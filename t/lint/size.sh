#!/bin/sh
# size.sh - nothing so long that one cannot read it in one go
#
# Files: a word at 600 lines, refused over 800. Functions: a word at 60,
# refused over 100. Headers: refused over 250, but a folder's public header
# (oci/oci.h), which is all a reader needs of that folder, may have 400.
set -eu
cd "$(dirname "$0")/../.."
find common cmd t/unit t/helper t/fuzz -name '*.[ch]' -exec wc -l {} + |
	awk '
	$2 == "total" { next }
	{ n = split($2, part, "/"); limit = 800 }
	$2 ~ /\.h$/ { limit = part[n] == part[n - 1] ".h" ? 400 : 250 }
	$1 > limit { print $2 ": " $1 " lines, at most " limit; bad = 1; next }
	$1 > 600 { print "note: " $2 ": " $1 " lines" }
	END { exit bad }' || bad=1
find common cmd t/unit t/helper -name '*.c' -exec \
	ctags -x --c-kinds=f --fields=+ne --_xformat='%{line} %{end} %F %N' \
	{} + |
	awk '
	{ n = $2 - $1 + 1 }
	n > 100 { print $3 ":" $1 ": " $4 " has " n " lines, at most 100"
		bad = 1; next }
	n > 60 { print "note: " $3 ":" $1 ": " $4 " has " n " lines" }
	END { exit bad }' || bad=1
exit "${bad:-0}"
