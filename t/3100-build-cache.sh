#!/bin/sh
# 3100-build-cache.sh - what makes a step run again, and what does not
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"
. "$(dirname "$0")/helper/registry.sh"

t_need root buildah skopeo jq busybox
t_atexit build_peer_end
build_bases busybox || t_fail "the base images can be made"
CTX=$TMP/ctx
mkdir -p "$CTX/dir/sub"
echo one >"$CTX/dir/one"
echo two >"$CTX/dir/sub/two"
ln -s one "$CTX/dir/link"
echo log >"$CTX/dir/a.log"
echo '*.md' >"$CTX/.dockerignore"
cat >"$CTX/Dockerfile" <<'X'
ARG BASE
FROM $BASE AS made
RUN echo made >/made
FROM $BASE
ARG UNUSED=1
ARG USED=1
ENV INNER=1
RUN echo $USED >/used
COPY dir /dir
WORKDIR /work
LABEL version=1
RUN ls -lR /dir >/list
COPY --from=made /made /made
EXPOSE 80
X

build() {
	t_run "$DEVENV" build --build-arg "BASE=$BASE" "$@" "$CTX"
	[ "$status" = 0 ] || t_status 0 "build $*"
}
# The lines of the steps that ran.
ran() {
	jq -r '[.image.steps[] | select(.key and (.cached | not)) | .line]
		| join(" ")' "$out"
}
id() { jq -r .image.config_digest "$out"; }

build
t_is "$(ran)" "3 8 9 10 12 13" "the first time all steps run"
first=$(id)
build
t_is "$(ran)" "" "the second time none does"
t_is "$(id)" "$first" "and the image is the same"

touch -d 2001-01-01 "$CTX/dir/one" "$CTX/dir/sub" "$CTX/dir"
build
t_is "$(ran)" "" "times of files do not count"
cp -a "$CTX" "$TMP/copy"
t_run "$DEVENV" build --build-arg "BASE=$BASE" "$TMP/copy"
t_is "$(ran)" "" "nor does the place of the context"
chown -R 12:34 "$CTX/dir"
build
t_is "$(ran)" "" "nor do owners, as COPY sets them"
build --build-arg UNUSED=2
t_is "$(ran)" "8 9 10 12 13" "an ARG is in the environment of RUN, used or not"
build --build-arg HTTP_PROXY=http://127.0.0.1:1
t_is "$(ran)" "" "a proxy does not count"
build --build-arg USED=2
t_is "$(ran)" "8 9 10 12 13" "a changed ARG runs what follows"
build --build-arg USED=1
t_is "$(ran)" "" "and back"
build --label added=1
t_is "$(ran)" "" "labels of the command line do not count"
t_ok "but are in the image" test "$(id)" != "$first"

# Each change to what COPY reads, alone.
changes() { # SENTENCE COMMAND...
	c_name=$1
	shift
	(cd "$CTX" && "$@")
	build
	t_is "$(ran)" "9 10 12 13" "$c_name: COPY and what follows run"
}
same() { # SENTENCE COMMAND...
	c_name=$1
	shift
	(cd "$CTX" && "$@")
	build
	t_is "$(ran)" "" "$c_name: nothing runs"
}
changes "content" sh -c 'echo new >dir/one'
# Same size, same time: only the change time tells.
same_stat() {
	echo wen >dir/one
	touch -r dir/sub/two dir/one
}
touch -r "$CTX/dir/sub/two" "$CTX/dir/one"
build
changes "content of the same size and time" same_stat
changes "a name" mv dir/one dir/uno
changes "a mode" chmod 600 dir/uno
changes "the target of a link" ln -sfn uno dir/link
changes "a new empty directory" mkdir dir/empty
changes "a file instead of a directory" sh -c 'rmdir dir/empty; : >dir/empty'
changes "a further file" cp dir/a.log dir/b.log
changes "an ignore file" sh -c 'echo "**/*.log" >>.dockerignore'
same "an ignored file" sh -c 'echo more >>dir/a.log'
same "a file that nothing copies" sh -c 'echo x >unused'
same "another ignore rule" sh -c 'echo unused >>.dockerignore'

edit() { sed -i "$1" "$CTX/Dockerfile"; }
edit 's/version=1/version=2/; s/EXPOSE 80/EXPOSE 81/'
build
t_is "$(ran)" "" "metadata disturbs no later step"
edit 's/ENV INNER=1/ENV INNER=2/'
build
t_is "$(ran)" "8 9 10 12 13" "ENV runs what follows"
edit 's/^COPY dir/# a comment\nCOPY   dir/'
build
t_is "$(ran)" "" "comments and blanks do not count"
edit 's/echo made/echo remade/'
build
t_is "$(ran)" "3 14" "a stage runs what copies from it"
edit 's,^RUN ls,USER bob\nRUN ls,; s,/list$,/tmp/list,'
build
t_is "$(ran)" "14 15" "USER runs what follows"

