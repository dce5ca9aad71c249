#!/bin/sh
# 3410-build-from.sh - COPY --from and FROM: stages, images, named contexts
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"
. "$(dirname "$0")/helper/registry.sh"

t_need root buildah skopeo busybox
t_atexit build_peer_end
build_bases busybox || t_fail "the base images can be made"
CTX=$TMP/ctx
mkdir -p "$CTX" "$TMP/other/sub"
echo here >"$CTX/a"
echo there >"$TMP/other/a"
echo below >"$TMP/other/sub/b"
echo no >"$TMP/other/ignored"
echo ignored >"$TMP/other/.dockerignore"
chown 1000:50 "$TMP/other/a"

build() { # [OPTION...]: the Dockerfile is standard input
	cat >"$CTX/Dockerfile"
	rm -rf "$TMP/files"
	t_run "$DEVENV" build --build-arg "BASE=$BASE" \
		--output "type=local,dest=$TMP/files" "$@" "$CTX"
}
file() { cat "$TMP/files/$1" 2>/dev/null; }
requests() { grep -c '"GET\|"HEAD' "$TMP/bases/log"; }

# --- images ---
build <<X
FROM scratch
COPY --from=$BASE /var/data /data
X
t_status 0 "[I34] COPY --from=IMAGE"
t_is "$(file data/old/one) $(stat -c %u:%g "$TMP/files/data/two")" \
	"one 1000:50" "[I34] files of the image keep their owners"
before=$(requests)
build <<X
FROM scratch
COPY --from=$BASE /var/data /data
X
t_err '1 cached' "[I34] it is cached"
t_is "$(requests)" "$before" "[I34] and nothing is asked for again"
build <<X
FROM $BASE AS base
FROM scratch
COPY --from=0 /var/data/two /0
COPY --from=BASE /var/data/two /1
X
t_status 0 "[I34] COPY --from by index and by name"
t_is "$(file 0) $(file 1)" "two two" "[I34] both mean the stage"
https_proxy=http://127.0.0.1:1 build --registry-retries 1 <<X
FROM $BASE AS builder
FROM scratch
COPY --from=buidler /a /a
X
t_status 5 "[I34] a mistyped stage is an image that nobody has"
t_err "did you mean the stage 'builder'\?" "[I34] the near stage is suggested"
build <<X
FROM scratch
COPY --from=Not/A/Name /a /a
X
t_status 3 "[I34] what can be no image"
t_err 'Dockerfile:2:1: .*Not/A/Name' "[I34] is named with its place"
echo a >"$CTX/.dockerignore"
build <<X
FROM $BASE AS one
RUN echo made >/a
FROM scratch
COPY --from=one /a /a
X
t_is "$status $(file a)" "0 made" "[I34] .dockerignore is for the context only"
rm "$CTX/.dockerignore"

# --- named contexts: a directory ---
build --build-context other="$TMP/other" <<X
FROM scratch
COPY a /here
COPY --from=other a sub /there/
X
t_status 0 "[S09] --build-context NAME=DIR"
t_is "$(file here) $(file there/a) $(file there/b)" "here there below" \
	"[S09] COPY --from reads it"
t_is "$(stat -c %u:%g "$TMP/files/there/a")" 0:0 \
	"[S09] its files belong to root, as those of the context"
build --build-context other="$TMP/other" <<X
FROM scratch
COPY a /here
COPY --from=other a sub /there/
X
t_err '0 steps run, 2 cached' "[S09] it is cached by what it holds"
echo changed >"$TMP/other/sub/b"
build --build-context other="$TMP/other" <<X
FROM scratch
COPY a /here
COPY --from=other a sub /there/
X
t_is "$(grep -c '1 step run, 1 cached' "$err") $(file there/b)" "1 changed" \
	"[S09] a change in there counts"
build --build-context other="$TMP/other" <<X
FROM scratch
COPY --from=other . /
X
t_is "$(find "$TMP/files" -mindepth 1 -printf '%P\n' | sort | tr '\n' ' ')" \
	".dockerignore a sub sub/b " \
	"[S09] a named context has its own .dockerignore"
build --build-context other="$TMP/other" <<X
FROM scratch
COPY --from=other ../ctx/a /a
X
t_status 3 "[S09] '..' does not lead out of a named context"
t_err 'not found' "[S09] there is no such file in it"
ln -s "$CTX/a" "$TMP/other/link"
build --build-context other="$TMP/other" <<X
FROM scratch
COPY --from=other link /a
X
t_status 3 "[S09] neither does a symbolic link"
rm "$TMP/other/link"
build --build-context base="$TMP/other" <<X
FROM base
COPY a /c
X
t_is "$status $(file a) $(file sub/b) $(file c)" "0 there changed here" \
	"[S09] FROM a directory begins with its files"
