#!/bin/sh
# 7000-iterate.sh - each save is a round: what starts one, what ends it
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"

t_need root busybox jq
t_ok "a base image" env_base
P=$TMP/p
mkdir -p "$P/src"
echo one >"$P/src/file"
printf '%s\n' 'FROM base' 'RUN echo fixed >/fixed' 'COPY . /app' >"$P/Dockerfile"
printf '%s\n' '*.log' 'skip' >"$P/.dockerignore"

# --- once ---
once() { t_run timeout 60 "$DEVENV" iterate --once "$@"; }
once --verify 'cat /app/src/file' "$P"
t_status 0 "one round"
t_out '^one$' "the verify command ran in the result"
t_out '^round 1: built in [0-9.]+ s \(2 run, 0 cached\), verify ok in [0-9.]+ s$' \
	"a line tells of it"
once --verify 'exit 3' "$P"
t_status 7 "a verify command that fails is status 7"
t_err 'the verify command ended with status 3' "and says so"
once --verify true --format=json "$P"
t_is "$(jq -r '[.event, .round, .executed, .cached, .status] | join(" ")' \
	"$out")" "round 1 0 2 0" "a line of JSON"
echo 'FROM' >"$P/broken"
once --verify true -f "$P/broken" "$P"
t_status 3 "a broken Dockerfile"
t_err 'broken:1:' "has its place"
once --verify true "$TMP/none"
t_status 3 "a directory that is not there"
t_err "there is no file or directory '$TMP/none'" "is named"
once -d "$P"
t_status 2 "--detach makes no sense"
rm "$P/broken"
env_idle "after one round"

# --- watching ---
"$DEVENV" iterate --verify 'cat /app/src/file' "$P" >"$TMP/rounds" \
	2>"$TMP/log" &
job=$!
rounds() { grep -c "^round" "$TMP/rounds"; }
reached() { [ "$(rounds)" -ge "$1" ]; }
n=1
next() { # SENTENCE: one more round comes, and only one
	n=$((n + 1))
	t_ok "$1" t_wait reached $n
}
quiet() { # SENTENCE: no round comes
	sleep 0.4
	t_is "$(rounds)" $n "$1"
}
t_ok "the first round" t_wait reached 1
echo two >"$P/src/file"
next "a save starts a round"
t_ok "with the new text" grep -q '^two$' "$TMP/rounds"
t_ok "that builds what changed only" grep -q '^round 2: .*(1 run, 1 cached)' \
	"$TMP/rounds"
quiet "one save is one round"
echo x >"$P/a.log"
mkdir "$P/skip"
echo x >"$P/skip/y"
quiet "ignored files start none"
echo three >"$P/src/.tmp" && mv "$P/src/.tmp" "$P/src/file"
next "a save by rename"
t_ok "with the new text" grep -q '^three$' "$TMP/rounds"
sleep 0.3
n=$(rounds)
mkdir -p "$P/new/deep"
sleep 0.3
n=$(rounds)
echo x >"$P/new/deep/file"
next "a file in a new directory"
echo 'FROM' >"$P/Dockerfile"
broken() { grep -q 'Dockerfile:1:' "$TMP/log"; }
t_ok "a broken Dockerfile is told" t_wait broken
rm "$P/Dockerfile"
sleep 0.3
printf '%s\n' 'FROM base' 'COPY . /app' 'RUN echo mended' >"$P/Dockerfile"
n=$(rounds)
next "and the next save goes on, deleted or not"
kill -TERM $job
wait $job
t_is $? 143 "SIGTERM ends it with 143"
env_idle "after watching"

# --- a save during a round ---
echo slow >"$P/src/file"
"$DEVENV" iterate --verify 'grep -q fast /app/src/file || exec sleep 100.'$$ \
	"$P" >"$TMP/rounds" 2>"$TMP/log" &
job=$!
sleeping() { [ "$(runtime_count "^sleep 100[.]$$ ")" -gt 0 ]; }
t_ok "a slow round" t_wait sleeping
echo fast >"$P/src/file"
t_ok "is ended by a save" t_wait grep -q 'verify ok' "$TMP/rounds"
kill -TERM $job
wait $job
env_idle "after an ended round"

# --- Ctrl-C, kill -9 ---
echo slow >"$P/src/file"
t_run timeout 60 python3 "$SRC/t/helper/terminal.py" "$DEVENV" iterate \
	--verify 'echo here; exec sleep 100' "$P" <<'END'
expect here
send \003
END
t_status 130 "Ctrl-C"
t_err '^terminal restored' "leaves the terminal as it was"
env_idle "Ctrl-C"
t_run timeout 60 python3 "$SRC/t/helper/terminal.py" "$DEVENV" iterate "$P" <<'END'
expect round 1
expect # 
send echo in-$((40+2))\r
expect in-42
send exit\r
END
t_status 0 "a shell in the result; its end is the end"
for delay in 0.01 0.03 0.1 0.3; do
	"$DEVENV" iterate --verify 'sleep 100' "$P" >"$out" 2>&1 &
	job=$!
	sleep $delay
	kill -9 $job
	wait $job 2>/dev/null
done
env_idle "kill -9"

# --- a configuration ---
rm "$P/Dockerfile"
env_project "$P" '{"image": "base"}'
"$DEVENV" iterate --verify 'echo "${V:-none}"' "$P" >"$TMP/rounds" \
	2>"$TMP/log" &
job=$!
n=0
next "a devcontainer.json"
env_project "$P" '{"image": "base", '
bad() { grep -q 'devcontainer.json:2:1' "$TMP/log"; }
t_ok "broken JSON is told" t_wait bad
env_project "$P" '{"image": "base", "containerEnv": {"V": "set"}}'
t_ok "and the next save goes on" t_wait grep -q '^set$' "$TMP/rounds"
kill -TERM $job
wait $job
env_idle "the end"

t_done
