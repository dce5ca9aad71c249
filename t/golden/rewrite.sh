#!/bin/sh
# rewrite.sh - write what the program makes of the golden cases now; the
# difference is what is to be reviewed. usage: rewrite.sh DEVENV
set -eu
devenv=$(realpath "$1")
DEVENV_STORE=$(mktemp -d)/none
export DEVENV_STORE
trap 'rmdir "${DEVENV_STORE%/*}"' EXIT
cd "$(dirname "$0")"
for case in dockerfile/*/; do
	"$devenv" parse -f "$case/in.Dockerfile" --print=ast \
		-o "$case/expect.json" "$case"
done
for case in lint/*/; do
	(
		cd "$case"
		"$devenv" lint >expect.txt || [ $? -eq 1 ]
		"$devenv" lint --format=json >expect.json || [ $? -eq 1 ]
	)
done