"$DEVENV" build --build-context base="$TMP/other" -t from:dir \
	--output "type=oci,dest=$TMP/fromdir,tar=false" "$CTX" >/dev/null 2>&1
t_ok "[S09] it is an image that others read" \
	skopeo inspect "oci:$TMP/fromdir"

# --- they hide stages and images ---
build --build-context BUILDER="$TMP/other" <<X
FROM nowhere.invalid/nothing AS builder
RUN false
FROM scratch
COPY --from=builder a /by-name
COPY --from=0 a /by-index
X
t_is "$status $(file by-name) $(file by-index)" "0 there there" \
	"[S09] a named context stands for a stage of its name"
build --build-context builder="$TMP/other" --target builder <<X
FROM nowhere.invalid/nothing AS builder
RUN false
X
t_is "$status $(file a)" "0 there" "[S09] even when that is the target"
build --build-context "debian=docker-image://$BASE" <<X
FROM docker.io/library/debian:latest
RUN echo "\$BASE" >/made
X
t_is "$status $(file made)" "0 1" \
	"[S09] docker-image:// stands for an image, however that is written"
build --build-context "builder=docker-image://$BASE" <<X
FROM nowhere.invalid/nothing AS builder
RUN false
FROM builder
RUN echo "\$BASE" >/made
X
t_is "$status $(file made)" "0 1" "[S09] or for a stage that others continue"
build --build-context "base=docker-image://scratch" <<X
FROM base
COPY a /
X
t_is "$status $(ls "$TMP/files")" "0 a" "[S09] docker-image://scratch is empty"
host=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
build --build-context "base::linux/$host=$TMP/other" \
	--build-context "base=docker-image://nowhere.invalid/nothing" <<X
FROM base
X
t_is "$status $(file a)" "0 there" "[S09] one for a platform goes first"

# --- an OCI layout ---
layout=$BUILD_CACHE/busybox
before=$(requests)
build --build-context "lay=oci-layout://$layout:latest" <<X
FROM lay
COPY --from=lay /var/data/two /copied
RUN echo "\$BASE" >/made
X
t_is "$status $(file made) $(file copied)" "0 1 two" \
	"[S09] oci-layout://DIR:TAG is an image"
t_is "$(requests)" "$before" "[S09] and needs no registry"
digest=$(skopeo inspect --format '{{.Digest}}' "oci:$layout:latest")
build --build-context "lay=oci-layout://$layout@$digest" <<X
FROM lay
RUN echo "\$BASE" >/made
X
t_status 0 "[S09] oci-layout://DIR@DIGEST, too"
build --build-context "lay=oci-layout://$layout:none" <<X
FROM lay
X
t_status 3 "[S09] a tag that the layout lacks"
t_err "Dockerfile:1:1: OCI layout '$layout': no image has the tag 'none'" \
	"[S09] is named with its place"
cp -r "$layout" "$TMP/bad"
blob=$(find "$TMP/bad/blobs" -type f -size +100k | head -n 1)
printf x | dd of="$blob" bs=1 seek=1000 conv=notrunc 2>/dev/null
DEVENV_STORE=$TMP/fresh
build --build-context "lay=oci-layout://$TMP/bad:latest" <<X
FROM lay
RUN true
X
DEVENV_STORE=$TMP/store
t_status 3 "[S09] a layout with a damaged blob"
t_err 'a blob has digest sha256:.* instead of' "[S09] is not taken"

# --- wrong words ---
wrong() { # WORD REGEX
	build --build-context "$1" <<X
FROM scratch
COPY a /
X
	t_status 2 "[S09] --build-context '$1' is a usage error"
	t_err "^devenv: $2" "[S09] '$1': it says why"
}
expected='NAME=DIRECTORY, NAME=URL or NAME=docker-image://REF is expected'
wrong x "--build-context x: $expected"
wrong "=$TMP" "--build-context =$TMP: $expected"
wrong x= "--build-context x=: $expected"
wrong "A B=$TMP" "'A B' is not a name for a context"
wrong "x=$TMP/none" \
	"--build-context x: the context '$TMP/none' is not a directory"
wrong 'x=docker-image://A B' "--build-context x: .*'A B'"
wrong "x=oci-layout://$TMP/none" \
	"--build-context x: the OCI layout '$TMP/none' is not a directory"
wrong "x=oci-layout://$layout@sha256:1" \
	"--build-context x: 'sha256:1' is not a digest"
build_clean "sources"
t_done
