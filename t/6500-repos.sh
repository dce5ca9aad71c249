#!/bin/sh
# 6500-repos.sh - repositories as people have them, each up by one command
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
. "$SRC/t/helper/gitserver.sh"
. "$SRC/t/env-lib.sh"

# Each folder of t/repos/ with an `expect` is a case. The lines of expect:
#
#	option WORD...		more options of up; @HERE@ is the folder
#	path DIR		the directory that is given to up
#	clone			up gets the address of the repository, whose
#				library/ becomes the submodule vendor/library
#	user NAME, folder DIR, env NAME VALUE, order WORD...
#				what a command in there sees; "order" is what
#				the lifecycle commands wrote into ~/order
#	again WORD...		the same when it starts a second time
#	file PATH TEXT		the first line of a file in there
#	prints TEXT : COMMAND	what a command in there prints
#	says REGEX		standard error matches
#	hidden TEXT		is in no file of the store and no message
#
# "nothing" is a variable or file that is not there.
t_need root userns busybox git docker-registry python3 jq useradd setpriv newuidmap
env_accounts
REPOS=$SRC/t/repos
chmod 1777 "$TMP"
registry_start world
DEVENV_REGISTRY_MIRROR=docker.io=$registry,mcr.microsoft.com=$registry,ghcr.io=$registry
DEVENV_REGISTRY_RETRIES=1
export DEVENV_REGISTRY_MIRROR DEVENV_REGISTRY_RETRIES
as() (env_as "$@")

image() { # TARGET NAME
	"$DEVENV" build -q --target "$1" --push \
		-t "$registry/$2" "$TMP/images" >/dev/null
}
images() {
	cp -r "$REPOS/images" "$TMP/images" &&
		runtime_image "$TMP/images/root" || return 1
	while read -r target name; do
		image "$target" "$name" || return 1
	done <<-'END'
		python devcontainers/python:3.12
		universal devcontainers/universal:2
		node library/node:20
		golang library/golang:1.22
		gcc library/gcc:13
		rust library/rust:1-slim
	END
}
feature() { # ID VERSIONS
	tar -C "$REPOS/features/$1" --owner=0 --group=0 -cf "$TMP/$1.tar" . &&
		python3 "$SRC/t/helper/feature.py" "$registry" \
			"acme/features/$1" "$2" "$TMP/$1.tar" \
			"$REPOS/features/$1/devcontainer-feature.json"
}

# A tree of the repository $name for $who, with its history. What is said of
# files to Git is not said to the one that holds this test.
checkout() { # DIR
	mkdir -p "$1" && cp -r "$REPOS/$name/tree/." "$1" && (
		cd "$1" && git init -q &&
			git config remote.origin.url "file://$1" &&
			if [ -e gitattributes ]; then
				mv gitattributes .gitattributes
			fi && git add -A &&
			if [ -d "$REPOS/$name/library" ]; then
				git submodule --quiet add \
					../library vendor/library
			fi && git commit -qm start
	) && chown -R "$who" "$1"
}

# The lines of expect that a command in there can answer, as that command.
questions() {
	echo 'first() { if [ -e "$1" ] && [ ! -d "$1" ]; then head -n 1 "$1"; else echo nothing; fi; }'
	while read -r key word rest; do
		case $key in
		user) echo 'echo "user $(id -un)"' ;;
		folder) echo 'echo "folder $PWD"' ;;
		env) echo "echo \"env $word \${$word-nothing}\"" ;;
		order) echo 'echo order $(cat ~/order)' ;;
		file) echo "echo \"file $word \$(first $word)\"" ;;
		prints)
			c="$word $rest"
			c=${c#* : }
			echo "echo \"prints \$($c) : \"'$c'"
			;;
		esac
	done <"$here/expect"
}
answers() {
	grep -E '^(user|folder|env|order|file|prints) ' "$here/expect"
}
lines() { # KEY: what follows it
	sed -n "s|@HERE@|$here|g; s/^$1 \{0,1\}//p" "$here/expect"
}

up() { # COMMAND...
	# shellcheck disable=SC2046 # the options are words
	t_run as "$who" timeout 60 "$DEVENV" up $(lines option) $where \
		-- "$@"
}

try() { # a repository as $who
	here=$REPOS/$name
	tree=$TMP/$who/$name
	where=$tree/$(lines path)
	if grep -qx clone "$here/expect"; then
		checkout "$GIT_ROOT/$who/$name"
		where="--workspace-folder $tree file://$GIT_ROOT/$who/$name"
	else
		checkout "$tree"
	fi
	up sh -c "$(questions)"
	t_status 0 "$name as $who"
	answers >"$TMP/answers"
	t_ok "$name as $who: as expected" diff "$TMP/answers" "$out"
	lines says >"$TMP/says"
	while read -r line; do
		t_err "$line" "$name as $who: is told"
	done <"$TMP/says"
	lines hidden >"$TMP/hidden"
	while read -r line; do
		t_is "$(grep -rlF -e "$line" "$DEVENV_STORE" "$err")" "" \
			"$name as $who: a secret stays one"
	done <"$TMP/hidden"
	order=$(lines again)
	[ -n "$order" ] || return 0
	up sh -c 'echo $(cat ~/order)'
	t_is "$(cat "$out")" "$order" "$name as $who: started again"
}

t_ok "images to start from" images
t_ok "a Feature" feature poetry 1,1.4.0,latest
t_ok "and another" feature certificates latest
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
