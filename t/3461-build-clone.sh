#!/bin/sh
# 3461-build-clone.sh - unchanged files share data where a file system can
. "$(dirname "$0")/lib.sh"

t_need root jq mkfs.xfs
truncate -s 512M "$TMP/xfs.img"
mkfs.xfs -q "$TMP/xfs.img"
mkdir "$TMP/xfs" "$TMP/ctx" "$TMP/ctx/src" "$TMP/ctx/src/d"
mount -o loop "$TMP/xfs.img" "$TMP/xfs" 2>"$err" ||
	t_skip_all loop "nothing can be mounted from a file here"
t_atexit umount "$TMP/xfs"
chmod 700 "$TMP/xfs"

for i in $(seq 100); do
	head -c 200000 /dev/urandom >"$TMP/ctx/src/d/f$i"
done
printf 'FROM scratch\nCOPY src /app\n' >"$TMP/ctx/Dockerfile"
find "$TMP/ctx" -exec touch -d @1600000000 {} +

# KiB in use after a build, on the disk and not only promised to it.
used() {
	sync
	df -k --output=used "$TMP/xfs" | tail -n 1 | tr -d ' '
}
build() { # STORE
	"$DEVENV" -q --store "$1" build -o "type=tar,dest=$TMP/tree.tar" \
		"$TMP/ctx" >"$out" 2>"$err" || t_fail "the build" "$(cat "$err")"
}

sleep 0.1
build "$TMP/xfs/store"
before=$(used)
echo more >>"$TMP/ctx/src/d/f7"
sleep 0.1
build "$TMP/xfs/store"
after=$(used)
t_is "$(find "$TMP/xfs/store/layers" -name f8 | grep -c .)" 2 \
	"two layers have the file"
t_is "$(find "$TMP/xfs/store/layers" -type f -links +1 | grep -c .)" 0 \
	"each a file of its own"
t_is "$((after - before < 4000))" 1 \
	"20 MB copied again take less than 4 ($((after - before)) KiB)"
mkdir "$TMP/have"
tar -C "$TMP/have" -xf "$TMP/tree.tar"
t_ok "and all of them hold what the context has" \
	diff -r "$TMP/have/app" "$TMP/ctx/src"

t_done
