#!/bin/sh
# 6650-envbuilder-setup.sh - envbuilder's cases: set-up script, files left
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"
. "$(dirname "$0")/helper/gitserver.sh"
. "$(dirname "$0")/envbuilder-lib.sh"

t_need root userns busybox git nginx fcgiwrap
envbuilder_start
J=.devcontainer/devcontainer.json

# --- the set-up script ---
setup() { # NAME SCRIPT [COMMAND...]: an up with this script
	s_name=$1
	s_script=$2
	shift 2
	[ ! -d "$TMP/tree" ] || publish "$s_name"
	ENVBUILDER_SETUP_SCRIPT=$s_script t_run timeout 60 "$DEVENV" up \
		--git-url "$GIT_HTTP/$s_name.git" "$@"
}
put $J '{"image": "base", "remoteUser": "bob"}'
setup app 'echo "INIT_ARGS=-c '\''id -un && echo \"two  words\"'\''" >>$ENVBUILDER_ENV
	echo "INIT_COMMAND=/bin/ash" >>$ENVBUILDER_ENV'
t_is "$status $(tr '\n' ' ' <"$out")" "0 bob two  words " \
	"TestBuildWithSetupScript"
setup app 'id -un; echo $HOME $TARGET_USER; pwd; echo wrong >&2
	stat -c %a:%u /.envbuilder $ENVBUILDER_ENV' -- true
t_is "$status $(sed -n 's/^\[setup\] //p' "$err" | tr '\n' ' ')" \
	"0 root /root bob /workspaces/app wrong 700:0 600:0 " \
	"TestLogs: what the script of root says is logged, from its directory"
setup app 'exit 3' -- echo no
t_is "$status $(cat "$out")" "7 " "a script that fails is the end"
t_err 'the set-up script ended with status 3' "and told"
setup app 'echo TARGET_USER=root >$ENVBUILDER_ENV' -- \
	sh -c 'id -un; echo $HOME; ls -d /.envbuilder'
t_is "$status $(tr '\n' ' ' <"$out")" "1 root /root " \
	"it may choose the user, with the home of that one; nothing is left"
"$DEVENV" up -q -d --name other "$TMP/here/app" >/dev/null
exec_home() { "$DEVENV" exec "$@" sh -c 'echo $HOME'; }
t_is "$(exec_home -u 0 other) $(exec_home other)" "/root /home/bob" \
	"as has any other command"
"$DEVENV" rm -f other >/dev/null
DEVENV_INIT_SCRIPT='echo "$A|$B"' setup app \
	'printf "A=1\n\nB=x=y  z\n" >>$ENVBUILDER_ENV'
t_is "$status $(cat "$out")" "0 1|x=y  z" "and set variables"
DEVENV_INIT_SCRIPT='echo no' setup app \
	'echo ENVBUILDER_INIT_COMMAND=/bin/pwd >$ENVBUILDER_ENV'
t_is "$status $(cat "$out")" "0 /workspaces/app" \
	"a command without arguments has none; its long name is known, too"
setup app 'echo INIT_COMMAND=/bin/false >$ENVBUILDER_ENV' -- echo mine
t_is "$status $(cat "$out")" "0 mine" "a command on the line wins"
t_err 'a command was given, so that INIT_COMMAND' "which is told"
setup app 'echo ENVBUILDER_SOMETHING=1 >$ENVBUILDER_ENV' -- echo no
t_is "$status $(cat "$out")" "3 " "another name of ours is refused"
t_err "the set-up script wrote 'ENVBUILDER_SOMETHING'.*not known" "by name"
t_err '^hint: INIT_COMMAND, INIT_ARGS, TARGET_USER' "with those there are"
setup app 'printf "A=1\nnonsense\n" >$ENVBUILDER_ENV' -- echo no
t_is "$status $(cat "$out")" "3 " "a line that sets nothing is refused"
t_err '\$ENVBUILDER_ENV:2:1: a line is NAME=VALUE' "with its number"
setup app 'rm $ENVBUILDER_ENV; ln -s /etc/passwd $ENVBUILDER_ENV' -- echo no
t_is "$status $(cat "$out")" "4 " "a link in its place is not followed"
t_err 'what the set-up script wrote' "but named"
put Dockerfile 'FROM base' 'RUN mkdir -m 777 /.envbuilder'
publish open
setup open true -f Dockerfile -- echo no
t_is "$status $(cat "$out")" "3 " "where others could write, nothing is read"
t_err "'/.envbuilder' of the environment can be written by others" "as told"
put Dockerfile 'FROM base' 'RUN ln -s /tmp /.envbuilder'
publish link
setup link true -f Dockerfile -- echo no
t_is "$status $(cat "$out")" "3 " "nor through a link"
t_err "'/.envbuilder' of the environment" "as told"

# --- variables in a file ---
put $J '{"build": {"dockerfile": "Dockerfile"},
	"containerEnv": {"FROM_CONTAINER_ENV": "bar", "PATH": "/bin"},
	"remoteEnv": {"FROM_REMOTE_ENV": "baz", "GREETING": null,
		"PATH": "/usr/local/bin:${containerEnv:PATH}:${containerEnv:GOPATH:/go/bin}:/opt",
		"REMOTE_BAR": "${containerEnv:FROM_CONTAINER_ENV}"}}'
