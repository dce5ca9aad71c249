#!/bin/sh
# 3420-build-add-url.sh - ADD of URLs: names, modes, times, checks, cache
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"
. "$(dirname "$0")/helper/webserver.sh"

t_need root busybox nginx curl
t_ok "a web server" web_start
CTX=$TMP/ctx
mkdir -p "$CTX" "$WEB_ROOT/dir"
echo local >"$CTX/local"
echo content >"$WEB_ROOT/file.txt"
touch -d '2001-02-03 04:05:06 UTC' "$WEB_ROOT/file.txt"
echo blank >"$WEB_ROOT/dir/a name"
tar -C "$CTX" -cf "$WEB_ROOT/some.tar" local
sum=sha256:$(sha256sum "$WEB_ROOT/file.txt" | cut -c 1-64)

build() { # [OPTION...]: the Dockerfile is standard input
	cat >"$CTX/Dockerfile"
	rm -rf "$TMP/files"
	t_run timeout 60 "$DEVENV" build \
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

add "$WEB/file.txt" /got
t_status 0 "[I40] ADD of a URL to a name"
t_is "$(file got)" content "[I40] it has what the server gave"
t_is "$(stats %a:%u:%g:%Y got)" "600:0:0:981173106" \
	"[I40] mode 0600, owner root, the time of Last-Modified"
add "$WEB/plain/file.txt" /got
t_is "$status $(stats %Y got)" "0 0" "[I40] without Last-Modified the time is 0"
add "$WEB/file.txt?x=1#part" /d/
t_is "$status $(ls "$TMP/files/d")" "0 file.txt" \
	"[I40] into a directory: the name comes from the URL's path"
add "$WEB/dir/a%20name" /d/
t_is "$status $(file 'd/a name')" "0 blank" "[I40] decoded"
echo index >"$WEB_ROOT/index.html"
add "$WEB" /d/
t_is "$status $(file d/__unnamed__)" "0 index" "[I40] a URL without a path"
add --chmod=755 --chown=7:8 "$WEB/file.txt" /x/got
t_is "$status $(stats %a:%u:%g x/got)" "0 755:7:8" "[I40] --chmod and --chown"
add "$WEB/some.tar" /d/
t_is "$status $(ls "$TMP/files/d")" "0 some.tar" \
	"[I40] an archive from a URL is not unpacked"
build <<X
FROM scratch
WORKDIR /w
ADD local $WEB/file.txt ./
ADD $WEB/file.txt <<here local sub/
heredoc
here
X
t_is "$status $(cd "$TMP/files/w" && find . -type f | sort | tr '\n' ' ')" \
	"0 ./file.txt ./local ./sub/file.txt ./sub/here ./sub/local " \
	"[I40] URLs, files and heredocs in one ADD"
cp "$WEB_ROOT/file.txt" "$CTX/file.txt"
echo mine >"$CTX/file.txt"
build <<X
FROM scratch
ADD $WEB/file.txt file.txt /a/
ADD file.txt $WEB/file.txt /b/
X
t_is "$status $(file a/file.txt) $(file b/file.txt)" "0 mine content" \
	"[I40] the later of two sources of one name wins"
build --build-arg "FROM=$WEB" <<'X'
FROM scratch
ARG FROM
ADD ${FROM}/file.txt /got
X
t_is "$status $(file got)" "0 content" "[I40] variables in the URL"
add "$WEB/moved/file.txt" /d/
t_is "$status $(file d/file.txt)" "0 content" "[I40] redirects are followed"
build <<X
FROM scratch
COPY $WEB/file.txt /x
X
t_status 3 "[I43] COPY of a URL"
t_err "Dockerfile:2:1: .*source can't be a URL for COPY" "[I43] is no COPY"

# --- what fails ---
for code in 400 403 404 410 500 204; do
	build --registry-retries 1 <<X
FROM scratch
ADD $WEB/status/$code /x
X
	t_status 6 "[I40] an answer with status $code fails"
	t_err "Dockerfile:2:1: $WEB/status/$code: .*status $code" \
		"[I40] $code: place and status are named"
done
build --registry-retries 1 <<X
FROM scratch
ADD http://127.0.0.1:1/x /x
X
t_status 5 "[I40] nobody answers"
t_err 'Dockerfile:2:1: http://127.0.0.1:1/x: ' "[I40] it is said where"
add "http://user:pw@127.0.0.1/x" /x
t_status 3 "[I40] a password in a URL"
t_err 'Dockerfile:2:1: URL may not hold a user name or password' \
	"[I40] is not taken"

# --- the cache: what does not change is not fetched twice ---
for kind in "" /etag /date; do
	echo "first$kind" >"$WEB_ROOT/c.txt"
	touch -d '2002-02-02 UTC' "$WEB_ROOT/c.txt"
	add "$WEB$kind/c.txt" /c
	t_is "$status $(file c)" "0 first$kind" "[I40] '$kind': downloaded"
	before=$(web_requests)
	add "$WEB$kind/c.txt" /c
	t_err '0 steps run, 1 cached' "[I40] '$kind': the same file is cached"
	t_is "$(web_requests) $(tail -n 1 "$WEB_LOG")" \
		"$((before + 1)) GET $kind/c.txt 304 0" \
		"[I40] '$kind': one request without a body finds out"
	build --build-arg X=1 <<X
FROM scratch
ADD $WEB$kind/c.txt /other
X
	t_is "$status $(file other) $(web_requests ' 200 ')" \
		"0 first$kind $(web_requests ' 200 ')" "[I40] '$kind': used elsewhere"
	t_is "$(tail -n 1 "$WEB_LOG")" "GET $kind/c.txt 304 0" \
		"[I40] '$kind': it comes from the store"
	echo "second$kind" >"$WEB_ROOT/c.txt"
	touch -d '2003-03-03 UTC' "$WEB_ROOT/c.txt"
	add "$WEB$kind/c.txt" /c
	t_is "$status $(file c)" "0 second$kind" "[I40] '$kind': a change is seen"
	t_err '1 step run, 0 cached' "[I40] '$kind': and the step runs"
done
add "$WEB/plain/c.txt" /c
add "$WEB/plain/c.txt" /c
t_err '0 steps run, 1 cached' \
	"[I40] without ETag and date the content decides"
touch -d '2004-04-04 UTC' "$WEB_ROOT/c.txt"
add "$WEB/c.txt" /c
t_is "$(stats %Y c)" "$(date -d '2004-04-04 UTC' +%s)" \
	"[I40] another Last-Modified is another file"
before=$(web_requests)
build <<X
FROM scratch
ADD $WEB/c.txt /a
ADD $WEB/c.txt /b
X
t_is "$status $(web_requests)" "0 $((before + 1))" \
	"[I40] one request for a file that two steps add"
t_ok "the store is collected" "$DEVENV" store gc
add "$WEB/c.txt" /elsewhere
t_is "$(tail -n 1 "$WEB_LOG")" "GET /c.txt 304 0" \
	"[I40] and keeps what was downloaded"

# --- --checksum ---
cp "$WEB_ROOT/file.txt" "$WEB_ROOT/sum.txt"
before=$(web_requests)
add --checksum="$sum" "$WEB/sum.txt" /sum
t_is "$status $(file sum)" "0 content" "[I42] --checksum that fits"
add --checksum="$sum" "$WEB/sum.txt" /sum
t_is "$status $(web_requests)" "0 $((before + 1))" \
	"[I42] the second time nothing is asked"
t_err '0 steps run, 1 cached' "[I42] it is cached"
build --build-arg "SUM=$sum" <<X
FROM scratch
ARG SUM
ADD --checksum=\$SUM $WEB/file.txt /sum
X
t_is "$status $(file sum)" "0 content" "[I42] --checksum is expanded"
wrong=sha256:$(printf %064d 7)
add --checksum="$wrong" "$WEB/file.txt" /sum
t_status 3 "[I42] --checksum that does not fit"
t_err "Dockerfile:2:1: digest mismatch for $WEB/file.txt: $sum \(expected: $wrong\)" \
	"[I42] both digests are named"
# What came damaged looks the same to a server that goes by time and size.
damage() { # TEXT
	echo "$1" >"$WEB_ROOT/damaged"
	touch -d @1500000000 "$WEB_ROOT/damaged"
}
damage bad
good=sha256:$(echo yes | sha256sum | cut -d ' ' -f 1)
add --checksum="$good" "$WEB/damaged" /sum
t_status 3 "[I42] a file that came damaged is refused"
damage yes
add --checksum="$good" "$WEB/damaged" /sum
t_is "$status $(file sum)" "0 yes" "[I42] and downloaded anew"
add --checksum=sha256:12 "$WEB/file.txt" /sum
t_status 3 "[I42] --checksum that is none"
t_err "Dockerfile:2:1: invalid checksum digest format 'sha256:12'" \
	"[I42] is named"
add --checksum="$sum" "$WEB/file.txt" local /d/
t_status 3 "[I42] --checksum with two sources"
t_err "checksum can't be specified for multiple sources" "[I42] is refused"
add --checksum="$sum" local /d/
t_status 3 "[I42] --checksum of a local file"
t_err "Dockerfile:2:1: checksum requires an HTTP\(S\) or Git source" \
	"[I42] is refused"
build_clean "URLs"
t_done
