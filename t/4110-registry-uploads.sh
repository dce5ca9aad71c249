#!/bin/sh
# blobs in parts, interrupted and taken up again; what registries refuse
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
. "$SRC/t/helper/odd.sh"
t_need docker-registry python3 skopeo umoci curl

odd_start
t_ok "an image for the tests" registry_image "$TMP/lay" one hello
head -c 10000 /dev/urandom >"$TMP/content/file"
t_ok "of 10 kB" umoci insert --image "$TMP/lay:one" "$TMP/content" /more

push() { # WAYS [option...]
	ways=$1
	shift
	: >"$odd_log"
	t_run timeout 60 "$DEVENV" push "$@" "$TMP/lay" "$odd/$ways/app:1"
}
sound() { # every blob is what it is called
	rm -rf "$TMP/check"
	skopeo copy -q --src-tls-verify=false "docker://$odd/$ways/app:1" \
		"oci:$TMP/check:x"
}
parts() { grep -c '^PATCH' "$odd_log"; }

push whole
t_status 0 "a blob goes in one request"
t_is "$(parts)" 0 "not in parts"

for case in parts:4 parts-torn:4 parts-busy:4 parts-short:4 parts-lost:6; do
	odd_stop
	odd_start
	push "${case%:*}" --chunk-size 100
	t_status 0 "$ways: in parts"
	t_ok "$ways: it is sound" sound
	t_is "$(parts)" "${case#*:}" "$ways: as many as needed"
	t_is "$(grep '^PATCH' "$odd_log" | awk '$4 > 3000 { print }')" "" \
		"$ways: each as large as the registry's least"
	t_is "$(grep -c '^PUT .*digest=.* 201 0$' "$odd_log")" 1 \
		"$ways: the last request has no body"
	case $ways in
	*torn | *busy | *short)
		t_is "$(grep -c '^GET .*uploads/.* 204' "$odd_log")" 1 \
			"$ways: the registry was asked how far it came"
		t_err 'goes on at [0-9]+' "$ways: and it went on there"
		;;
	esac
done
odd_stop
odd_start
push parts-vague --chunk-size 100 --registry-retries 2
t_status 6 "a registry that does not say how much it has"
t_is "$(grep -c '^PATCH' "$odd_log")" 1 "is not sent more on top"
odd_stop
odd_start
push parts-deaf --chunk-size 100
t_status 6 "a registry that drops parts"
t_err 'DIGEST_INVALID' "finds that out at the end"
t_err 'may not take a blob in parts: try without --chunk-size' "the hint helps"
push noparts --chunk-size 100
t_status 6 "a registry that takes no parts"
t_err 'status 405: UNSUPPORTED: as told' "says so"
push parts --chunk-size 100q
t_status 2 "a size that is none"
t_err "100q" "is named"

push limit
t_status 6 "a proxy that limits requests"
t_err 'status 413' "refuses"
t_err 'hint: .*limits the size of a request: .*--chunk-size' "the hint helps"
push parts-limit --chunk-size 4kB
t_status 0 "as it does"
push quota
t_err 'status 413: QUOTA: no room: 5 of 5 GB' \
	"a registry's own words: code, message, detail"
push nameless
t_status 6 "a repository that has to be made first"
t_err 'hint: .*made before the first push' "which is said"
push fixed
t_status 0 "a tag"
push fixed
t_status 6 "that cannot be moved"
t_err 'status 409: TAG_INVALID: tags are immutable' "is refused"
t_err 'hint: the tag may be immutable' "and explained"
push lacks
t_status 6 "a manifest of unknown blobs"
t_err 'MANIFEST_BLOB_UNKNOWN: blob unknown to registry: .*sha256:[0-9a-f]{64}' \
	"the missing one is named"

# The real one keeps its place in the Location.
registry_start plain
t_run env DEVENV_CHUNK_SIZE=1kB "$DEVENV" push "$TMP/lay" "$registry/a/app:1"
t_status 0 "parts for docker's registry"
t_ok "that were many" test "$(grep -c '"PATCH ' "$TMP/plain/log")" -ge 10
odd=$registry
ways=a
t_ok "it is sound" sound

# Interrupted: what was begun is taken back.
: >"$TMP/slow.log"
slow_port=$(t_port)
"$HELPER/faulty" "$slow_port" "$TMP/slow.log" &
t_atexit "kill $! 2>/dev/null"
t_wait curl -s "http://127.0.0.1:$slow_port/v2/x"
"$DEVENV" push --registry-stall 4 --registry-retries 1 "$TMP/lay" \
	"127.0.0.1:$slow_port/puthangs/app:1" 2>"$err" &
pid=$!
t_wait grep -q '^PUT' "$TMP/slow.log"
kill -TERM $pid
status=0
wait $pid || status=$?
t_status 143 "an interrupted push ends"
t_wait grep -q '^DELETE' "$TMP/slow.log"
t_ok "and its upload is deleted" grep -q '^DELETE /v2/puthangs/up?_state=a' \
	"$TMP/slow.log"
t_done
