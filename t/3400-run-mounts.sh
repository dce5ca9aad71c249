#!/bin/sh
# 3400-run-mounts.sh - what RUN binds, where it runs, what of it stays
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"
. "$(dirname "$0")/helper/registry.sh"

t_need root buildah skopeo umoci jq busybox mkfifo setfattr
t_atexit build_peer_end
build_bases busybox || t_fail "the base images can be made"
CTX=$TMP/ctx
mkdir -p "$CTX/dir/sub" "$CTX/skip" "$TMP/named/deep"
echo one >"$CTX/dir/one"
echo two >"$CTX/dir/sub/two"
echo skipped >"$CTX/skip/file"
echo named >"$TMP/named/deep/file"
ln -s dir "$CTX/link"
ln -s /etc "$CTX/out"
ln -s "$TMP" "$CTX/up"
mkfifo "$CTX/pipe"
chmod 711 "$CTX/dir"
chown -R 12:34 "$CTX/dir"
echo skip >"$CTX/.dockerignore"
EMPTY=sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef

# The rest of a Dockerfile on standard input, after two stages.
build() { # OPTION...
	{
		echo "FROM $BASE AS one"
		echo 'RUN mkdir -p /d/e /d/s && echo f >/d/e/f &&' \
			'ln -s / /d/door && ln -s ../e /d/s/rel &&' \
			'chown 7:8 /d/e/f && chmod 640 /d/e/f'
		echo "FROM $BASE"
		cat
	} >"$CTX/Dockerfile"
	t_run timeout 120 "$DEVENV" build -t x:x "$@" "$CTX"
	build_plain "$err" >"$TMP/plain"
	mv "$TMP/plain" "$err"
}
# shows SENTENCE REGEX: the build works, and a line of output matches
shows() {
	if [ "$status" != 0 ]; then
		t_status 0 "$1"
	else
		t_err "$2" "$1"
	fi
}
# The last layer has no file at all: its tar is two blocks of zeros.
empty() { # SENTENCE
	"$DEVENV" build -o "type=oci,tar=false,dest=$TMP/image" -t x:x "$CTX" \
		>/dev/null 2>&1
	t_is "$(skopeo inspect --config "oci:$TMP/image:x" 2>/dev/null |
		jq -r '.rootfs.diff_ids[-1]')" $EMPTY "$1"
	rm -rf "$TMP/image"
}
ran() {
	jq -r '[.image.steps[] | select(.key and (.cached | not)) | .line]
		| join(" ")' "$out"
}

# --- bind ---
build <<'X'
RUN --mount=type=bind,source=dir,target=/c ls -ln /c && echo "<$(cat /c/sub/two)>"
X
shows "[I05] a bind shows the context" '^<two>'
t_err '^-rw-r--r-- +1 0 +0 .* one$' "[I05] its files belong to root"
empty "[I10] and leaves nothing in the layer"
touch -d @1500000000 "$CTX/dir"
build <<'X'
RUN --mount=source=dir,target=/c stat -c %Y /c /c/sub
X
shows "[I05] the directory has its time" '^1500000000$'
build <<'X'
RUN --mount=source=dir,target=/c stat -c %a /c; touch /c/x || echo "<$?>"
X
shows "[I04] type is bind unless said" '^711$'
t_err '^touch: /c/x: Read-only file system' "[I05] it is read only"
build <<'X'
RUN --mount=source=dir,target=/c,rw echo more >>/c/one && touch /c/new && cat /c/one
RUN --mount=source=dir,target=/c,rw ls /c && cat /c/one
X
shows "[I05] with rw it can be written" '^more$'
t_is "$(grep -c '^more$' "$err") $(grep -c '^new$' "$err")" "1 0" \
	"[I05] what was written is gone with the step"
t_is "$(cat "$CTX/dir/one")" one "[I05] and not in the context"
build <<'X'
RUN --mount=target=/c ls -A /c; cat /c/skip/file
X
t_status 7 "[D06] what .dockerignore leaves out is not there"
t_err '^cat: .*/c/skip/file.: No such file' "[D06] in no place"
build <<'X'
RUN --mount=source=skip,target=/c true
X
t_status 3 "[D06] nor can it be the source"
t_err 'Dockerfile:4:1: "/skip": not found \(excluded by .dockerignore\)' \
	"[D06] which is said with the line"
