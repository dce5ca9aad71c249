#!/bin/sh
# A second clone: nothing to do, moved, dirty, foreign, interrupted.
. "$(dirname "$0")/lib.sh"
t_need git python3
. "$SRC/t/helper/gitserver.sh"
cd "$TMP" || exit 1
git_repo app.git
url=file://$GIT_ROOT/app.git
first=$(git -C "$GIT_ROOT/app.git" rev-parse trunk)
"$DEVENV" clone -q "$url" app >/dev/null

stamp() { find app -newer "$TMP/mark" ! -path 'app/.git/index*' ! -path app/.git; }
touch "$TMP/mark"
sleep 0.02
t_run "$DEVENV" clone "$url" app
t_status 0 "an unchanged remote"
t_is "$(stamp)" "" "touches no file"
second=$(git_commit app.git new two)
t_run "$DEVENV" clone "$url" app
t_status 0 "a moved remote"
t_is "$(git -C app rev-parse HEAD)" "$second" "moves the clone"
t_is "$(cat app/new)" two "and its files"
t_is "$(git -C app status --porcelain -b)" "## trunk...origin/trunk" "cleanly"
t_run "$DEVENV" clone "$url#$first" app
t_status 0 "to a commit"
t_ok "files of later commits go" test ! -e app/new
t_is "$(git -C app rev-parse HEAD)" "$first" "HEAD is there"
t_run mv "$GIT_ROOT/app.git" "$GIT_ROOT/away.git"
mkdir "$GIT_ROOT/app.git"
t_run "$DEVENV" clone "$url#$first" app
t_status 0 "a full id that is checked out asks nobody"
rmdir "$GIT_ROOT/app.git"
mv "$GIT_ROOT/away.git" "$GIT_ROOT/app.git"
t_run "$DEVENV" clone "$url" app
t_status 0 "and back to the branch"
t_is "$(git -C app symbolic-ref HEAD)" refs/heads/trunk "HEAD is the branch"

echo edit >>app/README
t_run "$DEVENV" clone "$url" app
t_status 4 "a modified file refuses"
t_err "not committed: 'README'" "and is named"
t_is "$(tail -n 1 app/README)" edit "and kept"
git -C app checkout -q README
echo x >app/untracked
t_run "$DEVENV" clone "$url" app
t_status 4 "an untracked file refuses"
t_err "not committed: 'untracked'" "and is named"
echo untracked >app/.git/info/exclude
t_run "$DEVENV" clone "$url" app
t_status 0 "an ignored file does not"
git -C app commit -q --allow-empty -m mine
git_commit app.git other three >/dev/null
t_run "$DEVENV" clone "$url" app
t_status 4 "local commits refuse"
t_err "branch 'trunk' has commits that the remote does not have" "by branch"
git -C app reset -q --hard origin/trunk
git -C "$GIT_ROOT/app.git" update-ref refs/heads/trunk \
	"$(git -C "$GIT_ROOT/app.git" commit-tree -m forced "$first^{tree}")"
t_run "$DEVENV" clone "$url" app
t_status 0 "a forced push is followed"
t_ok "its files are gone" test ! -e app/new
git -C "$GIT_ROOT/app.git" branch a
"$DEVENV" clone -q "$url" app >/dev/null
git -C "$GIT_ROOT/app.git" branch -D a >/dev/null
git_commit app.git f x a/b >/dev/null
t_run "$DEVENV" clone "$url#a/b" app
t_status 0 "a branch in place of a deleted one of a shorter name"

git_repo other.git
t_run "$DEVENV" clone "file://$GIT_ROOT/other.git" app
t_status 4 "another repository refuses"
t_err "is a clone of .*app.git, not of .*other.git" "and both are named"
git init -q bare
t_run "$DEVENV" clone "$url" bare
t_status 4 "a repository without origin refuses"
t_err "without origin" "and is named"
if [ "$(id -u)" = 0 ]; then
	cp -r app foreign
	chown -R 12345 foreign
	t_run "$DEVENV" clone "$url" foreign
	t_status 4 "a clone of another user refuses"
	t_err "belongs to another user" "and is named"
	t_err "hint: .*chown" "with advice"
fi

# A killed clone leaves a locked directory that nobody holds any more.
python3 - "$GIT_ROOT" <<'END'
import subprocess, sys, os
repo = sys.argv[1] + "/big.git"
subprocess.run(["git", "init", "-q", "--bare", repo], check=True)
out = b"commit refs/heads/trunk\ncommitter T <t@e> 1 +0000\ndata 1\nx\n"
for i in range(3000):
    text = os.urandom(20).hex().encode()
    out += b"M 644 inline d%d/f%d\ndata %d\n%s\n" % (i % 50, i, len(text), text)
subprocess.run(["git", "-C", repo, "fast-import", "--quiet"], input=out, check=True)
END
big=file://$GIT_ROOT/big.git
# Send a signal once the checkout is under way, told by a file. (Python, as a
# background job of a script ignores SIGINT.)
interrupt() { # SIGNAL PATTERN
	status=0
	python3 - "$DEVENV" "$big" "$1" "$2" 2>"$err" <<'END' || status=$?
import glob, signal, subprocess, sys, time
p = subprocess.Popen([sys.argv[1], "clone", "-q", sys.argv[2], "big"],
    preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
while p.poll() is None and not glob.glob(sys.argv[4]):
    time.sleep(0.001)
p.send_signal(getattr(signal, "SIG" + sys.argv[3]))
rc = p.wait(60)
sys.exit(rc if rc >= 0 else 128 - rc)
END
}
interrupt INT '.big.*/d0/f0'
t_status 130 "Ctrl-C"
t_err "interrupted" "is said"
t_is "$(ls -d big .big* 2>/dev/null)" "" "leaves nothing"
interrupt KILL '.big.*/d0/f0'
t_status 137 "a clone is killed"
t_ok "leaves no clone" test ! -e big
t_ok "but a directory" sh -c "ls -d .big.devenv-clone-*"
t_run "$DEVENV" clone "$big" big
t_status 0 "the next one works"
t_is "$(ls -d .big* 2>/dev/null)" "" "and cleans up"
t_is "$(git -C big status --porcelain | wc -l)" 0 "and is complete"
git -C "$GIT_ROOT/big.git" branch none \
	"$(git -C "$GIT_ROOT/big.git" commit-tree -m none "$(git -C \
		"$GIT_ROOT/big.git" hash-object -t tree -w /dev/null)")"
"$DEVENV" clone -q "$big#none" big >/dev/null
interrupt KILL big/d0/f0
t_status 137 "an update is killed"
t_run "$DEVENV" clone "$big" big
t_status 0 "a killed update is finished by the next run"
t_is "$(git -C big status --porcelain | wc -l)" 0 "and is complete"
t_done
