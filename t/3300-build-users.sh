#!/bin/sh
# 3300-build-users.sh - users build the images that root builds
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"
. "$(dirname "$0")/helper/registry.sh"

t_need root userns buildah skopeo umoci jq busybox useradd setpriv newuidmap \
	setfattr
t_atexit build_peer_end
build_bases busybox || t_fail "the base images can be made"
cp "$DEVENV" "$TMP/devenv"

# Files and configuration of one case, by whoever runs `who`.
result() { # CASE DIR WHO...
	r_case=$1
	r_dir=$2
	shift 2
	"$@" "$TMP/devenv" build --build-arg "BASE=$BASE" \
		--output "type=oci,tar=false,dest=$r_dir/$r_case" -t "x:x" \
		"$TMP/ctx/$r_case" >"$out" 2>"$err" || return 1
	umoci --log=error unpack --image "$r_dir/$r_case:x" "$TMP/bundle" &&
		"$HELPER/treedump" "$TMP/bundle/rootfs" >"$r_dir/$r_case.tree"
	rm -rf "$TMP/bundle"
	skopeo inspect --raw --config "oci:$r_dir/$r_case:x" |
		jq -S .config >"$r_dir/$r_case.config"
}
# Owners that RUN gives are known only where there are several ids.
owners() {
	if [ "$kind" = single ]; then
		sed 's/^\(. [0-7]*\) [0-9]*:[0-9]*/\1 -/' "$1"
	else
		cat "$1"
	fi
}

mkdir "$TMP/ctx" "$TMP/root"
# Not 10 and 29: capabilities and devices are root's to give.
CASES="01-stages 03-chown 04-chmod 06-dest-links 07-hardlinks
08-hardlinks-from 09-modes 11-names 12-long 13-empty 14-replace 15-whiteouts
16-ignore 17-add 18-heredoc 19-workdir 20-user 25-onbuild 27-umask 28-merge
31-copy-flags"
for case in $CASES; do
	cp -a "$SRC/t/golden/build/$case" "$TMP/ctx/$case"
	rm -f "$TMP/ctx/$case/differs" "$TMP/ctx/$case/Dockerfile.peer"
	if [ -e "$TMP/ctx/$case/context.sh" ]; then
		(cd "$TMP/ctx/$case" && umask 022 && sh -e ./context.sh) ||
			t_fail "$case: the context can be made"
		rm "$TMP/ctx/$case/context.sh"
	fi
	chmod -R a+rX "$TMP/ctx/$case"
	result "$case" "$TMP/root" env || {
		t_fail "$case: root builds it"
		t_show
	}
done
for kind in range single; do
	build_user $kind
	# One id has no supplementary groups, which this case lists.
	[ $kind = range ] || CASES=$(echo "$CASES" | sed s/20-user//)
	for case in $CASES; do
		if ! result "$case" "$TMP/$kind" as; then
			t_fail "$kind: $case: it builds"
			t_show
			continue
		fi
		for what in tree config; do
			owners "$TMP/root/$case.$what" >"$TMP/a"
			owners "$TMP/$kind/$case.$what" >"$TMP/b"
			t_ok "$kind: $case: $what as root has it" \
				diff "$TMP/a" "$TMP/b"
		done
	done
	result 03-chown "$TMP/$kind" as
	t_ok "$kind: the second time all is cached" \
		jq -e '[.image.steps[] | select(.key)] | all(.cached)' "$out"
	t_is "$(ls -A "$build_store/tmp")" "" "$kind: no temporary files stay"
	t_ok "$kind: the store is sound" as "$TMP/devenv" store verify
done
# Owners that COPY --chown gives are known even with one id; only links
# cannot carry them.
for who in root single; do
	grep -v '^l' "$TMP/$who/03-chown.tree" >"$TMP/$who/files"
done
t_ok "single: owners that COPY --chown gives" \
	diff "$TMP/root/files" "$TMP/single/files"
t_done
