#!/bin/sh
set -e
mkdir -p "$POETRY_HOME"
echo "poetry $VERSION, path $ADDTOPATH, for $_REMOTE_USER in $_REMOTE_USER_HOME" \
	>"$POETRY_HOME/version"
cat /etc/installed >"$POETRY_HOME/before"
