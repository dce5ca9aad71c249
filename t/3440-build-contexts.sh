#!/bin/sh
# 3440-build-contexts.sh - contexts: directories, tars, URLs, repositories
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"
t_need root busybox git python3 nginx fcgiwrap openssl curl
. "$(dirname "$0")/helper/gitserver.sh"
. "$(dirname "$0")/helper/webserver.sh"

t_ok "a web server" web_start
git_http_start auth
cd "$TMP" || exit 1
CTX=$TMP/ctx
mkdir -p "$CTX/sub" "$CTX/other"
echo a >"$CTX/a"
echo ignored >"$CTX/ignored"
echo b >"$CTX/sub/b"
printf 'FROM scratch\nCOPY . /\n' >"$CTX/Dockerfile"
printf 'FROM scratch\nCOPY b /deep\n' >"$CTX/sub/Dockerfile"
printf 'FROM scratch\nCOPY a /named\n' >"$CTX/other/file"
echo ignored >"$CTX/.dockerignore"
printf 'sub\n' >"$CTX/other/file.dockerignore"
tar -C "$CTX" -czf "$WEB_ROOT/ctx.tar.gz" .

build() { # WORD...
	rm -rf "$TMP/files"
	t_run timeout 60 "$DEVENV" build \
		--output "type=local,dest=$TMP/files" "$@"
}
file() { cat "$TMP/files/$1" 2>/dev/null; }
names() {
	find "$TMP/files" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort |
		tr '\n' ' '
}

# --- a directory and its Dockerfile ---
build "$CTX"
t_is "$status $(names)" "0 .dockerignore Dockerfile a other sub " \
	"[S10] a directory"
build -f "$CTX/other/file" "$CTX"
t_is "$status $(names)" "0 named " "[S10] another file in it"
printf 'FROM scratch\nCOPY sub/b /stdin\n' >"$TMP/outside"
build -f "$TMP/outside" "$CTX"
t_is "$status $(file stdin)" "0 b" "[S10] a Dockerfile outside of the context"
t_run sh -c 'rm -rf files; exec "$DEVENV" build --output type=local,dest=files \
	-f - "$1" <outside' - "$CTX"
t_is "$status $(file stdin)" "0 b" "[S10] -f -: the Dockerfile on standard input"
t_run sh -c 'echo FROM nowhere.invalid/x | "$DEVENV" build -f - --context sub "$1"' - "$CTX"
t_err '^devenv: Dockerfile:1:1: ' "[S10] -f -: messages call it Dockerfile"
t_run sh -c '"$DEVENV" build -f - "$1" </dev/null' - "$CTX"
t_status 3 "[S10] -f - without any text"
t_err 'standard input is empty' "[S10] is said"
t_run sh -c '"$DEVENV" build -f - - <outside'
t_status 2 "[S10] -f - beside a context on standard input"
t_err 'cannot be both the context and the Dockerfile' "[S10] is refused"
mkdir links lower
cp "$CTX/a" links && cp "$CTX/a" lower
cp "$CTX/other/file" links/real && ln -s real links/Dockerfile
build links
t_is "$status $(names)" "0 named " "[S10] a Dockerfile that is a link inside"
cp "$CTX/other/file" lower/dockerfile
build lower
t_is "$status $(names)" "0 named " "[S10] lower case: dockerfile"
ln -sf "$TMP/outside" links/Dockerfile
build links
t_status 3 "[S10] a Dockerfile that is a link to outside"
t_err "lies outside of" "[S10] is not read"

# --- a tar on standard input ---
for end in .gz .bz2 .xz .zst ''; do
	tar -C "$CTX" -caf "$TMP/in.tar$end" .
	t_run sh -c 'rm -rf files; exec "$DEVENV" build - \
		--output type=local,dest=files <"$1"' - "in.tar$end"
	t_is "$status $(names)" "0 .dockerignore Dockerfile a other sub " \
		"[S10] a tar$end on standard input"
