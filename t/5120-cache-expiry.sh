#!/bin/sh
# what nobody used for long: a miss, renewed by use, listed and collected
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
. "$SRC/t/build-lib.sh"
t_need docker-registry skopeo jq curl

t_ok "a base image in a registry" build_bases busybox
base=$registry
registry_start cache
cache=$registry
dir=$TMP/dir
mkdir "$TMP/ctx"
printf 'FROM %s\nRUN echo a >/a\nRUN echo b >/b\n' "$BASE" \
	>"$TMP/ctx/Dockerfile"

n=0
build() { # OPTION...: on an empty store; an image that no cache has
	n=$((n + 1))
	: >"$TMP/cache/log"
	t_run "$DEVENV" --store "$TMP/s$n" build --label "n=$n" "$@" \
		"$TMP/ctx"
}
cached() {
	grep -c '"cached": true' "$out"
}
puts() {
	grep -a 'msg="response completed"' "$TMP/cache/log" |
		grep -c 'http.request.method=PUT .*manifests/step-'
}
manifest() { # TAG [CURL-OPTION...]
	m_tag=$1
	shift
	curl -sf -H 'Accept: application/vnd.oci.image.manifest.v1+json' "$@" \
		"http://$cache/v2/steps/manifests/$m_tag"
}
entries() { # PLACE
	"$DEVENV" cache ls --cache-repo "$1" --json |
		jq -r '.[] | select(.kind == "step") | .tag'
}
# These entries (or all) were used so many days ago.
age() { # PLACE DAYS [TAG...]
	a_place=$1
	a_when=$(date -u -d "$2 days ago" +%Y-%m-%dT%H:%M:%SZ)
	shift 2
	# shellcheck disable=SC2046 # words
	[ $# -gt 0 ] || set -- $(entries "$a_place")
	for a_tag; do
		if [ "$a_place" = "oci:$dir" ]; then
			touch -d "$a_when" "$dir/blobs/sha256/$(jq -r \
				--arg tag "$a_tag" '.manifests[] | select(
				.annotations[] == $tag) | .digest[7:]' \
				"$dir/index.json")"
			continue
		fi
		manifest "$a_tag" | jq -c --arg when "$a_when" \
			'.annotations["dev.devenv.used"] = $when' \
			>"$TMP/manifest" &&
			manifest "$a_tag" -X PUT --data-binary \
				"@$TMP/manifest" -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' ||
			return 1
	done
}
uses() { # PLACE: how many entries were used within the last day
	"$DEVENV" cache ls --cache-repo "$1" --json | jq --arg day \
		"$(date -u -d '1 day ago' +%Y-%m-%dT%H:%M:%SZ)" \
		'map(select(.kind == "step" and .used > $day)) | length'
}
steps() { # PLACE
	entries "$1" | wc -l
}
# Forget the images that builds published, which refer to layers of steps.
drop_images() { # PLACE
	d_tags=$("$DEVENV" cache ls --cache-repo "$1" --json |
		jq -r '.[] | select(.kind != "step") | .tag')
	if [ "$1" = "oci:$dir" ]; then
		jq '.manifests |= map(select(.annotations[] |
			test("^(image|bases|past)-") | not))' "$dir/index.json" \
			>"$TMP/index" && cp "$TMP/index" "$dir/index.json" &&
			"$DEVENV" cache gc --cache-repo "$1" >"$TMP/log"
		return
	fi
	for d_tag in $d_tags; do
		manifest "$d_tag" | sha256sum
		manifest "used-$d_tag" | sha256sum
	done | sort -u >"$TMP/digests"
	while read -r d_digest d_rest; do
		manifest "sha256:$d_digest" -X DELETE || return 1
	done <"$TMP/digests"
}
gc() { # PLACE OPTION...
	g_place=$1
	shift
	t_run "$DEVENV" cache gc --cache-repo "$g_place" "$@"
}

