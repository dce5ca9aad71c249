#!/bin/sh
# 4820-provenance.sh - what an image says of where it comes from
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
. "$SRC/t/helper/webserver.sh"
. "$SRC/t/helper/gitserver.sh"
t_need root busybox docker-registry nginx skopeo umoci git jq curl

registry_start reg
reg=$registry
web_start
umoci init --layout "$TMP/layout"
registry_image "$TMP/layout" 1 "a base"
skopeo copy -q --dest-tls-verify=false "oci:$TMP/layout:1" \
	"docker://$reg/base:1"
base=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' \
	"docker://$reg/base:1")
echo web >"$WEB_ROOT/file"
sum=$(sha256sum <"$WEB_ROOT/file" | cut -c 1-64)
git_repo tool.git >/dev/null
git_repo app.git >/dev/null
git_http_start
tool=$(git -C "$GIT_ROOT/tool.git" rev-parse HEAD)
git_commit app.git Dockerfile "FROM $reg/base:1 AS base
FROM $reg/base:1 AS other
FROM base
ARG VERSION=0 API_TOKEN
COPY --from=other /data/file /copied
ADD $WEB/file /file
ADD $GIT_HTTP/tool.git#$tool /tool" >/dev/null
commit=$(git -C "$GIT_ROOT/app.git" rev-parse HEAD)

build() { # [OPTION...]: of the clone's record
	"$DEVENV" build -q --build-arg SOURCE_DATE_EPOCH=1700000000 \
		"$@" - <"$TMP/cloned"
}
note() { # KEY: an annotation of what was pushed
	skopeo inspect --raw --tls-verify=false "docker://$reg/app:1" |
		jq -r --arg k "$1" '.annotations[$k]'
}
"$DEVENV" clone "$GIT_HTTP/app.git" "$TMP/app" 2>"$err" |
	"$DEVENV" parse - >"$TMP/cloned"
t_run build -t "$reg/app:1" --push --annotation a.b=c --build-arg VERSION=7 \
	--build-arg API_TOKEN=hush
t_status 0 "build --push of a clone"
cp "$out" "$TMP/built"
oci=org.opencontainers.image
t_is "$(note $oci.source)" "$GIT_HTTP/app.git" "the manifest names its source"
t_is "$(note $oci.revision)" "$commit" "and its commit"
t_is "$(note $oci.base.name) $(note $oci.base.digest)" "$reg/base:1 $base" \
	"and its base, with its digest"
t_is "$(note $oci.created)" 2023-11-14T22:13:20Z \
	"and when it was made, by SOURCE_DATE_EPOCH"
t_ok "and what it is known by" sh -c "echo $(note dev.devenv.build-id) |
	grep -qE '^[0-9a-f]{64}\$'"
t_is "$(note a.b)" c "--annotation adds one"
t_is "$(jq -c '.image.dependencies[] | [.name, .digest[]]' "$TMP/built")" \
"[\"docker-image://$reg/base:1\",\"${base#sha256:}\"]
[\"git+$GIT_HTTP/tool.git@$tool\",\"$tool\"]
[\"$WEB/file\",\"$sum\"]" "the record lists what was used, each once"

digest() { jq -r '.image.digest' "$1"; }
t_run build --digest --annotation a.b=c --build-arg VERSION=7 \
	--build-arg API_TOKEN=hush
t_is "$(digest "$out")" "$(digest "$TMP/built")" \
	"what is found in the cache has the same manifest"
t_run "$DEVENV" --store "$TMP/other" build -q --digest --annotation a.b=c \
	--build-arg SOURCE_DATE_EPOCH=1700000000 --build-arg VERSION=7 \
	--build-arg API_TOKEN=hush - <"$TMP/cloned"
notes() { # RECORD STORE: the annotations of its manifest
	n_hex=$(digest "$1")
	jq -Sc .annotations "$2/blobs/sha256/${n_hex#sha256:}"
}
t_is "$(notes "$out" "$TMP/other")" \
	"$(notes "$TMP/built" "$DEVENV_STORE")" \
	"built elsewhere it has the same annotations"
t_run "$DEVENV" push "$reg/app:1" "$reg/app:again"
t_is "$(jq -r '.pushed[0].digest' "$out")" "$(digest "$TMP/built")" \
	"so it has when it is pushed later"
t_run "$DEVENV" build -q --digest --build-arg SOURCE_DATE_EPOCH=1700000000 \
	--build-arg VERSION=7 --build-arg API_TOKEN=hush "$TMP/app"
t_is "$(jq -r .image.config_digest "$out")" \
	"$(jq -r .image.config_digest "$TMP/built")" "no annotation is in the id"
cp "$out" "$TMP/bare"
hex=$(digest "$TMP/bare")
t_is "$(jq .annotations "$DEVENV_STORE/blobs/sha256/${hex#sha256:}")" null \
	"an image of a tree from nowhere has no annotations"
for wrong in index:a=b manifest:a=b a =b; do
	t_run build --annotation "$wrong"
	t_status 2 "--annotation $wrong is wrong"
	t_err "--annotation (takes KEY=VALUE|annotates manifests only)" \
		"  and told why"
done
t_done
