#!/bin/sh
# a step cache in a registry: what one store builds, another need not
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
. "$SRC/t/build-lib.sh"
t_need docker-registry skopeo

requests() { # METHOD PART-OF-PATH NAME
	grep -a 'msg="response completed"' "$TMP/$3/log" |
		grep -c "http.request.method=$1 .*http.request.uri=[^ ]*$2"
}
id() {
	sed -n 's/.*"config_digest": "\(sha256:[0-9a-f]*\)".*/\1/p' "$out" |
		head -n 1
}
cached() {
	grep -c '"cached": true' "$out"
}
build() { # STORE OPTION...
	b_store=$1
	shift
	: >"$TMP/cache/log"
	t_run "$DEVENV" --store "$TMP/$b_store" build "$@" "$TMP/ctx"
}

t_ok "a base image in a registry" build_bases busybox
base=$registry
registry_start cache
cache=$registry
mkdir "$TMP/ctx"
echo one >"$TMP/ctx/file"
cat >"$TMP/ctx/Dockerfile" <<END
FROM $BASE AS tool
RUN echo tool >/tool
FROM $BASE
WORKDIR /work
COPY file /work/file
RUN tr a-z A-Z <file >upper
COPY --from=tool /tool /tool
RUN cat /tool upper >/all
CMD ["cat", "/all"]
END

build a --cache-repo "$cache/team/steps"
t_status 0 "a build that publishes its steps"
t_err "6 steps were published in $cache/team/steps" "and says so"
first=$(id)
t_is "$(requests PUT '/manifests/step-' cache)" 6 "one manifest a step"

build b --cache-repo "$cache/team/steps"
t_status 0 "the same in another store"
t_is "$(id)" "$first" "is the same image"
t_is "$(cached)" 6 "of cached steps only"
t_is "$(requests GET '/blobs/' cache)" 1 "no layer was fetched from the cache"
t_is "$(requests GET "/blobs/$first" cache)" 1 "but the configuration"
t_is "$(requests PUT '/' cache)" 0 "nothing was written there"
t_ok "the store is sound" "$DEVENV" --store "$TMP/b" store verify

build b
t_is "$(requests GET '/' cache)" 0 "the next build need not even ask"
t_is "$(cached)" 6 "as it remembers"

t_run "$DEVENV" --store "$TMP/b" run "$first"
t_status 0 "the image runs"
t_is "$(cat "$out")" "tool
ONE" "with layers fetched when it does"

echo two >"$TMP/ctx/file"
build c --cache-repo "$cache/team/steps"
t_status 0 "a build of a changed file on an empty store"
t_is "$(cached)" 2 "uses what does not depend on it"
t_err '3/6\] COPY file' "and runs the rest"
t_run "$DEVENV" --store "$TMP/c" run "$(id)"
t_is "$(cat "$out")" "tool
TWO" "to the right end"
t_ok "the store is sound" "$DEVENV" --store "$TMP/c" store verify

build d --cache-from "$cache/team/steps" --cache-to "$cache/min,mode=min"
t_status 0 "another cache to write to"
t_is "$(requests PUT '/v2/min/manifests/step-' cache)" 0 \
	"gets nothing of what came from the first"
build e --cache-to "$cache/min,mode=min" --no-cache
t_is "$(requests PUT '/v2/min/manifests/step-' cache)" 5 \
	"mode=min publishes the target's steps"
build f --cache-to "type=registry,ref=$cache/max,mode=max"
t_is "$(requests PUT '/v2/max/manifests/step-' cache)" 6 \
	"mode=max those of all stages"

# What a cache promises may be gone.
build g --cache-from "$cache/max"
t_is "$(cached)" 6 "a store that knows of the layers, and has none"
find "$TMP/cache/data" -path '*max/_layers*' -name link -delete
echo three >"$TMP/ctx/file"
echo 'RUN echo end >>/all' >>"$TMP/ctx/Dockerfile"
build g
t_status 0 "layers that are gone from the cache are made again"
t_err 'promised is not to be had, so it is made again' "with a warning"
t_ok "the store is sound" "$DEVENV" --store "$TMP/g" store verify

# Entries that are not what they should be.
break_entry() {
	for b_tag in "$TMP/cache/data"/docker/registry/v2/repositories/team/steps/_manifests/tags/step-*; do
		printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"%s","size":2},"layers":[]}' \
			sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a >"$TMP/m"
		curl -sf -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' \
			--data-binary "@$TMP/m" \
			"http://$cache/v2/team/steps/manifests/${b_tag##*/}" || return 1
	done
}
t_ok "somebody overwrites the entries" break_entry
build h --cache-from "$cache/team/steps"
t_status 0 "a build passes them over"
t_err 'entry of step [0-9a-f]{12} is not used: it belongs to another key' \
	"with a warning"
t_is "$(cached)" 0 "and uses none"

build i --cache-repo "127.0.0.1:1/none"
t_status 0 "a cache that is not there is no reason to fail"
t_err 'the step cache 127.0.0.1:1/none is not used: ' "it is said"
t_err 'steps were not published in 127.0.0.1:1/none: ' "for writing, too"
build i --cache-repo "$cache/team/steps:tag"
t_status 2 "a tag is no repository"
t_err 'a cache is a repository, without a tag or digest' "which is said"
build i --cache-to "type=gha"
t_status 2 "an unknown kind of cache is a usage error"
t_err "'type=gha' names no step cache" "named"

t_done
