#!/bin/sh
# run.sh - random Dockerfiles, built by devenv and by others, compared
#
# usage: t/differential/run.sh [--seeds A-B] [--keep DIR] [--peers "NAME..."]
#
# Each seed is a case; one that differs is made as small as it can be and
# left below DIR (build/differential). Peers are buildah and, where dockerd
# is found ($DOCKERD or in PATH) and can be started, docker with BuildKit;
# and ways to use devenv that must make no difference (properties.py).
here=$(cd "$(dirname "$0")" && pwd)
t_top=$here/../..
. "$t_top/t/lib.sh"
. "$SRC/t/build-lib.sh"
. "$SRC/t/helper/registry.sh"

d_peers=buildah
# Its sockets, mounts and containers are its own.
d_docker() {
	d_daemon=$(command -v "${DOCKERD:-dockerd}") || return 1
	DOCKER_HOST=unix://$TMP/docker/sock
	export DOCKER_HOST
	mkdir "$TMP/docker"
	unshare -m "$d_daemon" --host "$DOCKER_HOST" \
		--data-root "$TMP/docker/data" --exec-root "$TMP/docker/exec" \
		--pidfile "$TMP/docker/pid" --iptables=false \
		--ip6tables=false --bridge=none >"$TMP/docker/log" 2>&1 &
	d_pid=$!
	t_atexit "kill $d_pid 2>/dev/null; wait $d_pid 2>/dev/null"
	t_wait docker info
}

t_need root buildah skopeo busybox python3
t_atexit build_peer_end
build_bases busybox || exit 1
d_docker && d_peers="$d_peers docker"
d_peers="$d_peers warm no-cache killed resumed chroot remote reproducible"
if command -v newuidmap setpriv useradd >/dev/null && build_user range; then
	DIFFERENTIAL_USER=$build_user
	export DIFFERENTIAL_USER
	d_peers="$d_peers rootless"
fi
python3 -B "$here/run.py" --tmp "$TMP" --base "$BASE" \
	--keep "$SRC/build/differential" --peers "$d_peers" "$@"
