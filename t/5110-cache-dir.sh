#!/bin/sh
# a step cache in a directory: an OCI layout that many builds share
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
. "$SRC/t/build-lib.sh"
t_need docker-registry skopeo jq

cached() {
	grep -c '"cached": true' "$out"
}
id() {
	sed -n 's/.*"config_digest": "\(sha256:[0-9a-f]*\)".*/\1/p' "$out" |
		head -n 1
}
build() { # STORE OPTION...
	b_store=$1
	shift
	t_run "$DEVENV" --store "$TMP/$b_store" build "$@" "$TMP/ctx"
}
tags() { # DIR
	jq -r '.manifests[].annotations["org.opencontainers.image.ref.name"]' \
		"$1/index.json"
}
# Every blob is what its name says, and nothing is left in the making.
sound() { # DIR
	(cd "$1/blobs/sha256" && sha256sum -- * | awk '$1 != $2 { exit 1 }') &&
		[ -z "$(ls -A "$1/tmp" 2>/dev/null)" ] &&
		[ "$(tags "$1" | sort | uniq -d)" = "" ]
}

t_ok "a base image in a registry" build_bases busybox
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
dir=$TMP/cache/dir

build a --cache-repo "oci:$dir"
t_status 0 "a build that publishes into a directory that is made"
t_err "6 steps were published in oci:$dir" "and says so"
first=$(id)
t_is "$(tags "$dir" | grep -c '^step-[0-9a-f]\{64\}$')" 6 "one tag a step"
t_ok "what is there is sound" sound "$dir"
t_ok "another tool reads it" sh -c \
	"skopeo inspect --raw 'oci:$dir:$(tags "$dir" | head -n 1)' |
		jq -e .annotations"

build b --cache-repo "oci:$dir"
t_status 0 "the same in another store"
t_is "$(id)" "$first" "is the same image"
t_is "$(cached)" 6 "of cached steps only"
t_run "$DEVENV" --store "$TMP/b" run "$first"
t_is "$(cat "$out")" "tool
ONE" "it runs, with layers from the directory"
t_run "$DEVENV" --store "$TMP/b" store verify
t_status 0 "the store is sound"

# Layers that nothing needed go from the directory to where they are wanted.
build c --cache-from "oci:$dir" -o "type=oci,dest=$TMP/out.tar"
t_status 0 "an export of what only the directory has"
build d --cache-from "oci:$dir" -t "$registry/app:1" --push
t_status 0 "a push of it"
t_ok "the registry has the image" sh -c \
	"[ \"\$(skopeo inspect --config --tls-verify=false \
		--format '{{.Config.Cmd}}' 'docker://$registry/app:1')\" = \
		'[cat /all]' ]"

(cd "$TMP" && DEVENV_STORE=$TMP/e ENVBUILDER_LAYER_CACHE_DIR=cache/dir \
	ENVBUILDER_CACHE_REPO=127.0.0.1:1/none "$DEVENV" build ctx) \
	>"$out" 2>"$err"
t_is "$?" 0 "ENVBUILDER_LAYER_CACHE_DIR names it as well"
t_is "$(cached)" 6 "in place of ENVBUILDER_CACHE_REPO"

# As docker spells it, and what of the stages goes there.
build f --cache-from "type=local,src=$dir" \
	--cache-to "type=local,dest=$TMP/min,mode=min" --no-cache
t_status 0 "docker's spelling"
t_is "$(tags "$TMP/min" | grep -c "^step-")" 5 "mode=min publishes the target's steps"
build g --cache-to "type=local,dest=$TMP/max,mode=max"
t_is "$(tags "$TMP/max" | grep -c "^step-")" 6 "mode=max those of all stages"
build g --cache-to "type=local,dest=$TMP/max,mode=some"
t_status 2 "an unknown mode is a usage error"
t_err "'type=local,dest=.*,mode=some' names no step cache" "named"
build g --cache-from "type=local"
t_status 2 "so is a place that is not named"
build g --cache-repo "oci:"
t_status 2 "and an empty one"
t_err "'oci:' names no directory" "which is said"

# What others put there is theirs.
skopeo copy -q --src-tls-verify=false "docker://$BASE" \
	"oci:$dir:theirs" || t_fail "skopeo cannot add an image"
echo two >"$TMP/ctx/file"
build a --cache-repo "oci:$dir"
t_err "4 steps were published" "a change publishes what it makes"
t_ok "beside what others have there" skopeo inspect "oci:$dir:theirs"
t_ok "the directory is sound" sound "$dir"

# A layer that is damaged is not used, and comes back.
mkdir "$TMP/one"
printf 'FROM %s\nRUN echo one >/one\n' "$BASE" >"$TMP/one/Dockerfile"
one() { # STORE
	t_run "$DEVENV" --store "$TMP/$1" build --cache-repo \
		"oci:$TMP/damaged" "$TMP/one"
}
one h1
step=$(tags "$TMP/damaged" | grep '^step-')
layer=$(skopeo inspect --raw "oci:$TMP/damaged:$step" |
	jq -r '.layers[0].digest')
