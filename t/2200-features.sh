#!/bin/sh
# 2200-features.sh - Features of a project: order, options, steps, users
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
. "$SRC/t/build-lib.sh"
t_need root docker-registry skopeo buildah busybox jq

t_ok "a base image in a registry" build_bases busybox
P=$TMP/p
mkdir -p "$P/.devcontainer"

config() { # TEXT...
	printf '%s\n' "$*" >"$P/.devcontainer/devcontainer.json"
}
feature() { # DIR METADATA SCRIPT
	mkdir -p "$P/.devcontainer/$1"
	printf '%s\n' "$2" >"$P/.devcontainer/$1/devcontainer-feature.json"
	printf '%s\n' '#!/bin/sh' "$3" >"$P/.devcontainer/$1/install.sh"
}
plain() { # ID [MORE-PROPERTIES]
	feature "$1" "{\"id\":\"$1\",\"version\":\"1.0.0\",\"name\":\"$1\"${2:+,$2}}" \
		"echo $1 >>/order"
}
order() { # ARGUMENT...
	t_run "$DEVENV" parse --print=features "$@" "$P"
	jq -r '.[].id' "$out" | tr '\n' ' '
}

# --- the order ---
plain a '"dependsOn":{"./c":{}}'
plain b '"installsAfter":["./a","ghcr.io/none/of/these"]'
plain c
config '{"image":"x","features":{"./b":{},"./a":{},"./c":{}}}'
t_is "$(order)" "./c ./a ./b " "dependencies come first"
t_is "$(jq -c '.[0]' "$out")" \
	'{"id":"./c","options":{},"dependsOn":{},"installsAfter":[]}' \
	"an element has its id, options, dependsOn and installsAfter"
config '{"image":"x","features":{"./b":{},"./c":{}},
	"overrideFeatureInstallOrder":["./c","./none"]}'
t_is "$(order)" "./c ./b " "an override comes before the order of names"
order --explain >/dev/null
t_is "$(jq -r '.[0].why[0]' "$out")" \
	"overrideFeatureInstallOrder gives it priority 2" "--explain says why"
t_run "$DEVENV" -v parse --print=features "$P"
t_err './c: overrideFeatureInstallOrder gives it priority 2' "-v says so, too"
config '{"image":"x"}'
t_is "$(order; cat "$out")" "[]" "no Features, none in the view"
config '{"image":"x","features":{"./b":{},"./a":{"v":"1"}}}'
t_run sh -c '"$DEVENV" parse "$1" | "$DEVENV" parse --print=features -' - "$P"
t_is "$(jq -r '.[].id' "$out" | tr '\n' ' ')" "./c ./a ./b " \
	"a record carries what is needed"

# --- what cannot be meant ---
fails() { # STATUS REGEX SENTENCE
	t_run "$DEVENV" parse --print=features "$P"
	t_status "$1" "$3"
	t_err "$2" "$3: the message"
	t_is "$(cat "$out")" "" "$3: nothing is printed"
}
plain c '"dependsOn":{"./a":{}}'
config '{"image":"x",
  "features":{"./a":{}}}'
fails 3 "devcontainer.json:2:15: Features wait for each other in a circle: './a', './c'" \
	"a circle"
plain c
config '{"image":"x",
  "features":{"./gone":{}}}'
fails 3 "devcontainer.json:2:15: there is no Feature './gone'" \
	"a missing folder"
names=$(jq -nc '[range(513) | "ghcr.io/none/x\(.)"]')
plain many "\"installsAfter\":$names"
config '{"image":"x",
  "features":{"./many":{}}}'
fails 3 "devcontainer.json:2:15: Feature './many': 'installsAfter' names more than 512 Features" \
	"an order with more names than Features can be"
config "{\"image\":\"x\",\"features\":{\"./c\":{}},
	\"overrideFeatureInstallOrder\":$names}"
fails 3 "'overrideFeatureInstallOrder' names more than 512 Features" \
	"so does one of the configuration"
mkdir -p "$P/.devcontainer/empty"
config '{"image":"x","features":{"./empty":{}}}'
fails 3 "'.*empty' has no devcontainer-feature.json" "a folder without metadata"
config '{"image":"x","features":{"../out":{}}}'
fails 3 "devcontainer.json:1:26: the Feature '../out' is outside of" \
	"a path that leads out"
