#!/bin/sh
# Clones of repositories on this machine: refs, directories, records.
. "$(dirname "$0")/lib.sh"
t_need git python3
. "$SRC/t/helper/gitserver.sh"
cd "$TMP" || exit 1

git_repo app.git
first=$(git -C "$GIT_ROOT/app.git" rev-parse trunk)
git -C "$GIT_ROOT/app.git" tag light
git -C "$GIT_ROOT/app.git" tag -a -m annotated v1
second=$(git_commit app.git new two)
third=$(git_commit app.git deep/file three feature/slash)
url=file://$GIT_ROOT/app.git

field() { python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))["source"][sys.argv[2]])' "$out" "$1"; }

t_run "$DEVENV" clone "$url"
t_status 0 "clone makes ./NAME"
t_is "$(cat app/new)" two "with the files of the default branch"
t_is "$(field commit)" "$second" "the record has the full commit id"
t_is "$(field ref)" refs/heads/trunk "and the full ref"
t_is "$(field path)" "$TMP/app" "and the absolute path"
t_is "$(field url)" "$url" "and the address"
t_is "$(git -C app status --porcelain --branch)" \
	"## trunk...origin/trunk" "git sees a clean branch with its upstream"
t_is "$(git -C app rev-parse origin/HEAD)" "$second" "origin/HEAD is set"
t_is "$(find . -maxdepth 1 -name '.*devenv*')" "" "nothing is left beside it"
t_is "$(find app/.git/hooks -type f ! -name '*.sample')" "" \
	"no hook can run"
t_run "$DEVENV" clone "$GIT_ROOT/app.git/" rel/dir
t_status 0 "a plain path and a nested directory"

ref() { # FRAGMENT WANTED-COMMIT WANTED-REF
	rm -rf x
	t_run "$DEVENV" clone "$url#$1" x
	t_status 0 "#$1"
	t_is "$(field commit)" "$2" "#$1 is the right commit"
	t_is "$(field ref)" "$3" "#$1 is recorded as $3"
	t_is "$(git -C x rev-parse HEAD)" "$2" "#$1 is checked out"
	t_is "$(git -C x status --porcelain)" "" "#$1 is clean"
}
ref refs/heads/feature/slash "$third" refs/heads/feature/slash
ref feature/slash "$third" refs/heads/feature/slash
ref light "$first" refs/tags/light
ref v1 "$first" refs/tags/v1
ref tags/v1 "$first" refs/tags/v1
ref "$first" "$first" None
ref "$(printf %.8s "$second")" "$second" None

git -C "$GIT_ROOT/app.git" branch both "$second"
git -C "$GIT_ROOT/app.git" tag both "$first"
ref both "$second" refs/heads/both
ref refs/tags/both "$first" refs/tags/both

t_run "$DEVENV" clone -b v1 --single-branch "$url" y
t_status 0 "--branch with a tag, --single-branch"
t_is "$(git -C y branch -r)" "" "fetches no branch"
t_run "$DEVENV" clone --single-branch "$url" z
t_status 0 "--single-branch with a default branch of any name"
t_is "$(git -C z for-each-ref --format='%(refname)' refs/remotes | tr '\n' ' ')" \
	"refs/remotes/origin/HEAD refs/remotes/origin/trunk " "fetches only that"

t_run "$DEVENV" clone "$url#nope" n
t_status 6 "a missing ref is refused"
t_err "no branch, tag or commit 'nope'" "by name"
t_run "$DEVENV" clone "$url#deadbeef" n
t_status 6 "a missing commit is refused"
t_err "no branch, tag or commit 'deadbeef'" "by name"
t_run "$DEVENV" clone -b trunk "$url#v1" n
t_status 2 "two refs are a contradiction"
t_err "names 'v1' and --branch 'trunk'" "both are named"
t_run "$DEVENV" clone "$url#-x" n
t_status 2 "a ref like an option"
t_err "not a ref name" "is no ref name"
t_is "$(ls -d n .n.* 2>/dev/null)" "" "a refused clone leaves nothing"

