#!/bin/sh
# 3420-build-copy.sh - which files COPY takes, where they go, what they become
. "$(dirname "$0")/lib.sh"

t_need root jq setfattr setcap python3
CTX=$TMP/ctx
mkdir "$CTX"

# A Dockerfile on standard input, built in $CTX; what it makes is $TMP/o, its
# canonical text $tree (modes and paths only).
copy() { # OPTION...
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
fails() { # SENTENCE TEXT
	t_status 3 "$1"
	t_err "$2" "$1: it says so"
}
fresh() {
	rm -rf "$CTX"
	mkdir "$CTX"
	cd "$CTX" || exit 1
	umask 022
}

# --- sources ---

fresh
mkdir -p d/e 'we[i]rd'
echo 1 >a.c
echo 2 >b.c
echo 3 >d/x.c
echo 4 >d/e/y.c
echo 5 >'we[i]rd/f'
ln -s d l
ln -s a.c la
ln -s /d/x.c labs
copy <<-'X'
	FROM scratch
	COPY *.c /o/
X
gives "[I27] a wildcard stays on its level" \
	"d 0755 o; - 0644 o/a.c; - 0644 o/b.c"
copy <<-'X'
	FROM scratch
	COPY ** /o/
X
gives "[I27] '**' is one level, directories it matches give their contents" \
	"d 0755 o; - 0644 o/a.c; - 0644 o/b.c; d 0755 o/e; - 0644 o/e/y.c; - 0644 o/f; - 0644 o/la; - 0644 o/labs; - 0644 o/x.c"
copy <<-'X'
	FROM scratch
	COPY */*.c /o/
X
gives "[I27] no link is entered behind a wildcard" "d 0755 o; - 0644 o/x.c"
copy <<-'X'
	FROM scratch
	COPY we[[]i]rd/* /o/
	COPY none* /o/
X
gives "[I27] brackets quote, and a pattern may match nothing" \
	"d 0755 o; - 0644 o/f"
copy <<-'X'
	FROM scratch
	COPY ../../a.c /d/../l/../b.c d/ /o/
X
gives "[I27] '..' ends at the top, a slash at the end changes nothing" \
	"d 0755 o; - 0644 o/a.c; - 0644 o/b.c; d 0755 o/e; - 0644 o/e/y.c; - 0644 o/x.c"
copy <<-'X'
	FROM scratch
	COPY none /o/
X
fails "[I27] a missing file" 'Dockerfile:2:1: "/none": not found'
copy <<-'X'
	FROM scratch
	COPY a[ /o/
X
fails "[I27] a malformed pattern" 'Dockerfile:2:1: syntax error in pattern'
copy <<-'X'
	FROM scratch
	COPY l la labs /o/
X
gives "[I30] links that are sources are followed, and files keep the name" \
	"d 0755 o; d 0755 o/e; - 0644 o/e/y.c; - 0644 o/la; - 0644 o/labs; - 0644 o/x.c"
copy <<-'X'
	FROM scratch
	COPY . /o
X
gives "[I30] links below a source stay links" \
	"d 0755 o; - 0644 o/a.c; - 0644 o/b.c; d 0755 o/d; d 0755 o/d/e; - 0644 o/d/e/y.c; - 0644 o/d/x.c; l 0777 o/l; l 0777 o/la; l 0777 o/labs; d 0755 o/we[i]rd; - 0644 o/we[i]rd/f"

# --- destinations ---

fresh
mkdir -p d/sub
echo f >f
echo g >g
echo in >d/in
chmod 700 d d/sub
copy <<-'X'
	FROM scratch
	COPY f /new
	COPY f /dir/
	COPY f .
	WORKDIR /w/x
	COPY f g ./
	COPY f named
	COPY f ""
	COPY f ../up/
X
gives "[I28] names, slashes, dots, WORKDIR, an empty name" \
	"d 0755 dir; - 0644 dir/f; - 0644 f; - 0644 new; d 0755 w; d 0755 w/up; - 0644 w/up/f; d 0755 w/x; - 0644 w/x/f; - 0644 w/x/g; - 0644 w/x/named"
copy <<-'X'
	FROM scratch
	COPY f g /none
X
fails "[I28] several sources without a directory" \
	'with more than one source file, the destination must be a directory'
copy <<-'X'
	FROM scratch
	COPY [fg] /none
X
fails "[I28] several matches without a directory" \
	'several sources need a directory'
copy <<-'X'
	FROM scratch
	COPY --chmod=751 --chown=7:8 f /a/b/
	COPY d/in /c/
X
gives "[I28] parents get --chmod, else 0755" \
	"d 0751 a; d 0751 a/b; - 0751 a/b/f; d 0755 c; - 0644 c/in"
t_is "$(stat -c %u:%g "$TMP/o/a" "$TMP/o/a/b" "$TMP/o/a/b/f" | uniq)" 7:8 \
	"[I28] and --chown"
copy <<-'X'
	FROM scratch
	COPY d /there
	COPY --chmod=777 g /there/sub/
	COPY d /there
X
gives "[I29] the destination keeps its mode, directories below do not" \
	"d 0755 there; - 0644 there/in; d 0700 there/sub; - 0777 there/sub/g"
copy <<-'X'
	FROM scratch
	COPY f /x
	COPY d /x
X
fails "[I29] a directory onto a file" \
	"cannot copy the directory 'd' onto the file '/x'"
copy <<-'X'
	FROM scratch
	COPY d/in /x/f/in
	COPY f /x/
X
fails "[I29] a file onto a directory below the destination" \
	"cannot copy the file 'f' onto the directory '/x/f'"
copy <<-'X'
	FROM scratch
	COPY f /x
	COPY g /x/
X
fails "[I29] a file that is to be a directory" \
	"cannot make the directory '/x/': a part of it is a file"
mkdir -p links/to over/a over/to
ln -s /links/to links/abs
ln -s ../../../../links/to links/up
ln -s nowhere links/new
ln -s f links/file
echo y >over/file
echo z >over/a/z
ln -s to links/a
copy <<-'X'
	FROM scratch
	COPY links /links
	COPY f /links/abs/1
	COPY f /links/up/2
	COPY f /links/new
	COPY f /links/new2/../abs/3
	COPY over /links
X
gives "[I30] links of a destination lead inside the root" \
	"d 0755 links; l 0777 links/a; l 0777 links/abs; - 0644 links/file; l 0777 links/new; - 0644 links/nowhere; d 0755 links/to; - 0644 links/to/1; - 0644 links/to/2; - 0644 links/to/3; - 0644 links/to/z; l 0777 links/up"
t_is "$(cat "$TMP/o/links/file")" y "[I30] a link in a file's place goes"
copy <<-'X'
	FROM scratch
	COPY loop /
	COPY f /me/x
X
t_status 3 "a missing source comes first"
ln -s me me
copy <<-'X'
	FROM scratch
	COPY --parents me /
	COPY f /me/x
X
fails "[I30] a destination that is a loop" "cannot follow '/me"

# --- what files become ---

fresh
mkdir d
echo x >d/cap
setcap cap_net_raw+ep d/cap
echo y >d/attr
setfattr -n user.kept -v 1 d/attr
setfattr -n user.kept -v 1 d
setfattr -n trusted.overlay.opaque -v y d
mkfifo d/fifo
mknod d/dev c 1 3
python3 -c '
import os, socket
s = socket.socket(socket.AF_UNIX); s.bind("d/sock")
with open("d/holes", "wb") as f:
    f.seek(64 << 20); f.write(b"end")'
ln d/attr d/again
chown -R 12:34 d
setcap cap_net_raw+ep d/cap
chmod 6755 d/attr
setfattr -h -n user.devenv.device -v c:1:3 d/holes
touch -d '2001-02-03 04:05:06.789' d/attr d
copy <<-'X'
	FROM scratch
	COPY . /
X
gives "[I31] pipes, devices and modes; sockets are in no layer" \
	"d 0755 d; - 6755 d/again; - 6755 d/attr; - 0644 d/cap; c 0644 d/dev; p 0644 d/fifo; - 0644 d/holes"
t_is "$(stat -c %u:%g "$TMP/o/d" "$TMP/o/d/attr" "$TMP/o/d/fifo" | uniq)" \
	0:0 "[I31] files of a context become root's"
t_is "$(getfattr --absolute-names --only-values -n user.kept "$TMP/o/d/attr" \
	"$TMP/o/d")" 11 "[I31] attributes of files and directories are kept"
t_ok "[I31] capabilities are kept" sh -c \
	"getcap '$TMP/o/d/cap' | grep -q net_raw"
t_is "$(stat -c %Y "$TMP/o/d/attr" "$TMP/o/d" | uniq)" 981173106 \
	"[I31] times are kept"
t_is "$(stat -c %h "$TMP/o/d/attr")" 2 "[I31] hard links are kept"
t_ok "[I31] holes stay holes" test \
	"$(du -k "$DEVENV_STORE"/layers/*/fs/d/holes | cut -f 1)" -lt 20000
