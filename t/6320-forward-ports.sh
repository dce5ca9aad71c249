#!/bin/sh
# 6320-forward-ports.sh - ports of an environment with a network of its own
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"

t_need root userns busybox jq curl python3
t_ok "a base image" env_base
up() { t_run timeout 60 "$DEVENV" up "$@"; }
port=$(t_port) other=$(t_port) taken=$(t_port)
mkdir -p "$TMP/www" && echo hello from inside >"$TMP/www/index.html"
head -c 3000000 /dev/urandom >"$TMP/www/big"
python3 -m http.server --bind 127.0.0.1 "$taken" --directory "$TMP/base" >/dev/null 2>&1 &
t_atexit "kill $!"
listens() { [ -n "$(ss -Hltn "sport = :$taken")" ]; }
t_ok "a port that is taken" t_wait listens

serve='httpd -h /www -p 127.0.0.1:7070; httpd -h /www -p 7071; httpd -h /www -p [::1]:7072'
env_project "$TMP/app" '{"image": "base", "forwardPorts": ["localhost:7071", "db:5432"],
	"appPort": ["'$port':7070", "'$taken':7072"], "postStartCommand": "'"$serve"'"}'
up -d --name own --net none -v "$TMP/www:/www:ro" "$TMP/app"
t_status 0 "an environment without the host's network"
t_err "port 7070 of the environment is 127.0.0.1:$port\$" "says where its ports are"
t_err "port $taken is in use here: port 7072 of the environment is 127.0.0.1:" "also when one is taken"
t_err "forwardPorts: 'db:5432' is not forwarded" "and which it does not forward"
t_is "$(jq -c '.environment.ports[0]' "$out")" '{"address":"127.0.0.1:7071","port":7071}' \
	"so does the record"
seen=$(sed -n "s/.*port $taken is in use .* is 127.0.0.1://p" "$err")
t_is "$(curl -s "http://127.0.0.1:$port/")" "hello from inside" "a published port"
t_is "$(curl -s "http://127.0.0.1:7071/")" "hello from inside" "a forwarded one"
t_is "$(curl -s "http://127.0.0.1:$seen/")" "hello from inside" "one that only listens for IPv6"
curl -s "http://127.0.0.1:$port/big" >"$TMP/big" &
one=$!
curl -s "http://127.0.0.1:$port/big" >"$TMP/big2"
wait $one
t_ok "three megabytes, twice at once" sh -c 'cmp "$1/www/big" "$1/big" && cmp "$1/www/big" "$1/big2"' - "$TMP"
t_is "$(ss -Hltn "sport = :$port" | awk '{print $4}')" "127.0.0.1:$port" "nobody else can see it"
t_run curl -s --max-time 5 "http://127.0.0.1:7073/"
t_status 7 "a port that was not named is not there"
"$DEVENV" exec own killall httpd
t_run curl -s --max-time 5 "http://127.0.0.1:$port/"
t_ok "a server that has ended: the connection ends" test "$status" -ne 0 -a "$status" -ne 28
t_run "$DEVENV" stop own
gone() { [ -z "$(ss -Hltn "sport = :$port")" ]; }
t_ok "nothing listens when it has stopped" t_wait gone
env_project "$TMP/app" '{"image": "base", "forwardPorts": ['$other']}'
up "$TMP/app" -- true
t_is "$(grep -c "is 127.0.0.1" "$err")" 0 "with the host's network there is nothing to do"
env_idle "at the end"
t_done
