#!/bin/sh
# 3460-build-progress.sh - how a build shows on a terminal, in a log, as JSON,
# and what is said of a step that fails
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"

t_need root busybox jq python3
/usr/bin/python3 -c 'import pyte' 2>/dev/null ||
	t_skip_all pyte "python3-pyte is not installed"
CTX=$TMP/ctx
mkdir "$CTX"
cp "$(command -v busybox)" "$CTX/busybox"
cat >"$CTX/Dockerfile" <<'X'
FROM scratch AS base
COPY busybox /bin/sh
FROM base AS one
COPY busybox /bin/sleep
RUN for i in 1 2 3 4 5 6 7 8; do echo "one $i, a line that is longer than narrow terminals are"; sleep 0.1; done; printf 'a\tb\033[2Jc\302\233d\351\n'
FROM base AS two
COPY busybox /bin/sleep
RUN for i in 1 2 3 4 5 6 7 8; do echo "zwei ü 漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字 $i"; sleep 0.1; done
FROM base
COPY --from=one /bin/sh /one
COPY --from=two /bin/sh /two
X

# --- plain ---
t_run "$DEVENV" build --jobs 2 "$CTX"
t_status 0 "a build in a log"
t_err '^devenv: \[base 2/2\] COPY busybox /bin/sh$' "names what begins"
t_err '^devenv: \[base 2/2\] DONE [0-9.]+s$' "and what has ended"
for step in one two; do
	t_is "$(sed -n "s/^\[$step 3\/3\] [^ ]* [^0-9]*\([0-9]\).*/\1/p" \
		"$err" | tr -d '\n')" 12345678 \
		"the lines of $step are in order, behind its label"
done
t_err '^\[one 3/3\] a	b\\x1b\[2Jc' "control characters are shown as text"
t_run "$DEVENV" build "$CTX"
t_is "$(grep -c '^devenv: \[.*\] CACHED ' "$err")" 7 \
	"what is in the cache is marked"
t_run "$DEVENV" -q build --no-cache "$CTX"
t_is "$(cat "$err")" "" "-q says nothing of all that"

# --- JSON ---
t_run "$DEVENV" --progress json build --jobs 2 --no-cache "$CTX"
t_status 0 "a build for a program"
t_ok "every line is an object" jq -e 'type == "object"' "$err"
t_is "$(jq -r 'select(.event == "step" and .step == "one 3/3") | .state' \
	"$err" | tr '\n' ' ')" "start done " "each step is told from its events"
t_is "$(jq -r 'select(.event == "output" and .step == "two 3/3") | .text' \
	"$err" | wc -l)" 8 "and so is its output"
t_run "$DEVENV" --progress json build "$CTX"
t_is "$(jq -r 'select(.state == "cached") | .step' "$err" | sort |
	tr '\n' ' ')" \
	"base 2/2 one 2/3 one 3/3 stage-3 2/3 stage-3 3/3 two 2/3 two 3/3 " \
	"cached steps are events"

# --- a terminal ---
tty() { # ROWS COLS LANG COMMAND...: what it shows at last
	tty_rows=$1 tty_cols=$2 tty_lang=$3
	shift 3
	LC_ALL=$tty_lang TERM=xterm t_run timeout 60 python3 \
		"$SRC/t/helper/terminal.py" sh -c "stty rows $tty_rows cols \
$tty_cols; exec \"\$@\"" sh "$@" </dev/null
	cp "$out" "$TMP/raw"
	/usr/bin/python3 "$SRC/t/helper/screen.py" "$tty_rows" "$tty_cols" \
		building: <"$TMP/raw" >"$TMP/screen"
}
for size in '24 80' '5 40' '10 12' '3 200' '2 9'; do
	# shellcheck disable=SC2086 # two words
	t_ok "nothing is drawn twice at $size" \
		tty $size C.UTF-8 "$DEVENV" build --jobs 2 --no-cache "$CTX"
	t_is "$(grep -c '^building:\|^ => ' "$TMP/screen")" 0 \
		"no live line stays at $size"
	t_is "$(tr -d '\n' <"$TMP/screen" | grep -o 'devenv: *\[' | wc -l)" \
		7 "and every step has its line at $size"
done
t_ok "a terminal of 80 columns" \
	tty 24 80 C.UTF-8 "$DEVENV" build --jobs 2 --no-cache "$CTX"
grep -a -q 'building: [0-7] of 7 steps  *[0-9.]*s' "$TMP/raw" &&
	grep -a -q '=> \[one 3/3\] RUN for i in .* [0-9.]*s' "$TMP/raw"
t_is $? 0 "shows how far it is, and for how long a step runs"
t_ok "and UTF-8 where the locale has it" \
	grep -a -q '^    zwei ü 漢字' "$TMP/raw"
t_ok "a locale without UTF-8" \
	tty 24 80 C "$DEVENV" build --jobs 2 --no-cache "$CTX"
t_ok "gets no bytes but ASCII in live lines" \
	grep -a -q '^    zwei ?? ??????' "$TMP/raw"
t_is "$(grep -a -c "$(printf '\033\\[2J\\|\302\233\\|\351')" \
	"$TMP/raw")" 0 "control sequences of a step do not reach the terminal"
