#!/bin/sh
# 6900-runtime-root.sh - sandboxes of root: isolation, rights, layers, errors
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"

t_need root busybox
S=$HELPER/sandbox
runtime_image "$TMP/bb"
mkdir "$TMP/u" "$TMP/w"
run() { t_run "$S" run --lower "$TMP/bb" "$@"; }

run -- sh -c 'echo hello; exit 3'
t_status 3 "the command's status is passed on"
t_out '^hello$' "its output too"
run -- sh -c 'kill -9 $$; exit 1'
t_status 1 "PID 1 cannot kill itself, as in any pid namespace"
run -- /bin/busybox nope
t_status 127 "a status of 127 from the command is just a status"
run -- nope
t_status 127 "a missing command is 127"
t_err "cannot run 'nope': command not found" "and is named"
run -- /etc/passwd
t_status 126 "a file that is not executable is 126"
t_err "cannot run '/etc/passwd': Permission denied" "with the reason"
printf '#!/no/such/shell\n' >"$TMP/bb/bin/script"
chmod 755 "$TMP/bb/bin/script"
run -- /bin/script
t_status 127 "a missing interpreter is 127"
t_err "its interpreter is not in the image" "and is told apart"
run --cwd /no/such -- true
t_status 125 "a missing working directory is 125"
t_err "cannot enter the directory '/no/such'" "and is named"
run --cwd /made/dir --mkdir --user bob -- sh -c 'pwd; ls -ldn /made/dir'
t_out '^/made/dir$' "it is made when asked for"
t_out ' 1000 +1000 ' "and belongs to the user"

# Isolation
run -- sh -c 'ls -a /.. | sort; echo --; ls -a / | sort'
t_is "$(sed '/^--$/,$d' "$out")" "$(sed '1,/^--$/d' "$out")" \
	"nothing lies above the root"
run -- cat /proc/mounts
t_is "$(awk '$2 == "/" {n++} END {print n}' "$out")" 1 "one root is mounted"
t_is "$(grep -c "$TMP" "$out")" 1 "no mount of the host is seen"
run -- sh -c 'echo $$; ps >/tmp/ps; wc -l </tmp/ps; hostname; cat /etc/hostname'
t_is "$(tr '\n' ' ' <"$out")" "1 3 devenv devenv " "own pid and uts namespace"
exec 7</etc/passwd
run -- sh -c 'ls /proc/self/fd | sort | tr "\n" " "'
t_out '^0 1 2 3 $' "no descriptor of ours is inherited"
exec 7<&-
run --cwd /proc/self/fd/7 --mkdir -- true
t_status 125 "a working directory behind a magic link is refused"
run -- sh -c 'echo x >/proc/sys/kernel/core_pattern'
t_err 'Read-only file system' "kernel settings are read-only"
run -- sh -c 'cat /proc/keys /proc/timer_list; ls /sys/firmware | wc -l'
t_is "$(cat "$out")" 0 "kernel internals are masked"
run --no-net -- sh -c 'ifconfig -a | grep -c Link; ping -c1 127.0.0.1'
t_status 0 "loopback works without a network"
t_out '^1$' "and is the only device"

mkdir "$TMP/du" "$TMP/dw"
run --draft --upper "$TMP/du" --work "$TMP/dw" -- \
	sh -c 'echo kept >/f; grep -c " / overlay .*volatile" /proc/mounts'
t_out '^1$' "a draft is not synced by each unmount"
t_is "$(cat "$TMP/du/f")" kept "and is written all the same"
run --upper "$TMP/u" --work "$TMP/w" -- \
	sh -c 'grep -c " / overlay .*volatile" /proc/mounts'
t_out '^0$' "what is kept under a name is"

# Rights
run -- grep -E 'Cap|Seccomp:|NoNew' /proc/self/status
t_out 'CapEff:.00000000a80425fb' "root has the default capabilities"
t_out 'CapBnd:.00000000a80425fb' "and can get no other"
t_out 'CapInh:.0000000000000000' "none is inheritable"
t_out 'Seccomp:.2' "a filter is in force"
run --user bob -- sh -c 'id; grep CapEff /proc/self/status'
t_out 'uid=1000\(bob\) gid=1000\(bob\) groups=50\(staff\)$' "groups are the image's"
t_out 'CapEff:.0000000000000000' "another user has no capability"
run --user 1234:77 -- id
t_out 'uid=1234 gid=77$' "numbers need no entry and get no other group"
run --user nobody-such -- true
t_status 3 "an unknown user is an error of input"
t_err 'unable to find user nobody-such: no matching entries in passwd file' \
	"with the usual words"
