#!/bin/sh
# 3440-build-chroot.sh - root with a container's rights: nothing can be mounted
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"
. "$(dirname "$0")/helper/registry.sh"

t_need root buildah skopeo jq busybox setpriv setcap setfattr mmdebstrap
t_atexit build_peer_end
build_bases busybox debian || t_fail "the base images can be made"
EPOCH=1000000000
SOURCE_DATE_EPOCH=$EPOCH
export SOURCE_DATE_EPOCH

# What docker leaves to root in a container. Without CAP_SYS_ADMIN the kernel
# refuses mount and namespaces, as docker's filter does.
contained() {
	timeout 120 setpriv --bounding-set "-all,+chown,+dac_override,+fowner,\
+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+net_raw,\
+sys_chroot,+mknod,+audit_write,+setfcap" --inh-caps -all "$@"
}

t_run contained unshare -m true
t_status 1 "[D:chroot] namespaces are out of reach"

# --- the same layers as by overlay ---

make_context() { # CASE DIR
	mkdir "$2" && cp -a "$1/." "$2/" || return 1
	rm -f "$2/differs" "$2/args"
	[ ! -e "$2/context.sh" ] ||
		(cd "$2" && umask 022 && sh -e ./context.sh) || return 1
	rm -f "$2/context.sh"
}
image() { # LAYOUT
	skopeo inspect --raw --config "oci:$1" |
		jq -r '.rootfs.diff_ids[], (.history | length), .config'
}
compare() { # CASE
	name=$(basename "$1")
	ctx=$TMP/ctx
	rm -rf "$ctx"
	make_context "$1" "$ctx"
	set -- "$1" --build-arg "BASE=$BASE"
	case $name in
	*debian*) set -- "$1" --build-arg "DEBIAN=$registry/debian" ;;
	esac
	# shellcheck disable=SC2046
	[ ! -e "$1/args" ] || set -- "$@" $(cat "$1/args")
	shift
	"$DEVENV" --store "$TMP/overlay" build -q "$@" -o \
		"type=oci,tar=false,dest=$TMP/a,rewrite-timestamp=true" \
		"$ctx" >"$TMP/log" 2>&1 ||
		t_fail "$name: it builds by overlay" "$(tail -n 3 "$TMP/log")"
	t_run contained "$DEVENV" --store "$TMP/chroot" build "$@" -o \
		"type=oci,tar=false,dest=$TMP/b,rewrite-timestamp=true" "$ctx"
	t_status 0 "[D:chroot] $name: it builds by chroot"
	image "$TMP/a" >"$TMP/want"
	image "$TMP/b" >"$TMP/have"
	t_ok "[D:chroot] $name: the layers are byte for byte the same" \
		diff "$TMP/want" "$TMP/have"
	if [ -n "${SHOW:-}" ] && ! cmp -s "$TMP/want" "$TMP/have"; then
		for s_which in a b; do
			skopeo inspect "oci:$TMP/$s_which" |
				jq -r '.Layers[]' | while read -r l; do
				echo "-- layer"
				tar --full-time --xattrs --numeric-owner -tvzf \
					"$TMP/$s_which/blobs/sha256/${l#*:}"
			done >"$TMP/$s_which.list"
		done
		diff "$TMP/a.list" "$TMP/b.list" | sed 's/^/# /'
	fi
	rm -rf "$TMP/a" "$TMP/b"
}
for case in "$SRC"/t/golden/build/${CASES:-*}; do
	case $case in
	# Links between layers, devices, a log with times, mounts: see below.
	*/07-hardlinks | */29-special | */30-debian | */40-run-mounts) ;;
	*) [ -d "$case" ] && compare "$case" ;;
	esac
done

# --- what differs, and is said ---

CTX=$TMP/one
mkdir "$CTX"
DEVENV_STORE=$TMP/chroot
chroot_build() { # TEXT OPTION...
	printf '%b' "$1" >"$CTX/Dockerfile"
	shift
	t_run contained "$DEVENV" build "$@" "$CTX"
}
layers() { # IMAGE: its files, flat
	"$DEVENV" build -q -f "$CTX/Dockerfile" --driver=chroot \
		-o "type=tar,dest=$TMP/flat.tar" "$CTX" >/dev/null &&
		tar --numeric-owner -tvf "$TMP/flat.tar"
}

chroot_build "FROM $BASE\nRUN ls -A / >/list; ls -A /dev >>/list\n"
t_status 0 "[D:chroot] it is chosen without being asked for"
t_is "$(grep -c 'nothing is mounted here: commands run by chroot' "$err")" 1 \
	"[D:chroot] which a warning says once"
