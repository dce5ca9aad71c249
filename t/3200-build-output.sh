#!/bin/sh
# 3200-build-output.sh - other tools read what --output and --push write
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"
. "$(dirname "$0")/helper/registry.sh"

t_need root buildah skopeo umoci podman runc jq busybox
t_atexit build_peer_end
build_bases busybox || t_fail "the base images can be made"
CTX=$TMP/ctx
mkdir -p "$CTX/d/empty" "$TMP/tree"
echo hello >"$CTX/d/file"
ln "$CTX/d/file" "$CTX/d/hard"
ln -s file "$CTX/d/link"
cat >"$CTX/Dockerfile" <<X
FROM $BASE
COPY --chown=bob d /d
RUN rm -r /var/data/old && chmod 4755 /d/file && mkfifo /fifo
RUN mkdir /var/data/old && echo new >/var/data/old/new
ENV SAID=yes
CMD ["/bin/sh", "-c", "cat /d/file; echo \$SAID; id -u"]
X
build() { t_run "$DEVENV" build "$@" "$CTX"; }

build --output "type=oci,dest=$TMP/oci.tar" -t app:one
t_status 0 "[S11] an OCI archive is written"
build --output "type=oci,dest=$TMP/oci,tar=false" -t app:one
t_status 0 "[S11] an OCI layout is written"
build --output "type=docker,dest=$TMP/docker.tar" -t app:one -t app:two
t_status 0 "[S11] a docker archive is written"
build --output "type=tar,dest=$TMP/flat.tar"
t_status 0 "[S11] a flat tar is written"
build --output "type=local,dest=$TMP/local"
t_status 0 "[S11] a directory is written"
build --push -t "$registry/app:one" --metadata-file "$TMP/meta" \
	--iidfile "$TMP/iid"
t_status 0 "the image is pushed"
digest=$(jq -r .image.digest "$out")
id=$(jq -r .image.config_digest "$out")
size=$(jq .image.size "$out")
step=$(jq '[.image.steps[].size | select(. > 0)] | last' "$out")
t_is "$(cat "$TMP/iid")" "$id" "--iidfile has the id"
t_is "$(jq -r '."containerimage.digest"' "$TMP/meta")" "$digest" \
	"--metadata-file has the digest"
manifest=$(skopeo inspect --format '{{.Digest}}' "oci:$TMP/oci:one")
layers=$(jq -r '.layers[].digest' "$TMP/oci/blobs/sha256/${manifest#*:}")
t_is "$(for l in $layers; do cat "$TMP/oci/blobs/sha256/${l#*:}"; done |
	wc -c)" "$size" "the size is that of the compressed layers"
last=$(printf '%s\n' "$layers" | tail -n 1)
t_is "$(gunzip -c "$TMP/oci/blobs/sha256/${last#*:}" | wc -c)" "$step" \
	"a step's is that of its tar"

# The same image everywhere.
inspect() { skopeo inspect --tls-verify=false --format '{{.Digest}}' "$1"; }
t_is "$(inspect "oci:$TMP/oci:one")" "$digest" "skopeo: OCI layout"
t_is "$(inspect "oci-archive:$TMP/oci.tar:one")" "$digest" \
	"skopeo: OCI archive"
t_is "$(inspect "docker://$registry/app:one")" "$digest" "skopeo: registry"
t_is "$(skopeo inspect --raw --config "docker-archive:$TMP/docker.tar" |
	sha256sum | cut -d' ' -f1)" "${id#sha256:}" "skopeo: docker archive"
t_ok "skopeo copies the docker archive" skopeo copy -q \
	"docker-archive:$TMP/docker.tar:docker.io/library/app:two" \
	"oci:$TMP/copied:x"
t_ok "skopeo copies the OCI archive" skopeo copy -q \
	"oci-archive:$TMP/oci.tar:one" "dir:$TMP/dir"

# The same files everywhere.
"$HELPER/treedump" "$TMP/local" >"$TMP/tree/local"
mkdir "$TMP/flat"
tar -C "$TMP/flat" --numeric-owner --xattrs --xattrs-include='*' -xpf \
	"$TMP/flat.tar"
"$HELPER/treedump" "$TMP/flat" >"$TMP/tree/flat"
t_ok "umoci unpacks the layout" umoci --log=error unpack \
	--image "$TMP/oci:one" "$TMP/bundle"
"$HELPER/treedump" "$TMP/bundle/rootfs" >"$TMP/tree/umoci"
t_ok "umoci unpacks the copy" umoci --log=error unpack \
	--image "$TMP/copied:x" "$TMP/bundle2"
"$HELPER/treedump" "$TMP/bundle2/rootfs" >"$TMP/tree/docker"
t_ok "there are files" grep -q ' d/file$' "$TMP/tree/local"
for kind in flat umoci docker; do
	t_ok "$kind: the tree is that of type=local" \
		diff "$TMP/tree/local" "$TMP/tree/$kind"
done
c=$(build_peer_run from -q --tls-verify=false "docker://$registry/app:one")
t_ok "buildah starts from it" test -n "$c"
"$HELPER/treedump" "$(build_peer_run mount "$c")" >"$TMP/tree/buildah"
# No layer says anything of the root itself.
sed -i 1d "$TMP/tree/local" "$TMP/tree/buildah"
t_ok "buildah: the tree is the same" diff "$TMP/tree/local" \
	"$TMP/tree/buildah"
build_peer_run rm "$c" >/dev/null

podman_run() {
	podman --storage-driver overlay --root "$TMP/peer/proot" \
		--runroot "$TMP/peer/prun" --runtime runc \
		--cgroup-manager cgroupfs run --rm \
		--ulimit nofile=1024:20000 --ulimit nproc=4096:4096 \
		--network none "$@"
}
t_run podman_run --tls-verify=false "$registry/app:one"
t_status 0 "podman runs it"
t_is "$(cat "$out")" "hello
yes
0" "podman: its command, environment and files"

# Standard output is the image when asked for, else the record.
build --output type=oci
t_ok "an archive on standard output" sh -c "tar -tf '$out' |
	grep -qx index.json"
t_is "$(tar -xOf "$out" index.json |
	jq -r '.manifests[0].platform | .os + "/" + .architecture')" \
	"$(tar -xOf "$out" "blobs/sha256/${id#sha256:}" |
	jq -r '.os + "/" + .architecture')" "its index says for what platform"
