#!/bin/sh
# called as the Dev Container CLI is: its options, labels and answers
. "$(dirname "$0")/lib.sh"
. "$SRC/t/env-lib.sh"

t_need root jq busybox
D=$DEVENV
up() { t_run timeout 60 "$D" up --json "$@"; }
answer() { # FILTER JSON SENTENCE
	t_is "$(tail -n 1 "$out" | jq -c "$1")" "$2" "$3"
}
stop() { "$D" rm -f "$1" >/dev/null 2>&1; }

t_ok "a base image" env_base
t_atexit 'for e in "$DEVENV_STORE"/run/*; do stop "${e##*/}"; done'

# --- up ---
env_project "$TMP/app" '{"image": "base", "containerEnv": {"WHO": "me"},
	"remoteEnv": {"P": "${containerEnv:WHO}/${devcontainerId}"},
	"postCreateCommand": "touch /created", "userEnvProbe": "none"}'
up --workspace-folder "$TMP/nowhere"
t_status 3 "a folder that is not there"
t_err "'$TMP/nowhere' is neither a directory" "is named"
answer '.outcome, .message' "$(printf '%s\n' '"error"' "\"'$TMP/nowhere' is neither a directory nor the URL of a repository\"")" \
	"in the answer, too"
t_run env DEVENV_JSON=true "$D" up --workspace-folder "$TMP/app" \
	--expect-existing-container --mount-workspace-git-root
t_status 6 "an environment that has to be there and is not"
t_err 'the environment that is expected does not exist' "is told"
answer '[.outcome, has("containerId")]' '["error",false]' "in the answer, too"
mkdir "$TMP/data"
echo here >"$TMP/data/file"
up --workspace-folder "$TMP/app" --docker-path docker --buildkit auto \
	--gpu-availability detect --workspace-mount-consistency cached \
	--user-data-folder /x --container-data-folder /x \
	--container-system-data-folder /x --container-session-data-folder /x \
	--docker-compose-path x --terminal-rows 24 --terminal-columns 80 \
	--log-level debug --log-format text --default-user-env-probe none \
	--mount "type=bind,source=$TMP/data,target=/data,external=true" \
	--mount type=volume,source=vol,target=/vol \
	--remote-env GIVEN=there --include-configuration \
	--include-merged-configuration
t_status 0 "up with all that an editor passes"
t_err '^devenv: --gpu-availability has no effect here' "what has none is told"
id=$(tail -n 1 "$out" | jq -r .containerId)
t_is "$(tail -n 1 "$out" | jq -c keys_unsorted)" \
	'["outcome","containerId","remoteUser","remoteWorkspaceFolder","configuration","mergedConfiguration"]' \
	"the answer has the members of the other tool, in its order"
devid=$("$D" read-configuration --workspace-folder "$TMP/app" |
	jq -r '.configuration.remoteEnv.P')
t_ok "the configuration of what runs has its variables" \
	sh -c "echo '$devid' | grep -Eqx 'me/[0-9a-v]{52}'"
answer '.configuration.remoteEnv.P, .mergedConfiguration.remoteEnv.P' \
	"$(printf '"%s"\n"%s"' "$devid" "$devid")" "in both forms"
answer '.mergedConfiguration.postCreateCommands' '["touch /created"]' \
	"merged"

# --- exec ---
exec_in() { t_run timeout 30 "$D" exec "$@"; }
exec_in --workspace-folder "$TMP/app" ls -1 /data /created
t_status 0 "a command with options, without --"
t_out '^file$' "sees a mount of the command line"
exec_in --container-id "$id" --docker-path x \
	sh -c 'echo "$GIVEN $MORE $1"' -- --container-id
t_out '^there  --container-id$' "whatever follows belongs to the command"
exec_in --container-id "$id" --remote-env MORE=x -e EVEN=y \
	sh -c 'echo "$MORE$EVEN"'
t_out '^xy$' "variables of one command"
exec_in "$id" sh -c 'echo "$P"' -e
t_out "^$devid\$" "options after the name are the command's, as with docker"
exec_in --id-label "devcontainer.local_folder=$TMP/app" true
t_status 0 "by the label that it has by itself"
exec_in --id-label devcontainer.local_folder=/none true
t_status 125 "by one that nobody has"
t_err 'there is no environment with these labels' "is told"
exec_in --id-label x true
t_status 2 "by one that is none"
t_err "id-label: 'x' is not NAME=VALUE" "is refused"
exec_in --workspace-folder "$TMP/app"
t_status 0 "without a command a shell"
t_run "$D" run base echo -e --user
t_out '^--user$' "run: options after the image are the command's"

