#!/bin/sh
# 6410-pod.sh - the services of a compose file beside an environment
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"

t_need root userns busybox jq useradd setpriv newuidmap
env_accounts
t_ok "a base image" env_base
PORT=$(t_port)
PORT2=$(t_port)
export PORT PORT2
chmod 755 "$TMP"

up() { t_run timeout 60 "$DEVENV" up --name pod "$@"; }
project() { # DIR: a tree whose services are read from standard input
	mkdir -p "$1/.devcontainer"
	cat >"$1/.devcontainer/docker-compose.yml"
	cat >"$1/.devcontainer/devcontainer.json" <<-'END'
		{ "dockerComposeFile": "docker-compose.yml", "service": "app",
		  "workspaceFolder": "/workspace", "forwardPorts": ["db:81"],
		  "postCreateCommand": "wget -q -O - http://db:$PORT/ >made" }
	END
}
as() (env_as "$@")
running() { # names of environments that run, in one line
	"$DEVENV" ps --format=json |
		jq -r '[.[] | select(.running).name] | join(" ")'
}

# --- a database, what prepares it, and the one to work in ---
project "$TMP/app" <<'END'
services:
  app:
    image: base
    command: sleep 1000
    volumes: ["..:/workspace"]
    environment: { PORT: "$PORT" }
    depends_on:
      db: { condition: service_healthy }
      migrate: { condition: service_completed_successfully }
  migrate:
    image: base
    volumes: ["data:/data"]
    depends_on: { db: { condition: service_healthy } }
    command: ["sh", "-c", "wget -q -O - http://main-db:$PORT/ && echo done >>/data/migrated"]
  db:
    build: { context: ., dockerfile_inline: "FROM base\nRUN mkdir /www\nUSER bob" }
    container_name: main-db
    networks: { default: { aliases: [storage] } }
    links: ["cache:fast"]
    environment: { WHO: "${WHO:-database}", PORT: "$PORT" }
    tmpfs: /www:mode=1777
    entrypoint: ["sh", "-c"]
    command: ["sleep 0.3; echo I am $$WHO, $$(id -un) >/www/index.html; exec httpd -f -p $$PORT -h /www"]
    healthcheck: { test: "wget -q -O /dev/null http://127.0.0.1:$$PORT/", interval: 100ms, retries: 100 }
    expose: ["$PORT"]
    restart: always
  cache: { image: base, command: sleep 1000 }
  late: { image: base, command: sleep 1000, depends_on: [app] }
  debug: { image: gone/debug, profiles: [debug] }
volumes: { data: }
END
cd "$TMP/app" || exit 1
t_run "$DEVENV" build .
t_status 0 "build"
cp "$out" "$TMP/record"
t_is "$(jq -c '[.image.services | to_entries[] | .key, (.value.config_digest | length)]' "$out")" \
	'["cache",71,"db",71,"late",71,"migrate",71]' "makes all images that up will need"
t_run "$DEVENV" cache-probe .
t_is "$(jq -c '[.cache.services | to_entries[] | .key, .value.status]' "$out")" \
	'["cache","nothing-to-build","db","hit","late","nothing-to-build","migrate","nothing-to-build"]' \
	"cache-probe finds them"
t_err "service 'db': hit" "and says so"
up . -- sh -c 'cat made; for n in db main-db storage; do wget -q -O - http://$n:$PORT/; done
	grep -c -E "^127.0.0.1.(fast|cache|late|app)$" /etc/hosts; head -n 1 /etc/hosts'
t_status 0 "up of a pod"
t_is "$(sort -u "$out" | tr '\n' ';')" \
	"127.0.0.1	localhost;4;I am database, bob;" \
	"what works in it reaches its services by all of their names"
t_is "$(grep -c 'I am' "$out")" 4 "lifecycle commands do, too"
t_err "docker-compose.yml:[0-9]+:5: 'restart' is not acted on" "what is not acted on is told"
t_err "service 'migrate'" "each service is named when it is built"
t_is "$(cat "$DEVENV_STORE/volumes/app_devcontainer_data/migrated")" "done" "what was to end first did"
env_idle "at the end of the one to work in"

