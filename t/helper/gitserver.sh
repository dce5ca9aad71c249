# gitserver.sh - real Git servers on loopback for tests; source after lib.sh
# shellcheck shell=sh
#
#	git_repo NAME                 bare repository $GIT_ROOT/NAME, one commit
#	git_commit NAME FILE TEXT [BRANCH]   one more commit; prints its id
#	git_http_start [auth] [tls]   nginx and git http-backend: $GIT_HTTP is
#	                              the base URL; with auth: user "dev",
#	                              password "s3cret-pw"; with tls: CA file
#	                              $GIT_CA, else http
#	git_daemon_start              git://: $GIT_DAEMON
#	git_ssh_start                 sshd: $GIT_SSH_PORT, $GIT_SSH_KEY (client
#	                              key), $GIT_SSH_HOSTKEY (public host key)
#	git_proxy_start               squid: $GIT_PROXY; log $GIT_PROXY_LOG
# All servers end with the test.

GIT_ROOT=$TMP/git
mkdir -p "$GIT_ROOT"
GIT_CONFIG_NOSYSTEM=1
GIT_CONFIG_GLOBAL=$TMP/gitconfig
export GIT_CONFIG_NOSYSTEM GIT_CONFIG_GLOBAL
cat >"$GIT_CONFIG_GLOBAL" <<'END'
[user]
	name = Tester
	email = tester@example.com
[init]
	defaultBranch = trunk
[protocol "file"]
	allow = always
[safe]
	directory = *
[commit]
	gpgsign = false
END

# A port nobody listens on now.
git_port() {
	python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

git_wait_port() {
	for git_i in $(seq 100); do
		python3 -c 'import socket, sys
socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1)' "$1" \
			2>/dev/null && return 0
		sleep 0.05
	done
	echo "Bail out! nothing listens on port $1"
	exit 1
}

git_stop_pidfile() {
	if [ -s "$1" ]; then kill "$(cat "$1")" 2>/dev/null; fi
}

git_repo() {
	git init -q --bare "$GIT_ROOT/$1"
	git -C "$GIT_ROOT/$1" config http.receivepack true
	git -C "$GIT_ROOT/$1" config uploadpack.allowFilter true
	git_commit "$1" README "hello from $1" >/dev/null
}

git_commit() {
	git_work=$TMP/git-work
	rm -rf "$git_work"
	git clone -q "$GIT_ROOT/$1" "$git_work" 2>/dev/null
	(
		cd "$git_work" || exit 1
		if [ $# -gt 3 ]; then
			git checkout -q "$4" 2>/dev/null || git checkout -qb "$4"
		fi
		mkdir -p "$(dirname "$2")"
		printf '%s\n' "$3" >"$2"
		git add -A
		git commit -qm "change $2"
		git push -q origin HEAD 2>/dev/null
		git rev-parse HEAD
	)
	rm -rf "$git_work"
}

# A CA and a certificate for localhost and 127.0.0.1.
git_make_ca() {
	GIT_CA=$TMP/ca.pem
	[ -s "$GIT_CA" ] && return 0
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=Test CA" \
		-keyout "$TMP/ca.key" -out "$GIT_CA" 2>/dev/null
	openssl req -newkey rsa:2048 -nodes -subj "/CN=localhost" \
		-keyout "$TMP/tls.key" -out "$TMP/tls.csr" 2>/dev/null
	printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >"$TMP/tls.ext"
	openssl x509 -req -in "$TMP/tls.csr" -CA "$GIT_CA" \
		-CAkey "$TMP/ca.key" -CAcreateserial -days 2 \
		-extfile "$TMP/tls.ext" -out "$TMP/tls.pem" 2>/dev/null
}

git_http_start() {
	git_tls='' git_auth='' git_scheme=http
	git_port=$(git_port)
	git_dir=$TMP/nginx-$git_port
	mkdir -p "$git_dir"
	for git_word; do
		case $git_word in
		auth)
			printf 'dev:%s\n' "$(openssl passwd -apr1 s3cret-pw)" \
				>"$git_dir/htpasswd"
			git_auth="auth_basic git; auth_basic_user_file $git_dir/htpasswd;"
			;;
		tls)
			git_make_ca
			git_scheme=https
			git_tls="ssl_certificate $TMP/tls.pem;
				ssl_certificate_key $TMP/tls.key;"
			;;
		esac
	done
	spawn_sock=$git_dir/cgi.sock
	# A group of its own: its children survive it, and SIGTERM.
	setsid fcgiwrap -c 2 -s "unix:$spawn_sock" >/dev/null \
		2>"$git_dir/cgi.err" &
	git_cgi=$!
	cat >"$git_dir/nginx.conf" <<END