layer=$TMP/damaged/blobs/sha256/${layer#sha256:}
size=$(stat -c %s "$layer")
head -c "$size" /dev/zero >"$layer"
one h2
t_is "$(cached)" 1 "a layer of the right size is believed to be right"
echo 'RUN cat /one >/two' >>"$TMP/one/Dockerfile"
one h2
t_status 0 "until a step stands on it"
t_err 'promised is not to be had, so it is made again: .*does not match its digest' \
	"then it is made again"
one h3
t_is "$(cached)" 2 "and published again"
t_run "$DEVENV" --store "$TMP/h3" run "$(id)" cat /two
t_is "$(cat "$out")" one "as it should be"
for tag in $(tags "$TMP/damaged" | grep '^step-'); do
	rm "$TMP/damaged/blobs/sha256/$(skopeo inspect --raw \
		"oci:$TMP/damaged:$tag" | jq -r '.layers[0].digest' |
		sed 's/sha256://')"
done
one h4
t_is "$(cached)" 0 "what lacks a layer is not there"

# Damage of the index itself is a warning.
cp "$dir/index.json" "$TMP/index"
echo '[' >"$dir/index.json"
build k --cache-repo "oci:$dir"
t_status 0 "a cache with a damaged index is no reason to fail"
t_err "the step cache oci:$dir is not used: .*index.json:2:1:" "it is said"
cp "$TMP/index" "$dir/index.json"
rm -rf "$dir/oci-layout"
build l --cache-from "oci:$TMP/nowhere"
t_status 0 "one that does not exist holds nothing"
t_ok "and reading makes none" test ! -e "$TMP/nowhere"

# Read-only: one warning, and the build goes on.
read_only() { # COMMAND...
	unshare -m sh -c 'mount --bind "$0" "$0" &&
		mount -o remount,ro,bind "$0" && exec "$@"' "$dir" "$@"
}
if [ "$(id -u)" = 0 ] && read_only true 2>/dev/null; then
	echo four >"$TMP/ctx/file"
	t_run read_only "$DEVENV" --store "$TMP/m" build \
		--cache-repo "oci:$dir" "$TMP/ctx"
	t_status 0 "a build with a cache that is read-only"
	t_is "$(cached)" 2 "reads it"
	t_is "$(grep -c warning "$err")" 1 "and says once that it cannot write"
	t_err 'steps were not published in oci:.*Read-only' "and why"
fi

# So is a registry that takes nothing now.
# shellcheck disable=SC2089 # the quotes are JSON
REGISTRY_STORAGE_MAINTENANCE_READONLY='{"enabled":true}'
# shellcheck disable=SC2090 # the quotes are JSON
export REGISTRY_STORAGE_MAINTENANCE_READONLY
registry_start shut
unset REGISTRY_STORAGE_MAINTENANCE_READONLY
build n --cache-repo "$registry/steps"
t_status 0 "a build with a registry that is read-only"
t_is "$(grep -c 'warning: ' "$err")" 1 "says once that it cannot write"
t_err 'steps were not published in .*405' "and why"

# Several platforms publish what is theirs.
mkdir "$TMP/multi"
printf 'FROM scratch\nCOPY Dockerfile /file\n' >"$TMP/multi/Dockerfile"
multi() { # STORE
	t_run "$DEVENV" --store "$TMP/$1" build --platform \
		linux/amd64,linux/arm64 --cache-repo "oci:$TMP/both" \
		"$TMP/multi"
}
multi n
t_is "$(tags "$TMP/both" | grep -c ^step-)" 2 "a step for each platform"
multi o
t_is "$(cached)" 1 "is found for each"
t_ok "and not made again" sh -c "! grep 'DONE' '$err'"

# Eight at once, and some that are killed.
many() {
	pids=
	for n in 1 2 3 4 5 6 7 8; do
		mkdir "$TMP/ctx$n"
		printf 'FROM %s\nRUN echo same >/a\nRUN echo %s >/b\n' \
			"$BASE" "$n" >"$TMP/ctx$n/Dockerfile"
		"$DEVENV" --store "$TMP/store$n" build -q --cache-repo \
			"oci:$TMP/many" "$TMP/ctx$n" >"$TMP/out$n" 2>&1 &
		pids="$pids $!"
	done
	for pid in $pids; do wait "$pid" || return 1; done
	! grep -l "warning: " "$TMP"/out[1-8]
}
t_ok "eight builds publish at once" many
t_is "$(tags "$TMP/many" | grep -c '^step-')" 9 "every step is there"
t_ok "the directory is sound" sound "$TMP/many"
killed() {
	for n in 1 2 3 4 5 6; do
		"$DEVENV" --store "$TMP/store$n" build -q --no-cache \
			--cache-to "oci:$TMP/killed" "$TMP/ctx$n" \
			>/dev/null 2>&1 &
		pid=$!
		sleep "0.0$n"
		kill -9 $pid 2>/dev/null
		wait $pid 2>/dev/null
	done
	mkdir -p "$TMP/killed/tmp" && echo half >"$TMP/killed/tmp/left"
	"$DEVENV" --store "$TMP/store7" build -q --no-cache \
		--cache-to "oci:$TMP/killed" "$TMP/ctx7" >/dev/null
}
t_ok "a build where others were killed" killed
t_ok "leaves the directory sound" sound "$TMP/killed"

# One that was stopped while it wrote holds up others until they are told to
# give up.
held() {
	flock --no-fork "$TMP/killed/index.lock" sleep 60 &
	holder=$!
	"$DEVENV" --store "$TMP/store1" build --no-cache --cache-to \
		"oci:$TMP/killed" "$TMP/ctx1" >/dev/null 2>"$err" &
	pid=$!
	t_wait grep -q 'waiting for another devenv' "$err"
	kill -TERM $pid
	wait $pid
	status=$?
	kill $holder
	wait $holder 2>/dev/null
	[ $status = 143 ]
}
t_ok "a build that waits for a cache can be interrupted" held
t_done
