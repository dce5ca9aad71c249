#!/bin/sh
# what is pushed here others pull, and the reverse
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
t_need root docker-registry skopeo umoci podman buildah htpasswd openssl jq

registry_start locked tls htpasswd me s3cret-pass
to=$registry
mkdir -p "$TMP/certs/$to" "$TMP/conf"
cp "$TMP/locked/ca.pem" "$TMP/certs/$to/ca.crt"
printf '{"auths":{"%s":{"auth":"%s"}}}\n' "$to" \
	"$(printf me:s3cret-pass | base64)" >"$TMP/conf/config.json"
export DEVENV_CERTS_DIR="$TMP/certs" REGISTRY_AUTH_FILE="$TMP/conf/config.json"
printf '{"default":[{"type":"insecureAcceptAnything"}]}' >"$TMP/policy.json"

peer() { # PROGRAM ARGUMENT...: with a state of its own
	p_program=$1
	shift
	"$p_program" --root "$TMP/peers/root" --runroot "$TMP/peers/run" \
		--storage-driver vfs "$@"
}
peers_end() {
	peer buildah rm -a
	peer buildah rmi -af
} >/dev/null 2>&1
t_atexit peers_end
fetch() { # PROGRAM REF: its own pull, which verifies all blobs
	case $1 in
	skopeo) skopeo copy -q --src-cert-dir "$TMP/certs/$to" "docker://$2" \
		"dir:$TMP/back-$(basename "$2")" ;;
	podman) peer podman pull -q --cert-dir "$TMP/certs/$to" \
		--signature-policy "$TMP/policy.json" "$2" ;;
	buildah) peer buildah pull -q --cert-dir "$TMP/certs/$to" \
		--signature-policy "$TMP/policy.json" "$2" ;;
	esac
}
manifest() { # REF
	skopeo inspect --raw --cert-dir "$TMP/certs/$to" "docker://$1"
}

# --- ours to them ---
mkdir "$TMP/ctx"
printf 'FROM scratch\nCOPY data /data\nENV A=b\nCMD ["/data"]\n' \
	>"$TMP/ctx/Dockerfile"
for form in "gzip skopeo podman buildah" "zstd podman" "none buildah"; do
	programs=${form#* }
	form=${form%% *}
	echo "$form" >"$TMP/ctx/data"
	t_ok "a build pushes layers: $form" "$DEVENV" build -q \
		--compression "$form" -t "$to/ours/$form:1" --push "$TMP/ctx"
	t_is "$(manifest "$to/ours/$form:1" | jq -r '.layers[0].mediaType' |
		sed 's/.*tar//')" "$(echo "+$form" | sed 's/+none//')" \
		"which say so: $form"
	for program in $programs; do
		t_ok "$program pulls them: $form" \
			fetch $program "$to/ours/$form:1"
	done
done
t_is "$(peer podman image inspect "$to/ours/zstd:1" |
	jq -r '.[0].Config | .Env[-1] + " " + .Cmd[0]')" "A=b /data" \
	"podman reads our configuration"

t_run "$DEVENV" push --compression zstd:x "$TMP/ctx" "$to/ours/none:2"
t_status 2 "a level that is none"
t_err "--compression: .*zstd:x" "is named"

# --- theirs to us ---
from_scratch() { # NAME FORMAT
	head -c 3000 /dev/urandom >"$TMP/data-$1"
	c=$(peer buildah from --arch s390x scratch) &&
		peer buildah copy -q "$c" "$TMP/data-$1" /data &&
		peer buildah config --env "A=b" "$c" &&
		peer buildah commit -q --format "$2" \
			--signature-policy "$TMP/policy.json" "$c" "theirs-$1"
}
theirs() { # PROGRAM FORMAT NAME [OPTION...]
	t_program=$1
	t_format=$2
	t_name=$3
	shift 3
	peer "$t_program" push -q --cert-dir "$TMP/certs/$to" \
		--signature-policy "$TMP/policy.json" --format "$t_format" \
		"$@" "theirs-$t_name" "docker://$to/theirs/$t_name:1"
}
taken() { # NAME TYPE: we pull it, and have its file
	t_run "$DEVENV" --store "$TMP/store-theirs" pull \
		--platform linux/s390x "$to/theirs/$1:1"
	t_status 0 "we pull it"
	t_is "$(jq -r '.image.digest + " " + .image.platform' "$out")" \
		"sha256:$(manifest "$to/theirs/$1:1" | sha256sum | cut -c 1-64) linux/s390x" \
		"as it is, of a platform that is not ours"
	t_is "$(manifest "$to/theirs/$1:1" | jq -r '.layers[0].mediaType')" "$2" \
		"its layer is $2"
	printf 'FROM --platform=linux/s390x %s/theirs/%s:1\n' "$to" "$1" >"$TMP/Dockerfile"
	rm -rf "$TMP/tree"
	"$DEVENV" --store "$TMP/store-theirs" build -q -f "$TMP/Dockerfile" \
		-o "type=local,dest=$TMP/tree" "$TMP/ctx" >"$TMP/log" 2>&1
	t_ok "its files are there" cmp "$TMP/tree/data" "$TMP/data-$1"
}
oci=application/vnd.oci.image.layer.v1
docker=application/vnd.docker.image.rootfs.diff.tar.gzip
for name in oci zstd; do
	t_ok "buildah makes an image: $name" from_scratch $name oci
done
t_ok "and one of docker's form" from_scratch docker docker
t_ok "podman pushes as OCI" theirs podman oci oci
taken oci $oci.tar+gzip
t_ok "podman pushes with zstd" theirs podman oci zstd \
	--compression-format zstd
taken zstd $oci.tar+zstd
t_ok "buildah pushes as docker's" theirs buildah v2s2 docker
taken docker $docker
t_ok "skopeo copies it on" skopeo copy -q --src-cert-dir "$TMP/certs/$to" \
	--dest-cert-dir "$TMP/certs/$to" "docker://$to/theirs/docker:1" \
	"docker://$to/theirs/copy:1"
t_run "$DEVENV" --store "$TMP/store-theirs" pull --platform linux/s390x \
	"$to/theirs/copy:1"
t_status 0 "we pull the copy"
t_run "$DEVENV" --store "$TMP/store-theirs" push "$to/theirs/copy:1" \
	"$to/round/trip:1"
t_status 0 "and push it again"
t_is "$(manifest "$to/round/trip:1")" "$(manifest "$to/theirs/docker:1")" \
	"all the way round it is the same"
t_done
