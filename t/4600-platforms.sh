#!/bin/sh
# indexes of several platforms, docker's media types, zstd layers
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
t_need docker-registry skopeo umoci curl zstd

registry_start plain
to=$registry
raw() { skopeo inspect --tls-verify=false --raw "docker://$1"; }
digest() {
	skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$1"
}
layers() {
	skopeo inspect --tls-verify=false \
		--format '{{range .Layers}}{{println .}}{{end}}' "docker://$1"
}
sound() { # REF: every blob is what it is called
	rm -rf "$TMP/check"
	skopeo copy -q --src-tls-verify=false "docker://$1" \
		"oci:$TMP/check:x"
}
field() { sed -n "s/.*\"$1\": \"\([^\"]*\)\".*/\1/p" "$out" | head -n 1; }

images() { # FORMAT REPOSITORY
	for p in amd64 arm64 s390x; do
		skopeo copy -q --dest-tls-verify=false --format "$1" \
			"oci:$TMP/lay:$p" "docker://$to/$2:$p" || return 1
	done
}
# By hand, with an attestation among them: that is no image.
index() { # REPOSITORY TYPE-OF-INDEX TYPE-OF-MANIFEST
	{
		printf '{"schemaVersion":2,"mediaType":"%s","manifests":[' "$2"
		printf '{"mediaType":"%s","digest":"%s","size":7,' "$3" \
			"$(digest "$to/$1:amd64")"
		printf '"platform":{"os":"unknown","architecture":"unknown"}}'
		for p in amd64 arm64 s390x; do
			printf ',{"mediaType":"%s","digest":"%s","size":%d,' \
				"$3" "$(digest "$to/$1:$p")" \
				"$(raw "$to/$1:$p" | wc -c)"
			printf '"platform":{"os":"linux","architecture":"%s"' "$p"
			[ "$p" != arm64 ] || printf ',"variant":"v8"'
			printf '}}'
		done
		printf ']}'
	} >"$TMP/index"
	curl -sf -T "$TMP/index" -H "Content-Type: $2" \
		"http://$to/v2/$1/manifests/all"
}

t_ok "an image" registry_image "$TMP/lay" one hello
for p in amd64 arm64 s390x; do
	t_ok "for $p" umoci config --image "$TMP/lay:one" --tag $p \
		--architecture $p
done
oci=application/vnd.oci.image
docker=application/vnd.docker.distribution.manifest
t_ok "as OCI has them" images oci m/oci
t_ok "and an index" index m/oci $oci.index.v1+json $oci.manifest.v1+json
t_ok "as docker has them" images v2s2 m/docker
t_ok "and a list" index m/docker $docker.list.v2+json $docker.v2+json

for kind in oci docker; do
	from=$to/m/$kind
	for p in amd64 arm64 s390x; do
		t_run "$DEVENV" pull --platform "linux/$p" "$from:all"
		t_status 0 "$kind: pull for $p"
		t_is "$(field digest)" "$(digest "$from:$p")" \
			"$kind: it is the one for $p"
		t_is "$(field platform)" "linux/$p" "$kind: and says so"
	done
	t_run "$DEVENV" pull --platform linux/riscv64 "$from:all"
	t_status 3 "$kind: a platform that is not there"
	t_err 'linux/riscv64; it has linux/amd64, linux/arm64(/v8)?, linux/s390x$' \
		"$kind: those that are get named"
done

t_ok "all of them in a layout" skopeo copy -q --all --src-tls-verify=false \
	"docker://$to/m/oci:all" "oci:$TMP/all:x"
t_run "$DEVENV" push --platform linux/s390x "$TMP/all" "$to/p/one:1"
t_status 0 "push one platform of a layout"
t_is "$(digest "$to/p/one:1")" "$(digest "$to/m/oci:s390x")" "the right one"

