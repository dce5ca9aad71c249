#!/bin/sh
# bearer tokens: a real registry, and a token server in all its moods
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
t_need docker-registry openssl skopeo umoci

registry_start locked token
host=$registry
log=$TMP/locked/tokens
mode() { echo "$1" >"$TMP/locked/mode"; : >"$log"; }
config() { # NAME JSON-MEMBERS
	mkdir -p "$TMP/$1"
	printf '{"auths":{"%s":{%s}}}\n' "$host" "$2" >"$TMP/$1/config.json"
}
config me '"username":"me","password":"s3cret-pass"'
config wrong '"username":"me","password":"other-pass"'
config identity "\"auth\":\"$(printf '<token>:' | base64)\",
	\"identitytoken\":\"who-i-am\""

image() {
	registry_image "$TMP/lay" one 1 || return 1
	for i in 2 3 4 5; do
		echo "$i" >"$TMP/content/file"
		umoci insert --image "$TMP/lay:one" "$TMP/content" "/d$i" ||
			return 1
	done
}
t_ok "an image of five layers" image

push() { t_run timeout 60 "$DEVENV" push "$@"; }
pull() { # each into a store of its own
	pulls=$((${pulls:-0} + 1))
	t_run timeout 60 "$DEVENV" --store "$TMP/pull$pulls" pull "$@"
}

push --docker-config "$TMP/me" "$TMP/lay" "$host/a/app:1"
t_status 0 "push with user and password"
t_is "$(wc -l <"$log")" 1 "one token serves all requests"
t_ok "it was asked for by name, with the right to push" grep -q \
	'^GET service=test-service&scope=repository%3Aa%2Fapp%3Apull%2Cpush&account=me basic$' \
	"$log"

mode ok
pull "$host/a/app:1"
t_status 0 "pull as nobody"
t_is "$(wc -l <"$log")" 1 "five blobs at once and one token request"
t_is "$(cat "$log")" \
	"GET service=test-service&scope=repository%3Aa%2Fapp%3Apull" \
	"without credentials, for pulling only"

mode access
pull "$host/a/app:1"
t_status 0 "a token that is called access_token"

mode ok
pull --docker-config "$TMP/identity" "$host/a/app:1"
t_status 0 "pull with an identity token"
t_ok "it goes into the form of a POST" \
	grep -q '^POST grant_type=refresh_token&.*&refresh_token=who-i-am basic' \
	"$log"
mode nopost
pull --docker-config "$TMP/identity" "$host/a/app:1"
t_status 0 "a token server that knows no POST is asked with GET"
t_is "$(sed 's/ .*//' "$log" | tr '\n' ' ')" "POST GET " "in this order"

mode ok
push "$TMP/lay" "$host/b/app:1"
t_status 6 "a push as nobody gets a token that is too small"
t_err "status 401: UNAUTHORIZED: authentication required" \
	"the registry's words are shown"
t_err "no credentials for $host were found" "and what to do"
t_is "$(wc -l <"$log")" 1 "nor is it asked for again"

mode weak
push --docker-config "$TMP/me" "$TMP/lay" "$host/b/app:1"
t_status 6 "a push as somebody who may not"
t_err "used user 'me' from .*me/config.json" "names whose credentials"

mode ok
pull --docker-config "$TMP/wrong" "$host/a/app:1"
t_status 6 "wrong credentials"
t_err "the token server of $host refused user 'me' from .*wrong/config.json: status 401: incorrect password" \
	"are refused in the token server's words"
t_err "docker login $host" "with advice"
t_is "$(grep -c other-pass "$err")" 0 "and without the password"

mode ok
export DEVENV_STORE="$TMP/store"
t_run "$DEVENV" pull "$host/a/app:1"
mode ok
push --docker-config "$TMP/me" "$host/a/app:1" "$host/c/app:1"
t_status 0 "push to another repository"
t_is "$(grep -a 'msg="response completed"' "$TMP/locked/log" |
	grep -c 'method=POST .*mount=.*from=a%2Fapp.*status=201')" 6 \
	"mounts all blobs"
t_is "$(wc -l <"$log")" 1 "with one token"
t_ok "for both repositories" grep -q \
	'scope=repository%3Ac%2Fapp%3Apull%2Cpush&scope=repository%3Aa%2Fapp%3Apull&' \
	"$log"

mode single
push --docker-config "$TMP/me" "$host/a/app:1" "$host/d/app:1"
t_status 0 "without a token for two repositories"
t_is "$(grep -ac 'method=POST .*d/app/blobs/uploads/ .*status=202' \
	"$TMP/locked/log")" 6 "blobs are sent"
t_is "$(wc -l <"$log")" 2 "and the token is asked for once more"

mode stall
pull --registry-stall 1 --registry-retries 1 "$host/a/app:1"
t_status 5 "a token server that stands still is given up"
t_err "token server of $host: 127.0.0.1: the transfer stalled" "by name"
mode huge
pull "$host/a/app:1"
t_status 5 "an endless token"
t_err "token server of .*larger than the 65536 bytes" "is cut off"
mode junk
pull "$host/a/app:1"
t_status 5 "an answer that is no JSON"
t_err "the token server of $host gave no token" "is no token"
mode empty
pull "$host/a/app:1"
t_status 5 "nor is an empty one"
mode down
pull --registry-retries 2 "$host/a/app:1"
t_status 5 "a token server in trouble is a network error"
t_err "status 503: under repair" "told in its words"
t_is "$(wc -l <"$log")" 2 "after trying again"
t_done