# --- left running, joined, restarted, changed ---
t_run "$DEVENV" run -d --name pod "$TMP/record"
t_status 0 "a record in the background"
t_is "$(running)" "pod pod-cache pod-db pod-late" "those that last run on"
t_run "$DEVENV" ps -a --format=json
t_is "$(jq -c '.[] | select(.service == "migrate") | [.pod, .exit_status]' "$out")" \
	'["pod",0]' "ps knows whose services they are and how they ended"
t_run "$DEVENV" ps -a
t_out '^pod-migrate +stopped .* service of pod  ended with status 0$' "in words as well"
t_run "$DEVENV" exec pod-db -- sh -c 'id -un; hostname'
t_is "$(tr '\n' ' ' <"$out")" "bob db " "a command in a service"
pid=$("$DEVENV" ps --format=json | jq '.[] | select(.service == "cache").pid')
"$DEVENV" stop pod-db
up . -- wget -q -O - "http://db:$PORT/"
t_is "$(cat "$out")" "I am database, bob" "a service that was stopped starts again"
t_is "$("$DEVENV" ps --format=json | jq '.[] | select(.service == "cache").pid')" "$pid" \
	"one that runs is joined"
t_is "$(wc -l <"$DEVENV_STORE/volumes/app_devcontainer_data/migrated")" 2 \
	"one that did its work is not asked again while the pod runs"
export WHO=another
up . -- wget -q -O - "http://db:$PORT/"
t_is "$(cat "$out")" "I am another, bob" "one whose configuration changed is made anew"
t_err "the service 'db' changed, starting anew" "and that is told"
t_run "$DEVENV" rm pod
t_status 6 "a pod that runs is not removed"
t_ok "stop" "$DEVENV" stop --stop-timeout=1 pod
t_is "$(running)" "" "takes the services along"
sed -i '/^  cache:/d; /links:/d' .devcontainer/docker-compose.yml
up . -- true
t_err "'pod-cache' is no service any more: removed" "a service that is gone is removed"
t_ok "rm" "$DEVENV" rm pod
t_is "$(ls "$DEVENV_STORE/run")" "" "does so with all of them"

# --- ends ---
"$DEVENV" up -q --name pod . -- sleep 1000 2>/dev/null &
t_ok "it runs" t_wait sh -c '"$DEVENV" ps | grep -q "^pod-late "'
t_wait runtime_there '^sleep 1000 '
kill -9 $!
env_idle "after kill -9"

# --- what goes wrong ---
wrong() { # COMPOSE-TEXT
	printf 'services:\n  app: { image: base, command: sleep 9, depends_on: { db: { condition: %s } } }\n  db:\n    image: base\n%s\n' \
		"$1" "$2" >.devcontainer/docker-compose.yml
	up . -- true
}
wrong service_completed_successfully '    command: ["sh", "-c", "echo cannot migrate; exit 3"]'
t_status 7 "a service that has to succeed and does not"
t_err "the service 'db' ended with status 3" "is told"
t_err '^\[db\] cannot migrate' "with what it said"
t_err "^hint: 'devenv logs pod-db'" "and where there is more"
wrong service_healthy '    command: sleep 100
    healthcheck: { test: ["CMD", "sh", "-c", "echo not yet; false"], interval: 50ms, retries: 3 }'
t_status 7 "a service that does not become healthy"
t_err "the service 'db' does not become healthy" "is told"
t_err '^\[db\] not yet' "with what the check said"
wrong service_healthy '    command: sh -c "echo out of memory; exit 5"
    healthcheck: { test: "false", interval: 10s }'
t_status 7 "a service that ends before it is healthy"
t_err "the service 'db' ended with status 5 before it was healthy" "is told at once"
t_err '^\[db\] out of memory' "with what it said"
wrong service_healthy '    command: sleep 100
    healthcheck: { test: ["CMD", "true"], interval: often }'