t_is "$(tail -c 3 "$TMP/o/d/holes")" end "[I31] and nothing is lost"
copy <<-'X'
	FROM scratch AS one
	COPY --chown=5:6 . /
	FROM scratch
	COPY --from=one /d /e
X
gives "[I31] --from keeps what it finds" \
	"d 0755 e; - 6755 e/again; - 6755 e/attr; - 0644 e/cap; c 0644 e/dev; p 0644 e/fifo; - 0644 e/holes"
t_is "$(stat -c %u:%g "$TMP/o/e/attr" "$TMP/o/e/fifo" | uniq)" 5:6 \
	"[I31] owners, too"
t_ok "[I31] and capabilities" sh -c "getcap '$TMP/o/e/cap' | grep -q net_raw"

fresh
mkdir etc
printf '%s\n' root:x:0:0::/:/bin/sh bob:x:1000:50::/:/bin/sh >etc/passwd
printf '%s\n' root:x:0: staff:x:50: wheel:x:10: >etc/group
touch f
owners() { stat -c %n=%u:%g "$TMP"/o/[a-h] | sed 's,.*/,,' | xargs; }
copy <<-'X'
	FROM scratch
	COPY etc /etc
	COPY --chown=bob f /a
	COPY --chown=bob:wheel f /b
	COPY --chown=7 f /c
	COPY --chown=7:9 f /d
	COPY --chown=1000:staff f /e
	COPY --chown=:wheel f /g