pid $git_dir/nginx.pid;
$([ "$(id -u)" = 0 ] && echo 'user root;')
error_log $git_dir/error.log;
events { worker_connections 64; }
http {
	access_log $git_dir/access.log
		combined;
	log_format auth '\$request \$status auth=\$http_authorization';
	access_log $git_dir/auth.log auth;
	client_body_temp_path $git_dir/body;
	fastcgi_temp_path $git_dir/fcgi;
	proxy_temp_path $git_dir/proxy;
	uwsgi_temp_path $git_dir/uwsgi;
	scgi_temp_path $git_dir/scgi;
	client_max_body_size 0;
	server {
		listen 127.0.0.1:$git_port$([ -n "$git_tls" ] && echo ' ssl');
		$git_tls
		include $git_dir/extra*.conf;
		location / {
			$git_auth
			fastcgi_pass unix:$spawn_sock;
			include /etc/nginx/fastcgi_params;
			fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend;
			fastcgi_param GIT_HTTP_EXPORT_ALL "";
			fastcgi_param GIT_PROJECT_ROOT $GIT_ROOT;
			fastcgi_param GIT_CONFIG_GLOBAL $GIT_CONFIG_GLOBAL;
			fastcgi_param PATH_INFO \$uri;
			fastcgi_param REMOTE_USER \$remote_user;
		}
	}
}
END
	[ -n "${GIT_HTTP_EXTRA:-}" ] &&
		printf '%s\n' "$GIT_HTTP_EXTRA" >"$git_dir/extra.conf"
	nginx -p "$git_dir" -c "$git_dir/nginx.conf" 2>"$git_dir/start.err" || {
		echo "Bail out! nginx: $(cat "$git_dir/start.err")"
		exit 1
	}
	t_atexit "git_stop_pidfile $git_dir/nginx.pid; kill -s KILL -- -$git_cgi"
	git_wait_port "$git_port"
	GIT_HTTP_DIR=$git_dir
	GIT_HTTP=$git_scheme://127.0.0.1:$git_port
}

git_daemon_start() {
	git_port=$(git_port)
	git daemon --reuseaddr --listen=127.0.0.1 --port="$git_port" \
		--export-all --base-path="$GIT_ROOT" \
		--pid-file="$TMP/git-daemon.pid" >/dev/null 2>&1 &
	t_atexit "git_stop_pidfile $TMP/git-daemon.pid"
	git_wait_port "$git_port"
	GIT_DAEMON=git://127.0.0.1:$git_port
}

git_ssh_start() {
	GIT_SSH_PORT=$(git_port)
	git_dir=$TMP/sshd
	mkdir -p "$git_dir" /run/sshd 2>/dev/null
	for git_type in ed25519 ecdsa rsa; do
		ssh-keygen -q -t $git_type -N '' -f "$git_dir/host_$git_type"
	done
	ssh-keygen -q -t ed25519 -N '' -f "$git_dir/client"
	GIT_SSH_KEY=$git_dir/client
	GIT_SSH_HOSTKEY=$git_dir/host_ed25519.pub
	cp "$git_dir/client.pub" "$git_dir/authorized_keys"
	cat >"$git_dir/config" <<END
Port $GIT_SSH_PORT
ListenAddress 127.0.0.1
HostKey $git_dir/host_ed25519
HostKey $git_dir/host_ecdsa
HostKey $git_dir/host_rsa
AuthorizedKeysFile $git_dir/authorized_keys
PidFile $git_dir/pid
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
END
	"$(command -v sshd || echo /usr/sbin/sshd)" -f "$git_dir/config" \
		-E "$git_dir/log"
	t_atexit "git_stop_pidfile $git_dir/pid"
	git_wait_port "$GIT_SSH_PORT"
}

git_proxy_start() {
	git_port=$(git_port)
	git_dir=$TMP/squid
	mkdir -p "$git_dir"
	chmod 777 "$git_dir"
	GIT_PROXY_LOG=$git_dir/access.log
	echo "127.0.0.1 localhost" >"$git_dir/hosts" # none in small roots
	cat >"$git_dir/conf" <<END
http_port 127.0.0.1:$git_port
http_access allow all
access_log stdio:$GIT_PROXY_LOG
cache_log $git_dir/cache.log
pid_filename $git_dir/pid
hosts_file $git_dir/hosts
cache deny all
shutdown_lifetime 0 seconds
pinger_enable off
END
	# Its shared memory bears its name.
	squid -N -n "test$$" -f "$git_dir/conf" >/dev/null 2>&1 &
	echo $! >"$git_dir/started"
	t_atexit "git_stop_pidfile $git_dir/started"
	git_wait_port "$git_port"
	GIT_PROXY=http://127.0.0.1:$git_port
}
