#!/bin/sh
# images in a cache: a build that somebody has finished is taken over whole
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
. "$SRC/t/build-lib.sh"
t_need docker-registry skopeo jq

build() { # STORE OPTION...
	b_store=$1
	shift
	registry_forget cache bases
	t_run "$DEVENV" --store "$TMP/$b_store" build "$@" "$TMP/ctx"
}
record() { jq -r "$1" "$out"; }

t_ok "a base image in a registry" build_bases busybox
skopeo copy -q --src-tls-verify=false --dest-tls-verify=false \
	"docker://$BASE" "docker://$registry/other" || exit 1
OTHER=$registry/other
registry_start cache
cache=$registry
mkdir "$TMP/ctx"
echo one >"$TMP/ctx/file"
cat >"$TMP/ctx/Dockerfile" <<END
FROM $BASE AS tool
RUN echo tool >/tool
FROM $OTHER
ARG WORD=none
WORKDIR /work
COPY file /work/file
COPY --from=tool /tool /tool
RUN cat /tool file >/all; echo \$WORD >>/all
CMD ["cat", "/all"]
END

build a --cache-repo "$cache/c" --digest
t_status 0 "a build with a cache"
t_err "the image was published as $cache/c:image-[0-9a-f]{64}\$" \
	"publishes its image"
id=$(record .image.config_digest)
digest=$(record .image.digest)
t_is "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' \
	"docker://$cache/c@$digest")" "$digest" "which others can pull"
t_ok "with all its layers" skopeo copy -q --src-tls-verify=false \
	"docker://$cache/c@$digest" "dir:$TMP/pulled"
build a --cache-repo "$cache/c"
t_is "$(registry_requests cache) $(registry_requests cache 'GET /v2/c/manifests/image-')" "1 1" \
	"the next build asks once, and publishes nothing"

build b --cache-repo "$cache/c" --digest
t_status 0 "the same build in an empty store"
t_is "$(record .image.config_digest) $(record .image.digest)" "$id $digest" \
	"gives the same image, to the byte"
t_is "$(record '[.image.steps[] | select(.key) | .cached] | all')" true \
	"of cached steps"
t_is "$(registry_requests bases) $(registry_requests bases HEAD)" "2 2" \
	"a base image costs one request for what its name means"
t_is "$(registry_requests cache '/manifests/')" 2 "the image and its bases one each"
t_is "$(registry_requests cache) $(registry_requests cache "GET /v2/c/blobs/$id")" "3 1" \
	"and nothing is fetched but the configuration"
t_is "$(find "$TMP/b/layers" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l)" 0 \
	"nothing is unpacked"
build b
t_is "$(registry_requests cache) $(registry_requests bases)" "0 0" "it is remembered"
t_is "$(record '[.image.steps[] | select(.key) | .cached] | all')" true \
	"with all its steps"

registry_forget cache bases
t_run "$DEVENV" --store "$TMP/b" push "$id" "$cache/app:1"
t_status 0 "it is pushed to another repository of that registry"
t_is "$(registry_requests cache 'PUT /v2/app/blobs')" 0 "all blobs are mounted"
t_is "$(registry_requests cache 'GET .*/blobs/')" 0 "and none is fetched"
t_run "$DEVENV" --store "$TMP/b" run "$id"
t_is "$(cat "$out")" "tool
one
none" "it runs, with layers from the cache"
t_ok "the store is sound" "$DEVENV" --store "$TMP/b" store verify

# What is no part of the image makes none other, what is does.
echo unrelated >"$TMP/ctx/README"
build c --cache-repo "$cache/c"
t_is "$(record .image.config_digest)" "$id" "another file is no reason"
for change in "--label a=b" "--build-arg WORD=two" "--build-arg \
SOURCE_DATE_EPOCH=1700000000" "--annotation a=b"; do
	# shellcheck disable=SC2086 # words
	build d --cache-from "$cache/c" $change
	t_is "$status $(registry_requests cache 'GET /v2/c/manifests/image-.*')" "0 1" \
		"$change asks for an image"
	t_is "$(grep -c 'is this build' "$err")" 0 "that is not this one"
	rm -rf "$TMP/d"
