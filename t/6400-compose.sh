#!/bin/sh
# 6400-compose.sh - an environment that is a service of compose files
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"

t_need root userns busybox jq
t_ok "a base image" env_base
up() { t_run timeout 60 "$DEVENV" up "$@"; }

mkdir -p "$TMP/app/.devcontainer" "$TMP/app/src"
cd "$TMP/app" || exit 1
echo 'DB_NAME=from-dotenv' >.devcontainer/.env
printf 'FROM base\nARG WHO\nRUN echo "built for $WHO" >/built && mkdir /work /cache && chown bob /cache\nWORKDIR /work\nCMD ["sh", "-c", "pwd >/tmp/started; sleep 60"]\n' >Dockerfile
cat >.devcontainer/docker-compose.yml <<'END'
services:
  app:
    build:
      context: ..
      args: { WHO: "${WHO:-nobody}" }
    volumes:
      - ..:/workspace:cached
      - cache:/cache
      - /etc/hostname:/stolen
    environment:
      DB: ${DB_NAME}
      OVER: service
    tmpfs: /scratch
    user: bob
    restart: always
volumes: { cache: }
END
cat >.devcontainer/docker-compose.extend.yml <<'END'
services:
  app: { environment: { EXTRA: "yes" }, extra_hosts: ["somewhere:10.1.2.3"] }
  db: { image: gone/db, depends_on: [queue] }
  queue: { image: gone/queue }
  debug: { image: gone/debug, profiles: [debug] }
END
cat >.devcontainer/devcontainer.json <<'END'
{
	"dockerComposeFile": ["docker-compose.yml", "docker-compose.extend.yml"],
	"service": "app",
	"runServices": ["app"],
	"workspaceFolder": "/workspace",
	"containerEnv": { "OVER": "file" },
	"postCreateCommand": "echo created >made"
}
END
export WHO=me
t_run timeout 60 "$DEVENV" up . -- sh -c \
	'cat /built; echo $DB $OVER $EXTRA; id -un; pwd; ls -d /scratch /cache; echo x >/cache/kept; cat made; sleep 0.3; cat /tmp/started'
t_status 0 "up of a service"
t_is "$(tr '\n' ' ' <"$out")" \
	"built for me from-dotenv file yes bob /workspace /cache /scratch created /work " \
	"is built, mounted and started as the files say"
t_ok "the workspace is this tree" test -e made
t_err "docker-compose.yml:15:5: 'restart' is not acted on" "what is not acted on has its place" ||
	cat "$err"
t_err "'/etc/hostname' is outside of" "what a repository may not show is left out"
up . -- sh -c 'cat /cache/kept; grep somewhere /etc/hosts'
t_out '^x$' "a volume keeps what is in it"
t_out '10.1.2.3.*somewhere' "hosts of the service are known"

# --- the plan ---
unset WHO
t_run "$DEVENV" parse .
t_is "$(jq -c '.plan | [.args, .user, .config.containerEnv.DB]' "$out")" \
	'[{"WHO":"nobody"},"bob","from-dotenv"]' "parse says what is built and how it runs"
t_is "$(jq .plan.services "$out")" null "nothing runs beside it, if it is to run alone"
sed '/runServices/d' .devcontainer/devcontainer.json >"$TMP/all.json"
cp .devcontainer/devcontainer.json "$TMP/alone.json"
cp "$TMP/all.json" .devcontainer/devcontainer.json
t_run "$DEVENV" parse .
t_is "$(jq -c '[.plan.services[] | [.name, .names[0], .plan.dockerfile.text, (.depends_on // {} | keys)]]' "$out")" \
	'[["app","app",null,[]],["queue","queue","FROM gone/queue\n",[]],["db","db","FROM gone/db\n",["queue"]]]' \
	"the plan has the services beside it in their order"
t_run "$DEVENV" parse --relative .
t_is "$(jq -r '.plan.context' "$out")" . "paths may be relative"
cp "$TMP/alone.json" .devcontainer/devcontainer.json
t_run "$DEVENV" parse --print=compose .
t_status 0 "the services as they are in effect"
t_is "$(jq -c '[.name, .services.app.environment]' "$out")" \
	'["app_devcontainer",{"DB":"from-dotenv","EXTRA":"yes","OVER":"service"}]' "with all files merged"

# --- secrets ---
env_project "$TMP/hidden" '{"dockerComposeFile": "c.yml", "service": "s"}'
# shellcheck disable=SC2016 # for compose
echo 'services: {s: {image: base, environment: {KEY: "is ${TOKEN}", PLAIN: "${HOME}"}}}' \
	>"$TMP/hidden/.devcontainer/c.yml"
echo '{"TOKEN": "s3cr3t-value"}' >"$TMP/hidden.json"
TOKEN=s3cr3t-value
export TOKEN
t_run "$DEVENV" up -d --name hidden --secrets-file "$TMP/hidden.json" "$TMP/hidden"
unset TOKEN
t_status 0 "a service with a secret of this host"
t_is "$(jq -c '.plan.config.containerEnv | [.KEY, .PLAIN]' "$out")" \
	"[\"is ********\",\"$HOME\"]" "the record does not show it"
t_is "$("$DEVENV" exec hidden sh -c 'echo $KEY')" "is s3cr3t-value" "the environment has it"
"$DEVENV" stop hidden 2>/dev/null

# --- mistakes ---
printf 'services: {app: {build: "https://example.com/x.git"}}' >.devcontainer/remote.yml
sed 's/"docker-compose.extend.yml"/"remote.yml"/; s/"docker-compose.yml", //' .devcontainer/devcontainer.json >"$TMP/remote.json"
cp .devcontainer/devcontainer.json "$TMP/kept.json"
cp "$TMP/remote.json" .devcontainer/devcontainer.json
t_run "$DEVENV" parse .
t_status 3 "a context that is a URL"
t_err "the service 'app' is built from a URL, which is not supported" "is told"
cp "$TMP/kept.json" .devcontainer/devcontainer.json
bad() { # COMPOSE-LINE WANT SENTENCE
	printf 'services:\n  app:\n    image: base\n%s\n' "$1" >.devcontainer/docker-compose.yml
	t_run "$DEVENV" parse .
	t_status 3 "$3"
	t_err "$2" "is told with its place"
}
bad '    privileged: perhaps' 'docker-compose.yml:4:17: true or false expected' "a value of the wrong kind"
bad '    extends: { file: ../../../../etc/x.yml, service: b }' "4:14: cannot read '../../../../etc/x.yml'" "a file that is not there"
bad '  ../x: { image: base }' "4:3: '../x' is not a name for a service" "a service that names a path"
ln -s /etc/passwd .devcontainer/outside.env
bad '    env_file: outside.env' "leads out of '$TMP/app'" "a link out of the repository"
sed -i 's/"service": "app"/"service": "web"/' .devcontainer/devcontainer.json
bad '' "devcontainer.json:3:13: there is no service 'web'" "a service that is not there"
t_err '^hint: the services are: app' "the hint lists those that are"
sed -i '/"service"/d' .devcontainer/devcontainer.json
bad '' "devcontainer.json:2:2: dockerComposeFile needs 'service'" "no service"
env_idle "at the end"
t_done
