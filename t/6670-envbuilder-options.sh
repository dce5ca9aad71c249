#!/bin/sh
# 6670-envbuilder-options.sh - every variable of envbuilder's and what it does
. "$(dirname "$0")/lib.sh"

# Each is an option here (its name follows, and a value where any word will not
# do), is named in a warning (with what to do instead), or is silent:
# what it asks for is so in any case.
cat >"$TMP/rows" <<'END'
GIT_URL option git-url
GIT_CLONE_DEPTH option depth 1
GIT_CLONE_SINGLE_BRANCH option single-branch
GIT_CLONE_THINPACK silent
GIT_HTTP_PROXY_URL option git-http-proxy-url
WORKSPACE_BASE_DIR option workspace-base-dir
WORKSPACE_FOLDER option workspace-folder
REMOTE_REPO_BUILD_MODE option remote-repo-build-mode
DEVCONTAINER_DIR option config-dir
DEVCONTAINER_JSON_PATH option config
GIT_USERNAME option git-username
GIT_PASSWORD option git-password
GIT_SSH_PRIVATE_KEY_PATH option git-ssh-private-key-path
GIT_SSH_PRIVATE_KEY_BASE64 option git-ssh-private-key-base64
DOCKER_CONFIG_BASE64 option docker-config-base64
DOCKERFILE_PATH option file
BUILD_CONTEXT_PATH option context
BUILD_SECRETS option build-secrets A=b
FALLBACK_IMAGE option fallback-image
EXIT_ON_BUILD_FAILURE option exit-on-build-failure
IGNORE_PATHS warning .*named with --volume
SKIP_REBUILD warning .*only where something it depends on changed
BINARY_PATH silent
CACHE_REPO option cache-repo
CACHE_TTL_DAYS option cache-ttl-days 1
BASE_IMAGE_CACHE_DIR option base-store
LAYER_CACHE_DIR option layer-cache-dir
PUSH_IMAGE option push-image
EXIT_ON_PUSH_FAILURE option exit-on-push-failure
INSECURE option insecure
SSL_CERT_BASE64 option ssl-cert-base64
INIT_COMMAND option init-command
INIT_SCRIPT option init-script
INIT_ARGS option init-args
SETUP_SCRIPT option setup-script
EXPORT_ENV_FILE option export-env-file /x
POST_START_SCRIPT_PATH option post-start-script-path /x
VERBOSE option verbose
GET_CACHED_IMAGE option get-cached-image
FORCE_SAFE silent
END
t_is "$(wc -l <"$TMP/rows")" 40 "the variables with envbuilder's prefix"
"$DEVENV" up --help >"$TMP/help"
cat "$SRC"/t/[0-57-9]*.sh "$SRC"/t/6[0-5]*.sh "$SRC"/t/66[0-6]*.sh >"$TMP/tests"
# An option's line of the help: what follows its name.
option() { grep -E -e "^ *(-[a-zA-Z], )?--$1([= ]|\$)" "$TMP/help"; }

# All of them at once, for a word that is wrong: what is said of each?
set --
while read -r name kind option value; do
	case $kind in
	silent | warning) value=yes ;;
	option) option "$option" | grep -qv -e "--$option=" && value=true ;;
	esac
	set -- "$@" "ENVBUILDER_$name=${value:-x}"
done <"$TMP/rows"
t_run timeout 60 env "$@" "$DEVENV" up "$TMP/nothing" -- true
t_status 3 "all of them are understood"
t_err "'$TMP/nothing' is neither a directory nor" "up to what is wrong"
while read -r name kind rest; do
	case $kind in
	warning)
		t_err "warning: ENVBUILDER_$name is set and not acted on: $rest" \
			"$name is named, with what to do instead"
		continue
		;;
	option)
		t_is "$(option "${rest%% *}" | head -n 1 | wc -l)$(for f in \
			"$SRC/man/devenv.1" "$TMP/tests"; do
			grep -qw "ENVBUILDER_$name" "$f" || echo " not in $f"
		done)" 1 "$name is an option, in devenv(1) and tested"
		;;
	esac
	t_ok "$name is not named" sh -c '! grep -qw "$1" "$2"' - \
		"ENVBUILDER_$name" "$err"
done <"$TMP/rows"
set --
while read -r name rest; do
	set -- "$@" "ENVBUILDER_$name="
done <"$TMP/rows"
t_run env "$@" "$DEVENV" up "$TMP/nothing" -- true
t_is "$(grep -c ENVBUILDER "$err")" 0 "one that is empty is not set"
t_run env ENVBUILDER_IGNORE_PATHS=0 ENVBUILDER_SKIP_REBUILD=FALSE \
	"$DEVENV" up "$TMP/nothing" -- true
t_is "$(grep -c ENVBUILDER "$err")" 0 "nor is one that says no"

# --- without a prefix ---
mkdir "$TMP/empty"
cd "$TMP/empty" || exit 1
t_run env GIT_URL=x INIT_SCRIPT=y VERBOSE=1 ENVBUILDER_VERBOSE=0 \
	"$DEVENV" up -- true
t_status 3 "names without the prefix, as they once were"
t_err 'warning: GIT_URL is set and not read: it is ENVBUILDER_GIT_URL here' \
	"are named"
t_err 'warning: INIT_SCRIPT is set and not read' "each of them"
t_is "$(grep -c 'VERBOSE is set' "$err")" 0 "but for those set by both"
t_run env GIT_URL=x VERBOSE=1 "$DEVENV" up "$TMP/empty" -- true
t_is "$(grep -c 'is set' "$err")" 0 "and where it is clear what is meant"
t_run env VERBOSE=1 INSECURE=1 "$DEVENV" up -- true
t_is "$(grep -c 'is set' "$err")" 0 "or could be of others"

# --- Coder's ---
t_run env CODER_AGENT_URL=http://127.0.0.1:1 CODER_AGENT_TOKEN=secret-token \
	CODER_AGENT_SUBSYSTEM=exectrace "$DEVENV" up -- true
for name in URL TOKEN SUBSYSTEM; do
	t_err "warning: CODER_AGENT_$name is not set in the environment: --env" \
		"CODER_AGENT_$name: how the environment gets it"
done
t_err 'warning: CODER_AGENT_URL: logs are not sent to Coder' \
	"TestLogs: that logs are not shipped is told"
t_is "$(grep -c secret-token "$err")" 0 "the token is not"
t_run env CODER_AGENT_URL=http://127.0.0.1:1 "$DEVENV" up \
	-e CODER_AGENT_URL -- true
t_is "$(grep -c CODER "$err")" 0 "nothing is wrong with one that is handed on"
t_run env KANIKO_DIR=/x SNAPSHOT_TIMEOUT_DURATION=1m CODER_AGENT_TOKEN='' \
	"$DEVENV" up -- true
t_is "$(grep -c 'warning' "$err")" 0 "nor is there anything to say of others"
t_done
