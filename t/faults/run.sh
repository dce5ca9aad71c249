#!/bin/sh
# run.sh - pulls, pushes and builds among the faults of registries and servers
#
# usage: t/faults/run.sh [--seeds A-B] [--jobs N] [-v]
#
# Each seed is a command and a plan of faults (plan.py) that a proxy before a
# real registry carries out, every third before one that wants tokens, and
# before its token server. It has to end in time, right or with a message
# and the status of the network's errors; the store has to be sound; and the
# same without faults has to give the right digest. What does not hold is
# told, and left in build/faults/SEED.
here=$(cd "$(dirname "$0")" && pwd)
t_top=$here/../..
. "$t_top/t/lib.sh"
. "$SRC/t/helper/registry.sh"

t_need root busybox docker-registry python3
registry_start plain || exit 1
plain=$registry
# The same images, for those with a token.
mkdir "$TMP/guarded"
ln -s ../plain/data "$TMP/guarded/data"
registry_start guarded token || exit 1
guarded=$registry
registry=$plain

f_push() { # NAME: the Dockerfile is standard input
	cat >"$TMP/base/Dockerfile"
	"$DEVENV" build --push --platform "${2:-linux/amd64}" \
		-t "$registry/$1" "$TMP/base" >"$out" 2>"$err" || {
		cat "$err"
		exit 1
	}
}
mkdir "$TMP/base"
cp "$(command -v busybox)" "$TMP/base/busybox"
for f in one two three; do
	head -c 300000 /dev/urandom >"$TMP/base/$f"
done
f_push base:1 <<'END'
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "ln", "-s", "busybox", "/bin/sh"]
RUN ["/bin/busybox", "ln", "-s", "busybox", "/bin/cat"]
END
f_push big:1 <<'END'
FROM scratch
COPY one /one
COPY two /two
COPY three /three
END
f_push multi:1 linux/amd64,linux/arm64 <<'END'
FROM scratch
ARG TARGETARCH
COPY one /one
LABEL arch=$TARGETARCH
END
# shellcheck disable=SC2154 # registry.sh sets it
python3 -B "$here/run.py" --tmp "$TMP" --registry "$plain" \
	--guarded "$guarded" --tokens "127.0.0.1:$r_tokens" --keep "$SRC/build/faults" "$@"