# --- labels ---
up --workspace-folder "$TMP/app" --id-label a=b --id-label c=d \
	--skip-post-create --remove-existing-container
t_status 0 "up with labels"
other=$(tail -n 1 "$out" | jq -r .containerId)
t_ok "is another environment" test "$other" != "$id"
exec_in --id-label c=d sh -c 'echo "$P"; test ! -e /created'
t_status 0 "found by one of them; no command was run"
t_out '^me/1e2sfmkjt1sga649hgk0s5f3u6nlqhlv9al481r91s7gkeo32p3o$' \
	"and its id is made of them"
up --workspace-folder "$TMP/app" --id-label c=d --id-label a=b \
	--expect-existing-container --build-no-cache
t_status 0 "up with the same in another order finds it"
answer .containerId "\"$other\"" "by all of them"
t_run "$D" read-configuration --container-id "$other"
t_status 0 "a configuration by the id"
answer .configuration.remoteEnv.P \
	'"me/1e2sfmkjt1sga649hgk0s5f3u6nlqhlv9al481r91s7gkeo32p3o"' "has it, too"
t_run "$D" read-configuration --container-id none
t_status 2 "of an environment that is not there"
t_err "there is no environment 'none'" "is refused"
up --workspace-folder "$TMP/app" --name third --id-label c=d
exec_in --id-label c=d true
t_status 2 "labels of two environments"
t_err "several environments with these labels: .*, third" "are refused"
stop third
stop "$other"

# --- what is mounted ---
env_project "$TMP/vol" '{"image": "base", "workspaceFolder": "/w/app",
	"workspaceMount": "type=volume,source=code,target=/w"}'
echo x >"$TMP/vol/file"
up --workspace-folder "$TMP/vol" --name vol
t_status 0 "the workspace in a volume"
answer .remoteWorkspaceFolder '"/w/app"' "is where it is said to be"
exec_in vol sh -c 'pwd; ls -A /w/app; echo kept >/w/app/made'
t_is "$(cat "$out")" /w/app "nothing of the project is in it"
stop vol
up --workspace-folder "$TMP/vol" --name vol
exec_in vol cat made
t_out '^kept$' "and it outlives the environment"
stop vol
env_project "$TMP/vol" '{"image": "base", "workspaceFolder": "/w",
	"workspaceMount": "type=tmpfs,target=/w"}'
up "$TMP/vol"
t_status 3 "in a tmpfs"
t_err "workspaceMount: 'type=tmpfs' is not supported" "is refused"
up --mount type=bind,source=/nowhere,target=/x "$TMP/app"
t_status 2 "a mount of what is not there"
t_err "^devenv: --mount: there is no '/nowhere'" "is refused"
up --mount type=bind,target "$TMP/app"
t_status 2 "one that is none"
t_err '^devenv: --mount: ' "is refused"

# --- build ---
t_run timeout 60 "$D" build --json --workspace-folder "$TMP/app" \
	--image-name app:1 --image-name app:2 --docker-path x --buildkit never \
	--label a=b --no-cache
t_status 0 "build"
answer . '{"outcome":"success","imageName":["app:1","app:2"]}' "answers with names"
t_run "$D" run app:2 true
t_status 0 "which the image has"
t_run "$D" build --json "$TMP/app"
answer '.imageName[0][0:7]' '"sha256:"' "or with its id"
t_run "$D" build --json --workspace-folder "$TMP/app" "$TMP/app"
t_status 2 "two projects"
t_err "workspace-folder and '$TMP/app' exclude each other" "are refused"
answer .outcome '"error"' "in the answer, too"

# --- which configuration ---
part() { # NAME: up with this one of several
	mkdir -p "$TMP/mono/.devcontainer/$1"
	echo "{\"image\": \"base\", \"containerEnv\": {\"PART\": \"$1\"}}" \
		>"$TMP/mono/.devcontainer/$1/devcontainer.json"
	up --workspace-folder "$TMP/mono" --config "$1"
	t_status 0 "one of several configurations, $1"
	id=$(tail -n 1 "$out" | jq -r .containerId)
}
part api
api=$id
part web
web=$id
t_is "${api%-*} ${web%-*}" "mono-api mono-web" "each has an environment"
for config in web .devcontainer/web/devcontainer.json; do
	t_run "$D" exec --workspace-folder "$TMP/mono" --config "$config" \
		sh -c 'echo $PART'
	t_is "$(cat "$out")" web "and is found by --config $config"
