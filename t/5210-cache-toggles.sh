#!/bin/sh
# no change of an input is answered with what another one made: t/cache/toggles
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
. "$SRC/t/helper/webserver.sh"
. "$SRC/t/helper/gitserver.sh"
. "$SRC/t/build-lib.sh"
t_need root docker-registry skopeo nginx git jq

# --- images that differ from the base by one thing each ---

derive() { # NAME LINE
	mkdir -p "$TMP/derive" &&
		printf 'FROM %s\n%s\n' "$BASE" "$2" >"$TMP/derive/Dockerfile" &&
		"$DEVENV" --store "$TMP/derived" build -q -t "$registry/$1" \
			--push "$TMP/derive"
}
derive_all() {
	derive other 'RUN echo other >/other' &&
		derive label 'LABEL other=1' && derive env 'ENV OWN=1' &&
		derive user 'USER bob' && derive workdir 'WORKDIR /tmp' &&
		derive shell 'SHELL ["/bin/sh", "-ec"]' &&
		derive onbuild 'ONBUILD ENV ON=1' &&
		derive signal 'STOPSIGNAL 9'
}
t_ok "a base image in a registry" build_bases busybox
t_ok "and others beside it" derive_all
t_ok "the base in a layout" skopeo copy -q --src-tls-verify=false \
	"docker://$BASE" "oci:$TMP/layout:base"
pinned=$BASE@$(skopeo inspect --tls-verify=false --format '{{.Digest}}' \
	"docker://$BASE")

# --- what is fetched ---

web_put() {
	echo "$1" >"$WEB_ROOT/file"
	echo dated >"$WEB_ROOT/dated"
	touch -d 2001-01-01 "$WEB_ROOT/file" "$WEB_ROOT/dated"
}
git_put() {
	git_commit repo.git file "$1" >/dev/null
}
t_ok "a web server" web_start
t_ok "a repository" git_repo repo.git
git_commit repo.git sub/file sub >/dev/null
git_put old
t_ok "that is served" git_daemon_start
web_put old
echo fixed >"$WEB_ROOT/fixed"
commit=$(git -C "$GIT_ROOT/repo.git" rev-parse trunk)
git -C "$GIT_ROOT/repo.git" update-ref refs/heads/other "$commit"
sum() { # FILE
	sha256sum <"$WEB_ROOT/$1" | sed 's/\([0-9a-f]*\).*/sha256:\1/'
}
undo() {
	web_put old
	rm -f "$WEB_ROOT/name"
	git -C "$GIT_ROOT/repo.git" update-ref refs/heads/trunk "$commit"
}

# --- the context ---

new=$TMP/new
mkdir -p "$new/a/sub" "$new/b" "$new/tree"
for file in one two a/one a/two a/sub/deep a/sub/mode b/file b/target \
	a/ignored tree/file; do
	echo "$file" >"$new/$file"
done
ln -s ../b/target "$new/a/link"
echo a/ignored >"$new/.dockerignore"
tar -C "$new" --mtime=@1 --owner=0 --group=0 -cf "$new/archive.tar" one

project() { # a devcontainer.json, a local Feature
	mkdir -p .devcontainer/tool
	cat >.devcontainer/devcontainer.json <<-'END'
	{"name": "toggles", "remoteUser": "bob",
	 "build": {"dockerfile": "../Dockerfile", "target": "dev"},
	 "containerEnv": {"OWN": "1"},
	 "features": {"./tool": {}}}
	END
	cat >.devcontainer/tool/devcontainer-feature.json <<-'END'
	{"id": "tool", "version": "1.0.0", "name": "Tool",
	 "containerEnv": {"FROM_FEATURE": "1"},
	 "options": {"word": {"type": "string", "default": "hello"}}}
	END
	cat >.devcontainer/tool/install.sh <<-'END'
	#!/bin/sh
	cat data >/data
	echo "$WORD $_REMOTE_USER $FROM_FEATURE" >/"$(basename "$PWD" | tr -d 0-9)"
	END
	echo data >.devcontainer/tool/data
}
edit() { # FILE FILTER...
	file=$1
	shift
	for filter; do
		jq "$filter" "$file" >../edited && mv ../edited "$file"
	done
}
config() {
	edit .devcontainer/devcontainer.json "$@"
}
feature() {
	edit .devcontainer/tool/devcontainer-feature.json "$@"
}

# --- the table ---

