#!/bin/sh
# Clones over http and https: credentials, authorities, redirects, proxies.
. "$(dirname "$0")/lib.sh"
t_need git python3 nginx fcgiwrap openssl
. "$SRC/t/helper/gitserver.sh"
cd "$TMP" || exit 1
git_repo app.git
tip=$(git -C "$GIT_ROOT/app.git" rev-parse trunk)
unset DEVENV_GIT_PASSWORD ENVBUILDER_GIT_PASSWORD

git_http_start
open=$GIT_HTTP
t_run "$DEVENV" clone "$open/app.git"
t_status 0 "http without credentials"
t_is "$(git -C app rev-parse HEAD)" "$tip" "has the tip"
t_run "$DEVENV" clone "$open/none.git"
t_status 6 "a missing repository is refused"
t_err "404" "with the server's words"
t_run "$DEVENV" clone "http://127.0.0.1:1/x.git"
t_status 5 "a closed port is a network error"
t_err "[Cc]onnection refused" "with its reason"
for i in 1 2 3; do git_commit app.git "f$i" "$i" >/dev/null; done
t_run "$DEVENV" clone --depth 1 "$open/app.git" shallow
t_status 0 "--depth"
t_is "$(git -C shallow rev-list --count HEAD)" 1 "limits the history"
t_is "$(git -C shallow status --porcelain)" "" "and is clean"
git_commit app.git f4 4 >/dev/null
t_run "$DEVENV" clone "$open/app.git" shallow
t_status 0 "a shallow clone is updated"
t_is "$(cat shallow/f4)" 4 "to the new tip"

git_http_start auth
t_run "$DEVENV" clone "$GIT_HTTP/app.git" a1
t_status 6 "credentials are required"
t_err "authentication required" "and named so"
t_err "hint: .*DEVENV_GIT_PASSWORD" "with advice"
t_run env DEVENV_GIT_PASSWORD=wrong-pw "$DEVENV" clone --git-username dev \
	"$GIT_HTTP/app.git" a1
t_status 6 "a wrong password is refused"
t_err "does not accept the user name and password" "and named so"
t_ok "the password is not shown" sh -c "! grep -q wrong-pw '$err'"
t_run env ENVBUILDER_GIT_USERNAME=dev ENVBUILDER_GIT_PASSWORD=s3cret-pw \
	ENVBUILDER_GIT_URL="$GIT_HTTP/app.git" \
	ENVBUILDER_WORKSPACE_FOLDER="$TMP/a1" "$DEVENV" clone
