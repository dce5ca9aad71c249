#!/bin/sh
# devenv parse: devcontainer.json, its errors, choice and variables
. "$(dirname "$0")/lib.sh"

cd "$TMP" || exit 1
mkdir -p p/.git p/sub/.devcontainer
cat >p/sub/.devcontainer/devcontainer.json <<'J'
{
	// the image
	"build": {"dockerfile": "../Dockerfile", "args": {"V": "${localEnv:VERSION:9}"}, "target": "dev",},
	"remoteUser": "dev", "containerUser": "root",
	"name": "${localWorkspaceFolderBasename} in ${containerWorkspaceFolder}",
	"remoteEnv": {"PATH": "${containerEnv:PATH}:/x"},
	"runServices": [], "unknownThing": 1
}
J
echo 'FROM scratch AS dev' >p/sub/Dockerfile

t_run env VERSION=12 "$DEVENV" parse p/sub
t_status 0 "a configuration is planned"
t_out '"kind": "devcontainer"' "kind"
t_out '"V": "12"' "arguments have their variables replaced"
t_out '"target": "dev"' "target"
t_out '"user": "dev"' "remoteUser is the user"
t_out "\"context\": \"$TMP/p/sub\"" "the context is the Dockerfile's folder"
t_out '"name": "sub in /workspaces/p/sub"' "the workspace is below the Git tree"
t_out 'PATH\}:/x"' "containerEnv stays for later"
t_err "devcontainer.json:7:2: 'runServices' is not acted on" "a property without effect is named"

t_run "$DEVENV" parse p/sub --print=config
t_status 0 "config view"
t_out '"unknownThing": 1' "unknown properties pass"
t_is "$(wc -c <"$err")" 0 "the view warns of nothing"

t_run "$DEVENV" parse p/sub/.devcontainer/devcontainer.json --print=config
t_out '"name": "sub in /workspaces/p/sub"' "the file itself may be named"

refused() {
	printf '%b' "$2" >p/sub/.devcontainer/devcontainer.json
	t_run "$DEVENV" parse p/sub --print=config
	t_status 3 "refused: $1"
	t_err "^devenv: .*p/sub/.devcontainer/devcontainer.json:$3" "position: $1"
	t_is "$(wc -c <"$out")" 0 "nothing printed: $1"
}
refused "empty file" '' '1:1: unexpected end'
refused "not an object" '// c\n[1]' '2:1: expected an object'
refused "missing comma" '{\n"a": 1\n"b": 2}' "3:1: expected ',' or '}'"
refused "leading zero" '{"a":\n 012}' '2:2: number with a leading zero'
refused "wrong type" '{"image": "x",\n  "runArgs": "--privileged"}' "2:14: 'runArgs' is a string"
refused "wrong type inside" '{"image": "x",\n"build": {"args":\n{"A": 1}}}' "3:7: 'A' is a number"
refused "variable without a name" '{"image": "x",\n"name":\n  "${localEnv}"}' '3:3: .*names no environment variable'
refused "trailing text" '{"image": "x"}\n}' '2:1: unexpected text'

echo '{"build": {"dockerfile": "../../../Dockerfile"}}' >p/sub/.devcontainer/devcontainer.json
t_run "$DEVENV" parse p/sub
t_status 3 "a Dockerfile outside of the repository"
t_err "json:1:26: '../../../Dockerfile' is outside of '$TMP/p'" "is refused with its position"
ln -s /etc p/sub/etc
echo '{"build": {"dockerfile": "../etc/passwd"}}' >p/sub/.devcontainer/devcontainer.json
t_run "$DEVENV" parse p/sub
t_status 3 "so is one behind a link"
t_err "leads out of '$TMP/p'" "and that is said"

