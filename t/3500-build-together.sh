#!/bin/sh
# 3500-build-together.sh - builds at once in one store: each step runs once
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
t_need busybox docker-registry

registry_start plain || t_fail "a registry"
mkdir "$TMP/base"
cp "$(command -v busybox)" "$TMP/base/busybox"
cat >"$TMP/base/Dockerfile" <<'END'
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
END
t_ok "a base image" "$DEVENV" build --push -t "$registry/base:1" "$TMP/base"
"$DEVENV" build -q -t base "$TMP/base" >"$out"

# A step that leaves a line where no layer is, each time it runs, and a result
# that no second run would make again.
run() { # WORD SECONDS
	echo "RUN --mount=type=cache,target=/seen echo $1 >>/seen/log;" \
		"sleep $2; cat /proc/sys/kernel/random/uuid >/$1"
}
project() { # NAME: instructions follow on standard input
	mkdir -p "$TMP/$1"
	{ echo 'FROM base'; cat; } >"$TMP/$1/Dockerfile"
}
ran() { # WORD: how often it did
	cat "$DEVENV_STORE"/mounts/*/*/fs/log 2>/dev/null | grep -cx "$1"
}
has_run() { [ "$(ran "$1")" -gt 0 ]; }
start() { # PROJECT NUMBER [OPTION...]
	s_name=$1
	s_nr=$2
	shift 2
	"$DEVENV" build "$@" "$TMP/$s_name" >"$out.$s_nr" 2>"$err.$s_nr" &
	pids="$pids $!"
}
finish() {
	failed=0
	for pid in $pids; do
		wait "$pid" || failed=$((failed + 1))
	done
	pids=
}
ids() { # NUMBER...
	for i_nr; do
		sed -n 's/.*"config_digest": "\(sha256:[0-9a-f]*\)".*/\1/p' \
			"$out.$i_nr" | head -n 1
	done
}
now() { date +%s%3N; }
pids=

# --- the same, at once ---
for n in 2 4 8; do
	{
		run "a$n" 0.3
		run "b$n" 0.3
	} | project same
	began=$(now)
	for i in $(seq $n); do start same "$i"; done
	finish
	took=$(($(now) - began))
	t_is $failed 0 "$n builds of the same succeed"
	t_is "$(ran "a$n") $(ran "b$n")" "1 1" "$n builds: each step ran once"
	# shellcheck disable=SC2046 # a list of numbers
	t_is "$(ids $(seq $n) | sort -u | wc -l)" 1 "$n builds: one image"
	t_ok "$n builds: in the time of one (it took $took ms)" \
		test "$took" -lt 2500
done
t_ok "the others say what they wait for" grep -q \
	'^devenv: \[stage-0 [23]/3\] another build runs this step: waiting for it$' \
	"$err.1" "$err.2" "$err.3"

# --- different ones ---
for i in 1 2 3 4; do
	{
		run common 0.3
		run "own$i" 0.2
	} | project "other$i"
	start "other$i" "$i"
done
finish
t_is $failed 0 "different builds with a step in common succeed"
t_is "$(ran common)" 1 "which ran once"
t_is "$(ran own1) $(ran own2) $(ran own3) $(ran own4)" "1 1 1 1" \
	"and their own, once each"
t_is "$(ids 1 2 3 4 | sort -u | wc -l)" 4 "into images of their own"

# What the stages of one build hold cannot be what another waits for.
for i in 1 2; do
	x=x y=y
	[ $i -eq 1 ] || { x=y y=x; }
	{
		echo 'FROM base AS one'
		run $x 0.3
		echo 'FROM base AS two'
		run $y 0.3
		echo 'FROM base'
		echo "COPY --from=one /$x /$x"
		echo "COPY --from=two /$y /$y"
	} | project "crossed$i"
	for k in 1 2; do start "crossed$i" "$i$k" --jobs "$k"; done
done
finish
t_is $failed 0 "stages in another order do not wait for each other for ever"
t_is "$(ran x) $(ran y)" "1 1" "and each ran once"

# --- what they stand on ---
head -c 3000000 /dev/urandom >"$TMP/base/noise"
echo 'COPY noise /' >>"$TMP/base/Dockerfile"
"$DEVENV" build --push -t "$registry/base:2" "$TMP/base" >"$out.1" 2>"$err"
config=$(ids 1)
fresh=$TMP/fresh
for i in 1 2 3 4; do
	mkdir "$TMP/on$i"
	printf 'FROM %s/base:2\nRUN echo %s >/n\n' "$registry" $i \
		>"$TMP/on$i/Dockerfile"
	"$DEVENV" --store "$fresh" build "$TMP/on$i" >"$out.$i" 2>"$err.$i" &
	pids="$pids $!"
