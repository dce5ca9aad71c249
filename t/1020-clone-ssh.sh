#!/bin/sh
# Clones over ssh: host keys, user keys, the agent, forms of the address.
. "$(dirname "$0")/lib.sh"
t_need git python3 sshd ssh-keygen
. "$SRC/t/helper/gitserver.sh"
cd "$TMP" || exit 1
git_repo app.git
tip=$(git -C "$GIT_ROOT/app.git" rev-parse trunk)
git_ssh_start
me=$(id -un)
url=ssh://$me@127.0.0.1:$GIT_SSH_PORT$GIT_ROOT/app.git
key="--git-ssh-private-key-path=$GIT_SSH_KEY"
mkdir -p "$HOME/.ssh"

t_run "$DEVENV" clone "$key" "$url" x
t_status 6 "an unknown host is refused"
t_err "host key of 127.0.0.1 \(SHA256:.*\) is not known" "with its fingerprint"
t_err "hint: .*ssh-keyscan -p $GIT_SSH_PORT 127.0.0.1" "and how to know it"
t_ok "nothing is left" test ! -e x

known() { # TYPE
	printf '[127.0.0.1]:%s %s\n' "$GIT_SSH_PORT" \
		"$(cut -d' ' -f1,2 "$TMP/sshd/host_$1.pub")"
}
known ed25519 >"$HOME/.ssh/known_hosts"
t_run "$DEVENV" clone "$key" "$url" x
t_status 0 "a known host with port, in ~/.ssh/known_hosts"
t_is "$(git -C x rev-parse HEAD)" "$tip" "has the tip"
t_is "$(git -C x remote get-url origin)" "$url" "keeps the user in origin"
t_run "$DEVENV" clone "$key" "$url" x
t_status 0 "an existing clone is asked again"

known ecdsa >"$TMP/kh"
ssh-keygen -q -H -f "$TMP/kh" >/dev/null 2>&1
t_run env SSH_KNOWN_HOSTS="$TMP/none:$TMP/kh" "$DEVENV" clone "$key" "$url" x1
t_status 0 "another kind of key, hashed, in a file of SSH_KNOWN_HOSTS"
sed -i 's/^\(.*\)$/\1/' "$TMP/kh"
ssh-keygen -q -t ed25519 -N '' -f "$TMP/fake"
printf '[127.0.0.1]:%s %s\n' "$GIT_SSH_PORT" \
	"$(cut -d' ' -f1,2 "$TMP/fake.pub")" >"$TMP/kh2"
t_run env SSH_KNOWN_HOSTS="$TMP/kh2" "$DEVENV" clone "$key" "$url" x2
t_status 6 "a changed host key is refused"
t_err "is not the one in known_hosts" "and named"
{ known ed25519; echo "@revoked $(known ed25519)"; } >"$TMP/kh3"
t_run env SSH_KNOWN_HOSTS="$TMP/kh3" "$DEVENV" clone "$key" "$url" x2
t_status 6 "a revoked host key is refused"
t_err "is revoked" "and named"
t_run env SSH_KNOWN_HOSTS="$TMP/none" "$DEVENV" clone --insecure "$key" "$url" x2
t_status 0 "--insecure accepts any"

t_run "$DEVENV" clone "$url" y
t_status 6 "without a key it is refused"
t_err "authentication required" "and named"
ssh-keygen -q -t ed25519 -N '' -f "$TMP/other"
t_run "$DEVENV" clone --git-ssh-private-key-path "$TMP/other" "$url" y
t_status 6 "a foreign key is refused"
t_err "accepts none of the SSH keys" "and named"
ssh-keygen -q -t ed25519 -N 'pass' -f "$TMP/locked" -m PEM
t_run "$DEVENV" clone --git-ssh-private-key-path "$GIT_SSH_KEY" \
	--git-ssh-private-key-base64 x "$url" y
t_status 2 "two keys are a contradiction"
t_err "not both" "and named"
t_run "$DEVENV" clone --git-ssh-private-key-path "$TMP/none" "$url" y
t_status 4 "a missing key file"
t_err "SSH key: .*none" "is named"
b64=$(base64 -w0 "$GIT_SSH_KEY")
t_run env ENVBUILDER_GIT_SSH_PRIVATE_KEY_BASE64="$b64" "$DEVENV" clone \
	"$me@[127.0.0.1:$GIT_SSH_PORT]:$GIT_ROOT/app.git" y
t_status 0 "a key as base64, the scp form with a port"
t_ok "the key is nowhere" sh -c "! grep -rqF '$b64' y '$out' '$err'"
cp "$GIT_SSH_KEY" "$HOME/.ssh/id_ed25519"
t_run "$DEVENV" clone "$url" y1
t_status 0 "a key in its usual place"
rm "$HOME/.ssh/id_ed25519"
t_run "$DEVENV" clone "$key" --depth 1 "$url" y2
t_status 0 "--depth over ssh"
t_is "$(git -C y2 rev-list --count HEAD)" 1 "limits the history"

eval "$(ssh-agent)" >/dev/null
t_atexit "kill $SSH_AGENT_PID"
ssh-add -q "$GIT_SSH_KEY"
t_run "$DEVENV" clone "$url" z
t_status 0 "a key of ssh-agent"
t_run "$DEVENV" clone "${url%app.git}none.git" z1
t_status 6 "a missing repository is refused"
t_err "does not appear to be a git repository" "with the words of the server"
t_ok "no directory of a connection is left" \
	sh -c "! ls -d ${TMPDIR:-/tmp}/devenv-ssh-* 2>/dev/null"
t_done
