#!/bin/sh
# 6300-lifecycle.sh - how an environment comes to life
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"

t_need root userns busybox jq
t_ok "a base image" env_base
up() { t_run timeout 60 "$DEVENV" up "$@"; }
config() { env_project "$TMP/app" "$1"; }

# --- userEnvProbe ---
mkdir "$TMP/shell" && cat >"$TMP/shell/Dockerfile" <<'END'
FROM base
ENV PATH=/opt/tool/bin:/bin:/opt/late/sbin ENV=/home/rc
RUN mkdir -p /opt /etc /home && echo 'echo noise; export PATH=/bin:/usr/local/games LOGIN=yes SPACED="a b"' >/etc/profile && echo 'export RC=yes' >/home/rc
END
"$DEVENV" build -q -t shell "$TMP/shell" >/dev/null 2>"$TMP/err"
config '{"image": "shell", "remoteEnv": {"SPACED": "ours"}}'
up "$TMP/app" -- sh -c 'echo $LOGIN/$RC/$SPACED/$PATH/$SHLVL; env | grep -c ^PWD='
t_status 0 "with the variables of the user's shell"
t_is "$(head -n 1 "$out")" \
	"yes/yes/ours//opt/tool/bin:/bin:/opt/late/sbin:/usr/local/games/1" \
	"start-up files are read, PATH keeps what the image put there, remoteEnv wins"
config '{"image": "shell", "userEnvProbe": "none"}'
up "$TMP/app" -- sh -c 'echo .$LOGIN.$RC.$PATH'
t_is "$(cat "$out")" ".../opt/tool/bin:/bin:/opt/late/sbin" \
	"none: only what the command's own shell reads"
config '{"image": "shell", "userEnvProbe": "loginShell", "postStartCommand": "echo hook sees $LOGIN"}'
up "$TMP/app" -- true
t_err '^\[postStartCommand\] hook sees yes$' "hooks see them, too"
cat >"$TMP/shell/Dockerfile" <<'END'
FROM shell
RUN echo 'sleep 321' >/etc/profile
END
"$DEVENV" build -q -t slow "$TMP/shell" >/dev/null 2>"$TMP/err"
config '{"image": "slow"}'
up --probe-timeout 1 "$TMP/app" -- echo works
t_status 0 "a shell that does not start stops nobody"
t_out '^works$' "the command runs"
t_err "userEnvProbe: /bin/sh -lic of user 'root' takes more than 1 s in 'sleep 321': its variables are not used; .* or set \"userEnvProbe\": \"none\"" \
	"what it waits for is named, and what to do"
up --probe-timeout 4000 "$TMP/app" -- true
t_status 2 "a limit that is none"

# --- initializeCommand ---
config '{"image": "base", "initializeCommand": {
	"a": "pwd >where; echo said", "b": ["touch", "./made"]}}'
up "$TMP/app" -- true
t_status 0 "a repository's command for the host"
t_err 'initializeCommand was not run: it is a command of the repository for this host; --allow-initialize runs it' \
	"is not run unless asked for"
t_ok "nothing happened" test ! -e "$TMP/app/where"
up --allow-initialize "$TMP/app" -- true
t_status 0 "--allow-initialize"
t_is "$(cat "$TMP/app/where")" "$TMP/app" "runs it in the project"
t_ok "all members of an object" test -e "$TMP/app/made"
t_is "$(cat "$out")" "" "standard output stays the command's"
t_err '^said$' "its output is seen"
config '{"image": "base", "initializeCommand": "exit 5"}'
up --allow-initialize "$TMP/app" -- touch /workspaces/app/late
t_status 7 "one that fails"
t_err 'initializeCommand ended with status 5' "is told"
t_ok "stops it all" test ! -e "$TMP/app/late"
config '{"image": "base", "initializeCommand": ["./gone"]}'
up --allow-initialize "$TMP/app" -- true
t_err "cannot run './gone'" "one that is not there is named"

