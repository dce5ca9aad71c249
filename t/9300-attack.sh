#!/bin/sh
# a hostile repository, image or archive reaches nothing outside
. "$(dirname "$0")/lib.sh"
t_need busybox

# What must stay as it is, and what nothing may show.
secret=$TMP/outside/secret
mkdir "$TMP/outside" "$TMP/base"
echo sentinel:HOST-SENTINEL:7:7::/:/bin/sh >"$secret"
before=$(cat "$secret")
chmod 644 "$secret"

cp "$(command -v busybox)" "$TMP/base/busybox"
cat >"$TMP/base/Dockerfile" <<'EOF'
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN mkdir /etc /tmp; echo root:x:0:0::/:/bin/sh >/etc/passwd
EOF
t_ok "a base image" "$DEVENV" build -t base "$TMP/base"

repo=$TMP/repo
fresh() {
	rm -rf "$repo"
	mkdir -p "$repo/.git"
}
build() { # text of a Dockerfile
	# shellcheck disable=SC2059 # a format with its words
	printf "$@" >"$repo/Dockerfile"
	t_run timeout 20 "$DEVENV" build "$repo"
}
attack() { # text of a Dockerfile
	fresh
	build "$@"
}
unharmed() {
	t_is "$(cat "$secret")" "$before" "$1: the file outside is whole"
	t_is "$(ls "$TMP/outside")" secret "$1: and alone"
	t_is "$(grep -c HOST-SENTINEL "$err")" 0 "$1: nobody saw it"
}

# --- files of a repository that lead out, or do not end ---
fresh
ln -s "$secret" "$repo/Dockerfile"
t_run timeout 20 "$DEVENV" build "$repo"
t_status 3 "a Dockerfile that is a link out"
t_err 'Dockerfile:1:1: the file lies outside' "is refused"
fresh
mkdir "$repo/.devcontainer"
ln -s "$secret" "$repo/.devcontainer/devcontainer.json"
t_run timeout 20 "$DEVENV" parse "$repo"
t_status 3 "a devcontainer.json that is a link out"
t_err 'devcontainer.json:1:1: the file lies outside' "is refused"
fresh
mkfifo "$repo/Dockerfile"
t_run timeout 20 "$DEVENV" build "$repo"
t_status 3 "a Dockerfile that is a pipe does not block"
fresh
mkdir "$repo/.devcontainer"
echo '{"build":{"dockerfile":"pipe"}}' \
	>"$repo/.devcontainer/devcontainer.json"
mkfifo "$repo/.devcontainer/pipe"
t_run timeout 20 "$DEVENV" build "$repo"
t_status 3 "nor does one that a configuration names"
t_err "pipe' is not a regular file" "it is named"
fresh
mkfifo "$repo/.dockerignore"
build 'FROM base\nCOPY . /x\n'
t_status 3 "nor an ignore file"
t_err "'.dockerignore' is not a regular file" "it is named"
t_run timeout 20 "$DEVENV" parse --print=context "$repo"
t_status 3 "nor does it block the view of the context"
for path in '"dockerfile":"/etc/passwd"' '"dockerfile":"../../x"' \
	'"dockerfile":"Dockerfile","context":"../.."'; do
	fresh
	mkdir "$repo/.devcontainer"
	echo "{\"build\":{$path}}" >"$repo/.devcontainer/devcontainer.json"
	t_run timeout 20 "$DEVENV" build "$repo"
	t_status 3 "$path"
	t_err 'devcontainer.json:1:[0-9]+: .* is outside of' "$path: refused"
done
fresh
mkdir -p "$repo/.coder/images"
printf 'name: x\ntype: image\nspec:\n  context: ../..\n  image: a/b\n' \
	>"$repo/.coder/images/x.yaml"
t_run timeout 20 "$DEVENV" -C "$repo" build image x
t_status 3 "a template whose context leads out"
t_err 'x.yaml:4:12: ' "is refused by its place"

# --- COPY ---
for what in link/secret secret ../outside/secret link/sec*; do
	fresh
	ln -s "$TMP/outside" "$repo/link"
	ln -s "$secret" "$repo/secret"
	build 'FROM base\nCOPY %s /x/\nRUN cat /x/*\n' "$what"
	unharmed "COPY $what"
done
fresh
ln -s "$secret" "$repo/secret"
ln -s "$TMP/outside" "$repo/door"
build 'FROM base\nCOPY . /x/\nCOPY Dockerfile /x/door/in\nRUN cat /x/secret\n'
t_status 7 "links of a context stay links"
unharmed "COPY through a link"
fresh
build 'FROM base\nRUN ln -s %s /a; ln -s ../../../../%s /b\nCOPY Dockerfile /a/in\nCOPY Dockerfile /b/in\nRUN cat %s/in\n' \
	"$TMP/outside" "$TMP/outside" "$TMP/outside"
