#!/bin/sh
# 3450-build-add-archive.sh - archives that ADD unpacks, honest ones and others
. "$(dirname "$0")/lib.sh"

t_need root python3 bzip2 xz zstd setfattr
CTX=$TMP/ctx
mkdir "$CTX"
cd "$CTX" || exit 1
umask 022

add() { # OPTION...: a Dockerfile on standard input
	sed 's/\t//g' >"$TMP/Dockerfile"
	rm -rf "$TMP/o"
	t_run timeout 60 "$DEVENV" build -q -f "$TMP/Dockerfile" \
		--output "type=local,dest=$TMP/o" "$@" "$CTX"
	tree=$("$HELPER/treedump" "$TMP/o" 2>/dev/null |
		awk '$NF != "." { printf "%s%s %s %s", sep, $1, $2, $NF
			sep = "; " }')
}
gives() { # SENTENCE TREE
	if [ "$status" = 0 ]; then
		t_is "$tree" "$2" "$1"
	else
		t_status 0 "$1"
	fi
}

# --- what is an archive ---

mkdir in
echo 1 >in/f
ln in/f in/h
ln -s f in/l
mkdir -m 700 in/d
chown 5:6 in/f
setfattr -n user.x -v kept in/d
touch -d @1000000000 in/f in/d
tar -C in --xattrs -cf a.tar .
gzip -k a.tar
bzip2 -k a.tar
xz -k a.tar
zstd -q a.tar
python3 - <<'X'
import lzma
open("a.lzma", "wb").write(lzma.compress(open("a.tar", "rb").read(),
    format=lzma.FORMAT_ALONE))
open("zeros", "wb").write(bytes(10240))
open("empty", "wb")
open("text", "w").write("ustar, but no archive\n" * 100)
X
gzip -c text >text.gz
mv a.tar plain # the name says nothing
inside="d 0700 d; - 0644 f; - 0644 h; l 0777 l"
for file in plain a.tar.gz a.tar.bz2 a.tar.xz a.tar.zst; do
	add <<-X
		FROM scratch
		ADD $file /
	X
	gives "[I39] $file is unpacked" "$inside"
done
t_is "$(stat -c %u:%g:%Y "$TMP/o/f")" 5:6:1000000000 \
	"[I39] owners and times are the archive's"
t_is "$(stat -c %Y:%h "$TMP/o/d" "$TMP/o/f" | xargs)" \
	"1000000000:2 1000000000:2" "[I39] times of directories, hard links"
t_is "$(getfattr --absolute-names --only-values -n user.x "$TMP/o/d")" kept \
	"[I39] attributes"
add <<-'X'
	FROM scratch
	ADD a.lzma text text.gz zeros empty /o/
	COPY a.tar.gz /c/
	ADD --unpack=false a.tar.xz /u/
	ADD --unpack=true --chown=7:8 plain /t
X
gives "[I39] [I43] others, COPY and --unpack=false copy" \
	"d 0755 c; - 0644 c/a.tar.gz; d 0755 o; - 0644 o/a.lzma; - 0644 o/empty; - 0644 o/text; - 0644 o/text.gz; - 0644 o/zeros; d 0755 t; d 0700 t/d; - 0644 t/f; - 0644 t/h; l 0777 t/l; d 0755 u; - 0644 u/a.tar.xz"
t_is "$(stat -c %u:%g "$TMP/o/t" "$TMP/o/t/f" | xargs)" "7:8 5:6" \
	"[I39] --chown is for the directory it makes, not for the archive"
add <<-'X'
	FROM scratch
	COPY --chmod=711 --chown=3:4 in/d /dest
	ADD plain /dest
	ADD plain /text/x
	COPY text /last
X
t_is "$(stat -c %a:%u:%g "$TMP/o/dest")" 711:3:4 \
	"[I39] './' of an archive leaves the destination as it is"
add <<-'X'
	FROM scratch
	COPY text /text
	ADD plain /text
X
t_status 3 "[I39] an archive into a file"
t_err "cannot make the directory '/text': a part of it is a file" \
	"[I39] it says so"
