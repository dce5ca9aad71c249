#!/bin/sh
# 3400-build-stages.sh - stages side by side: order, bounds, failures, signals
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"
. "$(dirname "$0")/helper/registry.sh"

t_need root buildah skopeo jq busybox python3
t_atexit build_peer_end
build_bases busybox || t_fail "the base images can be made"
CTX=$TMP/ctx
mkdir "$CTX"

dockerfile() { # on standard input, after the line that names the base
	{ echo "ARG BASE" && cat; } >"$CTX/Dockerfile"
}
build() {
	t_run timeout 60 "$DEVENV" build --build-arg "BASE=$BASE" "$@" "$CTX"
}
# The lines of the steps that ran.
ran() {
	jq -r '[.image.steps[] | select(.key and (.cached | not)) | .line]
		| join(" ")' "$out"
}
steps() { jq -c '[.image.steps[] | del(.seconds)]' "$out"; }
gone() { # WORDS: no process has them, soon
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		pgrep -f "$1" >/dev/null || return 0
		sleep 0.2
	done
	return 1
}

# --- they run at once: each waits until all three are there ---
mkfifo "$TMP/hold"
meeting() { # N SECONDS: sets $port
	[ -z "${meet_pid:-}" ] || kill "$meet_pid"
	python3 "$SRC/t/helper/meet.py" "$1" "$2" <>"$TMP/hold" >"$TMP/port" &
	meet_pid=$!
	until [ -s "$TMP/port" ]; do sleep 0.05; done
	port=$(cat "$TMP/port")
	: >"$TMP/port"
}
t_atexit 'kill $meet_pid'
three() {
	meet="nc 127.0.0.1 $port </dev/null | grep go"
	dockerfile <<-E
		FROM \$BASE AS one
		RUN $meet && echo 1 >/out
		FROM \$BASE AS two
		RUN $meet && echo 2 >/out
		FROM \$BASE AS three
		RUN $meet && echo 3 >/out
		FROM \$BASE
		COPY --from=one /out /1
		COPY --from=two /out /2
		COPY --from=three /out /3
		RUN cat /1 /2 /3 >/all
	E
}
meeting 3 20
three
build --jobs 3 -o "type=local,dest=$TMP/all"
t_status 0 "[S08] three stages that wait for each other run at once"
t_is "$(tr '\n' ' ' <"$TMP/all/all")" "1 2 3 " "[S08] and join"
t_is "$(ran)" "3 5 7 9 10 11 12" "the record has their order of the file"
t_is "$(grep -c '"GET /v2/busybox/blobs/.* 200 ' "$TMP/bases/log")" 2 \
	"[S08] the base of all four is pulled once: configuration and layer"
t_err '^devenv: \[three 2/2\] RUN nc' \
	"a step is announced with its stage and number"
t_err '^\[two 2/2\] go$' "and its output carries them"
DEVENV_JOBS=4 build --no-cache
t_status 0 "DEVENV_JOBS is the option's variable"
meeting 3 1
three
build --jobs 2
t_status 7 "no more steps run at once than --jobs allows"
t_err "Dockerfile:[357]:1: the command 'RUN nc " "and the step is named"
build --jobs=-1
t_status 2 "a number of jobs is not negative"

# --- the outcome does not depend on time ---
dockerfile <<'E'
FROM $BASE AS slow
RUN sleep 0.5; echo slow >/out
FROM $BASE AS fast
RUN echo fast >/out
RUN echo faster >/more
FROM slow AS on-slow
RUN cat /out >/copy
FROM $BASE AS unused
RUN echo never >/out
FROM $BASE
COPY --from=fast /out /more /fast/
COPY --from=on-slow /copy /slow
E
build --jobs 1
t_status 0 "one job at a time"
steps >"$TMP/steps"
rm -rf "$DEVENV_STORE"
build --jobs 8
t_status 0 "as many as there are"
t_is "$(steps)" "$(cat "$TMP/steps")" \
	"[S08] the record is the same however many run at once"
t_is "$(jq -c '.image.steps | length' "$out")" 6 \
	"[S06] the stage that nothing needs is not in it"
t_is "$(grep -c never "$err")" 0 "[S06] nor was it built"

