#!/bin/sh
# demo.sh - a repository from clone to running, twice; usage: demo.sh DEVENV
#
# Everything happens in a scratch folder that goes at the end (KEEP=1 leaves
# it): the store, the base image, the repository and its clone. It needs no
# network, and no root.
set -eu
devenv=$(realpath "${1:?usage: demo.sh DEVENV}")
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/devenv-demo.XXXXXX")
chmod 755 "$scratch"
export DEVENV_STORE="$scratch/store" HOME="$scratch/home"
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
unset XDG_DATA_HOME

tidy() {
	"$devenv" -q rm -f demo 2>/dev/null || :
	if [ "${KEEP:-0}" = 1 ]; then
		echo "kept: $scratch (DEVENV_STORE=$DEVENV_STORE)"
		return
	fi
	# Files of other users in layers belong to the store's namespace.
	"$devenv" -q store gc >/dev/null 2>&1 || :
	chmod -R u+rwx "$scratch" 2>/dev/null || :
	rm -rf "$scratch"
}
trap tidy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '\n== %s\n' "$*"; }
now() { date +%s%N; }
git() { command git -c user.name=demo -c user.email=demo@localhost "$@"; }

# The clock around a command; its standard output is shown.
timed() {
	start=$(now)
	"$@"
	ms=$((($(now) - start) / 1000000))
}

say "a base image from busybox: FROM scratch and COPY, from a tar"
mkdir -p "$scratch/home" "$scratch/base/bin" "$scratch/base/etc"
busybox=$(command -v busybox) || {
	echo "demo.sh: the package busybox-static is missing" >&2
	exit 8
}
cp "$busybox" "$scratch/base/bin/busybox"
for tool in $("$busybox" --list); do
	[ "$tool" = busybox ] || ln -s busybox "$scratch/base/bin/$tool"
done
echo 'root:x:0:0:root:/root:/bin/sh' >"$scratch/base/etc/passwd"
echo 'root:x:0:' >"$scratch/base/etc/group"
printf 'FROM scratch\nCOPY bin /bin\nCOPY etc /etc\nENV PATH=/bin\n' \
	>"$scratch/base/Dockerfile"
mkdir "$scratch/base/root" "$scratch/base/tmp"
tar -C "$scratch/base" -c . |
	"$devenv" -q build -t localhost/demo/base:1 - >/dev/null
"$devenv" store ls

say "a Git repository with a devcontainer.json"
origin=$scratch/git/greeter
mkdir "$scratch/git" "$scratch/work"
cp -r "$here/app" "$origin"
git -C "$origin" init -q -b main
git -C "$origin" add .
git -C "$origin" commit -q -m 'first version'
url=file://$origin
git -C "$origin" ls-files

up() { "$devenv" -C "$scratch/work" up --explain --name demo "$url" -- "$@"; }

say "devenv up URL: clone, plan, build, run the life cycle, then a command"
timed up sh -c 'echo "in the environment: $(id -un) in $PWD, \
$(cat /opt/words) words"; greeter "the environment"'
first=$ms

say "the same again: nothing to build"
timed up true
again=$ms

say "one file changes, is committed, and up again"
echo 'Three more words.' >>"$origin/src/second.txt"
git -C "$origin" commit -q -a -m 'more words'
timed up sh -c 'echo "now $(cat /opt/words) words"' 2>"$scratch/log"
second=$ms
cat "$scratch/log" >&2

say "what that built anew, and why; all other steps were cached"
grep '^devenv: \[[^]]* [0-9]*/[0-9]*\] ' "$scratch/log" |
	grep -v '\] \(CACHED\|DONE\) '

say "times"
echo "first up    $first ms"
echo "again       $again ms"
echo "one change  $second ms"
