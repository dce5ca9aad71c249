#!/bin/sh
# 3000-build-errors.sh - what is wrong is named with its place, nothing stays
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"
. "$(dirname "$0")/helper/registry.sh"

t_need root buildah skopeo busybox
t_atexit build_peer_end
build_bases busybox || t_fail "the base images can be made"
CTX=$TMP/ctx
mkdir "$CTX"
echo a >"$CTX/a"
mkdir "$CTX/d"
echo i >"$CTX/ignored"
echo ignored >"$CTX/.dockerignore"

# The Dockerfile is standard input.
fails() { # STATUS LINE REGEX SENTENCE
	cat >"$CTX/Dockerfile"
	t_run "$DEVENV" build --build-arg "BASE=$BASE" "$CTX"
	t_status "$1" "$4: status $1"
	t_err "^devenv: .*Dockerfile:$2:[0-9]+: .*$3" "$4: line and reason"
	t_is "$(cat "$out")" "" "$4: nothing on standard output"
}

fails 3 2 'unknown instruction: RUNN' "unknown instruction" <<X
FROM scratch
RUNN true
X
t_err 'did you mean RUN\?' "unknown instruction: the near one is suggested"
fails 3 1 'no build stage' "no FROM" <<X
RUN true
X
fails 3 4 'missing' "missing source" <<X
ARG BASE
FROM \$BASE
RUN true
COPY a missing /x/
X
fails 3 4 'gone.*not found' "missing source in a stage" <<X
ARG BASE
FROM \$BASE AS one
FROM \$BASE
COPY --from=one gone /x
X
fails 3 2 'circular dependency' "a stage of itself" <<X
ARG BASE
FROM \$BASE AS one
COPY --from=one /x /y
X
fails 6 2 'nowhere:0: .*manifest unknown' "neither a stage nor an image" <<X
FROM scratch
COPY --from=$registry/nowhere:0 a /x
X
fails 3 2 'unknown flag: --chonw' "unknown flag" <<X
FROM scratch
COPY --chonw=1 a /x
X
fails 3 3 'nobodyknows' "unknown user of --chown" <<X
ARG BASE
FROM \$BASE
COPY --chown=nobodyknows a /x
X
fails 3 4 'nobodyknows' "unknown user of USER" <<X
ARG BASE
FROM \$BASE
USER nobodyknows
RUN true
X
fails 3 3 'invalid chmod' "bad mode" <<X
ARG BASE
FROM \$BASE
COPY --chmod=999 a /x
X
fails 3 3 'more than one source file.*directory' "several sources" <<X
ARG BASE
FROM \$BASE
COPY a Dockerfile /x
X
fails 3 4 'onto the directory' "a file onto a directory" <<X
ARG BASE
FROM \$BASE
RUN mkdir /tmp/a
COPY a /tmp
X
fails 3 3 'onto the file' "a directory onto a file" <<X
ARG BASE
FROM \$BASE
COPY d /etc/passwd
X
fails 3 3 'not a directory' "WORKDIR on a file" <<X
ARG BASE
FROM \$BASE
WORKDIR /etc/passwd
X
fails 3 3 'excluded by' "an ignored source" <<X
ARG BASE
FROM \$BASE
COPY ignored /x
X
fails 7 4 'ended with status 42' "a command that fails" <<X
ARG BASE
FROM \$BASE
RUN echo kept >/kept
RUN echo "some words"; echo "to stderr" >&2; exit 42
X
t_err 'some words' "its output is shown"
t_err 'to stderr' "its errors are shown"
fails 7 3 'nosuchprogram' "a command that is not there" <<X
ARG BASE
FROM \$BASE
RUN ["nosuchprogram"]
X
fails 7 3 'status 127' "a command the shell does not find" <<X
ARG BASE
FROM \$BASE
RUN nosuchprogram
X
fails 7 3 'status 137' "a command that is killed" <<X
ARG BASE
FROM \$BASE
RUN sh -c 'kill -9 \$\$'; exit \$?
X