mkdir -p "$TMP/outside"
cp "$P"/.devcontainer/c/* "$TMP/outside"
ln -s "$TMP/outside" "$P/.devcontainer/link"
config '{"image":"x","features":{"./link":{}}}'
fails 3 "'.*link' leads out of" "a link that leads out"
mkdir -p "$P/.devcontainer/inner"
ln -s /etc/passwd "$P/.devcontainer/inner/devcontainer-feature.json"
config '{"image":"x","features":{"./inner":{}}}'
fails 3 "inner: .*devcontainer-feature.json" "metadata that is a link"
config '{"image":"x","features":{"node":{}}}'
fails 3 "'node' is the short form of a Feature" "a short form"
t_err 'hint: write ghcr.io/devcontainers/features/node:1' \
	"a short form: what to write"
config '{"image":"x","features":{"a/b/c@v1":{}}}'
fails 3 "names no registry" "a release on GitHub"
config '{"image":"x","features":{"./bad":{}}}'
feature bad '{"id":"bad",
  "options":{"x":{"enum":[1]}}}' true
fails 3 'bad/devcontainer-feature.json:2:27: .0. is a number, expected a string' \
	"metadata of a wrong type"
feature bad '{"id":"bad","version":"1","name":"B",
  "instalsAfter":[]}' true
t_run "$DEVENV" parse --print=features "$P"
t_status 0 "an unknown property"
t_err "bad/devcontainer-feature.json:2:3: 'instalsAfter' is no property" \
	"an unknown property is named"

# --- building ---
rm -rf "$P/.devcontainer"
mkdir -p "$P/.devcontainer"
feature one '{"id":"one","version":"1.0.0","name":"One",
	"containerEnv":{"ONE":"1","BOTH":"$ONE:\"q\"\\"},
	"options":{"version":{"type":"string","default":"lts"},
		"with-dash":{"type":"boolean","default":true},
		"text":{"type":"string","default":"a"}},
	"mounts":["source=x,target=/x,type=volume"],"init":true}' '
{
	echo "V=$VERSION D=$WITH_DASH T=$TEXT BOTH=$BOTH"
	echo "$_CONTAINER_USER=$_CONTAINER_USER_HOME"
	echo "$_REMOTE_USER=$_REMOTE_USER_HOME"
	echo "[${_DEV_CONTAINERS_IMAGE_USER-}]"
	id -u
	pwd
	ls -l other | cut -c1-10
} >/one
touch scratch'
echo hello >"$P/.devcontainer/one/other"
feature two '{"id":"two","version":"1.0.0","name":"Two"}' \
	'cat /one >/two; echo "[$ONE]" >>/two'
config "{\"image\":\"$BASE\",\"remoteUser\":\"bob\",
	\"containerEnv\":{\"MINE\":\"\$x\"},
	\"features\":{\"./two\":{},\"./one\":{\"text\":\"it's \$HOME \`id\` \\\"\"}}}"
build() { # OPTION...
	t_run timeout 60 "$DEVENV" build "$@" "$P"
}
build -o "type=local,dest=$TMP/files" -o "type=oci,dest=$TMP/oci,tar=false" \
	--iidfile "$TMP/iid"
t_status 0 "two local Features"
printf '%s\n' "V=lts D=true T=it's \$HOME \`id\` \" BOTH=1:\"q\"\\" \
	root=/root bob=/home/bob '[]' 0 /tmp/dev-container-features/one -rwxr-xr-x \
	'[1]' >"$TMP/want"
t_is "$(cat "$TMP/files/two")" "$(cat "$TMP/want")" \
	"options, users, homes, modes, place and environment"
t_is "$(find "$TMP/files/tmp" -mindepth 1)" "" \
	"nothing of their files is in the image"
manifest=$(jq -r '.manifests[0].digest' "$TMP/oci/index.json" | cut -d: -f2)
configuration=$(jq -r .config.digest "$TMP/oci/blobs/sha256/$manifest" |
	cut -d: -f2)
cp "$TMP/oci/blobs/sha256/$configuration" "$TMP/config"
t_is "$(jq -r .config.User "$TMP/config")" root "the user of the image is again"
t_is "$(jq -r '.config.Env[]' "$TMP/config" | grep -E '^(ONE|BOTH|MINE)=' |
	tr '\n' ' ')" 'ONE=1 BOTH=1:"q"\ MINE=$x ' \
	"their environment and that of the file are in the image"
t_is "$(jq -r '.config.Labels["devcontainer.metadata"]' "$TMP/config" |
	jq -c 'map(.id // .remoteUser)')" '["./one","./two","bob"]' \
	"the label has their entries, in order, and that of the file"
t_is "$(jq -r '.config.Labels["devcontainer.metadata"]' "$TMP/config" |
	jq -c '.[0]')" \
	'{"id":"./one","init":true,"mounts":["source=x,target=/x,type=volume"]}' \
	"an entry says what is to be done with them"
t_is "$(ls "$P/.devcontainer")" "$(printf '%s\n' devcontainer.json one two)" \
	"local ones need no lockfile"
build
t_is "$status $(jq -c '[.image.steps[] | select(.key) | .cached]' "$out")" \
	'0 [true,true]' "the second time both are known"
chmod 664 "$P/.devcontainer/one/other"
cp -r "$P" "$TMP/elsewhere"
mv "$P" "$TMP/moved" && mv "$TMP/elsewhere" "$P"
build
t_is "$(jq -c '[.image.steps[] | select(.key) | .cached]' "$out")" \
	'[true,true]' "modes and places of files are in no key"
echo new >"$P/.devcontainer/one/other"
build --explain
t_is "$(jq -c '[.image.steps[] | select(.key) | .cached]' "$out")" \
	'[false,false]' "a changed file is"
sed -i 's/"text":[^}]*/"text":"b"/' "$P/.devcontainer/devcontainer.json"
build
t_is "$(jq -c '[.image.steps[] | select(.key) | .cached]' "$out")" \
	'[false,false]' "a changed option is"