# docker's types below, ours above: a manifest is of one family.
mkdir "$TMP/ctx"
echo hello >"$TMP/ctx/hello"
printf 'FROM %s/m/docker:all\nCOPY hello /hello\n' "$to" >"$TMP/ctx/Dockerfile"
t_run "$DEVENV" build -q --platform linux/amd64 -t "$to/b/docker:1" --push \
	"$TMP/ctx"
t_status 0 "build on docker's types"
raw "$to/b/docker:1" >"$TMP/manifest"
t_is "$(grep -c 'vnd\.docker' "$TMP/manifest")" 0 "none of them is left"
t_is "$(grep -o 'layer.v1.tar+gzip' "$TMP/manifest" | wc -l)" 2 \
	"both layers have OCI's"
t_is "$(layers "$to/b/docker:1" | head -n 1)" \
	"$(layers "$to/m/docker:amd64" | head -n 1)" "over the same bytes"
t_ok "skopeo takes it" sound "$to/b/docker:1"
t_run "$DEVENV" push "$to/m/docker:all" "$to/p/docker:1"
t_status 0 "push an image of docker's as it is"
t_is "$(digest "$to/p/docker:1")" "$(digest "$to/m/docker:amd64")" \
	"it keeps its manifest"

# skopeo would compress with gzip: a layout by hand.
blob() { # FILE: put into the layout; its descriptor but for the type
	hex=$(sha256sum <"$1" | cut -c 1-64)
	cp "$1" "$TMP/zlay/blobs/sha256/$hex"
	printf '"digest":"sha256:%s","size":%d' "$hex" "$(wc -c <"$1")"
}
zstd_layout() {
	skopeo copy -q "oci:$TMP/lay:amd64" "dir:$TMP/dir" || return 1
	config=$(sed 's/.*"config":{[^}]*"digest":"sha256:\([^"]*\)".*/\1/' \
		"$TMP/dir/manifest.json")
	layer=$(sed 's/.*"layers":\[{[^}]*"digest":"sha256:\([^"]*\)".*/\1/' \
		"$TMP/dir/manifest.json")
	gzip -dc <"$TMP/dir/$layer" | zstd -q >"$TMP/layer.zst" || return 1
	mkdir -p "$TMP/zlay/blobs/sha256"
	printf '{"imageLayoutVersion":"1.0.0"}' >"$TMP/zlay/oci-layout"
	{
		printf '{"schemaVersion":2,"mediaType":"%s","config":{' \
			"$oci.manifest.v1+json"
		printf '"mediaType":"%s",' "$oci.config.v1+json"
		blob "$TMP/dir/$config"
		printf '},"layers":[{"mediaType":"%s",' "$oci.layer.v1.tar+zstd"
		blob "$TMP/layer.zst"
		printf '}]}'
	} >"$TMP/zmanifest"
	{
		printf '{"schemaVersion":2,"manifests":[{"mediaType":"%s",' \
			"$oci.manifest.v1+json"
		blob "$TMP/zmanifest"
		printf '}]}'
	} >"$TMP/zlay/index.json"
}
t_ok "layers compressed with zstd" zstd_layout
t_run "$DEVENV" push "$TMP/zlay" "$to/m/zstd:1"
t_status 0 "are pushed"
t_ok "and there" sh -c \
	"skopeo inspect --tls-verify=false --raw 'docker://$to/m/zstd:1' |
	grep -q 'tar+zstd'"
printf 'FROM %s/m/zstd:1\nCOPY hello /hello\n' "$to" >"$TMP/ctx/Dockerfile"
t_run "$DEVENV" build -q --platform linux/amd64 -t "$to/b/zstd:1" --push \
	"$TMP/ctx"
t_status 0 "build on them"
t_is "$(layers "$to/b/zstd:1" | head -n 1)" "$(layers "$to/m/zstd:1" |
	head -n 1)" "their bytes stay"
t_is "$(raw "$to/b/zstd:1" | grep -o 'tar+[a-z]*' | tr '\n' ' ')" \
	"tar+zstd tar+gzip " "each layer says what it is"
t_ok "skopeo takes it" sound "$to/b/zstd:1"
t_done
