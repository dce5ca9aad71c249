#!/bin/sh
# run.sh - what the Dev Container CLI and devenv make of the same files
# usage: run.sh [--sample]
#
# DEVCONTAINER_CLI is the devcontainer.js of @devcontainers/cli 0.88.0; else
# the one below build/oracle is taken, where
#	npm install --prefix build/oracle @devcontainers/cli@0.88.0
# puts it. Status 77: there is none, or no node.
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd)
CLI=${DEVCONTAINER_CLI:-$TOP/build/oracle/node_modules/@devcontainers/cli/devcontainer.js}
if [ ! -f "$CLI" ]; then
	echo "no @devcontainers/cli here" >&2
	exit 77
fi
command -v node >/dev/null || { echo "no node here" >&2; exit 77; }
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
exec python3 "$TOP/t/oracle/compare.py" --cli "$CLI" \
	--devenv "${DEVENV:-$TOP/devenv}" "$@"
