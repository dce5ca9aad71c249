#!/bin/sh
# 0520-store-repair.sh - store verify --repair: each kind of damage, mended
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/helper/registry.sh"

t_need root docker-registry skopeo python3 busybox jq
registry_start plain || t_fail "a registry"
D=$DEVENV

# A base by another program: its archive and its documents are not ours.
mkdir -p "$TMP/root/etc" "$TMP/base" "$TMP/p"
seq 2000 >"$TMP/root/etc/numbers"
ln -s numbers "$TMP/root/etc/link"
tar -C "$TMP/root" --format=posix --mtime=@1700000000 --owner=0 --group=0 \
	--numeric-owner -cf "$TMP/base.tar" etc
gzip -9n <"$TMP/base.tar" >"$TMP/base.gz"
python3 - "$TMP" <<'P'
import hashlib, json, os, sys
top = sys.argv[1]
os.makedirs(top + "/base/blobs/sha256")
def put(data):
    name = hashlib.sha256(data).hexdigest()
    open(top + "/base/blobs/sha256/" + name, "wb").write(data)
    return {"digest": "sha256:" + name, "size": len(data)}
def text(value):
    return json.dumps(value, indent=3).encode()
kind = "application/vnd.oci.image."
diff = hashlib.sha256(open(top + "/base.tar", "rb").read()).hexdigest()
layer = put(open(top + "/base.gz", "rb").read())
config = put(text({"os": "linux", "architecture": "amd64", "x": "y",
    "config": {"Env": ["PATH=/bin"], "Cmd": ["sh"]},
    "rootfs": {"type": "layers", "diff_ids": ["sha256:" + diff]}}))
manifest = put(text({"schemaVersion": 2, "mediaType": kind + "manifest.v1+json",
    "config": dict(config, mediaType=kind + "config.v1+json"),
    "layers": [dict(layer, mediaType=kind + "layer.v1.tar+gzip")]}))
manifest["mediaType"] = kind + "manifest.v1+json"
open(top + "/base/index.json", "wb").write(
    text({"schemaVersion": 2, "manifests": [manifest]}))
open(top + "/base/oci-layout", "w").write('{"imageLayoutVersion": "1.0.0"}')
other = put(text({"os": "linux", "architecture": "arm64", "config": {},
    "rootfs": {"type": "layers", "diff_ids": ["sha256:" + diff]}}))
second = put(text({"schemaVersion": 2, "mediaType": kind + "manifest.v1+json",
    "config": dict(other, mediaType=kind + "config.v1+json"),
    "layers": [dict(layer, mediaType=kind + "layer.v1.tar+gzip")]}))
def platform(m, name):
    return dict(m, mediaType=kind + "manifest.v1+json",
                platform={"os": "linux", "architecture": name})
both = put(text({"schemaVersion": 2, "mediaType": kind + "index.v1+json",
    "manifests": [platform(manifest, "amd64"), platform(second, "arm64")]}))
os.makedirs(top + "/both")
os.symlink("../base/blobs", top + "/both/blobs")
os.symlink("../base/oci-layout", top + "/both/oci-layout")
open(top + "/both/index.json", "w").write(json.dumps({"schemaVersion": 2,
    "manifests": [dict(both, mediaType=kind + "index.v1+json")]}))
for name, digest in ("layer", layer), ("arm", other), ("both", both), \
        ("config", config), ("manifest", manifest):
    open(top + "/base." + name, "w").write(digest["digest"][7:])
P
t_ok "a base image" skopeo copy -q --dest-tls-verify=false "oci:$TMP/base" \
	"docker://$registry/base:1"
echo one >"$TMP/p/one"
cp "$(command -v busybox)" "$TMP/p/busybox"
t_ok "and one for two platforms" skopeo copy -q --all \
	--dest-tls-verify=false "oci:$TMP/both" "docker://$registry/both:1"
DEVENV_STORE=$TMP/good
printf '%s\n' "FROM $registry/base:1" 'COPY one /one' \
	'COPY one /etc/two' >"$TMP/p/Dockerfile"
t_run "$D" build -q -t app:1 --platform linux/amd64 --digest "$TMP/p"
t_status 0 "an image with all its blobs"
app=$(jq -r .image.config_digest "$out" | cut -c8-)
app_manifest=$(jq -r .image.digest "$out" | cut -c8-)
printf '%s\n' "FROM $registry/base:1" \
	'COPY one /lazy' >"$TMP/p/Dockerfile"
t_run "$D" build -q -t lazy:1 --platform linux/amd64 "$TMP/p"
t_status 0 "and one without"
lazy=$(jq -r .image.config_digest "$out" | cut -c8-)
t_run "$D" pull --all-platforms "$registry/both:1"
t_status 0 "and one of all platforms"
t_run "$D" store ls
t_out '  linux/amd64,linux/arm64  .*/both:1$' "ls shows what is kept of it"
base_layer=$(sha256sum "$TMP/base.tar" | cut -d' ' -f1)
record() { tail -n +2 "$TMP/good/images/id-$1"; }
own=$(record "$app" | jq -r '.layers[1].id')
own_blob=$(record "$app" | jq -r '.layers[1].digest' | cut -c8-)
lazy_layer=$(record "$lazy" | jq -r '.layers[1].id')
ref_app=ref-$(printf docker.io/library/app:1 | sha256sum | cut -d' ' -f1)
t_run "$D" store verify
t_status 0 "the store is sound"

