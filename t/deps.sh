#!/bin/sh
# deps.sh - install the Debian packages of a purpose, if any is missing
set -eu

build="gcc libc6-dev make pkg-config libgit2-dev libcurl4-openssl-dev
 libcjson-dev libarchive-dev libmbedtls-dev libyaml-dev libseccomp-dev
 libzstd-dev libisal-dev zlib1g-dev libssl-dev libsqlite3-dev uidmap
 busybox-static ca-certificates git"
test="libcriterion-dev buildah skopeo umoci runc docker-registry nginx-light
 fcgiwrap openssh-server openssh-client openssl apache2-utils squid mmdebstrap
 debian-archive-keyring podman fuse-overlayfs libcap2-bin attr util-linux
 faketime procps strace iproute2 jq curl zstd xz-utils bzip2 python3
 python3-pyte qemu-user-static xfsprogs chromium rpm"
lint="clang clang-format clang-tidy clang-tools cppcheck shellcheck mandoc
 universal-ctags libclang-rt-14-dev"

case ${1:-} in
build) list=$build ;;
test) list=$test ;;
lint) list=$lint ;;
*) echo "usage: deps.sh build|test|lint" >&2; exit 2 ;;
esac

missing=
for p in $list; do
	dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null |
		grep -qx installed || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || {
		echo "deps.sh: as root, run: apt-get install$missing" >&2
		exit 8
	}
	sudo=sudo
fi
echo "installing:$missing"
# A policy that says no keeps the servers tests need from being started by
# their packages; an existing policy is left alone.
policy=/usr/sbin/policy-rc.d
made=
if [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy >/dev/null
	$sudo chmod 755 $policy
	made=$policy
fi
trap '[ -z "$made" ] || $sudo rm -f "$made"' EXIT
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # a list of words
$sudo apt-get install -qq -y --no-install-recommends $missing >/dev/null ||
	{ $sudo apt-get update -qq &&
		$sudo apt-get install -qq -y --no-install-recommends \
			$missing >/dev/null; }
