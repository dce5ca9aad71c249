#!/bin/sh
# 6600-envbuilder-parse.sh - envbuilder's cases: what is found, built, refused
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"
. "$(dirname "$0")/helper/gitserver.sh"
. "$(dirname "$0")/envbuilder-lib.sh"

t_need root userns busybox git nginx fcgiwrap
envbuilder_start

# --- where the specification is ---
put .devcontainer/custom/devcontainer.json '{"name": "Test",
	"build": {"dockerfile": "Dockerfile"}}'
put .devcontainer/custom/Dockerfile 'FROM base' 'ENV FOO=bar'
ENVBUILDER_DEVCONTAINER_DIR=.devcontainer/custom \
	up custom sh -c 'echo $FOO; pwd'
t_status 0 "TestBuildFromDevcontainerInCustomPath"
t_is "$(cat "$out")" "bar
/workspaces/custom" "TestBuildFromDevcontainerInCustomPath: built from there"
ENVBUILDER_DEVCONTAINER_JSON_PATH=.devcontainer/custom/devcontainer.json \
	up custom sh -c 'echo $FOO'
t_is "$status $(cat "$out")" "0 bar" "the same by DEVCONTAINER_JSON_PATH"
mkdir "$TMP/foo"
ENVBUILDER_WORKSPACE_BASE_DIR="$TMP/foo" up custom sh -c 'pwd; touch made'
t_is "$status $(cat "$out")" "0 /workspaces/custom" \
	"TestBuildFromCustomWorkspaceBaseDir"
t_ok "TestBuildFromCustomWorkspaceBaseDir: the clone is there" \
	test -e "$TMP/foo/custom/made"
put .devcontainer/subfolder/devcontainer.json \
	'{"build": {"dockerfile": "Dockerfile"}}'
put .devcontainer/subfolder/Dockerfile 'FROM base' 'ENV FOO=sub'
up sub sh -c 'echo $FOO'
t_is "$status $(cat "$out")" "0 sub" "TestBuildFromDevcontainerInSubfolder"
put devcontainer.json '{"build": {"dockerfile": "Mine"}}'
put Mine 'FROM base' 'ENV FOO=top'
up top sh -c 'echo $FOO'
t_is "$status $(cat "$out")" "0 top" "TestBuildFromDevcontainerInRoot"
put .devcontainer.json '{"build": {"dockerfile": "Mine"}}'
put Mine 'FROM base' 'ENV FOO=dot'
up dot sh -c 'echo $FOO'
t_is "$status $(cat "$out")" "0 dot" "the name with a dot is found as well"

# --- contexts ---
context() { # DOCKERFILE COPY-SOURCE
	put "$1" 'FROM base' "COPY $2 /copied"
}
context Dockerfile x/file
put x/file one
ENVBUILDER_DOCKERFILE_PATH=Dockerfile up same cat /copied
t_is "$status $(cat "$out")" "0 one" \
	"TestDockerfileBuildContext/same (default)"
context a/Dockerfile file
put a/file one
ENVBUILDER_DOCKERFILE_PATH=a/Dockerfile up different cat /copied
t_status 3 "TestDockerfileBuildContext/different (default)"
t_err "file" "TestDockerfileBuildContext/different: what is missing is named"
context a/Dockerfile a/file
put a/file one
ENVBUILDER_DOCKERFILE_PATH=a/Dockerfile up roots cat /copied
t_is "$status $(cat "$out")" "0 one" \
	"TestDockerfileBuildContext/different roots"
context a/Dockerfile file
put b/c/file one
ENVBUILDER_DOCKERFILE_PATH=a/Dockerfile ENVBUILDER_BUILD_CONTEXT_PATH=b/c \
	up given cat /copied
t_is "$status $(cat "$out")" "0 one" "TestDockerfileBuildContext/custom"

