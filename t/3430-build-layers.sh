#!/bin/sh
# 3430-build-layers.sh - what a step changed, as a layer; layers read back
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"
. "$(dirname "$0")/helper/registry.sh"

t_need root buildah skopeo jq busybox python3 setcap setfattr
t_atexit build_peer_end
build_bases busybox || t_fail "the base images can be made"
CTX=$TMP/ctx
mkdir "$CTX"

# One line a member: type mode owner mtime size name [link], and the names of
# PAX records; in the order of the archive.
cat >"$TMP/list.py" <<'PY'
import sys, tarfile
for m in tarfile.open(sys.argv[1], errors='surrogateescape'):
    kind = {b'0': 'f', b'5': 'd', b'2': 'l', b'1': 'h', b'3': 'c',
            b'4': 'b', b'6': 'p'}[m.type]
    out = [kind, '%04o' % m.mode, '%d:%d' % (m.uid, m.gid),
           '%g' % m.mtime if m.mtime < 1000000 else 'T', str(m.size),
           ascii(m.name)[1:-1]]
    if m.linkname:
        out.append('>' + m.linkname)
    if kind in 'cb':
        out.append('%d,%d' % (m.devmajor, m.devminor))
    out += sorted(k for k in m.pax_headers)
    print(' '.join(out))
PY

# Build the base and the lines of standard input; the files of its last layer
# become $TMP/list.
build() { # OPTION...
	{
		echo "FROM $BASE"
		cat
	} >"$CTX/Dockerfile"
	rm -rf "$TMP/oci"
	t_run "$DEVENV" build -q "$@" -o \
		"type=oci,tar=false,dest=$TMP/oci" "$CTX"
	[ "$status" = 0 ] || {
		t_fail "it builds"
		t_show
	}
	b_blob=$(skopeo inspect "oci:$TMP/oci" | jq -r '.Layers[-1]')
	gunzip -c "$TMP/oci/blobs/sha256/${b_blob#*:}" >"$TMP/layer.tar"
	python3 "$TMP/list.py" "$TMP/layer.tar" >"$TMP/list"
}
# The layer is what standard input says.
is() { # SENTENCE
	cat >"$TMP/want"
	t_ok "$1" diff "$TMP/want" "$TMP/list"
}

# --- what is gone ---

build <<'X'
RUN rm -r /var/data/old /var/loop; touch /new; rm /new; mkdir /n; rmdir /n
X
is "[L:whiteout] only what was there, after its directories, without time" <<'X'
d 0755 0:0 T 0 var
d 0755 0:0 T 0 var/data
f 0000 0:0 0 0 var/data/.wh.old
f 0000 0:0 0 0 var/.wh.loop
X
build <<'X'
RUN rm -r /var && echo now >/var
X
is "[L:replaced] a directory that became a file is that file alone" <<'X'
f 0644 0:0 T 4 var
X
build <<'X'
RUN rm -r /var/data && ln -s / /var/data && rm /var/chain && mkdir /var/chain
X
is "[L:replaced] so are a link for a directory, a directory for a link" <<'X'
d 0755 0:0 T 0 var
d 0755 0:0 T 0 var/chain
l 0777 0:0 T 0 var/data >/
X
build <<'X'
RUN rm -r /var/data && mkdir /var/data && echo b >/var/data/two && mkdir /var/data/y
X
is "[L:opaque] a new directory hides each old name by its own whiteout" <<'X'
d 0755 0:0 T 0 var
d 0755 0:0 T 0 var/data
f 0000 0:0 0 0 var/data/.wh.old
f 0644 0:0 T 2 var/data/two
d 0755 0:0 T 0 var/data/y
X

# --- what did not change ---

build <<'X'
RUN chmod 644 /etc/passwd; chown 0:0 /etc; touch /usr; touch -r /etc/group /x && cp -p /etc/group /y && cat /y >/etc/group && touch -r /y /etc/group && rm /x /y
X
is "[L:unchanged] what looks and reads as before is not in the layer" <<'X'
X
build <<'X'
RUN chmod 711 /usr && touch /usr/share/z
X
is "[L:unchanged] [L:parents] a changed directory is, and those above a file" <<'X'
d 0711 0:0 T 0 usr
d 0755 0:0 T 0 usr/share
f 0644 0:0 T 0 usr/share/z
X
build <<'X'
RUN chmod 700 / && touch /b/ 2>/dev/null; mkdir /b-c /b && touch /b/1 /b-c/1 "/b d"
X
is "[L:root] [L:order] no entry for the root; names in order, parents first" <<'X'
d 0755 0:0 T 0 b
f 0644 0:0 T 0 b/1
f 0644 0:0 T 0 b d
d 0755 0:0 T 0 b-c
f 0644 0:0 T 0 b-c/1
X

