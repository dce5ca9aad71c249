#!/bin/sh
# 6610-envbuilder-life.sh - envbuilder's cases: variables, users, lifecycle
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"
. "$(dirname "$0")/helper/gitserver.sh"
. "$(dirname "$0")/envbuilder-lib.sh"

t_need root userns busybox git nginx fcgiwrap jq
envbuilder_start
J=.devcontainer/devcontainer.json

# --- variables ---
put $J '{"build": {"dockerfile": "Dockerfile"},
	"containerEnv": {"FROM_CONTAINER_ENV": "bar",
		"FROM_CONTAINER": "foo", "ORDER": "container"},
	"remoteEnv": {"FROM_REMOTE_ENV": "baz", "ORDER": "remote",
		"REMOTE_PATH": "/x:${containerEnv:PATH}",
		"FROM_DOCKERFILE_TOO": "${containerEnv:FROM_DOCKERFILE}",
		"DEFAULT": "${localEnv:NOT_THERE:else}",
		"NOTHING": null}}'
put .devcontainer/Dockerfile 'FROM base' 'ENV FROM_DOCKERFILE=foo NOTHING=set'
up env env
t_status 0 "TestContainerEnv"
t_is "$(grep -E '^(FROM|ORDER|REMOTE|DEFAULT|NOTHING|PATH)' "$out" | sort)" \
	'DEFAULT=else
FROM_CONTAINER=foo
FROM_CONTAINER_ENV=bar
FROM_DOCKERFILE=foo
FROM_DOCKERFILE_TOO=foo
FROM_REMOTE_ENV=baz
ORDER=remote
PATH=/bin
REMOTE_PATH=/x:/bin' "TestContainerEnv: all of them, and what was unset is not"
ENVBUILDER_GIT_PASSWORD=hidden GIT_URL=legacy ENVBUILDER_VERBOSE=false \
	DOCKER_CONFIG="$TMP" KANIKO_DIR=/.envbuilder up env env
t_is "$status-$(grep -cE '^(ENVBUILDER_|GIT_|KANIKO_|DOCKER_|DEVENV_)' "$out")" \
	"0-0" "TestUnsetOptionsEnv"

# --- lifecycle commands ---
scripts='"onCreateCommand": "echo create >/tmp/out; chmod 666 /tmp/out",
	"updateContentCommand": ["sh", "-c", "echo update >>/tmp/out"],
	"postCreateCommand": "(echo -n postCreate.; id -un) >>/tmp/out",
	"postStartCommand": {
		"parallel1": "echo parallel1 >/tmp/parallel1",
		"parallel2": ["sh", "-c", "echo parallel2 >/tmp/parallel2"]}'
ran() { # SENTENCE: what they left
	t_is "$status $(tr '\n' ' ' <"$out")" \
		"0 create update postCreate.bob parallel1 parallel2 " "$1"
}
show='cat /tmp/out /tmp/parallel1 /tmp/parallel2'
put $J '{"build": {"dockerfile": "Dockerfile"}, '"$scripts"'}'
put .devcontainer/Dockerfile 'FROM base' 'USER bob'
up build $show
ran "TestLifecycleScripts/build"
put $J '{"image": "base", "containerUser": "bob", '"$scripts"'}'
up image $show
ran "TestLifecycleScripts/image"
label=$(printf '[{"remoteUser": "bob", %s}]' "$scripts" | jq -c . |
	sed 's/\\/\\\\/g; s/"/\\"/g')
put Dockerfile 'FROM base' "LABEL devcontainer.metadata=\"$label\""
ENVBUILDER_DOCKERFILE_PATH=Dockerfile up label $show
ran "TestLifecycleScripts/label"
put $J '{"build": {"dockerfile": "Dockerfile"},
	"onCreateCommand": "echo file >>/tmp/order"}'
put .devcontainer/Dockerfile 'FROM base' \
	'LABEL devcontainer.metadata="[{\"onCreateCommand\": \"echo label >/tmp/order\", \"containerEnv\": {\"A\": \"label\"}}]"'
up both sh -c 'cat /tmp/order; echo $A'
t_is "$status $(tr '\n' ' ' <"$out")" "0 label file label " \
	"commands of a label and of the file run both, the file's last"
put Dockerfile 'FROM base' \
	'LABEL devcontainer.metadata="{\"remoteUser\": \"bob\"}"'
ENVBUILDER_DOCKERFILE_PATH=Dockerfile up object id -un
t_is "$status $(cat "$out")" "0 bob" "a label with an object is understood"
put $J '{"image": "base", "onCreateCommand": "echo c >>/n",
	"updateContentCommand": "echo u >>/n",
	"postCreateCommand": "echo p >>/n", "postStartCommand": "echo s >>/n"}'