# --- stages and owners ---
put Dockerfile 'FROM base as a' 'RUN date >/root-date'
ENVBUILDER_DOCKERFILE_PATH=Dockerfile up dangling test -s /root-date
t_status 0 "TestDanglingBuildStage"
account() { echo "RUN echo $1:x:1010:1010::/:/bin/sh >>/etc/passwd"; }
put .devcontainer/devcontainer.json '{"build": {"dockerfile": "Dockerfile"}}'
put .devcontainer/Dockerfile 'FROM base AS a' "$(account pickme)" \
	'USER pickme' 'FROM base AS other' "$(account unused)" 'USER unused' \
	'FROM a AS b'
up stages id -un
t_is "$status $(cat "$out")" "0 pickme" "TestUserFromMultistage"
put .devcontainer/devcontainer.json '{"build": {"dockerfile": "Dockerfile"}}'
put .devcontainer/Dockerfile 'FROM base' 'ARG WHO=bob' 'USER $WHO'
up variable id -un
t_is "$status $(cat "$out")" "0 bob" "a USER from an ARG is expanded"
put Dockerfile 'FROM base AS builder' \
	'RUN mkdir -p /myapp/sub && touch /myapp/file && chown 1001:1002 /myapp/sub && chown 1003:1004 /myapp/file' \
	'FROM base' 'COPY --from=builder /myapp /myapp'
ENVBUILDER_DOCKERFILE_PATH=Dockerfile \
	up owners stat -c %u:%g /myapp/sub /myapp/file
t_is "$status $(tr '\n' ' ' <"$out")" "0 1001:1002 1003:1004 " \
	"TestUidGid/MultiStage"
put Dockerfile 'FROM base' \
	'RUN mkdir /d && touch /d/f && chown 1001:1002 /d /d/f && test $(stat -c %u:%g /d/f) = 1001:1002'
ENVBUILDER_DOCKERFILE_PATH=Dockerfile up owner stat -c %u:%g /d /d/f
t_is "$status $(tr '\n' ' ' <"$out")" "0 1001:1002 1001:1002 " \
	"TestUidGid/SingleStage"
put Dockerfile 'FROM base AS first' 'RUN echo one >/at' 'FROM first AS second' \
	'RUN exit 1'
put devcontainer.json '{"build": {"dockerfile": "Dockerfile", "target": "first"}}'
up target cat /at
t_is "$status $(cat "$out")" "0 one" "build.target is honoured"

# --- what is seen of a build, and its secrets ---
put Dockerfile 'FROM base' 'RUN echo hello'
ENVBUILDER_DOCKERFILE_PATH=Dockerfile up output true
t_err '(^|\] )hello$' "TestBuildPrintBuildOutput"
put Dockerfile 'FROM base' \
	'RUN --mount=type=secret,id=FOO cp /run/secrets/FOO /default' \
	'RUN --mount=type=secret,id=FOO,env=FOO printf %s "$FOO" >/env' \
	'RUN --mount=type=secret,id=FOO,env=FOO,target=/etc/foo cat /etc/foo >/target; test "$FOO" = "$(cat /target)"' \
	'RUN --mount=type=secret,target=/a,id=FOO --mount=type=secret,target=/b,id=FOO cat /a >/first; cat /b >/second'
ENVBUILDER_BUILD_SECRETS=FOO=envbuilder-secret \
	ENVBUILDER_DOCKERFILE_PATH=Dockerfile up secret \
	sh -c 'for f in default env target first second; do cat /$f; echo; done'
t_is "$status $(sort -u "$out") $(wc -l <"$out")" "0 envbuilder-secret 5" \
	"TestBuildSecrets"

# --- failures, and the image for them ---
t_run timeout 60 "$DEVENV" up -- true
t_status 3 "TestNoMethodFails"
t_err '^hint: .*--fallback-image' "TestNoMethodFails: what to do"
t_run timeout 60 env ENVBUILDER_GIT_URL=bad-value "$DEVENV" up -- true
t_status 3 "TestCloneFailsFallback/BadRepo"
t_err "'bad-value' is neither a directory nor the URL of a repository" \
	"TestCloneFailsFallback/BadRepo: named"