t_status 0 "a dangling link in a destination is followed in the image"
unharmed "a destination's link"
attack 'FROM base\nCOPY Dockerfile /../../../..%s/in\n' "$TMP/outside"
t_status 0 "a destination with .. is clamped"
unharmed "a destination with .."

# --- odd words ---
attack 'FROM base\nWORKDIR /proc/self/fd/7\nRUN ls\n'
t_status 7 "WORKDIR at a descriptor is refused"
t_err 'Dockerfile:3:1: cannot enter the directory' "where it is used"
for id in 4294967295 4294967296 99999999999999999999 0:4294967294; do
	attack 'FROM base\nUSER %s\nRUN id\n' "$id"
	t_status 3 "USER $id"
	t_err 'Dockerfile:3:1: user and group ids must be' "USER $id: refused"
done
attack 'FROM base\nEXPOSE 1-65535/tcp 1-65535/udp 1-65535/sctp\n'
t_status 3 "more ports than a configuration holds"
t_err 'Dockerfile:2:1: .*more than [0-9]+ ports' "are refused"
attack 'FROM \033[2Jx\n'
t_status 3 "escapes in a reference"
t_err 'Dockerfile:1:1: failed to parse stage name .*: image reference .*\\x1b\[2J' "are shown as text"
attack 'FROM base\nRUN printf "\\033]0;x\\007\\033[2J\\n"\n'
t_status 0 "escapes in the output of a step"
t_err '^\[stage-0 [0-9]/[0-9]] \\x1b\]0;x\\x07\\x1b\[2J$' "are, too"
t_is "$(tr -d '\n\t -~' <"$err" | wc -c)" 0 "no control byte passes"

fresh
for name in 'a
hint: trust me' b; do
	mkdir -p "$repo/.devcontainer/$name"
	echo '{"image":"base"}' >"$repo/.devcontainer/$name/devcontainer.json"
done
t_run "$DEVENV" parse "$repo"
t_status 3 "a line break in a name"
t_err 'several configurations: .*a\\x0ahint: trust me' "is shown as text"
t_is "$(grep -c '^hint: trust' "$err")" 0 "and forges no hint"

# --- what a step can reach ---
exec 7<"$secret"
attack 'FROM base
RUN cat %s; ls /proc/self/fd; cat /proc/self/fd/7 /proc/1/environ;
' "$secret"
exec 7<&-
unharmed "a step"
export HOST_VARIABLE=host-canary
attack 'FROM base\nRUN env; tr "\\0" "\\n" </proc/1/environ\n'
t_is "$(grep -c host-canary "$err")" 0 "no variable of the caller"
unset HOST_VARIABLE
attack 'FROM base\nRUN mount -t tmpfs x /tmp || echo refused\n'
t_err '^\[stage-0 [0-9]/[0-9]] refused$' "a step mounts nothing"
attack 'FROM base\nRUN echo x >/proc/sys/kernel/core_pattern || echo refused\n'
t_err '^\[stage-0 [0-9]/[0-9]] refused$' "nor sets what the kernel does"
attack 'FROM base\nRUN unshare -U true || echo refused\n'
t_err '^\[stage-0 [0-9]/[0-9]] refused$' "nor gets a user namespace"
attack 'FROM base\nRUN test $(ls -d /proc/[0-9]* | wc -l) -lt 8 && echo few\n'
t_err '^\[stage-0 [0-9]/[0-9]] few$' "nor sees a process of the host"
attack 'FROM base
RUN mknod /x c 1 3 && { echo >/x || echo refused; }
RUN mknod /dev/x c 1 3 && { echo >/dev/x || echo refused too; }
RUN echo >/dev/null && head -c 1 /dev/zero | wc -c
'
if [ "$(id -u)" -eq 0 ]; then
	t_status 0 "devices can be made"
	t_err '^\[stage-0 [0-9]/[0-9]] refused$' "but do not open"
	t_err '^\[stage-0 [0-9]/[0-9]] refused too$' "in /dev, too"
fi

# --- an image's own links where the runner mounts ---
fresh
mkdir "$repo/links"
for name in etc proc dev sys; do
	ln -s "$TMP/outside" "$repo/links/$name"
