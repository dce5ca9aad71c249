#!/bin/sh
# 6940-runtime-owners.sh - owners where one id is mapped are recorded
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"

t_need root userns busybox useradd setpriv newuidmap getfattr
env_accounts
as() { (env_as "$SINGLE" timeout 60 "$@"); }
img=$TMP/img
runtime_image "$img"
echo lower >"$img/etc/lower"
ln -s /etc/lower "$img/etc/link"
ln -s /dev/stdout "$img/etc/stdout"
ln -s /nowhere "$img/etc/dangling"
chmod 4755 "$img/bin/busybox"
mkdir "$TMP/u" "$TMP/w" "$TMP/host"
chown -Rh "$SINGLE:" "$img" "$TMP/u" "$TMP/w" "$TMP/host"
run() {
	rm -rf "$TMP/u" "$TMP/w"
	mkdir "$TMP/u" "$TMP/w"
	chown "$SINGLE:" "$TMP/u" "$TMP/w"
	t_run as "$S" run --lower "$img" --upper "$TMP/u" --work "$TMP/w" "$@"
}
# As run, with programs of the host.
run_host() {
	run --bind-ro /usr/lib:/usr/lib --bind-ro /lib:/lib \
		--bind-ro "$lib64:/lib64" --bind-ro "$(command -v chown):/chown" \
		--bind-ro "$(command -v setpriv):/setpriv" "$@"
}
lib64=/lib
[ ! -d /lib64 ] || lib64=/lib64
owner() {
	getfattr --absolute-names --only-values -n user.devenv.owner \
		"$TMP/u/$1" 2>/dev/null || echo none
}

run -- sh -c 'echo 1 >/new; chown 5:7 /new /etc/lower; mkdir /d; chown 8 /d
	cd /d; mkdir in; chown 0:9 in; chown 1:1 ../etc/group; chgrp 6 in'
t_status 0 "chown works"
t_is "$(owner new)" 5:7 "the owner of a new file is recorded"
t_is "$(owner etc/lower)" 5:7 "of one from a lower layer"
t_is "$(cat "$TMP/u/etc/lower")" lower "which comes with its content"
t_is "$(owner d)" 8:0 "-1 keeps the default"
t_is "$(owner d/in)" 0:6 "and what was recorded"
t_is "$(owner etc/group)" 1:1 "names are relative to the working directory"
run -- sh -c 'chown 5:7 /etc/link; chown -h 8:8 /etc/link'
t_status 0 "links are followed"
t_is "$(owner etc/lower)" 5:7 "inside the root"
run -- chown 1:1 /etc/stdout
t_status 0 "a link to a device of the process is no error"
run -- chown 1:1 /dev/null
t_status 0 "nor are devices"
run -- chown 1:1 /etc/dangling
t_status 1 "a dangling link is"
t_err 'No such file' "with the kernel's words"
run -- chown 1:1 /etc/passwd/x
t_err 'Not a directory' "so is a path through a file"
run --bind "$TMP/host:/host" -- sh -c 'echo 1 >/host/f; chown 5:5 /host/f'
t_status 0 "chown in a mount does nothing"
t_is "$(getfattr -d --absolute-names "$TMP/host/f")" "" \
	"the files of the host stay as they are"
run -- sh -c 'cp /bin/busybox /s; chmod 6755 /s; chown 3:3 /s; stat -c %a /s'
t_out '^755$' "a change of owner takes set-user-id away"
run -- chroot / /bin/sh -c 'cd /tmp && >t && chown 4:4 t'
t_is "$(owner tmp/t)" 4:4 "so in a chroot"
run -- sh -c 'mkdir -p /c/bin /c/x; cp /bin/busybox /c/bin/chown; >/c/x/t
	chroot /c /bin/chown 4:5 /x/t'
t_is "$(owner c/x/t)" 4:5 "and in another root"
# busybox fills in what it sees where others say "keep".
run_host -- sh -c '>/f; /chown 5:7 /f; /chown 8 /f; >/g; /chown :9 /g
	mkdir /e; cd /e; >h; /chown -R 2:3 .; ln h i; /chown -h 4 i'
t_is "$(owner f) $(owner g)" "8:7 0:9" "-1 keeps what was there"
t_is "$(owner e) $(owner e/h)" "2:3 4:3" "whole trees and links by number"
t_run as "$S" spawn --lower "$img" -- chown 5:7 /etc/passwd
t_status 0 "so beside us"

# A user other than root
run_host --user bob -- sh -c 'cd /tmp; >mine; /chown bob:staff mine; /chown bob mine'
t_status 0 "a user may give a file to its groups"
t_is "$(owner tmp/mine)" 1000:50 "which is recorded"
run --user bob -- sh -c 'cd /tmp; >mine; chown 0 mine'
t_status 1 "but not away"
t_err 'Operation not permitted' "as everywhere"

# Dropping rights
run_host -- /setpriv --reuid 1000 --regid 1000 --clear-groups sh -c 'echo ran'
t_out '^ran$' "a root may pretend to drop its rights"
run -- su bob -c 'echo ran'
t_out '^ran$' "so with su"
run_host --user bob -- /setpriv --reuid 0 /bin/true
t_status 127 "other users may not"
t_err 'setresuid failed' "and see it"

# Detached environments have nobody to record
pid=$(as "$S" start --lower "$img" 2>/dev/null)
t_run as "$S" exec "$pid" -- sh -c '(sleep 0.3; chown 5:5 /tmp; echo $? >/r) &'
t_status 0 "a command leaves a process in an environment"
t_run as "$S" exec "$pid" -- sh -c 'sleep 0.6; cat /r'
t_out '^0$' "whose chown does not fail"
as "$S" stop "$pid"

t_done
