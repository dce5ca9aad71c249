# envbuilder-lib.sh - what the tests of envbuilder's cases share
# shellcheck shell=sh
#
#	envbuilder_start	an image "base", a Git server, a directory
#	put FILE LINE...	a file of the repository to come
#	up NAME COMMAND...	make that the repository NAME.git, if there are
#				files, and have it run; envbuilder's variables
#				are put in front
#
# Needs env-lib.sh and helper/gitserver.sh.

envbuilder_start() {
	t_ok "a base image" env_base
	git_http_start
	mkdir "$TMP/here"
	cd "$TMP/here" || exit 1
}

put() {
	p_file=$TMP/tree/$1
	shift
	mkdir -p "$(dirname "$p_file")"
	printf '%s\n' "$@" >"$p_file"
}
publish() { # NAME
	git -C "$TMP/tree" init -q && git -C "$TMP/tree" add -A &&
		git -C "$TMP/tree" commit -qm one &&
		git clone -q --bare "$TMP/tree" "$GIT_ROOT/$1.git" 2>/dev/null
	rm -rf "$TMP/tree"
}
up() { # NAME COMMAND...
	u_url=$GIT_HTTP/$1.git
	[ ! -d "$TMP/tree" ] || publish "$1"
	shift
	t_run timeout 60 env ENVBUILDER_GIT_URL="$u_url" "$DEVENV" up -- "$@"
}