done
build 'FROM base AS b\nFROM scratch\nCOPY --from=b /bin /bin\nCOPY links /\nRUN /bin/busybox ls -l / /etc/ %s\n' "$TMP/outside"
unharmed "links in the place of /etc, /proc, /dev, /sys"
fresh
mkdir -p "$repo/links/etc"
ln -s "$secret" "$repo/links/etc/passwd"
ln -s "$secret" "$repo/links/etc/hosts"
ln -s ../../../../../../"$secret" "$repo/links/etc/resolv.conf"
build 'FROM base AS b\nFROM scratch\nCOPY --from=b /bin /bin\nCOPY links /\nUSER sentinel\nRUN echo hi\n'
t_status 3 "users are looked up in the image"
t_err 'unable to find user sentinel' "and nowhere else"
unharmed "links in /etc"
build 'FROM base AS b\nFROM scratch\nCOPY --from=b /bin /bin\nCOPY links /\nRUN echo x >/etc/hosts; cat /etc/resolv.conf\n'
unharmed "links to be mounted over"

# --- archives ---
python=$(command -v python3) || t_skip_all python3 "no python3 here"
cat >"$TMP/evil.py" <<'EOF'
import io, sys, tarfile
out, outside = sys.argv[1:]
def add(t, name, data=None, **k):
    i = tarfile.TarInfo(name)
    for key, value in k.items():
        setattr(i, key, value)
    if data is not None:
        i.size = len(data)
    t.addfile(i, io.BytesIO(data) if data is not None else None)
def tar(name, *entries):
    with tarfile.open(f"{out}/{name}.tar", "w") as t:
        for args, kw in entries:
            add(t, *args, **kw)
e = lambda *a, **k: (a, k)
L, H = tarfile.SYMTYPE, tarfile.LNKTYPE
tar("absolute", e(outside + "/in", b"x"))
tar("dots", e("../" * 30 + outside + "/in", b"x"))
tar("through", e("d", type=L, linkname=outside), e("d/in", b"x"))
tar("relative", e("d", type=L, linkname="../" * 30 + outside),
    e("d/in", b"x"))
tar("hard", e("h", type=H, linkname=outside + "/secret"), e("h", b"x"))
tar("hardlink", e("d", type=L, linkname=outside),
    e("h", type=H, linkname="d/secret"), e("h", b"x"))
tar("whiteout", e("d", type=L, linkname=outside), e("d/.wh.secret", b""))
tar("opaque", e(".wh..wh..opq", b""), e(".wh...", b""), e(".wh.", b""))
tar("device", e("dev", type=tarfile.BLKTYPE, devmajor=254, devminor=0),
    e("zero", type=tarfile.CHRTYPE, devmajor=0, devminor=0))
tar("name", e("a\nb\033[2Jc", b"x"))
EOF
mkdir "$TMP/tars"
t_ok "hostile archives" "$python" "$TMP/evil.py" "$TMP/tars" "$TMP/outside"
for tar in "$TMP/tars"/*.tar; do
	name=$(basename "$tar" .tar)
	fresh
	cp "$tar" "$repo/a.tar"
	build 'FROM base\nADD a.tar /x/\nRUN cat /x/h /x/d/secret; true\n'
	[ $status -eq 0 ] || t_status 3 "ADD of '$name' is refused"
	unharmed "ADD of '$name'"
	cp "$tar" "$TMP/stream.tar"
	printf 'FROM base\nCOPY . /x/\nRUN cat /x/h /x/d/secret; true\n' \
		>"$TMP/tars/Dockerfile"
	tar -rf "$TMP/stream.tar" -C "$TMP/tars" Dockerfile
	t_run timeout 20 "$DEVENV" build - <"$TMP/stream.tar"
	[ $status -eq 0 ] || t_status 3 "'$name' on standard input is refused"
	unharmed "'$name' on standard input"
done
t_is "$(tr -d '\n\t -~' <"$err" | wc -c)" 0 "names reach no terminal"

# --- an edited record ---
record() { # plan
	printf '{"schema":"devenv/1","plan":%s}' "$1" >"$TMP/record"
	t_run timeout 20 "$DEVENV" build "$TMP/record"
}
mkfifo "$TMP/pipe"
record "{\"kind\":\"dockerfile\",\"context\":\"/\",\"dockerfile\":{\"path\":\"$TMP/pipe\"}}"
t_status 3 "a record whose Dockerfile is a pipe"
t_err 'not a regular file' "is refused"
record '{"kind":"dockerfile","dockerfile":{"text":7}}'
t_status 3 "a plan with a number as text"
t_err 'record:1:[0-9]+: ' "is refused by its place"
record '{"kind":"dockerfile","dockerfile":{"text":"FROM base\nARG a\nRUN echo \"<$a>\""},"args":{"a":"1\nUSER x"}}'
t_status 0 "an argument with a new line"
t_err '^\[stage-0 [0-9]/[0-9]] <1$' "is data, no instruction"

t_is "$(ls "$DEVENV_STORE/tmp")" "" "nothing half made stays"
t_is "$(grep -c "$TMP" /proc/self/mountinfo)" 0 "nothing is mounted"
t_run "$DEVENV" store verify
t_status 0 "the store is sound"
t_done