layers >"$TMP/list"
t_ok "[D:chroot] the image keeps no /proc, /sys or device of ours" \
	sh -c '! grep -Eq " (proc|sys|dev)/" "$1"' - "$TMP/list"
t_is "$(tar -xOf "$TMP/flat.tar" list | tr '\n' ' ')" "bin dev etc home list\
 root tmp usr var fd full null random shm stderr stdin stdout tty urandom zero " \
	"[D:chroot] a step sees its root and the usual devices"

chroot_build "FROM $BASE\nRUN cat /etc/hostname >/h; echo x >/etc/hosts\n\
RUN rm /etc/resolv.conf; mkdir /dev/sub; touch /dev/sub/f\n"
layers >"$TMP/list"
t_ok "[I03] [D:chroot] /etc/hosts, resolv.conf and /dev do not stay" \
	sh -c '! grep -Eq " (etc/(host|resolv)|dev)" "$1"' - "$TMP/list"
t_is "$(tar -xOf "$TMP/flat.tar" h)" buildkitsandbox \
	"[I03] [D:chroot] a step has the usual host name in /etc"

chroot_build "FROM $BASE\nRUN mkdir /etc/x && rm -rf /etc && mkdir /etc\n"
t_status 0 "[D:chroot] a step may remove /etc"

left() { # how many processes sleep for that long
	pgrep -cf "sleep $1" || :
}
chroot_build "FROM $BASE\nRUN (sleep 4321 & setsid sh -c 'sleep 4321 & \
sleep 4321' &) && echo started\n"
t_status 0 "[D:chroot] a step that leaves processes is done"
t_is "$(left 4321)" 0 "[D:chroot] they are dead"
chroot_build "FROM $BASE\nUSER bob\nRUN (setsid sleep 4322 &) && false\n"
t_status 7 "[D:chroot] a failing step's status is told"
t_is "$(left 4322)" 0 "[D:chroot] its processes are dead, whoever they are"
printf 'FROM %s\nRUN (setsid sleep 4323 &); sleep 4323\n' "$BASE" \
	>"$CTX/Dockerfile"
for signal in INT TERM KILL; do
	contained "$DEVENV" build -q "$CTX" >"$TMP/log" 2>&1 &
	pid=$!
	t_wait sh -c '[ "$(pgrep -cf "^sleep 4323")" = 2 ]' ||
		t_fail "the step runs"
	kill -$signal "$(pgrep -of "^$DEVENV build -q $CTX")"
	wait "$pid" 2>/dev/null
	t_ok "[D:chroot] SIG$signal to devenv ends the step" \
		t_wait sh -c '! pgrep -f "^sleep 4323"'
done

# Rights: out of the root nothing leads.
chroot_build "FROM $BASE\nRUN mknod /m c 1 3\n"
t_status 7 "[D:chroot] devices cannot be made"
t_err "mknod: /m: Operation not permitted" "which mknod says"
chroot_build "FROM $BASE\nRUN mkdir /x && chroot /x /bin/true\n"
t_err "chroot: .*Operation not permitted" "[D:chroot] nor is there a way out"
chroot_build "FROM $BASE\nRUN grep . /proc/self/status\n"
t_err "/proc/self/status: No such file" "[D:chroot] /proc is not there"
chroot_build "FROM $BASE\nRUN true\n" --network none
t_status 8 "[D:chroot] a step without network is refused"
t_err 'Dockerfile:2:1: a step without network cannot be had by chroot' \
	"with its line"
t_err 'hint: run devenv with CAP_SYS_ADMIN' "and a way out"

# Links: a name of an earlier layer's file stays one, where an overlay makes a
# copy of its own.
chroot_build "FROM $BASE\nRUN echo 1 >/a && ln /a /b\nRUN echo 2 >>/a\n"
layers >/dev/null
t_is "$(tar -xOf "$TMP/flat.tar" a | tr '\n' ' ')" "1 2 " \
	"[L:hardlink] [D:chroot] a change under one name is seen under all"
t_ok "[L:hardlink] and they are links still" \
	sh -c 'tar -tvf "$1" | grep -q "b link to a"' - "$TMP/flat.tar"

# A store is of one form.
t_run "$DEVENV" build --driver=overlay "$CTX"
t_status 4 "[D:chroot] layers of another driver are not mounted"
t_err "were written without the right to mount" "whose they are is told"
t_run "$DEVENV" build "$CTX"
t_status 0 "[D:chroot] left to choose, it goes on as it began"
t_err ' 0 steps run, 2 cached' "with what it has"
t_run env DEVENV_DRIVER=chroot "$DEVENV" --store "$TMP/overlay" build "$CTX"
t_status 4 "[D:chroot] and the other way round"
t_err "were written by root" "whose they are is told"

