#!/bin/sh
# 9410-full-disk.sh - no room, or no right, to write: named, nothing damaged
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/helper/registry.sh"
. "$(dirname "$0")/helper/gitserver.sh"

t_need root docker-registry git setpriv
registry_start plain || t_fail "a registry"
mkdir "$TMP/p" "$TMP/small" "$TMP/rest"
head -c 9000000 /dev/urandom >"$TMP/p/big"
printf 'FROM scratch\nCOPY big /\n' >"$TMP/p/Dockerfile"
t_ok "an image of 9 MB" "$DEVENV" build --push -t "$registry/big:1" "$TMP/p"
echo x >"$TMP/p/little"
printf 'FROM scratch\nCOPY little /\n' >"$TMP/p/Dockerfile"
t_ok "one of a few bytes" "$DEVENV" build --push -t "$registry/little:1" \
	"$TMP/p"
whole=$DEVENV_STORE

mount -t tmpfs -o size=6m,mode=755 none "$TMP/small" 2>/dev/null ||
	t_skip_all tmpfs "no tmpfs can be mounted here"
t_atexit "umount -l '$TMP/small'"
DEVENV_STORE=$TMP/small/store

usable() { # SENTENCE
	t_is "$(ls "$DEVENV_STORE/tmp")" "" "$1: nothing half made stays"
	t_run "$DEVENV" store verify
	t_status 0 "$1: the store is sound"
}

t_run "$DEVENV" pull "$registry/big:1"
t_status 4 "a pull on a full disk"
t_err 'No space left on device' "is told why"
t_err "$DEVENV_STORE" "and where"
usable "a pull on a full disk"
t_run "$DEVENV" pull "$registry/little:1"
t_status 0 "what fits is pulled after that"

# A push compresses into the store first.
mkdir "$TMP/q"
head -c 4000000 /dev/urandom >"$TMP/q/half"
printf 'FROM scratch\nCOPY half /\n' >"$TMP/q/Dockerfile"
t_run "$DEVENV" build -t half "$TMP/q"
t_status 0 "an image that leaves little room"
t_run "$DEVENV" push half "$registry/half:1"
t_status 4 "a push on a full disk"
t_err 'No space left on device' "is told why"
usable "a push on a full disk"
t_run "$DEVENV" store rm half
t_run "$DEVENV" store gc
t_status 0 "what it took is freed"
head -c 10000000 /dev/zero >"$TMP/small/filler" 2>/dev/null
t_run "$DEVENV" pull "$registry/big:1"
t_status 4 "a pull with no room at all"
rm "$TMP/small/filler"
usable "a pull with no room at all"

# --- clone ---
git_repo app.git
git clone -q "$GIT_ROOT/app.git" "$TMP/work" 2>/dev/null
head -c 9000000 /dev/urandom >"$TMP/work/big"
git -C "$TMP/work" add -A
git -C "$TMP/work" commit -qm big
git -C "$TMP/work" push -q origin HEAD 2>/dev/null
t_run "$DEVENV" --store "$whole" clone "file://$GIT_ROOT/app.git" \
	"$TMP/small/app"
t_status 4 "a clone on a full disk"
t_err 'No space left on device' "is told why"
t_is "$(ls -A "$TMP/small")" store "and nothing of it stays"

# --- no right to write ---
mkdir -m 700 "$TMP/ro"
mount -t tmpfs -o size=9m,mode=755 none "$TMP/ro"
t_atexit "umount -l '$TMP/ro'"
t_ok "a store on its own file system" \
	"$DEVENV" --store "$TMP/ro/store" pull "$registry/little:1"
mount -o remount,ro "$TMP/ro"
for words in "build $TMP/p" "pull $registry/big:1"; do
	# shellcheck disable=SC2086 # a command and its arguments
	t_run timeout 30 "$DEVENV" --store "$TMP/ro/store" $words
	t_status 4 "${words%% *} with a store that is read-only"
	t_err "$TMP/ro/store.*Read-only file system" "names it and the reason"
done
for words in "store verify" "store gc" \
	"push $registry/little:1 $registry/copy:1"; do
	# shellcheck disable=SC2086 # a command and its arguments
	t_run timeout 30 "$DEVENV" --store "$TMP/ro/store" $words
	t_status 0 "$words, which has nothing to write there"
done
t_run "$DEVENV" --store "$TMP/ro/new" store ls
t_status 4 "a store that cannot be made"
t_err "$TMP/ro/new.*Read-only file system" "is named"
t_err 'hint: .*(--store|DEVENV_STORE)' "and what to do is said"

cp "$DEVENV" "$TMP/devenv"
chmod 755 "$TMP"
nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups "$TMP/devenv" "$@"
}
mkdir -m 700 "$TMP/mine"
for at in "$TMP/mine" "$TMP/mine/below"; do
	t_run nobody --store "$at" build "$TMP/p"
	t_status 4 "another's directory as store"
	t_err "$TMP/mine.*Permission denied" "is named"
	t_err 'hint: .*(--store|DEVENV_STORE)' "and what to do is said"
done
mkdir -m 500 "$TMP/closed"
chown 65534 "$TMP/closed"
t_run nobody --store "$TMP/closed" build "$TMP/p"
t_status 4 "an own directory without the right to write"
t_err "$TMP/closed.*Permission denied" "is named"
t_is "$(ls -A "$TMP/mine" "$TMP/closed" | grep -v :)" "" \
	"and nothing was made there"
t_done