# --- what a file is ---

build <<'X'
RUN mkdir /h && echo x >/h/2 && ln /h/2 /h/3 && ln /h/2 /a && ln -s t /h/l && ln /h/l /h/m
X
is "[L:hardlink] the first name has the data, the others its name" <<'X'
f 0644 0:0 T 2 a
d 0755 0:0 T 0 h
h 0644 0:0 T 0 h/2 >a
h 0644 0:0 T 0 h/3 >a
l 0777 0:0 T 0 h/l >t
h 0777 0:0 T 0 h/m >h/l
X
build <<'X'
RUN mkdir /m && cd /m && touch u g a && mkdir s && chown bob:staff u g s && chmod 4755 u && chmod 2755 g && chmod 1777 s && chmod 0 a
X
is "[L:mode] bits for set-id and sticky, and none at all" <<'X'
d 0755 0:0 T 0 m
f 0000 0:0 T 0 m/a
f 2755 1000:50 T 0 m/g
d 1777 1000:50 T 0 m/s
f 4755 1000:50 T 0 m/u
X
build <<'X'
RUN ln -s nowhere /l && chown -h 3000000:7 /l && touch /f && chown 2097151:2097152 /f
X
is "[L:owner] [L:ids] links have owners; large ones are records" <<'X'
f 0644 2097151:2097152 T 0 f gid
l 0777 3000000:7 T 0 l >nowhere uid
X
touch -d '1969-12-31 23:59:50.5Z' "$CTX/old"
touch -d '1970-01-01 00:00:09.9Z' "$CTX/whole"
build <<'X'
COPY old whole /t/
X
is "[L:mtime] whole seconds, rounded down, before 1970 as well" <<'X'
d 0755 0:0 T 0 t
f 0644 0:0 -10 0 t/old mtime
f 0644 0:0 9 0 t/whole
X
build <<'X'
RUN mknod /c c 5 300 && mknod /b b 259 70000 && mkfifo /p && chmod 640 /b
X
is "[L:device] devices and pipes with their numbers" <<'X'
b 0640 0:0 T 0 b 259,70000
c 0644 0:0 T 0 c 5,300
p 0644 0:0 T 0 p
X
mkdir "$CTX/s"
python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$CTX/s/socket"
build <<'X'
COPY s /s
X
is "[L:socket] a socket is not in it" <<'X'
d 0755 0:0 T 0 s
X
t_err "socket 's/socket' is left out of the layer" "[L:socket] which is said"

# --- names ---

long=$(printf '%0100d' 7)
mkdir -p "$CTX/n/$long/$long/$long"
: >"$CTX/n/$long/$long/$long/f"
(
	cd "$CTX/n" || exit 1
	: >'a
b'
	: >"$(printf 'bad\377')"
	: >'é'
	: >'back\slash'
)
build <<'X'
COPY n /n
X
is "[L:names] long, foreign and broken ones" <<X
d 0755 0:0 T 0 n
d 0755 0:0 T 0 n/$long path
d 0755 0:0 T 0 n/$long/$long path
d 0755 0:0 T 0 n/$long/$long/$long path
f 0644 0:0 T 0 n/$long/$long/$long/f path
f 0644 0:0 T 0 n/a\\nb
f 0644 0:0 T 0 n/back\\\\slash
f 0644 0:0 T 0 n/bad\\udcff path
f 0644 0:0 T 0 n/\\xe9 path
X
rm -rf "$CTX/n"

# --- attributes ---