run -- unshare -m true
t_err 'unshare.*Operation not permitted' "namespaces are refused"
run -- mount -t tmpfs x /tmp
t_err 'mount.*([Pp]ermission denied|not permitted)' "mounts are refused"
run --cap SYS_ADMIN -- mount -t tmpfs x /tmp
t_status 0 "unless the capability is added"
run --cap NOPE -- true
t_status 2 "an unknown capability is an error of usage"
run --nnp -- grep NoNewPrivs /proc/self/status
t_out 'NoNewPrivs:.1' "no_new_privs on request"

# Hostile images
cp -a "$TMP/bb" "$TMP/evil"
echo sentinel >"$TMP/sentinel"
rm -rf "$TMP/evil/proc" "$TMP/evil/etc/hosts"
ln -s /tmp "$TMP/evil/proc"
t_run "$S" run --lower "$TMP/evil" -- true
t_status 3 "an image whose /proc is a link is refused"
t_err "cannot mount at '/proc'" "and told why"
rm "$TMP/evil/proc"
ln -s "../../../../../..$TMP/sentinel" "$TMP/evil/etc/hosts"
t_run "$S" run --lower "$TMP/evil" -- cat "$TMP/sentinel"
t_out localhost "a link that leaves the root is resolved inside"
t_is "$(cat "$TMP/sentinel")" sentinel "the host's file is untouched"
ln -s / "$TMP/evil/out"
mkdir "$TMP/src"
echo data >"$TMP/src/f"
t_run "$S" run --lower "$TMP/evil" --bind "$TMP/src:/out/../../out/in" \
	-- cat /in/f
t_out data "mount targets are resolved inside the root"
t_ok "nothing was made on the host" test ! -e /in

# Mounts
run --bind-ro "$TMP/src:/mnt" -- sh -c 'cat /mnt/f; echo x >/mnt/g'
t_out data "a bind shows the directory"
t_err 'Read-only' "read-only when asked"
run --bind "$TMP/src/f:/some/where/file" -- cat /some/where/file
t_out data "a file can be bound where nothing is"
run --bind "$TMP/missing:/x" -- true
t_status 4 "a missing source is an error"
t_err "mount '/x': cannot bind '$TMP/missing': No such file" "that names it"
run --tmpfs /scratch -- sh -c 'echo x >/scratch/y; grep /scratch /proc/mounts'
t_out 'tmpfs rw,nosuid,nodev' "a tmpfs is made"

# The upper directory is the layer
touch -d @1000000000 "$TMP/bb/etc" "$TMP/bb"
run --upper "$TMP/u" --work "$TMP/w" --bind "$TMP/src:/deep/er" -- true
t_is "$(find "$TMP/u" -mindepth 1)" "" "a run that writes nothing leaves nothing"
run --upper "$TMP/u" --work "$TMP/w" -- sh -c 'echo 1 >/etc/new; rm /bin/vi'
t_is "$(cd "$TMP/u" && find . -mindepth 1 | sort | tr '\n' ' ')" \
	"./bin ./bin/vi ./etc ./etc/new " "only what was changed is in it"
t_ok "a removal is a whiteout" test -c "$TMP/u/bin/vi"
run -- cat /etc/new
t_status 1 "without an upper directory nothing stays"

# Many layers
set --
i=0
while [ $i -lt 200 ]; do
	mkdir -p "$TMP/layers/$i-with-quite-a-long-name-so-that-options-are-long"
	echo $i >"$TMP/layers/$i-with-quite-a-long-name-so-that-options-are-long/top"
	set -- "$@" --lower "$TMP/layers/$i-with-quite-a-long-name-so-that-options-are-long"
	i=$((i + 1))
done
t_run "$S" run --lower "$TMP/bb" "$@" -- cat /top
t_out '^199$' "200 layers, the last one wins"
mkdir "$TMP/mnt" "$TMP/u2" "$TMP/w2"
t_run "$S" old --lower "$TMP/bb" "$@" --upper "$TMP/u2" --work "$TMP/w2" \
	"$TMP/mnt" -- sh -c "cat '$TMP/mnt/top'; echo 1 >'$TMP/mnt/new'"
t_out '^199$' "so with mount(2)"
t_ok "and it can be written" test -f "$TMP/u2/new"
t_run "$S" overlay --lower "$TMP/bb" "$TMP/mnt" -- touch "$TMP/mnt/x"
t_err 'Read-only file system' "one layer alone is a read-only bind"
mkdir "$TMP/we:ird,na\\me"
echo odd >"$TMP/we:ird,na\\me/odd"
t_run "$S" run --lower "$TMP/bb" --lower "$TMP/we:ird,na\\me" -- cat /odd
t_out '^odd$' "any name will do"
t_run "$S" run --lower "$TMP/nope" -- true
t_status 4 "a missing layer is an error"
t_err "cannot use '$TMP/nope': No such file" "that names it"

# Without the right to mount
t_run setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin \
	"$S" run --lower "$TMP/bb" -- true
t_status 8 "root without CAP_SYS_ADMIN is a lack of the host"
t_err 'CAP_SYS_ADMIN' "and is told what is missing"

t_done
