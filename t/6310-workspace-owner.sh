#!/bin/sh
# 6310-workspace-owner.sh - the remote user writes a workspace of another owner
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"

t_need root userns busybox useradd setpriv newuidmap jq
env_accounts
t_ok "a base image" env_base
up() { t_run timeout 60 "$DEVENV" up "$@"; }
as() (env_as "$@")

env_project "$TMP/app" '{"image": "base", "remoteUser": "bob"}'
echo there >"$TMP/app/file"
ln -s file "$TMP/app/link"
chmod 755 "$TMP/app"
up "$TMP/app" -- sh -c 'id -un; echo new >made; echo more >>file; mkdir -p dir; stat -c %U . file made link dir'
t_status 0 "a user of the image in root's workspace"
t_is "$(tr '\n' ' ' <"$out")" "bob bob bob bob bob bob " "owns it there"
t_is "$(stat -c %u:%g "$TMP/app/made" "$TMP/app/file" "$TMP/app/dir" | sort -u)" 0:0 \
	"what it makes belongs to the workspace's owner here"
t_is "$(cat "$TMP/app/file")" "there
more" "and changes what is here"
chown -R 4321:4322 "$TMP/app"
up "$TMP/app" -- sh -c 'echo again >again; stat -c %U:%G again'
t_is "$(cat "$out")" bob:bob "any owner's workspace"
t_is "$(stat -c %u:%g "$TMP/app/again")" 4321:4322 "stays that owner's"
up --user root "$TMP/app" -- sh -c 'stat -c %u file; echo x >rooted'
t_is "$(cat "$out")" 4321 "root sees who owns it"
env_project "$TMP/app" '{"image": "base", "remoteUser": "bob", "updateRemoteUserUID": false}'
up "$TMP/app" -- sh -c 'stat -c %u file; echo new >never'
t_status 1 "without updateRemoteUserUID"
t_err "can't create never: Permission denied" "owners stay as they are"
env_project "$TMP/app" '{"image": "base", "remoteUser": "nobody-there"}'
up "$TMP/app" -- true
t_err "unable to find user nobody-there" "a user that is not there is named"
mkdir "$TMP/tmpfs"
if mount -t ramfs ramfs "$TMP/tmpfs"; then
	t_atexit "umount -q $TMP/tmpfs"
	cp -r "$TMP/app" "$TMP/tmpfs/app"
	env_project "$TMP/tmpfs/app" '{"image": "base", "remoteUser": "bob"}'
	up "$TMP/tmpfs/app" -- id -un
	t_status 0 "a file system that cannot map ids"
	t_err "'/workspaces/app' belongs to somebody else than 'bob' in there: the file system of '$TMP/tmpfs/app' cannot show its files" \
		"is told of"
	umount "$TMP/tmpfs"
fi
env_idle "as root"

# --- as a user ---
printf '%s\n' 'FROM base' 'COPY shadow /etc/shadow' \
	'RUN mkdir -p /home/bob/own /stuff && touch /home/bob/own/file /stuff/file && chown -R bob:bob /home/bob /stuff' \
	'RUN cp /bin/busybox /bin/busybox-raise && chmod 4755 /bin/busybox-raise' >"$TMP/Dockerfile.user"
