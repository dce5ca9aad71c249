#!/bin/sh
# cache-probe: what a build would do, asked of a registry, a directory, a store
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
. "$SRC/t/build-lib.sh"
t_need docker-registry skopeo jq git

probe() { # STORE OPTION...
	p_store=$1
	shift
	registry_forget cache bases
	t_run "$DEVENV" --store "$TMP/$p_store" cache-probe \
		--cache-repo "$cache/c" "$@"
}
fact() { jq -r "$1" "$out"; }

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
FROM tool AS both
ADD file /added
FROM $OTHER
ARG WORD=hush
WORKDIR /work
COPY file /work/file
COPY --from=both /tool /added /
COPY --from=$BASE /bin/sh /sh
RUN cat /tool file >/all; echo \$WORD >/word
CMD ["cat", "/all"]
USER bob
END

probe p "$TMP/ctx"
t_status 1 "before anybody built it: a miss"
t_is "$(fact .cache.status) $(fact .cache.image)" "miss null" "says the record"
t_is "$(fact .cache.first_miss.line)" 2 "from the first step on"
t_is "$(fact '.plan.kind')" dockerfile "the plan passes through"
probe p --format=env "$TMP/ctx"
t_is "$status $(cat "$out")" "1 " "--format=env prints nothing then"

"$DEVENV" --store "$TMP/a" build --cache-repo "$cache/c" --digest "$TMP/ctx" \
	>"$TMP/built" 2>"$err" || t_show
digest=$(jq -r .image.digest "$TMP/built")
probe p "$TMP/ctx"
t_status 0 "after somebody did: a hit"
t_is "$(fact .cache.image)" "$cache/c@$digest" "the image that was built"
t_is "$(registry_requests bases) $(registry_requests cache)" "2 2" \
	"two base images, two requests more"
t_is "$(registry_requests bases HEAD) $(registry_requests cache GET)" "2 2" "none that writes"
t_is "$(ls -A "$TMP/p/images" "$TMP/p/blobs/sha256" "$TMP/p/layers" |
	grep -vc ':$\|^$')" 0 "the store has neither image, blob nor layer of it"
t_is "$(fact '[.cache.steps[].cached] | all')" true "all steps are known"
probe p --format=env "$TMP/ctx"
t_is "$status $(cat "$out")" "0 ENVBUILDER_CACHED_IMAGE=$cache/c@$digest" \
	"--format=env prints a variable"
t_is "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' \
	"docker://$cache/c@$digest")" "$digest" "of what can be pulled"

# JSON, and what is secret.
t_run env ENVBUILDER_CACHE_REPO="$cache/c" ENVBUILDER_GIT_PASSWORD=hidden \
	ENVBUILDER_INIT_SCRIPT="sleep 1" ENVBUILDER_SKIP_REBUILD=false \
	"$DEVENV" --store "$TMP/p" cache-probe --format=json "$TMP/ctx"
t_status 0 "--format=json"
t_is "$(fact '[.status, .exists, .mode, .user, .spec_path] | join(" ")')" \
	"hit true dockerfile bob Dockerfile" "has the facts"
t_is "$(fact .id)" "$digest" "the digest"
t_is "$(fact '.tag | test("/c:image-[0-9a-f]{64}$")')" true "the tag"
t_is "$(fact '.base_images | map(.ref) | sort | join(" ")')" \
	"$(printf '%s\n' "$BASE:latest" "$OTHER:latest" | sort | xargs)" \
	"the images it stands on"
t_is "$(fact '.env | join(" ")')" \
	"ENVBUILDER_CACHE_REPO=$cache/c ENVBUILDER_INIT_SCRIPT=sleep 1" \
	"variables that are set"
t_is "$(fact '.env_sensitive_keys | join(" ")')" ENVBUILDER_GIT_PASSWORD \
	"secret ones are named"
t_is "$(grep -c hidden "$out" "$err")" "$out:0
$err:0" "and not shown"
t_run env ENVBUILDER_GIT_PASSWORD=hidden "$DEVENV" --store "$TMP/p" \
	cache-probe --format=json --cache-repo "$cache/c" --with-secrets \
	"$TMP/ctx"
t_is "$(fact .env_map.ENVBUILDER_GIT_PASSWORD)" hidden \
	"but with --with-secrets"

# Whatever is no part of the image.
echo note >"$TMP/ctx/README"
touch -d @1 "$TMP/ctx/file"
probe p --format=text "$TMP/ctx"
t_status 0 "other files and times change nothing"
t_out "^hit: $cache/c@$digest\$" "it is told in lines, too"
t_out "^  hit    line 2    RUN echo tool >/tool\$" "with the steps"

