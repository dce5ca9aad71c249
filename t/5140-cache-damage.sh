#!/bin/sh
# 5140-cache-damage.sh - entries of step caches that are not what they should be
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
t_need docker-registry busybox jq curl python3

registry_start cache || t_fail "a registry"
data=$TMP/cache/data
mkdir "$TMP/ctx"
cp "$(command -v busybox)" "$TMP/ctx/busybox"
echo text >"$TMP/ctx/file"
cat >"$TMP/ctx/Dockerfile" <<'END'
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "ln", "-s", "busybox", "/bin/sh"]
COPY file /file
RUN /bin/busybox tr a-z A-Z </file >/upper
END
build() { # STORE OPTION...
	b_store=$1
	shift
	rm -rf "$TMP/files"
	t_run timeout 60 "$DEVENV" --store "$TMP/$b_store" build \
		--registry-retries 2 --output "type=local,dest=$TMP/files" \
		"$@" "$TMP/ctx"
}
repo=$registry/team/steps
build first --cache-to "oci:$TMP/dir,mode=max"
t_status 0 "a cache in a directory"
build first --cache-to "$repo,mode=max"
t_status 0 "and one in a registry"
tags=$(jq -r '.image.steps[].key | select(.) | "step-" + .' "$out")
last=$(echo "$tags" | tail -n 1)
before=$(echo "$tags" | tail -n 2 | head -n 1)
image=$(jq -r '.manifests[].annotations[]' "$TMP/dir/index.json" |
	grep '^image-')
# With the image as a whole, and with steps alone.
cp -a "$TMP/dir" "$TMP/dir.whole"
cp -a "$data" "$TMP/data.whole"
cp -a "$TMP/dir" "$TMP/dir.steps"
jq '.manifests |= map(select(.annotations[] | startswith("step-")))' \
	"$TMP/dir/index.json" >"$TMP/dir.steps/index.json"
cp -a "$data" "$TMP/data.steps"
rm -r "$TMP"/data.steps/docker/registry/v2/repositories/team/steps/_manifests/tags/image-*
kept=steps

of=$last # whose manifest is changed