t_status 3 "a check at no time"
t_err "service 'db': healthcheck: interval: time: .*often" "is told before anything starts"
wrong service_healthy '    command: sleep 100
    healthcheck: { test: ["true"] }'
t_status 3 "a check of no kind"
t_err "'test' begins with CMD, CMD-SHELL or NONE, not 'true'" "is told"
wrong service_healthy '    command: sleep 100'
t_status 3 "a service without a check"
t_err "the service 'app' waits until 'db' is healthy, which has no health check" "is told"
sed -i 's/"postCreateCommand.*/"postStartCommand": "sleep 0.5" }/' .devcontainer/devcontainer.json
wrong service_started '    command: ["sh", "-c", "echo port is taken; exit 1"]'
t_status 0 "a service that nobody waits for"
t_err "the service 'db' ended with status 1; 'devenv logs pod-db'" "may fail, which is told" ||
	cat "$err"
wrong service_started '    command: ["nothing-of-this-name"]'
t_status 127 "a command that is not there"
t_err "service 'db': cannot run 'nothing-of-this-name'" "is told with its service"
wrong service_started '    entrypoint: []
    command: []'
t_status 3 "no command at all"
t_err "the service 'db' has no command" "is told"
wrong service_started '    depends_on: [app]
    command: sleep 9'
t_status 3 "a circle"
t_err "depends on itself" "is told"
env_idle "after mistakes"
t_ok "a name that a service has" mkdir -p "$TMP/other"
wrong service_started '    command: sleep 9'
printf '{ "image": "base" }' >"$TMP/other/.devcontainer.json"
t_run timeout 60 "$DEVENV" up --name pod-db "$TMP/other" -- true
t_status 6 "is no other environment's"
t_err "'pod-db' is a service of 'pod'" "which is told"
"$DEVENV" rm pod

# --- a network of its own, and a user's pod ---
project "$TMP/net" <<'END'
services:
  app:
    image: base
    network_mode: service:db
    command: sleep 1000
    volumes: ["..:/workspace"]
    environment: { PORT: "80" }
    depends_on: { db: { condition: service_healthy } }
  db:
    image: base
    command: ["sh", "-c", "mkdir /www; echo alone >/www/index.html; exec httpd -f -p 80 -h /www"]
    ports: ["$PORT2:80"]
    healthcheck: { test: "wget -q -O /dev/null http://127.0.0.1/", interval: 100ms, retries: 100 }
END
for who in root "$RANGE" "$SINGLE"; do
	tree=$TMP/tree-$who
	cp -r "$TMP/net" "$tree"
	chown -R "$who" "$tree"
	cd "$tree" || exit 1
	if [ "$who" != root ]; then
		DEVENV_STORE=$TMP/store-$who
		mkdir -m 700 "$DEVENV_STORE"
		cp -r "$TMP/base" "$tree/base"
		chown -R "$who" "$tree" "$DEVENV_STORE"
		(env_as "$who" "$DEVENV" build -q -t base "$tree/base") >/dev/null 2>&1
	fi
	t_run as "$who" timeout 60 "$DEVENV" up --name pod --net=none . -- \
		sh -c 'wget -q -O - http://db/; ls /sys/class/net'
	t_is "$(tr '\n' ' ' <"$out")" "alone lo " "$who: one network for the pod alone" ||
		cat "$err"
	t_err "port 80 of the environment is 127.0.0.1:$PORT2" "$who: its ports are seen here"
	t_err "port 81 of the environment is 127.0.0.1:" "$who: those of forwardPorts, by the name of a service"
	(env_as "$who" timeout 60 "$DEVENV" up --name pod --net=none -d .) \
		>/dev/null 2>&1
	t_run as "$who" timeout 60 "$DEVENV" up --name pod --net=none . -- \
		wget -q -O - http://db/
	t_is "$(cat "$out")" alone "$who: another devenv joins the network"
	(env_as "$who" "$DEVENV" stop pod) 2>/dev/null
	env_idle "$who"
done
t_done