done
t_run sh -c 'rm -rf files; exec "$DEVENV" build -f other/file - \
	--output type=local,dest=files <in.tar'
t_is "$status $(names)" "0 named " "[S10] -f is a path in there"

# --- an archive from a URL ---
build "$WEB/ctx.tar.gz"
t_is "$status $(names)" "0 .dockerignore Dockerfile a other sub " \
	"[S10] the URL of an archive"
before=$(web_requests)
build "$WEB/ctx.tar.gz"
t_err '0 steps run, 1 cached' "[S10] it is cached"
t_is "$(web_requests) $(tail -n 1 "$WEB_LOG")" \
	"$((before + 1)) GET /ctx.tar.gz 304 0" "[S10] nothing is downloaded again"
build -f other/file "$WEB/ctx.tar.gz"
t_is "$status $(names)" "0 named " "[S10] -f is a path in there"
build --target none "$WEB/ctx.tar.gz"
t_err '^devenv: Dockerfile: target stage' "[S10] messages call files as in there"
printf 'FROM scratch\nCOPY Dockerfile /x\n' >"$WEB_ROOT/some.txt"
build "$WEB/some.txt"
t_is "$status $(names)" "0 x " "[S10] the URL of a Dockerfile"
build "$WEB/none.tar"
t_status 6 "[S10] a URL with nothing there"
t_err "^devenv: $WEB/none.tar: .*status 404" "[S10] is named"
mkdir evil && echo secret >"$TMP/secret"
ln -s "$TMP/secret" evil/link && ln -s "$TMP/outside" evil/Dockerfile
printf 'FROM scratch\nCOPY link /x\n' >evil/file
tar -C evil -cf "$WEB_ROOT/evil.tar" .
build "$WEB/evil.tar"
t_status 3 "[S10] a fetched Dockerfile that is a link to outside"
t_err "lies outside of" "[S10] is not read"
build -f Dockerfile "$WEB/evil.tar"
t_status 3 "[S10] neither when it is named"
t_err "lies outside of" "[S10] with -f"
build -f file "$WEB/evil.tar"
t_status 3 "[S10] a fetched link to outside"
t_err 'link.*not found' "[S10] leads to nothing"
python3 - "$WEB_ROOT/climb.tar" "$TMP/climbed" <<'END'
import io, sys, tarfile
t = tarfile.open(sys.argv[1], "w")
for name in ("../" * 12 + sys.argv[2].lstrip("/"), sys.argv[2], "Dockerfile"):
    i = tarfile.TarInfo(name)
    data = b"FROM scratch\nCOPY . /\n"
    i.size = len(data)
    t.addfile(i, io.BytesIO(data))
END
build "$WEB/climb.tar"
t_is "$(ls "$TMP/climbed" 2>/dev/null)" "" "[S10] an archive writes nowhere else"

# --- a repository ---
git_repo ctx.git
git clone -q "$GIT_ROOT/ctx.git" w 2>/dev/null
(
	cd w && cp -r "$CTX/." . && git add -A && git commit -qm all &&
		git tag v1 && git push -q --tags origin HEAD
) 2>/dev/null
head=$(git -C w rev-parse HEAD)
git_commit ctx.git a later >/dev/null
gitbuild() {
	build --git-username dev --git-password s3cret-pw "$@"
}
gitbuild "$GIT_HTTP/ctx.git"
t_is "$status $(names)$(file a)" \
	"0 .dockerignore Dockerfile README a other sub later" \
	"[S10] a repository, with the user's password"
t_is "$(python3 -c 'import json, sys
s = json.load(open(sys.argv[1]))["source"]
print(s["url"], s["ref"], s["path"], len(s["commit"]))' "$out")" \
	"$GIT_HTTP/ctx.git refs/heads/trunk None 40" \
	"[S10] the record says where it came from"
