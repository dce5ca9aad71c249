#!/bin/sh
# 0510-store-contents.sh - store ls, du and rm: what is there and who needs it
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"

t_need root busybox jq
D=$DEVENV
t_ok "a base image" env_base
mkdir "$TMP/p"
head -c 300000 /dev/urandom >"$TMP/p/one"
head -c 500000 /dev/urandom >"$TMP/p/two"
printf '%s\n' 'FROM base' 'COPY one /' >"$TMP/p/Dockerfile"
"$D" build -q -t one:1 -t one:latest "$TMP/p" >"$TMP/one.json" 2>"$err"
printf '%s\n' 'FROM base' 'COPY two /' \
	'RUN --mount=type=cache,target=/c head -c 70000 /dev/zero >/c/x' \
	>"$TMP/p/Dockerfile"
"$D" build -q -t two:1 "$TMP/p" >"$TMP/two.json" 2>"$err"
id=$(jq -r .image.config_digest "$TMP/one.json")

# --- ls ---
t_run "$D" store ls
t_is "$(sed 's/.* //' "$out" | tr '\n' ' ')" \
	"docker.io/library/base:latest docker.io/library/one:1 $(
	)docker.io/library/one:latest docker.io/library/two:1 " \
	"ls has a line for each name, sorted"
t_out "^$(echo "$id" | cut -c8-19)  +[0-9.]+ [kM]B  linux/[^ ]+ +made [0-9]+s  used [0-9]+s  docker.io/library/one:1\$" \
	"with id, size, platform, age, last use"
t_run "$D" store ls --format=json
t_is "$(jq -r '.[1] | [.reference, .config_digest, .layers, (.size > 300000),
	(.created | type), (.used | type)] | join(" ")' "$out")" \
	"docker.io/library/one:1 $id 2 true string string" "as JSON, too"
cp "$out" "$TMP/format.json"
t_run "$D" store ls --json
t_ok "--json is the same" cmp "$out" "$TMP/format.json"
used() { "$D" store ls --format=json | jq -r ".[$1].used"; }
find "$DEVENV_STORE/images" -type f -exec touch -d @1600000000 {} +
t_run "$D" run one:1 true
t_is "$(used 0) $(used 3)" "2020-09-13T12:26:40Z 2020-09-13T12:26:40Z" \
	"what is only listed is not used"
t_ok "what is run is" test "$(used 1)" != 2020-09-13T12:26:40Z

# --- du ---
t_run "$D" store du --format=json
t_status 0 "du"
t_is "$(jq .total "$out")" "$(du -s -B 1 "$DEVENV_STORE" | cut -f 1)" \
	"the total is what du says"
t_is "$(jq '([.needed_by[]] | add) == .total' "$out")" true \
	"its parts add up to it"
t_is "$(jq '.per_image[] | select(.references[0] | test("one")) |
	(.own >= 300000 and .own < 400000 and .shared > 500000)' "$out")" true \
	"an image has its own layer, and shares its base"
t_is "$(jq -r '[.per_image[] | .references | length] | join(" ")' "$out")" \
	"1 2 1" "two names are one image"
t_is "$(jq '([.per_image[].own] | add) == .needed_by.one_image' "$out")" \
	true "own bytes add up"
t_is "$(jq '[.per_image[].shared] | max == min' "$out")" true \
	"all see the same shared bytes"
t_is "$(jq '.needed_by.several_images == .per_image[0].shared' "$out")" true \
	"which count once"
t_is "$(jq '.needed_by.cache_mounts >= 70000 and .needed_by.nothing == 0' \
	"$out")" true "cache mounts count, nothing is unused"
t_run "$D" store du
t_out '^ +own +shared +image$' "du for people has a heading"
t_out '^ +[0-9.]+ [kM]?B +[0-9.]+ [kM]?B  [0-9a-f]{12}  .*/one:1, .*/one:latest$' \
	"an image a line, with its names"
t_out '^ +[0-9.]+ MB  in all$' "and the sum"

# --- rm ---
t_run "$D" run -d --name box one:1 -- sleep 300
t_status 0 "an environment on it"
t_run "$D" store du --format=json
t_is "$(jq .total "$out")" "$(du -s -B 1 "$DEVENV_STORE" | cut -f 1)" \
	"the total holds with an environment"
t_run "$D" store rm two:1 one:1
t_status 6 "rm refuses what an environment uses"
t_err "image 'docker.io/library/one:1' is used by the environment 'box'" \
	"and names both"
t_err "devenv rm box" "and says what to do"
t_run "$D" store ls
t_out 'two:1$' "then nothing goes"
t_run "$D" store rm one:latest
t_status 0 "another name of it may go"
t_run "$D" store rm "$id"
t_status 6 "the id may not"
t_run "$D" rm -f box
t_run "$D" store rm two:1 "$(echo "$id" | cut -c8-21)" one:1 nope:1
t_status 1 "one that is not there"
t_err "there is no image 'docker.io/library/nope:1'" "is named"
t_run "$D" store rm two:1 "$(echo "$id" | cut -c8-21)" one:1 two:1
t_status 0 "several, by name and by id, and twice"
t_run "$D" store ls
t_is "$(sed 's/.* //' "$out")" docker.io/library/base:latest "are gone"
t_run "$D" store du --format=json
t_is "$(jq '.needed_by.steps > 800000' "$out")" true \
	"remembered steps still need their layers"
rm -f "$DEVENV_STORE"/cache/*
t_run "$D" store du --format=json
unused=$(jq .needed_by.nothing "$out")
t_ok "what nothing needs is said" test "$unused" -gt 800000
t_run "$D" store gc --format=json
t_is "$(jq .bytes "$out")" "$unused" "gc removes just that"
t_run "$D" store verify
t_status 0 "and the store is sound"
t_done