mkdir "$CTX/x"
cp "$(command -v busybox)" "$CTX/x/cap"
setcap cap_net_raw+ep "$CTX/x/cap"
: >"$CTX/x/user"
setfattr -n user.note -v hello "$CTX/x/user"
setfattr -n trusted.host -v no "$CTX/x/user"
build <<'X'
COPY --chown=bob x /x
RUN rm -r /tmp && mkdir /tmp && touch /x/user && chmod 755 /x
X
is "[L:xattr] [L:artefacts] attributes of the file, none of the overlay" <<'X'
d 0755 0:0 T 0 tmp
d 0755 1000:1000 T 0 x
f 0644 1000:1000 T 0 x/user SCHILY.xattr.user.note
X
b_blob=$(skopeo inspect "oci:$TMP/oci" | jq -r '.Layers[-2]')
gunzip -c "$TMP/oci/blobs/sha256/${b_blob#*:}" >"$TMP/layer.tar"
python3 "$TMP/list.py" "$TMP/layer.tar" | sed 's/ [0-9]* x.cap/ N x\/cap/' \
	>"$TMP/list"
is "[L:xattr] capabilities outlive a change of owner" <<'X'
d 0755 1000:1000 T 0 x
f 0755 1000:1000 T N x/cap SCHILY.xattr.security.capability
f 0644 1000:1000 T 0 x/user SCHILY.xattr.user.note
X

# --- layers read back: the program's own view, and that of a command ---

cat >"$TMP/make.py" <<'PY'
import io, struct, sys, tarfile
name, t = sys.argv[1], tarfile.open(sys.argv[2], 'w',
                               format=tarfile.PAX_FORMAT)
def put(path, kind=tarfile.REGTYPE, data=b'', **more):
    m = tarfile.TarInfo(path)
    m.type, m.size, m.mtime = kind, len(data), 1000
    m.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    for k, v in more.items():
        setattr(m, k, v)
    t.addfile(m, io.BytesIO(data))
D, L, H = tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
if name == 'times':
    put('d', D, mtime=5)
    put('d/e', D, mtime=6, mode=0o555)
    put('d/e/f', data=b'x', mtime=7)
    put('d/g', data=b'y', mtime=-8)
    cap = struct.pack('<5I', 0x02000001, 0x2000, 0, 0, 0)
    put('d/cap', data=b'z', uid=1000, gid=50, mode=0o6711, mtime=9,
        pax_headers={'SCHILY.xattr.security.capability':
                     cap.decode('latin-1')})
elif name == 'opaque':
    put('var/data', D)
    put('var/data/mine', data=b'x')
    put('var/data/.wh..wh..opq')
elif name == 'twice':
    put('a', data=b'first'); put('a', data=b'second')
    put('b', data=b'file'); put('b', D); put('b/c', data=b'in')
    put('c', D); put('c/x'); put('c', L, linkname='a')
    put('e', H, linkname='a'); put('e', data=b'own')
elif name == 'links':
    put('etc', D); put('etc/passwd', data=b'root:x:0:0:::\n')
    put('to', L, linkname='/etc'); put('to/through', data=b'x')
    put('up', L, linkname='../../../../etc'); put('up/over', data=b'y')
    put('../../dots', data=b'z')
    put('hard', H, linkname='/../etc/passwd')
elif name.startswith('wh:'):
    put(name[3:])
