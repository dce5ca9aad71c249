#!/bin/sh
# 3402-run-secrets.sh - RUN --mount=type=secret and ssh: used, and nowhere kept
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"
. "$(dirname "$0")/helper/registry.sh"

t_need root buildah skopeo jq busybox ssh-agent ssh-add ssh-keygen
t_atexit build_peer_end
build_bases busybox || t_fail "the base images can be made"
CTX=$TMP/ctx
mkdir -p "$CTX"
SECRET=correct-horse-battery-staple
printf '%s\n' $SECRET >"$TMP/secret"
EMPTY=sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef
nr=0

write() { # a Dockerfile on standard input; N makes a step another one
	nr=$((nr + 1))
	{
		echo "FROM $BASE"
		sed "s/ N/ : $nr;/"
	} >"$CTX/Dockerfile"
}
build() { # OPTION...
	write
	t_run timeout 120 "$DEVENV" build -t x:x "$@" "$CTX"
	build_plain "$err" >"$TMP/plain"
	mv "$TMP/plain" "$err"
}
shows() {
	if [ "$status" != 0 ]; then
		t_status 0 "$1"
	else
		t_err "$2" "$1"
	fi
}
last_layer() { # OPTION...
	"$DEVENV" build -o "type=oci,tar=false,dest=$TMP/image" -t x:x \
		"$@" "$CTX" >/dev/null 2>&1
	skopeo inspect --config "oci:$TMP/image:x" |
		jq -r '.rootfs.diff_ids[-1]'
}