up again true
up again sh -c 'tr -d "\n" </n'
t_is "$status $(cat "$out")" "0 cupss" \
	"TestBuildStopStartCached: a restart runs postStartCommand alone"
t_err 'nothing to build' "TestBuildStopStartCached: and builds nothing"
put $J '{"image": "base", "postCreateCommand": "exit 3",
	"postStartCommand": "echo later >/late"}'
up failing true
t_status 7 "a lifecycle command that fails is not lost"
t_err '\[postCreateCommand\] ended with status 3' "but named"

# --- what is run ---
init() { # SENTENCE: an up without a command says "hi"
	t_run timeout 60 "$DEVENV" up "$TMP/here/$project"
	t_is "$status $(cat "$out")" "0 hi" "$1"
}
put Dockerfile 'FROM base' 'RUN ["/bin/busybox", "rm", "/bin/sh"]'
ENVBUILDER_DOCKERFILE_PATH=Dockerfile up noshell /bin/ash -c 'ls /bin/sh'
t_err 'ls: /bin/sh: No such file' "an image without /bin/sh"
project=noshell
ENVBUILDER_INIT_COMMAND=/bin/ash ENVBUILDER_INIT_SCRIPT='echo hi' \
	init "TestInitScriptInitCommand"
ENVBUILDER_INIT_COMMAND=/bin/ash DEVENV_INIT_SCRIPT='echo hi' \
	init "TestInitScriptInitCommand: by our name"
project=again
ENVBUILDER_INIT_SCRIPT='echo hi' init "a script is one of /bin/sh"
ENVBUILDER_INIT_ARGS="-c 'true && echo \"h\"\\i' x" \
	ENVBUILDER_INIT_SCRIPT='echo no' init "arguments win over a script"
ENVBUILDER_INIT_COMMAND=/bin/printf ENVBUILDER_INIT_ARGS='"%s%s\n" h\i ""' \
	init "quotes are a shell's"
ENVBUILDER_INIT_SCRIPT='echo no' up again echo hi
t_is "$status $(cat "$out")" "0 hi" "a command on the line wins over both"
ENVBUILDER_INIT_ARGS="-c 'echo" t_run "$DEVENV" up "$TMP/here/again"
t_status 2 "a quote that is left open"
t_err '[-]-init-args: a quote is not closed' "is told"

# --- what has no effect ---
ENVBUILDER_SOMETHING='yes' ENVBUILDER_EXPORT_ENV_FILE='' \
	ENVBUILDER_FORCE_SAFE=true ENVBUILDER_VERBOSE=0 \
	ENVBUILDER_REMOTE_REPO_BUILD_MODE=false up again true
t_status 0 "a variable that means nothing here"
t_err 'warning: ENVBUILDER_SOMETHING is set and not acted on' "is named"
t_is "$(grep -c 'not acted on' "$err")" 1 "and no other"
KANIKO_DIR=/elsewhere up again true
t_status 0 "TestForceSafe: nothing here is deleted, so nothing is refused"
t_ok "TestForceSafe: the host is as it was" test -d "$TMP/here/again/.git"

# --- users ---
put $J '{"image": "base", "containerUser": "bob"}'
up groups id -Gn
t_is "$status $(cat "$out")" "0 bob staff" "the user has all groups"
put $J '{"image": "base", "containerUser": "root", "remoteUser": "bob"}'
up remote sh -c 'id -un; echo $HOME'
t_is "$status $(tr '\n' ' ' <"$out")" "0 bob /home/bob " \
	"remoteUser counts without features, too"
put $J '{"image": "base", "containerUser": "1000:50"}'
up ids sh -c 'id -u; id -g'
t_is "$status $(tr '\n' ' ' <"$out")" "0 1000 50 " "a user by numbers"
put Dockerfile 'FROM base' 'USER 4321:50'
ENVBUILDER_DOCKERFILE_PATH=Dockerfile up numbers sh -c 'id -u; id -g'
t_is "$status $(tr '\n' ' ' <"$out")" "0 4321 50 " \
	"USER by numbers that the image does not know"
put $J '{"image": "base", "remoteUser": "gone"}'
up gone true
t_status 3 "a user that is not there"
t_err 'unable to find user gone' "is named"
put $J '{"build": {"dockerfile": "Dockerfile"}, "remoteUser": "test",
	"mounts": ["type=volume,source=home,target=/home/test"]}'
put .devcontainer/Dockerfile 'FROM base' \
	'RUN echo test:x:1001:1001::/home/test:/bin/sh >>/etc/passwd' \
	'RUN mkdir -p /home/test && chown 1001:1001 /home/test'
up home sh -c 'stat -c %u:%g /home/test && touch ~/made'
t_is "$status $(cat "$out")" "0 1001:1001" "TestChownHomedir"

env_idle "at the end"
t_done
