#!/bin/sh
# repos.sh - the repositories of t/repos as the Dev Container CLI brings them up
#
# t/6500-repos.sh has devenv do what their `expect` says; here the CLI has to,
# by podman. DEVCONTAINER_CLI is as run.sh has it, ONLY the name of one of them.
# Status 77: there is no such CLI, or no node.
# shellcheck disable=SC2154 # lib.sh sets $out and $status
TOP=$(cd "$(dirname "$0")/../.." && pwd)
t_top=$TOP
DEVENV=${DEVENV:-$TOP/devenv}
CLI=${DEVCONTAINER_CLI:-$TOP/build/oracle/node_modules/@devcontainers/cli/devcontainer.js}
if [ ! -f "$CLI" ] || ! command -v node >/dev/null; then
	echo "no @devcontainers/cli here, or no node" >&2
	exit 77
fi
. "$TOP/t/lib.sh"
. "$TOP/t/helper/registry.sh"
. "$TOP/t/helper/gitserver.sh"
. "$TOP/t/env-lib.sh"
. "$TOP/t/repos-lib.sh"
t_need root busybox git docker-registry podman runc python3 jq

# What cannot be had of the CLI here, and why.
known() {
	case $name in
	node-compose) command -v docker-compose >/dev/null ||
		echo "there is no docker-compose here" ;;
	esac
}

SHIM_DIR=$TMP
export SHIM_DIR
pod() { sh "$TOP/t/oracle/podman.sh" "$@"; }
pod_end() {
	[ -z "$service" ] || kill "$service"
	pod rm -f -a -t 0 >/dev/null 2>&1
	awk -v top="$TMP/" 'index($2, top) == 1 { print $2 }' \
		/proc/self/mounts | sort -r | xargs -r umount -l
}
service=
t_atexit pod_end
python3 - "$TOP/t/oracle" "$TMP" <<'END'
import pathlib, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
import both
both.configure_podman(pathlib.Path(sys.argv[2]))
END

# The CLI asks for Features by plain http of this host only.
registry_start world
at=localhost:${registry##*:}
cp -r "$REPOS" "$TMP/repos"
REPOS=$TMP/repos
grep -rl ghcr.io/acme/features/ "$REPOS" |
	xargs sed -i "s|ghcr.io/acme/features/|$at/acme/features/|"
repos_publish
world() {
	while read -r name as; do
		pod pull -q --tls-verify=false "$registry/$name" &&
			pod tag "$registry/$name" "$as" || return 1
	done <<-'END'
		devcontainers/python:3.12 mcr.microsoft.com/devcontainers/python:3.12
		devcontainers/universal:2 mcr.microsoft.com/devcontainers/universal:2
		library/node:20 docker.io/library/node:20
		library/golang:1.22 docker.io/library/golang:1.22
		library/gcc:13 docker.io/library/gcc:13
		library/rust:1-slim docker.io/library/rust:1-slim
	END
	printf 'FROM docker.io/library/node:20\nCMD ["sleep", "999"]\n' |
		pod build -q -t docker.io/library/postgres:16 -
}
t_ok "podman has the images" world

# podman's builder knows no heredocs: the lines of one, as one command.
plain() { # FILE
	awk '/^RUN <<EOF$/ { printf "RUN true"; inside = 1; next }
		inside && /^EOF$/ { print ""; inside = 0; next }
		inside { printf " && %s", $0; next }
		{ print }' "$1" >"$TMP/plain" && cp "$TMP/plain" "$1"
}

# What docker-compose talks to.
DOCKER_HOST=unix://$TMP/socket
if command -v docker-compose >/dev/null; then
	sh "$TOP/t/oracle/podman.sh" system service --time 0 "$DOCKER_HOST" \
		>/dev/null 2>&1 &
	service=$!
fi

dc() { # COMMAND ARGUMENT...
	c=$1
	shift
	# shellcheck disable=SC2086 # no word, or two
	t_run env -i HOME="$HOME" PATH="$PATH" TMPDIR="$TMP" \
		SHIM_DIR="$TMP" DOCKER_HOST="$DOCKER_HOST" \
		timeout 120 node "$CLI" "$c" --docker-path "$TMP/docker" \
		--docker-compose-path docker-compose --workspace-folder "$where" $config "$@"
}
up() {
	set --
	for word in $(repos_lines option); do
		case $last in
		--config) config="--config $tree/$word" ;;
		--secrets-file) set -- "$@" --secrets-file "$word" ;;
		# this is how a build gets one
		--secret) jq ".build.options = [\"--secret\", \"$word\"]" \
			"$where/.devcontainer/devcontainer.json" >"$TMP/new" &&
			cp "$TMP/new" "$where/.devcontainer/devcontainer.json" ;;
		esac
		last=$word
	done
	# Nobody gets the number of root, so there is nothing to update.
	dc up --buildkit never --update-remote-user-uid-default never "$@"
}

# What its submodule is a clone of.
library() { # DIR
	git init -q "$1" && cp "$here/library"/* "$1" &&
		(cd "$1" && git add -A && git commit -qm library)
}

try() {
	here=$REPOS/$name
	tree=$TMP/work/$name/$name
	mkdir -p "$TMP/work/$name"
	[ ! -d "$here/library" ] || library "$TMP/work/$name/library"
	where=$tree/$(repos_lines path)
	last=
	config=
	repos_checkout "$tree"
	find "$tree" -name Dockerfile >"$TMP/files"
	while read -r file; do
		plain "$file"
	done <"$TMP/files"
	up
	t_status 0 "$name comes up"
	dc exec sh -c "$(repos_questions)"
	repos_answers >"$TMP/answers"
	t_ok "$name is as we have it" diff "$TMP/answers" "$out"
	order=$(repos_lines again)
	if [ -n "$order" ]; then
		pod stop -a -t 0 >/dev/null
		up
		dc exec sh -c 'echo $(cat ~/order)'
		t_is "$(cat "$out")" "$order" "$name, started again"
	fi
	pod rm -f -a -t 0 >/dev/null
}

who=root
for expect in "$REPOS"/${ONLY:-*}/expect; do
	name=$(basename "$(dirname "$expect")")
	why=$(known)
	if [ -n "$why" ]; then
		echo "# $name: $why"
	else
		try
	fi
done
t_done
