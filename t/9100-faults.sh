#!/bin/sh
# bad input, a full disk, a damaged store: named, and nothing left behind
. "$(dirname "$0")/lib.sh"
t_need busybox

mkdir "$TMP/base" "$TMP/p"
cp "$(command -v busybox)" "$TMP/base/busybox"
cat >"$TMP/base/Dockerfile" <<'EOF'
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN mkdir -p /etc /tmp
EOF
t_ok "a base image" "$DEVENV" build -t base "$TMP/base"

clean() { # sentence
	t_is "$(ls "$DEVENV_STORE/tmp")" "" "$1: nothing half made stays"
	t_is "$(grep -c "$TMP" /proc/self/mountinfo)" 0 \
		"$1: nothing is mounted"
	t_run "$DEVENV" store verify
	t_status 0 "$1: the store is sound"
}
build() { # text
	rm -rf "$TMP/p"
	mkdir "$TMP/p"
	printf '%b' "$1" >"$TMP/p/Dockerfile"
	shift
	t_run timeout 30 "$DEVENV" -C "$TMP" build "$@" p
}
fails() { # STATUS REGEX SENTENCE
	t_status "$1" "$3"
	t_err "$2" "$3: told where and what"
}

# --- input files ---
mkdir -p "$TMP/j/.devcontainer"
printf '{\n  "image": "base",\n  "x": [1,,2]\n}\n' \
	>"$TMP/j/.devcontainer/devcontainer.json"
t_run "$DEVENV" -C "$TMP" parse j
fails 3 'devcontainer.json:3:[0-9]+: ' "broken JSON"
t_is "$(cat "$out")" "" "broken JSON: no output"
build 'FROM base\nRUN echo hi\nCOYP a b\n'
fails 3 'p/Dockerfile:3:1: .*COYP' "an unknown instruction"
build 'FROM base\nCOPY missing /x\n'
fails 3 'p/Dockerfile:2:1: "/missing": not found' "a missing file"
build 'FROM base\nCOPY --from=none /a /b\n' --build-arg x=y
t_err 'none' "a missing stage is named"
build 'FROM base AS a\n' --target b
fails 3 "target stage .?b.? could not be found" "a missing target"
build 'FROM base\nRUN exit 42\n'
fails 7 'p/Dockerfile:2:1: .*status 42' "a failing RUN"
build 'FROM base\nRUN sh -c "kill -9 \\$\\$"; exit $?\n'
fails 7 'p/Dockerfile:2:1: .*(137|signal|killed)' "a killed RUN"
build 'FROM base\nRUN /bin/none\n'
fails 7 'p/Dockerfile:2:1: .*127' "a missing program"
t_run "$DEVENV" build "$TMP/none"
fails 3 "none" "a missing directory"
clean "bad input"

# --- places for the store ---
echo x >"$TMP/file"
t_run "$DEVENV" --store "$TMP/file" build "$TMP/p"
t_status 4 "a store that is a file"
t_err "file'" "it is named"
mkdir -m 700 "$TMP/newer"
"$DEVENV" --store "$TMP/newer" store ls
echo 99 >"$TMP/newer/format"
t_run "$DEVENV" --store "$TMP/newer" build "$TMP/p"
fails 4 "format '99'" "a store of a newer format"

# --- a damaged store ---
build 'FROM base\nRUN echo one\n' -t victim
for f in "$DEVENV_STORE"/images/ref-* "$DEVENV_STORE"/images/id-*; do
	printf '{"broken":' >"$f"
done
build 'FROM base\nRUN echo one\n'
case $status in
[3-6]) t_pass "broken image files" ;;
*) t_fail "broken image files" "status $status" ;;
esac
t_err 'devenv: ' "are told"
t_run "$DEVENV" store verify
t_status 1 "verify finds them"
t_ok "the base can be built anew" "$DEVENV" build -t base "$TMP/base"
for f in "$DEVENV_STORE"/cache/*; do
	head -c 20 /dev/urandom >"$f"
done
t_ok "broken cache entries are misses" "$DEVENV" build -t base "$TMP/base"
build 'FROM base\nRUN echo two\n'
t_status 0 "and the store is of use again"

# --- a full disk ---
if [ "$(id -u)" -eq 0 ] && mkdir "$TMP/small" &&
	mount -t tmpfs -o size=6m,mode=700 none "$TMP/small" 2>/dev/null; then
	t_atexit "umount -l '$TMP/small'"
	kept=$DEVENV_STORE
	DEVENV_STORE=$TMP/small/store
	t_ok "a base image in little room" "$DEVENV" build -t base "$TMP/base"
	build 'FROM base\nRUN head -c 9000000 /dev/zero >/x\n'
	fails 7 'No space left|I/O error' "RUN on a full disk"
	mkdir "$TMP/q"
	head -c 9000000 /dev/urandom >"$TMP/q/big"
	printf 'FROM base\nCOPY big /\n' >"$TMP/q/Dockerfile"
	t_run "$DEVENV" build "$TMP/q"
	fails 4 'No space left' "COPY on a full disk"
	tar -C "$TMP/q" -cf "$TMP/q.tar" .
	t_run "$DEVENV" build - <"$TMP/q.tar"
	fails 4 'No space left' "a context on a full disk"
	for kind in oci docker tar; do
		mknod "$TMP/full" c 1 7
		t_run "$DEVENV" build -o "type=$kind,dest=$TMP/full" \
			"$TMP/base"
		fails 4 'full: .*No space left' "an export of $kind"
		t_ok "an export of $kind replaces no device" \
			test -c "$TMP/full"
		rm -f "$TMP/full"
	done
	t_is "$(ls "$DEVENV_STORE/tmp")" "" "nothing half made fills it"
	t_run "$DEVENV" store verify
	t_status 0 "the store on the full disk is sound"
	build 'FROM base\nRUN echo fits\n'
	t_status 0 "what fits is built after that"
	DEVENV_STORE=$kept
fi

# --- bytes that flip ---
flips=$TMP/flips
mkdir -p "$flips/.devcontainer"
printf '{"build":{"dockerfile":"D","args":{"a":"b"}},"remoteUser":"u"}\n' \
	>"$flips/.devcontainer/devcontainer.json"
printf 'FROM base AS a\nARG x=1\nENV y=${x:-2}\nCOPY <<E /f\nhi\nE\n' \
	>"$flips/.devcontainer/D"
"$DEVENV" build "$flips" >"$TMP/good.json" 2>/dev/null
cp -r "$flips" "$TMP/good"
bad=0
i=0
while [ $i -lt 40 ]; do
	i=$((i + 1))
	rm -rf "$flips"
	cp -r "$TMP/good" "$flips"
	cp "$TMP/good.json" "$TMP/flipped.json"
	case $((i % 3)) in
	0) file=$flips/.devcontainer/devcontainer.json ;;
	1) file=$flips/.devcontainer/D ;;
	2) file=$TMP/flipped.json ;;
	esac
	size=$(stat -c %s "$file")
	printf '%b' "\\0$(printf %o $((i * 37 % 256)))" | dd of="$file" \
		bs=1 seek=$((i * 7919 % size)) conv=notrunc 2>/dev/null
	what=$flips
	[ $((i % 3)) -ne 2 ] || what=$TMP/flipped.json
	t_run timeout 20 "$DEVENV" --store "$DEVENV_STORE" parse "$what"
	case $status in
	0) ;;
	[2-8]) grep -q '^devenv: ' "$err" || bad=$((bad + 1)) ;;
	*) bad=$((bad + 1)) && t_show ;;
	esac
done
t_is $bad 0 "40 flipped bytes: a result or a clear error, never a crash"
t_done
