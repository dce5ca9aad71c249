#!/bin/sh
# 4800-offline.sh - --offline: the store has to do, and nobody is contacted
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
. "$SRC/t/helper/webserver.sh"
t_need root busybox docker-registry nginx skopeo umoci unshare strace

# Who is traced cannot look for leaks.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
export ASAN_OPTIONS

# Without a network, and every call that could reach one written down.
cut_off() {
	: >"$TMP/trace"
	t_run timeout 60 unshare -n strace -f -qq -o "$TMP/trace" \
		-e trace=socket,connect,sendto,sendmmsg "$DEVENV" --offline "$@"
}
quiet() { # SENTENCE
	t_is "$(grep -cE 'AF_INET|AF_NETLINK' "$TMP/trace")" 0 \
		"$1: no socket was even made"
}

registry_start origin
origin=$registry
web_start
mkdir -p "$TMP/ctx" "$TMP/root/bin"
cp "$(command -v busybox)" "$TMP/root/bin/busybox"
ln -s busybox "$TMP/root/bin/sh"
umoci init --layout "$TMP/layout"
umoci new --image "$TMP/layout:1"
umoci insert --image "$TMP/layout:1" "$TMP/root" / >/dev/null
skopeo copy -q --dest-tls-verify=false "oci:$TMP/layout:1" \
	"docker://$origin/base:1"
echo content >"$WEB_ROOT/file"
echo more >"$WEB_ROOT/unchecked"
sum=$(sha256sum <"$WEB_ROOT/file" | cut -c 1-64)
cat >"$TMP/ctx/Dockerfile" <<END
FROM $origin/base:1
ADD --checksum=sha256:$sum $WEB/file /file
ADD $WEB/unchecked /unchecked
RUN echo made >/made
END
t_run "$DEVENV" build -q -t app "$TMP/ctx"
t_status 0 "online, the store is filled"
id=$("$DEVENV" run app sh -c 'busybox cat /made /file /unchecked | busybox md5sum')

cut_off build -q "$TMP/ctx"
t_status 0 "cut off, the same build"
quiet "build"
t_out '"cached": true' "finds its steps in the store"
t_err "unchecked is taken as it was fetched before, being offline" \
	"and says what could be older than it knows"
echo 'RUN echo two >/two' >>"$TMP/ctx/Dockerfile"
cut_off build -q "$TMP/ctx"
t_status 0 "a new step runs on what is there"
cut_off run app sh -c 'busybox cat /made /file /unchecked | busybox md5sum'
t_is "$status $(cat "$out")" "0 $id" "run, too"
quiet "run"
mkdir -p "$TMP/work/.devcontainer"
cp "$TMP/ctx/Dockerfile" "$TMP/work/.devcontainer/"
echo '{"build": {"dockerfile": "Dockerfile"}}' \
	>"$TMP/work/.devcontainer/devcontainer.json"
cut_off up "$TMP/work" -- sh -c 'busybox cat /two'
t_is "$status $(cat "$out")" "0 two" "and up"
quiet "up"

cut_off up --replace --dotfiles-repository someone/dots "$TMP/work" -- sh -c :
t_status 0 "up with dotfiles that cannot be had"
t_err "without dotfiles: https://github.com/someone/dots.git is needed" \
	"names them"
quiet "dotfiles"
cut_off cache-probe "$TMP/ctx"
t_status 0 "cache-probe finds it all in the store"
quiet "cache-probe"
mkdir "$TMP/layers"
t_run "$DEVENV" build -q --cache-repo "oci:$TMP/layers" "$TMP/ctx"
DEVENV_STORE=$TMP/fresh
export DEVENV_STORE
"$DEVENV" pull "$origin/base:1" >/dev/null 2>&1
printf 'FROM %s/base:1\nRUN echo made >/cached\n' "$origin" >"$TMP/ctx/Dockerfile"
t_run "$DEVENV" --store "$TMP/store" build -q --cache-repo "oci:$TMP/layers" \
	"$TMP/ctx"
cut_off build -q --cache-repo "oci:$TMP/layers" "$TMP/ctx"
t_is "$status $(grep -c '"cached": true' "$out")" "0 1" \
	"a step cache in a directory serves another store"
quiet "oci:DIR"
DEVENV_STORE=$TMP/store

needs() { # STATUS REGEX SENTENCE COMMAND...: what is not there is named
	n_status=$1
	n_regex=$2
	n_name=$3
	shift 3
	cut_off "$@"
	t_status "$n_status" "$n_name"
	t_err "$n_regex" "  and is told what would be needed"
	t_err "hint: ${n_hint:-get it into the store while online}" \
		"  and what to do"
	quiet "  $n_name"
}
needs 5 "registry.invalid/no:1: registry.invalid/no is needed, and --offline" \
	"pull of what is not here" pull registry.invalid/no:1
needs 125 "library/nothing is needed, and --offline contacts nobody" \
	"run of what is not here" run nothing
needs 5 "https://git.invalid/x.git is needed, and --offline" "clone" \
	clone https://git.invalid/x.git "$TMP/clone"
needs 5 "ssh://git.invalid/x.git is needed" "clone by ssh" \
	clone git@git.invalid:x.git "$TMP/clone"
printf 'FROM scratch\nADD http://web.invalid/f /\n' >"$TMP/ctx/Dockerfile"
needs 5 "Dockerfile:2:1: .*http://web.invalid/f is needed" "ADD of a URL" \
	build "$TMP/ctx"
printf 'FROM scratch\nADD https://git.invalid/x.git /x\n' >"$TMP/ctx/Dockerfile"
needs 5 "Dockerfile:2:1: .*https://git.invalid/x.git is needed" "ADD of Git" \
	build "$TMP/ctx"
printf 'FROM scratch\nCOPY --from=reg.invalid/i /a /b\n' >"$TMP/ctx/Dockerfile"
needs 5 "Dockerfile:2:1: .*reg.invalid/i is needed" "COPY --from" \
	build "$TMP/ctx"
needs 5 "reg.invalid/cache is needed" "cache-probe of a cache elsewhere" \
	cache-probe --cache-repo reg.invalid/cache "$TMP/work"
n_hint="push it while online"
needs 5 "registry.invalid/app is needed" "push" \
	push app registry.invalid/app:1

DEVENV_OFFLINE=1 "$DEVENV" pull "$origin/base:2" >"$out" 2>"$err"
t_is "$?" 5 "DEVENV_OFFLINE says the same"
: >"$TMP/origin/log"
t_run "$DEVENV" --offline pull --registry-mirror "docker.io=$origin" base:1
t_status 5 "what a mirror does not have is not asked of its origin"
t_err "docker.io/library/base is needed, and --offline" "which is named"
t_is "$(grep -c 'GET /v2/library/base/manifests/1' "$TMP/origin/log")" 1 \
	"the mirror was asked"
skopeo copy -q --dest-tls-verify=false "oci:$TMP/layout:1" \
	"docker://$origin/library/base:1"
t_run "$DEVENV" --offline pull --registry-mirror "docker.io=$origin" base:1
t_status 0 "what it has comes from there"
t_done