build --output - 
t_ok "a bare '-' is a flat tar" sh -c "tar -tf '$out' | grep -q 'd/file$'"
build --output "type=oci,dest=$TMP/again.tar" -t app:one
t_ok "an archive is the same every time" cmp "$TMP/oci.tar" "$TMP/again.tar"
build --output "type=local,dest=$TMP/local"
t_status 2 "a directory with files is not written over"
t_err "$TMP/local" "it is named"

# --- standard input ---
tarred() { tar -C "$CTX" -c .; }
tarred | "$DEVENV" build - >"$out" 2>"$err"
t_is "$(jq -r .image.config_digest "$out")" "$id" "a tar on standard input"
t_ok "its plan names no path that is gone" \
	jq -e '.plan.context == null and .plan.dockerfile.path == null' "$out"
tarred | gzip | "$DEVENV" build - >"$out" 2>"$err"
t_is "$(jq -r .image.config_digest "$out")" "$id" "a tar.gz"
tarred | xz | "$DEVENV" build - >"$out" 2>"$err"
t_is "$(jq -r .image.config_digest "$out")" "$id" "a tar.xz"
tarred >"$TMP/in.tar"
"$DEVENV" build - <"$TMP/in.tar" >"$out" 2>"$err"
t_is "$(jq -r .image.config_digest "$out")" "$id" "a file on standard input"
tarred | "$DEVENV" build -t named - >"$out" 2>"$err"
t_is "$(jq -r .image.reference "$out")" docker.io/library/named:latest \
	"a name for it"
mkdir "$CTX/.coder"
"$DEVENV" parse "$CTX" >"$TMP/record" 2>"$err"
"$DEVENV" build - <"$TMP/record" >"$out" 2>"$err"
t_is "$(jq -r .image.config_digest "$out")" "$id" "a record"
"$DEVENV" parse "$CTX" | "$DEVENV" build - 2>"$err" | "$DEVENV" push - \
	"$registry/piped:1" >"$out" 2>>"$err"
t_is "$(jq -r '.pushed[0].digest' "$out")" "$digest" "parse | build | push"

bad() { # STATUS REGEX SENTENCE, input on standard input
	t_run "$DEVENV" build -
	t_status "$1" "$3: status"
	t_err "$2" "$3: reason"
}
bad 3 'standard input is empty' "no input" </dev/null
echo 'neither of them' >"$TMP/bad"
bad 3 'standard input' "neither a tar nor a record" <"$TMP/bad"
head -c 5000 "$TMP/in.tar" >"$TMP/bad"
bad 3 'standard input' "a tar that is cut off" <"$TMP/bad"
echo '{"schema": "devenv/1", "plan": ' >"$TMP/bad"
bad 3 ':[0-9]+' "a record that is cut off" <"$TMP/bad"
echo '{"schema": "devenv/9"}' >"$TMP/bad"
bad 3 'schema: not "devenv/1"' "a record of another format" <"$TMP/bad"
build_clean "at the end"
t_done
