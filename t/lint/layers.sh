#!/bin/sh
# layers.sh - a folder includes only folders of a lower level, or itself
set -eu
cd "$(dirname "$0")/../.."
status=0

level() {
	case $1 in
	base) echo 0 ;;
	wrap) echo 1 ;;
	oci | dockerfile | devcontainer | template | compose | record | policy | sbom) echo 2 ;;
	store | registry | runtime | kube) echo 3 ;;
	cache | feature) echo 4 ;;
	build | env) echo 5 ;;
	cli) echo 6 ;;
	cmd) echo 7 ;;
	esac
}

complain() {
	echo "$1"
	status=1
}

# FILE FOLDER: each line with "folder/header.h" of the project.
check_project() {
	mine=$(level "$2")
	sed -n 's,^#include "\([^"]*\)".*,\1,p' "$1" >"$list"
	while read -r header; do
		to=${header%/*}
		theirs=$(level "$to")
		if [ -z "$theirs" ]; then
			complain "$1: \"$header\" is in no folder of the table"
		elif [ "$to" != "$2" ] && [ "$theirs" -ge "$mine" ]; then
			complain "$1: $2 (level $mine) includes \"$header\"" \
				"(level $theirs)"
		fi
		case $header in
		"$2"/*) ;;
		*/internal.h | *_internal.h)
			complain "$1: \"$header\" is private to $to" ;;
		esac
	done <"$list"
}

# FILE FOLDER: what libc and the kernel do not provide belongs to wrap.
check_system() {
	[ "$2" != wrap ] || return 0
	third='cJSON|curl/|git2|archive|mbedtls/|yaml|seccomp|zstd|isa-l|zlib|sqlite3'
	grep -nE "^#include <($third|openssl/)" "$1" >"$list" || return 0
	while read -r line; do
		complain "$1:$line: third-party headers stay in common/wrap"
	done <"$list"
}

list=$(mktemp)
trap 'rm -f "$list"' EXIT
for file in common/*/*.[ch] cmd/*.[ch]; do
	folder=${file%/*}
	folder=${folder#common/}
	if [ -z "$(level "$folder")" ]; then
		complain "$file: folder without a level; add it to the table"
		continue
	fi
	check_project "$file" "$folder"
	check_system "$file" "$folder"
done
exit $status
