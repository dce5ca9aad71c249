#!/bin/sh
# 9430-git-secrets.sh - what opens a repository shows nowhere
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/helper/gitserver.sh"

t_need git nginx fcgiwrap openssl python3
cd "$TMP" || exit 1
git_repo app.git
git_commit app.git Dockerfile 'FROM scratch
COPY README /' >/dev/null
git_http_start auth
secret=s3cret-pw
host=${GIT_HTTP#http://}

# All command lines there are, as often as possible, while a command runs.
watched() { # COMMAND...
	: >"$TMP/seen"
	echo "[^ ]*${secret}[^ ]*" >"$TMP/pattern"
	rm -f "$TMP/stop"
	while [ ! -e "$TMP/stop" ]; do
		cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ' |
			grep -of "$TMP/pattern" >>"$TMP/seen"
	done &
	w_pid=$!
	status=0
	"$@" >"$out" 2>"$err" || status=$?
	touch "$TMP/stop" # what it reads now is written before the next
	wait $w_pid
}

hidden() { # SENTENCE
	t_status 0 "$1"
	t_is "$(grep -c "$secret" "$out")" 0 "$1: it is not in the record"
	t_is "$(grep -c "$secret" "$err")" 0 "$1: nor in a message"
	t_is "$(grep -rl "$secret" "$TMP/app" 2>/dev/null)" "" \
		"$1: nor in the clone"
	t_is "$(grep -rl "$secret" "$DEVENV_STORE" "$HOME" 2>/dev/null)" "" \
		"$1: nor in the store or at home"
}

DEVENV_GIT_USERNAME=dev DEVENV_GIT_PASSWORD=$secret
export DEVENV_GIT_USERNAME DEVENV_GIT_PASSWORD
watched sh -c 'sleep 0.3' "$secret"
t_ok "a word on a command line is seen" grep -q "$secret" "$TMP/seen"
watched "$DEVENV" -v clone "$GIT_HTTP/app.git"
hidden "a password in the environment"
t_is "$(cat "$TMP/seen")" "" "nor on a command line of a child"
watched "$DEVENV" -v clone "$GIT_HTTP/app.git" app
hidden "the same for an update"
t_is "$(cat "$TMP/seen")" "" "the same for an update, of a child"
unset DEVENV_GIT_USERNAME DEVENV_GIT_PASSWORD
rm -rf app

t_run "$DEVENV" -v clone "http://dev:$secret@$host/app.git"
hidden "a password in the address"
t_is "$(git -C app remote get-url origin)" "$GIT_HTTP/app.git" \
	"the remote has the address without it"
t_out "\"url\": \"$GIT_HTTP/app.git\"" "and so has the record"
rm -rf app
t_run "$DEVENV" -v --log-format=json clone --git-username dev \
	--git-password "$secret" "$GIT_HTTP/app.git"
hidden "a password as an option"
rm -rf app

# What fails tells no more than what succeeds.
for words in "http://dev:$secret@$host/none.git" \
	"http://dev:$secret@127.0.0.1:1/app.git" \
	"http://other:$secret@$host/app.git" \
	"http://dev:$secret@$host/app.git#no-such-ref" \
	"http://dev:$secret@[::1/app.git" "ssh://dev:$secret@127.0.0.1:1/a"; do
	t_run timeout 60 "$DEVENV" -v clone "$words" app
	t_is "$(grep -c "$secret" "$out" "$err" | grep -v ':0')" "" \
		"$(echo "$words" | sed "s/:$secret//"): fails without telling"
	t_ok "and leaves nothing" test "$status" -ne 0 -a ! -e app
done
t_run timeout 60 "$DEVENV" -v up "http://dev:$secret@$host/none.git"
t_is "$(grep -c "$secret" "$out" "$err" | grep -v ':0')" "" \
	"up with such an address fails without telling"

# A record that somebody wrote by hand.
DEVENV_GIT_USERNAME=dev DEVENV_GIT_PASSWORD=$secret
export DEVENV_GIT_USERNAME DEVENV_GIT_PASSWORD
"$DEVENV" clone "$GIT_HTTP/app.git" >"$TMP/record" 2>/dev/null
t_ok "a pipe with a password in the environment" sh -c \
	"'$DEVENV' parse '$TMP/record' | '$DEVENV' build - >'$TMP/built'"
t_is "$(cat "$TMP/record" "$TMP/built" | grep -c "$secret")" 0 \
	"it is in no record of the pipe"
t_is "$(grep -rl "$secret" "$DEVENV_STORE")" "" \
	"nor in the image, the cache or the history"
t_done