add <<-'X'
	FROM scratch
	ADD a.tar.* /o
X
t_status 3 "[I28] several archives need a directory, too"

# --- dialects ---

mkdir many
long=$(printf 'n%.0s' $(seq 1 120))
mkdir -p "many/$long"
echo long >"many/$long/$long"
ln -s "$long/$long" many/link
printf 'caf\351' >many/latin
mv many/latin "$(printf 'many/caf\351')"
echo big >many/big
chown 3000000:3000001 many/big
touch -d '1955-11-05 06:00 UTC' many/big
python3 - <<'X'
with open("many/holes", "wb") as f:
    for at in (1 << 20, 5 << 20, 9 << 20):
        f.seek(at)
        f.write(b"data at %d" % at)
    f.truncate(12 << 20)
X
want=$("$HELPER/treedump" many)
for format in "--format=gnu" "--format=gnu --sparse" "--format=posix" \
	"--format=posix --sparse --sparse-version=0.0" \
	"--format=posix --sparse --sparse-version=0.1" \
	"--format=posix --sparse --sparse-version=1.0"; do
	# shellcheck disable=SC2086
	tar -C many $format -cf many.tar .
	add <<-'X'
		FROM scratch
		ADD many.tar /m/
	X
	t_is "$("$HELPER/treedump" "$TMP/o/m" 2>/dev/null)" "$want" \
		"[I39] $format"
done
t_is "$(stat -c %Y "$TMP/o/m/big")" -446752800 "[I39] times before 1970"
tar -C in --format=v7 -cf v7 f d
add <<-'X'
	FROM scratch
	ADD v7 /
X
gives "[I39] a header without a magic number" "d 0700 d; - 0644 f"

# --- archives that want out ---