# --- two kinds of places ---
use() { # dir|registry: as it was
	place=$1
	if [ "$1" = dir ]; then
		from=oci:$TMP/dir
		rm -rf "$TMP/dir"
		cp -a "$TMP/dir.$kept" "$TMP/dir"
	else
		from=$repo
		rm -rf "$data"
		cp -a "$TMP/data.$kept" "$data"
	fi
}
ref=org.opencontainers.image.ref.name
digest() { # TAG: of its manifest, without "sha256:"
	if [ $place = dir ]; then
		jq -r --arg t "$1" ".manifests[] |
			select(.annotations[\"$ref\"] == \$t) | .digest[7:]" \
			"$TMP/dir/index.json"
	else
		sed 's/sha256://' "$data/docker/registry/v2/repositories/team/\
steps/_manifests/tags/$1/current/link"
	fi
}
file() { # HEX: where a blob lies
	if [ $place = dir ]; then
		echo "$TMP/dir/blobs/sha256/$1"
	else
		echo "$data/docker/registry/v2/blobs/sha256/$(echo "$1" |
			cut -c 1-2)/$1/data"
	fi
}
manifest() { cat "$(file "$(digest "$of")")"; }
layer() { manifest | jq -r '.layers[-1].digest[7:]'; }
size() { stat -c %s "$1"; }
sum() { sha256sum "$1" | cut -c 1-64; }
# It becomes standard input; a blob may come with it.
put() { # [BLOB]
	cat >"$TMP/m"
	for p_blob in "$TMP/m" "$@"; do
		[ $place = registry ] && [ "$p_blob" = "$TMP/m" ] && continue
		mkdir -p "$(dirname "$(file "$(sum "$p_blob")")")"
		cp "$p_blob" "$(file "$(sum "$p_blob")")"
		[ $place = dir ] || {
			link=$data/docker/registry/v2/repositories/team/steps
			link=$link/_layers/sha256/$(sum "$p_blob")
			mkdir -p "$link"
			printf 'sha256:%s' "$(sum "$p_blob")" >"$link/link"
		}
	done
	if [ $place = registry ]; then
		curl -sf -X PUT --data-binary "@$TMP/m" -H "Content-Type: $(
			jq -r .mediaType "$TMP/m")" \
			"http://$registry/v2/team/steps/manifests/$of"
		return
	fi
	jq --arg t "$of" --arg d "sha256:$(sum "$TMP/m")" \
		--argjson n "$(size "$TMP/m")" "(.manifests[] |
		select(.annotations[\"$ref\"] == \$t)) |=
			(.digest = \$d | .size = \$n)" \
		"$TMP/dir/index.json" >"$TMP/index" &&
		cp "$TMP/index" "$TMP/dir/index.json"
}

nr=0
right() { # SENTENCE WARNING: what is built is right, and the warning is told
	nr=$((nr + 1))
	build "store$nr" --cache-from "$from"
	t_is "$status $(cat "$TMP/files/upper")" "0 TEXT" \
		"$place: $1: the build is right"
	[ -z "$2" ] || t_err "warning: .*$2" "$place: $1: it is told"
	"$DEVENV" --store "$TMP/store$nr" store verify >"$TMP/verify" 2>&1 ||
		t_fail "$place: $1: the store is sound" "$(cat "$TMP/verify")"
	rm -rf "$TMP/store$nr"
}
gone='what a step cache promised is not to be had, so it is made again'

# A tar that would like to reach out, and one that no tar is.
python3 - "$TMP" <<'END'
import io, os, sys, tarfile
top = sys.argv[1]
with tarfile.open(os.path.join(top, "evil.tar"), "w") as t:
    def add(name, kind=tarfile.REGTYPE, link="", data=b""):
        i = tarfile.TarInfo(name)
        i.type, i.linkname, i.size = kind, link, len(data)
        t.addfile(i, io.BytesIO(data))
    add("../" * 12 + top + "/escaped", data=b"x")
    add(top + "/escaped", data=b"x")
    add("door", tarfile.SYMTYPE, top)
    add("door/escaped", data=b"x")
    add("upper", data=b"TEXT\n")
    add("hard", tarfile.LNKTYPE, "../" * 12 + "etc/passwd")
END
head -c 5000 /dev/urandom >"$TMP/noise"

for kind in dir registry; do
	use $kind
	right "nothing is wrong" ""
	t_is "$(grep -c '"cached": true' "$out")" 4 "$kind: and nothing was run"

	f=$(file "$(digest "$last")")
	echo '<html>welcome</html>' >"$f"
	right "a manifest that is no JSON" 'not used: '
	t_is "$(grep -c '"cached": true' "$out")" 3 "$kind: the others are used"

	use $kind
	: >"$(file "$(digest "$last")")"
	right "an empty manifest" 'not used: '

	use $kind
	manifest | jq '.mediaType = "application/vnd.oci.image.index.v1+json"
		| .manifests = [] | del(.layers, .config)' | put
	right "an index in its place" 'step.[0-9a-f]{12,13}[.:]* is not used: '

	use $kind
	manifest | jq '.annotations = {}' | put
	right "a manifest of something else" \
		'the entry of step [0-9a-f]{12} is not used: it belongs to another key'

	use $kind
	manifest | jq 'del(.annotations["dev.devenv.step.diff-id"])' | put
	right "one without a diff id" 'is not used: its annotations'

	use $kind
	put <"$(file "$(digest "$before")")"
	right "the entry of another step" 'is not used: it belongs to another key'

	use $kind
	manifest | jq --arg d "sha256:$(sum "$TMP/noise")" \
		'.annotations["dev.devenv.step.diff-id"] = $d' | put
	right "a diff id that is not the layer's" "$gone: .*has the content of"

	use $kind
	f=$(file "$(layer)")
	truncate -s "$(($(size "$f") / 2))" "$f"
	right "a layer that is cut off" "$gone|not used: it is damaged, or not all there"

	use $kind
	f=$(file "$(layer)")
	n=$(size "$f")
	head -c "$n" /dev/urandom >"$f"
	right "a layer of other bytes" "$gone: .*(digest|match)"

	use $kind
	rm "$(file "$(layer)")"
	right "a layer that is missing" ''

	# Its digest and size are right, and it is no archive.
	use $kind
	manifest | jq --arg d "sha256:$(sum "$TMP/noise")" \
		'.layers[0].digest = $d | .layers[0].size = 5000' |
		put "$TMP/noise"
	right "a layer that is no archive" "$gone"

	use $kind
	manifest | jq --arg d "sha256:$(sum "$TMP/evil.tar")" \
		--argjson n "$(size "$TMP/evil.tar")" \
		'.layers[0].digest = $d | .layers[0].size = $n
		| .layers[0].mediaType = "application/vnd.oci.image.layer.v1.tar"
		| .annotations["dev.devenv.step.diff-id"] = $d' |
		put "$TMP/evil.tar"
	right "a layer that reaches out" ""
	t_ok "$kind: nothing of it is outside" test ! -e "$TMP/escaped"

	# As a writer leaves it that was killed: layers, and no manifests.
	use $kind
	if [ $kind = dir ]; then
		jq '.manifests = []' "$TMP/dir.steps/index.json" \
			>"$TMP/dir/index.json"
	else
		rm -rf "$data"/docker/registry/v2/repositories/team/steps/_manifests/tags
	fi
	right "one that was half written" ""
done

# --- an image as a whole ---
kept=whole
of=$image
for kind in dir registry; do
	use $kind
	right "a whole image" ""
	t_is "$(grep -c '"cached": true' "$out")" 4 "$kind: and nothing was run"

	use $kind
	: >"$(file "$(digest "$of")")"
	right "a whole image without a manifest" 'not used: '

	use $kind
	manifest | jq 'del(.layers[1])' | put
	right "a whole image of fewer layers" 'is not used: '

	use $kind
	f=$(file "$(manifest | jq -r '.config.digest[7:]')")
	sed 's/upper/UPPER/g' "$f" >"$TMP/other"
	cat "$TMP/other" >"$f"
	right "a whole image with another configuration" 'is not used: '

	use $kind
	sed 's/upper/UPPER/g' "$(file "$(manifest |
		jq -r '.config.digest[7:]')")" >"$TMP/other"
	manifest | jq --arg d "sha256:$(sum "$TMP/other")" \
		'.config.digest = $d' | put "$TMP/other"
	right "a whole image of another build" \
		'is not used: it is not what this build makes'

	use $kind
	f=$(file "$(layer)")
	n=$(size "$f")
	head -c "$n" /dev/urandom >"$f"
	right "a whole image with a layer of other bytes" "$gone"

	use $kind
	rm "$(file "$(layer)")"
	right "a whole image without a layer" ''
done
kept=steps
of=$last

# What was found to be of no use is replaced by what had to be made instead.
for kept in whole steps; do
	use registry
	rm "$(file "$(layer)")"
	build "heal-$kept" --cache-repo "$repo"
	t_status 0 "a build that reads and writes a damaged cache ($kept)"
	t_err "$gone" "says so"
	build "healed-$kept" --cache-repo "$repo"
	t_is "$status $(grep -c '"cached": true' "$out")" "0 4" \
		"after it the cache is whole again ($kept)"
	t_is "$(grep -c warning "$err")" 0 "without a warning"
done

# A promise that is remembered here is no reason to fail, either.
use registry
t_run "$DEVENV" --store "$TMP/lazy" build -t lazy --cache-from "$repo" \
	"$TMP/ctx"
t_is "$status $(grep -c '"cached": true' "$out")" "0 4" "a build of promises"
rm "$(file "$(layer)")"
t_run "$DEVENV" --store "$TMP/lazy" run lazy -- /bin/busybox cat /upper
t_err 'sha256:[0-9a-f]{64}' "an image cannot run without its layer"
t_err 'hint: build it again' "which says what to do"
t_run "$DEVENV" --store "$TMP/lazy" build -t lazy "$TMP/ctx"
t_run "$DEVENV" --store "$TMP/lazy" run lazy -- /bin/busybox cat /upper
t_is "$status $(cat "$out")" "0 TEXT" "and that helps"
t_done
