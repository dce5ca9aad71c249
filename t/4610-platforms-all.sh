#!/bin/sh
# an index with all it names, pulled and pushed with its bytes unchanged
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
t_need docker-registry skopeo jq python3

registry_start plain
to=$registry
raw() { skopeo inspect --tls-verify=false --raw "docker://$1"; }
digest() { raw "$1" | sha256sum | cut -c 1-64; }
sound() { # REF: all of it can be had, and every blob is what it is called
	rm -rf "$TMP/check"
	skopeo copy -q --all --src-tls-verify=false "docker://$1" \
		"dir:$TMP/check"
}

# DIR KIND: a layout of an index, nested ones and what is no image.
cat >"$TMP/layout.py" <<'X'
import hashlib, json, os, sys
top, kind = sys.argv[1:]
oci, docker = "application/vnd.oci.image.", "application/vnd.docker."
docker_like = kind == "docker"
MANIFEST = docker + "distribution.manifest.v2+json" if docker_like \
    else oci + "manifest.v1+json"
INDEX = docker + "distribution.manifest.list.v2+json" if docker_like \
    else oci + "index.v1+json"
os.makedirs(top + "/blobs/sha256")

def put(data, kind, **more):
    if not isinstance(data, bytes):
        data = json.dumps(data, indent=3).encode()
    name = hashlib.sha256(data).hexdigest()
    open(f"{top}/blobs/sha256/{name}", "wb").write(data)
    return {"mediaType": kind, "digest": "sha256:" + name,
            "size": len(data), **more}

def manifest(config, layer, layer_type, **more):
    return put({"schemaVersion": 2, "mediaType": MANIFEST, "config": put(
        config, docker + "container.image.v1+json" if docker_like
        else oci + "config.v1+json"), "layers": [put(layer, layer_type)]},
        MANIFEST, **more)

def image(arch):
    import gzip, io, tarfile
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        info = tarfile.TarInfo("arch")
        info.size = len(arch)
        tar.addfile(info, io.BytesIO(arch.encode()))
    diff = "sha256:" + hashlib.sha256(out.getvalue()).hexdigest()
    return manifest(
        {"architecture": arch, "os": "linux", "config": {},
         "rootfs": {"type": "layers", "diff_ids": [diff]}},
        gzip.compress(out.getvalue(), mtime=0),
        docker + "image.rootfs.diff.tar.gzip" if docker_like
        else oci + "layer.v1.tar+gzip",
        platform={"os": "linux", "architecture": arch})

def index(*entries, **more):
    return put({"schemaVersion": 2, "mediaType": INDEX,
                "manifests": entries}, INDEX, **more)

if kind == "deep":
    entry = image("amd64")
    for i in range(6):
        entry = index(entry)
elif kind == "often":
    entry = image("amd64")
    for i in range(4):
        entry = index(*[entry] * (300 if i else 1))
elif kind == "strange":
    entry = index(image("amd64"), put(b"?", "text/plain"))
elif kind == "liar":
    one = image("amd64")
    one["size"] += 1
    entry = index(one)
elif kind == "foreign":
    one = manifest({"architecture": "amd64", "os": "linux"}, b"",
                   docker + "image.rootfs.foreign.diff.tar.gzip")
    entry = index(one)
else:
    entries = [image("s390x"), image("riscv64")]
    if not docker_like:
        one = entries[0]
        entries += [
            manifest({"architecture": "unknown", "os": "unknown"},
                     b'{"predicate": {}}', "application/vnd.in-toto+json",
                     platform={"os": "unknown", "architecture": "unknown"},
                     annotations={"vnd.docker.reference.digest":
                                  one["digest"],
                                  "vnd.docker.reference.type":
                                  "attestation-manifest"})]
    if kind == "nested":
        entries.append(index(image("mips64le")))
    entry = index(*entries)
entry["annotations"] = {"org.opencontainers.image.ref.name": "x"}
json.dump({"schemaVersion": 2, "manifests": [entry]},
          open(top + "/index.json", "w"))
json.dump({"imageLayoutVersion": "1.0.0"}, open(top + "/oci-layout", "w"))
X
for kind in oci nested docker; do
	lay=$TMP/$kind
	t_ok "$kind: a layout" python3 "$TMP/layout.py" "$lay" $kind
	want=$(jq -r '.manifests[0].digest' "$lay/index.json")
	: >"$TMP/plain/log"
	t_run "$DEVENV" push --all-platforms "oci:$lay:x" "$to/$kind/a:1" \
		"$to/$kind/a:2"
	t_status 0 "$kind: push all of it under two tags"
	t_is "sha256:$(digest "$to/$kind/a:1") sha256:$(digest "$to/$kind/a:2")" \
		"$want $want" "$kind: the registry has the same bytes"
	t_is "$(jq -r '.pushed[].digest' "$out" | tr '\n' ' ')" \
		"$want $want " "$kind: and the record their digest"
	asked=$(grep -o '"HEAD /v2/[^ ]*/blobs/[^ ]*' "$TMP/plain/log")
	t_is "$(echo "$asked" | sort -u)" "$(echo "$asked" | sort)" \
		"$kind: no blob is asked for twice"
	t_run "$DEVENV" pull --all-platforms "$to/$kind/a:1"
	t_status 0 "$kind: pull all of it"
	cp "$out" "$TMP/record"
	t_is "$(jq -r '.image.digest' "$out")" "$want" \
		"$kind: the record has the index's digest"
	t_is "$(jq -r '.image.platform | split(",") | sort | join(" ")' "$out")" \
		"$(jq -r '[.manifests[].platform.architecture // empty |
			select(. != "unknown") | "linux/" + .] + $more |
			sort | join(" ")' \
			--argjson more "$([ $kind = nested ] &&
				echo '["linux/mips64le"]' || echo '[]')" \
			"$lay/blobs/sha256/${want#sha256:}")" \
		"$kind: and its platforms"
	t_run "$DEVENV" push --all-platforms "$TMP/record" "$to/$kind/b:1"
	t_status 0 "$kind: push it to another place"
	t_is "sha256:$(digest "$to/$kind/b:1")" "$want" "$kind: unchanged"
	if [ $kind != nested ]; then # skopeo refuses those
		t_ok "$kind: skopeo copies all of it" sound "$to/$kind/b:1"
		t_is "sha256:$(sha256sum <"$TMP/check/manifest.json" |
			cut -c 1-64)" "$want" "$kind: as it was"
	fi
	t_run "$DEVENV" push "$TMP/record" "$to/$kind/c:1"
	t_is "sha256:$(digest "$to/$kind/c:1")" \
		"$(jq -r '.image.config_digest as $id | .image.images[] |
			select(.config_digest == $id).digest' "$TMP/record")" \
		"$kind: without the option it is one image"
	t_run "$DEVENV" store gc
	t_run "$DEVENV" store verify
	t_status 0 "$kind: the store keeps what it needs, and is sound"