X
t_is "$(owners)" "a=1000:50 b=1000:10 c=7:7 d=7:9 e=1000:50 g=0:10" \
	"[I32] owners by name and number"
for owner in eve bob:eve; do
	copy <<-X
		FROM scratch
		COPY etc /etc
		COPY --chown=$owner f /a
	X
	fails "[I32] an unknown name in $owner" "Dockerfile:3:1: .*eve"
done
copy <<-'X'
	FROM scratch
	COPY --chown=bob f /a
X
fails "[I32] a name without a passwd file" "Dockerfile:2:1: .*bob"

fresh
mkdir -p d
touch d/f d/x
chmod 600 d/f
chmod 711 d/x d
copy <<-'X'
	FROM scratch
	COPY --chmod=u=rwX,go=rX d /a
	COPY --chmod=g+w,o-x d /b
	COPY --chmod=4755 d/f /c
	COPY --chmod=+t,ug+s d/f /e
	COPY --chmod=0 d/f /g
X
gives "[I33] octal and symbolic modes" \
	"d 0755 a; - 0644 a/f; - 0755 a/x; d 0774 b; - 0620 b/f; - 0730 b/x; - 4755 c; - 7600 e; - 0000 g"
# What chmod makes of a file is what --chmod does.
modes="a+rwx g=u,o=g u=rwx,go= +X a-x,u+X =t ug+s,o-r u+s-w,a=r -rwx+r go=u-w"
i=0
echo 'FROM scratch' >all.Dockerfile
for mode in $modes; do
	i=$((i + 1))
	echo "COPY --chmod=$mode d/x /$i" >>all.Dockerfile
	rm -f "$TMP/want"
	cp -p d/x "$TMP/want"
	(umask 0 && chmod -- "$mode" "$TMP/want")
	want="${want:-}$(stat -c %a "$TMP/want") "
done
copy <all.Dockerfile
t_is "$(for n in 1 2 3 4 5 6 7 8 9 10; do stat -c %a "$TMP/o/$n"; done |
	tr '\n' ' ')" "$want" "[I33] symbolic modes are those of chmod"
for mode in 8 10000 u=q u 'u=x,'; do
	copy <<-X
		FROM scratch
		COPY --chmod=$mode d /a
	X
	fails "[I33] --chmod=$mode" \
		"Dockerfile:2:1: .*invalid chmod parameter: '$mode'"
done

# --- --parents ---

