#!/bin/sh
# 3450-build-platforms.sh - images and programs of other platforms
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"
. "$(dirname "$0")/helper/registry.sh"

t_need root buildah skopeo busybox curl python3
t_atexit build_peer_end
build_bases busybox || t_fail "the base images can be made"
CTX=$TMP/ctx
mkdir -p "$CTX"
case $(uname -m) in
x86_64) host=amd64 ;;
aarch64) host=arm64 ;;
*) t_skip_all amd64 "images are made for amd64 and arm64 only" ;;
esac

# A program for arm64, by hand: it writes "arm64" to /made.
python3 - "$CTX/shell" <<'END'
import struct, sys
base, head = 0x400000, 64 + 56
path, text = b"/made\0", b"arm64\n"
def adr(reg, delta):
    return 0x10000000 | (delta & 3) << 29 | (delta >> 2 & 0x7ffff) << 5 | reg
def mov(reg, value):
    return 0xd2800000 | value << 5 | reg
svc, n = 0xd4000001, 13
code = [0x92800c60, adr(1, n * 4 - 4), mov(2, 0x241), mov(3, 0o644),
        mov(8, 56), svc,                      # openat(AT_FDCWD, path, ..)
        adr(1, n * 4 + len(path) - 24), mov(2, len(text)), mov(8, 64), svc,
        mov(0, 0), mov(8, 93), svc]           # write, exit(0)
assert len(code) == n
body = b"".join(struct.pack("<I", c) for c in code) + path + text
size = head + len(body)
elf = b"\x7fELF\2\1\1" + bytes(9) + struct.pack(
    "<HHIQQQIHHHHHH", 2, 183, 1, base + head, 64, 0, 0, 64, 56, 1, 0, 0, 0)
elf += struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, size, size, 4096)
open(sys.argv[1], "wb").write(elf + body)
END

build() { # [OPTION...]: the Dockerfile is standard input
	cat >"$CTX/Dockerfile"
	rm -rf "$TMP/files"
	t_run timeout 60 "$DEVENV" build --build-arg "R=$registry" \
		--output "type=local,dest=$TMP/files" "$@" "$CTX"
}
file() { cat "$TMP/files/$1" 2>/dev/null; }
platform() { # RECORD
	python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))["image"]["platform"])' "$out"
}

# One name for two platforms.
printf 'FROM scratch\nCOPY --chmod=755 shell /bin/sh\nENV IMAGE=arm64\n' \
	>"$CTX/Dockerfile"
t_run "$DEVENV" build --platform linux/arm64 -t "$registry/two:arm64" --push \
	"$CTX"
t_status 0 "[S04] an image for another platform, from scratch"
t_is "$(platform)" linux/arm64 "[S04] it says so"
printf 'FROM %s/busybox\nENV IMAGE=amd64\n' "$registry" >"$CTX/Dockerfile"
"$DEVENV" build -q -t "$registry/two:amd64" --push "$CTX" >/dev/null
index() {
	python3 - "$registry" <<'END'
import json, sys, urllib.request
base = "http://%s/v2/two/manifests/" % sys.argv[1]
kind = "application/vnd.oci.image.manifest.v1+json"
entries = []
for arch in "amd64", "arm64":
    r = urllib.request.Request(base + arch, headers={"Accept": kind})
    a = urllib.request.urlopen(r)
    body = a.read()
    entries.append({"mediaType": kind, "size": len(body),
        "digest": a.headers["Docker-Content-Digest"],
        "platform": {"os": "linux", "architecture": arch}})
body = json.dumps({"schemaVersion": 2, "manifests": entries,
    "mediaType": "application/vnd.oci.image.index.v1+json"}).encode()
urllib.request.urlopen(urllib.request.Request(base + "latest", body,
    {"Content-Type": "application/vnd.oci.image.index.v1+json"},
    method="PUT"))
END
}
t_ok "an index of both" index

build <<'X'
ARG R
FROM --platform=linux/arm64 ${R}/two AS other
FROM ${R}/two
ARG TARGETPLATFORM BUILDPLATFORM TARGETARCH TARGETSTAGE
COPY --from=other /bin/sh /arm
RUN echo $IMAGE $TARGETPLATFORM $BUILDPLATFORM $TARGETSTAGE >/own
X
t_is "$status $(file own)" \
	"0 $host linux/$host linux/$host default" \
	"[S04] [A07] FROM --platform takes another image of the index"
