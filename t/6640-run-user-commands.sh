#!/bin/sh
# lifecycle commands that are left for later, as editors call for them
. "$(dirname "$0")/lib.sh"
. "$SRC/t/env-lib.sh"

t_need root jq busybox
D=$DEVENV
W=$TMP/app
up() { t_run timeout 60 "$D" up --json --workspace-folder "$W" "$@"; }
commands() { t_run timeout 60 "$D" run-user-commands "$@"; }
said() { # FILTER JSON SENTENCE
	t_is "$(jq -c "$1" "$out")" "$2" "$3"
}
ran() { # WORDS SENTENCE
	t_is "$("$D" exec --workspace-folder "$W" cat /tmp/ran | tr '\n' ' ')" \
		"$1" "$2"
}

t_ok "a base image" env_base
t_atexit '"$D" rm -f "$("$D" ps -a --format=json | jq -r ".[].name")"'
env_project "$W" '{"image": "base", "userEnvProbe": "none",
	"onCreateCommand": "echo create >>/tmp/ran",
	"updateContentCommand": "echo update >>/tmp/ran",
	"postCreateCommand": "echo post $TOKEN $WHO >>/tmp/ran; test ! -e /tmp/no",
	"postStartCommand": "echo start >>/tmp/ran",
	"postAttachCommand": "echo attach >>/tmp/ran"}'
commands --workspace-folder "$W"
t_status 125 "without an environment"
said '[.outcome, has("message"), has("description"), has("containerId")]' \
	'["error",true,true,false]' "the answer says so"
t_err "^devenv: there is no environment of '$W'" "and a message"
up --skip-post-create
t_status 0 "up without commands"
commands --workspace-folder "$W" --prebuild --docker-path x \
	--override-config x --terminal-rows 24
t_status 0 "those of a prebuild"
said . '{"outcome":"success","result":"prebuild"}' "end there"
t_err '^devenv: --override-config has no effect here' "what is settled is told"
ran 'create update ' "they ran"
"$D" exec --workspace-folder "$W" touch /tmp/no
echo '{"TOKEN": "s3cret"}' >"$TMP/secrets"
cd "$W" || exit 1
commands --secrets-file "$TMP/secrets" --remote-env WHO=me
t_status 7 "one that fails"
said '[.outcome, .containerId != null]' '["error",true]' "is in the answer"
t_err 'postCreateCommand.* ended with status 1' "is told"
ran 'create update post s3cret me ' "with its secret and variable"
"$D" exec --workspace-folder "$W" rm /tmp/no
commands --stop-for-personalization
said .result '"stopForPersonalization"' "what failed runs again"
ran 'create update post s3cret me post ' "and nothing after the dotfiles"
commands --skip-post-attach --config .devcontainer/devcontainer.json
said .result '"done"' "the rest, found by its configuration"
commands
t_status 0 "once more"
ran 'create update post s3cret me post start attach ' \
	"what is done once, or once a start, is not done again"
commands --skip-non-blocking-commands
said .result '"skipNonBlocking"' "none that need not be waited for"
commands --config other.json
t_status 125 "a configuration that nothing runs for"
t_err "there is no environment of '$W/other.json'" "is told"
"$D" stop "$("$D" ps --format=json | jq -r '.[].name')"
up --skip-post-attach
ran 'create update post s3cret me post start attach start ' \
	"each start has its own"
up
ran 'create update post s3cret me post start attach start attach ' \
	"and up goes by the same marks"
if unshare -U true 2>/dev/null && command -v newuidmap >/dev/null; then
	env_accounts
	home=$TMP/home-$RANGE
	mkdir "$home"
	cp -r "$W" "$home/app"
	chown -R "$RANGE" "$home"
	user() {
		(cd "$home" && HOME=$home DEVENV_STORE=$home/store &&
			env_as "$RANGE" timeout 60 "$DEVENV" "$@")
	}
	user build -q -t base "$TMP/base" >/dev/null
	t_run user up --json --skip-post-create "$home/app"
	t_status 0 "a user's environment"
	t_run user run-user-commands --workspace-folder "$home/app"
	t_status 0 "and its commands"
	t_is "$(user exec --workspace-folder "$home/app" cat /tmp/ran | tr '\n' ' ')" \
		'create update post start attach ' "ran"
	user rm -f "$(user ps --format=json | jq -r '.[].name')"
fi
commands one
t_status 2 "a word"
t_err "unexpected argument 'one'" "is refused"
t_done