git init -q --bare "$GIT_ROOT/empty.git"
t_run "$DEVENV" clone "file://$GIT_ROOT/empty.git"
t_status 6 "an empty repository is refused"
t_err "is empty" "and named so"
git -C "$GIT_ROOT/app.git" symbolic-ref HEAD refs/heads/gone
t_run "$DEVENV" clone "$url" n
t_status 6 "an unborn default branch is refused"
t_err "default branch of .* does not exist" "with its reason"
t_err "hint: name a branch with --branch" "and advice"
git -C "$GIT_ROOT/app.git" symbolic-ref HEAD refs/heads/trunk

t_run "$DEVENV" clone "$TMP/missing.git"
t_status 6 "a missing path is refused"
t_err "missing.git. does not exist" "by name"
for bad in 'ext::sh -c touch% pwned' 'fd::3' '--upload-pack=x' \
	'ssh://-oProxyCommand=touch/x' 'https://a%0ahost=b/' 'ftp://h/x'; do
	t_run "$DEVENV" clone -- "$bad" n
	t_status 2 "refused: $bad"
	t_err 'not allowed|starts with|control character|not supported' "why"
done
t_ok "nothing was executed" test ! -e pwned
t_run "$DEVENV" clone "$(printf 'https://h/\033[2J')" n
t_status 2 "a control character is refused"
t_err 'control character at byte 11' "with its place"

mkdir full && echo mine >full/file
t_run "$DEVENV" clone "$url" full
t_status 4 "a directory with files is not touched"
t_err "neither a clone nor an empty directory" "and named"
t_is "$(cat full/file)" mine "the file is still there"
mkdir vacant
t_run "$DEVENV" clone "$url" vacant
t_status 0 "an empty directory is fine"

mkdir -p "$TMP/evil"
printf '#!/bin/sh\ntouch %s/pwned\n' "$TMP" >"$TMP/run.sh"
chmod +x "$TMP/run.sh"
git_commit app.git .gitattributes '* filter=evil
*.bin filter=lfs diff=lfs merge=lfs -text' evil >/dev/null
printf '[filter "evil"]\n\tsmudge = %s\n\tprocess = %s\n[core]\n\thooksPath = %s\n\tfsmonitor = %s\n' \
	"$TMP/run.sh" "$TMP/run.sh" "$TMP/evil" "$TMP/run.sh" >"$HOME/.gitconfig"
cp "$TMP/run.sh" "$TMP/evil/post-checkout"
t_run "$DEVENV" clone "$url#evil" e
t_status 0 "a tree with filters is cloned"
t_err "Git LFS are left as pointers" "LFS pointers are told"
t_ok "neither filter nor hook ran" test ! -e pwned
rm "$HOME/.gitconfig"

python3 - "$GIT_ROOT" <<'END'
import os, subprocess, sys
repo = sys.argv[1] + "/many.git"
subprocess.run(["git", "init", "-q", "--bare", repo], check=True)
out = b"commit refs/heads/trunk\ncommitter T <t@e> 1 +0000\ndata 1\nx\n"
for i in range(5000):
    text = b"file %d\n" % i
    out += b"M 644 inline d%d/f%d\ndata %d\n%s\n" % (i % 50, i, len(text), text)
subprocess.run(["git", "-C", repo, "fast-import", "--quiet"], input=out, check=True)
END
t_run "$DEVENV" clone "$GIT_ROOT/many.git"
t_status 0 "5,000 files"
t_is "$(find many -name 'f*' -path '*/d*' | wc -l)" 5000 "are all there"
t_is "$(git -C many status --porcelain)" "" "and clean"

# Nested trees of ten entries each: 10^9 files in a few hundred bytes.
git init -q --bare "$GIT_ROOT/bomb.git"
(
	cd "$GIT_ROOT/bomb.git" || exit 1
	id=$(echo x | git hash-object -w --stdin)
	mode='100644 blob'
	for _ in 1 2 3 4 5 6 7 8 9; do
		id=$(for j in 0 1 2 3 4 5 6 7 8 9; do
			printf '%s %s\t%s\n' "$mode" "$id" "d$j"
		done | git mktree)
		mode='040000 tree'
	done
	git update-ref refs/heads/trunk "$(git commit-tree -m b "$id")"
)
t_run timeout 120 "$DEVENV" clone "$GIT_ROOT/bomb.git"
t_status 6 "a bomb of trees is refused"
t_err "more than 5000000 files" "before it is written"
t_ok "and leaves nothing" test ! -e bomb
t_done
