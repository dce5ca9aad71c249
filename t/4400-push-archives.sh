#!/bin/sh
# push of archives: what this program, docker and skopeo write
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
t_need docker-registry skopeo umoci

registry_start plain
to=$registry
digest() {
	skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$1"
}
id() {
	skopeo inspect --tls-verify=false --raw "docker://$1" |
		sed 's/.*"config":{[^}]*"digest":"\([^"]*\)".*/\1/'
}
sound() { # REF: every blob is what it is called
	rm -rf "$TMP/check"
	skopeo copy -q --src-tls-verify=false "docker://$1" \
		"oci:$TMP/check:x"
}
copy() { skopeo copy -q "$@"; }

t_ok "a layout" registry_image "$TMP/lay" one hello
t_ok "of two layers" umoci insert --image "$TMP/lay:one" "$TMP/content" /more
want=$(sed 's/.*"digest":"\([^"]*\)".*/\1/' "$TMP/lay/index.json")

t_ok "skopeo writes an OCI archive" \
	copy "oci:$TMP/lay:one" "oci-archive:$TMP/oci.tar:one"
t_run "$DEVENV" push "$TMP/oci.tar" "$to/a/oci:1"
t_status 0 "it is pushed"
t_is "$(digest "$to/a/oci:1")" "$want" "under its own digest"
t_out "\"digest\": \"$want\"" "which the record says"
t_run sh -c "gzip <'$TMP/oci.tar' | '$DEVENV' push - '$to/a/oci:2'"
t_status 0 "so is a compressed one from a pipe"
t_is "$(digest "$to/a/oci:2")" "$want" "under the same digest"
t_run "$DEVENV" push "oci-archive:$TMP/oci.tar:two" "$to/a/oci:3"
t_status 3 "a tag that is not there"
t_err "oci.tar: no image has the tag 'two'" "is named"
t_err "for example one$" "with one that is"

t_ok "skopeo writes a docker archive" \
	copy "oci:$TMP/lay:one" "docker-archive:$TMP/docker.tar:some/name:one"
t_run "$DEVENV" push "$TMP/docker.tar" "$to/a/docker:1"
t_status 0 "it is pushed"
t_ok "and is sound" sound "$to/a/docker:1"
t_is "$(skopeo inspect --tls-verify=false --config "docker://$to/a/docker:1" |
	grep -c sha256:)" 2 "with both layers"
t_run "$DEVENV" push "docker-archive:$TMP/docker.tar:some/name:one" \
	"$to/a/docker:2"
t_status 0 "it is found by name"
t_is "$(digest "$to/a/docker:2")" "$(digest "$to/a/docker:1")" \
	"the same bytes come out"
t_run "$DEVENV" push "docker-archive:$TMP/docker.tar:other" "$to/a/docker:3"
t_status 3 "a name that is not there"
t_err 'docker-archive:FILE:NAME, for example docker.io/some/name:one' \
	"gets one that is"

mkdir "$TMP/ctx"
echo hello >"$TMP/ctx/hello"
printf 'FROM scratch\nCOPY hello /hello\n' >"$TMP/ctx/Dockerfile"
for kind in oci docker; do
	t_run "$DEVENV" build -q -t own:1 -t other:1 --iidfile "$TMP/iid" \
		--output "type=$kind,dest=$TMP/own-$kind.tar" "$TMP/ctx"
	t_status 0 "build --output type=$kind under two names"
	t_run "$DEVENV" --store "$TMP/empty" push "$TMP/own-$kind.tar" \
		"$to/own/$kind:1"
	t_status 0 "its archive is pushed ($kind)"
	t_is "$(id "$to/own/$kind:1")" "$(cat "$TMP/iid")" \
		"and is the image that was built ($kind)"
done
t_is "$(find "$TMP/empty" -path '*blobs*' -type f | wc -l)" 0 \
	"nothing stays in the store"

# Old docker save: directories, and links for layers that occur twice.
mkdir "$TMP/old"
tar xf "$TMP/docker.tar" -C "$TMP/old"
layer=$(cd "$TMP/old" && find . -name '*.tar' -type f | head -n 1)
mkdir "$TMP/old/dir"
mv "$TMP/old/$layer" "$TMP/old/dir/layer.tar"
ln -s "dir/layer.tar" "$TMP/old/$layer"
t_run sh -c "tar c -C '$TMP/old' . | '$DEVENV' push - '$to/a/old:1'"
t_status 0 "layers that are links"
t_is "$(digest "$to/a/old:1")" "$(digest "$to/a/docker:1")" \
	"are what they point to"

chmod u+w "$TMP/old/dir/layer.tar"
echo changed >>"$TMP/old/dir/layer.tar"
t_run sh -c "tar c -C '$TMP/old' . | '$DEVENV' push - '$to/a/old:2'"
t_status 3 "a layer that is not what its configuration says"
t_err "layer '.*' is sha256:.*, where the configuration says" "is refused"
rm "$TMP/old/dir/layer.tar"
mkfifo "$TMP/old/dir/layer.tar"
t_run sh -c "tar c -C '$TMP/old' . | timeout 20 '$DEVENV' push - '$to/a/old:2'"
t_status 3 "a layer that is no file"
rm "$TMP/old/dir/layer.tar"
ln -s /etc/passwd "$TMP/old/dir/layer.tar"
t_run sh -c "tar c -C '$TMP/old' . | '$DEVENV' push - '$to/a/old:2'"
t_status 3 "a layer that leads out"
t_err "cannot open '.*No such file" "finds nothing there"

echo text >"$TMP/text"
t_run sh -c "tar c -C '$TMP' text | '$DEVENV' push - '$to/a/b:1'"
t_status 3 "a tar without an image"
t_err 'neither a record nor an archive' "is told apart"
t_run "$DEVENV" push "$TMP/text" "$to/a/b:1"
t_status 3 "a file of text"
t_err 'text: ' "is named"
t_run "$DEVENV" push "$TMP/lay/index.json" "$to/a/b:1"
t_status 3 "JSON that is no record"
t_is "$(find "$DEVENV_STORE/tmp" -mindepth 1 | wc -l)" 0 \
	"no scratch directory stays"
t_done
