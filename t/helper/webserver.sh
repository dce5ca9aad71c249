# webserver.sh - nginx on loopback that hands out files; source after lib.sh
# shellcheck shell=sh
#
#	web_start [tls]		$WEB is its URL, $WEB_ROOT what it serves,
#				$WEB_LOG one line a request: "GET /x 200 BYTES"
#
# Below /etag/ files have an ETag only, below /date/ a Last-Modified only,
# below /plain/ neither; /moved/X redirects to /X, /status/N answers N for some. With
# tls (after git_make_ca) the certificate is that of gitserver.sh. It ends
# with the test.

web_start() {
	WEB_ROOT=$TMP/www
	WEB_LOG=$TMP/nginx-web/requests
	w_port=$(t_port)
	w_dir=$TMP/nginx-web
	WEB=http://127.0.0.1:$w_port
	mkdir -p "$WEB_ROOT" "$w_dir"
	chmod 755 "$WEB_ROOT"
	w_tls=
	if [ "${1:-}" = tls ]; then
		WEB=https://localhost:$w_port
		w_tls="ssl_certificate $TMP/tls.pem;
			ssl_certificate_key $TMP/tls.key;"
	fi
	for w_kind in etag date plain; do
		ln -sfn . "$WEB_ROOT/$w_kind"
	done
	cat >"$w_dir/nginx.conf" <<END
pid $w_dir/nginx.pid;
$([ "$(id -u)" = 0 ] && echo 'user root;')
error_log $w_dir/error.log;
events { worker_connections 64; }
http {
	log_format short '\$request_method \$uri \$status \$body_bytes_sent';
	access_log $WEB_LOG short;
	client_body_temp_path $w_dir/body;
	fastcgi_temp_path $w_dir/fcgi;
	proxy_temp_path $w_dir/proxy;
	uwsgi_temp_path $w_dir/uwsgi;
	scgi_temp_path $w_dir/scgi;
	server {
		listen 127.0.0.1:$w_port${w_tls:+ ssl};
		$w_tls
		root $WEB_ROOT;
		location /etag/ {
			if_modified_since off;
			add_header Last-Modified "";
		}
		location /date/ { etag off; }
		location /plain/ {
			etag off;
			if_modified_since off;
			add_header Last-Modified "";
		}
		location /moved/ { rewrite ^/moved/(.*) /\$1 redirect; }
		$(for w_code in 204 400 403 404 410 500; do
			echo "location = /status/$w_code { return $w_code; }"
		done)
	}
}
END
	nginx -c "$w_dir/nginx.conf" -p "$w_dir" -e "$w_dir/error.log" \
		>/dev/null 2>&1 || return 1
	t_atexit "kill \$(cat $w_dir/nginx.pid) 2>/dev/null"
	t_wait test -s "$w_dir/nginx.pid"
}

# Requests so far, or those that match.
web_requests() { # [REGEX]
	grep -Ec -e "${1:-.}" "$WEB_LOG" 2>/dev/null
}