LC_ALL=C.UTF-8 TERM=xterm t_run timeout 60 python3 \
	"$SRC/t/helper/terminal.py" "$DEVENV" build --jobs 2 --no-cache \
	"$CTX" <<'X'
expect one 2,
size 6 30
expect one 4,
size 20 100
expect one 6,
X
t_status 0 "the window may change its size"

# --- a step that fails ---
cat >>"$CTX/Dockerfile" <<'X'
WORKDIR /x
# before
RUN i=0; while [ $i -lt 100 ]; do i=$((i+1)); echo "out $i"; done; \
    echo last words; \
    exit 7
# after
CMD ["x"]
X
t_run "$DEVENV" build "$CTX"
t_status 7 "a step that fails"
t_err '^devenv: \[stage-3 5/5\] FAILED [0-9.]+s$' "is named"
t_is "$(sed -n '/^the last output of \[stage-3 5\/5\]:$/,$p' "$err" |
	grep -c '^  out ')" 19 "the last lines of its output come again"
t_err '^  last words$' "to the very last"
t_err '/ctx/Dockerfile:14$' "the place"
t_is "$(grep -c '^ *[0-9]* | >>> ' "$err")" 3 "its lines are marked"
t_err '^  12 |     WORKDIR /x$' "with those before"
t_err '^  18 |     CMD \["x"\]$' "and after it"
t_err 'Dockerfile:14:1: the command .* ended with status 7' "and its status"
t_run "$DEVENV" -q build "$CTX"
t_err '^  last words$' "all of that with -q, too"
t_run "$DEVENV" --progress json build "$CTX"
t_is "$(jq -r 'select(.event == "failure") |
	[.line, .step, (.output | split("\n") | length)] | join(" ")' \
	"$err")" "14 stage-3 5/5 20" "an event of JSON has it all"

# --- a look at where it failed ---
cat >"$CTX/Dockerfile" <<'X'
FROM scratch
COPY busybox /bin/sh
COPY busybox /bin/cat
COPY busybox /bin/ls
WORKDIR /work
ARG flavour=sweet
ENV BOX=full
RUN echo half >/tmp.$flavour; exit 3
X
t_run "$DEVENV" build "$CTX"
t_status 7 "a step that leaves something"
key=$(sed -n 's/^a shell where it failed: devenv run --from-step //p' "$err")
t_is "${#key}" 12 "its key is told"
t_run "$DEVENV" run --from-step "$key" -- /bin/cat /tmp.sweet
t_status 0 "a command runs where it failed"
t_is "$(cat "$out")" half "and sees what it wrote"
# shellcheck disable=SC2016 # for the shell in there
t_run "$DEVENV" run --from-step "$key" -- /bin/sh -c \
	'echo $flavour $BOX $PWD; echo more >/tmp.sweet'
t_is "$(cat "$out")" "sweet full /work" \
	"with the arguments, the environment and the directory of the step"
t_run "$DEVENV" run --from-step "$key" </dev/null
t_status 0 "without a command it is the step's shell"
t_run "$DEVENV" run --from-step "$key" -- /bin/cat /tmp.sweet
t_is "$(cat "$out")" half "nothing of that is kept"
t_run "$DEVENV" store gc
t_run "$DEVENV" run --from-step "$key" -- /bin/cat /tmp.sweet
t_is "$(cat "$out")" half "a collection of garbage leaves it alone"
layers=$(find "$DEVENV_STORE/layers" -maxdepth 1 | wc -l)
t_run "$DEVENV" build "$CTX"
t_status 7 "it fails again"
t_is "$(find "$DEVENV_STORE/layers" -maxdepth 1 | wc -l)" "$layers" \
	"the newer state replaces the older one"
t_run "$DEVENV" run --from-step "$key" -d --name kept -- /bin/cat
t_status 0 "an environment may start from it"
t_run "$DEVENV" build "$CTX"
t_run "$DEVENV" store verify
t_status 0 "which the next failure does not take the ground from"
t_run "$DEVENV" rm -f kept
t_run "$DEVENV" build --build-arg flavour=sour "$CTX"
t_is "$(grep -c "from-step $key" "$err")" 0 "another argument is another key"
touch -d '9 days ago' "$DEVENV_STORE"/cache/*
t_run "$DEVENV" store gc --keep-age 7d
t_run "$DEVENV" run --from-step "$key" -- /bin/cat /tmp.sweet
t_status 125 "by age it goes as steps of the cache do"
t_err "no step with the key '$key' has failed here lately" "and is missed"
t_err '^hint: build it again; the failure names the key$' "with advice"
t_run "$DEVENV" run --from-step xyz
t_status 2 "what is no key"
t_err "'xyz' is no key of a step: 12 to 64 hexadecimal digits" "is told so"
build_clean "after failures"

if [ "$(id -u)" -eq 0 ]; then
	chmod -R a+rX "$CTX"
	for kind in range single; do
		build_user $kind
		t_run as "$DEVENV" build "$CTX"
		t_status 7 "it fails for a user with a $kind of ids"
		key=$(sed -n 's/^a shell where .* --from-step //p' "$err")
		t_run as "$DEVENV" run --from-step "$key" -- \
			/bin/cat /tmp.sweet
		t_is "$(cat "$out")" half "who can look into it as well"
	done
fi
t_done
