#!/bin/sh
# what a configuration, its image and its features say together, for tools
. "$(dirname "$0")/lib.sh"

t_need jq
conf() { # TEXT
	printf '%s\n' "$1" >"$TMP/p/sub/.devcontainer/devcontainer.json"
}
merged() { t_run "$DEVENV" parse --print=merged "$TMP/p/sub"; }
is() { # FILTER JSON SENTENCE
	t_is "$(jq -c "$1" "$out")" "$2" "$3"
}

mkdir -p "$TMP/p/.git" "$TMP/p/sub/.devcontainer" "$TMP/base"
cat >"$TMP/base/Dockerfile" <<'END'
FROM scratch
LABEL devcontainer.metadata='[{"id": "f:1", "init": true, "capAdd": ["A"], \
"onCreateCommand": "one", "mounts": ["type=volume,source=v-${devcontainerId},target=/v"], \
"remoteEnv": {"A": "base", "B": "${localEnv:GREETING:none}"}}, \
{"remoteUser": "bob", "postStartCommand": {"a": ["b"]}}]'
END
cd "$TMP" || exit 1
t_ok "a base image" "$DEVENV" build -q -t labelled base

# --- parse --print=merged ---
conf '{"image": "labelled", "capAdd": ["B", "A"], "onCreateCommand": ["two"],
	"remoteEnv": {"A": "file"}, "customizations": {"x": 1}}'
t_run env GREETING=hi "$DEVENV" parse --print=merged p/sub
t_status 0 "the merged view"
is '[.init, .privileged, .remoteUser]' '[true,false,"bob"]' "switches and users"
is .capAdd '["A","B"]' "sets"
is .onCreateCommands '["one",["two"]]' "hooks, the file's last"
is .postStartCommands '[{"a":["b"]}]' "hooks that are objects"
is '[.updateContentCommands, .postCreateCommands, .postAttachCommands]' \
	'[[],[],[]]' "empty lists are there"
is '[.containerEnv, .portsAttributes]' '[{},{}]' "so are empty maps"
is .remoteEnv '{"A":"file","B":"hi"}' "the label's variables are replaced"
is '.mounts[0] | test("source=v-[0-9a-v]{52},")' true "its id, too"
is .customizations '{"x":[1]}' "customizations are lists"
is 'has("onCreateCommand")' false "no singular hook is left"
is .image '"labelled"' "and the rest of the file"

conf '{"build": {"dockerfile": "Dockerfile", "target": "mid"}}'
printf '%s\n' 'FROM labelled AS low' 'FROM low AS mid' 'RUN false' \
	'FROM nowhere.invalid/x' >p/sub/.devcontainer/Dockerfile
merged
t_status 0 "a Dockerfile with a target"
is .remoteUser '"bob"' "has the label of its base; nothing runs"
sed -i 's/^RUN.*/LABEL devcontainer.metadata=[]/' p/sub/.devcontainer/Dockerfile
merged
is .remoteUser null "a LABEL of its own counts"
sed -i 's/^LABEL.*/LABEL devcontainer.metadata="{"/' p/sub/.devcontainer/Dockerfile
merged
t_status 0 "a broken label"
t_err 'warning: label devcontainer.metadata is ignored: 1:2:' "is named"
conf '{"image": "127.0.0.1:1/not:there"}'
t_run "$DEVENV" parse --print=merged --registry-retries 1 p/sub
t_status 5 "a base that cannot be had"
t_err 'Dockerfile:1:1: 127.0.0.1:1/not:there' "is an error with its name"
rm p/sub/.devcontainer/*
echo 'FROM labelled' >p/sub/Dockerfile
merged
is '[.remoteUser, .onCreateCommands]' '["bob",["one"]]' \
	"a Dockerfile alone has what its image says"

# --- read-configuration ---
conf '{"image": "labelled", "remoteEnv": {"X": "${devcontainerId}"}}'
read_configuration() { t_run "$DEVENV" read-configuration "$@"; }
read_configuration --workspace-folder p/sub
t_status 0 "read-configuration"
t_is "$(wc -l <"$out")" 1 "prints one line"
is 'keys' '["configuration","workspace"]' "with its members"
is .configuration.configFilePath.fsPath \
	"\"$TMP/p/sub/.devcontainer/devcontainer.json\"" "where the file is"
is .workspace "{\"workspaceFolder\":\"/workspaces/p/sub\",\"workspaceMount\":\"type=bind,source=$TMP/p,target=/workspaces/p\"}" \
	"the workspace"
read_configuration --workspace-folder p/sub --id-label c=d --id-label a=b \
	--mount-workspace-git-root false --include-merged-configuration \
	--docker-path docker --terminal-rows 24
t_status 0 "with options of the other tool"
is .configuration.remoteEnv.X \
	'"1e2sfmkjt1sga649hgk0s5f3u6nlqhlv9al481r91s7gkeo32p3o"' \
	"the id of labels"
is .workspace.workspaceFolder '"/workspaces/sub"' "the folder itself mounted"
is '[.mergedConfiguration | .remoteUser, .remoteEnv.X == .remoteEnv.X]' \
	'["bob",true]' "the merged configuration"
t_err 'devenv: --docker-path has no effect here' "what has no effect is told"
t_err "devenv: --terminal-rows has no effect here" "each"
mkdir p/sub/.devcontainer/tool
echo '{"id": "tool", "version": "1.2.3", "name": "Tool", "init": true}' \
	>p/sub/.devcontainer/tool/devcontainer-feature.json
touch p/sub/.devcontainer/tool/install.sh
conf '{"image": "labelled", "features": {"./tool": {"a": "b"}}}'
read_configuration --workspace-folder p/sub --include-features-configuration \
	--include-merged-configuration
t_status 0 "with features"
is '.featuresConfiguration.featureSets[0] | .sourceInformation.userFeatureId, (.features[0] | .id, .value, .consecutiveId)' \
	'"./tool"
"tool"
{"a":"b"}
"tool_0"' "which are listed"
is .mergedConfiguration.init true "and merged"
cp p/sub/.devcontainer/devcontainer.json other.json
sed -i 's/, "features.*/}/' other.json
read_configuration --workspace-folder base --override-config other.json
t_status 0 "an override for a project without a configuration"
is .configuration.configFilePath.path \
	"\"$TMP/base/.devcontainer/devcontainer.json\"" "stands in its place"
read_configuration --workspace-folder base
t_status 3 "a project without a configuration"
t_err "no devcontainer.json in '$TMP/base'" "is an error"
t_err '^hint: --config names one' "with what to do"
read_configuration --workspace-folder p/sub --id-label a
t_status 2 "a label without a value"
t_err "id-label: 'a' is not NAME=VALUE" "is refused"
printf '{\n "image": 7}' >other.json
read_configuration --workspace-folder p/sub --config other.json
t_status 3 "a wrong file"
t_err 'other.json:2:11: ' "is named with the place"
t_is "$(wc -c <"$out")" 0 "and nothing is printed"
t_done