build <<'X'
RUN --mount=source=dir/one,target=/deep/er/file,ro cat /deep/er/file
X
shows "[I05] a file can be the source" '^one$'
empty "[I10] the directories made for it are gone"
build <<'X'
RUN --mount=source=link,target=/c cat /c/one
X
shows "[I05] a link in the context is followed" '^one$'
for link in out up ../../etc /../etc up/ctx; do
	build <<X
RUN --mount=source=$link,target=/c ls /c
X
	t_status 3 "[I05] source=$link does not leave the context"
	t_err '": not found' "[I05] it is not found there"
done
build <<'X'
RUN --mount=target=/c (echo x >/c/pipe) & sleep 1; cat /c/pipe </dev/null & sleep 1; ls -l /c/pipe
X
shows "[I05] a pipe of the context is another one here" '^prw'

# --- bind from stages, images, contexts ---
build <<'X'
RUN --mount=from=one,source=/d/e,target=/c ls -ln /c
X
shows "[I05] from= a stage, with its owners and modes" \
	'^-rw-r----- +1 7 +8 .* f$'
build <<'X'
RUN --mount=from=one,target=/c,rw rm -r /c/d/e && echo "<$(ls /c/d)>"
RUN --mount=from=one,target=/c cat /c/d/e/f
X
shows "[I05] rw on a stage can be written" '^<door'
t_err '^f$' "[I05] and the next step sees the stage as it was"
for source in d/door/d/e d/s/rel ../../d/e /x/../d//e/; do
	build <<X
RUN --mount=from=one,source=$source,target=/c cat /c/f
X
	shows "[I05] source=$source is resolved in the stage" '^f$'
done
build <<'X'
RUN --mount=from=one,source=d/door,target=/c ls -d /c/d
X
shows "[I05] a link to / is the root of the stage" '^/c/d$'
mkdir "$TMP/victim"
build <<X
RUN ln -s $TMP/victim /way && mkdir -p /in && ln -s $TMP/victim /in/way
RUN --mount=type=tmpfs,target=/way/stub true
FROM $BASE
RUN --mount=from=1,source=/way,target=/c,rw touch /c/owned
X
t_status 3 "[I05] a link of a stage to a directory of the host"
t_err "cannot mount '/way': No such file" "[I05] leads to nothing there"
build <<X
RUN ln -s $TMP/victim /way
RUN --mount=source=dir,target=/way/new,rw touch /way/new/owned /way/owned
RUN --mount=type=cache,target=/way touch /way/owned
X
t_status 0 "[I05] nor does one on the way to a target"
t_is "$(ls -A "$TMP/victim")" "" "[I05] nothing was written there"
build <<'X'
RUN --mount=from=one,source=/proc/self/root,target=/c ls /c
X
t_status 3 "[I05] there is no /proc in a source"
t_err "mount '/c': cannot mount '/proc/self/root': No such file" \
	"[I05] which is said"
build <<X
RUN --mount=from=$BASE,source=/etc/passwd,target=/c grep bob /c
X
shows "[I05] from= an image" '^bob:x:1000'
build --build-context "other=$TMP/named" <<'X'
RUN --mount=from=other,source=deep,target=/c cat /c/file
X
shows "[I05] [S09] from= a named context" '^named$'
build <<'X'
RUN --mount=from=scratch,target=/c,rw touch /c/x && ls -A /c
X
shows "[I05] from=scratch is empty" '^x$'
build <<'X'
FROM scratch AS later
RUN --mount=from=x,target=/c true
FROM scratch AS x
X
t_status 3 "[S07] a later stage cannot be mounted"
t_err 'Dockerfile:[0-9]+:1: .*defined before current stage' \
	"[S07] the order is named"
build <<'X'
WORKDIR /w
ARG what=dir/sub where=/t
RUN --mount=source=$what,target=$where/${where:+a} cat /t/a/two
RUN --mount=source=dir,target=rel cat /w/rel/one
RUN --mount=source=dir cat /w/one
RUN --mount=target=/b,\"source=dir\" --mount=type=tmpfs,target=/b/sub ls /b/sub /b
X
shows "[E07] values are expanded" '^two$'
t_is "$(grep -c '^one$' "$err")" 3 "[I04] targets are relative to WORKDIR"
build <<'X'
RUN --mount=type=tmpfs,target=/a --mount=from=one,source=d/e,target=/a/b/c cat /a/b/c/f
X
shows "[I04] a mount may lie in another" '^f$'
build <<'X'
RUN --mount=source=dir,target=/var/absolute/new ls /usr/share/new
X
shows "[I04] a link on the way to the target stays in the image" '^one$'
empty "[I10] and nothing is left behind it"
for target in /proc/self/root/etc /proc/1/cwd /dev/fd/1/x /proc/self/fd/0; do
	build <<X
