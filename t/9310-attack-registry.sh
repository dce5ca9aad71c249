#!/bin/sh
# hostile images from a registry, and passwords that must show nowhere
. "$(dirname "$0")/lib.sh"
t_need python3

secret=$TMP/outside/secret
mkdir "$TMP/outside"
echo sentinel:HOST-SENTINEL:7:7::/:/bin/sh >"$secret"
before=$(cat "$secret")
evil=$SRC/t/helper/evilregistry.py
port=$(t_port)
python3 "$evil" "$port" "$TMP/outside" >"$TMP/evil.log" 2>&1 &
t_atexit "kill $! 2>/dev/null"
host=127.0.0.1:$port
ready() { "$DEVENV" --store "$TMP/probe" pull -q "$host/ok/x:1"; }
t_ok "a registry of hostile images" t_wait ready

# Which refusals are due; the rest may be taken, but reaches nothing.
refused=' both type digest algorithm size huge configsize deep empty null nul counts nodiffid diffid garbage environment labels '
mkdir "$TMP/p"
for name in $(python3 "$evil" 0 "$TMP/outside"); do
	printf 'FROM %s/%s/x:1\nCOPY Dockerfile /etc/x/y\n' "$host" "$name" \
		>"$TMP/p/Dockerfile"
	t_run timeout 60 "$DEVENV" build "$TMP/p"
	case $refused in
	*" $name "*)
		case $status in
		[3-6]) t_pass "image '$name' is refused" ;;
		*) t_fail "image '$name' is refused" && t_show ;;
		esac
		t_err "^devenv: .*$host/$name|sha256:" "'$name' is named"
		;;
	*) case $status in
		[03-7]) t_pass "image '$name' ends well or is refused" ;;
		*) t_fail "image '$name' ends well" && t_show ;;
		esac ;;
	esac
	t_run timeout 60 "$DEVENV" run "$host/$name/x:1" -- /none
	t_is "$status $(ls "$TMP/outside") $(cat "$secret")" \
		"$(case $status in 12[5-7]) echo $status ;; esac) secret $before" \
		"'$name': run fails, the files outside are whole"
done
t_is "$(ls "$DEVENV_STORE/tmp")" "" "nothing half made stays"
t_is "$(grep -c "$TMP" /proc/self/mountinfo)" 0 "nothing is mounted"
t_run "$DEVENV" store verify
t_status 0 "the store is sound"

# --- passwords ---
canary=canary-$$-password
mkdir "$TMP/conf"
printf '{"auths":{"%s":{"username":"me","password":"%s"}}}' "$host" "$canary" \
	>"$TMP/conf/config.json"
t_run "$DEVENV" -v pull --docker-config "$TMP/conf" "$host/ok/x:1"
t_status 0 "a pull with a password"
t_is "$(grep -c "$canary" "$out" "$err" | grep -vc ':0')" 0 \
	"the password is in no record or message"
t_is "$(grep -rl "$canary" "$DEVENV_STORE" | wc -l)" 0 "nor in the store"
t_done