sed -e "s,@BASE@,$BASE,g; s,@OTHER@,$registry/other,g; s,@SUM@,$(sum fixed),g" \
	-e "s,@BASES@,$registry,g; s,@PINNED@,$pinned,g; s,@TMP@,$TMP,g" \
	-e "s,@LAYOUT@,$TMP/layout:base,g; s,@WEB@,$WEB,g" \
	-e "s,@COMMIT@,$commit,g; s,@GIT@,$GIT_DAEMON/repo.git,g" \
	-e "s,@OLD@,$(sum file),g" \
	"$SRC/t/cache/toggles" >"$TMP/toggles"
t_is "$(grep -Evn -e '^(#|$|build |setup |	)' \
	-e '^[^|]+ \| (hit|miss|again) \| .' "$TMP/toggles")" "" \
	"nothing is wrong with the table"

# --- building ---

t_ok "a store that has the base" "$DEVENV" --store "$TMP/base" run "$BASE" true
text() {
	sed -i.before "$1" Dockerfile
	! cmp -s Dockerfile Dockerfile.before ||
		t_fail "the text is another by: $1"
	rm Dockerfile.before
}
opts() {
	options="$options $*"
}
with() {
	variables=$*
}
# The command and options of what was changed, in its environment.
devenv() { # STORE COMMAND OPTION...
	d_store=$1
	shift
	[ -e "$d_store" ] || cp -al "$TMP/base" "$d_store"
	# shellcheck disable=SC2086 # words
	(cd "$TMP/ctx" && umask "$mask" && exec env $variables "$DEVENV" \
		--store "$d_store" "$@" $always --build-context "tree=$tree" \
		$options .)
}
# The digest of what a build makes, with files no younger than the time.
digest() { # STORE OPTION...
	rm -rf "$TMP/image"
	devenv "$@" -o "type=oci,tar=false,rewrite-timestamp=true,dest=$TMP/image" \
		>"$out" 2>"$err" &&
		jq -r '.manifests[0].digest' "$TMP/image/index.json" ||
		echo "status $?"
}
reset() {
	rm -rf "$TMP/ctx"
	cp -a "$new" "$TMP/ctx"
	cp "$TMP/Dockerfile" "$TMP/ctx/Dockerfile"
	echo old >"$TMP/token"
	options='' variables='' tree=tree
	cd "$TMP/ctx" || exit 1
	eval "$setup"
}
begin() { # NAME OPTION...: the build that all others are held against
	name=$1
	shift
	always="--build-arg SOURCE_DATE_EPOCH=1600000000 $*"
	cache=oci:$TMP/cache-$name
	reset
	first=$(digest "$TMP/store-$name" build --cache-to "$cache,mode=max")
	cd "$TMP" || exit 1
	case $first in sha256:*) ;; *) t_fail "$name: it is built" "$(t_show)" ;; esac
}
toggle() { # CHANGE OUTCOME COMMAND
	reset
	eval "$3"
	mask=$(umask)
	umask 022
	cd "$TMP" || exit 1
	said=0
	devenv "$TMP/probing" cache-probe --cache-from "$cache" \
		>"$out" 2>"$err" || said=$?
	case $2 in hit) want=0 ;; *) want=1 ;; esac
	t_is "$said" "$want" "$name: $1: cache-probe"
	[ "$said" -le 1 ] || t_show
	alone=$(digest "$TMP/alone" build --no-cache)
	t_is "$(digest "$TMP/empty" build --cache-from "$cache")" "$alone" \
		"$name: $1: from a cache"
	t_is "$(digest "$TMP/store-$name" build)" "$alone" \
		"$name: $1: in a store that has built the others"
	case $alone in sha256:*) ;; *) t_show ;; esac
	case $2 in
	hit) t_is "$alone" "$first" "$name: $1: it makes no difference" ;;
	miss) t_ok "$name: $1: it makes a difference" \
		[ "$alone" != "$first" ] ;;
	esac
	undo
	rm -rf "$TMP/probing" "$TMP/alone" "$TMP/empty"
}

# All of them where DEVENV_TEST_TABLE says so (make cache-table), else some of
# each build, others on another day.
every=${DEVENV_TEST_TABLE:+1}
every=${every:-12}
mask=022 nr=0 made='' setup=:
while IFS= read -r line <&3; do
	case $line in
	'#'*) ;;
	'build '*)
		made=${line#build } setup=:
		: >"$TMP/Dockerfile"
		;;
	'	'*) printf '%s\n' "${line#	}" >>"$TMP/Dockerfile" ;;
	'setup '*) setup=${line#setup } ;;
	*' | '*)
		nr=$((nr + 1))
		[ $((nr % every)) = 0 ] || continue
		# shellcheck disable=SC2086 # words
		[ -z "$made" ] || begin $made
		made=
		change=${line%% | *}
		line=${line#* | }
		toggle "$change" "${line%% | *}" "${line#* | }"
		;;
	esac
done 3<"$TMP/toggles"
t_done