RUN --mount=type=tmpfs,target=$target true
X
	t_status 3 "[I04] target=$target leads nowhere" # by no magic link
	t_err "mount '$target'" "[I04] the target is named"
done
build <<'X'
RUN --mount=target=/etc/passwd true
X
t_status 3 "[I04] a directory cannot be mounted on a file"
t_err "'/etc/passwd' of the image: it is not a directory" "[I04] it is said"

# --- keys ---
cat >"$TMP/body" <<'X'
RUN --mount=source=dir,target=/c cat /c/one
RUN --mount=from=one,source=/d/e,target=/c true
X
build --no-cache <"$TMP/body"
build <"$TMP/body"
t_is "$(ran)" "" "[I05] the same files: nothing runs"
echo more >"$CTX/other"
echo more >>"$CTX/skip/file"
build <"$TMP/body"
t_is "$(ran)" "" "[I05] files that are not selected do not count"
echo new >"$CTX/dir/one"
build <"$TMP/body"
t_is "$(ran)" "4 5" "[I05] the content of what is selected does"
chmod 755 "$CTX/dir"
build <"$TMP/body"
t_is "$(ran)" "4 5" "[I05] and the mode of its top"
sed 's/,target=/,ro,target=/' "$TMP/body" >"$TMP/same"
build <"$TMP/same"
t_is "$(ran)" "" "[I05] to say what is the default does not"
sed 's,target=/c true,target=/d true,' "$TMP/body" >"$TMP/other"
build <"$TMP/other"
t_is "$(ran)" "5" "[I05] the target counts"

# --- tmpfs ---
build <<'X'
RUN --mount=type=tmpfs,target=/t,size=1m stat -c %a /t; dd if=/dev/zero of=/t/x bs=1M count=2 2>&1 | grep -o 'No space.*'
RUN --mount=type=tmpfs,target=/t,ro touch /t/x || ls -A /t
X
shows "[I07] a tmpfs anybody may write to" '^1777$'
t_err '^No space' "[I07] size= bounds it"
t_err '^touch: /t/x: Read-only' "[I04] ro makes it read only"
empty "[I10] nothing of it stays"

build <<'X'
RUN --mount=type=tmpfs,target=/t,id=x,from=one true
X
shows "[I04] a key that means nothing is a warning" \
	"warning: .*Dockerfile:4: RUN --mount: 'id' means nothing for type tmpfs"

# --- stubs ---
build <<'X'
RUN --mount=type=tmpfs,target=/var/data/new --mount=source=dir/one,target=/etc/new touch -d @1000000000 /var/data/file /var/data && test -e /etc/new
X
t_status 0 "[I10] mounts in directories that exist"
"$DEVENV" build -o "type=tar,dest=$TMP/all.tar" "$CTX" >/dev/null 2>&1
tar -tvf "$TMP/all.tar" --full-time var/data etc >"$TMP/list" 2>/dev/null
t_is "$(grep -c new "$TMP/list")" 0 "[I10] stubs are removed"
t_ok "[I10] the times of their parents are kept" \
	grep -q '2001-09-09 .* var/data/$' "$TMP/list"
build <<'X'
RUN --mount=type=tmpfs,target=/n/a/b echo x >/n/a/file
X
"$DEVENV" build -o "type=tar,dest=$TMP/all.tar" "$CTX" >/dev/null 2>&1
t_is "$(tar -tf "$TMP/all.tar" | grep '^n' | tr '\n' ' ')" "n/ n/a/ n/a/file " \
	"[I10] a directory that got other files stays"

# --- networks and rights ---
port=$(t_port)
busybox httpd -p "127.0.0.1:$port" -h "$TMP/named" -f &
t_atexit "kill $! 2>/dev/null"
fetch="printf 'GET /deep/file HTTP/1.0\\r\\n\\r\\n' | nc -w 5 127.0.0.1 $port"
t_wait sh -c "$fetch"
build <<X
RUN --network=none ip -o link; ip -o addr show lo; $fetch || echo "<unreached>"
RUN --network=host $fetch
RUN --network=default $fetch
X
shows "[I11] --network=none is cut off" '^<unreached>$'
t_err 'lo: <LOOPBACK,UP' "[I11] its loopback is up"
t_is "$(grep -c '^[0-9]*: [a-z]' "$err")" "$(grep -c '^[0-9]*: lo' "$err")" \
	"[I11] it has no other device"
