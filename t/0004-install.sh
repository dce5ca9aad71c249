#!/bin/sh
# make install puts things where they belong, uninstall leaves nothing
. "$(dirname "$0")/lib.sh"
t_need make

# The program under test stands in for what `make` would build.
mkdir "$TMP/tree"
cp -r "$SRC/Makefile" "$SRC/man" "$SRC/completions" "$TMP/tree"
cp "$DEVENV" "$TMP/tree/devenv"
install() {
	make -C "$TMP/tree" -o devenv DESTDIR="$TMP/dest" PREFIX=/usr "$@"
}

t_ok "make install" install install
t_ok "the program runs from there" "$TMP/dest/usr/bin/devenv" version
for page in "$SRC"/man/*; do
	name=${page##*/}
	t_ok "$name is installed" cmp "$page" \
		"$TMP/dest/usr/share/man/man${name##*.}/$name"
done
t_ok "bash finds its completion" test -s \
	"$TMP/dest/usr/share/bash-completion/completions/devenv"
t_ok "zsh, too" test -s \
	"$TMP/dest/usr/share/zsh/site-functions/_devenv"
t_ok "fish, too" test -s \
	"$TMP/dest/usr/share/fish/vendor_completions.d/devenv.fish"
t_is "$(find "$TMP/dest" -type f ! -perm -444)" "" "all may read all of it"
t_is "$(find "$TMP/dest" -type f -perm /022)" "" "and nobody else may write"
t_ok "make uninstall" install uninstall
t_is "$(find "$TMP/dest" ! -type d)" "" "leaves nothing"
t_done