done
t_run "$D" exec --workspace-folder "$TMP/mono" true
t_status 2 "the folder alone does not tell which"
t_err "there are several environments of '$TMP/mono': $api, $web" "both are named"
t_err '^hint: .*--config' "with what to do"
stop "$web"
t_run "$D" exec --workspace-folder "$TMP/mono" sh -c 'echo $PART'
t_is "$(cat "$out")" api "the folder is enough where there is one"
stop "$api"
printf '%s\n' '{"image": "base", "remoteEnv": {"FROM": "override"}}' \
	>"$TMP/other.json"
mkdir "$TMP/bare"
t_run timeout 60 "$D" up --override-config "$TMP/other.json" "$TMP/bare" -- \
	sh -c 'echo $FROM'
t_status 0 "a configuration for a project that has none"
t_out '^override$' "is in effect"
t_run "$D" parse --print=config --override-config "$TMP/other.json" "$TMP/app"
t_is "$(jq -c .remoteEnv "$out")" '{"FROM":"override"}' "in the place of one"
echo 'FROM base' >"$TMP/bare/Dockerfile"
t_run "$D" parse --override-config "$TMP/other.json" -f Dockerfile "$TMP/bare"
t_status 2 "for a Dockerfile"
t_err 'override-config is for a project with a devcontainer.json' "is refused"
mkdir -p "$TMP/repo/.git" "$TMP/repo/sub"
cp "$TMP/other.json" "$TMP/repo/sub/.devcontainer.json"
t_run timeout 60 "$D" up --mount-workspace-git-root false "$TMP/repo/sub" -- pwd
t_out '^/workspaces/sub$' "a directory of a repository alone"

# --- every option that it had in its version 0.88 ---
while read -r command options; do
	"$D" "$command" --help >"$out"
	lacking=
	for option in $options; do
		grep -qE -e "--$option([=[ ]|\$)" "$out" || lacking="$lacking $option"
	done
	t_is "$lacking" "" "$command takes all of them"
done <<END
up additional-features build-no-cache buildkit cache-from cache-to config \
	container-data-folder container-session-data-folder \
	container-system-data-folder default-user-env-probe docker-compose-path \
	docker-path dotfiles-install-command dotfiles-repository \
	dotfiles-target-path expect-existing-container frozen-lockfile \
	gpu-availability id-label include-configuration \
	include-merged-configuration log-format log-level mount \
	mount-git-worktree-common-dir mount-workspace-git-root no-lockfile \
	override-config prebuild remote-env remove-existing-container \
	secrets-file skip-non-blocking-commands skip-post-attach skip-post-create \
	terminal-columns terminal-rows update-remote-user-uid-default \
	user-data-folder workspace-folder workspace-mount-consistency
build additional-features buildkit cache-from cache-to config \
	docker-compose-path docker-path frozen-lockfile image-name label \
	log-format log-level no-cache no-lockfile output platform push \
	user-data-folder workspace-folder
exec config container-data-folder container-id \
	container-system-data-folder default-user-env-probe docker-compose-path \
	docker-path id-label log-format log-level mount-git-worktree-common-dir \
	mount-workspace-git-root override-config remote-env terminal-columns \
	terminal-rows user-data-folder workspace-folder
run-user-commands config container-data-folder container-id \
	container-session-data-folder container-system-data-folder \
	default-user-env-probe docker-compose-path docker-path \
	dotfiles-install-command dotfiles-repository dotfiles-target-path \
	id-label log-format log-level mount-git-worktree-common-dir \
	mount-workspace-git-root override-config prebuild remote-env secrets-file \
	skip-non-blocking-commands skip-post-attach stop-for-personalization \
	terminal-columns terminal-rows user-data-folder workspace-folder
read-configuration additional-features config container-id \
	docker-compose-path docker-path id-label include-features-configuration \
	include-merged-configuration log-format log-level \
	mount-git-worktree-common-dir mount-workspace-git-root override-config \
	terminal-columns terminal-rows user-data-folder workspace-folder
outdated config log-format log-level output-format terminal-columns \
	terminal-rows user-data-folder workspace-folder
END
t_done
