#!/bin/sh
# 3480-build-multi.sh - one build for several platforms, under one index
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"
. "$(dirname "$0")/helper/registry.sh"

t_need root docker-registry skopeo jq
registry_start multi
CTX=$TMP/ctx
mkdir -p "$CTX"
for arch in amd64 arm64 s390x; do echo $arch >"$CTX/$arch"; done
cat >"$CTX/Dockerfile" <<'X'
FROM scratch
COPY Dockerfile /same
ARG TARGETARCH
COPY $TARGETARCH /arch
ENV ARCH=$TARGETARCH
X
name=$registry/many:1
case $(uname -m) in
aarch64) host=arm64 ;;
*) host=amd64 ;;
esac

raw() { skopeo inspect --tls-verify=false --raw "docker://$name"; }
arch_of() { # ARCH FROM...: what the image for it says
	a_arch=$1
	shift
	skopeo --override-arch "$a_arch" inspect --tls-verify=false --config \
		"$@" | jq -r '[.architecture, .config.Env[-1]] | join(" ")'
}

t_run "$DEVENV" build --platform linux/amd64,linux/aarch64,s390x -t "$name" \
	--push --iidfile "$TMP/iid" --metadata-file "$TMP/meta" "$CTX"
t_status 0 "[S11] --platform A,B,C --push"
cp "$out" "$TMP/record"
t_is "$(raw | jq -r '.mediaType, (.manifests[].platform |
	.os + "/" + .architecture)' | tr '\n' ' ')" \
	"application/vnd.oci.image.index.v1+json linux/amd64 linux/arm64 linux/s390x " \
	"[S11] the tag is an index of all three"
for arch in amd64 arm64 s390x; do
	t_is "$(arch_of $arch "docker://$name")" "$arch ARCH=$arch" \
		"[S11] the image for $arch"
done
digest=$(skopeo inspect --tls-verify=false --raw "docker://$name" |
	sha256sum | cut -c 1-64)
t_is "$(jq -r '.image.digest, .image.platform' "$TMP/record" | tr '\n' ' ')" \
	"sha256:$digest linux/amd64,linux/arm64,linux/s390x " \
	"[S11] the record has the digest of the index"
t_is "$(jq -r '.image.images[].digest' "$TMP/record")" \
	"$(raw | jq -r '.manifests[].digest')" "[S11] and of each image"
t_is "$(cat "$TMP/iid") $(jq -r '."containerimage.digest"' "$TMP/meta")" \
	"sha256:$digest sha256:$digest" "[S11] so have --iidfile and --metadata-file"
t_run "$DEVENV" run "$name" /none
t_err "cannot run '/none'" \
	"[S11] the tag is the image of this machine in the store"
t_is "$("$DEVENV" build -q --platform "linux/$host" "$CTX" |
	jq -r .image.config_digest)" \
	"$(jq -r --arg p "linux/$host" '.image.images[] |
		select(.platform == $p).config_digest' "$TMP/record")" \
	"[S11] each is what a build for it alone makes"
t_run "$DEVENV" build --platform linux/amd64,linux/arm64 "$CTX"
t_err 'linux/arm64: sha256:.*: 0 steps run, 2 cached' "[S11] it is cached"

t_run "$DEVENV" build --platform linux/amd64,linux/arm64 -t many:1 \
	--output "type=oci,dest=$TMP/many.tar" "$CTX"
t_status 0 "[S11] an index in an archive"
mkdir "$TMP/lay" && tar -C "$TMP/lay" -xf "$TMP/many.tar"
t_is "$(tar -tf "$TMP/many.tar" | sort | uniq -d)" "" \
	"[S11] no blob is in there twice"
for arch in amd64 arm64; do
	t_is "$(arch_of $arch "oci:$TMP/lay:1")" "$arch ARCH=$arch" \
		"[S11] the image for $arch in there"
done
t_run "$DEVENV" push --platform linux/arm64 "oci:$TMP/lay:1" "$registry/one:1"
t_status 0 "[S11] we read it, too"

t_run "$DEVENV" build --build-arg BUILDKIT_MULTI_PLATFORM=1 \
	-t "$registry/alone:1" --push "$CTX"
t_status 0 "[A09] BUILDKIT_MULTI_PLATFORM"
name=$registry/alone:1
t_is "$(raw | jq -r '.mediaType, (.manifests | length)' | tr '\n' ' ')" \
	"application/vnd.oci.image.index.v1+json 1 " \
	"[A09] makes an index of a single platform"
t_run "$DEVENV" build --build-arg BUILDKIT_MULTI_PLATFORM=0 --push \
	-t "$registry/none:1" "$CTX"
name=$registry/none:1
t_is "$(raw | jq -r .mediaType)" application/vnd.oci.image.manifest.v1+json \
	"[A09] and not when it is off"

# --- wrong ---
for kind in docker tar local; do
	t_run "$DEVENV" build --platform linux/amd64,linux/arm64 \
		--output "type=$kind,dest=$TMP/x" "$CTX"
	t_status 2 "[S11] $kind holds one platform only"
	t_err 'only type=oci holds several platforms' "[S11] $kind: it is said"
done
t_run "$DEVENV" build --platform linux/amd64,x86_64 "$CTX"
t_status 2 "[S11] a platform twice"
t_err 'names linux/amd64 twice' "[S11] is refused"
t_run "$DEVENV" build --platform linux/amd64, "$CTX"
t_status 2 "[S11] an empty platform"
rm "$CTX/s390x"
t_run "$DEVENV" build --platform linux/amd64,linux/s390x "$CTX"
t_status 3 "[S11] a build that fails for one of them"
t_err '^devenv: linux/s390x: .*Dockerfile:4:1: ' "[S11] names the platform"
build_clean "several platforms"
t_done
