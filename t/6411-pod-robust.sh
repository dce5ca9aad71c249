#!/bin/sh
# 6411-pod-robust.sh - services that mean harm, or have bad luck
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"

t_need root busybox jq
t_ok "a base image" env_base
chmod 755 "$TMP"
mkdir -p "$TMP/app/.devcontainer" "$TMP/other"
cd "$TMP/app" || exit 1
printf '{ "image": "base" }' >"$TMP/other/.devcontainer.json"
printf '{ "dockerComposeFile": "compose.yml", "service": "app" }' \
	>.devcontainer/devcontainer.json
services() { # from standard input, beside the one to work in
	{
		printf 'services:\n'
		printf '  app: { image: base, command: sleep 99, depends_on: %s }\n' \
			"${1:-[db]}"
		cat
	} >.devcontainer/compose.yml
}
up() { t_run timeout 30 "$DEVENV" up --name "$@"; }
healthy() { # CHECK [COMMAND]
	services '{ db: { condition: service_healthy } }' <<-END
		  db:
		    image: base
		    command: ${2:-sleep 99}
		    healthcheck: { $1 }
	END
	up pod . -- true
}

# --- what is somebody else's ---
services <<'END'
  db: { image: base, command: sleep 99 }
END
up pod-db "$TMP/other" -- sh -c 'echo mine >/precious'
t_status 0 "an environment with the name of a service to be"
up pod . -- true
t_status 6 "the service does not take its place"
t_err "'pod-db' is an environment, and no service of 'pod'" "which is told"
sed -i 's/db/sql/g' .devcontainer/compose.yml
up pod . -- true
t_status 0 "under another name"
t_run "$DEVENV" rm -f pod
t_status 0 "rm of all of it"
t_is "$(ls "$DEVENV_STORE/run")" pod-db "removes what is its own alone"
t_is "$(cat "$DEVENV_STORE/run/pod-db/upper/precious")" mine "and no file of others"
"$DEVENV" rm pod-db
services '[b]' <<'END'
  b: { image: base, command: sleep 99 }
END
cp -r "$TMP/app" "$TMP/app2"

sed -i 's/  b:/  a-b:/; s/\[b\]/[a-b]/' .devcontainer/compose.yml
"$DEVENV" up -q . --name x -- sleep 99 2>/dev/null &
t_wait sh -c '"$DEVENV" ps | grep -q "^x "' || t_ok "x runs" false
up x-a "$TMP/app2" -- true
t_err "'x-a-b' is a service of 'x'" "names that meet when they are joined"
"$DEVENV" stop --stop-timeout=0 x-a 2>/dev/null
t_is "$("$DEVENV" ps --format=json | jq -r '[.[] | select(.running).name] | join(" ")')" \
	"x x-a-b" "stop ends what is its own alone"
t_run "$DEVENV" rm -f x-a
t_is "$(cd "$DEVENV_STORE/run" && echo *)" "x x-a-b" "so does rm"
kill $!
env_idle "when its own ends"
"$DEVENV" rm x

# --- checks of health ---
healthy 'test: "false", interval: 100000h, timeout: 2000000h, retries: 2147483647' \
	'sleep 0.5'
t_status 7 "times beyond all measure"
t_err "the service 'db' ended with status 0 before it was healthy" \
	"are no reason to give up, nor to wait for ever"
healthy 'test: "false", interval: -5s'
t_status 3 "a time below zero"
t_err "service 'db': healthcheck: interval: '-5s' is less than 1ms" "is told"
healthy 'test: "false", timeout: 10us'
t_err "healthcheck: timeout: '10us' is less than 1ms" "too short a time as well"
healthy 'test: "seq 100000; false", interval: 1ms, retries: 1'
t_status 7 "a check that says much"
t_err '^\[db\] 100000$' "is shown at its end"
t_is "$(grep -c '^\[db\]' "$err")" 20 "in a few lines"
healthy 'test: "yes", timeout: 300ms, interval: 1ms, retries: 1'
t_err 'the check took longer than 300 ms' "one that goes on for ever is ended"
healthy 'test: "seq 50000", interval: 1ms, retries: 1'
t_status 0 "one that says much may succeed"
env_idle "after all checks"
t_done