echo '{"image": "a", "features": {"x.y/z/f:1": {"v": "2"}}}' >p/sub/.devcontainer/devcontainer.json
t_run "$DEVENV" parse p/sub
t_status 0 "features are planned"
t_out '"id": "x.y/z/f:1"' "with their id"
t_out '"where": "p/sub/.devcontainer/devcontainer.json:1:29"' "and where it stands"
t_is "$(cat "$err")" "" "and nobody is asked for them"
echo '{"dockerComposeFile": "c.yml", "service": "a"}' >p/sub/.devcontainer/devcontainer.json
t_run "$DEVENV" parse p/sub --print=dockerfile
t_status 3 "a compose file that is not there"
t_err "cannot open '.*c.yml'" "is named"
printf 'services: {a: {image: some/thing}}' >p/sub/.devcontainer/c.yml
t_run "$DEVENV" parse p/sub --print=dockerfile
t_is "$(cat "$out")" "FROM some/thing" "what would be built of a service is shown"
echo '{"name": "none"}' >p/sub/.devcontainer/devcontainer.json
t_run "$DEVENV" parse p/sub
t_status 3 "nothing to build"
t_err 'json:1:1: neither image' "is an error"
t_run "$DEVENV" parse p/sub --fallback-image f
t_status 0 "unless there is a fallback"
t_out '"text": "FROM f\\n"' "which is then taken"

mkdir -p q/.devcontainer/go q/.devcontainer/js
echo '{"image": "go"}' >q/.devcontainer/go/devcontainer.json
t_run "$DEVENV" parse q
t_out 'FROM go' "a single folder is taken"
echo '{"image": "js"}' >q/.devcontainer/js/devcontainer.json
t_run "$DEVENV" parse q
t_status 3 "several folders"
t_err 'several configurations: go, js' "are listed"
t_err 'choose with --config NAME' "with what to do"
t_run "$DEVENV" parse q --config js
t_out 'FROM js' "--config chooses by name"
t_run "$DEVENV" parse q --config .devcontainer/go/devcontainer.json
t_out 'FROM go' "or by path"
t_run "$DEVENV" parse q --config rust
t_status 3 "a name that is not there"
t_err "no configuration 'rust'" "is named"
t_run env ENVBUILDER_DEVCONTAINER_DIR=.devcontainer/js "$DEVENV" parse q
t_out 'FROM js' "the folder may come from ENVBUILDER_DEVCONTAINER_DIR"
echo '{"image": "root"}' >q/.devcontainer.json
t_run "$DEVENV" parse q
t_out 'FROM root' "the usual places come first"

mkdir -p r/.coder/images r/.coder/environments r/ctx
cat >r/.coder/images/app.yaml <<'Y'
name: app
type: image
// whole-line comment
spec:
  context: ctx
  dockerfile: Dockerfile
  image: registry.example.com/app
  credentials: team
Y
echo 'FROM scratch' >r/ctx/Dockerfile
t_run "$DEVENV" -C r parse image app
t_status 0 "an image template is planned"
t_out '"kind": "template"' "kind of a template"
t_out "\"path\": \"$TMP/r/ctx/Dockerfile\"" "its Dockerfile"
t_out '"reference": "registry.example.com/app"' "where it goes"
t_err "app.yaml:3:1: '//' is not a YAML comment" "a foreign comment is named"
sed 's/ctx/..\/q/' r/.coder/images/app.yaml >r/.coder/images/out.yaml
t_run "$DEVENV" -C r parse image out
t_status 3 "a context outside of the repository"
t_err "out.yaml:5:12: '../q' leads out of the repository" "is refused"
printf 'name: e\ntype: environment\nspec: []\n' >r/.coder/environments/e.yaml
t_run "$DEVENV" -C r parse environment e
t_status 3 "environment templates"
t_err 'e.yaml:2:7: environment templates are not supported' "are named as such"
t_run "$DEVENV" -C r parse image ../x
t_status 2 "a template name is no path"
t_err "'../x' is not a template name" "and that is said"
t_run "$DEVENV" -C r parse image none
t_status 3 "a missing template"
t_err "no template '.coder/images/none.yaml'" "is named"
t_done
