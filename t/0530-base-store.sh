#!/bin/sh
# 0530-base-store.sh - read-only stores and layouts below the own one
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"
. "$(dirname "$0")/helper/registry.sh"

t_need root docker-registry skopeo python3 busybox jq
registry_start plain || t_fail "a registry"
chmod 755 "$TMP/plain"
cp "$DEVENV" "$TMP/devenv"
D=$TMP/devenv
mkdir -p "$TMP/base" "$TMP/p"
cp "$(command -v busybox)" "$TMP/base/busybox"
head -c 200000 /dev/urandom >"$TMP/base/data"
printf '%s\n' 'FROM scratch' 'COPY busybox /bin/sh' 'COPY data /data' \
	'RUN ["sh", "-c", "mkdir /d; echo >/d/gone"]' \
	'RUN ["sh", "-c", "rm -r /d; mkdir /d; echo new >/d/new"]' \
	'ENV PATH=/bin' >"$TMP/base/Dockerfile"
t_ok "a base image" "$D" --store "$TMP/maker" build -q --push \
	-t "$registry/base:1" "$TMP/base"
printf '%s\n' "FROM $registry/base:1" \
	'RUN ["sh", "-c", "echo more >/d/more"]' >"$TMP/p/Dockerfile"
below=$TMP/below
t_ok "a store that has it" "$D" --store "$below" build -q "$TMP/p"
t_ok "and lost what was made on it" sh -c "rm -f '$below'/cache/*; rm '$below'/images/id-*; \
	'$D' --store '$below' store gc"
requests() { grep -c 'http.request.method=GET' "$TMP/plain/log"; }
tree_of() { (cd "$1" && find . -printf '%p %s %T@ %C@ %m %U\n' | sort); }
tree_of "$below" >"$TMP/before"

# --- without copying ---
DEVENV_STORE=$TMP/own
before=$(requests)
t_run "$D" --base-store "$below" build -q --digest -t app:1 "$TMP/p"
t_status 0 "an image is built on it"
t_is "$(requests)" "$before" "nobody is asked"
t_is "$(find "$TMP/own/layers" -mindepth 1 -maxdepth 1 | wc -l)" 1 \
	"nothing is unpacked"
t_is "$(cat "$err")" "" "and nothing said"
DEVENV_BASE_STORE=$below
export DEVENV_BASE_STORE
t_run "$D" run app:1 sh -c 'read a </d/new; read b </d/more; echo $a $b; test ! -e /d/gone'
t_status 0 "it runs on the layers there"
t_is "$(cat "$out")" "new more" "with their files, and without what is gone"
t_run "$D" run "$registry/base:1" sh -c 'read a </d/new; echo $a'
t_is "$(cat "$out")" new "an image of the base store runs by its name"
t_run "$D" store ls
t_out "/base:1  \(base store\)\$" "ls marks it"
t_out 'library/app:1$' "and not the own ones"
t_run "$D" store ls --format=json
t_is "$(jq -r '.[] | .base_store // "-"' "$out" | tr '\n' ' ')" "- $below " \
	"JSON says which store"
t_run "$D" store rm "$registry/base:1"
t_status 6 "rm refuses it"
t_err "is in the base store '$below', which is never changed" "and says why"
t_run "$D" push "$registry/base:1" "$registry/other:2"
t_status 0 "it is pushed"
t_run "$D" push app:1 "$registry/app:1"
t_status 0 "and so is what lies on it"
rm -rf "$TMP/own/cache" && mkdir -m 700 "$TMP/own/cache"
t_run "$D" store gc
t_status 0 "gc"
t_run "$D" store verify
t_status 0 "the own store is sound"
tree_of "$below" >"$TMP/after"
t_ok "the base store was not written to" cmp "$TMP/before" "$TMP/after"
t_run unshare -m sh -c 'mount --bind "$1" "$1" &&
	mount -o remount,ro,bind "$1" &&
	"$2" --store "$3" build -q "$4" && "$2" --store "$3" run "$5" sh -c :' \
	- "$below" "$D" "$TMP/third" "$TMP/p" "$registry/base:1"
t_status 0 "one that is mounted read-only will do"

# --- other users ---
build_user range
chmod 755 "$below" "$below/blobs" "$below/blobs/sha256" "$below/images" \
	"$below/layers"
t_run as "$D" build -q -t mine "$TMP/p"
t_status 0 "another user builds on it"
t_is "$(grep -c "the base store '$below' are unpacked anew here: their marks" \
	"$err")" 1 "with layers of his own, which is said once, with the reason"
t_is "$(find "$build_store/layers" -mindepth 1 -maxdepth 1 | wc -l)" 5 \
	"they are there"
t_run as "$D" run mine sh -c \
	'read a </d/new; read b </d/more; echo $a $b; test ! -e /d/gone'
t_is "$status $(cat "$out")" "0 new more" "and hold what they should"
t_is "$(find "$build_store/blobs/sha256" -size +100k | wc -l)" 0 \
	"the blobs are not"