# What changed since the newest build there, which this store never saw.
why() { # WORDS SENTENCE [OPTION...]
	w_words=$1
	w_sentence=$2
	shift 2
	probe p --format=json --explain "$@" "$TMP/ctx"
	t_is "$status $(fact .first_miss.reason)" "1 $w_words" "$w_sentence"
}
echo two >"$TMP/ctx/file"
why "'file' changed" "--explain names the file"
t_is "$(fact '.first_miss.line')" 4 "and the line"
t_is "$(fact '[.steps[] | select(.parts) | .parts[]] | map(select(
	startswith("env WORD"))) | unique | join(" ")')" "env WORD" \
	"variables are parts without their values"
probe p --format=json --cache-ttl 1d "$TMP/ctx"
t_is "$(fact '[.steps[] | select(.key and .cached) | (.expires |
	fromdateiso8601) - now | . > 86000 and . <= 86400] | unique | join(" ")')" \
	true "a step that is there says when it is too old"
echo one >"$TMP/ctx/file"
why "the variable WORD is another" "the argument" --build-arg WORD=loud
cp "$TMP/ctx/Dockerfile" "$TMP/Dockerfile"
sed -i 's/cat .tool file/cat file/' "$TMP/ctx/Dockerfile"
why "the command is another" "the instruction"
cp "$TMP/Dockerfile" "$TMP/ctx/Dockerfile"
printf 'FROM %s\nRUN echo other >/other\n' "$OTHER" >"$TMP/plain.file"
"$DEVENV" build -q -t "$OTHER" -f "$TMP/plain.file" --push "$TMP/ctx" \
	>"$TMP/log" 2>&1 || t_show
why "the base image $OTHER is another" "the base image"
skopeo copy -q --src-tls-verify=false --dest-tls-verify=false \
	"docker://$BASE" "docker://$OTHER" || exit 1
past=$(skopeo list-tags --tls-verify=false "docker://$cache/c" |
	jq -r '.Tags[] | select(startswith("past-"))' | head -n 1)
t_ok "the cache keeps no value of a variable and no command" sh -c \
	"skopeo copy -q --src-tls-verify=false 'docker://$cache/c:$past' \
		'dir:$TMP/past' && grep -q 'env .*WORD=' '$TMP/past/'* &&
	! grep -q 'hush\|echo' '$TMP/past/'*"

# Options that change a key, and those of a pipe.
for change in --build-arg=WORD=two --label=a=b --target=both \
	--platform=linux/arm64; do
	probe p --format=env "$change" "$TMP/ctx"
	t_is "$(cat "$out")" "" "$change is another image"
done
probe p --format=env --build-arg=UNUSED=1 "$TMP/ctx"
t_status 0 "an argument that nothing uses changes nothing"
t_ok "a record is read from a pipe" sh -c "'$DEVENV' parse '$TMP/ctx' |
	'$DEVENV' --store '$TMP/p' cache-probe - --cache-repo '$cache/c' |
	jq -e '.cache.status == \"hit\" and .source.path == \"$TMP/ctx\"'"

# Several platforms: all or none.
platforms=linux/amd64,linux/arm64
mkdir "$TMP/several"
echo one >"$TMP/several/file"
printf 'FROM scratch\nARG TARGETARCH\nCOPY file /$TARGETARCH\n' \
	>"$TMP/several/Dockerfile"
several() { # OPTION...
	probe p --platform "$platforms" "$@" "$TMP/several"
}
one() { # PLATFORM: what it is called when it is built alone
	"$DEVENV" --store "$TMP/a" build --platform "$1" --digest \
		--cache-repo "$cache/c" "$TMP/several" 2>/dev/null |
		jq -r .image.digest
}
several
t_status 1 "two platforms that nobody built"
t_is "$(fact '[.cache.platforms[] | .platform, .status, .image] | join(" ")')" \
	"linux/amd64 miss  linux/arm64 miss " "are missed, each"
amd=$(one linux/amd64)
several
t_status 1 "of which one is built"
t_is "$(fact '[.cache.status, .cache.first_miss.line, .plan.platform,
	(.cache.platforms[] | .status, .digest)] | join(" ")')" \
	"miss 3 $platforms hit $amd miss " "are a miss: that of the other"
several --format=text
t_is "$(grep '^linux' "$out")" "linux/amd64: hit: $cache/c@$amd
linux/arm64: miss: from line 3 on" "for people, too"
several --format=env
t_is "$status $(cat "$out")" "1 " "and nothing to start"
arm=$(one linux/arm64)
several --format=json
t_status 0 "of which both are built"
t_is "$(fact '[.status, .image, (.platforms[] | .status, .image)] | join(" ")')" \
	"hit $cache/c@$amd hit $cache/c@$amd hit $cache/c@$arm" \
	"are a hit: that of this machine"