put Dockerfile 'bad syntax'
ENVBUILDER_DOCKERFILE_PATH=Dockerfile up badfile true
t_status 3 "TestBuildFailsFallback/BadDockerfile"
t_err "Dockerfile:1:1: dockerfile parse error.*unknown instruction: BAD" \
	"TestBuildFailsFallback/BadDockerfile: where and what"
put Dockerfile 'FROM base' 'RUN exit 1'
ENVBUILDER_DOCKERFILE_PATH=Dockerfile up badrun true
t_status 7 "TestBuildFailsFallback/FailsBuild"
t_err 'Dockerfile:2' "TestBuildFailsFallback/FailsBuild: which step"
put .devcontainer/devcontainer.json 'not json'
up badjson true
t_status 3 "TestBuildFailsFallback/BadDevcontainer"
t_err 'devcontainer.json:1:1: ' "TestBuildFailsFallback/BadDevcontainer: where"
put .devcontainer/devcontainer.json '{}'
ENVBUILDER_FALLBACK_IMAGE=base up none sh -c 'echo $GREETING'
t_is "$status $(cat "$out")" "0 hello" \
	"TestBuildFailsFallback/NoImageOrDockerfile"
up none true
t_status 3 "the same without a fallback image"
t_err 'devcontainer.json:1:1: neither image, build.dockerfile nor' "says so"
# With one, somebody can get in and repair it.
falls_back() { # NAME STDERR SENTENCE: an up of this repository
	ENVBUILDER_FALLBACK_IMAGE=base up "$1" sh -c 'echo $GREETING; pwd'
	t_is "$status $(tr '\n' ' ' <"$out")" "0 hello /workspaces/$1 " "$3"
	t_err "^devenv: (error: )?.*$2" "$3: why"
	t_err "warning: the fallback image 'base' is used instead" "$3: told"
}
ENVBUILDER_DOCKERFILE_PATH=Dockerfile \
	falls_back badfile 'unknown instruction: BAD' \
	"FALLBACK_IMAGE for a bad Dockerfile"
ENVBUILDER_DOCKERFILE_PATH=Dockerfile falls_back badrun 'Dockerfile:2' \
	"FALLBACK_IMAGE for a failed build"
falls_back badjson 'devcontainer.json:1:1: ' "FALLBACK_IMAGE for bad JSON"
falls_back norepo '404' "FALLBACK_IMAGE for a clone that failed"
put Dockerfile "FROM 127.0.0.1:1/none/none"
DEVENV_REGISTRY_RETRIES=1 ENVBUILDER_DOCKERFILE_PATH=Dockerfile \
	falls_back badbase '127.0.0.1:1' \
	"FALLBACK_IMAGE for a base image that is not to be had"
DEVENV_REGISTRY_RETRIES=1 ENVBUILDER_FALLBACK_IMAGE=127.0.0.1:1/x \
	up norepo true
t_status 5 "a fallback image that is not to be had"
t_err '127.0.0.1:1' "is the error"
t_run timeout 60 "$DEVENV" up --fallback-image base bad-value -- true
t_status 3 "a word that means nothing is no reason to start"
t_ok "nor to make a directory" test ! -e bad-value
ENVBUILDER_GET_CACHED_IMAGE=true ENVBUILDER_DOCKERFILE_PATH=Dockerfile \
	ENVBUILDER_FALLBACK_IMAGE=base up badfile true
t_is "$status $(cat "$out")" "3 " "nor is a probe that fails"
ENVBUILDER_DOCKERFILE_PATH=Dockerfile ENVBUILDER_FALLBACK_IMAGE=base \
	ENVBUILDER_EXIT_ON_BUILD_FAILURE=true up badfile true
t_status 3 "TestExitBuildOnFailure"
t_err "dockerfile parse error.*unknown instruction: BAD" \
	"TestExitBuildOnFailure: told"

env_idle "at the end"
t_done
