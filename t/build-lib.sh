# build-lib.sh - what the tests of `devenv build` share
# shellcheck shell=sh
#
#	build_bases NAME...	start a registry that has busybox or debian;
#				$registry is its address (needs registry.sh)
#	build_user range|single	make an account, $build_user; `as` runs as it
#	peer DIR NAME [OPTION...]	what buildah makes of a context
#	tree DIR [SKIP...]	its canonical text, on standard output
#	build_plain FILE...	messages, without the labels of steps in front
#
# Base images are made once and kept below build/cache.

BUILD_CACHE=${DEVENV_TEST_CACHE:-$SRC/build/cache/images}

# Root file system of the small base: what a distribution has of links,
# users and modes, with busybox as its only program.
build_busybox_root() { # DIR
	mkdir -p "$1/usr/bin" "$1/etc" "$1/tmp" "$1/root" "$1/home/bob" \
		"$1/var/data/old" "$1/usr/share" &&
	chmod 1777 "$1/tmp" && chmod 700 "$1/root" &&
	ln -s usr/bin "$1/bin" && ln -s ../usr/share "$1/var/link" &&
	ln -s /usr/share "$1/var/absolute" &&
	ln -s loop "$1/var/loop" && ln -s link "$1/var/chain" &&
	echo one >"$1/var/data/old/one" && echo two >"$1/var/data/two" &&
	chown 1000:50 "$1/var/data/two" && chown 1000:1000 "$1/home/bob" &&
	cp "$(command -v busybox)" "$1/usr/bin/busybox" || return 1
	for applet in $(busybox --list); do
		[ "$applet" = busybox ] ||
			ln -s busybox "$1/usr/bin/$applet"
	done
	printf '%s\n' root:x:0:0:root:/root:/bin/sh \
		bob:x:1000:1000:Bob:/home/bob:/bin/sh \
		nogroup:x:1001:77::/:/bin/sh >"$1/etc/passwd"
	printf '%s\n' root:x:0: staff:x:50:bob bob:x:1000: wheel:x:10:bob \
		>"$1/etc/group"
}

# An image of one layer, described by buildah and not by the program under
# test.
build_layout() { # ROOT.tar LAYOUT
	b_dir=$2.tmp
	rm -rf "$b_dir" "$2"
	mkdir -p "$b_dir/ctx"
	ln "$1" "$b_dir/ctx/root.tar" || cp "$1" "$b_dir/ctx/root.tar"
	printf '%s\n' 'FROM scratch' 'ADD root.tar /' \
		'ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin' 'ENV BASE=1' \
		'LABEL base=yes' 'CMD ["/bin/sh"]' >"$b_dir/ctx/Dockerfile"
	build_peer_run bud -q --isolation chroot -t base "$b_dir/ctx" &&
		build_peer_run push -q base "oci:$b_dir/out:latest" &&
		mv "$b_dir/out" "$2"
	b_rc=$?
	rm -rf "$b_dir"
	return $b_rc
}

build_base() { # NAME
	[ -e "$BUILD_CACHE/$1/index.json" ] && return 0
	b_tar=$BUILD_CACHE/$1.$$.tar
	if [ "$1" = busybox ]; then
		build_busybox_root "$TMP/busybox-root" &&
			tar -C "$TMP/busybox-root" --numeric-owner \
				--mtime=@1700000000 -cf "$b_tar" .
	else
		mmdebstrap --quiet --variant=minbase \
			--aptopt='Acquire::Check-Valid-Until "false"' \
			bookworm "$b_tar"
	fi && build_layout "$b_tar" "$BUILD_CACHE/$1"
	b_rc=$?
	rm -f "$b_tar"
	return $b_rc
}

build_bases() {
	registry_start bases && mkdir -p "$BUILD_CACHE" || return 1
	for b_name; do
		(
			flock 9
			build_base "$b_name"
		) 9>"$BUILD_CACHE.lock" || return 1
		# shellcheck disable=SC2154 # registry.sh sets it
		skopeo copy -q --dest-tls-verify=false \
			"oci:$BUILD_CACHE/$b_name:latest" \
			"docker://$registry/$b_name:latest" || return 1
	done
	BASE=$registry/busybox
}

build_peer_run() {
	buildah --storage-driver overlay --root "$TMP/peer/root" \
		--runroot "$TMP/peer/run" "$@"
}

# The peer's image as $TMP/peer/NAME (an OCI layout).
peer() { # CONTEXT NAME [OPTION...]
	p_ctx=$1
	p_name=$2
	shift 2
	build_peer_run bud --rm --layers --isolation chroot --tls-verify=false \
		--format docker --identity-label=false -q -t "$p_name" "$@" \
		"$p_ctx" </dev/null
}

build_peer_end() {
	grep -o " $TMP/peer/[^ ]*" /proc/self/mounts | sort -r |
		xargs -r umount
	rm -rf "$TMP/peer"
}

build_plain() {
	cat "$@" | sed 's/^\[[^]]*\] //'
}

tree() {
	"$HELPER/treedump" "$@"
}

# Real accounts, as newuidmap reads the system's own files.
build_user() { # range|single
	build_user=dv$1$$
	useradd "$build_user" 2>/dev/null ||
		t_skip_all useradd "cannot add users here"
	t_atexit "userdel $build_user"
	[ "$1" = range ] ||
		sed -i "/^$build_user:/d" /etc/subuid /etc/subgid
	mkdir -p "$TMP/$1"
	chown "$build_user" "$TMP/$1"
	# the store of one user is of no use to another
	build_store=$TMP/$1/store
}

as() {
	HOME=$TMP DEVENV_STORE=$build_store timeout 120 setpriv \
		--reuid "$build_user" --regid "$build_user" --clear-groups "$@"
}

# Nothing is left of a build: temporary files, mounts, damage.
build_clean() { # SENTENCE
	t_is "$(ls -A "$DEVENV_STORE/tmp")" "" "$1: no temporary files stay"
	t_is "$(grep -c "$DEVENV_STORE" /proc/self/mountinfo)" 0 \
		"$1: no mount stays"
	t_ok "$1: the store is sound" "$DEVENV" store verify
}
