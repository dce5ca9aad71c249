#!/bin/sh
# images read from a mirror of their registry
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
t_need docker-registry skopeo

t_ok "an image for the tests" registry_image "$TMP/lay" one hello
registry_start mirror
mirror=$registry
registry_start other
other=$registry
registry_start origin
origin=$registry
t_ok "the mirror has it below a prefix" skopeo copy -q \
	--dest-tls-verify=false "oci:$TMP/lay:one" \
	"docker://$mirror/cache/team/app:1"
t_ok "another has it under its own name" skopeo copy -q \
	--dest-tls-verify=false "oci:$TMP/lay:one" \
	"docker://$other/team/app:1"
t_ok "the origin has something else, too" skopeo copy -q \
	--dest-tls-verify=false "oci:$TMP/lay:one" \
	"docker://$origin/team/only:1"

fresh() {
	rm -rf "$TMP/store"
	: >"$TMP/mirror/log"
	: >"$TMP/other/log"
	: >"$TMP/origin/log"
}
asked() { # NAME WHAT
	grep -q "$2" "$TMP/$1/log"
}
not_asked() {
	! asked "$@"
}
pull() {
	fresh
	"$DEVENV" --store "$TMP/store" pull "$@" >"$TMP/out" 2>"$TMP/err"
}

t_ok "a pull from a mirror" pull \
	--registry-mirror "$origin=$mirror/cache" "$origin/team/app:1"
t_ok "it asked the mirror for manifest and layer" asked mirror \
	'GET /v2/cache/team/app/blobs/sha256:'
t_ok "and the origin for nothing" not_asked origin '/v2/team/app'
t_ok "the image keeps its name" grep -q "\"$origin/team/app:1\"" "$TMP/out"
t_ok "the store is sound" "$DEVENV" --store "$TMP/store" store verify

t_ok "what the mirror lacks, the origin gives" pull \
	--registry-mirror "$origin=$mirror/cache" "$origin/team/only:1"
t_ok "and the fall back is said" grep -q \
	"mirror $mirror does not serve $origin/team/only: .*404" "$TMP/err"

# Names of hosts are the same in any case.
t_run timeout 60 "$DEVENV" --store "$TMP/store-case" pull \
	--registry-mirror "Hub.Example=$mirror/cache" HUB.example/team/app:1
t_status 0 "the host of a mirrored registry in capitals"
t_run "$DEVENV" --store "$TMP/store-case" store ls
t_out "hub.example/team/app:1" "has one name"

t_ok "several are tried in order" pull \
	--registry-mirror "$origin=127.0.0.1:1" \
	--registry-mirror "$origin=$mirror" \
	--registry-mirror "$origin=$other" "$origin/team/app:1"
t_ok "one that is not there is passed over" grep -q \
	"mirror 127.0.0.1:1 does not serve" "$TMP/err"
t_ok "the second was asked" asked mirror '/v2/team/app/manifests/1'
t_ok "the third served" asked other '/v2/team/app/blobs/sha256:'

# A mirror that has the manifest and lost a blob.
blob=$(find "$TMP/other/data" -path '*team/app/_layers*' -name link | head -n 1)
t_ok "a blob for the mirror to lose" test -f "$blob"
rm "$blob"
t_ok "the origin gets the image" skopeo copy -q --dest-tls-verify=false \
	"oci:$TMP/lay:one" "docker://$origin/team/app:1"
t_ok "a blob the mirror lost comes from the origin" pull \
	--registry-mirror "$origin=$other" "$origin/team/app:1"
t_ok "only that one" sh -c "test \$(grep -c 'GET /v2/team/app/blobs' \
	'$TMP/origin/log') -eq 1"
t_ok "the store is sound then, too" "$DEVENV" --store "$TMP/store" store verify

pull --registry-mirror "$origin=$mirror" "$origin/no/such:1"
t_is "$?" 6 "nobody has it: the origin's answer counts"
t_ok "and is shown" grep -q "$origin answered with status 404" "$TMP/err"

fresh
t_ok "the variable of kaniko serves" env \
	KANIKO_REGISTRY_MIRROR="$origin=$mirror/cache,$other" \
	"$DEVENV" --store "$TMP/store" pull "$origin/team/app:1"
mkdir "$TMP/ctx"
printf 'FROM %s/team/app:1\nLABEL a=b\n' "$origin" >"$TMP/ctx/Dockerfile"
fresh
t_ok "as does a build" "$DEVENV" --store "$TMP/store" build \
	--registry-mirror "$origin=$mirror/cache" "$TMP/ctx"
t_ok "which asked the mirror" asked mirror '/v2/cache/team/app/manifests/1'
t_ok "pushing leaves mirrors alone" sh -c "'$DEVENV' --store '$TMP/store' \
	push --registry-mirror '$origin=$other' '$origin/team/app:1' \
	'$origin/new/app:2' >/dev/null 2>&1"
t_ok "what was pushed is at the origin" asked origin 'PUT /v2/new/app/manifests/2'
t_ok "and nothing at the mirror" not_asked other '/v2/new'

pull --registry-mirror 'a/b=' "$origin/team/app:1"
t_is "$?" 2 "a mirror without a name is refused"
t_ok "with its text" grep -q "'a/b=' names no registry mirror" "$TMP/err"
t_done
