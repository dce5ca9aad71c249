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
# A statement beside the image, at a registry that keeps no list of such
t_run "$DEVENV" push --provenance="$TMP/statement" --builder-id \
	https://ci.example.com/1 - "$reg/app:2" "$reg/app:3" <"$TMP/built"
t_status 0 "push --provenance"
subject=$(jq -r '.pushed[0].digest' "$out")
manifest() { # TAG|DIGEST
	curl -s -H 'Accept: application/vnd.oci.image.index.v1+json' \
		-H 'Accept: application/vnd.oci.image.manifest.v1+json' \
		"http://$reg/v2/app/manifests/$1"
}
list() { manifest "sha256-${subject#sha256:}"; }
index=$(list)
t_is "$(echo "$index" | jq -c '.manifests[] | [.artifactType]')" \
	'["application/vnd.in-toto+json"]' "attaches one document"
attached=$(echo "$index" | jq -r '.manifests[0].digest')
t_ok "skopeo copies it" skopeo copy -q --src-tls-verify=false \
	"docker://$reg/app@$attached" "oci:$TMP/attached:1"
manifest=$(manifest "$attached")
t_is "$(echo "$manifest" | jq -r '.subject.digest')" "$subject" \
	"it refers to the image"
t_is "$(echo "$manifest" | jq -r '.annotations["in-toto.io/predicate-type"]')" \
	https://slsa.dev/provenance/v1 "and says what it tells"
layer=$(echo "$manifest" | jq -r '.layers[0].digest')
t_ok "its layer is what was written to the file" sh -c \
	"curl -s http://$reg/v2/app/blobs/$layer | cmp - '$TMP/statement'"
say() { jq -cS "$1" "$TMP/statement"; }
t_is "$(say '[._type, .predicateType]')" \
	'["https://in-toto.io/Statement/v1","https://slsa.dev/provenance/v1"]' \
	"a statement with provenance"
t_is "$(say '[.subject[] | [.name, .digest.sha256]]')" \
	"[[\"$reg/app:2\",\"${subject#sha256:}\"],[\"$reg/app:3\",\"${subject#sha256:}\"]]" \
	"about what was pushed"
t_is "$(say .predicate.runDetails.builder.id)" '"https://ci.example.com/1"' \
	"by whom --builder-id says"
at=.predicate.buildDefinition.externalParameters
t_is "$(say "$at.source")" "{\"digest\":{\"gitCommit\":\"$commit\"},\"ref\":\"$(
	jq -r .source.ref "$TMP/built")\",\"uri\":\"git+$GIT_HTTP/app.git\"}" \
	"from which commit"
t_is "$(say "[$at.kind, $at.context, $at.dockerfile]")" \
	'["dockerfile",".","Dockerfile"]' "by paths of the repository"
t_is "$(say "$at.args")" '{"SOURCE_DATE_EPOCH":"1700000000","VERSION":"7"}' \
	"with which arguments"
t_is "$(say "$at.argsWithheld")" '["API_TOKEN"]' "a secret only by its name"
t_is "$(say '[.predicate.buildDefinition.resolvedDependencies[].uri]')" \
"[\"git+$GIT_HTTP/app.git\",\"docker-image://$reg/base:1\",\"git+$GIT_HTTP/tool.git@$tool\",\"$WEB/file\"]" \
	"and from what"
t_is "$(grep -c -e hush -e "$TMP" "$TMP/statement")" 0 \
	"no secret and no path of this machine is in there"
t_run "$DEVENV" push --provenance - "$reg/app:2" <"$TMP/built"
t_is "$(list | jq '.manifests | length')" 2 "another builder says it for itself"
t_run "$DEVENV" push --provenance - "$reg/app:2" <"$TMP/built"
t_is "$(list | jq '.manifests | length')" 2 "and says it once"
t_run "$DEVENV" push --provenance "$reg/app:1" "$reg/app:4"
t_status 3 "a name alone does not tell how it was built"
t_err "hint: push the record that 'devenv build' prints" "and what does is said"
t_is "$(manifest 4 | jq -r '.errors[0].code')" MANIFEST_UNKNOWN \
	"nothing was pushed then"
DEVENV_PROVENANCE=false "$DEVENV" push "$reg/app:1" "$reg/app:4" >"$out" \
	2>"$err"
t_is "$?" 0 "DEVENV_PROVENANCE=false wants none"

for wrong in index:a=b manifest:a=b a =b; do
	t_run build --annotation "$wrong"
	t_status 2 "--annotation $wrong is wrong"
	t_err "--annotation (takes KEY=VALUE|annotates manifests only)" \
		"  and told why"
done
t_done