done

# On a stage that came out as it was, keys are those of the first build.
sed -i 's/echo tool/echo  tool/' "$TMP/ctx/Dockerfile"
build a --cache-repo "$cache/c"
again=$(record .image.config_digest)
t_err 'published as' "a stage that is built anew, to the same files"
build e --cache-repo "$cache/c"
t_is "$(record .image.config_digest) $(registry_requests cache 'GET .*/blobs/')" \
	"$again 1" "an empty store finds what was made of it"

# A directory does the same.
build f --cache-repo "oci:$TMP/dir"
t_err "published as oci:$TMP/dir:image-" "an image goes into a directory"
id=$(record .image.config_digest)
mv "$TMP/bases/data" "$TMP/bases/gone"
build g --cache-repo "oci:$TMP/dir"
t_status 6 "a base image that is gone is missed"
mv "$TMP/bases/gone" "$TMP/bases/data"
build g --cache-repo "oci:$TMP/dir"
t_is "$(record .image.config_digest)" "$id" "and comes out again"
t_is "$(registry_requests bases 'GET')" 0 "what describes the bases is there, too"
t_run "$DEVENV" --store "$TMP/g" run "$id"
t_is "$(sed -n 1p "$out")" tool "it runs"

# What is promised and gone is made again, and then it is there again.
jq -r '.manifests[] | select(.annotations[] | startswith("image-")) | .digest' \
	"$TMP/dir/index.json" | sed 's/sha256://' | while read -r hex; do
	rm -f "$TMP/dir/blobs/sha256/$(jq -r '.layers[-1].digest[7:]' \
		"$TMP/dir/blobs/sha256/$hex")"
done
build j --cache-repo "oci:$TMP/dir"
t_err "published as oci:$TMP/dir:image-" "an image without its layer is none"
build e --cache-repo "$cache/c"
layer=$(curl -sf -H 'Accept: application/vnd.oci.image.manifest.v1+json' \
	"http://$cache/v2/c/manifests/$(jq -r .image.digest "$out")" |
	jq -r '.layers[-1].digest')
curl -sf -X DELETE "http://$cache/v2/c/blobs/$layer" || exit 1
build k --cache-repo "$cache/c" -o "type=local,dest=$TMP/files"
t_status 0 "in a registry that is found out when the layer is needed"
t_err 'promised is not to be had, so it is made again' "and told"
build l --cache-repo "$cache/c" -o "type=local,dest=$TMP/more"
t_is "$(grep -c 'is this build' "$err") $(cat "$TMP/more/all")" "1 tool
one
none" "the next build has the new one"
again=$(record .image.config_digest)

# Whoever writes to the cache decides what is found there; but a build takes
# no image that says something else of itself.
for tag in $(skopeo list-tags --tls-verify=false "docker://$cache/c" |
	jq -r '.Tags[] | select(startswith("image-"))'); do
	skopeo copy -q --src-tls-verify=false --dest-tls-verify=false \
		"docker://$BASE" "docker://$cache/c:$tag" || exit 1
done
build h --cache-from "$cache/c"
t_status 0 "somebody puts another image there"
t_err 'the image of this build is not used: it is not what this build makes' \
	"it is not used, with a warning"
t_run "$DEVENV" --store "$TMP/h" run "$(record .image.config_digest)"
t_is "$(cat "$out")" "tool
one
none" "and what it builds is right"