for place in "$cache/steps" "oci:$dir"; do
	form=${place%%:*}
	[ "$form" = oci ] || form=registry
	build --cache-repo "$place"
	t_err '2 steps were published' "$form: steps in a cache"
	t_is "$(uses "$place")" 2 "$form: are listed as used now"
	t_ok "$form: with their sizes and times" sh -c "
		'$DEVENV' cache ls --cache-repo '$place' |
		grep -E '^step +[0-9.]+ [k]?B +20[^ ]*Z +20[^ ]*Z +step-'"

	t_ok "$form: three days pass" age "$place" 3
	build --cache-from "$place" --cache-ttl 2d
	t_is "$(cached)" 0 "$form: what is too old is a miss"
	t_err '2 steps were not used for so long that they do not count' \
		"$form: which is said"
	t_is "$(uses "$place")" 0 "$form: and not made younger"
	build --cache-from "$place" --cache-ttl 7d
	t_is "$(cached)" 2 "$form: what is younger is a hit"
	t_is "$(uses "$place")" 0 "$form: not renewed in its first half"
	build --cache-from "$place" --cache-ttl 4d
	t_is "$(cached)" 2 "$form: in its second half"
	t_is "$(uses "$place")" 2 "$form: a hit renews it"
	build --cache-from "$place" --cache-ttl 4d
	t_is "$(puts)" 0 "$form: once"

	t_ok "$form: six days pass" age "$place" 6
	build --cache-from "$place"
	t_is "$(cached)" 2 "$form: without an age nothing is too old"
	t_is "$(uses "$place")" 2 "$form: but uses are noted all the same"
	t_ok "$form: a month passes" age "$place" 30
	DEVENV_CACHE_TTL_DAYS='' ENVBUILDER_CACHE_TTL_DAYS=0 \
		build --cache-repo "$place"
	t_is "$(cached)" 0 "$form: ENVBUILDER_CACHE_TTL_DAYS=0 is a week"
	t_is "$(uses "$place")" 2 "$form: what is built anew is published"

	# One step more, on top of two that are old.
	old=$(entries "$place")
	cp "$TMP/ctx/Dockerfile" "$TMP/Dockerfile"
	echo 'RUN head -c 100000 /dev/urandom >/c' >>"$TMP/ctx/Dockerfile"
	"$DEVENV" --store "$TMP/s$n" build -q --cache-to "$place" "$TMP/ctx" \
		>"$TMP/log" 2>&1 || t_show
	cp "$TMP/Dockerfile" "$TMP/ctx/Dockerfile"
	t_ok "$form: only steps are left" drop_images "$place"
	skopeo copy -q --src-tls-verify=false --dest-tls-verify=false \
		"docker://$BASE" "$(case $form in
		oci) echo "$place:theirs" ;;
		*) echo "docker://$place:theirs" ;;
		esac)" || t_fail "skopeo cannot copy"
	t_is "$(steps "$place")" 3 "$form: one more step"
	# shellcheck disable=SC2086 # words
	t_ok "$form: the others are not used for ten days" \
		age "$place" 10 $old
	gc "$place" --keep-age 3d --dry-run
	t_status 0 "$form: a rehearsal"
	cp "$out" "$TMP/rehearsed"
	t_is "$(steps "$place")" 3 "$form: removes nothing"
	gc "$place" --keep-age 3d
	t_status 0 "$form: what nobody used goes"
	t_is "$(sed s/removed/'would remove'/ "$out")" \
		"$(cat "$TMP/rehearsed")" "$form: as it was rehearsed"
	t_out '^removed 2 entries, [2-9] blobs: ' "$form: and is counted"
	t_is "$(steps "$place")" 1 "$form: what was used stays"
	gc "$place" --keep-size 50kB --json
	t_is "$(jq .entries "$out")" 1 "$form: so does what there is room for"
	t_is "$(steps "$place")" 0 "$form: and nothing else"
	t_ok "$form: what others have there stays" skopeo inspect \
		--tls-verify=false "$(case $form in
		oci) echo "$place:theirs" ;;
		*) echo "docker://$place:theirs" ;;
		esac)"
done

for word in ls gc; do
	t_run "$DEVENV" cache "$word" --cache-repo "oci:$TMP/mistyped"
	t_status 4 "a directory that is not there is no empty cache: $word"
	t_err "^devenv: cannot open '$TMP/mistyped': No such file" "it is named"
	t_err 'hint: a build with --cache-to makes it' "with a way to have it"
done

# A directory is collected itself.
t_is "$(find "$dir/blobs" -type f | wc -l)" 3 \
	"blobs that nothing refers to are gone"
echo orphan >"$dir/blobs/sha256/$(printf %064d 1)"
gc "oci:$dir"
t_out '^removed 0 entries, 1 blob: 7 B' "even without an entry"
build --cache-repo "oci:$dir"
rm "$dir/blobs/sha256/$(skopeo inspect --raw "oci:$dir:$(jq -r \
	'.manifests[].annotations[] | select(startswith("step"))' \
	"$dir/index.json" | head -n 1)" | jq -r '.layers[0].digest' |
	sed 's/sha256://')"
t_run "$DEVENV" cache ls --cache-repo "oci:$dir"
t_out ' \(incomplete\)$' "an entry that lacks a blob is listed as such"
t_is "$(cat "$err")" "" "without a warning"
gc "oci:$dir"
t_out '^removed 2 entries' "and removed, with the image that needs it"

