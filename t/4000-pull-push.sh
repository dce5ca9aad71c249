#!/bin/sh
# pull and push against a real registry, judged by skopeo
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
t_need docker-registry skopeo umoci htpasswd openssl

image() { # field of the record on standard output
	sed -n "s/.*\"$1\": \"\([^\"]*\)\".*/\1/p" "$out" | head -n 1
}
seed() { # REF [skopeo option...]
	r_ref=$1
	shift
	skopeo copy -q --dest-tls-verify=false "$@" "oci:$TMP/lay:one" \
		"docker://$r_ref"
}

registry_start plain
plain=$registry
t_ok "an image for the tests" registry_image "$TMP/lay" one hello
t_ok "skopeo fills the registry" seed "$plain/a/app:1"

t_run "$DEVENV" pull "$plain/a/app:1"
t_status 0 "pull from a loopback registry over plain http"
t_is "$(cat "$err")" "" "few bytes need no word about progress"
want=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' \
	"docker://$plain/a/app:1")
t_ok "skopeo knows its digest" test -n "$want"
t_is "$(image digest)" "$want" "the record has the manifest's digest"
t_out '"platform": "linux/amd64"|"platform": "linux/arm64"' \
	"the record has the platform"
t_out '"steps": \[\]' "the record has no steps"
for layer in $(skopeo inspect --tls-verify=false \
	--format '{{range .Layers}}{{.}} {{end}}' "docker://$plain/a/app:1"); do
	hex=${layer#sha256:}
	have=$(sha256sum <"$DEVENV_STORE/blobs/sha256/$hex")
	t_is "${have%% *}" "$hex" "layer ${hex%??????????????????????????????????????????????????????} is in the store"
done

: >"$TMP/plain/log"
t_run "$DEVENV" pull "$plain/a/app:1"
t_status 0 "pull again"
t_is "$(grep -c 'http.request.method=GET.*blobs' "$TMP/plain/log")" 0 \
	"the second pull fetches no blob"
t_run "$DEVENV" pull "$plain/a/app@$want"
t_status 0 "pull by digest"

t_run "$DEVENV" pull "$plain/a/none:1"
t_status 6 "a missing image is refused"
t_err 'MANIFEST_UNKNOWN' "with the registry's own words"
t_run "$DEVENV" pull "$plain/a/App:1"
t_status 2 "a malformed reference is a usage error"
t_err 'must be lower case' "that names the fault"

: >"$TMP/plain/log"
t_run "$DEVENV" push "$plain/a/app:1" "$plain/b/copy:1" "$plain/b/copy:2"
t_status 0 "push under two tags"
t_is "$(grep -c '"reference"' "$out")" 3 "the record lists both"
for tag in 1 2; do
	t_is "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' \
		"docker://$plain/b/copy:$tag")" "$want" \
		"skopeo finds the same digest under tag $tag"
done
t_ok "skopeo copies it back, verifying each blob" skopeo copy -q \
	--src-tls-verify=false "docker://$plain/b/copy:1" "oci:$TMP/back:x"
t_is "$(grep -c 'http.request.method=PUT.*blobs/uploads' "$TMP/plain/log")" \
	0 "blobs were mounted from the other repository, not sent"

t_run sh -c "'$DEVENV' pull '$plain/a/app:1' | '$DEVENV' push - '$plain/c/piped:1'"
t_status 0 "a record pipes from pull to push"
t_out '"pushed"' "and comes out with what was pushed"

t_run "$DEVENV" push "$TMP/lay" "$plain/d/layout:1"
t_status 0 "push an OCI layout directory"
t_is "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' \
	"docker://$plain/d/layout:1")" "$want" "skopeo finds its manifest"
t_ok "a second image in the layout" registry_image "$TMP/lay" two other
t_run "$DEVENV" push "$TMP/lay" "$plain/d/layout:2"
t_status 3 "a layout with two images"
t_err 'oci:DIR:TAG' "needs a tag"
t_run "$DEVENV" push "oci:$TMP/lay:two" "$plain/d/layout:2"
t_status 0 "push one of them by its tag"
t_run "$DEVENV" push "oci:$TMP/lay:three" "$plain/d/layout:3"
t_status 3 "a tag that is not there"
t_err "no image has the tag 'three'" "is named"

registry_start locked htpasswd me s3cret-pass
locked=$registry
t_run "$DEVENV" push "$plain/a/app:1" "$locked/x/app:1"
t_status 6 "a push without credentials is refused"
t_err 'docker login' "and the hint says how to get some"
mkdir -p "$TMP/conf"
printf '{"auths":{"%s":{"auth":"%s"}}}\n' "$locked" \
	"$(printf me:s3cret-pass | base64)" >"$TMP/conf/config.json"
t_run "$DEVENV" -v push --docker-config "$TMP/conf" "$plain/a/app:1" \
	"$locked/x/app:1"
t_status 0 "push with basic authentication streams what is missing"
t_is "$(grep -c 's3cret-pass' "$err")" 0 "the password is in no message"
t_is "$(skopeo inspect --tls-verify=false --creds me:s3cret-pass \
	--format '{{.Digest}}' "docker://$locked/x/app:1")" "$want" \
	"skopeo finds it"
t_run env "DEVENV_DOCKER_CONFIG_BASE64=$(base64 -w 0 "$TMP/conf/config.json")" \
	"$DEVENV" --store "$TMP/store2" pull "$locked/x/app:1"
t_status 0 "pull with a configuration in base64, into an empty store"
printf '{"auths":{"%s":{"username":"me","password":"other"}}}\n' "$locked" \
	>"$TMP/conf/wrong.json"
t_run "$DEVENV" pull --docker-config "$TMP/conf/wrong.json" "$locked/x/app:1"
t_status 6 "wrong credentials are refused"
t_err "used user .* from .*wrong.json" "the hint says which were used"

registry_start tls tls
tls=$registry
t_run "$DEVENV" push "$plain/a/app:1" "$tls/y/app:1"
t_status 5 "a certificate of an unknown authority is not accepted"
t_err '--ca-file' "the hint names the option"
t_run "$DEVENV" push --ca-file "$TMP/tls/ca.pem" "$plain/a/app:1" \
	"$tls/y/app:1"
t_status 0 "push over TLS with --ca-file"
t_run env SSL_CERT_FILE="$TMP/tls/ca.pem" "$DEVENV" --store "$TMP/store3" \
	pull "$tls/y/app:1"
t_status 0 "pull over TLS with SSL_CERT_FILE"
t_run "$DEVENV" --store "$TMP/store4" pull --skip-tls-verify-registry "$tls" \
	"$tls/y/app:1"
t_status 0 "pull over TLS without verification, when told so"
t_err "warning: .*$tls is used without verifying who it is" "and warned"
t_run "$DEVENV" --store "$TMP/store5" pull --insecure-registry "$tls" \
	"$tls/y/app:1"
t_status 5 "leave to speak plain http is none to skip that"
t_err "--skip-tls-verify-registry $tls" "the hint names the other option"
mkdir -p "$TMP/certs/$tls"
cp "$TMP/tls/ca.pem" "$TMP/certs/$tls/ca.crt"
t_run env DEVENV_CERTS_DIR="$TMP/certs" "$DEVENV" --store "$TMP/store5" pull \
	"$tls/y/app:1"
t_status 0 "pull over TLS with an authority of certs.d"

t_run "$DEVENV" pull "127.0.0.1:$(t_port)/a/b:1"
t_status 5 "nobody listens: a network error"
t_err '127\.0\.0\.1' "that names the host"
t_run "$DEVENV" push nothing-here "$plain/a/b:1"
t_status 3 "an image that is not in the store"
t_err 'no image' "is named"
t_run "$DEVENV" push "$plain/a/app:1" "$plain/x@$want"
t_status 2 "a digest cannot be pushed to"
t_done