# --- where a secret is ---
build --secret "id=s,src=$TMP/secret" <<'X'
RUN --mount=type=secret,id=s N stat -c '%n %a %u:%g %s' /run/secrets/*; md5sum /run/secrets/s; stat -f -c 'on %T' /run/secrets/s
RUN --mount=type=secret,target=/etc/s N stat -c '%n %a' /etc/s
RUN --mount=type=secret,id=s,target=/k/key,mode=0440,uid=1000,gid=50 N stat -c '%n %a %u:%g' /k/key
RUN --mount=type=secret,id=s N echo x >/run/secrets/s || echo "kept"
RUN --mount=type=secret,id=s,env=TOKEN N echo "length ${#TOKEN}"; ls /run || echo "no file"
RUN --mount=type=secret,id=s,env= N echo "own ${#s}"
RUN --mount=type=secret,id=s,env=TOKEN,target=/t N echo "both ${#TOKEN} $(stat -c %s /t)"
RUN N env; ls /run /k /t || echo "gone"
USER bob
RUN --mount=type=secret,id=s N cat /run/secrets/s || echo "not his"
RUN --mount=type=secret,id=s,uid=1000 N md5sum </run/secrets/s
X
shows "[I08] a secret is below /run/secrets, mode 0400" \
	'^/run/secrets/s 400 0:0 29$'
t_is "$(grep -c "^$(md5sum <"$TMP/secret" | cut -c-32)" "$err")" 2 \
	"[I08] with its content, and for the user it is given to"
t_err '^on tmpfs$' "[I08] it is in memory"
t_err '^/etc/s 400$' "[I08] the id can be that of the target"
t_err '^/k/key 440 1000:50$' "[I08] mode, uid and gid"
t_err '^kept$' "[I08] it is read only"
t_err '^length 29$' "[I08] env= names a variable"
t_err '^no file$' "[I08] and then there is no file"
t_err '^own 29$' "[I08] which may be that of the id"
t_err '^both 29 29$' "[I08] with a target both are there"
t_err '^gone$' "[I08] the next step has nothing of it"
t_err '^not his$' "[I08] another user may not read it"

# --- how it is given ---
given() { # VALUE SENTENCE OPTION...
	g_value=$1
	g_name=$2
	shift 2
	build "$@" <<X
RUN --mount=type=secret,id=s,required N echo "[\$(tr a-z A-Z </run/secrets/s)]"
X
	shows "$g_name" "^\\[$g_value\\]\$"
}
echo from-file >"$TMP/s"
export S_VALUE=from-variable
given FROM-FILE "[I08] source=" --secret "id=s,source=$TMP/s"
given FROM-FILE "[I08] type=file" --secret "type=file,id=s,src=$TMP/s"
given FROM-VARIABLE "[I08] env=" --secret id=s,env=S_VALUE
given FROM-VARIABLE "[I08] type=env,env=" --secret type=env,id=s,env=S_VALUE
given FROM-VARIABLE "[I08] type=env,src=" --secret type=env,id=s,src=S_VALUE
given FROM-FILE "[I08] the last of two counts" \
	--secret id=s,env=S_VALUE --secret "id=s,src=$TMP/s"
cd "$TMP" || exit 4
given FROM-FILE "[I08] the id alone is a file" --secret id=s
s=from-variable
export s
given FROM-VARIABLE "[I08] or a variable, which wins" --secret id=s
unset s
cd "$SRC" || exit 4
given BY-VALUE "[I08] --build-secrets gives a value" --build-secrets s=by-value
export ENVBUILDER_BUILD_SECRETS=o=other,s=from=envbuilder
given "FROM=ENVBUILDER" "[I08] as envbuilder's variable does"
given FROM-FILE "[I08] which --secret overrides" --secret "id=s,src=$TMP/s"
ENVBUILDER_BUILD_SECRETS=only-a-value
build <<'X'
RUN true
X
t_status 2 "[I08] an entry of it without a name"
t_err "build-secrets: an entry is not ID=VALUE" "[I08] is not shown"
unset ENVBUILDER_BUILD_SECRETS
mkfifo "$TMP/fifo"
echo through-pipe >"$TMP/fifo" &
given THROUGH-PIPE "[I08] a pipe, as <(COMMAND) is one" \
	--secret "id=s,src=$TMP/fifo"

bad() { # REGEX SENTENCE OPTION
	build --secret "$3" <<'X'
RUN true
X
	t_status 2 "$2"
	t_err "devenv: --secret.*$1" "$2: it is said"
}
bad "field 1 must be a key=value pair" "[I08] no pair" $SECRET
bad "the id is missing" "[I08] no id" "src=$TMP/s"
bad "unexpected key 'ids'" "[I08] a wrong key" "ids=$SECRET"
bad "unsupported type 'x'" "[I08] a wrong type" "type=x,id=s"
bad "a file or a variable, not both" "[I08] both" "id=s,src=a,env=b"
bad "no variable 'NOT_SET'" "[I08] no such variable" id=s,env=NOT_SET
bad "No such file" "[I08] no such file" "id=s,src=$TMP/none"
head -c 512001 /dev/zero >"$TMP/large"
bad "larger than|too large|more than" "[I08] too large" "id=s,src=$TMP/large"
head -c 512000 /dev/zero >"$TMP/large"
build --secret "id=s,src=$TMP/large" <<'X'
RUN --mount=type=secret,id=s N wc -c </run/secrets/s
X
shows "[I08] 500 KiB are not too large" '^512000$'
build --secret "id=s,src=$TMP/large" <<'X'
RUN --mount=type=secret,id=s,env=X N true
X
t_status 3 "[I08] a zero byte is in no variable"
t_err "the secret 's' has a zero byte" "[I08] which is said"
build <<'X'
RUN --mount=type=secret,id=s N ls /run/secrets || echo "without"
RUN --mount=type=secret,id=s,env=TOKEN N echo "<${TOKEN-unset}>"
X
shows "[I08] a secret that is not given is not there" '^without$'
t_err '^<unset>$' "[I08] nor its variable"
build <<'X'
RUN --mount=type=secret,id=s,required N true
X
t_status 3 "[I08] required is an error then"
t_err "Dockerfile:2:1: secret 's': not found" "[I08] with its line"
t_err '^hint: give it with --secret id=s' "[I08] and what to do"

build --store "$TMP/chroot" --driver=chroot --secret "id=s,src=$TMP/secret" \
	<<'X'
RUN --mount=type=secret,id=s,env=TOKEN N echo "length ${#TOKEN}"
X
shows "[I08] a variable needs no right to mount" '^length 29$'

# --- where it is not ---
cat >"$TMP/body" <<'X'
RUN --mount=type=secret,id=s --mount=type=secret,id=s,env=TOKEN cat /run/secrets/s; echo "$TOKEN"; echo "in $TOKEN line"; touch /done; sleep 2
X
write <"$TMP/body"
"$DEVENV" build -v --log-format=json --secret "id=s,src=$TMP/secret" -t x:x \
	-o "type=oci,tar=false,dest=$TMP/image" --metadata-file "$TMP/meta" \
	"$CTX" >"$TMP/record" 2>"$TMP/log" &
pid=$!
t_wait sh -c "ls '$DEVENV_STORE'/tmp/*/fs/done"
t_is "$(grep -rlF $SECRET "$DEVENV_STORE" | wc -l)" 0 \
	"[I08] while a step runs its secret is not in the store"
