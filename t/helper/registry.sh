# registry.sh - sourced: start Debian's docker-registry on a loopback port
# shellcheck shell=sh
#
#	registry_start NAME [htpasswd USER PASSWORD] [tls] [clients] [token]
#		sets $registry (127.0.0.1:PORT, localhost:PORT with tls); its
#		log is $TMP/NAME/log, its authority $TMP/NAME/ca.pem; with
#		token see tokens.c: its log is $TMP/NAME/tokens, its mode
#		$TMP/NAME/mode
#
#	registry_requests NAME [PATTERN]
#		how many "METHOD PATH" that match it completed since the last
#	registry_forget NAME...
#
# Where $registry_address is set, registries listen there. All are stopped
# when the script ends.

registry_tls() { # DIR
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$1/ca.key" -out "$1/ca.pem" -days 2 \
		-subj /CN=test-authority >/dev/null 2>&1 &&
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$1/key.pem" -out "$1/csr.pem" \
		-subj /CN=localhost >/dev/null 2>&1 &&
	printf 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:%s\n' \
		"${registry_address:-127.0.0.1}" >"$1/ext" &&
	openssl x509 -req -in "$1/csr.pem" -CA "$1/ca.pem" \
		-CAkey "$1/ca.key" -CAcreateserial -days 2 \
		-extfile "$1/ext" -out "$1/cert.pem" >/dev/null 2>&1
}

registry_tokens() { # DIR
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$1/sign.key" \
		-out "$1/sign.pem" -days 2 -subj /CN=tokens \
		>/dev/null 2>&1 || return 1
	r_tokens=$(t_port)
	echo ok >"$1/mode"
	: >"$1/tokens"
	"$HELPER/tokens" "$r_tokens" "$1/tokens" "$1/mode" "$1/sign.key" \
		"$1/sign.pem" &
	t_atexit "kill $! 2>/dev/null"
}

registry_start() {
	r_dir=$TMP/$1
	shift
	mkdir -p "$r_dir/data"
	r_port=$(t_port)
	r_address=${registry_address:-127.0.0.1}
	registry=$r_address:$r_port
	{
		echo 'version: 0.1'
		echo 'log: {level: info}'
		echo "storage: {filesystem: {rootdirectory: $r_dir/data}," \
			"delete: {enabled: true}}"
		echo "http:"
		echo "  addr: $registry"
	} >"$r_dir/config.yml"
	while [ $# -gt 0 ]; do
		case $1 in
		tls)
			[ "$r_address" = 127.0.0.1 ] &&
				registry=localhost:$r_port
			registry_tls "$r_dir" || return 1
			echo "  tls:" >>"$r_dir/config.yml"
			echo "    certificate: $r_dir/cert.pem" \
				>>"$r_dir/config.yml"
			echo "    key: $r_dir/key.pem" >>"$r_dir/config.yml"
			shift
			;;
		clients) # after tls: whoever the authority signed for
			echo "    clientcas: [$r_dir/ca.pem]" \
				>>"$r_dir/config.yml"
			shift
			;;
		token)
			registry_tokens "$r_dir" || return 1
			echo "auth: {token: {service: test-service," \
				"realm: \"http://127.0.0.1:$r_tokens/token\"," \
				"issuer: test-issuer," \
				"rootcertbundle: $r_dir/sign.pem}}" \
				>>"$r_dir/config.yml"
			shift
			;;
		htpasswd)
			htpasswd -Bbn "$2" "$3" >"$r_dir/htpasswd"
			echo "auth: {htpasswd: {realm: test," \
				"path: $r_dir/htpasswd}}" >>"$r_dir/config.yml"
			shift 3
			;;
		esac
	done
	docker-registry serve "$r_dir/config.yml" >>"$r_dir/log" 2>&1 &
	r_pid=$!
	t_atexit "kill $r_pid 2>/dev/null; wait $r_pid 2>/dev/null"
	t_wait grep -q 'listening on' "$r_dir/log"
}

# A one-layer OCI layout, DIR:TAG, with umoci.
registry_image() { # DIR TAG FILE-TEXT
	if [ ! -e "$1/oci-layout" ]; then
		umoci init --layout "$1" || return 1
	fi
	umoci new --image "$1:$2" || return 1
	mkdir -p "$TMP/content"
	echo "$3" >"$TMP/content/file"
	umoci insert --image "$1:$2" "$TMP/content" /data
}

# A registry answers before it logs: once it has logged a request of ours that
# came after all others, those are in the log, too.
registry_settle() { # NAME
	r_mark=settled-$(date +%N)
	curl -s -o "$TMP/settled" "http://$(sed -n 's/^  addr: //p' \
		"$TMP/$1/config.yml")/v2/$r_mark/tags/list"
	t_wait grep -aq "response completed.*$r_mark" "$TMP/$1/log"
}

registry_requests() { # NAME [PATTERN]
	registry_settle "$1"
	grep -a 'msg="response completed' "$TMP/$1/log" |
		sed 's/.*http.request.method=\([A-Z]*\).*http.request.uri="*\([^ "?]*\).*/\1 \2/' |
		grep -v '/v2/settled-' | grep -c "${2:-.}"
}

registry_forget() { # NAME...
	for r_name in "$@"; do
		registry_settle "$r_name"
		: >"$TMP/$r_name/log"
	done
}
