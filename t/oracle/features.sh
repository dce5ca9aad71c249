#!/bin/sh
# features.sh - Features as the Dev Container CLI and as devenv have them:
# the order of random graphs, options as variables, lockfiles; TAP
#
# DEVCONTAINER_CLI is as run.sh has it, GRAPHS how many graphs are drawn
# (default: 300). Status 77: there is no such CLI, or no node.
# shellcheck disable=SC2154 # lib.sh sets $out and $status
TOP=$(cd "$(dirname "$0")/../.." && pwd)
t_top=$TOP
DEVENV=${DEVENV:-$TOP/devenv}
CLI=${DEVCONTAINER_CLI:-$TOP/build/oracle/node_modules/@devcontainers/cli/devcontainer.js}
if [ ! -f "$CLI" ] || ! command -v node >/dev/null; then
	echo "no @devcontainers/cli here, or no node" >&2
	exit 77
fi
. "$TOP/t/lib.sh"
. "$TOP/t/helper/registry.sh"
t_need jq python3 docker-registry
GRAPHS=${GRAPHS:-300}

dc() { # ARGUMENT...
	env -i HOME="$HOME" PATH="$PATH" TMPDIR="$TMP" node "$CLI" "$@"
}

# --- order ---
differ=
seed=0
while [ $((seed += 1)) -le "$GRAPHS" ]; do
	work=$TMP/graph
	rm -rf "$work"
	python3 "$TOP/t/oracle/graphs.py" graph $seed "$work"
	dc features resolve-dependencies --workspace-folder "$work" \
		>"$TMP/theirs" 2>"$TMP/theirs.err"
	theirs=$?
	t_run "$DEVENV" parse --print=features "$work"
	if [ $theirs -ne 0 ]; then
		[ "$status" = 3 ] && continue
	elif [ "$status" = 0 ] &&
		[ "$(sed -n '/^{/,$p' "$TMP/theirs" |
			jq -c '.installOrder | map({id, options})')" = \
			"$(jq -c 'map({id, options})' "$out")" ]; then
		continue
	fi
	differ="$differ $seed"
done
t_is "$differ" "" "$GRAPHS graphs: the same order, the same failures"

# --- options ---
# What a shell has of them after our script and after theirs.
cat >"$TMP/shim" <<'END'
#!/bin/sh
case "$1 $2 $3" in
-v*) echo 'Docker version 28.2.2, build x' ;;
"buildx version"*) echo 'github.com/docker/buildx v0.20.0 x' ;;
version*) echo 28.2.2 ;;
"inspect --type image")
	echo '[{"Id":"x","Os":"linux","Architecture":"amd64","Config":{"User":"","Env":[],"Entrypoint":null,"Cmd":null,"Labels":{}}}]' ;;
*build*)
	for a; do
		case $a in
		dev_containers_feature_content_source=*)
			cp -r "${a#*=}" "$SHIM_DIR/content" ;;
		esac
	done ;;
exec*) exit 1 ;;
esac
END
chmod 755 "$TMP/shim"
differ=
seed=0
while [ $((seed += 1)) -le $((GRAPHS / 6)) ]; do
	work=$TMP/options
	rm -rf "$work" "$TMP/content"
	python3 "$TOP/t/oracle/graphs.py" options $seed "$work"
	env -i HOME="$HOME" PATH="$PATH" TMPDIR="$TMP" SHIM_DIR="$TMP" \
		node "$CLI" build --docker-path "$TMP/shim" --no-lockfile \
		--workspace-folder "$work" >/dev/null 2>&1
	# Only names that a shell takes: they have no others to compare.
	env -i sh -c 'set -a; . "$1"; set +a; env' - \
		"$TMP/content/f_0/devcontainer-features.env" 2>/dev/null |
		grep -vE '^(PWD|SHLVL|_|OLDPWD)=' | sort >"$TMP/theirs"
	t_run "$DEVENV" parse --print=dockerfile "$work"
	sed -n '/^export _CONTAINER/,/^cd /p' "$out" | sed '1d;$d' \
		>"$TMP/script"
	env -i sh -c '. "$1"; env' - "$TMP/script" |
		grep -vE '^(PWD|SHLVL|_|OLDPWD)=' | sort >"$TMP/ours"
	cmp -s "$TMP/theirs" "$TMP/ours" || differ="$differ $seed"
done
t_is "$differ" "" "$((GRAPHS / 6)) sets of options: the same variables"

# --- lockfiles ---
registry_start lock
at=localhost:${registry##*:}
put() { # ID [MORE-PROPERTIES]
	rm -rf "$TMP/f"
	mkdir -p "$TMP/f"
	printf '{"id":"%s","version":"2.0.1","name":"N"%s}' "$1" \
		"${2:+,$2}" >"$TMP/f/devcontainer-feature.json"
	echo '#!/bin/sh' >"$TMP/f/install.sh"
	tar -C "$TMP/f" -cf "$TMP/f.tar" .
	python3 "$TOP/t/helper/feature.py" "$registry" "n/s/$1" 2,latest \
		"$TMP/f.tar" "$TMP/f/devcontainer-feature.json" >/dev/null
}
put z10
put z9 "\"dependsOn\":{\"$at/n/s/b_x:2\":{},\"$at/n/s/z10\":{\"v\":\"1\"}}"
put b_x
put b-x "\"installsAfter\":[\"$at/n/s/z9\"]"
for name in .devcontainer/devcontainer.json .devcontainer.json; do
	work=$TMP/locked
	rm -rf "$work"
	mkdir -p "$work/.devcontainer/l"
	printf '{"id":"l","version":"1.0.0","name":"L"}' \
		>"$work/.devcontainer/l/devcontainer-feature.json"
	echo '#!/bin/sh' >"$work/.devcontainer/l/install.sh"
	local=./l
	[ "$name" = .devcontainer.json ] && local=./.devcontainer/l
	echo "{\"image\":\"x\",\"features\":{\"$at/n/s/z9:2\":{},
		\"$at/n/s/B-x\":\"1\",\"$at/N/s/b_x:2\":{},\"$local\":{}}}" \
		>"$work/$name"
	lock=$(dirname "$work/$name")/devcontainer-lock.json
	[ "$name" = .devcontainer.json ] && lock=$work/.devcontainer-lock.json
	dc upgrade --docker-path /bin/true --workspace-folder "$work" \
		>"$TMP/log" 2>&1
	mv "$lock" "$TMP/theirs"
	t_run "$DEVENV" parse --update-lockfile "$work"
	t_ok "beside $name: the same lockfile" cmp "$TMP/theirs" "$lock"
done
t_done