packs() { grep -c 'POST .*git-upload-pack' "$GIT_HTTP_DIR/access.log"; }
before=$(packs)
gitbuild "$GIT_HTTP/ctx.git"
t_err '0 steps run, 1 cached' "[S10] it is cached"
t_is "$(packs)" "$before" "[S10] no objects come again"
gitbuild "$GIT_HTTP/ctx.git#v1"
t_is "$status $(file a)" "0 a" "[S10] URL#REF"
gitbuild "$GIT_HTTP/ctx.git#$head:sub"
t_is "$status $(names)" "0 deep " "[S10] URL#REF:SUBDIR"
gitbuild "$GIT_HTTP/ctx.git?branch=trunk&subdir=sub"
t_is "$status $(names)" "0 deep " "[S10] URL?KEY=VALUE"
gitbuild -f other/file "$GIT_HTTP/ctx.git"
t_is "$status $(file named)" "0 later" "[S10] -f is a path in there"
for value in 1 true; do
	gitbuild --build-arg "BUILDKIT_CONTEXT_KEEP_GIT_DIR=$value" \
		"$GIT_HTTP/ctx.git"
	t_is "$status $(git -C "$TMP/files" log -1 --format=%s)" \
		"0 change a" "[A09] BUILDKIT_CONTEXT_KEEP_GIT_DIR=$value"
done
gitbuild --build-arg BUILDKIT_CONTEXT_KEEP_GIT_DIR=0 \
	"$GIT_HTTP/ctx.git"
t_is "$status $(ls -d "$TMP/files/.git" 2>/dev/null)" "0 " \
	"[A09] BUILDKIT_CONTEXT_KEEP_GIT_DIR=0"
build "$GIT_HTTP/ctx.git"
t_status 6 "[S10] a repository that wants a password"
t_err "ctx.git" "[S10] is named"
build "$GIT_HTTP/ctx.git?x=1"
t_status 2 "[S10] an address that is none"
t_err 'unexpected query "x"' "[S10] is a usage error"
gitbuild "$GIT_HTTP/ctx.git#:../../../../../..$TMP"
t_status 3 "[S10] a part that leads out"
t_err 'cannot open the directory' "[S10] is not there"
git -C w checkout -qb private
printf 'FROM scratch\nADD %s/ctx.git#v1:sub /\n' "$GIT_HTTP" >w/Dockerfile
git -C w commit -qam add && git -C w push -q origin private 2>/dev/null
gitbuild "$GIT_HTTP/ctx.git#private"
t_is "$status $(names)" "0 Dockerfile b " \
	"[I41] ADD from the context's own host has the user's password"

# --- named contexts ---
printf 'FROM scratch\nCOPY --from=more . /\n' >"$TMP/outside"
build -f "$TMP/outside" --build-context "more=$WEB/ctx.tar.gz" "$CTX"
t_is "$status $(names)" \
	"0 .dockerignore Dockerfile a ignored other sub " \
	"[S09] --build-context NAME=URL of an archive"
build -f "$TMP/outside" --build-context "more=$WEB/some.txt" "$CTX"
t_is "$status $(names)" "0 context " "[S09] or of another file"
git_daemon_start
build -f "$TMP/outside" --build-context "more=$GIT_DAEMON/ctx.git#v1:sub" "$CTX"
t_is "$status $(names)" "0 Dockerfile b " "[S09] or of a repository"
build -f "$TMP/outside" --build-context "more=$GIT_DAEMON/ctx.git#v1:sub" "$CTX"
t_err '0 steps run, 1 cached' "[S09] which is cached"
printf 'FROM more\n' >"$TMP/outside"
build -f "$TMP/outside" --build-context "more=$GIT_DAEMON/ctx.git#v1:sub" "$CTX"
t_is "$status $(names)" "0 Dockerfile b " "[S09] and may be a base"
build_clean "contexts"
t_done
