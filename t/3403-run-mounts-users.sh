#!/bin/sh
# 3403-run-mounts-users.sh - mounts of RUN for users, with many ids and with one
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"
. "$(dirname "$0")/helper/registry.sh"

t_need root userns buildah skopeo jq busybox useradd setpriv newuidmap \
	ssh-agent ssh-add ssh-keygen
t_atexit build_peer_end
build_bases busybox || t_fail "the base images can be made"
cp "$DEVENV" "$TMP/devenv"
CTX=$TMP/ctx
mkdir -p "$CTX/dir" "$CTX/lib"
echo one >"$CTX/dir/one"
cp "$(command -v ssh-add)" "$CTX/lib/ssh-add"
ldd "$CTX/lib/ssh-add" | grep -o '/[^ ]*' | xargs -I{} cp -L {} "$CTX/lib/"
ADD="LD_LIBRARY_PATH=/l /l/$(basename "$(ls "$CTX"/lib/ld-*)") /l/ssh-add"
SECRET=correct-horse-battery-staple
echo $SECRET >"$TMP/secret"
EMPTY=sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef
nr=0
build() { # OPTION...
	nr=$((nr + 1))
	{
		echo "FROM $BASE AS one"
		echo 'RUN mkdir /d && echo f >/d/f && chown 1000:50 /d/f'
		echo "FROM $BASE"
		sed "s/ N/ : $nr;/"
	} >"$CTX/Dockerfile"
	t_run as "$TMP/devenv" build --insecure-registry "$registry" -t x:x \
		"$@" "$CTX"
	build_plain "$err" >"$TMP/plain"
	mv "$TMP/plain" "$err"
}
shows() {
	if [ "$status" != 0 ]; then
		t_status 0 "$1"
	else
		t_err "$2" "$1"
	fi
}

for kind in range single; do
	build_user $kind
	chown "$build_user" "$TMP/secret"
	build <<'X'
RUN --mount=source=dir,target=/c N cat /c/one; touch /c/x || echo "fixed"
RUN --mount=source=dir,target=/c,rw N echo "rw" >/c/x && cat /c/x
RUN --mount=from=one,source=d,target=/c N stat -c '%n %u:%g' /c/f
RUN --mount=from=one,target=/c,rw N rm /c/d/f && touch /c/new && echo "changed"
RUN --mount=type=tmpfs,target=/t,size=1m N echo x >/t/x && echo "tmpfs"
USER bob
RUN --mount=type=tmpfs,target=/t N echo x >/t/x && echo "bob"
RUN --mount=source=dir,target=/tmp/c N cat /tmp/c/one
X
	shows "[I05] $kind: a bind" '^one$'
	t_is "$(grep -c '^one$' "$err")" 2 "[I05] $kind: for another user, too"
	t_err '^fixed$' "[I05] $kind: it is read only"
	t_err '^rw$' "[I05] $kind: or can be written"
	[ $kind = single ] || t_err '^/c/f 1000:50$' \
		"[I05] $kind: files of a stage have their owners"
	t_err '^changed$' "[I05] $kind: a stage for the time of a step"
	t_err '^tmpfs$' "[I07] $kind: a tmpfs"
	t_err '^bob$' "[I07] $kind: for another user, too"
	build <<'X'
RUN --mount=source=dir,target=/a/b --mount=type=cache,target=/var/data/c --mount=type=tmpfs,target=/e true
X
	rm -rf "$TMP/$kind/image"
	as "$TMP/devenv" build -t x:x \
		-o "type=oci,tar=false,dest=$TMP/$kind/image" "$CTX" \
		>/dev/null 2>&1
	t_is "$(skopeo inspect --config "oci:$TMP/$kind/image:x" |
		jq -r '.rootfs.diff_ids[-1]')" $EMPTY \
		"[I10] $kind: nothing is left of mounts"

	for i in 1 2; do
		build <<'X'
RUN --mount=type=cache,target=/c N echo x >>/c/f; echo "has $(wc -l </c/f)"
RUN --mount=type=cache,target=/c N touch /c/g && chown 1000:50 /c/g && cp /c/f /copy && echo "copied"
USER bob
RUN --mount=type=cache,target=/b,uid=1000,mode=0700 N echo x >>/b/f; echo "his $(wc -l </b/f)"
RUN --mount=type=cache,id=l,target=/l,sharing=locked,uid=1000 N touch /l/x && echo "locked"
X
	done
	shows "[I06] $kind: a cache is kept" '^has 2$'
	t_err '^copied$' "[I06] $kind: owners in it can be changed"
	t_err '^his 2$' "[I06] $kind: one of another user"
	t_err '^locked$' "[I06] $kind: one that is locked"
	build <<'X'
RUN --mount=type=cache,target=/s,from=one,source=d N cat /s/f
X
	shows "[I06] $kind: a cache has a seed" '^f$'

	build --secret "id=s,src=$TMP/secret" <<'X'
RUN --mount=type=secret,id=s N stat -c '%a %s' /run/secrets/s
RUN --mount=type=secret,id=s,env=T N echo "length ${#T}"
USER bob
RUN --mount=type=secret,id=s,uid=1000 N wc -c </run/secrets/s
X
	shows "[I08] $kind: a secret" '^400 29$'
	t_err '^length 29$' "[I08] $kind: as a variable"
	t_err '^29$' "[I08] $kind: of another user"
	t_is "$(grep -rlF $SECRET "$build_store" | wc -l)" 0 \
		"[I08] $kind: it is not in the store"

	rm -f "$TMP/$kind/key"*
	as ssh-keygen -q -t ed25519 -N '' -C user-key -f "$TMP/$kind/key"
	as ssh-agent -a "$TMP/$kind/agent" >"$TMP/$kind/vars"
	agent=$(sed -n 's/.*PID=\([0-9]*\);.*/\1/p' "$TMP/$kind/vars")
	as env SSH_AUTH_SOCK="$TMP/$kind/agent" ssh-add -q "$TMP/$kind/key"
	build --ssh "default=$TMP/$kind/agent" <<X
RUN --mount=source=lib,target=/l --mount=type=ssh N export $ADD -l
X
	sed -i "s/export \(LD_[^ ]*\)/\1/" "$CTX/Dockerfile"
	t_run as "$TMP/devenv" build --ssh "default=$TMP/$kind/agent" "$CTX"
	shows "[I09] $kind: an agent" 'user-key'
	sed -i 's/^RUN/USER bob\nRUN/; s/type=ssh/type=ssh,uid=1000/' \
		"$CTX/Dockerfile"
	t_run as "$TMP/devenv" build --ssh "default=$TMP/$kind/key" "$CTX"
	shows "[I09] $kind: a key, for another user" 'user-key'
	kill "$agent"
	build --network=none <<'X'
RUN N echo "<$(ip -o link | grep -v ' lo:' | grep -c UP)>"
X
	shows "[I11] $kind: no network" '^<0>$'
	build --allow security.insecure <<'X'
RUN true
X
	t_status 8 "[I12] $kind: all rights are not a user's to give"
	t_run as "$TMP/devenv" store gc --cache-mounts
	t_status 0 "[I06] $kind: caches can be removed"
	t_is "$(ls "$build_store/mounts" "$build_store/tmp" | grep -c '^[0-9a-f]')" \
		0 "[I06] $kind: all of them"
	t_ok "[I06] $kind: the store is sound" as "$TMP/devenv" store verify
done
t_done