done
t_ok "skopeo reads the index in the store" skopeo copy -q --all \
	"oci:$DEVENV_STORE:$to/oci/a:1" "dir:$TMP/of-store"
t_is "$(jq -r '[.image.images[]?.platform] | join(" ")' "$TMP/record")" \
	"linux/s390x linux/riscv64" "docker: each platform is listed"
t_run "$DEVENV" pull --all-platforms --platform linux/riscv64 "$to/nested/a:1"
t_is "$(jq -r '[.image.images[].platform] | join(" ")' "$out")" \
	"linux/mips64le linux/s390x linux/riscv64" \
	"nested images are listed, attestations are not"
t_is "$(jq -r '.image.config_digest' "$out")" \
	"$(jq -r '.image.images[2].config_digest' "$out")" \
	"--platform says which of them the name means"
t_run "$DEVENV" pull --all-platforms --platform linux/arm64 "$to/nested/a:1"
t_status 3 "one that is not there"
t_err 'no image for platform linux/arm64; it has' "is named"
layer=$(raw "$to/docker/a@$(jq -r '.image.images[0].digest' "$TMP/record")" |
	jq -r '.layers[0].digest')
rm "$DEVENV_STORE/blobs/sha256/${layer#sha256:}"
t_run "$DEVENV" store verify
t_status 1 "a blob of one platform is missing"
t_out 'index.json: layer sha256:[0-9a-f]{64} of sha256:[0-9a-f]{64} is missing' \
	"store verify finds that out"

t_ok "an archive" skopeo copy -q --all "oci:$TMP/oci:x" \
	"oci-archive:$TMP/oci.tar:x"
t_run sh -c "'$DEVENV' push --all-platforms - '$to/arch/a:1' <'$TMP/oci.tar'"
t_status 0 "is pushed whole from a pipe"
t_is "$(digest "$to/arch/a:1")" "$(digest "$to/oci/a:1")" "unchanged, too"
t_ok "an archive of docker's" skopeo copy -q --override-arch s390x \
	"oci:$TMP/oci:x" "docker-archive:$TMP/docker.tar:some/name:1"
t_run "$DEVENV" push --all-platforms "$TMP/docker.tar" "$to/arch/b:1"
t_status 0 "has one image"
t_err 'warning: .*this is one image, for one platform' "which is said"

for kind in deep strange liar foreign; do
	t_ok "a layout: $kind" python3 "$TMP/layout.py" "$TMP/$kind" $kind
	t_run "$DEVENV" push --all-platforms "$TMP/$kind" "$to/bad/a:1"
	t_status 3 "$kind: is refused"
	case $kind in
	deep) text='nested deeper than 4' ;;
	strange) text="of the type 'text/plain', which is not supported" ;;
	liar) text='has [0-9]+ bytes where the index says [0-9]+' ;;
	foreign) text='foreign layer' ;;
	esac
	t_err "$text" "$kind: and why"
done
# Each index names the next one 300 times.
t_ok "a layout: often" python3 "$TMP/layout.py" "$TMP/often" often
t_run timeout -k 1 30 "$DEVENV" push --all-platforms "$TMP/often" "$to/often/a:1"
t_status 0 "often: is pushed"
t_run timeout -k 1 30 "$DEVENV" --store "$TMP/few" pull --all-platforms "$to/often/a:1"
t_status 0 "often: and pulled"
t_run timeout -k 1 30 "$DEVENV" --store "$TMP/few" store verify
t_status 0 "often: verify reads each of them once"
for one in "$TMP"/few/blobs/sha256/*; do
	jq -e .rootfs "$one" >/dev/null 2>&1 && : >"$one"
done
t_run timeout -k 1 30 "$DEVENV" --store "$TMP/few" store verify --repair
t_status 0 "often: so does the repair of a blob that they name"
t_run "$DEVENV" push --all-platforms "oci:$TMP/nowhere" "$to/bad/a:1"
t_status 3 "a layout that is not there"
t_err "cannot open '.*/nowhere'" "is named"
t_run "$DEVENV" push --all-platforms --platform linux/s390x "$TMP/oci" \
	"$to/bad/a:1"
t_status 2 "all platforms and one of them"
t_err 'exclude each other' "exclude each other"
t_done