t_ok "[S04] its files are the other platform's" cmp "$CTX/shell" "$TMP/files/arm"
t_is "$(platform)" "linux/$host" "[S04] the result is for this machine"
build --platform linux/arm64 --target last <<'X'
ARG R
FROM --platform=$BUILDPLATFORM ${R}/two AS cross
ARG TARGETPLATFORM TARGETOS TARGETARCH BUILDARCH TARGETSTAGE
RUN echo $TARGETPLATFORM $TARGETOS $TARGETARCH $BUILDARCH $TARGETSTAGE >/args
FROM ${R}/two AS last
COPY --from=cross /args /args
COPY --from=${R}/none /x /x
X
t_status 3 "[I34] --from with a variable"
t_err 'variable expansion is not supported for --from' "[I34] is refused"
build --platform linux/arm64 --target last <<X
ARG R
FROM --platform=\$BUILDPLATFORM \${R}/two AS cross
ARG TARGETPLATFORM TARGETOS TARGETARCH BUILDARCH TARGETSTAGE
RUN echo \$TARGETPLATFORM \$TARGETOS \$TARGETARCH \$BUILDARCH \$TARGETSTAGE >/args
FROM \${R}/two AS last
COPY --from=cross /args /args
COPY --from=$registry/two /bin/sh /from
X
t_is "$status $(file args)" "0 linux/arm64 linux arm64 $host last" \
	"[A07] --platform with a stage that builds on this machine"
t_is "$(platform)" linux/arm64 "[S04] the result is for the other one"
t_ok "[I34] an image that COPY --from names is of the target's platform" \
	cmp "$CTX/shell" "$TMP/files/from"
build --platform linux/s390x <<'X'
ARG R
FROM ${R}/two
X
t_status 3 "[S04] a platform that the image lacks"
t_err 'Dockerfile:2:1: .*linux/s390x; it has linux/amd64, linux/arm64' \
	"[S04] those that it has are named"

# --- RUN ---
[ "$host" = amd64 ] || t_done
foreign() {
	build --no-cache --platform linux/arm64 <<'X'
ARG R
FROM ${R}/two
RUN anything
X
}
if grep -qs '^enabled' /proc/sys/fs/binfmt_misc/*aarch64*; then
	echo "# this machine runs programs for arm64"
else
	foreign
	t_status 7 "[S04] RUN of a program for another processor"
	t_err "Dockerfile:3:1: .*cannot run '/bin/sh': Exec format error" \
		"[S04] is an error with its place"
	t_err 'hint: the stage is for linux/arm64, .* qemu-user-static .* binfmt_misc \(flag F\)' \
		"[S04] the remedy is named"
fi
printf '#!/bin/none\n' >"$CTX/script"
build <<'X'
ARG R
FROM ${R}/two
COPY --chmod=755 shell /script
RUN ["/script"]
X
t_status 7 "[S04] a strange program in an image for this machine"
t_is "$(grep -c qemu "$err")" 0 "[S04] needs no emulation"

# With emulation as a distribution sets it up.
qemu=$(command -v qemu-aarch64-static)
misc=$TMP/binfmt
entry=devenv$$
emulate() {
	mkdir -p "$misc" && mount -t binfmt_misc none "$misc" &&
		t_atexit "umount $misc" &&
		printf '%s' ":$entry:M::\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00:\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff:$qemu:F" \
			>"$misc/register" &&
		t_atexit "echo -1 >$misc/$entry"
}
if [ -n "$qemu" ] && emulate 2>/dev/null; then
	foreign
	t_is "$status $(file made)" "0 arm64" \
		"[S04] RUN of a program for arm64 where binfmt_misc knows it"
	t_is "$(platform)" linux/arm64 "[S04] the result is for arm64"
else
	case " ${DEVENV_TEST_REQUIRE:-} " in
	*" all "* | *" binfmt "*) t_fail "binfmt_misc is required here" ;;
	*) t_pass "[S04] programs for arm64 # SKIP no qemu or binfmt_misc" ;;
	esac
fi
build_clean "platforms"
t_done