echo secret >"$TMP/secret"
# Entries as Python: (name, type, what follows).
make() { # FILE ENTRY...
	python3 - "$TMP" "$@" <<'X'
import io, sys, tarfile
top, out = sys.argv[1:3]
with tarfile.open(out, "w", format=tarfile.GNU_FORMAT) as t:
    for entry in sys.argv[3:]:
        name, kind, rest = entry.replace("TOP", top).split("|")
        i = tarfile.TarInfo(name)
        i.mode = 0o755 if kind == "dir" else 0o644
        data = None
        if kind == "file":
            data = io.BytesIO(rest.encode())
            i.size = len(rest)
        elif kind in ("link", "hard"):
            i.type = {"link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE}[kind]
            i.linkname = rest
        elif kind in ("char", "block"):
            i.type = {"char": tarfile.CHRTYPE, "block": tarfile.BLKTYPE}[kind]
            i.devmajor, i.devminor = map(int, rest.split(","))
        elif kind == "fifo":
            i.type = tarfile.FIFOTYPE
        else:
            i.type = tarfile.DIRTYPE
        t.addfile(i, data)
X
}
attack() { # SENTENCE STATUS TREE-OR-TEXT ENTRY...
	a_name=$1
	a_status=$2
	a_want=$3
	shift 3
	make bad.tar "$@"
	add <<-'X'
		FROM scratch
		ADD bad.tar /in/
	X
	if [ "$a_status" = 0 ]; then
		gives "$a_name" "$a_want"
	else
		t_status "$a_status" "$a_name"
		t_err "$a_want" "$a_name: it says so"
	fi
	t_is "$(cat "$TMP/secret"):$(ls "$TMP/evil" 2>/dev/null)" secret: \
		"$a_name: nothing happens outside"
}
attack "[I39] '..' ends at the destination" 0 "d 0755 in; - 0644 in/evil" \
	'../../../../../../evil|file|x'
attack "[I39] absolute names begin there" 0 \
	"d 0755 in; d 0755 in/etc; - 0644 in/etc/passwd" '/etc/passwd|file|x'
attack "[I39] a link to elsewhere is no way out" 0 \
	"d 0755 in; l 0777 in/l; d 0755 in/tmp; - 0644 in/tmp/evil" \
	'tmp|dir|' 'l|link|/tmp' 'l/evil|file|x'
attack "[I39] nor one that leads up" 0 \
	"d 0755 in; - 0644 in/evil; l 0777 in/l" \
	'l|link|../../../..' 'l/evil|file|x'
attack "[I39] a link to what is not there" 3 \
	"bad.tar: 'l/evil': (its directory|cannot enter)" \
	'l|link|TOP' 'l/evil|file|x'
attack "[I39] a hard link to a file outside" 3 \
	"bad.tar: cannot link 'h' to '.*secret' of the archive" \
	'h|hard|TOP/secret'
attack "[I39] upwards" 3 "bad.tar: cannot link 'h' to" \
	'h|hard|../../../../../..TOP/secret'
attack "[I39] through a link" 3 "bad.tar: cannot link 'h' to" \
	'l|link|TOP' 'h|hard|l/secret'
attack "[I39] a link and then a file of its name" 0 \
	"d 0755 in; - 0644 in/l" 'l|link|TOP/secret' 'l|file|x'
attack "[I39] a directory in a link's place" 0 \
	"d 0755 in; d 0755 in/l; - 0644 in/l/evil" \
	'l|link|TOP' 'l|dir|' 'l/evil|file|x'
attack "[I39] devices are made as they are" 0 \
	"d 0755 in; b 0644 in/b; c 0644 in/c; p 0644 in/p" \
	'c|char|1,3' 'b|block|7,0' 'p|fifo|'
attack "[I39] but none that is a whiteout" 0 "d 0755 in" 'w|char|0,0'
for name in .wh.x .wh..wh..opq d/.wh.x .wh.d/x; do
	attack "[I39] no whiteout by name: $name" 3 \
		"bad.tar: '.*\.wh\..*': in a layer, a name that begins with" \
		"$name|file|"
done
attack "[I39] the root as a file" 3 "the root must be a directory" '.|file|x'
attack "[I39] a file where a directory was, and back" 0 \
	"d 0755 in; d 0755 in/d; - 0644 in/d/x; - 0644 in/e" \
	'd|file|x' 'd|dir|' 'd/x|file|y' 'e|dir|' 'e/x|file|z' 'e|file|x'

# --- broken ones ---

size() { # OCTAL: one file that claims this size
	python3 - "$1" <<'X'
import sys, tarfile
i = tarfile.TarInfo("big")
b = bytearray(i.tobuf(tarfile.GNU_FORMAT))
b[124:136] = sys.argv[1].encode().decode("unicode_escape").encode("latin1")
b[148:156] = b" " * 8
b[148:156] = b"%06o\0 " % sum(b)
open("bad.tar", "wb").write(bytes(b) + b"data" * 256 + bytes(1024))
X
	add <<-'X'
		FROM scratch
		ADD bad.tar /in/
	X
}
size '77777777777\0'
t_status 3 "[I39] a file that is not as long as it says"
t_err 'bad.tar: ' "[I39] it is named"
size '\200\0\0\0\077\377\377\377\377\377\377\377'
t_status 3 "[I39] a file of exabytes"
t_err "bad.tar: .*(larger than|broken tar)" "[I39] it says so"
size '\377\377\377\377\377\377\377\377\377\377\377\376'
case $status in
0 | 3) t_pass "[I39] a negative size is an error, or no archive" ;;
*) t_status 3 "[I39] a negative size is an error, or no archive" ;;
esac
head -c 100000 /dev/urandom >random
tar -cf whole random
gzip -c whole | head -c 50000 >cut.tar.gz
head -c 50000 whole >cut.tar
for file in cut.tar cut.tar.gz; do
	add <<-X
		FROM scratch
		ADD $file /in/
	X
	t_status 3 "[I39] an archive that ends early: $file"
	t_err "$file: (broken tar|truncated)" "[I39] it says so: $file"
done
t_is "$(ls -A "$DEVENV_STORE/tmp")" "" "no temporary files stay"
t_ok "the store is sound" "$DEVENV" store verify
t_done
