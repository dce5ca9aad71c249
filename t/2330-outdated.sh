#!/bin/sh
# newer versions of Features
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
. "$SRC/t/env-lib.sh"
t_need docker-registry jq python3

t_ok "a registry" registry_start reg
mkdir "$TMP/f"
echo '{"id": "x", "version": "2.0.0", "name": "X"}' \
	>"$TMP/f/devcontainer-feature.json"
echo '#!/bin/sh' >"$TMP/f/install.sh"
tar -C "$TMP/f" --owner=0 --group=0 --mtime=@0 -cf "$TMP/f.tar" .
digest=$(python3 "$SRC/t/helper/feature.py" "$registry" ns/x \
	latest,odd,1,1.0.0,1.2.9,1.2.10,1.10.0,1.11.0-rc.1,2.0.0,v3.0.0 \
	"$TMP/f.tar" "$TMP/f/devcontainer-feature.json")
outdated() { t_run "$DEVENV" outdated --workspace-folder "$TMP/p" "$@"; }
at=$registry/ns/x

env_project "$TMP/p" "{\"image\": \"base\", \"features\": {
	\"$at\": {}, \"$at:1\": {}, \"$at:1.2\": {}, \"$at:1.0.0\": {},
	\"$at:odd\": {}, \"$at@$digest\": {}, \"./local\": {}}}"
outdated --output-format json --docker-path x --terminal-columns 80
t_status 0 "versions of Features"
t_is "$(jq -c '.features | to_entries[] |
	[(.key | sub(".*/x"; "x") | .[0:8]),
	 (.value | [.current, .wanted, .wantedMajor, .latest, .latestMajor])]' "$out")" \
	'["x",["2.0.0","2.0.0","2","2.0.0","2"]]
["x:1",["1.10.0","1.10.0","1","2.0.0","2"]]
["x:1.2",["1.2.10","1.2.10","1","2.0.0","2"]]
["x:1.0.0",["1.0.0","1.0.0","1","2.0.0","2"]]
["x:odd",[null,null,null,"2.0.0","2"]]
["x@sha256",["2.0.0","2.0.0","2","2.0.0","2"]]' "by number, not by letter"
t_err '^devenv: --terminal-columns has no effect here' "what has none is told"
env_project "$TMP/p" "{\"image\": \"base\", \"features\": {
	\"$at:1\": {}, \"$registry/ns/none\": {}, \"$at:odd\": {}}}"
printf '%s\n' "{\"features\": {\"$at:1\": {\"version\": \"1.0.0\",
	\"resolved\": \"x@$digest\", \"integrity\": \"$digest\"}}}" \
	>"$TMP/p/.devcontainer/devcontainer-lock.json"
outdated
t_status 0 "with a lockfile"
t_is "$(sed "s,$at,AT," "$out" | tr -s ' ')" \
	'Feature Current Wanted Latest
AT:1 1.0.0 1.10.0 2.0.0
AT:odd - - 2.0.0' "the table has what it says"
t_err "warning: .*/p/.devcontainer/devcontainer.json:2:[0-9]+: there is no Feature '$registry/ns/none'" \
	"what is not there is told"
t_is "$(awk '{ print index($0, $NF) }' "$out" | uniq | wc -l)" 1 "in columns"
env_project "$TMP/p" '{"image": "base"}'
outdated --output-format json
t_is "$(cat "$out")" '{"features":{}}' "a project without Features"
env_project "$TMP/p" '{"image": "base", "features": {"127.0.0.1:1/a/b": {}}}'
outdated --registry-retries 1
t_status 5 "a registry that does not answer"
t_err 'devcontainer.json:1:32: 127.0.0.1:1/a/b: ' "is told with the place"
t_run "$DEVENV" outdated --workspace-folder "$TMP/f"
t_status 3 "no configuration"
t_err "no devcontainer.json in '$TMP/f'" "is told"
cp -r "$TMP/p/.devcontainer" "$TMP/f"
: >"$TMP/f/.devcontainer/devcontainer-lock.json"
t_run "$DEVENV" -C "$TMP/f" outdated more
t_status 2 "a word"
t_err "unexpected argument 'more'" "is refused"
t_done