# --- a cache that others fill ---
probe() {
	t_run timeout 60 "$DEVENV" --store "$TMP/probe" cache-probe \
		--cache-repo "$registry/cache" "$P"
}
build --cache-repo "$registry/cache"
probe
t_status 0 "cache-probe knows their steps"
sed -i 's/"text":[^}]*/"text":"c"/' "$P/.devcontainer/devcontainer.json"
probe
t_status 1 "and what an option changes"

# --- on top of a Dockerfile ---
config '{"build":{"dockerfile":"Dockerfile","target":"mid"},
	"features":{"./one":{}}}'
printf '%s\n' "FROM $BASE AS first" 'LABEL devcontainer.metadata="[{\"remoteUser\":\"1001\"}]"' \
	"FROM first AS mid" 'SHELL ["/bin/sh","-euc"]' 'USER bob' \
	'FROM scratch' 'COPY nothing /' >"$P/.devcontainer/Dockerfile"
build -o "type=local,dest=$TMP/files2" -o "type=oci,dest=$TMP/oci2,tar=false"
t_status 0 "the target of a Dockerfile"
t_is "$(sed -n 2,3p "$TMP/files2/one")" "$(printf '%s\n' bob=/home/bob 1001=/)" \
	"users of the Dockerfile and of its label"
manifest=$(jq -r '.manifests[0].digest' "$TMP/oci2/index.json" | cut -d: -f2)
configuration=$(jq -r .config.digest "$TMP/oci2/blobs/sha256/$manifest" |
	cut -d: -f2)
t_is "$(jq -r .config.User "$TMP/oci2/blobs/sha256/$configuration")" bob \
	"its user is that of the image"
config '{"dockerFile":"Dockerfile","features":{"./one":{}}}'
printf '%s\n' '# escape=`' "FROM $BASE" 'USER bob' >"$P/.devcontainer/Dockerfile"
build -o "type=local,dest=$TMP/files3"
t_status 0 "a Dockerfile with another escape and a stage without a name"
t_is "$(sed -n '1s/.*BOTH=//p;2p' "$TMP/files3/one" | tr '\n' ' ')" \
	'1:"q"\ bob=/home/bob ' "is understood"
t_run "$DEVENV" parse --print=dockerfile "$P"
t_out "^FROM $BASE AS dev_container_auto_added_stage_label$" \
	"the view shows what is built"
t_out '^# ./one, version 1.0.0$' "with the Features"
# shellcheck disable=SC1003 # a backslash at the end of the file
printf 'FROM %s AS dev_containers_target_stage\r\nRUN echo \\\n own >/own \\' \
	"$BASE" >"$P/.devcontainer/Dockerfile"
