#!/bin/sh
# 3401-run-caches.sh - RUN --mount=type=cache: kept, shared, locked, confined
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"
. "$(dirname "$0")/helper/registry.sh"

t_need root buildah skopeo jq busybox
t_atexit build_peer_end
build_bases busybox || t_fail "the base images can be made"
CTX=$TMP/ctx
mkdir -p "$CTX" "$TMP/named"
echo named >"$TMP/named/file"
EMPTY=sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef
nr=0

# A Dockerfile on standard input, behind a base; N in it is another word each
# time, so that no step is cached.
write() { # DIR
	nr=$((nr + 1))
	mkdir -p "$1"
	{
		echo "FROM $BASE AS one"
		echo 'RUN mkdir -p /s/in && echo seed >/s/in/file &&' \
			'chown 5:6 /s/in/file && chmod 751 /s && ln -s / /s/door'
		echo "FROM $BASE"
		sed "s/ N/ : $nr;/"
	} >"$1/Dockerfile"
}
build() { # OPTION...
	write "$CTX"
	t_run timeout 120 "$DEVENV" build -t x:x "$@" "$CTX"
	build_plain "$err" >"$TMP/plain"
	mv "$TMP/plain" "$err"
}
shows() {
	if [ "$status" != 0 ]; then
		t_status 0 "$1"
	else
		t_err "$2" "$1"
	fi
}
# How often a whole line was printed.
lines() { grep -cx "$1" "$err"; }

# --- what is kept ---
for i in 1 2 3; do
	build <<'X'
RUN --mount=type=cache,target=/c N echo x >>/c/f; echo "has $(wc -l </c/f)"
X
done
shows "[I06] a cache is kept from build to build" '^has 3$'
"$DEVENV" build -o "type=oci,tar=false,dest=$TMP/image" -t x:x "$CTX" \
	>/dev/null 2>&1
t_is "$(skopeo inspect --config "oci:$TMP/image:x" |
	jq -r '.rootfs.diff_ids[-1]')" $EMPTY "[I06] [I10] and not in the layer"
build <<'X'
RUN --mount=type=cache,target=/c/../c/ N echo "1 $(wc -l </c/f)"
RUN --mount=type=cache,id=/c,target=/d N echo "2 $(wc -l </d/f)"
RUN --mount=type=cache,target=/d N echo "3 $(ls -A /d)."
RUN --mount=type=cache,id=other,target=/c N echo "4 $(ls -A /c)."
RUN --mount=type=cache,target=/c,uid=1000 N echo "5 $(ls -A /c)."
RUN --mount=type=cache,target=/c,mode=700 N echo "6 $(ls -A /c)."
RUN --mount=type=cache,target=/c,mode=0755,uid=0 N echo "7 $(wc -l </c/f)"
RUN --mount=type=cache,target=/c,sharing=locked N echo "8 $(wc -l </c/f)"
RUN --mount=type=cache,target=/c,ro N echo y >>/c/f || echo "9 $(wc -l </c/f)"
RUN --mount=type=cache,target=/c --mount=type=cache,id=/c,target=/d N echo "10 $(wc -l </d/f)"
X
shows "[I06] its id is the cleaned target" '^1 3$'
t_err '^2 3$' "[I06] which id= can give as well"
for i in 3 4 5 6; do
	t_is "$(lines "$i \\.")" 1 \
		"[I06] another id or owner is another cache ($i)"
done
t_err '^7 3$' "[I06] the defaults of mode and uid may be said"
t_err '^8 3$' "[I06] the kind of sharing is not what it is known by"
t_err '^9 3$' "[I04] ro keeps it from being written"
t_err '^10 3$' "[I06] one cache at two places"
build --build-arg BUILDKIT_CACHE_MOUNT_NS=mine <<'X'
RUN --mount=type=cache,target=/c N echo "ns $(ls -A /c)."
X
shows "[A09] a namespace keeps caches apart" '^ns \.$'
build <<'X'
RUN --mount=type=cache,target=/m,mode=1770,uid=1000,gid=50 N stat -c '%a %u:%g' /m
RUN --mount=type=cache,target=/n N stat -c '%a %u:%g' /n
USER bob
RUN --mount=type=cache,target=/b,uid=1000 N touch /b/mine && echo "written"
X
shows "[I06] mode, uid and gid" '^1770 1000:50$'
t_err '^755 0:0$' "[I06] and their defaults"
t_err '^written$' "[I06] so that a user can write"