mkdir "$TMP/seed"
echo 'root::1::::::' >"$TMP/seed/shadow"
for user in $RANGE $SINGLE; do
	DEVENV_STORE=$TMP/store-$user
	export DEVENV_STORE
	mkdir -p "$TMP/$user"
	env_project "$TMP/$user/app" '{"image": "seed", "remoteUser": "bob", "mounts": ["source=vol,target=/stuff"],
		"runArgs": ["--ulimit=nofile=64:128", "--network=none", "--sysctl=kernel.msgmax=9000"]}'
	chown -R "$user:$user" "$TMP/$user"
	# The group of a home is often one that no namespace of the user knows.
	mkdir -m 700 "$DEVENV_STORE" && chown "$user:root" "$DEVENV_STORE" "$TMP/$user"
	chmod 700 "$TMP/$user"
	chmod 755 "$TMP"
	as "$user" "$DEVENV" build -q -t base "$TMP/base" >/dev/null 2>"$TMP/err"
	as "$user" "$DEVENV" build -q -t seed -f "$TMP/Dockerfile.user" "$TMP/seed" >/dev/null 2>>"$TMP/err"
	t_run as "$user" timeout 60 "$DEVENV" up --name one "$TMP/$user/app" -- sh -c 'id -un; echo x >made'
	t_status 0 "a user with one id, or many ($user)"
	t_is "$(stat -c %U "$TMP/$user/app/made")" "$user" "has what is made in the workspace"
	[ "$user" = "$RANGE" ] || continue
	t_err "copying the image, so that the workspace is that of 'bob'" "many: by a copy, which is told"
	t_run as "$user" timeout 60 "$DEVENV" up -d --name one "$TMP/$user/app"
	t_is "$(grep -c 'copying' "$err")" 0 "once"
	t_run as "$user" timeout 60 "$DEVENV" exec one -- sh -c \
		'stat -c %U:%G:%a / /etc/passwd /bin/busybox-raise . made /home/bob/own/file /stuff/file
		ulimit -n; cat /proc/sys/kernel/msgmax; touch /etc/x; touch ~/x /stuff/x; ls -A /stuff | wc -l'
	t_is "$(tr '\n' ' ' <"$out")" \
		"root:root:755 root:root:644 root:root:4755 bob:bob:755 bob:bob:644 bob:bob:644 bob:bob:644 64 9000 2 " \
		"all else belongs to whom the image says, volumes too"
	t_err 'touch: /etc/x: Permission denied' "and is not the user's"
	t_run as "$user" timeout 60 "$DEVENV" exec one -- busybox-raise su -c 'id -u; touch /etc/x /stuff/r; stat -c %u /etc/x'
	t_is "$(tr '\n' ' ' <"$out")" "0 0 " "programs with a set-id bit make root of the user"
	t_run as "$user" timeout 60 "$DEVENV" exec -u root one -- sh -c 'chown bob /etc/x; echo more >>made; kill -0 1 && echo yes'
	t_is "$(cat "$out")" yes "root may do all"
	t_run as "$user" timeout 60 "$DEVENV" up --user root --name one "$TMP/$user/app" -- stat -c %U made /etc/x
	t_is "$(tr '\n' ' ' <"$out")" "bob bob " "and sees the same"
	t_ok "it is stopped from outside" as "$user" timeout 20 "$DEVENV" stop one
	t_run as "$user" timeout 20 "$DEVENV" ps
	t_is "$(cat "$out")" "" "at once"
	t_run as "$user" timeout 60 "$DEVENV" run -v vol:/v seed stat -c %U /v /v/file /v/x /v/r
	t_is "$(tr '\n' ' ' <"$out")" "bob bob bob root " "a volume looks the same from where root has its usual id"
	t_run as "$user" timeout 60 "$DEVENV" up --name one "$TMP/$user/app" -- stat -c %U /stuff /stuff/file /stuff/x /stuff/r
	t_is "$(tr '\n' ' ' <"$out")" "bob bob bob root " "and back"
	printf '1000 1000 2\n' >"$DEVENV_STORE/volumes/.vol.owners"
	t_run as "$user" timeout 60 "$DEVENV" up --name one "$TMP/$user/app" -- stat -c %U /stuff /stuff/file /stuff/x /stuff/r
	t_is "$(tr '\n' ' ' <"$out")" "bob bob bob root " "a step that was done before does nothing"
	t_ok "the store is sound" as "$user" "$DEVENV" store verify
	t_ok "the environment can be removed" as "$user" "$DEVENV" rm one
	t_ok "and the volume" as "$user" "$DEVENV" rm --volumes vol
	t_is "$(ls -A "$DEVENV_STORE/volumes" "$DEVENV_STORE/run")" "$(printf '%s:\n\n%s:' "$DEVENV_STORE/run" "$DEVENV_STORE/volumes")" \
		"nothing is left of them"
	env_project "$TMP/$user/app" '{"image": "base", "remoteUser": "bob", "updateRemoteUserUID": false}'
	t_run as "$user" timeout 60 "$DEVENV" up "$TMP/$user/app" -- sh -c 'stat -c %u .; touch no'
	t_is "$(cat "$out")" 0 "without updateRemoteUserUID"
	t_err "touch: no: Permission denied" "nothing changes places"
	chown -R root "$TMP/$user/app"
	env_project "$TMP/$user/app" '{"image": "base", "remoteUser": "bob"}'
	t_run as "$user" timeout 60 "$DEVENV" up --name two "$TMP/$user/app" -- true
	t_err "belongs to somebody else than 'bob' in there: only root can show as another user's what is not the caller's" \
		"a workspace of somebody else's stays that"
	env_idle "as $user"
done
t_done
