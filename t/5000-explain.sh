#!/bin/sh
# why steps have to run
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
. "$SRC/t/build-lib.sh"
t_need docker-registry skopeo

t_ok "a base image in a registry" build_bases busybox
mkdir -p "$TMP/ctx/src/sub"
echo a >"$TMP/ctx/src/a"
echo b >"$TMP/ctx/src/sub/b"
echo x >"$TMP/ctx/ignored"
echo ignored >"$TMP/ctx/.dockerignore"
write() { # COMMAND [USER]
	cat >"$TMP/ctx/Dockerfile" <<END
FROM $BASE AS first
ARG SECRET=none
ARG OTHER
RUN $1
FROM $BASE
USER ${2:-root}
COPY src /src
RUN true
COPY --from=first /x /x
END
}
build() {
	t_run "$DEVENV" --store "$TMP/store" build --explain "$@" "$TMP/ctx"
	[ "$status" = 0 ] || t_show
}
because() { # PATTERN NAME
	t_err "has to run: $1" "$2"
}

write 'echo >/x'
build
because 'no step like it was built here' "the first time"
build
t_ok "nothing has to run the second time" sh -c "! grep -q 'has to run' '$err'"

echo c >"$TMP/ctx/src/a"
build
because "'src/a' changed\$" "a file that changed"
t_out '"it stands on line 7, which has to run"' "what follows from it"
echo n >"$TMP/ctx/src/new"
build
because "'src/new' is new\$" "a new file"
rm "$TMP/ctx/src/sub/b"
build
because "'src/sub/b' is gone\$" "one that is gone"
mv "$TMP/ctx/src/new" "$TMP/ctx/src/other"
build
because "'src/new' is gone; 'src/other' is new\$" "a new name"
chmod 700 "$TMP/ctx/src/a"
build
because "'src/a' changed\$" "a mode"
for i in 1 2 3 4 5 6 7 8; do echo $i >"$TMP/ctx/src/f$i"; done
build
because "'src/f1' is new; .*'src/f5' is new; and 3 more files\$" "many files"
touch "$TMP/ctx/src/a"
echo y >"$TMP/ctx/ignored"
build
t_ok "times and ignored files are no reason" \
	sh -c "! grep -q 'has to run' '$err'"

build --build-arg SECRET=hunter2
because 'the variable SECRET is another$' "an argument"
t_ok "its value is not shown" sh -c "! grep -q 'has to run.*hunter2' '$err'"
write 'echo 1 >/x'
build
because 'the command is another$' "a command"
write 'echo 1 >/x' bob
build
because 'its user is another$' "a user"
build --no-cache
because 'the cache was not asked$' "what --no-cache asks for"

# Another base image under the same name.
mkdir "$TMP/more"
printf 'FROM %s\nRUN echo >/more\n' "$BASE" >"$TMP/more/Dockerfile"
t_ok "the base image changes" "$DEVENV" --store "$TMP/store" build -q \
	-t "$BASE:latest" "$TMP/more"
build
because "the base image $BASE is another\$" "a base image"
t_ok "the store is sound" "$DEVENV" --store "$TMP/store" store verify
t_done
