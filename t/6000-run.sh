#!/bin/sh
# 6000-run.sh - an image or a record at work: status, streams, terminal
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"

t_need root busybox python3
t_ok "a base image" env_base
run() { t_run timeout 30 "$DEVENV" run "$@"; }
pty() { t_run timeout 60 python3 "$SRC/t/helper/terminal.py" "$@"; }

# --- statuses ---
for n in 0 1 7 124 125 255; do
	run base -- sh -c "exit $n"
	t_status $n "status $n is passed on"
done
run base -- sh -c 'sleep 100 & kill -TERM $!; wait $!'
t_status 143 "a signal is 128 and its number"
run base nope
t_status 127 "a missing command is 127"
t_err "^devenv: cannot run 'nope': command not found$" "and says so"
run base /etc/passwd
t_status 126 "what cannot be executed is 126"
t_err "cannot run '/etc/passwd': Permission denied" "and says so"
run
t_status 2 "no image is a usage error"
t_err "usage: devenv run IMAGE" "with the usage as a hint"
run --nonsense base
t_status 2 "an unknown option is a usage error"
run --pull base@sha256:12 true
t_status 2 "a wrong name is a usage error"
run --name ../x base true
t_status 2 "a name is checked"
t_err "'../x' is not a name for an environment" "and shown"
run -w tmp base true
t_status 2 "a relative --workdir is refused"
run -u nobody.here base true
t_status 125 "a user who is not there is 125"
t_err 'unable to find user nobody.here' "and is named"
run --hostname 'a b' base hostname
t_status 2 "a host name with a blank is refused"

# --- volumes of an image ---
mkdir "$TMP/volumes"
printf 'FROM base\nRUN ln -s /tmp/.. /up\nVOLUME ["/data/deep", "/up/made", "/bin"]\n' \
	>"$TMP/volumes/Dockerfile"
"$DEVENV" build -q -t volumes "$TMP/volumes" >/dev/null 2>"$TMP/err"
run volumes -- sh -c 'ls -d /data/deep /made; touch /data/deep/x'
t_is "$status $(tr '\n' ' ' <"$out")" "0 /data/deep /made " \
	"VOLUME: directories that the image lacks are there, links are followed"
for image in base volumes; do
	"$DEVENV" --store "$TMP/by-chroot" build -q --driver chroot -t $image \
		"$TMP/$image" >/dev/null 2>"$TMP/err"
done
run --store "$TMP/by-chroot" --driver chroot volumes -- ls -d /data/deep
t_is "$status $(cat "$out")" "0 /data/deep" "by chroot as well"
printf 'FROM base\nVOLUME /etc/passwd/x\n' >"$TMP/volumes/Dockerfile"
"$DEVENV" build -q -t volumes "$TMP/volumes" >/dev/null 2>"$TMP/err"
run volumes true
t_status 125 "a volume below a file"
t_err "directory '/etc/passwd/x': " "is named"

# --- what it sees ---
run base
t_is "$(cat "$out")" "the default" "without a command, the image's"
run base -- sh -c 'echo "$PATH $HOME $GREETING"; pwd; id; hostname'
t_out '^/bin /root hello$' "PATH, HOME and the image's ENV"
t_out '^/$' "the directory is the root"
t_out '^uid=0\(root\) gid=0\(root\)' "the user is root"
t_is "$(wc -c <"$err")" 0 "nothing is said"
run -u bob -w /tmp -e A=1 -e GREETING= --hostname box base -- \
	sh -c 'id; pwd; echo "A=$A G=$GREETING H=$HOME U=$USER"; hostname; cat /etc/hostname'
t_out '^uid=1000\(bob\) gid=1000\(bob\) groups=50\(staff\)' \
	"the user with all groups"
t_out '^/tmp$' "--workdir"
t_out '^A=1 G= H=/home/bob U=bob$' "--env, HOME and USER of the user"
t_is "$(grep -c '^box$' "$out")" 2 "--hostname"
run -u bob:staff base -- id
t_out '^uid=1000\(bob\) gid=50\(staff\)( groups=50\(staff\))?$' \
	"with a group there are no others"
HERE=yes t_run "$DEVENV" run -e HERE -e NOT_HERE_$$ base env
t_out '^HERE=yes$' "--env NAME takes ours"
t_is "$(grep -c NOT_HERE "$out")" 0 "what is unset here stays unset"
echo in >"$TMP/in"
t_run "$DEVENV" run base cat <"$TMP/in"
t_is "$(cat "$out")" in "standard input is passed on"
run base -- sh -c 'echo o; echo e >&2'
t_is "$(cat "$out")-$(cat "$err")" "o-e" "output and error stay apart"
run --entrypoint echo base -- hi
t_is "$(cat "$out")" hi "--entrypoint"
run -w /new/dir base pwd
t_is "$(cat "$out")" /new/dir "a missing directory is made"

