#!/bin/sh
# 0500-store.sh - the store command, and layers made by other tools
. "$(dirname "$0")/lib.sh"

LAYER=$HELPER/layer
[ "$(id -u)" -eq 0 ] || {
	USER_XATTR=1 SINGLE_ID=1
	export USER_XATTR SINGLE_ID
}
sum() { echo "sha256:$(sha256sum "$1" | cut -d' ' -f1)"; }

t_run "$DEVENV" store path
t_status 0 "path answers"
t_is "$(cat "$out")" "$DEVENV_STORE" "it is the one of the environment"
t_ok "the store is an OCI layout" test -f "$DEVENV_STORE/oci-layout"
t_is "$(stat -c %a "$DEVENV_STORE")" 700 "nobody else may look into it"
t_run "$DEVENV" store ls
t_status 0 "an empty store lists nothing"
t_is "$(cat "$out")" "" "really nothing"
t_run "$DEVENV" store ls --json
t_is "$(cat "$out")" "[]" "as JSON, too"
t_run "$DEVENV" store verify
t_status 0 "an empty store is sound"

# --- refusals ---
t_run "$DEVENV" store frob
t_status 2 "an unknown verb is a usage error"
t_err "unknown store command 'frob'" "it is named"
t_run "$DEVENV" store rm no/such:image
t_status 1 "rm of a missing image is a plain no"
t_err "there is no image 'docker.io/no/such:image'" "the name is written out"
t_run "$DEVENV" store rm
t_status 2 "rm needs an image"
chmod 755 "$DEVENV_STORE"
t_run "$DEVENV" store ls
t_status 4 "a store that others may enter is refused"
t_err 'open to others' "the reason is given"
t_err 'chmod 700' "and the remedy"
chmod 700 "$DEVENV_STORE"

# An empty volume of a pod is open to all.
mkdir -p "$TMP/volume/lost+found"
chmod 2777 "$TMP/volume"
t_run "$DEVENV" --store "$TMP/volume" store verify
t_status 0 "an empty directory that is open to others becomes a store"
t_is "$(stat -c %a "$TMP/volume")" 700 "and is closed to them"
mkdir -p "$TMP/full/images"
chmod 777 "$TMP/full"
t_run "$DEVENV" --store "$TMP/full" store verify
t_status 4 "one in which something is does not"
t_err 'open to others' "for this reason"
t_is "$(stat -c %a "$TMP/full")" 777 "and is left as it was"
if [ "$(id -u)" -eq 0 ]; then
	mkdir "$TMP/foreign"
	chown 1 "$TMP/foreign"
	t_run "$DEVENV" --store "$TMP/foreign" store verify
	t_status 4 "a directory of another user is refused"
	t_err "store '$TMP/foreign' belongs to another user" "is told"
	t_err "^hint: .* --store $TMP/foreign/devenv" "with what to do"
	t_run "$DEVENV" --store "$TMP/foreign/devenv" store verify
	t_status 0 "which works"
fi
echo 2 >"$DEVENV_STORE/format"
t_run "$DEVENV" store ls
t_status 4 "a newer store is refused"
t_err "has format '2'" "its format is named"
echo 1 >"$DEVENV_STORE/format"

# A power loss can leave files empty that were made a moment before.
for file in format oci-layout index.json; do
	: >"$DEVENV_STORE/$file"
	t_run "$DEVENV" store verify
	t_status 0 "an empty $file"
	t_ok "is made again" test -s "$DEVENV_STORE/$file"
done

# --- layers by GNU tar, in all its dialects ---
long=$(printf '%0120d' 0)
mkdir -p "$TMP/in/dir/$long/$long"
echo text >"$TMP/in/dir/file"
echo deep >"$TMP/in/dir/$long/$long/$long"
ln "$TMP/in/dir/file" "$TMP/in/dir/hard"
ln -s ../../outside "$TMP/in/link"
mkfifo "$TMP/in/pipe"
truncate -s 1M "$TMP/in/sparse"
echo end >>"$TMP/in/sparse"
: >"$TMP/in/$(printf 'raw\351name')"
chmod 4711 "$TMP/in/dir/file"
for format in gnu posix ustar; do
	skip=--sparse
	[ $format = ustar ] && skip="--exclude=$long"
	# shellcheck disable=SC2086
	tar -C "$TMP/in" $skip --format=$format --sort=name \
		--mtime=@1700000000 --numeric-owner --owner=0 --group=0 \
		-cf "$TMP/$format.tar" . 2>/dev/null
	t_run "$LAYER" unpack "$TMP/$format.tar" "$(sum "$TMP/$format.tar")"
	t_status 0 "$format archive is unpacked"
	fs=$DEVENV_STORE/layers/$(cat "$out")/fs
	t_ok "$format: contents are equal" cmp "$TMP/in/sparse" "$fs/sparse"
	t_is "$(stat -c %a "$fs/dir/file")" 4711 "$format: set-id bits stay"
	t_is "$(readlink "$fs/link")" ../../outside \
		"$format: links are verbatim"
	t_is "$(stat -c %i "$fs/dir/file")" "$(stat -c %i "$fs/dir/hard")" \
		"$format: hard links are shared"
	t_is "$(stat -c %Y "$fs/dir")" 1700000000 \
		"$format: directories keep their time"
	t_ok "$format: names are bytes" \
		test -e "$fs/$(printf 'raw\351name')"
done
t_ok "long names" cmp "$TMP/in/dir/$long/$long/$long" \
	"$DEVENV_STORE/layers/$(sum "$TMP/posix.tar" |
		cut -c8-)/fs/dir/$long/$long/$long"