put .devcontainer/Dockerfile 'FROM base' 'ENV FROM_DOCKERFILE=foo' \
	'RUN mkdir /sub && ln -s /sub /way && echo kept >/old && ln -s /old /link' \
	'RUN ln -s /proc/1/root /magic && ln -s /proc/sys/kernel /kernel'
ENVBUILDER_EXPORT_ENV_FILE=/env up vars cat /env
t_is "$status $(cat "$out")" '0 DEVCONTAINER=true
DEVCONTAINER_CONFIG=/workspaces/vars/.devcontainer/devcontainer.json
ENVBUILDER=true
FROM_CONTAINER_ENV=bar
FROM_DOCKERFILE=foo
FROM_REMOTE_ENV=baz
PATH=/usr/local/bin:/bin:/go/bin:/opt
REMOTE_BAR=bar' "TestContainerEnv"
ENVBUILDER_EXPORT_ENV_FILE=/link up vars sh -c \
	'cat /old; stat -c %F:%a:%u /link; grep -c . /link'
t_is "$status $(tr '\n' ' ' <"$out")" "0 kept regular file:644:0 8 " \
	"a link at the end is replaced, not followed"
(umask 077; up vars --export-env-file /way/env stat -c %a:%u /sub/env)
DEVENV_EXPORT_ENV_FILE=/way/env up vars stat -c %a:%u /sub/env
t_is "$status $(cat "$out")" "0 644:0" "a link on the way ends in there"
ENVBUILDER_EXPORT_ENV_FILE=/none/env up vars echo no
t_is "$status $(cat "$out")" "3 " "a directory that is not there"
t_err "cannot write '/none/env' in the environment: '/none': No such" "is named"
ENVBUILDER_EXPORT_ENV_FILE=some/env up vars echo no
t_is "$status $(cat "$out")" "2 " "a path that is not absolute"
t_err "[-]-export-env-file: 'some/env' is not the absolute path of a file" "is told"
ENVBUILDER_EXPORT_ENV_FILE=/workspaces/vars/out up vars true
t_is "$status $(grep -c . "$TMP/here/vars/out")" "0 8" \
	"a file of the workspace is a file of the workspace"
mkdir "$TMP/outside"
ln -s "$TMP/outside" "$TMP/here/vars/away"
t_run timeout 60 "$DEVENV" up --export-env-file /workspaces/vars/away/x \
	"$TMP/here/vars" -- true
t_is "$status $(ls "$TMP/outside")" "3 " \
	"nothing is written where its links lead out"
before=$(cat /proc/sys/kernel/core_pattern)
t_run timeout 60 "$DEVENV" up --export-env-file /magic/tmp/env \
	"$TMP/here/vars" -- echo no
t_is "$status $(cat "$out")" "3 " "nor where the image's lead through /proc"
t_err "cannot write '/magic/tmp/env' .*: '/magic/tmp': Too many levels of" \
	"which is told"
t_run timeout 60 "$DEVENV" up --export-env-file /kernel/core_pattern \
	"$TMP/here/vars" -- echo no
t_is "$status $(cat "$out")" "4 " "a parameter of the kernel is no file"
t_err "'/kernel/core_pattern' in the environment: cannot create a file" \
	"and not replaced"
t_is "$(cat /proc/sys/kernel/core_pattern)" "$before" "it is as it was"

# --- postStartCommand in a script ---
put $J '{"build": {"dockerfile": "Dockerfile"},
	"postStartCommand": {"command1": "echo command1 output > /tmp/out1",
		"command2": ["sh", "-c",
			"echo '\''contains \"double quotes\"'\'' > '\''/tmp/out2'\''"]}}'
put .devcontainer/init.sh '#!/bin/sh' '/tmp/post-start.sh' \
	'cat /tmp/post-start.sh /tmp/out1 /tmp/out2; stat -c %a:%u /tmp/post-start.sh'
put .devcontainer/Dockerfile 'FROM base' 'COPY init.sh /bin' \
	'RUN chmod 755 /bin/init.sh' 'USER bob'
publish post
post() {
	ENVBUILDER_POST_START_SCRIPT_PATH=/tmp/post-start.sh t_run timeout 60 \
		"$DEVENV" up --git-url "$GIT_HTTP/post.git" "$@"
}
umask 077
ENVBUILDER_INIT_COMMAND=/bin/init.sh ENVBUILDER_INIT_ARGS='x' post
once=$("$DEVENV" run base stat -c %a /)
umask 022
t_is "$status $(cat "$out")" '0 #!/bin/sh

echo command1 output > /tmp/out1
'\''sh'\'' '\''-c'\'' '\''echo '\''"'\''"'\''contains "double quotes"'\''"'\''"'\'' > '\''"'\''"'\''/tmp/out2'\''"'\''"'\'''\''
command1 output
contains "double quotes"
755:0' "TestPostStartScript"
t_is "$once" 755 "our umask is none of its own"
post -- rm /tmp/out1 /tmp/out2
post -- ls /tmp
t_is "$status $(cat "$out")" "0 post-start.sh" \
	"TestPostStartScript: the command runs it, and nobody else"

env_idle "at the end"
t_done
