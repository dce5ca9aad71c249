#!/bin/sh
# Submodules: nested and relative ones, and those that attack.
. "$(dirname "$0")/lib.sh"
t_need git python3
. "$SRC/t/helper/gitserver.sh"
cd "$TMP" || exit 1
git_repo top.git
git_repo mid.git
git_repo leaf.git
mkdir "$GIT_ROOT/group"
add() { # REPO URL PATH
	git clone -q "$GIT_ROOT/$1" w
	(cd w && git submodule --quiet add "$2" "$3" && git commit -qm sub &&
		git push -q)
	rm -rf w
}
add mid.git ../leaf.git deep/leaf
add top.git ../mid.git mid
url=file://$GIT_ROOT/top.git

t_run "$DEVENV" clone "$url" plain
t_status 0 "submodules are left alone unless asked for"
t_is "$(ls plain/mid)" "" "their directories are empty"
t_err 'submodules are left empty; --recurse-submodules clones them' \
	"which is told"
t_run "$DEVENV" clone --recurse-submodules "$url" all
t_status 0 "--recurse-submodules"
t_is "$(cat all/mid/deep/leaf/README)" "hello from leaf.git" "gets nested ones"
t_is "$(grep -c 'left empty' "$err")" 0 "and leaves none"
t_is "$(git -C all submodule status --recursive | grep -c '^ ')" 2 \
	"git sees them in place"
t_is "$(git -C all status --porcelain)" "" "and clean"
t_is "$(git -C all/mid remote get-url origin)" "file://$GIT_ROOT/mid.git" \
	"relative addresses are resolved"
t_run "$DEVENV" clone --recurse-submodules "$url" all
t_status 0 "a second time"
git_commit leaf.git more leaf2 >/dev/null
git clone -q --recurse-submodules "$GIT_ROOT/top.git" w 2>/dev/null
(
	cd w/mid/deep/leaf && git pull -q origin trunk && cd ../.. &&
		git commit -qam leaf && git push -q origin HEAD:trunk && cd .. &&
		git commit -qam mid && git push -q
) 2>/dev/null
rm -rf w
t_run "$DEVENV" clone --recurse-submodules "$url" all
t_status 0 "moved submodules"
t_is "$(cat all/mid/deep/leaf/more)" leaf2 "are moved"
t_is "$(git -C all status --porcelain)" "" "and clean"
echo x >all/mid/deep/leaf/dirt
t_run "$DEVENV" clone --recurse-submodules "$url" all
t_status 4 "a dirty submodule refuses"
t_err "submodule 'mid': submodule 'deep/leaf': .*'dirt'" "and is named"

# A repository with a hand-made .gitmodules and one gitlink.
leaf=$(git -C "$GIT_ROOT/leaf.git" rev-parse trunk)
hostile() { # NAME PATH URL [MODE]
	rm -rf "$GIT_ROOT/evil.git" h
	git init -q --bare "$GIT_ROOT/evil.git"
	(
		cd "$GIT_ROOT/evil.git" || exit 1
		blob=$(printf '[submodule "%s"]\n\tpath = %s\n\turl = %s\n' \
			"$1" "$2" "$3" | git hash-object -w --stdin)
		tree=$(printf '%s blob %s\t.gitmodules\n160000 commit %s\tsub\n' \
			"${4:-100644}" "$blob" "$leaf" | git mktree --missing)
		git update-ref refs/heads/trunk \
			"$(git commit-tree -m evil "$tree")"
	)
	t_run "$DEVENV" clone --recurse-submodules "file://$GIT_ROOT/evil.git" h
}
hostile ../../x sub ../leaf.git
t_status 3 "a name that leads out"
t_err "gitmodules:[0-9]+: submodule name" "is refused with its line"
hostile a ../out ../leaf.git
t_status 3 "a path that leads out"
t_err "gitmodules:2: submodule path" "is refused with its line"
hostile a .git/hooks ../leaf.git
t_status 3 "a path into .git"
t_err "submodule path" "is refused"
hostile a '"sub\r"' ../leaf.git
t_status 3 "an escape in a path"
t_err "invalid escape" "is refused"
hostile a sub --upload-pack=x
t_status 3 "an address like an option"
t_err "submodule url" "is refused"
hostile a sub 'ext::sh -c touch% pwned'
t_status 2 "a transport helper"
t_err "submodule 'a': transport helpers" "is refused"
hostile a sub ../../../../../../../../../../../x
t_status 3 "an address above the root"
t_err "above the root" "is refused"
hostile a sub leaf.git
t_status 6 "an address that is no URL"
t_err "not a URL and not relative" "is refused"
hostile a sub ../leaf.git 120000
t_status 3 "a link as .gitmodules"
t_err "invalid path .*gitmodules" "is refused"
hostile a/b sub ../leaf.git
t_status 0 "an honest one of the same kind works"
t_is "$(git -C h/sub rev-parse HEAD)" "$leaf" "at its commit"

git_daemon_start
git_commit top.git .gitmodules "[submodule \"mid\"]
	path = mid
	url = file://$GIT_ROOT/mid.git" local >/dev/null
t_run "$DEVENV" clone --recurse-submodules "$GIT_DAEMON/top.git#local" l
t_status 6 "a remote repository cannot name one of this machine"
t_err "submodule 'mid' names a repository of this machine" "and is refused"

git_repo loop.git
git clone -q "$GIT_ROOT/loop.git" w
(
	cd w || exit 1
	printf '[submodule "s"]\n\tpath = s\n\turl = ./\n' >.gitmodules
	git add .gitmodules
	git update-index --add --cacheinfo "160000,$(git rev-parse HEAD),s"
	git commit -qm loop
	for i in 1 2 3 4 5 6 7 8 9 10; do
		git update-index --cacheinfo "160000,$(git rev-parse HEAD),s"
		git commit -qm "loop $i"
	done
	git push -q
)
t_run "$DEVENV" clone --recurse-submodules "file://$GIT_ROOT/loop.git" loop
t_status 6 "a repository inside of itself"
t_err "nested deeper than 8" "ends at a depth"
t_ok "nothing was executed" test ! -e pwned
t_ok "nothing was left" test ! -e loop
t_done
