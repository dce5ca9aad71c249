#!/bin/sh
# 6500-repos.sh - repositories as people have them, each up by one command
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
. "$SRC/t/helper/gitserver.sh"
. "$SRC/t/env-lib.sh"
. "$SRC/t/repos-lib.sh"

t_need root userns busybox git docker-registry python3 jq useradd setpriv newuidmap
env_accounts
chmod 1777 "$TMP"
DB_PORT=$(t_port)
export DB_PORT
registry_start world
repos_publish
DEVENV_REGISTRY_MIRROR=docker.io=$registry,mcr.microsoft.com=$registry,ghcr.io=$registry
DEVENV_REGISTRY_RETRIES=1
export DEVENV_REGISTRY_MIRROR DEVENV_REGISTRY_RETRIES
as() (env_as "$@")

up() { # COMMAND...
	# shellcheck disable=SC2046 # the options are words
	t_run as "$who" timeout 60 "$DEVENV" up $(repos_lines option) $where \
		-- "$@"
}

try() { # a repository as $who
	here=$REPOS/$name
	tree=$TMP/$who/$name
	where=$tree/$(repos_lines path)
	if grep -qx clone "$here/expect"; then
		repos_checkout "$GIT_ROOT/$who/$name"
		where="--workspace-folder $tree file://$GIT_ROOT/$who/$name"
	else
		repos_checkout "$tree"
	fi
	up sh -c "$(repos_questions)"
	t_status 0 "$name as $who"
	repos_answers >"$TMP/answers"
	t_ok "$name as $who: as expected" diff "$TMP/answers" "$out"
	repos_lines says >"$TMP/says"
	while read -r line; do
		t_err "$line" "$name as $who: is told"
	done <"$TMP/says"
	repos_lines hidden >"$TMP/hidden"
	while read -r line; do
		t_is "$(grep -rlF -e "$line" "$DEVENV_STORE" "$err")" "" \
			"$name as $who: a secret stays one"
	done <"$TMP/hidden"
	order=$(repos_lines again)
	[ -n "$order" ] || return 0
	up sh -c 'echo $(cat ~/order)'
	t_is "$(cat "$out")" "$order" "$name as $who: started again"
}

git init -q "$GIT_ROOT/library" && cp "$REPOS/submodules-lfs/library"/* \
	"$GIT_ROOT/library" && (cd "$GIT_ROOT/library" && git add -A &&
	git commit -qm library)
for who in root "$RANGE"; do
	DEVENV_STORE=$TMP/store-$who
	mkdir -p "$TMP/$who" "$GIT_ROOT/$who"
	mkdir -m 700 "$DEVENV_STORE"
	cp -r "$GIT_ROOT/library" "$GIT_ROOT/$who/library"
	chown -R "$who" "$TMP/$who" "$GIT_ROOT/$who" "$DEVENV_STORE"
	for expect in "$REPOS"/*/expect; do
		name=$(basename "$(dirname "$expect")")
		try
	done
	env_idle "$who"
done
t_done