fresh
mkdir -p a/b/c/d/e a/b2/c/d/e a/b/c2/d/e2 other
echo 1 >a/b/c/d/foo
echo 2 >a/b/c/d/e/bay
echo 3 >a/b2/c/d/e/bar
echo 4 >a/b/c2/d/e2/baz
chmod 750 a/b
ln -s a la
ln -s foo a/b/c/d/link
copy <<-'X'
	FROM scratch
	COPY --parents a/b/c/d/foo /o
X
gives "[I36] directories of a file are kept, with their modes" \
	"d 0755 o; d 0755 o/a; d 0750 o/a/b; d 0755 o/a/b/c; d 0755 o/a/b/c/d; - 0644 o/a/b/c/d/foo"
copy <<-'X'
	FROM scratch
	COPY --parents /a/b/./c/d /o/
X
gives "[I36] from the pivot on" \
	"d 0755 o; d 0755 o/c; d 0755 o/c/d; d 0755 o/c/d/e; - 0644 o/c/d/e/bay; - 0644 o/c/d/foo; l 0777 o/c/d/link"
copy <<-'X'
	FROM scratch
	COPY --parents a/b*/./c/**/ba? a/./*/c2 la/b/./c/d/foo /o/
X
gives "[I36] wildcards on both sides, links before the pivot" \
	"d 0755 o; d 0750 o/b; d 0755 o/b/c2; d 0755 o/b/c2/d; d 0755 o/b/c2/d/e2; - 0644 o/b/c2/d/e2/baz; d 0755 o/c; d 0755 o/c/d; d 0755 o/c/d/e; - 0644 o/c/d/e/bar; - 0644 o/c/d/e/bay; - 0644 o/c/d/foo"
copy <<-'X'
	FROM scratch
	COPY --parents **/foo none/**/x /o/
X
gives "[I36] '**' is any number of directories, also none that match" \
	"d 0755 o; d 0755 o/a; d 0750 o/a/b; d 0755 o/a/b/c; d 0755 o/a/b/c/d; - 0644 o/a/b/c/d/foo"
copy <<-'X'
	FROM scratch
	COPY --chmod=711 other /o/a/b
	COPY --parents a/b/c/d/foo /o/
X
gives "[I36] directories that are there keep their modes" \
	"d 0711 o; d 0711 o/a; d 0711 o/a/b; d 0755 o/a/b/c; d 0755 o/a/b/c/d; - 0644 o/a/b/c/d/foo"
copy <<-'X'
	FROM scratch
	COPY --parents a/b/none /o/
X
fails "[I36] a missing path" '"/a/b/none": not found'
copy <<-'X'
	FROM scratch
	COPY --parents la/b/c/d/foo /o/
X
fails "[I36] a link among the directories" \
	'"/la/b/c/d/foo": a directory on its way is a symbolic link'

# --- --exclude ---

copy <<-'X'
	FROM scratch
	COPY --exclude=**/ba* --exclude=*/c2 --exclude=!**/bar a /o
X
gives "[I37] rules as in .dockerignore, relative to the source" \
	"d 0755 o; d 0750 o/b; d 0755 o/b/c; d 0755 o/b/c/d; d 0755 o/b/c/d/e; - 0644 o/b/c/d/foo; l 0777 o/b/c/d/link; d 0755 o/b2; d 0755 o/b2/c; d 0755 o/b2/c/d; d 0755 o/b2/c/d/e; - 0644 o/b2/c/d/e/bar"
