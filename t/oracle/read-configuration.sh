#!/bin/sh
# The `config` view against the Dev Container CLI's read-configuration. Needs
# node and the package @devcontainers/cli 0.88.0: DEVCONTAINER_CLI is its
# devcontainer.js or bin/devcontainer.
TOP=$(cd "$(dirname "$0")/../.." && pwd)
DEVENV=${DEVENV:-$TOP/devenv}
. "$TOP/t/lib.sh"

t_need node
CLI=${DEVCONTAINER_CLI:-$(command -v devcontainer || true)}
[ "$CLI" ] || t_skip_all devcontainer-cli "no @devcontainers/cli here"

cat >"$TMP/compare.js" <<'JS'
const fs = require('fs'), assert = require('assert');
const read = f => JSON.parse(fs.readFileSync(f, 'utf8'));
const theirs = read(process.argv[2]).configuration, ours = read(process.argv[3]);
delete theirs.configFilePath;
const id = '${devcontainerId}';
const mask = j => JSON.parse(JSON.stringify(j, (k, v) =>
	typeof v === 'string' ? v.split(id).join('ID') : v));
assert.deepStrictEqual(ours, mask(theirs));
JS

for config in "$TOP"/t/oracle/configs/*.json; do
	name=$(basename "$config" .json)
	for sub in . sub; do
		work=$TMP/$name/repo
		mkdir -p "$work/$sub/.devcontainer"
		git init -q "$work"
		cp "$config" "$work/$sub/.devcontainer/devcontainer.json"
		env -i HOME="$HOME" PATH="$PATH" FOO=bar EMPTY= node "$CLI" \
			read-configuration --docker-path /bin/true \
			--workspace-folder "$work/$sub" \
			>"$TMP/theirs" 2>"$TMP/theirs.err" ||
			t_fail "$name: the tool reads it" "$(tail -n 3 "$TMP/theirs.err")"
		t_run env -i HOME="$HOME" PATH="$PATH" FOO=bar EMPTY= \
			"$DEVENV" parse "$work/$sub" --print=config
		t_status 0 "$name in $sub: read"
		t_ok "$name in $sub: the same configuration" \
			node "$TMP/compare.js" "$TMP/theirs" "$out"
	done
done
t_done
