#!/bin/sh
# podman.sh - podman as the Dev Container CLI can use it in a container
#
# $SHIM_DIR holds its images and containers. Without its own network and
# cgroups it needs no more rights than the tests have; --init would want a
# program that Debian has in a package of its own.
export CONTAINERS_CONF="$SHIM_DIR/podman.conf" BUILDAH_ISOLATION=chroot
n=$#
while [ $((n -= 1)) -ge 0 ]; do
	case $1 in
	--userns=keep-id | --init) ;;
	*) set -- "$@" "$1" ;;
	esac
	shift
done
exec podman --root "$SHIM_DIR/podman/root" --runroot "$SHIM_DIR/podman/run" \
	--tmpdir "$SHIM_DIR/podman/tmp" "$@"
