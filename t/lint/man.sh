#!/bin/sh
# man.sh - pages are clean mdoc and name only pages that exist
set -eu
cd "$(dirname "$0")/../.."
status=0
for page in man/*; do
	# Whether other programs' pages are installed here says nothing.
	mandoc -T lint -W style "$page" 2>&1 |
		grep -v -e 'referenced manual not found' \
			-e 'outdated mandoc.db' && status=1
	# mdoc takes a lone dot for the end of the sentence: \&. is a word.
	grep -nE '^\.D[1l] .* \.( |$)' "$page" && status=1
	# shellcheck disable=SC2013 # words are meant
	for ref in $(sed -n 's/^\.Xr \(devenv[a-z-]*\) \([157]\).*/\1.\2/p' \
		"$page" | sort -u); do
		[ -f "man/$ref" ] || {
			echo "$page: refers to $ref, which does not exist"
			status=1
		}
	done
done
exit $status
