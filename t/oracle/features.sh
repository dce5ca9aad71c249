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
. "$TOP/t/env-lib.sh"
t_need jq python3 docker-registry busybox curl
GRAPHS=${GRAPHS:-300}

dc() { # ARGUMENT...
	env -i HOME="$HOME" PATH="$PATH" TMPDIR="$TMP" SHIM_DIR="$TMP" \
		node "$CLI" "$@"
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
	dc build --docker-path "$TMP/shim" --no-lockfile \
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
put() { # ID [MORE-PROPERTIES [VERSION]]
	rm -rf "$TMP/f"
	mkdir -p "$TMP/f"
	printf '{"id":"%s","version":"%s","name":"N"%s}' "$1" "${3:-2.0.1}" \
		"${2:+,$2}" >"$TMP/f/devcontainer-feature.json"
	echo '#!/bin/sh' >"$TMP/f/install.sh"
	chmod 755 "$TMP/f/install.sh"
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

# --- lockfiles that builds write and read ---
t_ok "a base image" env_base
mkdir "$TMP/web"
web=$(t_port)
python3 -m http.server --bind 127.0.0.1 -d "$TMP/web" "$web" >/dev/null 2>&1 &
t_atexit "kill $!"
tarball=https://localhost:$web/devcontainer-feature-t.tgz
printf '{"id":"t","version":"3.1.4","name":"T"}' \
	>"$TMP/f/devcontainer-feature.json"
tar -C "$TMP/f" -czf "$TMP/web/devcontainer-feature-t.tgz" .
t_wait curl -sf "http://localhost:$web/" || t_fail "a server of files"
echo "{\"image\":\"base\",\"features\":{\"$at/n/s/z9:2\":{},\"$tarball\":{},
	\"$at/n/s/b-x\":{},\"./l\":{}}}" \
	>"$TMP/locked/.devcontainer/devcontainer.json"
mkdir -p "$TMP/locked/.devcontainer/l"
cp "$TMP/f/install.sh" "$TMP/locked/.devcontainer/l/"
echo '{"id":"l","version":"1.0.0","name":"L"}' \
	>"$TMP/locked/.devcontainer/l/devcontainer-feature.json"
rm -f "$TMP/locked/.devcontainer.json"
for who in theirs ours; do
	rm -rf "$TMP/w-$who"
	mkdir "$TMP/w-$who"
	cp -r "$TMP/locked" "$TMP/w-$who/p"
done
theirs() { # OPTION...: the status is 0 or 1
	work=$TMP/w-theirs/p
	dc build --docker-path "$TMP/shim" --workspace-folder "$work" "$@" \
		>"$TMP/log" 2>&1
}
ours() {
	work=$TMP/w-ours/p
	"$DEVENV" build -q "$@" "$work" >"$TMP/log" 2>&1
}
SHIM_DIR=$TMP
export SHIM_DIR
lock=.devcontainer/devcontainer-lock.json
t_ok "they build with Features of all sources" theirs
t_ok "so do we" ours
t_ok "the same lockfile is written" \
	cmp "$TMP/w-theirs/p/$lock" "$TMP/w-ours/p/$lock"
cp "$TMP/w-theirs/p/$lock" "$TMP/first"
t_is "$(jq '.features | length' "$TMP/first")" 5 "it has all but the local one"

put z10 '' 2.0.2
rm -rf "$TMP/content"
theirs
t_ok "a new version is not taken by a build of theirs" \
	cmp "$TMP/first" "$TMP/w-theirs/p/$lock"
ours
t_ok "nor by ours" cmp "$TMP/first" "$TMP/w-ours/p/$lock"
# Their read-configuration looks at no lockfile, their build does.
t_is "$("$DEVENV" read-configuration --include-features-configuration \
	--workspace-folder "$work" 2>"$TMP/log" |
	jq -r '.featuresConfiguration.featureSets[].features[0] |
		.id + " " + .version' | sort)" \
	"$(cat "$TMP"/content/*/devcontainer-feature.json |
		jq -r '.id + " " + .version' | sort)" \
	"what is locked is what is installed"
work=$TMP/w-theirs/p
dc upgrade --dry-run --docker-path "$TMP/shim" --workspace-folder "$work" \
	>"$TMP/upgraded" 2>"$TMP/log"
"$DEVENV" parse --update-lockfile "$TMP/w-ours/p" >/dev/null 2>&1
t_ok "upgraded, it is the same" cmp "$TMP/upgraded" "$TMP/w-ours/p/$lock"
t_ok "and another than before" \
	sh -c '! cmp -s "$1" "$2"' - "$TMP/first" "$TMP/upgraded"

# NAME FILTER: the lockfile after jq's FILTER, or else as $text has it
agree() {
	for who in theirs ours; do
		if [ -n "$2" ]; then
			jq "$2" "$TMP/first"
		else
			printf %s "$text"
		fi >"$TMP/w-$who/p/$lock"
		cp "$TMP/w-$who/p/$lock" "$TMP/before"
		result=fails
		$who --frozen-lockfile && result=passes
		cmp -s "$TMP/before" "$TMP/w-$who/p/$lock" ||
			result="$result, changed"
		eval "$who=\$result"
	done
	# shellcheck disable=SC2154 # set by eval
	t_is "$ours" "$theirs" "frozen: $1: $theirs"
}
agree "as it was written" .
text=$(jq -c . "$TMP/first")
agree "with other blanks" ''
text=$(jq . "$TMP/upgraded")
agree "of newer versions" ''
agree "without the one depended upon" "del(.features[\"$at/n/s/z10\"])"
agree "with one too many" ".features.more = .features[\"$tarball\"]"
agree "without one" "del(.features[\"$tarball\"])"
agree "with another version" ".features[\"$at/n/s/z9:2\"].version = \"2.0.0\""
agree "without dependsOn" "del(.features[\"$at/n/s/z9:2\"].dependsOn)"
agree "with a wrong digest" ".features[\"$tarball\"].integrity |= sub(\"..$\"; \"00\")"
agree "of no Features" '.features = {}'
text='{'
agree "that is no JSON" ''
text=
agree "that is empty" ''
for who in theirs ours; do
	rm "$TMP/w-$who/p/$lock"
	$who --frozen-lockfile && t_fail "$who: frozen, without one"
done
t_is "$(ls "$TMP"/w-*/p/"$lock" 2>/dev/null)" "" "frozen: none is written"
t_done
