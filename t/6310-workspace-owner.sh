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
for user in $RANGE $SINGLE; do
	DEVENV_STORE=$TMP/store-$user
	export DEVENV_STORE
	mkdir -p "$TMP/$user"
	env_project "$TMP/$user/app" '{"image": "base", "remoteUser": "bob"}'
	chown -R "$user:$user" "$TMP/$user"
	mkdir -m 700 "$DEVENV_STORE" && chown "$user:$user" "$DEVENV_STORE"
	chmod 755 "$TMP"
	as "$user" "$DEVENV" build -q -t base "$TMP/base" >/dev/null 2>"$TMP/err"
	t_run as "$user" timeout 60 "$DEVENV" up "$TMP/$user/app" -- sh -c 'id -un; echo x >made'
	if [ "$user" = "$SINGLE" ]; then
		t_status 0 "one id"
		t_is "$(stat -c %U "$TMP/$user/app/made")" "$user" "is everybody's"
	else
		t_err "belongs to somebody else than 'bob' in there: only root can show a directory as another user's" \
			"id ranges: it is told"
	fi
done
t_done
