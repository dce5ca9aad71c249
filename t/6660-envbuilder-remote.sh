#!/bin/sh
# 6660-envbuilder-remote.sh - envbuilder's cases: a build from a fresh clone
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"
. "$(dirname "$0")/helper/gitserver.sh"
. "$(dirname "$0")/envbuilder-lib.sh"

t_need root userns busybox git nginx fcgiwrap jq
envbuilder_start
J=.devcontainer/devcontainer.json
remote() { # COMMAND...: of the repository app, whose clone is there
	ENVBUILDER_REMOTE_REPO_BUILD_MODE=true up app "$@"
}

feature='{"id": "f", "version": "1.0.0", "name": "f"}'
put $J '{"build": {"dockerfile": "Dockerfile", "context": "..",
		"args": {"PLACE": "${localWorkspaceFolder}"}},
	"features": {"./f": {}}, "initializeCommand": "touch prepared",
	"containerEnv": {"LOCAL": "${localWorkspaceFolder}",
		"THERE": "${containerWorkspaceFolder}"},
	"mounts": ["source=${localWorkspaceFolder}/sub,target=/sub,type=bind"],
	"onCreateCommand": "echo remote >/created"}'
put .devcontainer/f/devcontainer-feature.json "$feature"
put .devcontainer/f/install.sh '#!/bin/sh' 'echo feature >/of-feature'
put .devcontainer/Dockerfile 'FROM base' 'ARG PLACE' 'COPY file /file' \
	'RUN echo $PLACE >/place'
put file remote
put sub/file below
publish app
git clone -q "$GIT_HTTP/app.git" "$TMP/here/app"
echo local >"$TMP/here/app/file"
echo mine >"$TMP/here/app/sub/file"
sed -i 's/echo remote/echo local/' "$TMP/here/app/$J"
show='cat /file /of-feature /created /place file /sub/file; echo $LOCAL $THERE
	pwd; echo $DEVCONTAINER_CONFIG'
remote sh -c "$show"
t_is "$status $(cat "$out")" "0 remote
feature
remote
$TMP/here/app
local
mine
$TMP/here/app /workspaces/app
/workspaces/app
/workspaces/app/.devcontainer/devcontainer.json" \
	"REMOTE_REPO_BUILD_MODE: the remote's image, at work on the workspace"
t_ok "nothing is run on this host" test ! -e "$TMP/here/app/prepared"
t_err 'initializeCommand was not run' "which is told"
t_err 'has changes that are not committed: .*; the clone is used as it is' \
	"what somebody is at work on is left alone"
remote sh -c "$show"
t_err 'nothing to build' "a second clone is no reason to build"
t_is "$(ls -A "$DEVENV_STORE/tmp")" "" "no clone is left"
t_run timeout 60 "$DEVENV" up --remote-repo-build-mode -d --name app \
	--git-url "$GIT_HTTP/app.git" "$TMP/here/app"
t_is "$status $(jq -r '.plan.context, .source.path' "$out" | sort -u)" \
	"0 $TMP/here/app" "with a directory, the URL is an option"
"$DEVENV" rm -f app >/dev/null
cp -a "$DEVENV_STORE" "$TMP/other"
t_run "$DEVENV" --store "$TMP/other" cache-probe --format=json \
	--git-url "$GIT_HTTP/app.git"
t_is "$(jq '[.steps[] | select(.key) | .cached] | length, all' "$out" |
	tr '\n' ' ')" "3 true " \
	"cache-probe finds what was built from another clone"
t_run timeout 60 "$DEVENV" up --remote-repo-build-mode "$TMP/here/app" -- true
t_status 2 "without a URL there is nothing to clone"
t_err '[-]-remote-repo-build-mode needs the URL of a repository' "as told"
t_run timeout 60 "$DEVENV" up --remote-repo-build-mode --allow-initialize \
	"$GIT_HTTP/app.git" -- true
t_status 2 "initializeCommand has no place there"
t_err '[-]-allow-initialize exclude each other' "as told"
put $J '{"dockerComposeFile": "c.yml", "service": "s"}'
put .devcontainer/c.yml 'services: {s: {image: base}}'
ENVBUILDER_REMOTE_REPO_BUILD_MODE=true up compose true
t_status 3 "compose files are refused"
t_err 'compose files name directories of the workspace' "with the reason"

# --- a workspace that cannot be brought up to date ---
put $J '{"image": "base"}'
up stay true
mv "$GIT_ROOT/stay.git" "$TMP/away.git"
up stay echo there
t_is "$status $(cat "$out")" "0 there" "without its remote a clone will do"
t_err 'warning: .*404.*; the clone is used as it is' "with a warning"
mv "$TMP/away.git" "$GIT_ROOT/stay.git"
t_run timeout 60 "$DEVENV" up "$GIT_HTTP/stay.git#nope" -- echo no
t_is "$status $(cat "$out")" "6 " "but not for what somebody asks for by name"
t_err "no branch, tag or commit 'nope'" "which is named"
git -C "$TMP/here/stay" checkout -q -b mine
git -C "$TMP/here/stay" -c user.name=a -c user.email=a@b commit -q \
	--allow-empty -m mine
echo change >>"$TMP/here/stay/$J.new"
t_run timeout 60 "$DEVENV" up -d --name stay "$GIT_HTTP/stay.git"
t_is "$status $(jq -r '.source | .ref + " " + .commit' "$out")" \
	"0 refs/heads/mine $(git -C "$TMP/here/stay" rev-parse HEAD)" \
	"the record tells the branch that is there"
"$DEVENV" rm -f stay >/dev/null

env_idle "at the end"
t_done
