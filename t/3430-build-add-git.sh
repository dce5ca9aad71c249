#!/bin/sh
# 3430-build-add-git.sh - ADD of repositories: refs, parts, modes, cache, attacks
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"
t_need root busybox git python3 nginx fcgiwrap openssl sshd ssh-keygen
. "$(dirname "$0")/helper/gitserver.sh"

CTX=$TMP/ctx
mkdir -p "$CTX"
echo local >"$CTX/local"
cd "$TMP" || exit 1
git_repo leaf.git
git_repo repo.git
first=$(git_commit repo.git dir/sub/file one)
(
	git clone -q "$GIT_ROOT/repo.git" w && cd w || exit 1
	echo run >script && chmod 755 script && ln -s dir/sub/file link
	mkdir tight && echo t >tight/file && chmod 600 tight/file
	git add -A && git commit -qm more && git tag -a v1 -m v1
	git submodule --quiet add ../leaf.git mod && git commit -qm sub
	git push -q --tags origin HEAD
) 2>/dev/null
rm -rf w
head=$(git -C "$GIT_ROOT/repo.git" rev-parse trunk)
git_commit repo.git branch-only b side >/dev/null
git_http_start
REPO=$GIT_HTTP/repo.git

build() { # [OPTION...]: the Dockerfile is standard input
	cat >"$CTX/Dockerfile"
	rm -rf "$TMP/files"
	t_run timeout 100 "$DEVENV" build \
		--output "type=local,dest=$TMP/files" "$@" "$CTX"
}
add() { # ADD's words...
	build <<X
FROM scratch
ADD $*
X
}
file() { cat "$TMP/files/$1" 2>/dev/null; }
stats() { stat -c "$1" "$TMP/files/$2"; }
names() { # [DIRECTORY]
	find "$TMP/files/${1:-}" -mindepth 1 -maxdepth 1 -printf '%f\n' |
		sort | tr '\n' ' '
}
packs() { grep -c 'POST .*git-upload-pack' "$GIT_HTTP_DIR/access.log"; }
asked() { wc -l <"$GIT_HTTP_DIR/access.log"; }
fails() { # STATUS REGEX SENTENCE WORDS...
	f_status=$1 f_regex=$2 f_name=$3
	shift 3
	add "$*"
	t_status "$f_status" "$f_name"
	t_err "^devenv: .*Dockerfile:2:1: .*$f_regex" "$f_name: it says why"
}

umask 077
add "$REPO" /src
umask 022
t_status 0 "[I41] ADD of a repository"
t_is "$(names src)" \
	".gitmodules README dir link mod script tight " \
	"[I41] the files of the default branch, without .git"
t_is "$(stats %a src/README) $(stats %a src/script) $(stats %a src/tight/file) $(stats %a src/dir) $(stats %u:%g src/README)" \
	"644 755 644 755 0:0" "[I41] files are 0644 or 0755 of root, whatever the umask"
t_is "$(readlink "$TMP/files/src/link") $(file src/mod/README) $(names src/mod)" \
	"dir/sub/file hello from leaf.git README " \
	"[I41] links are links, submodules are there without their .git"
before=$(packs) all=$(asked)
add "$REPO" /src
t_err '0 steps run, 1 cached' "[I41] the same commit is cached"
t_is "$(packs) $(($(asked) - all))" "$before 1" \
	"[I41] one question, no objects"
add "$REPO" /elsewhere
t_is "$status $(file elsewhere/README) $(packs)" \
	"0 hello from repo.git $before" "[I41] the checkout is kept for other steps"
add "$REPO#$first" /src
t_is "$status $(names src)" "0 README dir " "[I41] #COMMIT"
all=$(asked)
add "$REPO#$first" /src
t_is "$status $(asked)" "0 $all" "[I41] a full commit id needs no question"
add "$REPO#v1" /src
t_is "$status $(names src)" "0 README dir link script tight " \
	"[I41] #TAG, an annotated one"