platforms=linux/arm64,linux/riscv64
several
t_status 1 "another with one that is built"
t_is "$(fact '[.cache.platforms[].status] | join(" ")')" "hit miss" "is none"
platforms=linux/arm64,linux/arm64/v8
several
t_status 2 "one twice is refused"
t_err '\-\-platform names linux/arm64 twice' "by its name"
t_run "$DEVENV" --store "$TMP/a" build --platform linux/amd64,linux/arm64 \
	--cache-repo "$cache/c" "$TMP/several"
t_err 'linux/arm64: .*: 0 steps run' "a build of both runs nothing either"

# A repository whose branch has another name.
git init -q -b trunk "$TMP/repository"
cp "$TMP/ctx/Dockerfile" "$TMP/ctx/file" "$TMP/repository"
git -C "$TMP/repository" add .
git -C "$TMP/repository" -c user.name=T -c user.email=t@example.com \
	commit -q -m first
t_run env ENVBUILDER_GIT_URL="file://$TMP/repository" \
	ENVBUILDER_CACHE_REPO="$cache/c" "$DEVENV" --store "$TMP/q" \
	cache-probe --format=json
t_status 0 "a repository is cloned and found built"
t_is "$(fact .image) $(fact .commit)" "$cache/c@$digest \
$(git -C "$TMP/repository" rev-parse HEAD)" "at its commit"
t_is "$(ls -A "$TMP/q/tmp")" "" "nothing of it stays"
t_ok "clone, parse and cache-probe in a pipe" sh -c "cd '$TMP' && '$DEVENV' \
	clone 'file://$TMP/repository' cloned | '$DEVENV' parse - | '$DEVENV' \
	--store '$TMP/q' cache-probe - --cache-repo '$cache/c' --format=env |
	grep -qx 'ENVBUILDER_CACHED_IMAGE=$cache/c@$digest'"
t_run "$DEVENV" --store "$TMP/q" cache-probe --format=json \
	--cache-repo "$cache/c" --git-url "file://$TMP/none"
t_status 6 "a repository that is not there is an error"
t_is "$(fact '.status + " " + .error_class')" "error git-auth" "of its class"
t_run env ENVBUILDER_GET_CACHED_IMAGE=true ENVBUILDER_CACHE_REPO="$cache/c" \
	"$DEVENV" --store "$TMP/q" up "$TMP/ctx"
t_is "$status $(cat "$out")" "0 ENVBUILDER_CACHED_IMAGE=$cache/c@$digest" \
	"up with ENVBUILDER_GET_CACHED_IMAGE says the same"

# Another commit of the same files is the same image, of that commit.
commit() { # STORE: the one that the manifest of the last build names
	jq -r '.annotations["org.opencontainers.image.revision"]' \
		"$TMP/$1/blobs/sha256/$(jq -r '.image.digest[7:]' "$out")"
}
of_repository() { # STORE
	rm -rf "$TMP/cloned"
	"$DEVENV" clone "file://$TMP/repository" "$TMP/cloned" \
		>"$TMP/record" 2>"$err" || t_show
	t_run "$DEVENV" --store "$TMP/$1" build --digest \
		--cache-repo "$cache/commits" "$TMP/record"
}
of_repository r
t_is "$(commit r)" "$(git -C "$TMP/repository" rev-parse HEAD)" \
	"a manifest names its commit"
id=$(fact .image.config_digest)
git -C "$TMP/repository" -c user.name=T -c user.email=t@example.com \
	commit -q --allow-empty -m second
for store in s r; do
	of_repository $store
	t_err ': 0 steps run' "$store: another commit is nothing to build"
	t_is "$(fact .image.config_digest) $(commit $store)" \
		"$id $(git -C "$TMP/repository" rev-parse HEAD)" \
		"$store: and its manifest names it"
done

# Terraform's protocol.
terraform() { # QUERY
	printf '%s' "$1" >"$TMP/query"
	t_run "$DEVENV" --store "$TMP/q" cache-probe --format=terraform \
		<"$TMP/query"
}
terraform "{\"git_url\":\"file://$TMP/repository\",\"cache_repo\":\"$cache/c\",\"builder_image\":\"builder:1\",\"devcontainer_dir\":\"\"}"
t_is "$status $(fact '.exists + " " + .image + " " + .id')" \
	"0 true $cache/c@$digest $digest" "a query gives a flat answer"