t_is "$(grep -c '^named$' "$err")" 2 "[I11] host and default are the host's"
build --network=none <<'X'
RUN --network=host true
X
t_status 3 "[I11] the command line's --network=none counts"
t_err 'Dockerfile:4:1: RUN --network=host is not allowed by --network=none' \
	"[I11] and is named"
build <<'X'
RUN --security=insecure true
X
t_status 3 "[I12] --security=insecure needs leave"
t_err '^hint: .*--allow security.insecure' "[I12] the option is named"
build --allow security.insecure <<'X'
RUN --security=insecure grep CapEff /proc/self/status
RUN --security=sandbox grep CapEff /proc/self/status
X
shows "[I12] with it a step has all rights" 'CapEff:.000001f[0-9a-f]*$'
t_err 'CapEff:.00000000a[0-9a-f]+$' "[I12] and the next one docker's"
build --allow everything <<'X'
RUN true
X
t_status 2 "[I12] --allow knows its words"
t_err "unknown right 'everything'" "[I12] others are named"
build <<'X'
RUN --device=vendor.com/class=name true
X
t_status 3 "[I13] --device is an error"
t_err 'Dockerfile:4:1: RUN --device is not supported' "[I13] with its line"

build --store "$TMP/chroot" --driver=chroot <<'X'
RUN --mount=type=tmpfs,target=/t true
X
t_status 8 "[I07] without the right to mount there are no mounts"
t_err "RUN --mount=type=tmpfs cannot be had by chroot" "[I07] it is said"

# --- the environment of a step ---
SECRET_OF_HOST=leaks
export SECRET_OF_HOST
build <<'X'
RUN hostname; env | sort; grep -c buildkitsandbox /etc/hosts
RUN ls -l /proc/self/fd | grep -v 'fd/' ; sleep 987 & echo "left $!"
X
shows "[I03] the host name is BuildKit's" '^buildkitsandbox$'
t_is "$(grep -c leaks "$err")" 0 "[I03] nothing of the host's environment"
t_err '^HOME=/root$' "[I03] HOME is that of the user"
t_is "$(pgrep -fc '^sleep 987')" 0 \
	"[I01] a daemon that a step leaves dies with it"
build --build-arg BUILDKIT_SANDBOX_HOSTNAME=my.host <<'X'
RUN hostname
X
shows "[A09] or what the build argument says" '^my.host$'
build --build-arg HTTP_PROXY=http://proxy.example:1 \
	--build-arg no_proxy=local <<'X'
RUN env | grep -i proxy
X
shows "[A06] proxies are in the environment" \
	'^HTTP_PROXY=http://proxy.example:1$'
t_err '^no_proxy=local$' "[A06] in both cases"
"$DEVENV" build -o "type=oci,tar=false,dest=$TMP/image" -t x:x "$CTX" \
	--build-arg HTTP_PROXY=http://proxy.example:1 >/dev/null 2>&1
t_is "$(cat "$TMP"/image/blobs/sha256/* | grep -ac proxy.example)" 0 \
	"[A06] in no history or configuration"
t_is "$(grep -rac proxy.example "$DEVENV_STORE" | grep -cv ':0$')" 0 \
	"[A06] and in no key"

# --- heredocs ---
build <<'X'
RUN <<EOF
echo "script <$0>"
false || echo "goes on"
EOF
RUN <<-EOF
	echo tabs go
	EOF
RUN <<EOF
#!/bin/cat
shown by cat
EOF
RUN cat - /dev/fd/3 <<A 3<<'B' && echo "then"
in $HOME
A
raw $HOME
B
RUN 3<<EOF cat <&3
by number
EOF
RUN cat <<"E F" | tr a-z A-Z
quoted
E F
RUN --mount=source=dir,target=/c <<EOF
cat /c/sub/two
EOF
X
shows "[I02] a sole heredoc is the script" '^script <.*sh>$'
t_err '^goes on$' "[I02] to its end"
t_err '^tabs go$' "[P19] <<- takes tabs away"
t_err '^shown by cat$' "[I02] one with #! runs by its program"
t_err '^in /root$' "[I02] others go to the shell, which expands them"
t_err '^then$' "[P19] several of them, in order"
t_err '^by number$' "[P18] with a descriptor"
t_err '^QUOTED$' "[P20] with a name in quotes"
t_err '^two$' "[I02] and beside mounts"
build_clean "[I10]"
t_done
