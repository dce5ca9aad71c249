#!/bin/sh
# devenv lint IMAGE: what configuration, history and manifest tell
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
t_need docker-registry skopeo curl

mkdir "$TMP/ctx"
echo 1 >"$TMP/ctx/a"
cd "$TMP" || exit 1

printf 'FROM scratch\nARG PART=1\nENV A=b KEY_FILE=/k\nCOPY a /\n' \
	>ctx/Dockerfile
t_run "$DEVENV" build -q -t localhost/good:1 ctx
t_status 0 "an image with nothing to say about"
t_run "$DEVENV" lint --format=json localhost/good:1
t_status 0 "is clean"
t_is "$(cat "$out")" "[]" "and an empty list"

printf 'FROM scratch\nENV API_KEY=k EMPTY_TOKEN=\nCOPY a /\n' >ctx/Dockerfile
t_run "$DEVENV" build -q -t localhost/env:1 ctx
t_status 0 "an image with a secret in its environment"
id=$(sed -n 's/.*"config_digest": "\(.*\)".*/\1/p' "$out")
t_run "$DEVENV" lint localhost/env:1
t_status 1 "has a finding"
t_is "$(cat "$out")" "localhost/env:1: SecretInEnv: the environment has a \
value for 'API_KEY', which everybody with the image can read" \
	"that names the variable, and none for an empty one"
t_run "$DEVENV" lint "$id"
t_status 1 "an image by its id"
t_run "$DEVENV" lint --format=json localhost/env:1
t_out '"line": 0' "no line of no file"

# A registry takes what nobody should push.
registry_start plain
registry_image "$TMP/lay" one hello
skopeo copy -q --dest-tls-verify=false "oci:$TMP/lay:one" \
	"docker://$registry/a:1"
oci=application/vnd.oci.image.manifest.v1+json
curl -sf -H "Accept: $oci" "http://$registry/v2/a/manifests/1" >manifest
sed 's#vnd.oci.image.layer.v1.tar+gzip#vnd.docker.image.rootfs.diff.tar.gzip#' \
	manifest >mixed
t_ok "the manifest is another one" sh -c '! cmp -s manifest mixed'
t_ok "a manifest of two families" curl -sf -X PUT -H "Content-Type: $oci" \
	--data-binary @mixed "http://$registry/v2/a/manifests/mixed"
t_run "$DEVENV" pull -q "$registry/a:1"
t_status 0 "the image as it should be"
t_run "$DEVENV" lint "$registry/a:1"
t_status 0 "is clean as well"
t_run "$DEVENV" pull -q "$registry/a:mixed"
t_status 0 "the mixed one is pulled"
t_run "$DEVENV" lint "$registry/a:mixed"
t_status 1 "and has a finding"
t_out 'MixedMediaTypes: the manifest mixes media types of OCI and docker' \
	"about its media types"

# A configuration whose history was edited, with a value in it.
digest=$(sed -n 's/.*"config":{[^}]*"digest":"\([^"]*\)".*/\1/p' manifest)
curl -sf "http://$registry/v2/a/blobs/$digest" >config
step='{"created_by":"RUN |2 A=1 DB_PASSWORD=x /bin/sh -c y"}'
sed "s#,\"history\":\[[^]]*\]##; s#}\$#,\"history\":[$step,$step,$step]}#" \
	config >edited
new=sha256:$(sha256sum <edited | cut -d' ' -f1)
place=$(curl -sf -X POST -D - -o /dev/null \
	"http://$registry/v2/a/blobs/uploads/" | tr -d '\r' |
	sed -n 's/^[Ll]ocation: //p')
curl -sf -X PUT -H 'Content-Type: application/octet-stream' \
	--data-binary @edited "$place&digest=$new"
sed "s#$digest#$new#; s#\(\"config\":{[^}]*\"size\":\)[0-9]*#\1$(wc -c <edited)#" \
	manifest >other
t_ok "an image with an edited history" curl -sf -X PUT \
	-H "Content-Type: $oci" --data-binary @other \
	"http://$registry/v2/a/manifests/edited"
t_run "$DEVENV" pull -q "$registry/a:edited"
t_status 0 "is pulled"
t_run "$DEVENV" lint "$registry/a:edited"
t_status 1 "it has findings"
t_out "SecretInHistory: the history has a value for the build argument 'DB_PASSWORD'" \
	"about the argument"
t_out 'HistoryMismatch: the history tells of 3 layers, the image has 1' \
	"and the number of layers"
t_done