add "$REPO#side" /src
t_is "$status $(file src/branch-only)" "0 b" "[I41] #BRANCH"
add "$REPO#refs/heads/side:dir" /src
t_is "$status $(names src)" "0 sub " "[I41] #REF:SUBDIR"
add "$REPO#:dir/sub/" /src
t_is "$status $(file src/file)" "0 one" "[I41] #:SUBDIR"
add "$REPO?branch=side&subdir=dir" /src
t_is "$status $(names src)" "0 sub " "[I41] ?branch=&subdir="
add "$REPO?tag=v1" /src
t_is "$status $(names src)" "0 README dir link script tight " "[I41] ?tag="
add "$REPO?submodules=false" /src
t_is "$status $(names src/mod)" "0 " "[I41] ?submodules=false"
add "$REPO?mtime=commit" /src
t_is "$status $(stats %Y src/README)" \
	"0 $(git -C "$GIT_ROOT/repo.git" log -1 --format=%ct trunk)" \
	"[I41] ?mtime=commit"
add --chown=5:6 "$REPO#$first" local /src/
t_is "$status $(stats %u:%g src/dir/sub/file) $(file src/local)" "0 5:6 local" \
	"[I41] --chown, and beside another source"
git_commit repo.git README changed >/dev/null
add "$REPO" /src
t_is "$status $(file src/README)" "0 changed" "[I41] a new commit is seen"
t_err '1 step run, 0 cached' "[I41] and the step runs"
git_daemon_start
add "$GIT_DAEMON/repo.git#$first" /git
t_is "$status $(names git)" "0 README dir " "[I41] git://"

# --- .git ---
for words in "--keep-git-dir $REPO" "$REPO?keep-git-dir=true" \
	"--keep-git-dir=true $REPO?keep-git-dir=1"; do
	add "$words /src"
	t_is "$status $(git -C "$TMP/files/src" log -1 --format=%s)" \
		"0 change README" "[I41] '${words%% *}': git reads the repository"
done
t_is "$(git -C "$TMP/files/src" remote get-url origin)" "$REPO" \
	"[I41] it says where it came from"
t_is "$(find "$TMP/files/src/.git/hooks" ! -name '*.sample' -type f)" "" \
	"[I41] it has no hooks"
add "--keep-git-dir $REPO#:dir" /src
t_is "$status $(names src)" "0 sub " "[I41] a part of it never has .git"
fails 3 'inconsistent keep-git-dir configuration' \
	"[I41] --keep-git-dir against the query" \
	--keep-git-dir "$REPO?keep-git-dir=false" /src

# --- --checksum ---
short=$(printf %.8s "$first")
add "--checksum=$short $REPO#$first" /src
t_is "$status $(names src)" "0 README dir " "[I42] --checksum with a prefix"
add "$REPO?commit=$first" /src
t_is "$status $(names src)" "0 README dir " "[I42] ?commit= alone is the ref, too"
fails 3 "expected checksum to match deadbeef, got $first" \
	"[I42] --checksum of another commit" --checksum=deadbeef "$REPO#$first" /src
fails 3 "invalid checksum 'xyz'" "[I42] --checksum that is no id" \
	--checksum=xyz "$REPO" /src
fails 3 "checksum conflicts" "[I42] --checksum against the query" \
	--checksum=deadbeef "$REPO?checksum=$first" /src

# --- wrong references ---
fails 3 'ref conflicts: "a" vs "b"' "[I41] two refs" "$REPO?ref=b#a" /src
fails 3 'branch conflicts with tag' "[I41] branch and tag" \
	"$REPO?branch=a&tag=b" /src
fails 3 'invalid mtime value: "now"' "[I41] mtime" "$REPO?mtime=now" /src
fails 3 'invalid fetch-by-commit value: "x"' "[I41] fetch-by-commit" \
	"$REPO?fetch-by-commit=x" /src
fails 3 'unexpected query "x"' "[I41] an unknown key" "$REPO?x=1" /src
fails 3 'query "ref" has no value' "[I41] an empty key" "$REPO?ref=" /src
fails 3 'query "ref" has multiple values' "[I41] a key twice" \
	"$REPO?ref=a&ref=a" /src
fails 6 "no branch, tag or commit 'none'" "[I41] a ref that is not there" \
	"$REPO#none" /src
fails 3 "no branch or tag '$short'" "[I41] the beginning of a commit's id" \
	"$REPO#$short" /src
fails 6 'none.git' "[I41] a repository that is not there" \
	"$GIT_HTTP/none.git" /src