echo orphan >"$dir/blobs/sha256/$(printf %064d 2)"
t_run "$DEVENV" store gc --cache-repo "oci:$dir" -n
t_out '^would remove 0 entries, 1 blob: 7 B' "store gc --cache-repo does so"
t_run "$DEVENV" store gc --cache-repo "oci:$dir" --json
t_is "$(jq -c . "$out")" '{"blobs":1,"bytes":7,"entries":0}' "with its options"

# What is not a blob of it is left alone.
mkdir -p "$TMP/linked/blobs" "$TMP/mine"
echo '{"manifests":[]}' >"$TMP/linked/index.json"
echo precious >"$TMP/mine/$(printf %064d 3)"
ln -s "$TMP/mine" "$TMP/linked/blobs/sha256"
gc "oci:$TMP/linked"
t_status 4 "a cache whose blobs are elsewhere"
t_err "cannot read 'blobs/sha256': Not a directory" "is not collected"
mv "$TMP/linked/blobs/sha256" "$TMP/linked/blobs/md5"
mkdir "$TMP/linked/blobs/sha256"
echo notes >"$TMP/linked/blobs/sha256/README"
gc "oci:$TMP/linked"
t_out '^removed 0 entries, 0 blobs' "a file that is no blob"
t_is "$(cat "$TMP/linked/blobs/sha256/README" "$TMP"/mine/*)" "notes
precious" "stays, as does what a link led to"

# Indexes of others may be in indexes, however deep, and named by several.
nest=$TMP/linked/blobs/sha256
put() { # DESCRIPTORS: an index of them; its own is in $desc
	printf '{"schemaVersion":2,"manifests":[%s]}' "$1" >"$TMP/blob"
	p_sum=$(sha256sum <"$TMP/blob")
	p_sum=${p_sum%% *}
	mv "$TMP/blob" "$nest/$p_sum"
	desc="{\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"digest\":\"sha256:$p_sum\",\"size\":$(wc -c <"$nest/$p_sum")}"
}
put ""
for level in 1 2 3 4 5 6; do
	put "$desc"
	[ "$level" != 2 ] || middle=$desc
done
echo "{\"manifests\":[$desc,$middle]}" >"$TMP/linked/index.json"
gc "oci:$TMP/linked"
t_out '^removed 0 entries, 0 blobs' "indexes seven deep stay whole"
t_is "$(find "$nest" -type f ! -name README | wc -l)" 7 "with all that they name"

# Builds publish while it is collected again and again.
together() {
	pids=
	for t_n in 1 2 3 4; do
		mkdir "$TMP/ctx$t_n"
		printf 'FROM %s\nRUN echo %s >/a\n' "$BASE" "$t_n" \
			>"$TMP/ctx$t_n/Dockerfile"
		"$DEVENV" --store "$TMP/t$t_n" build -q --cache-repo \
			"oci:$dir" "$TMP/ctx$t_n" >"$TMP/log$t_n" 2>&1 &
		pids="$pids $!"
	done
	for t_n in 1 2 3 4 5 6 7 8; do
		"$DEVENV" cache gc --cache-repo "oci:$dir" >/dev/null ||
			return 1
		sleep 0.05
	done
	for t_pid in $pids; do wait "$t_pid" || return 1; done
	! grep 'warning: ' "$TMP"/log[1-4]
}
t_ok "builds publish beside collectors" together
t_is "$("$DEVENV" cache ls --cache-repo "oci:$dir" --json |
	jq 'map(.complete) | all')" true "and every entry is complete"

# Who does not delete says so.
REGISTRY_STORAGE_DELETE_ENABLED=false
export REGISTRY_STORAGE_DELETE_ENABLED
registry_start still
build --cache-repo "$registry/steps"
gc "$registry/steps" --keep-size 1
t_status 6 "a registry that does not delete refuses"
t_err 'does not delete manifests: switch it on there' "with advice"
gc ""
t_status 2 "no cache is a usage error"
t_err 'no cache is named' "which is said"
gc "oci:$dir" --keep-age soon
t_status 2 "so is what is no age"
gc "oci:$dir" --keep-age 0s
t_status 2 "or keeps nothing"
t_err 'hint: --keep-size 0 says so' "which is said otherwise"
gc "oci:$dir" --keep-size 0
t_status 0 "namely by size"
t_is "$("$DEVENV" cache ls --json --cache-repo "oci:$dir")" "[]" "and nothing is kept"
t_run "$DEVENV" cache empty --cache-repo "oci:$dir"
t_status 2 "and an unknown command"
t_err "unknown cache command 'empty'" "named"
t_is "$(curl -sf "http://$base/v2/_catalog" | jq -r '.repositories[]')" \
	busybox "other registries are as they were"
t_done