done
: >"$TMP/plain/log"
finish
t_is $failed 0 "builds on a base image that none of them has succeed"
t_is "$(grep -a 'msg="response completed"' "$TMP/plain/log" |
	grep -a 'http.request.method=GET .*/blobs/' |
	grep -ao 'sha256:[0-9a-f]*' | grep -vx "$config" | sort | uniq -c |
	sort -u | awk '{ print $1 }' | uniq)" 1 \
	"each of its layers was fetched once"
t_ok "their store is sound" "$DEVENV" --store "$fresh" store verify

# --- one that fails, one that is killed ---
echo 'RUN --mount=type=cache,target=/seen echo bad >>/seen/log; sleep 0.3; exit 9' |
	project bad
start bad 1
start bad 2
finish
t_is "$failed $(ran bad)" "2 2" "a step that fails is nobody else's failure"
err_=$err
err=$err_.2
t_err 'Dockerfile:2:1: .*status 9' "each build tells its own"
err=$err_

{
	run early 0.1
	run late 1
} | project killed
start killed 1
victim=${pids# }
t_wait has_run late
start killed 2
start killed 3
t_wait grep -q 'another build runs this step' "$err.2"
kill -KILL "$victim"
wait "$victim" 2>/dev/null
pids=${pids# "$victim"}
finish
t_is $failed 0 "builds that waited for one that was killed succeed"
t_is "$(ran early) $(ran late)" "1 2" "its last step ran once more, not thrice"
t_is "$(ids 2 3 | sort -u | wc -l)" 1 "for all of them"

# --- what was built is kept ---
{
	for i in 1 2 3 4 5 6; do run "kept$i" 0; done
	run kept7 5
	for i in 8 9 10; do run "kept$i" 0; done
} | project kept
start kept 1
victim=${pids# }
t_wait has_run kept7
kill -KILL "$victim"
wait "$victim" 2>/dev/null
pids=
sed 's/sleep 5/sleep 0/' "$TMP/kept/Dockerfile" >"$TMP/kept/new"
mv "$TMP/kept/new" "$TMP/kept/Dockerfile"
t_run "$DEVENV" build "$TMP/kept"
t_status 0 "a build that was killed in step 7 of 10 is resumed"
t_is "$(grep -c '"cached": true' "$out")" 6 "from its 6 steps"
t_is "$(ran kept1) $(ran kept6) $(ran kept8)" "1 1 1" "which ran once"

# --- among other users of the store ---
for i in 1 2 3 4; do run "busy$i" 0.2; done | project busy
for i in 1 2 3; do start busy "$i" -t "busy:$i"; done
wrong=0
for i in 1 2 3; do
	"$DEVENV" store verify >"$out" 2>"$err" || wrong=$((wrong + 1))
	"$DEVENV" pull "$registry/base:1" >"$out" 2>"$err" ||
		wrong=$((wrong + 1))
	"$DEVENV" store rm "$registry/base:1" >"$out" 2>"$err" ||
		wrong=$((wrong + 1))
	"$DEVENV" store gc >"$out" 2>"$err" ||
		grep -q 'another devenv process uses store' "$err" ||
		wrong=$((wrong + 1))
done
[ $wrong -eq 0 ] || t_show
finish
t_is $failed 0 "builds among verify, pull, rm and gc succeed"
t_is $wrong 0 "and so do those"
t_is "$(ids 1 2 3 | sort -u | wc -l)" 1 "with one image"

# --- never half of one and half of another ---
{
	echo 'RUN cat /proc/sys/kernel/random/uuid >/one'
	echo 'RUN cp /one /two'
} | project mixed
t_ok "two steps" "$DEVENV" build "$TMP/mixed"
sed '3s/.*/RUN false/' "$TMP/mixed/Dockerfile" >"$TMP/mixed/Bad"
t_run "$DEVENV" build --no-cache -f "$TMP/mixed/Bad" "$TMP/mixed"
t_status 7 "the first is made once more, without the second"
t_run "$DEVENV" build -t mixed "$TMP/mixed"
t_ok "the second is the difference to what it stands on" \
	"$DEVENV" run mixed -- cmp /one /two
t_ok "the store is sound" "$DEVENV" store verify
t_is "$(ls "$DEVENV_STORE/tmp")" "" "nothing half made is left"
t_done
