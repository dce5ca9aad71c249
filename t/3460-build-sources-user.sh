#!/bin/sh
# 3460-build-sources-user.sh - what is fetched, for users, by proxies and CAs
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"
t_need root setpriv busybox git python3 nginx fcgiwrap openssl curl squid
. "$(dirname "$0")/helper/gitserver.sh"
. "$(dirname "$0")/helper/webserver.sh"

CTX=$TMP/ctx
mkdir -p "$CTX" "$TMP/named"
echo local >"$CTX/a"
echo named >"$TMP/named/n"
git_make_ca
t_ok "a web server with TLS" web_start tls
git_http_start tls
git_repo repo.git
git_commit repo.git dir/file one >/dev/null
echo content >"$WEB_ROOT/file"
tar -C "$CTX" -cf "$WEB_ROOT/ctx.tar" .
cat >"$CTX/Dockerfile" <<X
FROM scratch
ADD $WEB/file $GIT_HTTP/repo.git a /dest/
COPY --from=named n /n
COPY --from=tar a /t
X
chmod -R a+rX "$CTX" "$TMP/named"
files() {
	(cd "$1" && find . -type f -printf '%P %m ' -exec cat {} \;) | sort
}

# --- without the authority, and with it ---
build() { # [OPTION...]
	rm -rf "$TMP/files"
	t_run timeout 100 "$DEVENV" build --output "type=local,dest=$TMP/files" \
		--build-context "named=$TMP/named" \
		--build-context "tar=$WEB/ctx.tar" "$@" "$CTX"
}
build --registry-retries 1
t_status 5 "[I40] a certificate that nobody vouches for"
t_err "Dockerfile:2:1: $WEB/file: .*certificate" "[I40] is not trusted"
build --ca-file "$GIT_CA"
t_status 0 "[I40] [I41] [S09] --ca-file vouches for downloads and repositories"
files "$TMP/files" >"$TMP/want"
t_is "$(grep -c . "$TMP/want")" 6 "[I40] [I41] [S09] all files came"

# --- through a proxy ---
git_proxy_start
DEVENV_STORE=$TMP/proxied
export DEVENV_STORE
# A loopback host is never asked through a proxy: localhost by another name.
name=web.test
openssl req -newkey rsa:2048 -nodes -subj "/CN=$name" -keyout "$TMP/tls.key" \
	-out "$TMP/tls.csr" 2>/dev/null
printf 'subjectAltName=DNS:%s\n' "$name" >"$TMP/tls.ext"
openssl x509 -req -in "$TMP/tls.csr" -CA "$GIT_CA" -CAkey "$TMP/ca.key" \
	-CAcreateserial -days 2 -extfile "$TMP/tls.ext" -out "$TMP/tls.pem" \
	2>/dev/null
kill -HUP "$(cat "$TMP/nginx-web/nginx.pid")" "$(cat "$GIT_HTTP_DIR/nginx.pid")"
echo "127.0.0.1 localhost $name" >"$TMP/squid/hosts"
kill -HUP "$(cat "$TMP/squid/started")"
sleep 1
cat >"$CTX/Dockerfile" <<X
FROM scratch
ADD https://$name:${WEB##*:}/file https://$name:${GIT_HTTP##*:}/repo.git /dest/
X
export https_proxy="$GIT_PROXY"
t_run timeout 100 "$DEVENV" build --ca-file "$GIT_CA" "$CTX"
unset https_proxy
t_status 0 "[I40] [I41] downloads and repositories through a proxy"
t_is "$(grep -c "CONNECT $name:${WEB##*:}" "$GIT_PROXY_LOG")" 1 \
	"[I40] the download went through it"
t_ok "[I41] and the repository" \
	grep -q "CONNECT $name:${GIT_HTTP##*:}" "$GIT_PROXY_LOG"

# --- as users ---
git_daemon_start
cat >"$CTX/Dockerfile" <<X
FROM scratch
ADD $GIT_DAEMON/repo.git a /dest/
COPY --from=named n /n
X
DEVENV_STORE=$TMP/asroot
rm -rf "$TMP/files"
"$DEVENV" build -q --output "type=tar,dest=$TMP/root.tar" \
	--build-context "named=$TMP/named" "$CTX" >/dev/null 2>&1
list() {
	tar --numeric-owner -tvf "$1" | sed 's/ [0-9-]* [0-9:]* / /' | sort
}
list "$TMP/root.tar" >"$TMP/want"
t_ok "there is something to compare" grep -q dest/dir/file "$TMP/want"
for kind in range single; do
	build_user $kind
	t_run as "$DEVENV" build --output "type=tar,dest=$TMP/$kind/out.tar" \
		--build-context "named=$TMP/named" "$CTX"
	t_status 0 "[I41] [S09] a user's build, $kind"
	list "$TMP/$kind/out.tar" >"$TMP/have"
	t_ok "[I41] [S09] has the same files, $kind" \
		diff -u "$TMP/want" "$TMP/have"
done
t_done