build -o "type=local,dest=$TMP/files5"
t_is "$status $(cat "$TMP/files5/own")$(sed -n 1s/BOTH.*//p "$TMP/files5/one")" \
	"0 ownV=lts D=true T=a " \
	"a stage with the name of ours, and an end that would go on"
printf 'FROM %s\nRUN exit 9\n' "$BASE" >"$P/.devcontainer/Dockerfile"
build
t_status 7 "a step of the Dockerfile that fails"
t_err 'Dockerfile:2:1: ' "is named by its own line"
config "{\"features\":{\"./one\":{}}}"
build --fallback-image "$BASE"
t_status 0 "on top of a fallback image"

# --- without the right to mount, and without root ---
feature two '{"id":"two","version":"1.0.0","name":"Two"}' \
	'pwd >/two; ls >>/two; mkdir ../kept; touch /tmp/own scratch'
config "{\"image\":\"$BASE\",\"remoteUser\":\"bob\",\"features\":{\"./two\":{}}}"
build --store "$TMP/plain" --driver chroot -o "type=local,dest=$TMP/files4"
t_status 0 "by chroot"
t_is "$(tr '\n' ' ' <"$TMP/files4/two")" \
	'/tmp/dev-container-features/two devcontainer-feature.json install.sh ' \
	"it finds its files"
t_is "$(cd "$TMP/files4/tmp" && find . | sort | tr '\n' ' ')" \
	". ./dev-container-features ./dev-container-features/kept ./own " \
	"of which nothing stays but what it made"
chmod -R go+rX "$P"
for kind in range single; do
	build_user $kind
	t_run as "$DEVENV" build -o "type=local,dest=$TMP/$kind/files" "$P"
	t_is "$status $(head -n 1 "$TMP/$kind/files/two")" \
		"0 /tmp/dev-container-features/two" "as a user: $kind of ids"
done

# --- failures ---
config "{\"image\":\"$BASE\",\"features\":{\"./one\":{},\"./two\":{}}}"
feature one '{"id":"one","version":"1","name":"One"}' 'echo my own words; exit 4'
build
t_status 7 "an install.sh that fails"
t_err 'my own words' "its words are shown"
t_err "the command 'RUN # Feature ..one' ended with status 4" "and its status"
t_err "^devenv: .*devcontainer.json:1:[0-9]+: Feature './one'" "and which it is"
rm "$P/.devcontainer/one/install.sh"
build
t_status 3 "a Feature without install.sh"
t_err "Feature './one': the Feature has no install.sh" "is named"
feature one '{"id":"one","version":"1","name":"One",
	"containerEnv":{"a b":"c"}}' true
build
t_status 3 "a name that no variable has"
t_err "one/devcontainer-feature.json:2:18: 'a b' has a name or a value that ENV" \
	"is named with its place"
feature one '{"id":"one","version":"1","name":"One",
	"containerEnv":{"A":"${localEnv:HOME}"}}' true
build
t_status 3 "a variable that an image has not"
t_err "one/devcontainer-feature.json:2:18: 'A' refers to the environment of a host" \
	"is named, too"
feature one '{"id":"one","version":"1","name":"One"}' true
mkfifo "$P/.devcontainer/one/pipe"
build
t_status 3 "a pipe among the files"
t_err "pipe' is neither a file nor a directory" "is refused"
rm "$P/.devcontainer/one/pipe"

# --- up ---
feature one '{"id":"one","version":"1","name":"One","deprecated":true,
	"postStartCommand":"echo started >>/tmp/hook",
	"options":{"e":{"type":"string","enum":["x"]}}}' 'echo up >/one'
config "{\"image\":\"$BASE\",\"features\":{\"./one\":{\"e\":\"y\",\"n\":1}}}"
t_run timeout 60 "$DEVENV" up "$P" -- cat /one /tmp/hook
t_is "$status $(tr '\n' ' ' <"$out")" "0 up started " \
	"up has them, and runs their hooks once"
t_err "devcontainer.json:1:[0-9]+: the Feature './one' is deprecated" \
	"a deprecated one is warned about"
t_err "it declares no option 'n'" "an option it does not know, too"
t_err "it declares other values for the option 'e'" "and a value"
build_clean "after all of them"
t_done
