#!/bin/sh
# proxies and certificates, in a network and an /etc of their own
if [ -z "${OWN_NETWORK:-}" ] && unshare -mn true 2>/dev/null; then
	OWN_NETWORK=1 exec unshare -mn --propagation private sh "$0"
fi
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
t_need root docker-registry skopeo umoci openssl squid ip
unset OWN_NETWORK SSL_CERT_FILE SSL_CERT_DIR

# Addresses that are no loopback's: proxies and TLS are meant for those.
ip link set lo up
registry_address=10.77.0.1
proxy_address=10.77.0.2
ip address add "$registry_address/32" dev lo
ip address add "$proxy_address/32" dev lo

proxy_port=$(t_port)
proxy=http://$proxy_address:$proxy_port
proxy_log=$TMP/squid/log
mkdir "$TMP/squid"
chmod 777 "$TMP/squid"
cat >"$TMP/squid/conf" <<END
http_port $proxy_address:$proxy_port
http_access allow all
tcp_outgoing_address $proxy_address
access_log stdio:$proxy_log
cache_log $TMP/squid/cache.log
cache deny all
forwarded_for delete
pid_filename none
shutdown_lifetime 0 seconds
END
squid -N -f "$TMP/squid/conf" >"$TMP/squid/out" 2>&1 &
t_atexit "kill $! 2>/dev/null; wait $! 2>/dev/null"
t_wait grep -q 'Accepting HTTP' "$TMP/squid/cache.log"

t_ok "an image for the tests" registry_image "$TMP/lay" one hello
registry_start plain
plain=$registry
t_ok "a registry without TLS" skopeo copy -q --dest-tls-verify=false \
	"oci:$TMP/lay:one" "docker://$plain/a/app:1"
registry_start tls tls
tls=$registry
ca=$TMP/tls/ca.pem
t_ok "one with TLS" skopeo copy -q --dest-tls-verify=false \
	"oci:$TMP/lay:one" "docker://$tls/a/app:1"

pull() { # VARIABLE=VALUE... -- ARGUMENT...
	nr=$((${nr:-0} + 1))
	: >"$proxy_log"
	: >"$TMP/plain/log"
	: >"$TMP/tls/log"
	variables=
	while [ "$1" != -- ]; do
		variables="$variables $1"
		shift
	done
	shift
	# shellcheck disable=SC2086
	t_run timeout 60 env $variables "$DEVENV" --store "$TMP/s$nr" pull "$@"
}
direct() { # NAME: requests that did not come through the proxy
	grep -a 'msg="response completed"' "$TMP/$1/log" |
		grep -cv "remoteaddr=\"$proxy_address:"
}

pull -- "$plain/a/app:1"
t_status 5 "plain http where TLS is expected"
t_err "--insecure-registry $plain" "needs to be allowed"
pull "http_proxy=$proxy" "https_proxy=$proxy" -- \
	--insecure-registry "$plain" "$plain/a/app:1"
t_status 0 "pull through a proxy, plain http"
t_err "$plain is spoken to over plain http" "which is told"
t_ok "the proxy saw the blobs" grep -q "GET http://$plain/v2/a/app/blobs/" \
	"$proxy_log"
t_is "$(direct plain)" 0 "and nothing went past it"
pull "https_proxy=$proxy" -- --ca-file "$ca" "$tls/a/app:1"
t_status 0 "pull through a tunnel"
t_ok "the proxy saw a name only" grep -q "CONNECT $tls" "$proxy_log"
t_is "$(direct tls)" 0 "and nothing went past the tunnel"
pull "HTTPS_PROXY=$proxy" -- --ca-file "$ca" "$tls/a/app:1"
t_is "$(grep -c CONNECT "$proxy_log")" 1 "upper case counts, too"
pull "https_proxy=$proxy" no_proxy=10.77.0.0/16 -- --ca-file "$ca" \
	"$tls/a/app:1"
t_status 0 "no_proxy with a network"
t_is "$(wc -l <"$proxy_log")" 0 "goes past the proxy"
pull "https_proxy=$proxy" "no_proxy=${tls%:*}:1,$tls" -- --ca-file "$ca" \
	"$tls/a/app:1"
t_is "$status $(wc -l <"$proxy_log")" "0 0" "so does a host with its port"
pull "https_proxy=$proxy" "no_proxy=${tls%:*}:1" -- --ca-file "$ca" \
	"$tls/a/app:1"