chmod 700 "$below"
t_run as "$D" build -q "$TMP/p"
t_status 0 "one that he may not enter is no obstacle"
t_err "the base store '$below' is left out: cannot open it: Perm" "but a warning"
chmod 700 "$below"
sh -c 'exec 9<"$1"; flock -x 9; exec sleep 60' - "$below/format" &
holder=$!
t_atexit "kill $holder 2>/dev/null"
t_wait sh -c "! flock -ns '$below/format' true"
t_run timeout 20 "$D" --store "$TMP/fourth" build -q "$TMP/p"
t_status 0 "nobody waits for one that is being collected"
t_err "is left out: it is being collected or repaired" "which is said"
kill "$holder"
wait "$holder" 2>/dev/null
chmod 777 "$below"
t_run "$D" --store "$TMP/fourth" build -q "$TMP/p"
t_err "is left out: others may write to it" "nor is one that anybody can change"
chmod 700 "$below"

# Layers that a link leads to are files of nobody knows whom.
mkdir -p "$TMP/host"
echo secret >"$TMP/host/key"
cp -a "$below" "$TMP/linked.1"
for one in "$TMP"/linked.1/layers/*; do
	rm -r "$one/fs" && ln -s "$TMP/host" "$one/fs"
done
cp -a "$below" "$TMP/open"
chmod 777 "$TMP"/open/layers/*
cp -a "$below" "$TMP/linked.2"
mv "$TMP/linked.2/layers" "$TMP/moved"
ln -s "$TMP/moved" "$TMP/linked.2/layers"
for one in linked.1 linked.2 open; do
	t_run "$D" --store "$TMP/own.$one" --base-store "$TMP/$one" run \
		"$registry/base:1" sh -c 'echo /*; read a </d/new; echo $a'
	t_is "$status $(sed -n '$p' "$out")" "0 new" \
		"$one: an image of it runs, on layers of the own store"
	t_is "$(grep -c key "$out")" 0 "$one: no file of the host is in it"
	t_is "$(find "$TMP/own.$one/layers" -mindepth 1 -maxdepth 1 | wc -l)" \
		4 "$one: which are unpacked anew"
done

# --- a layout of another program ---
DEVENV_BASE_STORE=$TMP/layout
t_ok "an OCI layout" skopeo copy -q --src-tls-verify=false \
	"docker://$registry/base:1" "oci:$TMP/layout:mine/base:2"
printf '%s\n' "FROM mine/base:2" \
	'RUN ["sh", "-c", "echo more >/d/more"]' >"$TMP/p/Dockerfile.2"
t_run "$D" --store "$TMP/fifth" build -q -f "$TMP/p/Dockerfile.2" "$TMP/p"
t_status 0 "an image is built on one of it"
t_is "$(find "$TMP/fifth/blobs/sha256" -size +100k | wc -l)" 0 \
	"without a copy of its blobs"
t_run "$D" --store "$TMP/fifth" store ls
t_out "docker.io/mine/base:2  \(base store\)" "which ls shows"
flip() {
	python3 -c 'import os, sys
with open(sys.argv[1], "r+b") as f:
	f.seek(os.path.getsize(sys.argv[1]) // 2)
	f.write(b"\1\2\3")' "$1"
}
flip "$(find "$TMP/layout/blobs/sha256" -size +100k -size -250k)"
t_run "$D" --store "$TMP/sixth" build -q -f "$TMP/p/Dockerfile.2" "$TMP/p"
t_status 3 "a damaged blob is found"
t_err "it is from the base store '$TMP/layout'" "and where it is, said"

# --- one that goes away ---
DEVENV_BASE_STORE=$below
for file in "$below"/images/ref-*; do flip "$file"; done
t_run "$D" --store "$TMP/seventh" build -q "$TMP/p"
t_status 0 "a damaged record is passed over"
t_err "base store '$below': .* is damaged" "with a warning"
mv "$below" "$below.away"
before=$(requests)
t_run "$D" run app:1 sh -c 'read a </d/new; echo $a'
t_status 0 "without the base store the registry has the layers"
t_err "base store '$below' is left out: cannot open it: No such file" \
	"which is said"
t_is "$(cat "$out")" new "and they are the same"
t_ok "it was asked" test "$(requests)" -gt "$before"
t_run "$D" store ls
t_status 0 "store ls goes on without it"
t_is "$(grep -c "base store '$below' is left out" "$err")" 1 \
	"and says so once"
DEVENV_BASE_STORE=$TMP
t_run "$D" run app:1 sh -c :
t_err "is left out: it is neither a store of devenv nor an OCI image layout" \
	"what is no store is called that"
t_run "$D" --base-store a,b store ls
t_status 2 "a comma cannot be in its name"
unset DEVENV_BASE_STORE
t_run env ENVBUILDER_BASE_IMAGE_CACHE_DIR="$TMP/layout" "$D" store ls
t_out "mine/base:2  \(base store\)" "envbuilder's variable names one, too"
t_done
