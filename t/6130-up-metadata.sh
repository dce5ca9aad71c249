#!/bin/sh
# 6130-up-metadata.sh - what images say about their use, read and written
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"

t_need root userns busybox jq
t_ok "a base image" env_base
up() { t_run timeout 60 "$DEVENV" up "$@"; }

mkdir "$TMP/lib"
cat >"$TMP/lib/Dockerfile" <<'END'
FROM base
LABEL devcontainer.metadata='[{"id": "tool", "onCreateCommand": "echo of the image", \
"remoteEnv": {"A": "image", "B": "${containerWorkspaceFolderBasename}-${containerEnv:GREETING}"}, \
"remoteUser": "bob", "customizations": {"editor": {"x": 1}}}]'
END
t_ok "an image with a label" "$DEVENV" build -q -t labelled "$TMP/lib"

# --- read ---
env_project "$TMP/app" '{"image": "labelled",
	"onCreateCommand": "echo of the file",
	"remoteEnv": {"A": "file"}}'
up "$TMP/app" -- sh -c 'echo "$A $B"; id -un'
t_status 0 "up of an image with a label"
t_is "$(cat "$out")" "file app-hello
bob" "its variables, with ours on top; its user"
t_is "$(grep -o 'of the [a-z]*$' "$err" | grep -v 'echo' | sort -u | tr '\n' ' ')" \
	"of the file of the image " "hooks of both run"
t_is "$(sed -n 's/^\[onCreateCommand\] \(of .*\)/\1/p' "$err")" \
	"of the image
of the file" "those of the image first"
mkdir "$TMP/plain"
echo 'FROM labelled' >"$TMP/plain/Dockerfile"
up "$TMP/plain" -- sh -c 'echo "$A"; id -un'
t_is "$(cat "$out")" "image
bob" "a Dockerfile alone has what its image says"
t_err '^\[onCreateCommand\] of the image$' "and its hooks"

# --- written ---
t_run "$DEVENV" build -q "$TMP/app"
t_status 0 "a build of a configuration"
id=$(jq -r .image.config_digest "$out")
jq -r '.config.Labels["devcontainer.metadata"]' \
	"$DEVENV_STORE/blobs/sha256/${id#sha256:}" >"$TMP/label"
t_is "$(jq -c 'map(.id // "file")' "$TMP/label")" '["tool","file"]' \
	"its image has the entries of its base and its own"
t_is "$(jq -c '.[0].remoteEnv.B' "$TMP/label")" \
	'"${containerWorkspaceFolderBasename}-${containerEnv:GREETING}"' \
	"as they were written"
t_is "$(jq -c '.[1] | keys' "$TMP/label")" '["onCreateCommand","remoteEnv"]' \
	"without what only the file may say"
env_project "$TMP/own" '{"build": {"dockerfile": "Dockerfile"}, "init": true}'
cp "$TMP/lib/Dockerfile" "$TMP/own/.devcontainer"
id=$("$DEVENV" build -q "$TMP/own" | jq -r .image.config_digest)
t_is "$(jq -r '.config.Labels["devcontainer.metadata"]' \
	"$DEVENV_STORE/blobs/sha256/${id#sha256:}" | jq -c 'map(keys[0])')" \
	'["customizations","init"]' "a LABEL of the Dockerfile is added to"

# --- what the configuration asks of the build ---
env_project "$TMP/opts" '{"build": {"dockerfile": "Dockerfile", "options":
	["--label", "a=file", "--label=b=file", "--network=none", "--secret", "id=x,src=/etc/passwd"]}}'
printf 'FROM base\nRUN ls /sys/class/net >/net\n' >"$TMP/opts/.devcontainer/Dockerfile"
t_run "$DEVENV" build -q --label b=line "$TMP/opts"
id=$(jq -r .image.config_digest "$out")
t_is "$(jq -c '.config.Labels | .a, .b' "$DEVENV_STORE/blobs/sha256/${id#sha256:}" | tr '\n' ' ')" \
	'"file" "line" ' "labels, where the command line wins"
t_is "$("$DEVENV" run "$id" cat /net)" lo "a network of its own"
t_err "json:2:60: build option '--secret' is not acted on" "what could read this host is named"

# --- the same environment, though the image says something else ---
up "$TMP/app" -- touch /tmp/kept
env_project "$TMP/app" '{"image": "labelled", "remoteEnv": {"A": "new"}}'
up "$TMP/app" -- sh -c 'ls /tmp/kept; echo "$A"'
t_is "$(cat "$out")" "/tmp/kept
new" "an edited configuration is in effect and loses nothing"

# --- a record that was edited ---
"$DEVENV" build -q "$TMP/app" 2>/dev/null |
	jq '.plan.config.remoteEnv.A = "edited"' >"$TMP/record.json"
t_run timeout 60 "$DEVENV" run "$TMP/record.json" -- sh -c 'echo "$A $B"'
t_is "$(cat "$out")" "edited app-hello" "a record's configuration counts"

# --- broken ---
printf 'FROM base\nLABEL devcontainer.metadata="[oops"\n' \
	>"$TMP/plain/Dockerfile"
up "$TMP/plain" -- id -un
t_status 0 "a broken label"
t_err 'label devcontainer.metadata is ignored: 1:2: ' "is ignored with a word"
printf 'FROM base\nLABEL devcontainer.metadata=%s\n' \
	"'[{\"mounts\": 7, \"remoteUser\": \"bob\"}]'" >"$TMP/plain/Dockerfile"
up "$TMP/plain" -- id -un
t_is "$(cat "$out")" bob "what is right in a label counts"
t_err "label devcontainer.metadata:1:13: 'mounts' is a number, expected an array; it is ignored" \
	"what is wrong is named"
t_done
