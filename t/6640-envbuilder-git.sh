#!/bin/sh
# 6640-envbuilder-git.sh - envbuilder's cases: access to repositories
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"
. "$(dirname "$0")/helper/gitserver.sh"
. "$(dirname "$0")/envbuilder-lib.sh"

t_need root userns busybox git nginx fcgiwrap openssl sshd ssh-keygen
t_ok "a base image" env_base
mkdir "$TMP/here"
cd "$TMP/here" || exit 1
git_http_start auth tls
git_ssh_start
put .devcontainer/devcontainer.json '{"image": "base"}'
publish app
for n in 1 2; do git_commit app.git "file$n" "$n" >/dev/null; done
git_commit app.git of-branch yes side >/dev/null
ENVBUILDER_GIT_URL=$GIT_HTTP/app.git
export ENVBUILDER_GIT_URL
here=$TMP/here/app
get() { # VARIABLE=VALUE...: an up in a new directory
	rm -rf "$here"
	t_run timeout 60 env "$@" "$DEVENV" up -- cat file2
}
works() { # SENTENCE
	t_is "$status $(cat "$out")" "0 2" "$1"
}
ca=ENVBUILDER_SSL_CERT_BASE64=$(base64 -w0 "$GIT_CA")
user=ENVBUILDER_GIT_USERNAME=dev
password=ENVBUILDER_GIT_PASSWORD=s3cret-pw

get "$user" "$password"
t_status 5 "TestBuildCustomCertificates: without it"
t_err 'not signed by a trusted authority' "TestBuildCustomCertificates: told"
get "$ca" "$user" "$password"
works "TestBuildCustomCertificates"
t_is "$(git -C "$here" remote get-url origin)" "$GIT_HTTP/app.git" \
	"TestSucceedsGitAuth: the address that is kept is clean"
get ENVBUILDER_INSECURE=true "$user" "$password"
works "INSECURE: any certificate will do"
get "$ca"
t_status 6 "TestFailsGitAuth"
t_err 'authentication required' "TestFailsGitAuth: told"
get "$ca" "ENVBUILDER_GIT_URL=https://dev:s3cret-pw@${GIT_HTTP#*://}/app.git"
works "TestSucceedsGitAuthInURL"
t_ok "TestSucceedsGitAuthInURL: no file keeps the password" \
	sh -c '! grep -rq s3cret-pw "$1" "$2" "$3"' - "$here/.git" "$out" "$err"
get "$ca" "$user" "$password" ENVBUILDER_GIT_CLONE_DEPTH=1
works "GIT_CLONE_DEPTH"
t_is "$(git -C "$here" rev-list --count HEAD)" 1 "GIT_CLONE_DEPTH: one commit"
get "$ca" "$user" "$password" ENVBUILDER_GIT_CLONE_SINGLE_BRANCH=true
works "GIT_CLONE_SINGLE_BRANCH, whatever the branch's name is"
t_is "$(git -C "$here" branch -r | grep -c side)" 0 \
	"GIT_CLONE_SINGLE_BRANCH: and that branch only"
get "$ca" "$user" "$password" "ENVBUILDER_GIT_URL=$GIT_HTTP/app.git#refs/heads/side"
works "GIT_URL with a reference"
t_is "$(cat "$here/of-branch")" yes "GIT_URL with a reference: is that"
get "$ca" "$user" "$password" ENVBUILDER_GIT_HTTP_PROXY_URL=http://127.0.0.1:1
t_status 5 "GIT_HTTP_PROXY_URL is who is asked"
t_err '127.0.0.1:1|onnection refused' "GIT_HTTP_PROXY_URL: and told when not there"

url=ENVBUILDER_GIT_URL=$(id -un)@[127.0.0.1:$GIT_SSH_PORT]:$GIT_ROOT/app.git
printf '[127.0.0.1]:%s %s\n' "$GIT_SSH_PORT" \
	"$(cut -d' ' -f1,2 "$GIT_SSH_HOSTKEY")" >"$TMP/known"
SSH_KNOWN_HOSTS=$TMP/known
export SSH_KNOWN_HOSTS
key=ENVBUILDER_GIT_SSH_PRIVATE_KEY
get "$url" "${key}_BASE64=$(base64 -w0 "$GIT_SSH_KEY")"
works "TestGitSSHAuth/Base64/Success"
ssh-keygen -q -t ed25519 -N '' -f "$TMP/other"
get "$url" "${key}_BASE64=$(base64 -w0 "$TMP/other")"
t_status 6 "TestGitSSHAuth/Base64/Failure"
t_err 'accepts none of the SSH keys' "TestGitSSHAuth/Base64/Failure: told"
get "$url" "ENVBUILDER_GIT_SSH_PRIVATE_KEY_PATH=$GIT_SSH_KEY"
works "GIT_SSH_PRIVATE_KEY_PATH"
get "$url" "${key}_PATH=$GIT_SSH_KEY" "${key}_BASE64=x"
t_status 2 "GIT_SSH_PRIVATE_KEY_PATH and _BASE64 exclude each other"
get SSH_KNOWN_HOSTS=/dev/null "$url" "${key}_PATH=$GIT_SSH_KEY"
t_status 6 "a host that is not known is not talked to"
t_err 'is not known' "which is told"

env_idle "at the end"
t_done