# --- secrets ---
printf '{ // for hooks\n "TOKEN": "s3cr3t-value", "KEY": "first line\\nsecond line", }' >"$TMP/secrets.json"
config '{"image": "base", "onCreateCommand": "echo got $TOKEN; echo \"$KEY\"; test \"${TOKEN#s3cr3t}\" = -value"}'
up --replace --secrets-file "$TMP/secrets.json" "$TMP/app" -- sh -c 'echo .$TOKEN.'
t_status 0 "secrets for lifecycle commands"
t_err '^\[onCreateCommand\] got \*\*\*\*\*\*\*\*$' "they have them; nobody sees them"
t_ok "not a line of them" sh -c '! grep -q "second line" "$1"' - "$err"
t_is "$(cat "$out")" ".." "other commands do not have them"
t_ok "the store does not either" \
	sh -c '! grep -rqF s3cr3t-value "$1/run"' - "$DEVENV_STORE"
printf '{"A": 5}' >"$TMP/secrets.json"
up --secrets-file "$TMP/secrets.json" "$TMP/app" -- true
t_status 3 "a secret that is no string"
t_err "secrets.json: the value of 'A' is not a string" "is told"
printf '["A"]' >"$TMP/secrets.json"
up --secrets-file "$TMP/secrets.json" "$TMP/app" -- true
t_err 'it holds no object' "so is a file of something else"

# --- how far it goes ---
config '{"image": "base", "onCreateCommand": "echo o >>/ran",
	"updateContentCommand": "echo u >>/ran", "postCreateCommand": "echo p >>/ran",
	"postStartCommand": "echo s >>/ran", "postAttachCommand": "echo a >>/ran"}'
ran() { up "$@" "$TMP/app" -- sh -c 'tr -d "\n" </ran'; cat "$out"; }
t_is "$(ran --replace --prebuild)" ou "--prebuild ends with updateContentCommand"
t_is "$(ran --prebuild)" ouu "and runs it again"
t_is "$(ran --skip-post-attach)" ouups "the rest runs when it is asked for"
t_is "$(ran --replace --skip-non-blocking-commands)" ou \
	"without waitFor the wait is for updateContentCommand"
config '{"image": "base", "waitFor": "postStartCommand", "onCreateCommand": "echo o >>/ran",
	"postStartCommand": "echo s >>/ran", "postAttachCommand": "echo a >>/ran"}'
t_is "$(ran --replace --skip-non-blocking-commands)" os "waitFor names another"

# --- what went wrong, where programs see it ---
config '{"image": "base", "onCreateCommand": "true", "postCreateCommand": "exit 4"}'
up -d --name failing "$TMP/app"
t_status 7 "a command that fails"
t_run "$DEVENV" ps -a --format=json
t_is "$(jq -r '.[] | select(.name == "failing").failed' "$out")" \
	postCreateCommand "ps knows which"
config '{"image": "base", "onCreateCommand": "true", "postStartCommand": "true"}'
up -d --replace --name fine "$TMP/app"
t_is "$(jq -c .environment.hooks "$out")" \
	'{"onCreateCommand":"done","postStartCommand":"done"}' "so does the record"
"$DEVENV" stop fine 2>/dev/null

# --- for editors ---
config '{"image": "base", "remoteUser": "bob"}'
up --json "$TMP/app"
t_status 0 "up for an editor"
t_is "$(wc -l <"$out") $(tail -n 1 "$out" | jq -c 'del(.containerId)')" \
	'1 {"outcome":"success","remoteUser":"bob","remoteWorkspaceFolder":"/workspaces/app"}' \
	"ends with the line it expects"
id=$(tail -n 1 "$out" | jq -r .containerId)
t_run "$DEVENV" exec --workspace-folder "$TMP/app" -- id -un
t_is "$(cat "$out")" bob "exec finds the environment by its folder"
t_run "$DEVENV" exec -e A=b --workspace-folder "$TMP/app" sh -c 'echo $A-$1' - -e
t_is "$(cat "$out")" b--e "the options of a command there are its own"
t_run "$DEVENV" exec "$id" id -un
t_is "$(cat "$out")" bob "and by its id"
"$DEVENV" stop "$id" 2>/dev/null
config '{"image": "base", "onCreateCommand": "exit 3"}'
up --json --replace "$TMP/app"
t_status 7 "one that fails"
t_is "$(tail -n 1 "$out" | jq -r '.outcome + ": " + .message')" \
	"error: [onCreateCommand] ended with status 3" "says so there"

env_idle "at the end"
t_done
