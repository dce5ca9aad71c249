#!/bin/sh
# completions: committed ones are those the program prints, and they work
. "$(dirname "$0")/lib.sh"

for pair in bash:devenv.bash zsh:_devenv fish:devenv.fish; do
	shell=${pair%%:*}
	t_run "$DEVENV" completion "$shell"
	t_status 0 "completion $shell"
	t_ok "completions/${pair#*:} is fresh ('make completions' writes it)" \
		diff -u "$SRC/completions/${pair#*:}" "$out"
	if command -v "$shell" >/dev/null; then
		t_ok "$shell reads it" "$shell" -n "$out"
	fi
done
t_run "$DEVENV" completion csh
t_status 2 "a shell without completion is a usage error"
t_err "no completion for 'csh': bash, zsh or fish" "which names the others"

# What bash offers after the words given.
cat >"$TMP/offer.bash" <<'END'
. "$1"; shift
complete -p devenv >/dev/null || exit 9
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
compopt() { :; }
_devenv
printf '%s\n' "${COMPREPLY[@]}"
END
offer() {
	bash "$TMP/offer.bash" "$SRC/completions/devenv.bash" "$@" \
		>"$out" 2>"$err"
}

offer devenv cl
t_out '^clone$' "bash completes commands"
t_is "$(wc -l <"$out")" 1 "and offers only what fits"
offer devenv build --iid
t_out '^--iidfile=$' "options of a command"
offer devenv -C somewhere build --iid
t_out '^--iidfile=$' "after options of every command, too"
offer devenv parse --print = co
t_out '^config$' "and values of an option that has a list of them"
t_out '^context$' "all that fit"
t_is "$(cat "$err")" "" "without a word on standard error"
t_done