# --- volumes ---
mkdir "$TMP/vol"
echo there >"$TMP/vol/file"
run -v "$TMP/vol:/mnt/v" base -- sh -c 'cat /mnt/v/file; echo x >/mnt/v/new'
t_is "$(cat "$out" "$TMP/vol/new")" "there
x" "a volume is read and written"
run -v "$TMP/vol:/v:ro" base touch /v/no
t_status 1 "a read-only volume cannot be written"
t_err 'Read-only' "as the kernel says"
run -v "$TMP/vol/file:/f" base cat /f
t_is "$(cat "$out")" there "a file is a volume, too"
run -v "$TMP/none:/v" base true
t_status 2 "a volume must be there"
t_err "volume: there is no '$TMP/none'" "and is named"
run -v name:rel base true
t_err "is not DIR:TARGET" "a relative target is refused"
run -v "$TMP/vol:/v:zz" base true
t_err "'zz' is neither ro nor rw" "an unknown mode is refused"

# --- what stays ---
run base touch /left
run base ls /left
t_status 1 "nothing is kept without a name"
run --name kept base touch /left
run --name kept base ls /left
t_status 0 "a name keeps it"
run --name kept --replace base ls /left
t_status 1 "--replace starts anew"
run --net none base -- ip -o link
t_is "$(wc -l <"$out")" 1 "--net=none has the loopback device only"
env_idle "after these"

# --- a terminal ---
pty "$DEVENV" run base sh <<'END'
expect # 
send tty; stty size\r
expect /dev/pts/0\s+24 80
size 40 100
send stty size\r
expect 40 100
send sh -c 'echo go; sleep 100'\r
expect \ngo
send \003
expect # 
send echo still-$((40+2))\r
expect still-42
send sleep 101 &\r
send jobs\r
expect \[1\]
send exit 9\r
END
t_status 9 "a shell on a terminal: size, Ctrl-C, jobs, status"
t_err '^terminal restored' "the terminal is as it was"
pty "$DEVENV" run base -- sh -c 'echo ready; exec sleep 100' <<'END'
expect ready
send \003
END
t_status 130 "Ctrl-C ends the command, 130"
t_err '^terminal restored' "and the terminal is as it was"
pty "$DEVENV" run base cat <<'END'
send abc\r
expect abc\s+abc
send \004
END
t_status 0 "Ctrl-D is the end of input"
t_run sh -c "echo hi | timeout 20 '$DEVENV' run -t base -- sh -c 'tty; cat'"
t_out '^/dev/pts/0' "--tty gives a terminal to a pipe, too"
env_idle "after terminals"

# --- ends ---
for sig in INT TERM HUP; do
	timeout -s "$sig" 1 "$DEVENV" run base sleep 100 2>"$err"
	status=$?
	t_is "$status" 124 "SIG$sig ends run (timeout says 124)"
done
"$DEVENV" run base sleep 100 2>"$err" &
job=$!
sleep 0.3
kill -TERM $job
wait $job
t_is $? 143 "after SIGTERM the status is 143"
for delay in 0 0.003 0.006 0.01 0.02 0.05; do
	"$DEVENV" run --name k base sleep 100 2>/dev/null &
	job=$!
	sleep $delay
	kill -9 $job
	wait $job 2>/dev/null
	"$DEVENV" run base sleep 100 2>/dev/null &
	job=$!
	sleep $delay
	kill -9 $job
	wait $job 2>/dev/null
done
env_idle "after kill -9"
run --name k base echo fine
t_is "$(cat "$out")" fine "and the next run works"

# --- records ---
env_project "$TMP/app" '{"image": "base", "remoteUser": "bob",
	"postCreateCommand": "echo made >made"}'
chmod 777 "$TMP/app"
"$DEVENV" build "$TMP/app" >"$TMP/record" 2>"$err"
run "$TMP/record" -- sh -c 'pwd; id -un; ls'
t_status 0 "a record runs"
t_out '^/workspaces/app$' "in its workspace"
t_out '^bob$' "as its user"
t_out '^made$' "after its hooks"
t_is "$(cat "$TMP/app/made")" made "the workspace is that of the host"
t_run sh -c "'$DEVENV' run - -- pwd <'$TMP/record'"
t_is "$(cat "$out")" /workspaces/app "a record on standard input"
(cd "$TMP" && sed "s,\"$TMP/app\",\"app\"," record >relative)
t_run "$DEVENV" -C "$TMP" run relative -- pwd
t_is "$(cat "$out")" /workspaces/app "a relative path in a record"
sed "s,\"path\": \"$TMP/app\",\"path\": \"$TMP/gone\"," "$TMP/record" \
	>"$TMP/moved"
run "$TMP/moved" -- pwd
t_status 125 "a workspace that is gone is our trouble"
t_err "moved:[0-9]+:[0-9]+: source.path: there is no such directory" \
	"with its place in the record"
t_err '^hint: clone it again' "and what to do"
"$DEVENV" parse "$TMP/app" >"$TMP/unbuilt"
run "$TMP/unbuilt" -- pwd
t_status 125 "a record without an image"
t_err "unbuilt: the record names no image" "is an error"
t_err "^hint: 'devenv build' adds one" "with a hint"
echo '{"schema": "devenv/1", "image": {"reference": "a@sha256:12"}}' \
	>"$TMP/misnamed"
run "$TMP/misnamed" -- pwd
t_status 125 "a wrong name in a record is no usage error"
echo '{"schema": "devenv/1", "image": 7}' >"$TMP/bad"
run "$TMP/bad" -- pwd
t_err 'bad:1:[0-9]+: image: expected an object' "a section of the wrong kind"
echo '{"schema"' >"$TMP/bad"
run "$TMP/bad" -- pwd
t_err 'bad:2:1:' "broken JSON has its place"

t_done