t.close()
PY
# $TMP/in.tar as a layer on the base; 0 when it is taken.
layer() { # NAME
	: >"$out"
	python3 "$TMP/make.py" "$1" "$TMP/in.tar" || return 1
	rm -rf "$TMP/b"
	skopeo copy -q --src-tls-verify=false "docker://$BASE" \
		"oci:$TMP/b:x" || return 1
	l_manifest=$(skopeo inspect --raw "oci:$TMP/b:x")
	l_config=$(echo "$l_manifest" | jq -r .config.digest)
	l_id=$(sha256sum <"$TMP/in.tar" | cut -d' ' -f1)
	cp "$TMP/in.tar" "$TMP/b/blobs/sha256/$l_id"
	jq -c --arg d "sha256:$l_id" '.rootfs.diff_ids += [$d] |
		.history += [{created_by: "x"}]' \
		"$TMP/b/blobs/sha256/${l_config#*:}" >"$TMP/config"
	l_config=$(sha256sum <"$TMP/config" | cut -d' ' -f1)
	cp "$TMP/config" "$TMP/b/blobs/sha256/$l_config"
	echo "$l_manifest" | jq -c --arg d "sha256:$l_id" \
		--arg c "sha256:$l_config" \
		--argjson s "$(wc -c <"$TMP/in.tar")" \
		--argjson n "$(wc -c <"$TMP/config")" \
		'.config.digest = $c | .config.size = $n | .layers +=
		[{mediaType: "application/vnd.oci.image.layer.v1.tar",
		digest: $d, size: $s}]' >"$TMP/manifest"
	l_id=$(sha256sum <"$TMP/manifest" | cut -d' ' -f1)
	cp "$TMP/manifest" "$TMP/b/blobs/sha256/$l_id"
	jq -nc --arg d "sha256:$l_id" --argjson n "$(wc -c <"$TMP/manifest")" \
		'{schemaVersion: 2, manifests: [{mediaType:
		"application/vnd.oci.image.manifest.v1+json", digest: $d,
		size: $n}]}' >"$TMP/b/index.json"
	"$DEVENV" push -q "$TMP/b" "$registry/made:${1%%:*}" >"$TMP/log" 2>&1 || {
		t_fail "an image with the layer '$1' can be pushed"
		cat "$TMP/log"
	}
	t_run "$DEVENV" run -q --pull "$registry/made:${1%%:*}" -- \
		sh -c "${2:-true}"
}

layer times 'stat -c "%Y %a %u:%g %n" /d /d/e /d/e/f /d/g /d/cap'
cp "$out" "$TMP/list"
is "[L:extract] times of directories, modes and owners in the right order" <<'X'
5 755 0:0 /d
6 555 0:0 /d/e
7 644 0:0 /d/e/f
-8 644 0:0 /d/g
9 6711 1000:50 /d/cap
X
id=$(sha256sum <"$TMP/in.tar" | cut -d' ' -f1)
t_ok "[L:extract] capabilities come after the owner" sh -c \
	'getcap "$1" | grep -q cap_net_raw' - \
	"$DEVENV_STORE/layers/$id/fs/d/cap"
layer opaque 'ls /var/data'
t_is "$(cat "$out")" mine "[L:opaque] .wh..wh..opq hides what is below only"
layer twice 'cat /a /b/c /c /e; [ -L /c ]'
t_is "$(cat "$out")" secondinsecondown "[L:duplicates] the last one wins"
layer links 'ls /etc/through /etc/over /dots; cat /hard | head -n 1'
t_is "$(tr '\n' ' ' <"$out")" "/dots /etc/over /etc/through \
root:x:0:0::: " \
	"[L:links] links and dots lead inside the root"
for name in .wh.. .wh... .wh. d/.wh..; do
	layer "wh:$name"
	t_status 125 "[L:whiteout] '$name' is refused"
	t_err "hides no file" "by name"
done
layer "wh:.wh..wh.plnk/x"
t_err "a whiteout is no directory" "[L:whiteout] nor may one be a directory"

# --- sparse files ---

truncate -s 3M "$CTX/sparse"
printf end >>"$CTX/sparse"
printf start | dd of="$CTX/sparse" conv=notrunc 2>/dev/null
sum=$(sha256sum <"$CTX/sparse" | cut -d' ' -f1)
for format in gnu --sparse-version=0.0 --sparse-version=0.1 \
	--sparse-version=1.0; do
	case $format in
	gnu) set -- --format=gnu ;;
	*) set -- --format=pax "$format" ;;
	esac
	tar -C "$CTX" "$@" -S -cf "$CTX/s.tar" sparse
	t_ok "the archive ($format) has holes" \
		test "$(wc -c <"$CTX/s.tar")" -lt 100000
	build <<X
ADD s.tar /$format/
RUN [ "\$(sha256sum </$format/sparse | cut -d' ' -f1)" = $sum ] && du -k /$format/sparse >/size
X
	t_ok "[L:sparse] $format: read whole, and kept with holes" \
		sh -c '[ "$(du -k "$1"/layers/*/fs/"$2"/sparse | cut -f1)" -lt 100 ]' \
		- "$DEVENV_STORE" "$format"
done
build <<'X'
COPY sparse /sparse
X
t_ok "[L:sparse] a layer holds all bytes" \
	test "$(wc -c <"$TMP/layer.tar")" -gt 3000000
build_clean "after all of them"
t_done