t_is "$(fact '[.[] | type] | unique | join(" ")')" string "of strings"
t_is "$(fact '.env | fromjson | join(" ")')" "ENVBUILDER_CACHE_REPO=$cache/c \
ENVBUILDER_GIT_URL=file://$TMP/repository" "structures are JSON in there"
terraform "{\"git_url\":\"file://$TMP/repository\",\"cache_repo\":\"$cache/n\",\"builder_image\":\"builder:1\"}"
t_is "$status $(fact '.exists + " " + .image + " " + .id')" \
	"0 false builder:1 00000000-0000-0000-0000-000000000000" \
	"a miss is an answer as well"
module=$SRC/contrib/terraform
sed -n '/query = merge/,/}, var.options/s/^ *\([a-z_]*\)  *= .*/"\1":""/p' \
	"$module/main.tf" | grep -v '"query"' >"$TMP/keys"
t_is "$(wc -l <"$TMP/keys")" 11 "the module in contrib asks a query"
terraform "{$(paste -sd, "$TMP/keys" | sed \
	"s|\"git_url\":\"\"|\"git_url\":\"file://$TMP/repository\"|")}"
t_status 0 "of which all keys are options"
# shellcheck disable=SC2013 # words
for name in $(sed -n 's/.*probe.result.\([a-z_]*\).*/\1/p' \
	"$module/outputs.tf"); do
	t_is "$(fact "has(\"$name\")")" true "and the answer has its $name"
done
terraform '{"cash_repo":""}'
t_status 1 "errors have one status"
t_err "the query has 'cash_repo', which is no option" "and are told"

# Features of a configuration, wherever that lies.
mkdir -p "$TMP/one/.devcontainer/hello"
cat >"$TMP/one/.devcontainer/devcontainer.json" <<END
{"image": "$BASE", "features": {"./hello": {}}, "remoteUser": "bob"}
END
echo '{"id": "hello", "version": "1.0.0", "name": "Hello"}' \
	>"$TMP/one/.devcontainer/hello/devcontainer-feature.json"
printf '#!/bin/sh\necho hello >/hello\n' \
	>"$TMP/one/.devcontainer/hello/install.sh"
cp -r "$TMP/one" "$TMP/two"
"$DEVENV" --store "$TMP/a" build -q --cache-repo "$cache/c" "$TMP/one" \
	>"$TMP/log" 2>&1 || t_show
probe p --format=json "$TMP/two"
t_is "$status $(fact '.mode + " " + .user')" "0 devcontainer bob" \
	"an image with Features is found from another directory"
echo '#' >>"$TMP/two/.devcontainer/hello/install.sh"
probe p --format=env "$TMP/two"
t_status 1 "and missed with another of them"

# Nothing to build, and a store without a cache.
mkdir "$TMP/plain"
echo "FROM $BASE" >"$TMP/plain/Dockerfile"
base_digest=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' \
	"docker://$BASE")
probe p --format=json "$TMP/plain"
t_is "$status $(fact '.status + " " + .image')" \
	"0 nothing-to-build $BASE@$base_digest" "an image as it came"
t_run "$DEVENV" --store "$TMP/a" cache-probe --format=json "$TMP/ctx"
t_is "$status $(fact '.status + " " + .image')" \
	"0 hit $(jq -r .image.config_digest "$TMP/built")" \
	"a store is asked where there is no cache"
t_run "$DEVENV" --store "$TMP/p" cache-probe --format=json "$TMP/ctx"
t_is "$status $(fact .status)" "1 miss" "one that has not built it has not"

# What a cache lost, and one that cannot be asked.
layer=$(skopeo inspect --raw --tls-verify=false "docker://$cache/c@$digest" |
	jq -r '.layers[-1].digest')
curl -sf -X DELETE "http://$cache/v2/c/blobs/$layer" || exit 1
probe p "$TMP/ctx"
t_status 0 "the manifest is enough"
probe p --verify=layers --format=text "$TMP/ctx"
t_status 1 "but with --verify=layers"
t_out "^miss: $cache/c lacks $layer of this image\$" "that names the blob"
t_run "$DEVENV" --store "$TMP/p" cache-probe --format=json \
	--cache-repo 127.0.0.1:1/none "$TMP/ctx"
t_is "$status $(fact .error_class)" "5 registry-network" \
	"a cache that cannot be asked is no miss"
t_err '127.0.0.1:1' "and named"
echo 'FROM' >"$TMP/plain/Dockerfile"
probe p --format=json "$TMP/plain"
t_is "$status $(fact '.status + " " + .error_class')" "3 error spec" \
	"a wrong file is an error"
t_err "Dockerfile:1:" "with its position"
t_done