# --- keys ---
cat >"$CTX/Dockerfile" <<X
FROM $BASE
RUN --mount=type=cache,target=/c echo z >>/c/f
X
"$DEVENV" build "$CTX" >/dev/null 2>&1
sed -i 's/type=cache/type=cache,id=else,sharing=private/' "$CTX/Dockerfile"
t_run "$DEVENV" build "$CTX"
t_out '"cached": true' "[I06] id, sharing and content are not in the key"
sed -i 's/type=cache/type=cache,uid=3/' "$CTX/Dockerfile"
t_run "$DEVENV" build "$CTX"
t_out '"cached": false' "[I06] owners are"

# --- seeds ---
build --build-context "other=$TMP/named" <<'X'
RUN --mount=type=cache,target=/c,from=one,source=s N stat -c '%a' /c; stat -c 'in %u:%g' /c/in/file; echo more >/c/more
RUN --mount=type=cache,target=/c,from=one,source=s N cat /c/more
RUN --mount=from=one,source=s,target=/c N echo "stage $(ls /c | tr '\n' ' ')"
RUN --mount=type=cache,target=/c,from=one,source=s/in N echo "part $(ls /c)"
RUN --mount=type=cache,target=/c,from=other N echo "context $(ls /c)"
RUN --mount=type=cache,target=/c,from=scratch N echo "scratch $(ls /c)."
X
shows "[I06] a cache begins as what from= and source= name" '^in 5:6$'
t_err '^751$' "[I06] with its mode"
t_err '^more$' "[I06] and goes on by itself"
t_err '^stage door in $' "[I06] what it came from stays"
t_err '^part file$' "[I06] another seed is another cache"
t_err '^context file$' "[I06] a named context can be one"
t_err '^scratch \.$' "[I06] so can nothing"
build <<'X'
RUN --mount=type=cache,target=/c,from=one,source=s/in/file N true
X
t_status 3 "[I06] a file cannot"
t_err "Dockerfile:4:1: cache '/c': 's/in/file' is not a directory" \
	"[I06] which is said"

# --- source inside a cache, and out of it ---
build <<'X'
RUN --mount=type=cache,target=/c,id=s N mkdir -p /c/sub && echo in >/c/sub/f && ln -sfn / /c/root && ln -sfn ../../../../../../.. /c/up && ln -sfn /proc/self/root /c/magic
RUN --mount=type=cache,target=/c,id=s,source=sub N cat /c/f
RUN --mount=type=cache,target=/c,id=s,source=../.. N echo "dots $(ls /c | tr '\n' ' ')"
RUN --mount=type=cache,target=/c,id=s,source=root N echo "root $(ls /c | tr '\n' ' ')"
RUN --mount=type=cache,target=/c,id=s,source=up N echo "up $(ls /c | tr '\n' ' ')"
X
shows "[I06] source= names a part of a cache" '^in$'
for i in dots root up; do
	t_err "^$i magic root sub up \$" "[I06] none leads out of it ($i)"
done
for source in magic ../nothing sub/f/x; do
	build <<X
RUN --mount=type=cache,target=/c,id=s,source=$source N ls /c
X
	t_status 3 "[I06] source=$source is nowhere in it"
	t_err "mount '/c': cannot mount '/" "[I06] it is named"
done

# --- two builds at once ---
pids=
start() { # NAME: in a directory of its own
	write "$TMP/$1"
	"$DEVENV" build "$TMP/$1" >/dev/null 2>"$TMP/$1/err" </dev/null &
	pids="$pids $!"
}
write "$CTX" <<'X'
X
"$DEVENV" build --target one "$CTX" >/dev/null 2>&1
"$DEVENV" pull --insecure-registry "$registry" "$BASE" >/dev/null 2>&1
# shellcheck disable=SC2154 # bound in the loops
for name in a b; do
	start $name <<X
RUN --mount=type=cache,target=/c,sharing=shared N touch /c/$name; for i in \$(seq 200); do [ -e /c/a ] && [ -e /c/b ] && echo "met" && exit 0; sleep 0.1; done; exit 1
X
done
wait_builds() { # SENTENCE
	for pid in $pids; do
		wait "$pid" || t_fail "$1" "$(cat "$TMP/a/err" "$TMP/b/err")"
	done
	pids=
}
wait_builds "shared builds end"
t_is "$(build_plain "$TMP/a/err" "$TMP/b/err" | grep -cx met)" 2 \
	"[I06] shared: two builds see one another's files"
for name in a b; do
	start $name <<X
RUN --mount=type=cache,target=/p,sharing=private N touch /p/$name; sleep 2; echo "sees \$(ls /p)"
X
done
wait_builds "private builds end"
t_is "$(build_plain "$TMP/a/err" "$TMP/b/err" | grep -x 'sees .' | sort |
	tr '\n' ' ')" "sees a sees b " \
	"[I06] private: each has one of its own"