fails 3 "cannot open the directory 'nodir'" "[I41] a part that is not there" \
	"$REPO#:nodir" /src
fails 3 "cannot open the directory 'README'" "[I41] a part that is a file" \
	"$REPO#:README" /src
build <<X
FROM scratch
COPY $REPO /x
X
t_status 3 "[I43] COPY of a repository"
t_err "Dockerfile:2:1: .*source can't be a git ref for COPY" "[I43] is no COPY"

# --- attacks ---
echo outside >"$TMP/outside"
mkdir "$TMP/secret" && echo s >"$TMP/secret/key"
git_repo evil.git
(
	git clone -q "$GIT_ROOT/evil.git" w && cd w || exit 1
	ln -s "$TMP/secret" absolute
	ln -s ../../../../../../../../../../../../../../..$TMP/secret relative
	git add -A && git commit -qm evil && git push -q origin HEAD
) 2>/dev/null
rm -rf w
for part in "../../../../../..$TMP/secret" "..$TMP/secret" absolute relative \
	"/$TMP/secret" absolute/../secret; do
	add "$GIT_HTTP/evil.git#:$part" /src
	t_status 3 "[I41] '$part' does not lead out of the repository"
	t_err 'Dockerfile:2:1: .*cannot open the directory' \
		"[I41] '$part': it is said"
	t_is "$(ls "$TMP/files" 2>/dev/null)" "" "[I41] '$part': nothing came"
done
add "$REPO#--upload-pack=touch\${IFS}x" /src
t_status 3 "[I41] a ref that looks like an option"
t_err "is not a ref name" "[I41] is refused"
add "ssh://-oProxyCommand=touch/x.git" /src
t_status 3 "[I41] a host that looks like an option"
t_err "starts with '-'" "[I41] is refused"

# --- access ---
git_http_start auth
AUTH=$GIT_HTTP/repo.git
fails 6 'repo.git' "[I41] a repository that wants a password" "$AUTH" /p
build --git-username dev --git-password s3cret-pw <<X
FROM scratch
ADD $AUTH /p
X
t_status 6 "[I41] a Dockerfile does not get the user's password for its hosts"
t_is "$(grep -c 'auth=Basic' "$GIT_HTTP_DIR/auth.log")" 0 \
	"[I41] it was never sent"
add "http://dev:s3cret-pw@${AUTH#http://}" /p
t_is "$status $(file p/README)" "0 changed" "[I41] one that the URL itself has"
t_is "$(cat "$out" "$err" | grep -c s3cret-pw) $(grep -rc s3cret-pw "$DEVENV_STORE/cache" "$DEVENV_STORE/images" | grep -vc ':0')" \
	"0 0" "[I41] is in no record, message or cache"
"$DEVENV" clone "http://dev:s3cret-pw@${AUTH#http://}" p >"$TMP/rec" 2>/dev/null
printf 'FROM scratch\nADD %s /p\n' "$AUTH" >p/Dockerfile
t_run "$DEVENV" build --git-username dev --git-password s3cret-pw "$TMP/rec"
t_status 0 "[I41] the project's own host gets it"
git_ssh_start
# What lsan.supp names is seen in whole stacks only.
ASAN_OPTIONS=${ASAN_OPTIONS:-}:fast_unwind_on_malloc=0
export ASAN_OPTIONS
mkdir -p "$HOME/.ssh"
echo "[127.0.0.1]:$GIT_SSH_PORT $(cut -d' ' -f1,2 "$GIT_SSH_HOSTKEY")" \
	>"$HOME/.ssh/known_hosts"
SSH=ssh://root@127.0.0.1:$GIT_SSH_PORT$GIT_ROOT/repo.git
fails 6 '' "[I41] ssh without a key" "$SSH#trunk" /p
cp "$GIT_SSH_KEY" "$HOME/.ssh/id_ed25519"
eval "$(ssh-agent)" >/dev/null
t_atexit "kill $SSH_AGENT_PID"
ssh-add -q "$GIT_SSH_KEY" 2>/dev/null
add "$SSH#side" /p
t_is "$status $(file p/branch-only)" "0 b" "[I41] ssh with an agent"
: >"$HOME/.ssh/known_hosts"
fails 6 'host key' "[I41] an unknown host key" "$SSH#trunk" /p
build_clean "repositories"
t_done
