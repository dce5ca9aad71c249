#!/bin/sh
# 0540-store-users.sh - stores of users below each other, and their repair
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"

t_need root busybox
cp "$DEVENV" "$TMP/devenv"
D=$TMP/devenv
mkdir -p "$TMP/base" "$TMP/p"
cp "$(command -v busybox)" "$TMP/base/busybox"
seq 5000 >"$TMP/base/data"
printf '%s\n' 'FROM scratch' 'COPY busybox /bin/sh' \
	'COPY --chown=5:6 data /data' 'RUN ["sh", "-c", "echo >/gone"]' \
	'RUN ["sh", "-c", "rm /gone"]' 'ENV PATH=/bin' >"$TMP/base/Dockerfile"
printf '%s\n' "FROM base:1" 'RUN ["sh", "-c", "echo more >/more"]' \
	>"$TMP/p/Dockerfile"
# What the store knows of its images, without times of use.
images() {
	as "$D" store ls --format=json 2>&- | grep -v '"used"'
}

for kind in range single; do
	build_user $kind
	below=$build_store
	t_run as "$D" build -q --digest -t base:1 "$TMP/base"
	t_status 0 "$kind: a base image"
	build_store=$TMP/$kind/two
	t_run as "$D" --base-store "$below" build -q -t app "$TMP/p"
	t_status 0 "$kind: an image on it, in another store"
	t_is "$(find "$build_store/layers" -mindepth 1 -maxdepth 1 | wc -l)" 1 \
		"$kind: no layer is unpacked twice"
	t_is "$(grep -c 'unpacked anew' "$err")" 0 "$kind: and none called unfit"
	t_run as "$D" --base-store "$below" run app \
		sh -c 'read a </more; test ! -e /gone && echo $a'
	t_is "$(cat "$out")" more "$kind: it runs"
	t_run as "$D" --base-store "$below" store verify --repair
	t_status 0 "$kind: with its base store the store is sound"
	images >"$TMP/images"
	t_run as "$D" store verify --repair
	t_status 1 "$kind: without it an image is not"
	t_out "layer .* is gone: left as it is: name the base store '$below'" \
		"$kind: which is said"
	t_is "$(images)" "$(cat "$TMP/images")" "$kind: and nothing is removed"
	t_run as "$D" run app sh -c :
	t_status 125 "$kind: nor is it run"
	t_err 'is no longer in the store' "$kind: but missed"
	t_err 'name the base store' "$kind: with advice"

	build_store=$below
	for file in "$below"/layers/*/fs/data; do
		printf X | dd of="$file" bs=1 seek=100 conv=notrunc 2>/dev/null
	done
	t_run as "$D" store verify --repair
	t_status 0 "$kind: a changed file is mended"
	t_out 'unpacked again from its blob$' "$kind: from the blob"
	t_run as "$D" run base:1 sh -c 'while read n; do i=$n; done </data; echo $i'
	t_is "$(cat "$out")" 5000 "$kind: its content is back"
	for file in "$below"/blobs/sha256/*; do break; done
	chown 0 "$file"
	t_run as "$D" store verify --repair
	t_status 0 "$kind: a file of another user is mended"
	t_is "$(stat -c %U "$file")" "$build_user" "$kind: by one of his own"
	t_run as "$D" store verify
	t_status 0 "$kind: then all is sound"
done
t_done