tr '\0' ' ' <"/proc/$pid/cmdline" >"$TMP/args"
t_is "$(grep -c $SECRET "$TMP/args")" 0 "[I08] nor among arguments"
wait $pid
t_is $? 0 "[I08] the build goes on"
t_is "$(grep -rlF $SECRET "$DEVENV_STORE" "$TMP/image" "$TMP/record" \
	"$TMP/meta" | wc -l)" 0 \
	"[I08] it is in no layer, history, key, record or file of the store"
t_is "$(grep -c $SECRET "$TMP/log") $(grep -c '\*\*\*\*\*\*\*\*' "$TMP/log")" \
	"0 3" "[I08] in the log it is masked"
find "$TMP/image/blobs" -type f -exec sh -c 'zcat -f "$1"' _ {} \; |
	grep -aqF $SECRET
t_is $? 1 "[I08] nor is it in a compressed layer"
write <<'X'
RUN --mount=type=secret,id=s --mount=type=secret,id=s,target=/k/l true
X
t_is "$(last_layer --secret "id=s,src=$TMP/secret")" $EMPTY \
	"[I08] [I10] a step that only reads it has an empty layer"
rm -rf "$TMP/image"
echo other-value-of-it >"$TMP/secret2"
write <"$TMP/body"
"$DEVENV" build --secret "id=s,src=$TMP/secret" "$CTX" >/dev/null 2>&1
t_run "$DEVENV" build --secret "id=s,src=$TMP/secret2" "$CTX"
t_out '"cached": true' "[I08] another value runs no step again"
sed -i 's/type=secret,id=s /type=secret,id=s,mode=0444 /' "$CTX/Dockerfile"
t_run "$DEVENV" build --secret "id=s,src=$TMP/secret2" "$CTX"
t_out '"cached": false' "[I08] another mode does"
printf '%s\n' '{' ' "key": "a\b and more",' 'line-two-of-it' '}' >"$TMP/multi"
build --secret "id=s,src=$TMP/multi" <<'X'
RUN --mount=type=secret,id=s N cat /run/secrets/s
X
t_is "$(grep -c 'and more\|line-two' "$err")" 0 \
	"[I08] each line of a longer one is masked"
t_run "$DEVENV" build --no-cache --log-format=json \
	--secret "id=s,src=$TMP/multi" "$CTX"
t_is "$(grep -c 'and more\|line-two' "$err")" 0 \
	"[I08] also where JSON writes it in another way"

# --- ssh ---
# ssh-add runs in the image with its own loader and libraries.
mkdir -p "$CTX/lib"
cp "$(command -v ssh-add)" "$CTX/lib/ssh-add"
ldd "$CTX/lib/ssh-add" | grep -o '/[^ ]*' | xargs -I{} cp -L {} "$CTX/lib/"
ADD="LD_LIBRARY_PATH=/lib.d /lib.d/$(basename "$(ls "$CTX"/lib/ld-*)") /lib.d/ssh-add"
ssh-keygen -q -t ed25519 -N '' -C agent-key -f "$TMP/key"
ssh-keygen -q -t ed25519 -N '' -C file-key -f "$TMP/key2"
ssh-keygen -q -t ed25519 -N phrase -C locked-key -f "$TMP/key3"
eval "$(ssh-agent -s)" >/dev/null
t_atexit "kill $SSH_AGENT_PID"
ssh-add -q "$TMP/key"

