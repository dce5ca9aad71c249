#!/bin/sh
# make.sh - print which tests prove which row of the goal table; status 1
# when a row has none, or a test names a row that is not in t/rows/list
#
# A test names rows in brackets: in the TAP description of a script, in a
# comment right before a Criterion test, or in the file `rows` of a case of
# t/golden.
set -eu
cd "$(dirname "$0")/../.."
{
	sed 's/^/row /' t/rows/list
	grep -oE '\[([PEASID][0-9][0-9]|2\.[0-9]+|L:[a-z]+)\]' t/[0-9]*.sh /dev/null |
		sed 's#^t/##; s#:\[#\t#; s#\]$##; s#^#test\t#'
	for file in t/unit/*.c; do
		awk '
		/^\/\* \[/ { ids = ids $0; next }
		/^Test\(/ && ids != "" {
			sub(/^Test\(/, "")
			split($0, name, /[,)] */)
			while (match(ids, /L:[a-z]+/)) {
				print "test\tunit " name[1] "/" name[2] \
					"\t" substr(ids, RSTART, RLENGTH)
				ids = substr(ids, 1, RSTART - 1) \
					substr(ids, RSTART + RLENGTH)
			}
			n = split(ids, id, /[^A-Z0-9.]+/)
			for (i = 1; i <= n; i++)
				if (id[i] != "")
					print "test\tunit " name[1] "/" \
						name[2] "\t" id[i]
		}
		{ ids = "" }' "$file"
	done
	for file in t/golden/*/*/rows; do
		[ -e "$file" ] || continue
		case=${file#t/}
		tr -s ' ' '\n' <"$file" | sed "s#^#test\t${case%/rows}\t#"
	done
} | LC_ALL=C sort -u | awk -F '\t' '
	/^row / {
		id = substr($0, 5); sub(/ .*/, "", id)
		title[id] = substr($0, 6 + length(id))
		next
	}
	$2 != "" { tests[$3] = tests[$3] (tests[$3] ? ", " : "") $2 }
	function complain(why) { print why >"/dev/stderr"; bad = 1 }
	function line(id) {
		if (!(id in tests))
			complain("t/rows: no test proves " id ": " title[id])
		print "| " id " | " title[id] " | " tests[id] " |"
	}
	END {
		print "# Rows of the goal table and the tests that prove them"
		print ""
		print "Made by `make rows` from `list` and the tests."
		print ""
		print "| row | about | tests |"
		print "|---|---|---|"
		while ((getline <"t/rows/list") > 0) {
			sub(/ .*/, "")
			line($0)
		}
		for (id in tests)
			if (!(id in title))
				complain("t/rows: " tests[id] " prove " id \
					", which is no row")
		exit bad
	}'