# What the images are: their names, ids and files.
images() {
	for i_file in "$DEVENV_STORE"/images/*; do tail -n +2 "$i_file"; done |
		jq -r '[.reference, .config_digest, .layers[].id] | join(" ")' |
		sort | uniq -c |
		while read -r i_names i_reference i_config i_ids; do
			# shellcheck disable=SC2086 # several
			echo "$i_names $i_reference $i_config" \
				"$("$HELPER/layer" flat $i_ids 2>&- | sha256sum)"
		done
}
images >"$TMP/images"
t_is "$(cut -d' ' -f4 "$TMP/images" | sort -u | wc -l)" 3 \
	"the images differ"

spoil() { # HOW FILE
	case $1 in
	flip) python3 -c 'import os, sys
with open(sys.argv[1], "r+b") as f:
	at = os.path.getsize(sys.argv[1]) // 2
	f.seek(at)
	byte = f.read(1)[0]
	f.seek(at)
	f.write(bytes([byte ^ 4]))' "$2" ;;
	cut) truncate -s 5 "$2" ;;
	gone) rm -r "$2" ;;
	unmark) rm -f "$2/boot" "$2/synced" ;;
	owner) chown -h 1234 "$2" ;;
	esac
}

# Damage one file in these ways: found, mended with these words, and then all
# images are what they were.
mends() { # SENTENCE FILE WORDS HOW...
	m_name=$1
	m_file=$2
	m_words=$3
	shift 3
	for m_how; do
		rm -rf "$TMP/bad"
		cp -a "$TMP/good" "$TMP/bad"
		DEVENV_STORE=$TMP/bad
		spoil "$m_how" "$TMP/bad/$m_file"
		t_run "$D" store verify
		[ $status = 1 ] || {
			t_fail "$m_name, $m_how: found" "status $status"
			t_show
			continue
		}
		t_run "$D" store verify --repair
		if [ $status = 0 ] && grep -Eq -e "$m_words" "$out" &&
			"$D" store verify >"$TMP/after" 2>&1 &&
			images | cmp -s - "$TMP/images"; then
			t_pass "$m_name, $m_how: found and mended"
		else
			t_fail "$m_name, $m_how: mended"
			t_show
			sed 's/^/# after: /' "$TMP/after"
			images | diff - "$TMP/images" | sed 's/^/# /'
		fi
	done
}

B=blobs/sha256
mends "a blob by others" "$B/$(cat "$TMP/base.layer")" \
	"fetched again from $registry/(base|both)\$" flip gone
mends "a manifest by others" "$B/$(cat "$TMP/base.manifest")" \
	"fetched again from $registry/(base|both)\$" flip gone
mends "a configuration by others" "$B/$(cat "$TMP/base.config")" \
	"fetched again from $registry/(base|both)\$" flip gone
mends "a configuration for others" "$B/$(cat "$TMP/base.arm")" \
	"fetched again from $registry/both\$" flip gone
mends "an index of platforms" "$B/$(cat "$TMP/base.both")" \
	"fetched again from $registry/both\$" flip gone
mends "a blob of ours" "$B/$own_blob" 'made again from its layer$' flip gone
mends "a manifest of ours" "$B/$app_manifest" \
	'made again from the record of the image$' flip gone
mends "a configuration of ours" "$B/$app" \
	'made again from the record of the image$' cut gone
mends "a blob's owner" "$B/$own_blob" 'given back to user 0$' owner
mends "a file of a base" "layers/$base_layer/fs/etc/numbers" \
	'unpacked again from its blob$' flip gone owner
mends "a link of a base" "layers/$base_layer/fs/etc/link" \
	'unpacked again from its blob$' gone
mends "a file of a step" "layers/$own/fs/one" \
	'unpacked again from its blob$' flip gone owner
mends "what is known of a layer" "layers/$base_layer/meta" \
	'unpacked again from its blob$' flip gone
mends "the files of a layer" "layers/$own/fs" \
	'unpacked again from its blob$' gone
mends "the marks of a layer" "layers/$own" \
	'unpacked again from its blob$' unmark
mends "a record" "images/id-$app" \
	"made again from the image's configuration\$" flip cut
mends "one name of a record" "images/id-$app" ': made again$' gone
mends "the other name" "images/$ref_app" \
	"made again from the image's configuration\$" gone
mends "the index" index.json 'written again from the images$' flip gone
mends "the layout" oci-layout 'written again$' flip gone
for file in "$TMP"/good/cache/*; do break; done
mends "a step" "cache/${file##*/}" 'removed, its step will run again$' \
	flip cut
mends "a step's owner" "cache/${file##*/}" 'given back to user 0$' owner