t_status 0 "credentials, address and folder by ENVBUILDER_*"
host=${GIT_HTTP#http://}
t_run "$DEVENV" -v clone "http://dev:s3cret-pw@$host/app.git#trunk" a2
t_status 0 "credentials in the address"
t_out "\"url\": \"http://$host/app.git#trunk\"" "the record has none"
t_is "$(git -C a2 remote get-url origin)" "http://$host/app.git" \
	"the configuration neither"
t_ok "no file and no output has them" \
	sh -c "! grep -rq s3cret-pw a1 a2 '$out' '$err'"
t_run "$DEVENV" clone "http://dev:s3cret-pw@$host/app.git" a1
t_status 0 "the same repository with other credentials is the same clone"
t_run env DEVENV_GIT_PASSWORD=s3cret-pw "$DEVENV" clone --git-username dev \
	--depth 1 "$GIT_HTTP/app.git" a3
t_status 0 "--depth with credentials"
t_is "$(git -C a3 rev-list --count HEAD)" 1 "limits the history"
t_ok "no file has them" sh -c "! grep -rq s3cret-pw a3"

# Another host (by name) must not get what was meant for this one.
closed=$GIT_HTTP
GIT_HTTP_EXTRA="location /open/ { rewrite ^/open/(.*)\$ http://localhost:${open##*:}/\$1 redirect; }
location /closed/ { rewrite ^/closed/(.*)\$ http://localhost:${closed##*:}/\$1 redirect; }"
git_http_start
GIT_HTTP_EXTRA=
DEVENV_GIT_PASSWORD=s3cret-pw DEVENV_GIT_USERNAME=dev
export DEVENV_GIT_PASSWORD DEVENV_GIT_USERNAME
t_run "$DEVENV" clone "$GIT_HTTP/open/app.git" r1
t_status 0 "a redirect is followed without credentials"
t_run "$DEVENV" clone "$GIT_HTTP/closed/app.git" r2
t_status 6 "a redirect to where credentials are wanted is refused"
t_err "redirect" "and named"
t_err "hint: use the address it redirects to" "with advice"
t_ok "no other host saw credentials" sh -c "! grep -v 'auth=-' \
	'$TMP/nginx-${open##*:}/auth.log'"
unset DEVENV_GIT_PASSWORD DEVENV_GIT_USERNAME

# Submodules elsewhere do not get the credentials.
git clone -q "$GIT_ROOT/app.git" w
(
	cd w || exit 1
	printf '[submodule "m"]\n\tpath = m\n\turl = %s\n' \
		"$(echo "$closed" | sed s/127.0.0.1/localhost/)/app.git" >.gitmodules
	git add .gitmodules
	git update-index --add --cacheinfo "160000,$tip,m"
	git commit -qm sub && git push -q origin HEAD:refs/heads/sub
) 2>/dev/null
t_run env DEVENV_GIT_PASSWORD=s3cret-pw DEVENV_GIT_USERNAME=dev \
	"$DEVENV" clone --recurse-submodules "$closed/app.git#sub" r3
t_status 6 "a submodule elsewhere does not get the credentials"
t_err "submodule 'm': .*authentication required|submodule 'm': .*onnect" \
	"and is named"

git_http_start tls
t_run "$DEVENV" clone "$GIT_HTTP/app.git" t1
t_status 5 "an unknown authority is refused"
t_err "not signed by a trusted authority" "and named"
t_err "hint: .*--ca-file" "with advice"
t_run "$DEVENV" clone --ca-file "$GIT_CA" "$GIT_HTTP/app.git" t1
t_status 0 "--ca-file"
named=https://localhost:${GIT_HTTP##*:}
t_run env SSL_CERT_FILE="$GIT_CA" "$DEVENV" clone "$named/app.git" t2
t_status 0 "SSL_CERT_FILE"
t_run env ENVBUILDER_SSL_CERT_BASE64="$(base64 -w0 "$GIT_CA")" \
	"$DEVENV" clone "$named/app.git" t3
t_status 0 "ENVBUILDER_SSL_CERT_BASE64"
t_run "$DEVENV" clone --insecure "$GIT_HTTP/app.git" t4
t_status 0 "--insecure"
t_run "$DEVENV" clone --ca-file "$GIT_CA" --depth 1 "$named/app.git" t5
t_status 0 "--ca-file with --depth"
t_run "$DEVENV" clone --ca-file "$TMP/gitconfig" "$GIT_HTTP/app.git" t6
t_status 3 "a CA file without certificate"
t_err "no PEM certificate" "is named"

if command -v squid >/dev/null; then
	git_proxy_start
	t_run env https_proxy="$GIT_PROXY" "$DEVENV" clone \
		--ca-file "$GIT_CA" "$named/app.git" p1
	t_status 0 "https_proxy"
	t_wait grep -q "CONNECT localhost" "$GIT_PROXY_LOG"
	t_ok "a tunnel was made" grep -q "CONNECT localhost" "$GIT_PROXY_LOG"
	: >"$GIT_PROXY_LOG"
	t_run env http_proxy="$GIT_PROXY" "$DEVENV" clone "$open/app.git" p0
	t_status 0 "http_proxy is not used for http"
	t_err "does not go through the proxy" "and that is said"
	t_run "$DEVENV" clone --git-http-proxy-url "$GIT_PROXY" \
		"$open/app.git" p4
	t_status 8 "an explicit proxy for http is refused"
	t_err "no proxies for http" "and named"
	t_run "$DEVENV" clone --git-http-proxy-url "$GIT_PROXY" \
		--ca-file "$GIT_CA" "$named/app.git" p2
	t_status 0 "--git-http-proxy-url with https"
	t_wait grep -q "CONNECT localhost" "$GIT_PROXY_LOG"
	t_ok "a tunnel was made again" grep -q "CONNECT localhost" "$GIT_PROXY_LOG"
	: >"$GIT_PROXY_LOG"
	t_run env https_proxy="$GIT_PROXY" no_proxy=localhost "$DEVENV" clone \
		--ca-file "$GIT_CA" "$named/app.git" p3
	t_status 0 "no_proxy"
	t_ok "the proxy was not asked" test ! -s "$GIT_PROXY_LOG"
fi

git_daemon_start
t_run "$DEVENV" clone "$GIT_DAEMON/app.git" d1
t_status 0 "git://"
t_run "$DEVENV" clone "$GIT_DAEMON/none.git" d2
t_status 6 "a repository the daemon does not have"
t_err "access denied or repository not exported" "with its words"
t_done
