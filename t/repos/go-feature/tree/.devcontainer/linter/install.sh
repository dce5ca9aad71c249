#!/bin/sh
set -e
echo "linter $VERSION" >/usr/local/bin/golint