# A filter of system calls refuses what the capability allows.
printf 'FROM %s\nRUN id -u >/id\n' "$BASE" >"$CTX/Dockerfile"
t_run "$HELPER/refuse" "$DEVENV" --store "$TMP/refused" build "$CTX"
t_status 0 "[D:chroot] it is chosen where a filter refuses mounts"
t_err 'nothing is mounted here' "which is said"

# The root file system of a container is an overlay itself: it takes neither
# whiteouts nor marks of overlays.
mkdir "$TMP/l" "$TMP/ov" "$TMP/top"
mount -t tmpfs none "$TMP/top" && mkdir "$TMP/top/u" "$TMP/top/w" &&
	mount -t overlay none \
	-o "lowerdir=$TMP/l,upperdir=$TMP/top/u,workdir=$TMP/top/w" "$TMP/ov"
t_atexit "umount $TMP/ov $TMP/top"
printf '%s\n' "FROM $BASE" 'RUN rm -r /var/data && mkdir /var/data && rm /home/bob -r' \
	'RUN ls /var/data /home >/ls' >"$CTX/Dockerfile"
for store in "$TMP/plain" "$TMP/ov/store"; do
	t_run contained "$DEVENV" --store "$store" build -o \
		"type=oci,tar=false,dest=$TMP/o,rewrite-timestamp=true" "$CTX"
	t_status 0 "[D:chroot] it builds in $(basename "$(dirname "$store")")"
	image "$TMP/o" >"$TMP/image-$(basename "$store")"
	rm -rf "$TMP/o"
done
t_ok "[D:chroot] a store on an overlay gives the same" \
	diff "$TMP/image-plain" "$TMP/image-store"

# A stage that stands on cached steps, and is copied from.
cat >"$CTX/Dockerfile" <<X
FROM $BASE AS one
RUN echo 1 >/one; rm -r /var/data
FROM one AS two
RUN echo 2 >/two
FROM one
COPY --from=two /two /two
COPY --from=$BASE /etc/passwd /p
RUN cat /one /two /p >/all
X
t_run contained "$DEVENV" build -o "type=local,dest=$TMP/l1" "$CTX"
t_status 0 "[D:chroot] stages, and images to copy from"
sed -i 's/cat/true; cat/' "$CTX/Dockerfile"
t_run contained "$DEVENV" build -o "type=local,dest=$TMP/l2" "$CTX"
t_err ' 1 step run, 4 cached' "one step runs on cached ones"
t_ok "[D:chroot] it is the same" diff -r --no-dereference "$TMP/l1" "$TMP/l2"
t_is "$(head -n 2 "$TMP/l2/all" | tr '\n' ' ')" "1 2 " "and complete"
t_ok "[L:whiteout] what a step removed is gone" test ! -e "$TMP/l2/var/data"

printf 'FROM %s\nRUN echo 1 >/x\n' "$BASE" >"$CTX/Dockerfile"
t_run contained "$DEVENV" build "$CTX"
echo 'RUN chmod 644 /x' >>"$CTX/Dockerfile"
t_run contained "$DEVENV" build -o "type=oci,tar=false,dest=$TMP/o" "$CTX"
t_is "$(skopeo inspect --raw --config "oci:$TMP/o" |
	jq -r '.rootfs.diff_ids[-1]')" \
	"sha256:$(head -c 1024 /dev/zero | sha256sum | cut -d' ' -f1)" \
	"[L:unchanged] [D:chroot] files of cached steps have their exact times"
rm -rf "$TMP/o"

# --- run ---

t_run contained "$DEVENV" build -q -t t/run "$CTX"
t_run contained "$DEVENV" run t/run -- sh -c 'cat /x; echo >/new; exit 5'
t_status 5 "[D:chroot] run passes the status on"
t_out '^1$' "and the output"
t_run contained "$DEVENV" run t/run -- test -e /new
t_status 1 "nothing stays"
t_run contained "$DEVENV" run -d t/run -- true
t_status 125 "[D:chroot] an environment is refused"
t_err 'an environment needs mounts' "by name"
t_run contained "$DEVENV" run -v "$CTX:/x" t/run -- true
t_err "a mount at '/x' cannot be had by chroot" "[D:chroot] so is a mount"
t_run setpriv --reuid 12345 --clear-groups "$DEVENV" --store "$TMP/u" build \
	--driver=chroot "$CTX"
t_status 8 "[D:chroot] it needs root"
t_err 'the chroot driver needs root' "which is told"
build_clean "after all of them"
t_done
