#!/bin/sh
# 3470-build-epoch-sources.sh - SOURCE_DATE_EPOCH as the time of a source
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"
t_need root busybox git python3 nginx fcgiwrap openssl curl skopeo
. "$(dirname "$0")/helper/gitserver.sh"
. "$(dirname "$0")/helper/webserver.sh"

cd "$TMP" || exit 1
t_ok "a web server" web_start
git_http_start
git_repo repo.git
(
	git clone -q "$GIT_ROOT/repo.git" w && cd w || exit 1
	printf 'FROM scratch\nCOPY . /\n' >Dockerfile
	git add -A
	GIT_COMMITTER_DATE='2005-05-05 05:05:05 +0200' git commit -qm dated
	git push -q origin HEAD
) 2>/dev/null
commit=2005-05-05T03:05:05Z
CTX=$TMP/ctx
mkdir -p "$CTX"
echo a >"$CTX/a"
echo file >"$WEB_ROOT/file"
tar -C w -cf "$WEB_ROOT/ctx.tar" Dockerfile
touch -d '2006-06-06 06:06:06 UTC' "$WEB_ROOT/file" "$WEB_ROOT/ctx.tar"
modified=2006-06-06T06:06:06Z

created() { # EPOCH WORD...: when the image says it was made
	c_epoch=$1
	shift
	rm -rf "$TMP/lay"
	t_run timeout 60 "$DEVENV" build --build-arg "SOURCE_DATE_EPOCH=$c_epoch" \
		--output "type=oci,tar=false,dest=$TMP/lay" "$@" &&
		skopeo inspect --config "oci:$TMP/lay" 2>/dev/null |
		python3 -c 'import json, sys
print(json.load(sys.stdin)["created"])'
}
for round in first second; do
	t_is "$(created context "$GIT_HTTP/repo.git")" $commit \
		"[A08] context: the time of a repository's commit, $round build"
	t_is "$(created context "$WEB/ctx.tar")" $modified \
		"[A08] context: the time of an archive's answer, $round build"
done
cat >"$CTX/Dockerfile" <<X
FROM scratch AS http
ADD $WEB/file /
FROM scratch AS git
ADD $GIT_HTTP/repo.git /
FROM scratch AS both
ADD $WEB/file $GIT_HTTP/repo.git /
FROM scratch
ARG SOURCE_DATE_EPOCH
COPY a /
ENV EPOCH=\$SOURCE_DATE_EPOCH
X
t_is "$(created http "$CTX")" $modified \
	"[A08] a stage that is one download: its Last-Modified"
t_is "$(skopeo inspect --config "oci:$TMP/lay" | grep -c "\"EPOCH=1149573966\"")" 1 \
	"[A08] an ARG of the name has the seconds"
t_is "$(created git "$CTX")" $commit "[A08] one that is a repository: its commit"
t_is "$(created more --build-context "more=$GIT_HTTP/repo.git" "$CTX")" \
	$commit "[A08] a named context"
t_run "$DEVENV" build --build-arg SOURCE_DATE_EPOCH=both "$CTX"
t_status 3 "[A08] a stage with two sources"
t_err 'Dockerfile:5:1: SOURCE_DATE_EPOCH stage does not meet source-only requirements' \
	"[A08] is refused with its place"
t_run "$DEVENV" build --build-arg SOURCE_DATE_EPOCH=more \
	--build-context "more=$CTX" "$CTX"
t_status 0 "[A08] a directory of this machine"
t_err 'SOURCE_DATE_EPOCH=more: a local directory has no time of its own' \
	"[A08] has no time, which is said"
sed -i "s,$WEB/file,$WEB/plain/file," "$CTX/Dockerfile"
t_run "$DEVENV" build --build-arg SOURCE_DATE_EPOCH=http "$CTX"
t_status 0 "[A08] a download without Last-Modified"
t_err "SOURCE_DATE_EPOCH=http: $WEB/plain/file has no time of its own" \
	"[A08] has none, either"
build_clean "epochs"
t_done