build <<'X'
RUN --mount=type=cache,target=/p,sharing=private N echo "again $(ls /p)"
X
shows "[I06] private: which is used again" '^again [ab]$'
for name in a b; do
	start $name <<X
RUN --mount=type=cache,target=/l,sharing=locked N mkdir /l/inside && echo "alone" ; sleep 1; rmdir /l/inside
X
done
wait_builds "locked builds end"
t_is "$(build_plain "$TMP/a/err" "$TMP/b/err" | grep -cx alone)" 2 \
	"[I06] locked: one after the other"
t_ok "[I06] locked: who waits says so" \
	grep -q "waiting for the cache '/l'" "$TMP/a/err" "$TMP/b/err"

# The same for stages of one build.
write "$CTX" <<X
FROM $BASE AS x
RUN --mount=type=cache,target=/j,sharing=locked N mkdir /j/inside && echo "alone" ; sleep 1; rmdir /j/inside
FROM $BASE AS y
RUN --mount=type=cache,target=/j,sharing=locked N sleep 0; mkdir /j/inside && echo "alone" ; sleep 1; rmdir /j/inside
FROM $BASE
COPY --from=x /etc/passwd /x
COPY --from=y /etc/passwd /y
X
t_run timeout 60 "$DEVENV" build --jobs 4 "$CTX"
t_is "$status $(build_plain "$err" | grep -cx alone)" "0 2" \
	"[I06] locked: stages of a build, one after the other"

# Steps that lock several caches, in different order.
for name in a b; do
	order="/x /y"
	[ $name = b ] && order="/y /x"
	# shellcheck disable=SC2086 # two words
	set -- $order
	start $name <<X
RUN --mount=type=cache,id=$1,target=/1,sharing=locked --mount=type=cache,id=$2,target=/2,sharing=locked N sleep 1; echo "both"
X
done
wait_builds "builds that lock two caches end"
t_is "$(build_plain "$TMP/a/err" "$TMP/b/err" | grep -cx both)" 2 \
	"[I06] locked: two steps with two caches do not wait for each other"

# A lock ends with whoever holds it, however.
start a <<'X'
RUN --mount=type=cache,target=/k,sharing=locked N echo "holds" >/k/holds; sleep 50
X
holder=$!
t_wait sh -c "ls '$DEVENV_STORE'/mounts/*/0/fs/holds"
start b <<'X'
RUN --mount=type=cache,target=/k,sharing=locked N echo "got $(cat /k/holds)"
X
waiter=$!
t_wait grep -q 'waiting for' "$TMP/b/err"
kill -KILL "$holder"
wait "$waiter"
t_ok "[I06] the lock of a killed build is free" \
	grep -q '\] got holds$' "$TMP/b/err"
# One that waits can be interrupted.
start a <<'X'
RUN --mount=type=cache,target=/k,sharing=locked N echo "holds" >/k/again; sleep 50
X
holder=$!
t_wait sh -c "ls '$DEVENV_STORE'/mounts/*/0/fs/again"
write "$TMP/b" <<'X'
RUN --mount=type=cache,target=/k,sharing=locked N true
X
"$DEVENV" build "$TMP/b" >/dev/null 2>"$TMP/b/err" </dev/null &
waiter=$!
t_wait grep -q 'waiting for' "$TMP/b/err"
kill -TERM "$waiter"
wait "$waiter"
t_is $? 143 "[I06] who waits can be interrupted"
kill -KILL "$holder"
wait "$holder" 2>/dev/null

# --- cleaning ---
build <<'X'
RUN --mount=type=cache,target=/big N dd if=/dev/zero of=/big/x bs=1M count=3 2>/dev/null
X
t_ok "[I06] store du counts it" \
	test "$("$DEVENV" store du --json | jq .mounts)" -gt 3000000
t_run "$DEVENV" store gc --keep-age 1d
t_ok "[I06] gc keeps what was used lately" \
	test "$("$DEVENV" store du --json | jq .mounts)" -gt 3000000
find "$DEVENV_STORE/mounts" -maxdepth 1 -exec touch -d '10 days ago' {} +
build <<'X'
RUN --mount=type=cache,target=/c N wc -l </c/f
X
t_run "$DEVENV" store gc --keep-age 2d --json
t_ok "[I06] gc removes what was not" test "$(jq .mounts "$out")" -gt 3
t_is "$(find "$DEVENV_STORE/mounts" -mindepth 1 -maxdepth 1 | wc -l)" 1 \
	"[I06] and nothing else"
t_run "$DEVENV" store gc --cache-mounts --json
t_is "$(jq .mounts "$out") $(ls "$DEVENV_STORE/mounts")" "1 " \
	"[I06] --cache-mounts removes all"
build_clean "[I06]"
t_done
