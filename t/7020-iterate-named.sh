#!/bin/sh
# 7020-iterate-named.sh - what a named context holds starts a round, too
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"

t_need root busybox
t_ok "a base image" env_base
P=$TMP/p
mkdir -p "$P" "$TMP/named/deep"
echo one >"$TMP/named/deep/file"
printf '%s\n' 'FROM base' 'COPY --from=more deep /d' >"$P/Dockerfile"
"$DEVENV" iterate --build-context "more=$TMP/named" --verify 'cat /d/file' \
	"$P" >"$TMP/rounds" 2>"$TMP/log" &
job=$!
t_atexit "kill $job 2>/dev/null"
reached() { [ "$(grep -c '^round' "$TMP/rounds")" -ge "$1" ]; }
t_ok "[S09] the first round" t_wait reached 1
echo two >"$TMP/named/deep/file"
t_ok "[S09] a save in a named context starts a round" t_wait reached 2
t_ok "[S09] with the new text" grep -q '^two$' "$TMP/rounds"
kill $job
wait $job 2>/dev/null
t_run "$DEVENV" iterate --once -f - "$P"
t_status 2 "a Dockerfile on standard input"
t_err '^devenv: -f -: a round cannot read standard input again' \
	"cannot be read in each round"
env_idle "after the rounds"
t_done
