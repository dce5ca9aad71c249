#!/bin/sh
# 3440-build-ignore.sh - .dockerignore: which file counts, what it leaves out
. "$(dirname "$0")/lib.sh"

t_need jq git
P=$TMP/project
mkdir -p "$P/ctx/a/b/c" "$P/ctx/node_modules/keep" "$P/files" "$P/ctx/docs"
cd "$P/ctx" || exit 1
git init -q "$P" 2>/dev/null
for f in a/x.md a/b/y.md a/b/c/z.txt node_modules/n node_modules/keep/k \
	docs/README.md docs/more.md top.md '[x]' secret; do
	echo "$f" >"$f"
done
ln -s secret link
printf 'FROM scratch\nCOPY . /\n' >Dockerfile
cp Dockerfile "$P/files/prod"

context() { # OPTION...
	t_run timeout 60 "$DEVENV" parse --print=context "$@" .
	seen=$(jq -r '[.[] | select(.type != "dir") | .path] | join(" ")' "$out")
}
all="Dockerfile [x] a/b/c/z.txt a/b/y.md a/x.md docs/README.md docs/more.md link node_modules/keep/k node_modules/n secret top.md"
# Patterns, one an argument; what is left of the files, without the constant.
rules() { # SENTENCE WANT PATTERN...
	r_name=$1
	r_want=$2
	shift 2
	printf '%s\n' "$@" >.dockerignore
	context
	t_is "$seen" "$r_want" "$r_name"
}
rules "[D02] comments, blanks and byte order marks" \
	"Dockerfile [x] link secret" \
	"$(printf '\357\273\277node_modules')" '# a comment' '' '  docs/  ' \
	/a './x/../top.md' '.dockerignore'
t_ok "[D06] an ignore file can leave itself out" sh -c \
	"! grep -q dockerignore '$out'"
rules "[D02] a hash elsewhere is a pattern" "$all" ' #x' .dockerignore
rules "[D02] '! x' is an exception as well" "link" \
	'*' '! link'
rules "[D03] the last match wins" "a/x.md top.md" '**' '!**/*.md' 'docs' \
	'a/b' '*.txt'
rules "[D03] a directory takes all below it, and gives it back" \
	"a/b/c/z.txt" '*' '!a/b' 'a/b/*.md'
rules "[D03] '**' is any number of directories, none as well" \
	"Dockerfile [x] a/b/c/z.txt link node_modules/keep/k node_modules/n secret" \
	'**/*.md' .dockerignore
rules "[D03] 'a/**' leaves out what is below" \
	"Dockerfile [x] docs/README.md docs/more.md link node_modules/keep/k node_modules/n secret top.md" \
	'a/**' .dockerignore
t_ok "[D03] but not 'a'" jq -e 'any(.path == "a")' "$out"
rules "[D03] '.' is never left out" "$all" . .dockerignore
rules "[D04] stars and question marks stop at slashes" \
	"[x] a/b/c/z.txt a/b/y.md docs/README.md docs/more.md link node_modules/keep/k node_modules/n secret" \
	'*.md' '?/*.md' '*e' .dockerignore
rules "[D04] classes, their complements, escapes" \
	"Dockerfile docs/README.md node_modules/keep/k node_modules/n top.md" \
	'[a-b]' '\[x\]' '[^dnDt.]*' 'docs/[l-n]*' .dockerignore
rules "[D05] what is brought back shows its directories" \
	"node_modules/keep/k" '*' '!node_modules/keep'
t_is "$(jq -r '[.[].path] | join(" ")' "$out")" \
	"node_modules node_modules/keep node_modules/keep/k" \
	"[D05] and no other"
for bad in 'a[' '[]a]' '!' 'a[b-]'; do
	printf 'top.md\n%s\n' "$bad" >.dockerignore
	context
	t_status 3 "[D04] a malformed pattern: $bad"
	t_err '^devenv: \.dockerignore:2:1: ' "[D04] it is placed: $bad"
done

# --- which file ---

printf '*\n!top.md\n' >.dockerignore
printf '*\n!secret\n' >Dockerfile.dockerignore
context
t_is "$seen" secret "[D01] the Dockerfile's own file comes first"
mkdir build
printf '*\n!link\n' >build/web.dockerignore
cp Dockerfile build/web
context -f build/web
t_is "$seen" link "[D01] beside the Dockerfile in a directory"
cp Dockerfile build/other
context -f build/other
t_is "$seen" top.md "[D01] a Dockerfile without one has the context's"
printf '*\n!a/x.md\n' >"$P/files/prod.dockerignore"
context -f ../files/prod
t_is "$seen" a/x.md "[D01] beside a Dockerfile outside of the context"
t_run timeout 60 "$DEVENV" build -q -f ../files/prod --output \
	"type=local,dest=$TMP/o" .
t_is "$(cd "$TMP/o" && find . -type f)" ./a/x.md "[D01] it counts for builds"
printf 'a[\n' >"$P/files/prod.dockerignore"
context -f ../files/prod
t_status 3 "[D01] it is checked"
t_err 'files/prod\.dockerignore:1:1: syntax error in pattern' \
	"[D01] and named"
rm "$P/files/prod.dockerignore"
context -f ../files/prod
t_is "$seen" top.md "[D01] else the context's counts"
echo '*' >"$TMP/outside"
ln -s "$TMP/outside" "$P/files/prod.dockerignore"
context -f ../files/prod
t_is "$status $seen" "0 top.md" "[D01] no link leads out to one"
ln -sf "$TMP/outside" build/other.dockerignore
context -f build/other
t_is "$status $seen" "0 top.md" "[D01] from the context neither"
rm "$P/files/prod.dockerignore"
mkfifo "$P/files/prod.dockerignore"
context -f ../files/prod
t_status 3 "[D01] one that is a pipe is an error"
t_err "prod.dockerignore' is not a regular file" "[D01] it says so"
rm "$P/files/prod.dockerignore" Dockerfile.dockerignore

# --- what it counts for ---

printf 'secret\nDockerfile\n.dockerignore\n' >.dockerignore
rm -rf "$TMP/o"
t_run timeout 60 "$DEVENV" build -q --output "type=local,dest=$TMP/o" .
t_is "$(cd "$TMP/o" && echo .[!.]* *)" \
	".[!.]* [x] a build docs link node_modules top.md" \
	"[D06] Dockerfile and ignore file may leave themselves out"
printf 'FROM scratch\nCOPY link /\n' >Dockerfile
t_run timeout 60 "$DEVENV" build -q .
t_status 3 "[D06] a link to a file that is left out"
t_err 'Dockerfile:2:1: "/secret": not found \(excluded by \.dockerignore\)' \
	"[D06] does not bring it back"
printf 'FROM scratch\nCOPY secret /\n' >Dockerfile
t_run timeout 60 "$DEVENV" build -q .
t_err 'Dockerfile:2:1: "/secret": not found \(excluded by \.dockerignore\)' \
	"[D06] nor does its name"
t_done