# --- names that are not ours ---
fresh() {
	rm -rf "$TMP/bad"
	cp -a "$TMP/good" "$TMP/bad"
	DEVENV_STORE=$TMP/bad
}
fresh
mkdir -p "$TMP/bad/blobs/sha256/stray/dir" "$TMP/bad/layers/stray"
: >"$TMP/bad/images/stray"
: >"$TMP/bad/unsynced/$(printf '%064d' 7)"
: >"$TMP/bad/tmp/left"
t_run "$D" store verify --repair
t_status 0 "stray names are mended"
t_is "$(grep -c 'stray: .*: removed$' "$out")" 3 "all are named"
t_is "$(cd "$TMP/bad" && find . -name stray -o -name left -o -name '0000*7')" "" \
	"and gone"
t_ok "the images stay" cmp "$TMP/images" - <<X
$(images)
X

# --- a dry run ---
tree() { (cd "$TMP/bad" && find . -path ./tmp -prune -o -printf '%p %s %i %m\n' | sort); }
fresh
spoil flip "$TMP/bad/$B/$own_blob"
spoil flip "$TMP/bad/layers/$base_layer/fs/etc/numbers"
spoil cut "$TMP/bad/cache/${file##*/}"
tree >"$TMP/before"
t_run "$D" store verify --repair -n
t_status 0 "what can be mended is said"
t_out "^$B/$own_blob: content has .*: would be made again from its layer" \
	"for a blob"
t_out "^layers/$base_layer: .*: would be unpacked again from its blob\$" \
	"for a layer"
t_err 'can be mended: [3-9], lost: 0' "with the sum"
t_ok "and nothing is done" cmp "$TMP/before" - <<X
$(tree)
X

# --- beside others ---
fresh
spoil flip "$TMP/bad/layers/$base_layer/fs/etc/numbers"
spoil flip "$TMP/bad/$B/$own_blob"
sh -c 'exec 9<"$1"; flock -s 9; exec sleep 60' - "$TMP/bad/format" &
holder=$!
t_atexit "kill $holder 2>/dev/null"
t_wait sh -c "! flock -nx '$TMP/bad/format' true"
t_run "$D" store verify --repair
t_status 1 "a layer that others may be using is not touched"
t_out "^layers/$base_layer: .*: left as it is: another devenv process" \
	"which is said"
t_out "^$B/$own_blob: .*: made again" "blobs are mended all the same"
kill "$holder"
wait "$holder" 2>/dev/null
t_run "$D" store verify --repair
t_status 0 "later it is"
printf '%s\n' 'FROM app:1' 'COPY busybox /bin/sleep' >"$TMP/p/Box"
"$D" build -q -t box -f "$TMP/p/Box" "$TMP/p" >"$out" 2>"$err"
t_run "$D" run -d --name box box -- sleep 300
spoil flip "$TMP/bad/layers/$base_layer/fs/etc/numbers"
t_run "$D" store verify --repair
t_status 1 "nor what an environment runs on"
t_out "left as it is: the environment 'box' runs on it\$" "which is named"
"$D" rm -f box 2>"$err"

DEVENV_STORE=$TMP/busy
(
	for i in 1 2 3 4 5 6 7 8; do
		echo $i >"$TMP/p/one"
		timeout 60 "$D" build -q -t "busy:$((i % 2))" --digest \
			-f "$TMP/p/Dockerfile" --platform linux/amd64 \
			"$TMP/p" >/dev/null 2>&1 || echo "build $i: $?"
	done
) >"$TMP/builds" &
builder=$!
complaints=0
while kill -0 $builder 2>/dev/null; do
	"$D" store verify --repair >>"$TMP/builds" 2>&1 ||
		complaints=$((complaints + 1))
done
wait $builder
t_is "$complaints $(cat "$TMP/builds")" "0 " \
	"nothing is found while others build, and nothing they need goes"

# --- what cannot be had again ---
lost_image() { "$D" store ls | sed 's/.* //'; }
fresh
spoil flip "$TMP/bad/layers/$lazy_layer/fs/lazy"
t_run "$D" store verify --repair
t_status 1 "a step's only form is lost"
t_out "^layers/$lazy_layer: .*: removed, with 1 remembered step\$" \
	"with the step that made it"
t_out ': removed, the image docker.io/library/lazy:1$' "and its image"
t_is "$(lost_image | grep -c lazy)" 0 "which is gone"
t_is "$(images)" "$(grep -v "lazy:1\|$lazy" "$TMP/images")" "and nothing else"
t_run "$D" store verify
t_status 0 "then the store is sound"
t_run "$D" build -q -t lazy:1 --platform linux/amd64 "$TMP/p"
t_status 0 "and the step runs again"

fresh
mv "$TMP/plain/data" "$TMP/plain/away"
spoil flip "$TMP/bad/$B/$(cat "$TMP/base.layer")"
t_run "$D" store verify --repair
t_status 1 "an image of all platforms that is not whole any more is lost"
t_out "not fetched \(.*\), not all platforms of .*/both:1 are here any more, removed, to be fetched when needed\$" \
	"a registry that lost it is no reason to lose an image"
t_is "$(images)" "$(cat "$TMP/images")" "which are what they were"
t_run "$D" store verify
t_status 0 "and the store is sound"
t_done
