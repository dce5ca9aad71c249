#!/bin/sh
# what one pull got of a blob, the next one goes on with
. "$(dirname "$0")/lib.sh"
t_need curl

start() { # the first request for a layer is cut in its middle
	port=$(t_port)
	log=$TMP/log-$port
	: >"$log"
	"$HELPER/faulty" "$port" "$log" &
	t_atexit "kill $! 2>/dev/null"
	t_wait curl -s "http://127.0.0.1:$port/v2/x"
	: >"$log"
}
pull() { # [option...]
	t_run timeout 60 "$DEVENV" pull "$@" "127.0.0.1:$port/cut/x:1"
}
parts() { find "$DEVENV_STORE/tmp" -name 'partial-*'; }
layers() { grep '^GET .*/blobs/' "$log" | grep -c "${1:-}$"; }
half() { # leave half of the layer in a fresh store
	start
	DEVENV_STORE=$TMP/store-$port
	pull --registry-retries 1
}

half
t_status 5 "a pull that breaks off"
t_is "$(parts | wc -l)" 1 "leaves what it got"
part=$(parts)
t_is "$(stat -c %s "$part")" 524288 "all of it"
t_run "$DEVENV" store verify
t_status 0 "which is no damage"
t_run "$DEVENV" store ls
t_is "$(parts)" "$part" "and stays for a while"
: >"$log"
pull
t_status 0 "the next pull"
t_err 'going on with blob sha256:[0-9a-f]{12} at 524288 of 1048576 bytes' \
	"goes on there"
t_is "$(layers range)" 1 "asking for the rest only"
t_is "$(ls "$DEVENV_STORE/tmp")" "" "nothing half made is left"
t_run "$DEVENV" store verify
t_status 0 "and the blob is sound"

# In one pull: cut, and then the credentials are asked for again.
start
DEVENV_STORE=$TMP/store-$port
printf '{"auths":{"127.0.0.1:%s":{"auth":"%s"}}}\n' "$port" \
	"$(printf me:s3cret-pass | base64)" >"$TMP/config.json"
t_run timeout 60 "$DEVENV" pull --docker-config "$TMP/config.json" \
	"127.0.0.1:$port/expired/x:1"
t_status 0 "a pull that is asked for credentials in the middle"
t_is "$(grep -c '^GET .*/blobs/.* range$' "$log")" 2 "goes on there, too"
t_is "$(grep -c '^GET .*/blobs/.* auth range$' "$log")" 1 "when it has them"
t_run "$DEVENV" store verify
t_status 0 "the blob is sound"

half
printf x | dd of="$(parts)" bs=1 seek=1000 conv=notrunc 2>/dev/null
: >"$log"
pull
t_status 0 "a part that was damaged"
t_is "$(layers) $(layers range)" "2 1" "is found out, and all fetched anew"
t_run "$DEVENV" store verify
t_status 0 "the blob is sound"

half
head -c 2000000 /dev/zero >"$(parts)"
pull
t_status 0 "a part that is too long is not used"

half
touch -d '2 days ago' "$(parts)"
t_run "$DEVENV" store ls
t_is "$(parts)" "" "what is old is swept away"

half
part=$(parts)
rm "$part"
ln -s "$TMP/elsewhere" "$part"
pull
t_status 0 "a link in its place"
t_is "$(ls "$TMP/elsewhere" 2>/dev/null)" "" "leads nowhere"

# Two at once: one goes on with the part, the other begins on its own.
half
other=$TMP/other
"$DEVENV" pull "127.0.0.1:$port/cut/x:1" >"$other" 2>&1 &
pid=$!
pull
status=$((status * 1000))
wait $pid || status=$((status + $?))
t_status 0 "two pulls of one blob"
t_run "$DEVENV" store verify
t_status 0 "leave the store sound"
t_is "$(ls "$DEVENV_STORE/tmp")" "" "and clean"
t_done
