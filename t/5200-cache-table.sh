#!/bin/sh
# what a change of one input does to every step: t/cache/table
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
. "$SRC/t/helper/webserver.sh"
. "$SRC/t/helper/gitserver.sh"
. "$SRC/t/build-lib.sh"
t_need root docker-registry skopeo nginx git

# --- images that differ from the base by one thing each ---

derive() { # NAME LINE
	mkdir -p "$TMP/derive" &&
		printf 'FROM %s\n%s\n' "$BASE" "$2" >"$TMP/derive/Dockerfile" &&
		"$DEVENV" --store "$TMP/derived" build -q -t "$registry/$1" \
			--push "$TMP/derive"
}
t_ok "a base image in a registry" build_bases busybox
t_ok "another one" derive other 'RUN echo other >/other'
t_ok "the same with labels" derive labelled 'LABEL other=1'
t_ok "the same with a variable" derive environment 'ENV OWN=1'
t_ok "a web server" web_start
t_ok "a repository" git_repo repo.git
t_ok "that is served" git_daemon_start

# --- the context ---

new=$TMP/new
mkdir -p "$new/a/sub" "$new/b"
for file in one two a/one a/two a/file a/other a/sub/deep b/file b/target \
	a/ignored; do
	echo "$file" >"$new/$file"
done
ln -s ../b/target "$new/a/link"
echo a/ignored >"$new/.dockerignore"
tar -C "$new" -cf "$new/archive.tar" one
web_put() {
	echo "$1" >"$WEB_ROOT/file"
	touch -d 2001-01-01 "$WEB_ROOT/file"
}
web_put old
git_put() {
	git_commit repo.git file "$1" >/dev/null
}
git_put old
commit=$(git -C "$GIT_ROOT/repo.git" rev-parse trunk)
git -C "$GIT_ROOT/repo.git" update-ref refs/heads/other "$commit"
fill() { # the names in the table
	sed -e "s,@BASE@,$BASE,g; s,@OTHER@,$registry/other,g" \
		-e "s,@LABELLED@,$registry/labelled,g; s,@WEB@,$WEB,g" \
		-e "s,@ENVIRONMENT@,$registry/environment,g" \
		-e "s,@GIT@,$GIT_DAEMON/repo.git,g" "$SRC/t/cache/table"
}
fill | awk -v base="$BASE" '
	BEGIN { print "ARG BASE=" base }
	/^stage / { stage = $2; first = 1; next }
	!sub(/^\t/, "") { next }
	first && !/^FROM / { print "FROM $BASE AS " stage }
	{ first = 0; print }' >"$new/Dockerfile"
fill | awk -F '[ \t]+[|][ \t]+' -v OFS='\t' '
	/^stage / { sub(/^stage /, ""); stage = $0; next }
	NF == 4 { print stage, $1, $2, $3, $4 }' >"$TMP/rows"

# --- building ---

dir=$TMP/dir
build() { # STORE STAGE OPTION...: $status, and its output in STORE.out, .err
	b_store=$1
	b_stage=$2
	shift 2
	status=0
	# shellcheck disable=SC2086 # words
	"$DEVENV" --store "$b_store" build --explain --target "$b_stage" \
		$secret "$@" $options "$TMP/ctx" \
		>"$b_store.out" 2>"$b_store.err" || status=$?
	out=$b_store.out
	err=$b_store.err
}
steps() { # STORE
	awk '/"cached":/ { cached = /true/ }
		/"key": "/ { printf(cached ? "h" : "m") }' "$1.out"
}
reset() {
	rm -rf "$TMP/ctx"
	cp -a "$new" "$TMP/ctx"
	options=
	secret="--secret id=token,src=$TMP/token"
	echo old >"$TMP/token"
}
all() {
	reset
	for stage in $(cut -f 1 "$TMP/rows" | uniq); do
		build "$TMP/store" "$stage" --cache-to "oci:$dir,mode=max"
		[ "$status" = 0 ] || t_fail "$stage can be built" "$(t_show)"
	done
}
all
t_is "$(cut -f 1 "$TMP/rows" | uniq | wc -l)" \
	"$(grep -c '^stage' "$SRC/t/cache/table")" "every stage has rows"
t_ok "nothing is wrong with the table" sh -c \
	"! grep -nv -e '^#' -e '^\$' -e '^stage ' -e '^	' -e '|.*|.*|' \
		'$SRC/t/cache/table'"
cp -al "$TMP/store/cache" "$TMP/known"
# An empty store, but for the base: fetching it each time would take most of
# the time.
t_ok "a store that has the base" "$DEVENV" --store "$TMP/base" run "$BASE" true

# --- rows ---

text() {
	sed -i "$1" Dockerfile
}
opts() {
	options=$*
}
no_secret() {
	secret=
}
change() { # COMMAND
	reset
	cd "$TMP/ctx" || exit 1
	eval "$1"
	cd "$TMP" || exit 1
}
undo() { # COMMAND: what is not in the context
	case $1 in
	web_put*) web_put old ;;
	git_put*) git -C "$GIT_ROOT/repo.git" update-ref \
		refs/heads/trunk "$commit" ;;
	esac
	# What this one made is not what the next is compared with.
	find "$TMP/store/cache" -type f -links 1 -delete
	cp -aln "$TMP/known/." "$TMP/store/cache/"
	rm -rf "$TMP/empty"
}
reason() { # PATTERN NAME
	if [ "$1" = - ]; then
		grep 'has to run' "$err" >"$TMP/said"
		t_is "$(cat "$TMP/said")" "" "$2"
	else
		t_err "has to run: ($1)" "$2"
	fi
}
# The cache is asked for one row of each stage, and those that differ there;
# for all where DEVENV_TEST_TABLE says so (make cache-table).
last=
while IFS='	' read -r stage name want because how <&3; do
	change "$how"
	asks=${DEVENV_TEST_TABLE:-}
	case $want in */*) asks=yes ;; *m*) [ "$stage" = "$last" ] || asks=yes ;; esac
	if [ "$asks" ]; then
		last=$stage
		cp -al "$TMP/base" "$TMP/empty"
		build "$TMP/empty" "$stage" --cache-from "oci:$dir" &
		pid=$!
	fi
	build "$TMP/store" "$stage"
	[ -z "$asks" ] || wait "$pid"
	t_is "$(steps "$TMP/store")" "${want%/*}" "$stage: $name"
	[ "$status" = 0 ] || t_show
	reason "$because" "$stage: $name: why"
	[ -z "$asks" ] || t_is "$(steps "$TMP/empty")" "${want#*/}" \
		"$stage: $name: from a cache"
	undo "$how"
done 3<"$TMP/rows"
t_ok "the store is sound" "$DEVENV" --store "$TMP/store" store verify
t_done