printf 'FROM scratch\nCOPY a /\n' >"$CTX/Dockerfile"
t_run "$DEVENV" build --target nothere "$CTX"
t_status 3 "unknown target: status"
t_err 'target stage "nothere" could not be found' "unknown target: its name"
t_run "$DEVENV" build "$TMP/nodir"
t_err 'nodir' "a missing context is named"
t_run "$DEVENV" build --output type=oic,dest=x "$CTX"
t_status 2 "unknown output: status"
t_err "unknown type 'oic'" "unknown output: its name"
t_run "$DEVENV" build --output type=oci,tar=no,dest=x "$CTX"
t_status 2 "bad value of tar=: status"
t_run "$DEVENV" build --output type=oci,dest="$TMP/none/x.tar" "$CTX"
t_status 4 "output that cannot be written: status"
t_err "$TMP/none/x.tar" "output that cannot be written: its name"
t_run "$DEVENV" build --push "$CTX"
t_status 2 "--push without a tag: status"
t_err '--push needs --tag' "--push without a tag: reason"
printf 'FROM 127.0.0.1:1/none\n' >"$CTX/Dockerfile"
t_run "$DEVENV" build "$CTX"
t_status 5 "a registry that is not there: status"
t_err '127.0.0.1:1/none' "a registry that is not there: its name"
printf 'FROM %s/none\nRUN true\n' "$registry" >"$CTX/Dockerfile"
t_run "$DEVENV" build "$CTX"
t_status 6 "an image that is not there: status"
t_err "$registry/none" "an image that is not there: its name"

# Building on without the rules could publish what they keep out.
mv "$CTX/.dockerignore" "$TMP/ignore"
ln -s .dockerignore "$CTX/.dockerignore"
printf 'FROM scratch\nCOPY . /\n' >"$CTX/Dockerfile"
t_run "$DEVENV" build "$CTX"
t_status 3 "an ignore file that cannot be read: status"
t_err "cannot open '.dockerignore'" "an ignore file that cannot be read: name"
rm "$CTX/.dockerignore"
printf 'a[\n' >"$CTX/.dockerignore"
t_run "$DEVENV" build "$CTX"
t_status 3 "a malformed ignore pattern: status"
t_err '\.dockerignore:1:1: ' "a malformed ignore pattern: place"
mv "$TMP/ignore" "$CTX/.dockerignore"

# What was done before the failure is not done again.
printf 'ARG BASE\nFROM $BASE\nRUN echo kept >/kept\nRUN test -e /ok\n' \
	>"$CTX/Dockerfile"
t_run "$DEVENV" build --build-arg "BASE=$BASE" "$CTX"
t_status 7 "a later step fails"
t_err 'CACHED RUN echo kept' "the step before it is in the cache"

# Interrupted in a RUN: nothing of it is left.
printf 'ARG BASE\nFROM $BASE\nRUN touch /started; sleep 60.%s\n' \
	$$ >"$CTX/Dockerfile"
for signal in INT TERM KILL; do
	# A shell starts what it does not wait for with SIGINT ignored.
	env --default-signal=INT "$DEVENV" build --build-arg "BASE=$BASE" \
		"$CTX" >"$out" 2>"$err" &
	pid=$!
	t_wait grep -q 'RUN touch' "$err"
	t_wait pgrep -f "^sleep 60[.]$$\$"
	kill -$signal $pid
	wait $pid 2>/dev/null
	status=$?
	case $signal in
	INT) t_status 130 "SIGINT: status" ;;
	TERM) t_status 143 "SIGTERM: status" ;;
	KILL) t_status 137 "SIGKILL: status" ;;
	esac
	t_is "$(grep -c FAILED "$err")" 0 "SIG$signal: no step failed"
	t_ok "SIG$signal: the command is gone" t_wait sh -c \
		'! pgrep -f "^sleep 60[.]$1\$"' sh $$
	[ $signal = KILL ] || t_is "$(ls -A "$DEVENV_STORE/tmp")" "" \
		"SIG$signal: no temporary files stay"
done
t_run "$DEVENV" store ls # sweeps what the killed one left
build_clean "at the end"
t_done
