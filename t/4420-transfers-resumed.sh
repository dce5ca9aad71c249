#!/bin/sh
# 4420-transfers-resumed.sh - what is there of an image is not sent once more
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
t_need docker-registry jq

registry_start plain || t_fail "a registry"
data=$TMP/plain/data/docker/registry/v2
mkdir "$TMP/p"
for i in 1 2 3 4; do
	head -c $((i == 3 ? 3000000 : 20000)) /dev/urandom >"$TMP/p/$i"
	echo "COPY $i /"
done >"$TMP/copies"
{ echo 'FROM scratch'; cat "$TMP/copies"; } >"$TMP/p/Dockerfile"
t_ok "an image of four layers" "$DEVENV" build --push \
	-t "$registry/app:1" "$TMP/p"
digest=$(sed 's/sha256://' \
	"$data/repositories/app/_manifests/tags/1/current/link")
blob() { echo "$data/blobs/sha256/$(echo "$1" | cut -c 1-2)/$1/data"; }
layer() { jq -r ".layers[$1].digest[7:]" "$TMP/manifest"; }
requests() { # METHOD PATTERN: what was asked for and given
	grep -a 'msg="response completed"' "$TMP/plain/log" |
		grep -a "http.request.method=$1 " | grep -aEc "$2"
}
cp "$(blob "$digest")" "$TMP/manifest"

# As a push leaves it that was killed: some layers, and no manifest.
for i in 1 3; do
	rm -r "$data/repositories/app/_layers/sha256/$(layer $i)" \
		"$(dirname "$(blob "$(layer $i)")")"
done
rm -r "$data/repositories/app/_manifests"
: >"$TMP/plain/log"
t_run "$DEVENV" push "$registry/app:1" "$registry/app:1"
t_status 0 "a push that was killed is done once more"
t_is "$(requests PUT '/blobs/uploads/.*status=201')" 2 \
	"what was missing is sent, and nothing else"
t_is "$(jq -r '.pushed[0].digest[7:]' "$out")" "$digest" "the image is whole"

# A pull that failed at its third layer.
good=$(blob "$(layer 2)")
cp "$good" "$TMP/good"
tr '[:lower:]' '[:upper:]' <"$TMP/good" >"$good"
DEVENV_STORE=$TMP/other
t_run "$DEVENV" pull "$registry/app:1"
t_status 5 "a pull with a damaged layer fails"
t_err "$(layer 2) does not match its digest" "and names it"
cp "$TMP/good" "$good"
: >"$TMP/plain/log"
t_run "$DEVENV" pull "$registry/app:1"
t_status 0 "a later one succeeds"
t_is "$(requests GET '/blobs/sha256')" 1 "and gets that layer alone"
t_ok "the store is sound" "$DEVENV" store verify
t_done