build --no-cache
t_is "$(ran)" "3 8 10 11 14 15" "--no-cache runs everything"
before=$(id)
build
t_is "$(ran)" "" "what --no-cache made is used"
t_is "$(id)" "$before" "and gives the same image"

# Another base image under the same name counts with --pull only.
mkdir "$TMP/base2"
printf 'FROM %s\nRUN echo other >/other\n' "$BASE" >"$TMP/base2/Dockerfile"
t_run env DEVENV_STORE="$TMP/store2" "$DEVENV" build --push -t "$BASE" \
	"$TMP/base2"
t_status 0 "another base is pushed"
build
t_is "$(ran)" "" "a base image in the store is not asked for"
build --pull
t_ok "--pull sees the new base: all run" test "$(ran | wc -w)" = 6

# An image built here as base: pushing it does not change its keys.
mkdir "$TMP/child"
printf 'FROM test/parent\nUSER root\nRUN echo child >/child\n' \
	>"$TMP/child/Dockerfile"
build -t test/parent
t_run "$DEVENV" build "$TMP/child"
t_status 0 "a child of an image built here: status"
t_is "$(ran)" 3 "a child of an image built here"
t_run "$DEVENV" push test/parent "$registry/parent:1"
t_status 0 "its parent is pushed"
t_run "$DEVENV" build "$TMP/child"
t_is "$(ran)" "" "that changes no key"

# Two stages with the same beginning share it within one build.
mkdir "$TMP/share"
cat >"$TMP/share/Dockerfile" <<X
FROM $BASE AS a
RUN echo same >/same
FROM $BASE AS b
RUN echo same >/same
COPY --from=a /same /two
X
t_run "$DEVENV" build "$TMP/share"
t_is "$(ran)" "2 5" "two stages with the same steps share them"

# Several builds at once in one store.
mkdir "$TMP/par"
for i in 1 2 3 4 5 6; do
	mkdir "$TMP/par/$i"
	echo "$i" >"$TMP/par/$i/n"
	# three alike, three of their own
	n=$i
	[ "$i" -gt 3 ] || n=0
	printf 'FROM %s\nRUN echo %s >/n\nCOPY n /m\nRUN cat /m >/o\n' \
		"$BASE" "$n" >"$TMP/par/$i/Dockerfile"
	[ "$n" != 0 ] || echo 0 >"$TMP/par/$i/n"
done
pids=
for i in 1 2 3 4 5 6; do
	"$DEVENV" --store "$TMP/store3" build "$TMP/par/$i" \
		>"$TMP/par/$i.out" 2>"$TMP/par/$i.err" &
	pids="$pids $!"
done
bad=
for pid in $pids; do wait "$pid" || bad="$bad $?"; done
t_is "$bad" "" "six builds at once succeed"
for i in 1 2 3 4 5 6; do
	"$DEVENV" --store "$TMP/store3" build "$TMP/par/$i" \
		>"$out" 2>"$err"
	t_is "$(ran)" "" "build $i of them is in the cache"
done
t_ok "their store is sound" "$DEVENV" --store "$TMP/store3" store verify
build_clean "at the end"

# --- platforms ---
mkdir "$TMP/bare"
echo one >"$TMP/bare/one"
printf 'FROM scratch\nCOPY one /\n' >"$TMP/bare/Dockerfile"
cached=
for platform in amd64 arm64 amd64; do
	t_run "$DEVENV" build --platform "linux/$platform" "$TMP/bare"
	t_status 0 "from scratch for $platform"
	cached="$cached $(jq '[.image.steps[] | select(.key) | .cached] |
		all' "$out")"
done
t_is "$cached" " false false true" "such a step is keyed by its platform"

# --- a layer is made for those below it ---
mkdir "$TMP/below"
echo one >"$TMP/below/one"
cat >"$TMP/below/Dockerfile" <<END
FROM $BASE
RUN cat /proc/sys/kernel/random/uuid >/made
COPY one /
COPY --link one /alone
END
cached() { jq -c '[.image.steps[] | select(.key) | .cached]' "$out"; }
t_run "$DEVENV" --store "$TMP/store4" build "$TMP/below"
t_status 0 "a step that never makes the same, and two on it"
first=$(jq -r 'first(.image.steps[] | select(.key) | .key)' "$out")
t_ok "the first is forgotten" rm "$TMP/store4/cache/$first"
t_run "$DEVENV" --store "$TMP/store4" build "$TMP/below"
t_is "$(cached)" "[false,false,true]" \
	"what lies on it is made again, but what stands alone"
t_run "$DEVENV" --store "$TMP/store4" build "$TMP/below"
t_is "$(cached)" "[true,true,true]" "then all is known again"
t_done
