#!/bin/sh
# pull and push against a registry that misbehaves
. "$(dirname "$0")/lib.sh"

# Each fault has a server and a store of its own: what fails once fails for
# the test that is about it, and nothing is there from the one before.
start() { # FAULT
	fault=$1
	port=$(t_port)
	log=$TMP/server-$fault.log
	"$HELPER/faulty" "$port" "$log" >/dev/null 2>&1 &
	t_atexit "kill $! 2>/dev/null"
	host=127.0.0.1:$port
	DEVENV_STORE=$TMP/store-$fault
	t_wait nc_probe "$port"
}
nc_probe() { "$DEVENV" --store "$TMP/probe" pull -q "127.0.0.1:$1/ok/x:1"; }
pull() { # [option...]
	t_run timeout 60 "$DEVENV" pull "$@" "$host/$fault/x:1"
}
blobs() { find "$DEVENV_STORE" -type f -size +500k | wc -l; }

start cut
pull
t_status 0 "a transfer that breaks in the middle goes on"
t_is "$(grep -c 'range$' "$log")" 1 "from where it broke"
t_err 'trying again' "and says so"

start norange
pull
t_status 0 "a server without ranges makes it begin anew"

start busy
pull
t_status 0 "429 is waited for"
t_err 'status 429; trying again in 1\.' "as long as Retry-After says"
start until
pull
t_status 0 "429 until a date"
t_err 'status 429; trying again in [23]\.' "is waited for as long"
start trouble
pull
t_status 0 "500 is tried again"

for f in digest short long; do
	start $f
	pull
	t_status 5 "a blob with the fault '$f' is a network error"
	t_is "$(blobs)" 0 "nothing of it is kept ($f)"
	t_err 'sha256:[0-9a-f]{64}' "its digest is named ($f)"
done

start stall
pull --registry-stall 1 --registry-retries 1
t_status 5 "a transfer that stands still is given up"
t_err 'stalled' "and named"

start huge
pull
t_status 5 "a manifest without end"
t_err 'larger than' "is cut off"
start liar
pull
t_status 5 "a manifest that is not what its digest says"
t_err 'does not match its digest' "is refused"

start warns
pull
t_status 0 "a registry that warns is pulled from"
t_is "$(grep -c 'says: it "goes" \\x1b\[1m away$' "$err")" 1 \
	"its warning is shown, and is no terminal's command"
t_err 'warning: .*127.0.0.1:[0-9]+ says: a second one$' "and the next one"
t_is "$(grep -c 'says: ' "$err")" 2 "each once, and no other kind of warning"

mkdir -p "$TMP/conf"
start moved
printf '{"auths":{"%s":{"username":"me","password":"secret-pass"}}}' "$host" \
	>"$TMP/conf/config.json"
pull --docker-config "$TMP/conf"
t_status 0 "a blob on another host is followed to"
t_ok "credentials went to the registry" \
	grep -q "^GET .* $host auth" "$log"
t_ok "the other host was asked" grep -q "^GET .* localhost:" "$log"
t_is "$(grep -c 'localhost.* auth' "$log")" 0 "without the credentials"

start nohead
mkdir "$TMP/label"
printf 'FROM %s/nohead/x:1\nLABEL a=b\n' "$host" >"$TMP/label/Dockerfile"
t_run timeout 60 "$DEVENV" build --cache-from "$host/ok/cache" "$TMP/label"
t_status 0 "a registry that answers no HEAD is asked for the whole"
t_ok "it was asked in vain before" grep -q '^HEAD .*nohead/x/manifests' "$log"

start loop
pull
t_status 5 "endless redirects"
t_err 'more than 10 redirects' "end"
start inside
pull
t_status 5 "a redirect to a link-local address"
t_err 'further inside the network' "is not followed"
start realm
pull --docker-config "$TMP/conf"
t_status 6 "a token server at a link-local address"
t_err '169\.254\.169\.254' "gets nothing"

start ok
pull
t_status 0 "an image to push"
from=$host/ok/x:1
push() { # FAULT [option...]
	f=$1
	shift
	t_run timeout 60 "$DEVENV" push "$@" "$from" "$host/$f/y:1"
}
push mount
t_status 0 "a mount that is answered with an upload is uploaded"
t_ok "the mount was asked for" grep -q 'POST .*mount=sha256' "$log"
t_ok "the place keeps its query" grep -q 'PUT .*_state=a&digest=' "$log"
push putdies
t_status 0 "an upload that breaks is begun anew"
push noplace
t_status 5 "an upload without a place"
t_err 'no Location' "is named"
push putdenied
t_status 6 "an upload that is denied"
t_err 'DENIED: as told' "is told in the registry's words"
t_ok "and taken back" grep -q '^DELETE .*putdenied' "$log"

"$DEVENV" push "$from" "$host/puthangs/y:1" >"$out" 2>"$err" &
pid=$!
t_wait grep -q '^PUT .*puthangs' "$log"
kill -TERM $pid
status=0
wait $pid || status=$?
t_status 143 "a push that is told to end ends"
t_ok "and takes back what it began" grep -q '^DELETE .*puthangs' "$log"
t_done
