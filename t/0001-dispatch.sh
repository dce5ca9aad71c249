#!/bin/sh
# dispatch: commands, options of every command, exit statuses, start-up
. "$(dirname "$0")/lib.sh"

t_run "$DEVENV"
t_status 0 "without a word it lists the commands"
t_out '^  build +Build an image' "with their summaries"
t_is "$(sed -n 's/^  [a-z-]*  *\([A-Z]\)/\1/p' "$out" | grep -c .)" \
	"$(grep -cE '^  [a-z-]+ ' "$out")" "each has one"
t_is "$(grep -E '^  [a-z-]+ ' "$out" |
	sed 's/^\(  [a-z-]*  *\).*/\1/; s/./x/g' | sort -u | wc -l)" 1 \
	"in one column"
t_run "$DEVENV" store --help
t_out '^ +\[--cache-mounts\]' "a usage of several lines goes on below itself"
t_run "$DEVENV" cache-probe --help
t_is "$(tr '\n' '~' <"$out" | grep -c '~~~')" 0 "one blank line sets off a group"
t_run "$DEVENV" --help
t_status 0 "--help does, too"
t_out '^  clone +Clone a Git' "and prints on standard output"
t_is "$(cat "$err")" "" "and nothing on standard error"
t_run "$DEVENV" help build
t_out '^usage: devenv build' "help COMMAND without a terminal is its --help"
t_out '--iidfile=FILE' "with its options"
t_run "$DEVENV" help no-such
t_status 2 "help on what is not a command is a usage error"
t_err "'no-such' is not a devenv command" "which says so"
t_run "$DEVENV" --version
t_status 0 "--version"
t_out '^devenv [0-9]+\.[0-9]+' "prints name and number"
cp "$out" "$TMP/version"
t_run "$DEVENV" version
t_ok "the command prints the same" cmp "$out" "$TMP/version"

t_run "$DEVENV" build --version
t_ok "--version after a command prints it and does nothing else" \
	cmp "$out" "$TMP/version"
t_run "$DEVENV" --version build
t_ok "before it, too" cmp "$out" "$TMP/version"

t_run "$DEVENV" biuld
t_status 2 "a command that does not exist"
t_err "^devenv: 'biuld' is not a devenv command" "is named"
t_err "^hint: did you mean 'devenv build'" "with the nearest one"
t_is "$(cat "$out")" "" "standard output stays empty"
t_run "$DEVENV" zzzzzzzz
t_err "^hint: 'devenv help' lists" "or, without a near one, the list"

t_run "$DEVENV" --frobnicate
t_status 2 "an unknown option before the command"
t_err "unknown option '--frobnicate'" "is named"
t_run "$DEVENV" build --tga x
t_status 2 "an unknown option of a command"
t_err "unknown option '--tga'" "is named, too"
t_err '^hint: did you mean --tag' "with the nearest one"
t_run "$DEVENV" build --tag
t_status 2 "an option without its value is a usage error"
t_run "$DEVENV" parse --relative=perhaps
t_status 2 "so is a switch that is neither true nor false"
t_run "$DEVENV" version word
t_status 2 "so is a word too many"
t_err "unexpected argument 'word'" "which is named"

# Options of every command stand before the command or after it.
mkdir "$TMP/a" "$TMP/a/b"
printf 'FROM scratch\n' >"$TMP/a/Dockerfile"
t_run "$DEVENV" -C "$TMP/a" parse --print=dockerfile
t_status 0 "-C before the command"
t_out '^FROM scratch' "changes the directory"
t_run "$DEVENV" parse --print=dockerfile -C "$TMP/a"
t_out '^FROM scratch' "and after it"
t_run "$DEVENV" -C "$TMP/a/none" parse
t_status 2 "-C to nowhere is a usage error"
t_err "cannot change to '.*/a/none'" "that names the directory"
t_run "$DEVENV" --store "$TMP/one" store path
t_out "^$TMP/one\$" "--store before the command"
t_run "$DEVENV" store path --store="$TMP/two"
t_out "^$TMP/two\$" "and after it, with ="
DEVENV_STORE=$TMP/three
t_run "$DEVENV" store path
t_out "^$TMP/three\$" "or from DEVENV_STORE"
t_run "$DEVENV" --store "$TMP/one" store path
t_out "^$TMP/one\$" "which the command line wins over"
t_run "$DEVENV" --log-format=json -C "$TMP/a/b" parse -f none
t_err '^\{.*"message"' "messages as JSON"
t_run "$DEVENV" --log-format=yaml version
t_status 2 "an unknown form is refused"
t_err 'text.*json' "and the known ones are told"

# A program devenv-NAME is the command NAME.
mkdir "$TMP/bin"
cat >"$TMP/bin/devenv-greet" <<'END'
#!/bin/sh
echo "greeted with $# words: $*"
exit 9
END
chmod 755 "$TMP/bin/devenv-greet"
PATH=$TMP/bin:$PATH
t_run "$DEVENV" greet --loud 'two words'
t_status 9 "devenv-NAME on PATH runs, and its status is ours"
t_out '^greeted with 2 words: --loud two words$' "it gets what follows"
t_run "$DEVENV" ./greet
t_status 2 "a path is no command"

# Results that cannot be written are not lost in silence.
status=0
"$DEVENV" help >/dev/full 2>"$err" || status=$?
t_status 4 "a full disk is an error"
t_err 'standard output: .*No space left' "that is told"
status=0
"$DEVENV" help >&- 2>"$err" || status=$?
t_status 4 "so is a closed standard output"
t_err 'standard output: .*Bad file descriptor' "that is told, too"
mkdir "$TMP/closed"
printf 'FROM scratch\nCOPY Dockerfile /\n' >"$TMP/closed/Dockerfile"
status=0
"$DEVENV" build -q "$TMP/closed" <&- >"$out" 2>"$err" || status=$?
t_status 0 "what is opened is not taken for a closed standard input"

# Start-up: libraries of the network, Git and archives come when needed.
LD_DEBUG=files LD_DEBUG_OUTPUT=$TMP/ld "$DEVENV" ps >"$out" 2>&1
sed -n 's/.*calling init: .*\/\(lib[a-z0-9]*\)[-.].*/\1/p' "$TMP"/ld.* |
	grep -v 'san$' | sort -u >"$TMP/libs" # sanitizers are not ours
t_ok "the loader told what it loads" grep -qx libc "$TMP/libs"
for lib in libcurl libgit2 libarchive libcrypto libssl; do
	t_ok "listing environments does not load $lib" \
		sh -c "! grep -qx $lib $TMP/libs"
done
t_is "$([ "$(wc -l <"$TMP/libs")" -le 9 ] && echo few)" few \
	"it loads 9 libraries at most"
t_done
