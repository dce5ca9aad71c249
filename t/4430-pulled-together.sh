#!/bin/sh
# 4430-pulled-together.sh - what several processes need is fetched by one
. "$(dirname "$0")/lib.sh"
t_need curl

start() { # a registry that has served nothing yet
	port=$(t_port)
	log=$TMP/log-$port
	: >"$log"
	"$HELPER/faulty" "$port" "$log" &
	t_atexit "kill $! 2>/dev/null"
	t_wait curl -s "http://127.0.0.1:$port/v2/x"
	: >"$log"
	DEVENV_STORE=$TMP/store-$port
}
pull() { timeout 60 "$DEVENV" pull "127.0.0.1:$port/$1/x:1"; }
half_is_there() {
	part=$(echo "$DEVENV_STORE"/tmp/partial-*)
	[ "$(stat -c %s "$part" 2>/dev/null)" = 524288 ]
}
layers() { grep -c "^GET .*/blobs/sha256:${part##*-} " "$log"; }
say='waiting for sha256:[0-9a-f]{12}, which another process fetches'

# --- the first one succeeds ---
start
pull slow >"$TMP/first" 2>&1 &
first=$!
t_wait half_is_there
t_run pull slow
t_status 0 "a pull of what another pull is fetching"
t_err "$say" "says that it waits"
wait $first
t_is $? 0 "the first one succeeds"
t_is "$(layers)" 1 "and alone asked for the layer"
t_run "$DEVENV" store verify
t_status 0 "the store is sound"

# --- the first one dies ---
start
"$DEVENV" pull "127.0.0.1:$port/hang/x:1" >"$TMP/first" 2>&1 &
first=$!
t_wait half_is_there
pull hang >"$out" 2>"$err" &
second=$!
t_wait grep -Eq "$say" "$err"
t_is "$(grep -c '^GET .*/manifests/' "$log")" 2 "a second pull has begun"
kill -KILL $first
wait $first 2>/dev/null
wait $second
status=$?
t_status 0 "when the first one dies, the second takes over"
t_err 'going on with blob sha256:[0-9a-f]{12} at 524288 of 1048576 bytes' \
	"where that one stopped"
t_is "$(ls "$DEVENV_STORE/tmp")" "" "nothing half made is left"
t_run "$DEVENV" store verify
t_status 0 "the store is sound"

# --- one of them unpacks it, too ---
together() { # FIRST SECOND
	start
	rm -rf "$TMP/p"
	mkdir "$TMP/p"
	echo "FROM 127.0.0.1:$port/slow/x:1" >"$TMP/p/Dockerfile"
	"$1" slow >"$TMP/first" 2>&1 &
	first=$!
	t_wait half_is_there
	t_run "$2" slow
	t_status 0 "$2 at the same time as $1 succeeds"
	t_err "$say" "and waits for it"
	wait $first
	t_is "$? $(layers)" "0 1" "so that one asked for the layer"
}
unpack() {
	timeout 60 "$DEVENV" build -o "type=local,dest=$TMP/out-$port" "$TMP/p"
}
together pull unpack
together unpack pull
t_done