copy <<-'X'
	FROM scratch
	COPY --exclude=foo a/b/c/d/* /o/
	COPY --exclude=* a /all
X
gives "[I37] files by their names; all of a directory" \
	"d 0755 all; d 0755 o; - 0644 o/bay; - 0644 o/link"
copy <<-'X'
	FROM scratch
	COPY --parents --exclude=a/b/c/d/e a/b/c /o/
X
gives "[I37] together with --parents" \
	"d 0755 o; d 0755 o/a; d 0750 o/a/b; d 0755 o/a/b/c; d 0755 o/a/b/c/d; - 0644 o/a/b/c/d/foo; l 0777 o/a/b/c/d/link"

# --- heredocs ---

copy <<-'X'
	FROM scratch
	ENV who=you
	COPY <<one <<"two" /o/
	hi $who
	one
	hi $who
	two
	COPY --chmod=700 --chown=3:4 <<three /named
	3
	three
X
gives "[I38] heredocs are files, 0644 but for --chmod" \
	"- 0700 named; d 0755 o; - 0644 o/one; - 0644 o/two"
t_is "$(cat "$TMP/o/o/one" "$TMP/o/o/two")" "hi you
hi \$who" "[E10] variables count unless the delimiter is quoted"
t_is "$(stat -c %u:%g "$TMP/o/named")" 3:4 "[I38] --chown counts"

# --- names that are something else in a layer ---

fresh
touch f
for name in .wh.f .wh..wh..opq d/.wh.f .wh.d/f; do
	fresh
	mkdir -p "$(dirname "$name")"
	touch "$name"
	copy <<-'X'
		FROM scratch
		COPY . /
	X
	fails "a file $name in the context" \
		"'.*\.wh\..*': in a layer, a name that begins with '\.wh\.' removes"
done
touch f
for line in 'COPY f /.wh.f' 'COPY f /.wh.d/' 'WORKDIR /.wh.d'; do
	copy <<-X
		FROM scratch
		$line
	X
	fails "$line" "name that begins with '\.wh\.' removes"
done
copy <<-'X'
	FROM scratch
	COPY <<.wh.x /
	.wh.x
X
fails "a heredoc .wh.x" "name that begins with '\.wh\.' removes"
rm -rf .wh.d
mknod whiteout c 0 0
touch f
copy <<-'X'
	FROM scratch
	COPY whiteout /
X
fails "a device that is a whiteout" \
	"'whiteout': in a layer, the character device 0:0 removes a file"
copy <<-'X'
	FROM scratch
	COPY f /ok
X
gives "the rest can be copied" "- 0644 ok"

# --- no way out ---

fresh
echo secret >"$TMP/secret"
ln -s "$TMP/secret" Dockerfile
t_run timeout 60 "$DEVENV" build -q .
t_status 3 "a Dockerfile that is a link to elsewhere"
t_err "Dockerfile:1:1: the file lies outside of" "it says so"
t_ok "and shows nothing of what it leads to" sh -c "! grep -qi SECRET '$err'"
printf 'FROM scratch\nCOPY real /\n' >real
ln -sf real Dockerfile
t_run timeout 60 "$DEVENV" build -q .
t_status 0 "a Dockerfile that is a link inside"
mkdir d
ln -s "$TMP/secret" abs
ln -s ../secret up
ln -s d/../../../../../../../../..$TMP/secret far
ln -s abs chain
ln -s /proc/self/fd/0 fd
ln -s /proc/self/root/etc root
ln -s "$TMP" d/out
for source in abs up far chain fd root/passwd d/out/secret 'd/o*/secret'; do
	copy <<-X
		FROM scratch
		COPY $source /got
	X
	case $source in
	*\**) gives "a wildcard finds nothing outside: $source" "" ;;
	*) fails "a source outside: $source" 'Dockerfile:2:1: "/.*": not found' ;;
	esac
done
copy <<-'X'
	FROM scratch
	COPY . /
	COPY real /fd/x
	COPY real /abs
	COPY real /d/out/secret
X
t_status 0 "destinations through the same links stay inside"
t_is "$(cat "$TMP/secret") $(head -n 1 "$TMP/o$TMP/secret")" \
	"secret FROM scratch" "they are written below the root"

# Somebody turns a directory into a link and back while it is copied.
fresh
mkdir d elsewhere
echo inside >d/f
echo secret >elsewhere/f
mv elsewhere "$TMP/elsewhere"
ln -s "$TMP/elsewhere" l
cat >"$TMP/swap.py" <<'X'
import ctypes, sys, time
renameat2 = ctypes.CDLL(None).renameat2
end = time.time() + 30
while time.time() < end:
    renameat2(-100, b"d", -100, b"l", 2)
X
timeout 40 python3 "$TMP/swap.py" &
swap=$!
seen=
for round in 1 2 3 4 5 6 7 8 9 10; do
	copy --no-cache <<-'X'
		FROM scratch
		COPY d /got
	X
	# A link may be copied as one; here it leads where the test can read.
	[ -L "$TMP/o/got" ] ||
		seen="$seen $(cat "$TMP/o/got/f" 2>/dev/null)"
	case $status in
	0 | 3 | 4) ;;
	*) t_status 0 "round $round of a race" ;;
	esac
done
kill "$swap"
wait "$swap" 2>/dev/null
t_ok "a link that takes a directory's place leads nowhere" sh -c \
	"! echo '$seen' | grep -q secret"
t_done