# Nor one on another base, or of a layer that is another than it says: that is
# found out before a layer goes on, in an archive or to another registry.
lie() { # JQ-FILTER: of the configuration of what the directory has
	rm -rf "$TMP/lies"
	cp -a "$TMP/truth" "$TMP/lies"
	l_blobs=$TMP/lies/blobs/sha256
	l_image=$(jq -r '.manifests[] | select(.annotations[] |
		startswith("image-")) | .digest[7:]' "$TMP/lies/index.json")
	jq -c "$1" "$l_blobs/$(jq -r '.config.digest[7:]' \
		"$l_blobs/$l_image")" >"$TMP/config"
	l_config=$(sha256sum "$TMP/config" | cut -c 1-64)
	cp "$TMP/config" "$l_blobs/$l_config"
	jq -c --arg d "sha256:$l_config" --argjson n \
		"$(stat -c %s "$TMP/config")" '.config |=
		(.digest = $d | .size = $n)' "$l_blobs/$l_image" >"$TMP/manifest"
	l_other=$(sha256sum "$TMP/manifest" | cut -c 1-64)
	cp "$TMP/manifest" "$l_blobs/$l_other"
	jq -c --arg d "sha256:$l_other" --arg old "sha256:$l_image" \
		--argjson n "$(stat -c %s "$TMP/manifest")" \
		'(.manifests[] | select(.digest == $old)) |=
		(.digest = $d | .size = $n)' "$TMP/lies/index.json" \
		>"$TMP/index" && cp "$TMP/index" "$TMP/lies/index.json"
}
contents() { # LAYOUT: of layers, as they are and as the configuration has them
	c_blobs=$1/blobs/sha256
	c_image=$c_blobs/$(jq -r '.manifests[0].digest[7:]' "$1/index.json")
	for c_layer in $(jq -r '.layers[].digest[7:]' "$c_image"); do
		zcat "$c_blobs/$c_layer" | sha256sum | cut -c 1-64
	done >"$TMP/are"
	jq -r '.rootfs.diff_ids[][7:]' "$c_blobs/$(jq -r \
		'.config.digest[7:]' "$c_image")" >"$TMP/should"
}
build a --cache-to "oci:$TMP/truth"
zero=sha256:$(printf %064d 0)
lie ".rootfs.diff_ids[0] = \"$zero\""
build m --cache-from "oci:$TMP/lies"
t_status 0 "an image says that it lies on another base"
t_err 'is not used: it is not what this build makes' "it is not used"
lie ".rootfs.diff_ids[-1] = \"$zero\""
build n --cache-from "oci:$TMP/lies" -o "type=oci,tar=false,dest=$TMP/layout"
t_status 0 "a layer is another than the image says"
t_err "made again: oci:$TMP/lies: layer $zero has the content of sha256:" \
	"which is found out when it is written"
contents "$TMP/layout"
t_ok "and what is written is right" diff "$TMP/should" "$TMP/are"
build o --cache-from "oci:$TMP/lies" -t "$registry/lies:1" --push
t_status 0 "or pushed"
t_err "made again: oci:$TMP/lies: layer $zero has the content of sha256:" \
	"which is told"
skopeo copy -q --src-tls-verify=false "docker://$registry/lies:1" \
	"oci:$TMP/pushed" || exit 1
contents "$TMP/pushed"
t_ok "and what is pushed is right" diff "$TMP/should" "$TMP/are"
build p --cache-from "oci:$TMP/lies"
t_run "$DEVENV" --store "$TMP/p" push "$(record .image.config_digest)" \
	"$registry/lies:2"
t_status 3 "a push of its own does not hand it on"
t_err 'hint: the step cache is wrong: build it again with --no-cache' \
	"and says what to do"

# Publishing is no part of the build, unless it is meant to be.
build i --cache-repo "127.0.0.1:1/none"
t_status 0 "a cache that is not there is no reason to fail"
build i --cache-to "127.0.0.1:1/none" --exit-on-push-failure
t_status 5 "but with --exit-on-push-failure"
t_err 'publishing in 127.0.0.1:1/none: ' "which says so"
build i --push-image
t_status 2 "--push-image without a cache is a usage error"
t_err '\-\-push-image needs --cache-repo or --cache-to' "named"
registry_forget cache bases
t_run env ENVBUILDER_PUSH_IMAGE=true ENVBUILDER_CACHE_REPO="$cache/p" \
	"$DEVENV" --store "$TMP/i" build --digest "$TMP/ctx"
t_is "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' \
	"docker://$cache/p:latest")" "$(record .image.digest)" \
	"with one the image is its latest"

t_done
