#!/bin/sh
# the demonstration: a repository from clone to running, changed, again
. "$(dirname "$0")/lib.sh"
t_need userns busybox git tar

TMPDIR=$TMP
export TMPDIR
t_run sh "$SRC/contrib/demo/demo.sh" "$DEVENV"
t_status 0 "it goes through"
t_out 'localhost/demo/base:1' "with a base image of its own"
t_out '^in the environment: dev in /workspaces/app, 12 words$' \
	"the command runs as remoteUser, in the workspace"
t_out '^hello from the environment$' \
	"with the build argument in the image and remoteEnv's PATH"
t_out '^now 15 words$' "the change is seen"
t_err '\[onCreateCommand\] onCreate: made once, as dev' "hooks run as the user"
t_err '\[postCreateCommand tools\] hello from postCreate' \
	"hooks see remoteEnv's PATH, with the container's in it"
t_err '\[postCreateCommand tree\] first.txt' \
	"by which commands without a shell are found, too"
t_err 'postStart: in /workspaces/app, APP_MODE=development' "and containerEnv"
t_is "$(grep -c '\[onCreateCommand\] onCreate' "$err")" 2 \
	"create hooks run once for each image"
t_is "$(grep -c '\[postStartCommand\] postStart' "$err")" 3 \
	"start hooks at each start"
t_err 'nothing to build$' "the second time builds nothing"
t_err 'built: 2 of 5 steps run' "a change builds what depends on it"
t_is "$(sed -n '/built anew/,/== times/s/^devenv: .*\] \([A-Z]*\) .*/\1/p' "$out" |
	tr '\n' ' ')" "COPY RUN " "and it says what that was"
t_out "\] has to run: 'src/second.txt' changed\$" "and why"
t_is "$(ls -d "$TMP"/devenv-demo.* 2>/dev/null)" "" "nothing is left"
t_done
