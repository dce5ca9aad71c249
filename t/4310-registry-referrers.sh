#!/bin/sh
# documents about images: attached and listed, with and without the API
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
. "$SRC/t/helper/odd.sh"
t_need docker-registry python3 skopeo umoci

attach() { # REPOSITORY TYPE TEXT
	t_run "$HELPER/referrers" attach "$1" "$subject" 428 "$2" "$3"
}
list() { # REPOSITORY [TYPE]
	repo=$1
	shift
	t_run "$HELPER/referrers" list "$repo@$subject" "$@"
}

registry_start plain
plain=$registry/a/app
odd_start
t_ok "an image for the tests" registry_image "$TMP/lay" one hello
t_ok "that a registry has" skopeo copy -q --dest-tls-verify=false \
	"oci:$TMP/lay:one" "docker://$plain:1"
subject=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' \
	"docker://$plain:1")
tag=sha256-${subject#sha256:}

# One registry knows no referrers, the other does.
for place in "$plain" "$odd/referrers/app" "$odd/race/app" "$odd/html/app"; do
	kind=${place#*/}
	list "$place"
	t_status 0 "$kind: an image without documents"
	t_is "$(cat "$out")" "" "$kind: has none"
	attach "$place" text/one first
	t_status 0 "$kind: attach a document"
	first=$(cat "$out")
	attach "$place" text/two second
	t_status 0 "$kind: attach another"
	attach "$place" text/two third
	t_status 0 "$kind: and one more"
	attach "$place" text/one first
	t_is "$(cat "$out")" "$first" "$kind: the same again is the same"
	list "$place"
	t_is "$(sed 's/^sha256:[0-9a-f]* //' "$out" | sort | tr '\n' ';')" \
		"text/one first;text/two second;text/two third;" \
		"$kind: all are listed, each once"
	list "$place" text/one
	t_is "$(cat "$out")" "$first text/one first" "$kind: or those of a type"
done
t_is "$(grep -c "PUT .*referrers/app/manifests/$tag" "$odd_log")" 0 \
	"no tag is written where the registry keeps the list"
t_is "$(grep -c "GET .*/referrers/app/referrers/.*last=2 200 " "$odd_log")" \
	2 "a list goes on where its Link says"

t_run skopeo inspect --raw --tls-verify=false "docker://$plain:$tag"
t_out '"artifactType":"text/one"' "others find the list under the tag"
t_run skopeo inspect --raw --tls-verify=false "docker://$plain@$first"
t_out "\"subject\":\{\"digest\":\"$subject\",\"mediaType\"" \
	"and in it manifests that name their subject"
t_out '"config":\{"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","mediaType":"application/vnd.oci.empty.v1\+json","size":2\}' \
	"with the empty configuration"

t_ok "a tag that is no index" skopeo copy -q --dest-tls-verify=false \
	"oci:$TMP/lay:one" "docker://$plain:$tag"
attach "$plain" text/one fourth
t_status 3 "is not written over"
t_err "tag $tag is no index" "but named"
t_done
