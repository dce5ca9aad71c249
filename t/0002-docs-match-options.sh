#!/bin/sh
# every option is in the manual page of its command, and no other is
. "$(dirname "$0")/lib.sh"

# Long options of a --help text, one a line; [no-] is not part of the name.
options_of_help() {
	sed -n 's/^ *\(-[a-zA-Z], \)\{0,1\}--\([a-z0-9-]*\).*/\2/p' "$1" | sort -u
}

# Those of a page: items of a list, `.It Fl -name` or `.It Fl x , -name`.
options_of_page() {
	sed -n 's/^\.It Fl \([a-zA-Z] , \)\{0,1\}-\([a-z0-9-]*\).*/\2/p' "$1" |
		sort -u
}

"$DEVENV" help >"$TMP/list"
sed -n 's/^  \([a-z][a-z-]*\)  *[A-Z].*/\1/p' "$TMP/list" >"$TMP/commands"
t_ok "help lists commands" grep -qx build "$TMP/commands"
sed -n '/^Options of every command/,$p' "$TMP/list" >"$TMP/global.help"
options_of_help "$TMP/global.help" >"$TMP/global"
options_of_page "$SRC/man/devenv.1" >"$TMP/page"
t_ok "devenv(1) has the options of every command, and only those" \
	diff -u "$TMP/global" "$TMP/page"

while read -r cmd; do
	page=$SRC/man/devenv-$cmd.1
	if [ ! -f "$page" ]; then
		t_fail "devenv-$cmd(1) exists" "no $page"
		continue
	fi
	t_ok "devenv-$cmd(1) is named after its command" \
		grep -qx "\.Nm devenv-$cmd" "$page"
	"$DEVENV" "$cmd" --help >"$TMP/help"
	sed '/^Options of every command/,$d' "$TMP/help" >"$TMP/own"
	options_of_help "$TMP/own" >"$TMP/want"
	options_of_page "$page" >"$TMP/have"
	t_ok "devenv-$cmd(1) has the options of --help, and only those" \
		diff -u "$TMP/want" "$TMP/have"
	t_ok "devenv(1) refers to it" \
		grep -q "^\.\(It \)\{0,1\}Xr devenv-$cmd 1" "$SRC/man/devenv.1"
done <"$TMP/commands"

for page in "$SRC"/man/devenv-*.1; do
	cmd=${page##*/devenv-}
	t_ok "${page##*/} is about a command" \
		grep -qx "${cmd%.1}" "$TMP/commands"
done

grep -rhoE '"ENVBUILDER_[A-Z0-9_]{2,}",' "$SRC/cmd" "$SRC/common" |
	tr -d '",' | sort -u >"$TMP/want"
grep -oE 'ENVBUILDER_[A-Z0-9_]+' "$SRC/man/devenv.1" | sort -u >"$TMP/have"
t_ok "names of envbuilder are looked for" grep -qx ENVBUILDER_GIT_URL "$TMP/want"
t_is "$(comm -23 "$TMP/want" "$TMP/have")" "" "devenv(1) has all of them"

# The table of exit statuses is the enumeration in the source.
sed -n 's/^	ERR_[A-Z_]* = \([0-9]*\),.*/\1/p' "$SRC/common/base/error.h" |
	sort -u >"$TMP/want"
sed -n '/^\.Sh EXIT STATUS/,/^\.Sh EXAMPLES/s/^\.It \([0-9]*\)$/\1/p' \
	"$SRC/man/devenv.1" | sort -u >"$TMP/have"
comm -23 "$TMP/want" "$TMP/have" >"$TMP/missing"
t_is "$(cat "$TMP/missing")" "" "devenv(1) explains every exit status"
t_done
