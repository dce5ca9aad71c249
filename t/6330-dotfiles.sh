#!/bin/sh
# 6330-dotfiles.sh - a person's own settings in a new environment
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"
. "$(dirname "$0")/helper/gitserver.sh"

t_need root userns busybox git nginx fcgiwrap openssl python3
t_ok "a base image" env_base
up() { t_run timeout 60 "$DEVENV" up "$@"; }
config() { env_project "$TMP/app" "$1"; }

git init -q "$TMP/dots"
(
	cd "$TMP/dots" || exit 1
	echo 'alias x=y' >.aliases
	printf '#!/bin/sh\necho setup in $PWD >>~/log\n' >setup.sh
	git add -A && git -c user.name=a -c user.email=a@b commit -qm one
)
host='-v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro'
config '{"image": "base", "containerEnv": {"PATH": "/bin:/usr/bin"},
	"onCreateCommand": "mkdir -p ~", "postCreateCommand": "echo created >>~/log", "postStartCommand": "echo started >>~/log"}'
# shellcheck disable=SC2086 # a list of options
up --replace $host -v "$TMP/dots:/dots:ro" --dotfiles-repository /dots "$TMP/app" -- \
	sh -c 'cat ~/log; ls -A ~/dotfiles | head -n 3'
t_status 0 "dotfiles"
t_is "$(tr '\n' ' ' <"$out")" \
	"created setup in /root/dotfiles started .aliases .git setup.sh " \
	"are cloned and installed between creation and start"
# shellcheck disable=SC2086,SC2088 # the environment expands the tilde
up --replace $host -v "$TMP/dots:/dots:ro" --dotfiles-repository /dots \
	--dotfiles-target-path '~/mine' --dotfiles-install-command 'echo by command >>~/log' \
	"$TMP/app" -- sh -c 'cat ~/log; ls -d ~/mine'
t_is "$(tr '\n' ' ' <"$out")" "created by command started /root/mine " \
	"where and as they are wanted"
up --replace --dotfiles-repository /dots "$TMP/app" -- true
t_status 0 "an environment without git"
t_err 'there is no git in this environment' "says so"
t_err '\[dotfiles\] ended with status 127' "and is one all the same"

# --- one that asks who is there ---
git_http_start auth
git_repo dots.git
git_commit dots.git setup "printf '%s\\n' ran \"\${DEVENV_DOTFILES_USER-no user}\" >/log" >/dev/null
git_commit dots.git setup 'echo other >/log' other >/dev/null
# What anybody in there could read of the commands' arguments.
mkdir "$TMP/bin"
printf '#!/bin/sh\ncat /proc/[0-9]*/cmdline >>/arguments\nexec /usr/bin/git "$@"\n' >"$TMP/bin/git"
chmod 755 "$TMP/bin/git"
config '{"image": "base", "containerEnv": {"PATH": "/host:/bin:/usr/bin"}, "onCreateCommand": "mkdir -p ~"}'
url=http://dev:s3cret-pw@${GIT_HTTP#http://}/dots.git
# shellcheck disable=SC2086
up --replace $host -v "$TMP/bin:/host:ro" --dotfiles-repository "$url" "$TMP/app" -- \
	sh -c 'cat /log ~/dotfiles/.git/config; grep -c clone /arguments; cat /arguments'
t_status 0 "dotfiles by name and password"
t_is "$(head -n 2 "$out" | tr '\n' ' ')" "ran no user " \
	"are installed, by a command that has neither"
t_out "url = $GIT_HTTP/dots.git\$" "their origin has the address alone"
t_ok "the password is no argument, and kept nowhere" \
	sh -c '! grep -rqF s3cret-pw "$@"' - "$out" "$err" "$DEVENV_STORE/run"
t_err "^devenv: .dotfiles. $GIT_HTTP/dots.git\$" "the address is told"
# shellcheck disable=SC2086
up --replace $host --dotfiles-repository "$url#other" "$TMP/app" -- cat /log
t_is "$(cat "$out")" other "a branch by the fragment"
# shellcheck disable=SC2086
up --replace $host --dotfiles-repository "http://dev:wrong-pw@${url#*@}" \
	"$TMP/app" -- true
t_status 0 "a wrong password"
t_err 'Authentication failed' "is told"
t_ok "without it" sh -c '! grep -qF wrong-pw "$1"' - "$err"
up --replace --dotfiles-repository 'ext::sh -c id' "$TMP/app" -- true
t_err "without dotfiles: .*ext" "a transport that runs commands is refused"

env_idle "at the end"
t_done