# What comes out is read by GNU tar and has the same digest every time.
id=$(sum "$TMP/posix.tar" | cut -c8-)
"$LAYER" tar "$id" >"$TMP/a.tar" 2>"$err"
t_ok "an export is a tar" tar -tf "$TMP/a.tar"
t_run "$LAYER" unpack "$TMP/a.tar" "$(sum "$TMP/a.tar")"
t_status 0 "it goes in again"
"$LAYER" tar "$(cat "$out")" >"$TMP/b.tar" 2>"$err"
t_ok "and comes out the same" cmp "$TMP/a.tar" "$TMP/b.tar"
t_run "$LAYER" blob "$(sum "$TMP/a.tar" | cut -c8-)"
t_status 0 "it is compressed"
blob=$(cut -d' ' -f2 "$out" | cut -c8-)
gzip -dc "$DEVENV_STORE/blobs/sha256/$blob" >"$TMP/c.tar"
t_ok "gzip reads the blob" cmp "$TMP/a.tar" "$TMP/c.tar"

# --- images, for us and for others ---
ref=docker.io/library/demo:1
t_run "$LAYER" image "$ref" "$(sum "$TMP/a.tar" | cut -c8-)"
t_status 0 "an image is stored"
t_run "$DEVENV" store ls
t_out "  $ref\$" "it is listed"
if command -v skopeo >/dev/null; then
	t_run skopeo inspect "oci:$DEVENV_STORE:$ref"
	t_status 0 "skopeo reads it in place"
	t_out "sha256:$blob" "and finds its layer"
fi
t_run "$DEVENV" store gc
t_ok "gc keeps its blobs" test -e "$DEVENV_STORE/blobs/sha256/$blob"
t_run "$DEVENV" store verify
t_status 0 "an image is sound"
mv "$DEVENV_STORE/blobs/sha256/$blob" "$TMP/away"
t_run "$DEVENV" store verify
t_status 1 "a missing blob is a finding"
t_out 'index.json: layer sha256:[0-9a-f]* of .* is missing' "it is named"
mv "$TMP/away" "$DEVENV_STORE/blobs/sha256/$blob"
t_run "$DEVENV" store rm demo:1
t_status 0 "it is removed by its short name"
t_is "$(grep -c ref.name "$DEVENV_STORE/index.json")" 0 \
	"index.json forgets it"

for packer in gzip "zstd -q"; do
	rm -rf "$DEVENV_STORE/layers/$(sum "$TMP/b.tar" | cut -c8-)"
	$packer -c "$TMP/b.tar" >"$TMP/packed"
	t_run "$LAYER" unpack "$TMP/packed" "$(sum "$TMP/b.tar")"
	t_status 0 "${packer%% *} is told by its bytes"
	head -c 300 "$TMP/packed" >"$TMP/cut"
	t_run "$LAYER" unpack "$TMP/cut" "sha256:$(printf '%064d' 0)"
	t_status 3 "${packer%% *}: a truncated layer is refused"
	t_err 'truncated|broken' "${packer%% *}: the reason is given"
done

# --- hostile archives ---
mkdir "$TMP/evil" "$TMP/victim"
echo owned >"$TMP/evil/file"
tar -C "$TMP/evil" -cPf "$TMP/up.tar" \
	--transform="s,^file,../../../../../../../..$TMP/victim/up," file
t_run "$LAYER" unpack "$TMP/up.tar" "$(sum "$TMP/up.tar")"
t_status 0 "names with .. are clamped"
t_ok "nothing lands outside" test ! -e "$TMP/victim/up"
ln -s "$TMP/victim" "$TMP/evil/door"
tar -C "$TMP/evil" -cf "$TMP/door.tar" door
tar -C "$TMP/evil" -rf "$TMP/door.tar" \
	--transform="s,^file,door/through," file
t_run "$LAYER" unpack "$TMP/door.tar" "$(sum "$TMP/door.tar")"
t_ok "nothing is written through a link" test ! -e "$TMP/victim/through"
t_status 3 "a link out of the layer is an input error"
t_err 'door/through' "the entry is named"
truncate -s 200M "$TMP/evil/zeros"
tar -C "$TMP/evil" -c zeros | gzip -9 >"$TMP/bomb"
t_run "$LAYER" unpack "$TMP/bomb" "sha256:$(printf '%064d' 1)"
t_status 3 "a decompression bomb is refused"
t_err 'compressed more than 200 times' "it is called one"
t_is "$(ls "$DEVENV_STORE/tmp")" "" "nothing half written stays"

# --- damage and cleaning ---
t_run "$DEVENV" store verify
t_status 0 "all of this is sound"
echo x >>"$DEVENV_STORE/blobs/sha256/$blob"
t_run "$DEVENV" store verify
t_status 1 "a changed blob is a finding"
t_out "blobs/sha256/$blob: content has digest" "the blob is named"
t_run "$DEVENV" store gc -n
t_status 0 "gc can be tried"
t_out 'would remove [1-9][0-9]* layers, 3 blobs' "it says what would go"
t_ok "and keeps it" test -e "$DEVENV_STORE/blobs/sha256/$blob"
t_run "$DEVENV" store gc
t_out 'removed [1-9]' "gc removes it"
t_is "$(find "$DEVENV_STORE/layers" "$DEVENV_STORE/blobs/sha256" |
	grep -c '/[0-9a-f]\{64\}$')" \
	0 "nothing is left"
t_run "$DEVENV" store verify
t_status 0 "and the store is sound"
t_run "$DEVENV" store du --json
t_out '"total"' "du counts"
t_run "$DEVENV" --store /proc/here/store ps
t_status 4 "a store where nothing can be made"
t_err '^hint: name another place with --store or DEVENV_STORE' "what to do is told"

t_done
