#!/bin/sh
# 9400-kill-transfers.sh - pull, push and clone that are killed at any point
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/helper/registry.sh"
. "$(dirname "$0")/helper/gitserver.sh"

t_need docker-registry git skopeo python3 jq
registry_start plain || t_fail "a registry"

# Layers that take a while, as nothing of them can be compressed.
mkdir "$TMP/p"
i=0
while [ $i -lt 4 ]; do
	i=$((i + 1))
	head -c 1500000 /dev/urandom >"$TMP/p/$i"
	echo "COPY $i /"
done >"$TMP/copies"
{ echo 'FROM scratch'; cat "$TMP/copies"; } >"$TMP/p/Dockerfile"
t_ok "an image of four layers" "$DEVENV" build --push \
	-t "$registry/app:1" "$TMP/p"
good=$DEVENV_STORE

now() { date +%s%3N; }

# Killed at eight points of the time that it takes.
killed_at() { # POINT COMMAND...
	k_point=$1
	shift
	"$@" >"$out" 2>"$err" &
	k_pid=$!
	sleep "$(awk "BEGIN { print $k_point * $took / 8000 }")"
	kill -KILL $k_pid 2>/dev/null
	wait $k_pid 2>/dev/null
}

timed() { # SENTENCE COMMAND...
	k_name=$1
	k_start=$(now)
	shift
	t_ok "$k_name" "$@"
	took=$(($(now) - k_start))
}

sound() { # its complaints go to $TMP/complaints
	"$DEVENV" store verify >>"$TMP/complaints" 2>&1 || unsound=$((unsound + 1))
}

DEVENV_STORE=$TMP/store-time
timed "a pull" "$DEVENV" pull "$registry/app:1"
unsound=0
failed=0
for point in 1 2 3 4 5 6 7 8; do
	DEVENV_STORE=$TMP/store-pull
	[ $((point % 4)) -ne 1 ] || rm -rf "$DEVENV_STORE"
	killed_at $point "$DEVENV" pull "$registry/app:1"
	sound
	[ $((point % 4)) -ne 0 ] || {
		"$DEVENV" pull "$registry/app:1" >"$out" \
			2>>"$TMP/complaints" || failed=$((failed + 1))
		printf 'FROM %s/app:1\nCOPY Dockerfile /\n' "$registry" \
			>"$TMP/Dockerfile"
		"$DEVENV" build -q "$TMP" >/dev/null \
			2>>"$TMP/complaints" || failed=$((failed + 1))
		sound
		t_is "$(ls "$DEVENV_STORE/tmp")" "" \
			"pull: nothing half made is left after $point"
	}
done
t_is $unsound 0 "pull: the store is sound after each kill"
t_is $failed 0 "pull: the next one succeeds, and what it got can be used"
[ $unsound$failed = 00 ] || sed 's/^/# /' "$TMP/complaints"

# --- push ---
DEVENV_STORE=$good
timed "a push" "$DEVENV" push "$registry/app:1" "$registry/time:1"
unsound=0
failed=0
for point in 1 2 3 4 5 6 7 8; do
	to=$registry/push$point:1
	killed_at $point "$DEVENV" push "$registry/app:1" "$to"
	sound
	# A tag that is there is an image that is whole.
	if skopeo inspect --tls-verify=false --raw "docker://$to" \
		>"$TMP/there" 2>/dev/null; then
		skopeo copy -q --src-tls-verify=false "docker://$to" \
			"dir:$TMP/copy" >>"$TMP/complaints" 2>&1 ||
			failed=$((failed + 1))
	fi
	"$DEVENV" push "$registry/app:1" "$to" >"$out" \
		2>>"$TMP/complaints" &&
		skopeo copy -q --src-tls-verify=false "docker://$to" \
			"dir:$TMP/copy" >>"$TMP/complaints" 2>&1 ||
		failed=$((failed + 1))
	rm -rf "$TMP/copy"
done
t_is $unsound 0 "push: the store is sound after each kill"
t_is $failed 0 "push: no tag without its image, and the next one succeeds"
[ $unsound$failed = 00 ] || sed 's/^/# /' "$TMP/complaints"

# --- clone ---
git_repo app.git
git clone -q "$GIT_ROOT/app.git" "$TMP/work" 2>/dev/null
i=0
while [ $i -lt 12 ]; do
	i=$((i + 1))
	mkdir "$TMP/work/$i"
	head -c 700000 /dev/urandom | split -b 3500 - "$TMP/work/$i/"
done
git -C "$TMP/work" add -A
git -C "$TMP/work" commit -qm many
git -C "$TMP/work" push -q origin HEAD 2>/dev/null
tip=$(git -C "$TMP/work" rev-parse HEAD)
cd "$TMP" || exit 1
whole() {
	[ "$(git -C app rev-parse HEAD)" = "$tip" ] &&
		[ -z "$(git -C app status --porcelain)" ]
}
timed "a clone" "$DEVENV" clone "file://$GIT_ROOT/app.git" time
broken=0
failed=0
for point in 1 2 3 4 5 6 7 8; do
	killed_at $point "$DEVENV" clone "file://$GIT_ROOT/app.git" app
	# What has its name is a whole clone.
	[ ! -e app ] || whole || broken=$((broken + 1))
	if ! "$DEVENV" clone "file://$GIT_ROOT/app.git" app >"$out" \
		2>"$err" || ! whole; then
		failed=$((failed + 1))
		t_show
	fi
	rm -rf app
done
t_is $broken 0 "clone: what has its name is whole"
t_is $failed 0 "clone: the next one succeeds"
t_is "$(find . -maxdepth 1 -name '.*' ! -name .)" "" \
	"clone: nothing hidden is left beside it"
t_done
