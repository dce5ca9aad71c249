#!/bin/sh
# run.sh - what the Dev Container CLI and devenv make of the same files
# usage: run.sh compare|real [--sample] [--only NAME]
#
# compare: what they print of them; real: what happens in environments that
# they bring up, the CLI by podman, which needs root. A NAME is that of a case.
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
what=$1
shift
exec python3 "$TOP/t/oracle/$what.py" --cli "$CLI" \
	--devenv "${DEVENV:-$TOP/devenv}" "$@"
