#!/bin/sh
# 7030-iterate-features.sh - a file of a local Feature starts a round
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"

t_need root busybox
t_ok "a base image" env_base
P=$TMP/p
mkdir -p "$P/.devcontainer/one"
echo .devcontainer >"$P/.dockerignore"
printf 'FROM base\nCOPY . /src\n' >"$P/Dockerfile"
echo '{"build":{"dockerfile":"../Dockerfile","context":".."},
	"features":{"./one":{}}}' >"$P/.devcontainer/devcontainer.json"
echo '{"id":"one","version":"1.0.0","name":"One"}' \
	>"$P/.devcontainer/one/devcontainer-feature.json"
printf '#!/bin/sh\necho one >/one\n' >"$P/.devcontainer/one/install.sh"
"$DEVENV" iterate --verify 'cat /one' "$P" >"$TMP/rounds" 2>"$TMP/log" &
job=$!
t_atexit "kill $job 2>/dev/null"
reached() { [ "$(grep -c '^round' "$TMP/rounds")" -ge "$1" ]; }
t_ok "the first round" t_wait reached 1
printf '#!/bin/sh\necho two >/one\n' >"$P/.devcontainer/one/install.sh"
t_ok "a save in a Feature starts a round, whatever the context leaves out" \
	t_wait reached 2
t_ok "with the new script" grep -q '^two$' "$TMP/rounds"
kill $job
wait $job 2>/dev/null
env_idle "after the rounds"
t_done