# RUN with an agent: what follows the flags.
with_agent() { # MOUNT COMMAND OPTION...
	w_mount=$1
	w_command=$2
	shift 2
	build "$@" <<X
$USER_LINE
RUN --mount=source=lib,target=/lib.d --mount=type=ssh$w_mount N export $ADD_ENV; $w_command
X
}
ADD_ENV=LD_LIBRARY_PATH=/lib.d
ADD=${ADD#* }
USER_LINE='ENV NONE=1'
with_agent "" "$ADD -l; echo \$SSH_AUTH_SOCK; stat -c '%a %u:%g %F' \$SSH_AUTH_SOCK" \
	--ssh default
shows "[I09] a step can ask the agent" 'agent-key \(ED25519\)'
t_err '^/run/buildkit/ssh_agent.0$' "[I09] at BuildKit's place"
t_err '^600 0:0 socket$' "[I09] mode 0600"
with_agent "" "$ADD -D; $ADD -x </dev/null; $ADD -d /lib.d/none; echo tried" \
	--ssh default
shows "[I09] it cannot change the agent" '^tried$'
t_ok "[I09] which has its key yet" sh -c "ssh-add -l | grep -q agent-key"
with_agent ",id=other,target=/s/ock,mode=0660,gid=50" \
	"stat -c '%a %u:%g' /s/ock; SSH_AUTH_SOCK=/s/ock $ADD -l" \
	--ssh "other=$SSH_AUTH_SOCK"
shows "[I09] id, target, mode and owner" '^660 0:50$'
t_err 'agent-key' "[I09] and a socket by its path"
USER_LINE='USER bob'
with_agent "" "$ADD -l || echo refused" --ssh default
shows "[I09] another user may not ask" '^refused$'
with_agent ",uid=1000" "$ADD -l" --ssh default
shows "[I09] but whom it is given to" 'agent-key'
USER_LINE='ENV NONE=1'
with_agent ",required" true
t_status 3 "[I09] required is an error without one"
t_err "Dockerfile:3:1: ssh agent 'default': not found" "[I09] with its line"
with_agent "" "echo \"<\${SSH_AUTH_SOCK-unset}>\""
shows "[I09] else the step runs without" '^<unset>$'
with_agent "" "$ADD -l" --ssh "default=$TMP/key2"
shows "[I09] a key file gets an agent of its own" 'file-key'
with_agent "" "$ADD -l" --ssh "default=$TMP/key2,$TMP/key"
t_is "$(grep -c 'agent-key\|file-key' "$err")" 2 "[I09] so do several"
with_agent "" true --ssh "default=$TMP/key3"
t_status 3 "[I09] one with a passphrase cannot be used"
t_err "^hint: a key with a passphrase has to be in an agent" \
	"[I09] and what to do is said"
t_ok "[I09] agents of builds end with them" t_wait \
	sh -c "! pgrep -f '^ssh-agent -a agent'"
write <<'X'
RUN --mount=type=ssh test -S /run/buildkit/ssh_agent.0
X
t_is "$(last_layer --ssh default)" $EMPTY "[I09] [I10] nothing of it stays"
t_is "$(grep -rlF "$(cut -d' ' -f2 "$TMP/key2.pub")" "$DEVENV_STORE" |
	wc -l)" 0 "[I09] no key is in the store"
build --ssh "default=$TMP/none" <<'X'
RUN true
X
t_status 2 "[I09] a path that is not there"
t_err "--ssh default: '.*/none': No such file" "[I09] it is named"
build --ssh "default=$SSH_AUTH_SOCK,$TMP/key" <<'X'
RUN true
X
t_status 2 "[I09] a socket and a key"
t_err 'a socket and keys do not go together' "[I09] is one too many"
(
	unset SSH_AUTH_SOCK
	t_run "$DEVENV" build --ssh default "$CTX"
	grep -q 'SSH_AUTH_SOCK is not set' "$err" && exit "$status"
)
t_is $? 2 "[I09] without an agent in the environment it is an error"
# What a killed build leaves ends by itself.
write <<'X'
RUN --mount=type=ssh N touch /asked; sleep 50
X
"$DEVENV" build --ssh "default=$TMP/key2" "$CTX" >/dev/null 2>&1 &
pid=$!
t_wait sh -c "ls '$DEVENV_STORE'/tmp/*/fs/asked"
kill -KILL $pid
wait $pid 2>/dev/null
gone() {
	! pgrep -f "^ssh-agent -a agent" &&
		! pgrep -f "^$DEVENV build --ssh default=$TMP/key2"
}
t_ok "[I09] an agent does not outlive a killed build" \
	sh -c "$(printf 'gone() { ! pgrep -f "^ssh-agent -a agent"; }
	for i in $(seq 30); do gone && exit; sleep 0.5; done; exit 1')"
t_ok "[I09] nor does the way to it" gone
build <<'X'
RUN true
X
build_clean "[I08]"
t_done
