#!/bin/sh
# layers of steps that came out differently are never mixed
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
. "$SRC/t/build-lib.sh"
t_need docker-registry skopeo jq

# Every step notes what it saw of the one below: a layer on another one than it
# was made on shows.
t_ok "a base image in a registry" build_bases busybox
mkdir "$TMP/ctx"
cat >"$TMP/ctx/Dockerfile" <<END
FROM $BASE AS one
RUN cat /proc/sys/kernel/random/uuid >/one
FROM one AS two
RUN cp /one /of-one; cat /proc/sys/kernel/random/uuid >/two
FROM two AS three
RUN cp /two /of-two
FROM one AS other
RUN cp /one /other
END
build() { # STORE STAGE OPTION...
	b_store=$TMP/$1
	b_stage=$2
	shift 2
	t_run "$DEVENV" --store "$b_store" build --target "$b_stage" "$@" \
		"$TMP/ctx"
	image=$(jq -r '.image.config_digest' "$out")
	states=$(jq -r '[.image.steps[] | select(.key) |
		if .cached then "h" else "m" end] | join("")' "$out")
}
# The image of the last build is of one piece.
sound() { # SENTENCE
	t_ok "$1" "$DEVENV" --store "$b_store" run "$image" sh -c '
		for file in one two; do
			[ ! -e /of-$file ] || cmp /$file /of-$file || exit 1
		done
		[ ! -e /other ] || cmp /one /other'
}
# Images of whole builds are of one piece anyway: it is steps that may be mixed.
steps_only() { # DIR...
	for s_dir; do
		jq -c 'del(.manifests[] | select(.annotations[] |
			startswith("step-") | not))' "$s_dir/index.json" \
			>"$TMP/index" && cp "$TMP/index" "$s_dir/index.json"
	done
}
no_image() { # the same of the registry
	n_url=http://$registry/v2/chains
	for n_tag in $(curl -sf "$n_url/tags/list" | jq -r '.tags[]' |
		grep '^image-'); do
		n_digest=$(curl -sfI -H 'Accept: application/vnd.oci.image.manifest.v1+json' \
			"$n_url/manifests/$n_tag" | tr -d '\r' |
			sed -n 's/^[Dd]ocker-[Cc]ontent-[Dd]igest: //p')
		curl -sf -X DELETE "$n_url/manifests/$n_digest"
	done
}
published() {
	sed -n 's/.* \([0-9]*\) steps* w[a-z]* published.*/\1/p' "$err"
}
tags() { # DIR
	jq -r '.manifests[].annotations[]' "$1/index.json" | grep -c ^step
}

# Two machines that do not know of each other.
build a one --cache-repo "oci:$TMP/a.dir"
build b three --cache-repo "oci:$TMP/b.dir"
steps_only "$TMP/a.dir" "$TMP/b.dir"
t_is "$(tags "$TMP/a.dir") $(tags "$TMP/b.dir")" "1 3" \
	"two caches have the first step, each its own"
build c three --cache-from "oci:$TMP/a.dir" --cache-from "oci:$TMP/b.dir"
t_status 0 "a build that may take from both"
sound "mixes nothing"
t_is "$states" hhh "and takes all from the one that has all"

# A store that has steps of its own, and a cache that goes on from others.
build d one
own=$image
probed=$("$DEVENV" --store "$TMP/d" cache-probe --target three --cache-from \
	"oci:$TMP/b.dir" "$TMP/ctx" | jq -r '[.cache.steps[] | select(.key) |
		if .cached then "h" else "m" end] | join("")')
t_is "$probed" hhh "cache-probe tells what a build would take"
build d one
t_is "$states $image" "h $own" "and the store keeps its own"
build d three --cache-from "oci:$TMP/b.dir"
t_is "$states" hhh "a store goes over to the chain of a cache"
sound "as a whole"
build e other
build e two
build e three --cache-from "oci:$TMP/b.dir"
sound "one that is asked for what the cache has"
build f other
build f one --no-cache
build f other
sound "a layer goes with the one below it in a store, too"

# Who publishes on a chain of its own takes nothing from those of others...
build g three
build g three --cache-repo "oci:$TMP/b.dir"
t_is "$(published)" "" "where a cache has a whole chain, no other is put there"
build h three --cache-from "oci:$TMP/b.dir"
t_is "$states" hhh "and who reads it finds all of it"
sound "in one piece"

# ... and where there is none completes its own.
build g three --cache-repo "oci:$TMP/a.dir"
t_is "$(published)" 3 "where it has the beginning of another, ours replaces it"
steps_only "$TMP/a.dir"
build i three --cache-from "oci:$TMP/a.dir"
t_is "$states" hhh "and who reads it finds all of it"
sound "in one piece"
build g three --cache-repo "oci:$TMP/a.dir"
t_is "$(published)" "" "once"

# A branch of which the cache has the trunk, made by another.
build j other
build j other --cache-repo "oci:$TMP/b.dir"
t_is "$(published)" 2 "a stage beside others brings its own trunk"
steps_only "$TMP/b.dir"
build k three --cache-repo "oci:$TMP/b.dir"
steps_only "$TMP/b.dir"
sound "what stood on the other trunk is not used on this one"
build l three --cache-repo "oci:$TMP/b.dir"
t_is "$states" hhh "and is made again for all"
sound "in one piece"
build m other --cache-from "oci:$TMP/b.dir"
t_is "$states" hh "as the branch is"
sound "in one piece"

# The same through a registry, where no two manifests appear at once.
build n one --cache-repo "$registry/chains"
build g three --cache-repo "$registry/chains"
no_image
build o three --cache-from "$registry/chains"
t_is "$states" hhh "a registry has the chain of the last who completed one"
sound "in one piece"

# Entries that do not say what they lie on go with nothing.
registry_entry() {
	tag=$(jq -r '[.image.steps[] | select(.key)][1].key' "$out")
	curl -sf -H 'Accept: application/vnd.oci.image.manifest.v1+json' \
		"http://$registry/v2/chains/manifests/step-$tag" |
		jq -c 'del(.annotations["dev.devenv.step.below"])' \
			>"$TMP/manifest" &&
		curl -sf -X PUT --data-binary "@$TMP/manifest" -H \
			'Content-Type: application/vnd.oci.image.manifest.v1+json' \
			"http://$registry/v2/chains/manifests/step-$tag"
}
t_ok "an entry that says nothing of its ground" registry_entry
build p two --cache-from "$registry/chains"
t_status 0 "is passed over"
sound "whatever it is"
t_done