# --- only what the result lacks is made ---
build
t_is "$(ran)" "" "all of it is in the cache"
key=$(jq -r '.image.steps[] | select(.line == 3) | .key' "$out")
find "$DEVENV_STORE/cache" -name "$key" -delete
build
t_status 0 "[S06] a stage whose copies are in the cache"
t_is "$(grep -c 'sleep 0.5' "$err")" 0 "is not run for them"

# --- two stages with a step in common ---
dockerfile <<'E'
FROM $BASE AS a
RUN cat /proc/sys/kernel/random/uuid >/id
FROM $BASE AS b
RUN cat /proc/sys/kernel/random/uuid >/id
FROM scratch
COPY --from=a /id /a
COPY --from=b /id /b
E
build --jobs 2 -o "type=local,dest=$TMP/twins"
t_ok "a step that two stages have in common runs once" \
	cmp "$TMP/twins/a" "$TMP/twins/b"

# --- what cannot be put in order ---
dockerfile <<'E'
FROM $BASE AS a
COPY --from=b /x /x
FROM $BASE AS b
COPY --from=a /x /x
E
build
t_status 3 "[S07] stages that need each other"
t_err 'Dockerfile:2:1: circular dependency detected on stage: a$' \
	"[S07] are an error"
t_err "^hint: 'a' needs 'b', which needs 'a'; take one of these out$" \
	"[S07] that says how they do"
dockerfile <<'E'
FROM $BASE AS first
COPY --from=later /x /x
FROM $BASE AS later
E
build
t_status 3 "[S07] a stage that comes later"
t_err "^hint: move the lines of 'later' before line 2$" \
	"[S07] has to come before"
build --target frist
t_status 3 "[S05] a target that is none"
t_err 'target stage "frist" could not be found \(did you mean first\?\)' \
	"[S05] with a suggestion"

# --- a failure stops the others ---
dockerfile <<'E'
FROM $BASE AS a
RUN echo done >/done
RUN sleep 31.4
FROM $BASE AS b
RUN sleep 1; echo last words; exit 5
FROM $BASE
COPY --from=a /done /
COPY --from=b /done /
E
start=$(date +%s)
build --jobs 2
t_status 7 "a step that fails beside another ends the build"
t_ok "at once" [ $(($(date +%s) - start)) -lt 15 ]
t_err "Dockerfile:6:1: the command 'RUN sleep 1; echo last words; exit 5' \
ended with status 5" "with its own error"
t_ok "what ran beside it was stopped" gone "sleep 31.4"
build_clean "after a failure"

# --- signals ---
dockerfile <<'E'
FROM $BASE AS a
RUN sleep 31.5
FROM $BASE AS b
RUN sleep 31.6
FROM $BASE
COPY --from=a /etc/passwd /a
COPY --from=b /etc/passwd /b
E
begin() { # sets $pid once both steps run
	# a shell starts background jobs with SIGINT ignored
	python3 -c '
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' \
		"$DEVENV" build --jobs 2 --build-arg "BASE=$BASE" "$CTX" \
		>"$out" 2>"$err" &
	pid=$!
	for _ in $(seq 100); do
		[ "$(pgrep -fc '^sleep 31[.][56]')" -eq 2 ] && break
		sleep 0.1
	done
}
begin
kill -KILL "$(pgrep -P $pid | head -n 1)"
status=0
wait $pid || status=$?
t_is $status 4 "a job that somebody killed ends the build"
t_err 'a process of devenv was ended by signal 9' "with the reason"
t_ok "its step and the other are gone" gone '^sleep 31[.][56]'
build_clean "after a killed job"
for signal in INT TERM KILL; do
	begin
	t_is "$(pgrep -fc '^sleep 31[.][56]')" 2 "$signal: two steps run"
	kill -$signal $pid
	status=0
	wait $pid || status=$?
	case $signal in
	INT) t_is $status 130 "SIGINT ends the build" ;;
	TERM) t_is $status 143 "SIGTERM ends the build" ;;
	KILL) t_is $status 137 "SIGKILL ends the build" ;;
	esac
	t_ok "$signal: and its steps" gone '^sleep 31[.][56]'
	t_ok "$signal: and its jobs" gone "^$DEVENV build --jobs 2"
	t_run "$DEVENV" store ls
	build_clean "after SIG$signal"
done
t_done
