#!/bin/sh
# Features of registries are fetched side by side
. "$(dirname "$0")/lib.sh"
. "$SRC/t/env-lib.sh"

t_need root jq busybox python3
D=$DEVENV
t_ok "a base image" env_base
port=$(t_port)
log=$TMP/log
python3 "$SRC/t/helper/gather.py" "$port" "$log" >"$TMP/up" &
gather=$!
t_atexit "kill $gather"
t_ok "the registry is up" t_wait grep up "$TMP/up"
at=127.0.0.1:$port/ns
env_project "$TMP/p" "{\"image\": \"base\", \"features\": {
	\"$at/h\": {}, \"$at/g\": {}, \"$at/f\": {}, \"$at/e\": {},
	\"$at/d\": {}, \"$at/c\": {}, \"$at/b\": {}, \"$at/a\": {}}}"
t_run timeout 60 "$D" parse --print=features "$TMP/p"
t_status 0 "eight Features, one with dependencies on two levels"
t_is "$(jq -r '.[].id' "$out" | sed 's,.*/,,' | tr '\n' ' ')" \
	'b c d e f g h y z x a ' "are in order"
t_is "$(grep -v '^blob' "$log" | sort | uniq -c | sed 's/^ *//' | tr '\n' ',')" \
	'8 challenge 0 met,2 challenge 1 met,1 challenge 2 met,8 manifest 0 met,2 manifest 1 met,1 manifest 2 met,8 token 0 met,2 token 1 met,1 token 2 met,' \
	"a level is asked about at once, each once, and its tokens, too"
: >"$log"
t_run timeout 60 "$D" build -q -t app "$TMP/p"
t_status 0 "their build"
t_is "$(grep '^blob' "$log" | sort | uniq -c | sed 's/^ *//')" \
	'11 blob 0 met' "fetches all archives at once"
t_is "$("$D" run app cat /order | tr '\n' ' ')" 'b c d e f g h y z x a ' \
	"and installs them one by one"

# --- Features of the command line ---
env_project "$TMP/r" "{\"image\": \"base\",
	\"features\": {\"$at/c\": {\"version\": \"1\"}}}"
more="{\"$at/z\": {}, \"$at/c\": {\"version\": \"2\"}}"
t_run "$D" parse --print=features --additional-features "$more" "$TMP/r"
t_status 0 "additional Features"
t_is "$(jq -c 'map([(.id | split("/") | last), .options])' "$out")" \
	'[["c",{"version":"1"}],["z",{}]]' "come to those of the file, which stay"
t_run "$D" read-configuration --workspace-folder "$TMP/r" \
	--include-features-configuration --additional-features "$more"
t_is "$(jq '.featuresConfiguration.featureSets | length' "$out")" 2 \
	"for read-configuration as well"
t_run timeout 60 env DEVENV_ADDITIONAL_FEATURES="$more" \
	"$D" build -q -t more "$TMP/r"
t_status 0 "a build with them"
t_is "$("$D" run more cat /order | tr '\n' ' ')" 'c z ' "has them"
t_is "$(jq -r '.features | keys[]' "$TMP/r/.devcontainer/devcontainer-lock.json")" \
	"$at/c" "and the lockfile only that of the file"
additional() { # JSON MESSAGE SENTENCE
	t_run "$D" parse --additional-features "$1" "${4:-$TMP/r}"
	t_status 2 "$3"
	t_err "$2" "is told"
}
additional '{' 'additional-features:1:2: ' "what is no JSON"
additional '[]' 'additional-features: expected an object' "what is no object"
mkdir "$TMP/plain"
echo 'FROM base' >"$TMP/plain/Dockerfile"
additional "$more" 'is for a project with a devcontainer.json' \
	"a project without a configuration" "$TMP/plain"
t_run "$D" parse --print=features --additional-features '{"nonsense": {}}' "$TMP/r"
t_status 3 "a name that is none"
t_err "^devenv: --additional-features: .*nonsense" "is told with its place"

# --- what cannot be had is told as if each were asked for alone ---
env_project "$TMP/q" "{\"image\": \"base\",
	\"features\": {\"$at/h\": {},
		\"127.0.0.1:1/ns/second\": {},
		\"127.0.0.1:1/ns/first\": {}}}"
t_run timeout 60 "$D" parse --print=features --registry-retries 1 "$TMP/q"
t_status 5 "one of several that cannot be had"
t_err 'devcontainer.json:3:3: 127.0.0.1:1/ns/second:latest: ' \
	"is the first of them"
t_is "$(grep -c '127.0.0.1:1' "$err")" 1 "once"
t_done
