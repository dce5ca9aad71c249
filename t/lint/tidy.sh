#!/bin/sh
# tidy.sh - clang-tidy over files: usage: tidy.sh "COMPILER_FLAG..." FILE...
set -eu
flags=$1
shift
status=0
# shellcheck disable=SC2086 # words
out=$(clang-tidy --quiet "$@" -- $flags '-DDEVENV_VERSION=""' 2>/dev/null) ||
	status=1
printf '%s' "$out"
exit $status