t_is "$(grep -c CONNECT "$proxy_log")" 1 "but not one with another"
pull "HTTP_PROXY=http://$proxy_address:1" REQUEST_METHOD=GET \
	"HTTPS_PROXY=$proxy" -- --insecure-registry "$plain" "$plain/a/app:1"
t_status 0 "below a CGI server HTTP_PROXY is not to be trusted"
pull "https_proxy=http://$proxy_address:1" -- --ca-file "$ca" "$tls/a/app:1"
t_status 5 "a proxy that is not there"
t_err "$proxy_address" "is named"

# A push, with a password, to a host that is reached through a tunnel only.
registry_start locked tls htpasswd me s3cret-pass
locked=$registry
mkdir "$TMP/conf"
printf '{"auths":{"%s":{"auth":"%s"}}}\n' "$locked" \
	"$(printf me:s3cret-pass | base64)" >"$TMP/conf/config.json"
: >"$proxy_log"
t_run timeout 60 env "https_proxy=$proxy" "DOCKER_CONFIG=$TMP/conf" \
	"$DEVENV" -v push --ca-file "$TMP/locked/ca.pem" --chunk-size 100 \
	"$TMP/lay" "$locked/a/app:1"
t_status 0 "push with a password, through a tunnel, to an own authority's"
t_ok "the proxy saw a name only" grep -q "CONNECT $locked" "$proxy_log"
t_is "$(grep -a 'msg="response completed"' "$TMP/locked/log" |
	grep -cv "remoteaddr=\"$proxy_address:")" 0 "nothing went past the tunnel"
t_is "$(cat "$err" "$proxy_log" | grep -c 's3cret-pass')" 0 \
	"the password is nowhere"
t_ok "skopeo finds what was pushed" skopeo copy -q --src-tls-verify=false \
	--src-creds me:s3cret-pass "docker://$locked/a/app:1" "dir:$TMP/back"

# A token server further inside than the registry.
registry_start tokens token
t_run timeout 60 "$DEVENV" push --insecure-registry "$registry" "$TMP/lay" \
	"$registry/a/app:1"
t_status 6 "a registry that names a token server on this host"
t_err "$registry names a token server further inside the network: 'http://127" \
	"is not believed"
t_err 'hint: .*--allow-private-realm 127.0.0.1$' "unless one allows it"
t_is "$(cat "$TMP/tokens/tokens")" "" "the token server is not asked"
pull -- --insecure-registry "$registry" --allow-private-realm 127.0.0.1 \
	"$registry/a/app:1"
t_ok "the token server is asked when allowed" \
	grep -q '^GET service=test-service' "$TMP/tokens/tokens"
t_err 'MANIFEST_UNKNOWN|NAME_UNKNOWN' "and its token serves"

# Certificates where docker and podman look for them.
etc=
for dir in /etc/docker /etc/containers; do
	[ -d $dir ] && etc=$dir
done
if [ -n "$etc" ] && mount -t tmpfs tmpfs $etc; then
	registry_start clients tls clients
	clients=$registry
	certs=$etc/certs.d/$clients
	pull -- --ca-file "$TMP/clients/ca.pem" "$clients/a/app:1"
	t_status 5 "a registry that wants a certificate"
	mkdir -p "$certs"
	cp "$TMP/clients/ca.pem" "$certs/ca.crt"
	cp "$TMP/clients/cert.pem" "$certs/client.cert"
	t_run "$DEVENV" push "$TMP/lay" "$clients/a/app:1"
	t_err "client.cert has no key beside it" "half a pair is told"
	cp "$TMP/clients/key.pem" "$certs/client.key"
	t_run "$DEVENV" push "$TMP/lay" "$clients/a/app:1"
	t_status 0 "certs.d gives an authority and a certificate"
	pull -- "$clients/a/app:1"
	t_status 0 "to pull with, too"
	pull -- "$tls/a/app:1"
	t_status 5 "but for this registry only"
	t_err "--ca-file, or allow it" "the other has an unknown authority"
fi
mkdir "$TMP/roots"
cp "$ca" "$TMP/roots/ca.pem"
openssl rehash "$TMP/roots"
pull "SSL_CERT_DIR=$TMP/roots" -- "$tls/a/app:1"
t_status 0 "authorities from SSL_CERT_DIR"
t_done
