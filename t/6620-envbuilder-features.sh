#!/bin/sh
# 6620-envbuilder-features.sh - envbuilder's cases: Features, cached images
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"
. "$(dirname "$0")/build-lib.sh"
. "$(dirname "$0")/helper/gitserver.sh"
. "$(dirname "$0")/helper/registry.sh"
. "$(dirname "$0")/envbuilder-lib.sh"

t_need root userns busybox git nginx fcgiwrap jq docker-registry skopeo \
	buildah python3 htpasswd
t_ok "a base image in a registry" build_bases busybox
bases=$registry
envbuilder_start
J=.devcontainer/devcontainer.json
DEVENV_REGISTRY_RETRIES=1
export DEVENV_REGISTRY_RETRIES

# A Feature with one option, whose value install.sh leaves at /NAMEoutput.
feature() { # DIR NAME OPTION
	mkdir -p "$1/$2"
	printf '%s' "{\"id\": \"$2\", \"name\": \"$2\", \"version\": \"1.0.0\",
		\"options\": {\"$3\": {\"type\": \"string\"}},
		\"containerEnv\": {\"OF_$2\": \"a b\"}}" \
		>"$1/$2/devcontainer-feature.json"
	printf '%s\n' '#!/bin/sh' \
		"echo \"\$$(echo "$3" | tr a-z- A-Z_)\" >/$2output" \
		"echo \$_REMOTE_USER \$_REMOTE_USER_HOME >>/${2}output" \
		>"$1/$2/install.sh"
}
feature_put() { # REGISTRY NAME OPTION
	feature "$TMP/features" "$2" "$3"
	tar -C "$TMP/features/$2" -cf "$TMP/$2.tar" . &&
		python3 "$SRC/t/helper/feature.py" "$1" "test/$2" latest \
			"$TMP/$2.tar" - >/dev/null
}

# --- Features ---
t_ok "a Feature in the registry" feature_put "$bases" test1 bananas
t_ok "and another one" feature_put "$bases" test2 my-pine
project() { # REGISTRY
	put $J '{"name": "Test", "build": {"dockerfile": "Dockerfile"},
		"remoteUser": "bob", "features": {
		"'"$1"'/test/test1:latest": {"bananas": "hello test!"},
		"'"$1"'/test/test2:latest": {"my-pine": "h$w `x` \"q\""},
		"./feature3": {"grape": "hello grape!"}}}'
	put .devcontainer/Dockerfile "FROM $bases/busybox"
	feature "$TMP/tree/.devcontainer" feature3 grape
}
project "$bases"
up three cat /test1output /test2output /feature3output
t_status 0 "TestBuildFromDevcontainerWithFeatures"
t_is "$(grep -v '^bob' "$out")" 'hello test!
h$w `x` "q"
hello grape!' \
	"TestBuildFromDevcontainerWithFeatures: values as they were written"
t_is "$(sort "$out" | uniq -c | grep -c '3 bob /home/bob')" 1 \
	"each knows the user and its home"
up three sh -c 'echo $OF_test1; id -un'
t_is "$(tr '\n' ' ' <"$out")" "a b bob " \
	"variables of Features, and the user after them"

t_ok "a registry with a password" registry_start private htpasswd testing \
	s3cret-pw
FEATURE_AUTH=testing:s3cret-pw
export FEATURE_AUTH
t_ok "has a Feature" feature_put "$registry" locked fruit
put $J '{"image": "'"$bases"'/busybox", "features": {
	"'"$registry"'/test/locked:latest": {"fruit": "pear"}}}'
up auth true
t_status 6 "TestBuildFromDevcontainerWithFeaturesInAuthRepo/NoAuth"
t_err "$registry.*(unauthorized|credentials|authentication)" \
	"TestBuildFromDevcontainerWithFeaturesInAuthRepo/NoAuth: named"
auth() { # USER:PASSWORD: a docker configuration as base64
	printf '{"auths": {"%s": {"auth": "%s"}}, }' "$registry" \
		"$(printf %s "$1" | base64 -w0)" | base64 -w0
}
ENVBUILDER_DOCKER_CONFIG_BASE64=$(auth testing:s3cret-pw) \
	up auth head -n 1 /lockedoutput
t_is "$status $(cat "$out")" "0 pear" \
	"TestBuildFromDevcontainerWithFeaturesInAuthRepo/WithAuth"
t_ok "the credentials are kept nowhere" sh -c '! grep -rqF "$1" "$2" "$3"' - \
	"$(printf testing:s3cret-pw | base64)" "$DEVENV_STORE/run" "$TMP/here"

# --- an image of a cache is what was built ---
again() { # NAME COMMAND...: with nothing but the cache
	DEVENV_STORE=$TMP/store.$1 ENVBUILDER_LAYER_CACHE_DIR=$TMP/cache up "$@"
	mv "$out" "$TMP/first"
	first=$(grep -c 'nothing to build' "$err")
	rm -rf "${TMP:?}/store.$1"
	DEVENV_STORE=$TMP/store.$1 ENVBUILDER_LAYER_CACHE_DIR=$TMP/cache up "$@"
}
put $J '{"build": {"dockerfile": "Dockerfile"}, "containerUser": "bob",
	"containerEnv": {"A": "container", "B": "container"},
	"remoteEnv": {"B": "remote", "C": "remote"}}'
put .devcontainer/Dockerfile "FROM $bases/busybox" 'ENV A=file B=file D=file' \
	'RUN date +%N >/stamp'
again compare sh -c 'id; env | sort; cat /stamp'
t_is "$status $first $(grep -c 'nothing to build' "$err")" "0 0 1" \
	"TestPushImage/CompareBuiltAndCachedImageEnvironment"
t_ok "TestPushImage/CompareBuiltAndCachedImageEnvironment: nothing differs" \
	diff "$TMP/first" "$out"
t_is "$(grep '^[A-D]=' "$out" | tr '\n' ' ')" \
	"A=container B=remote C=remote D=file " \
	"TestPushImage/CompareBuiltAndCachedImageEnvironment: who wins"
put Dockerfile "FROM $bases/busybox" \
	'RUN echo devalot:x:1234:1234::/:/bin/sh >>/etc/passwd' 'USER devalot'
ENVBUILDER_DOCKERFILE_PATH=Dockerfile again user id -un
t_is "$status $(cat "$out") $(grep -c 'nothing to build' "$err")" \
	"0 devalot 1" "TestPushImage/CacheAndPushUser"
put $J '{"image": "'"$bases"'/busybox", "features": {
	"'"$bases"'/test/test1:latest": {"bananas": "mine"}}}'
again option head -n 1 /test1output
t_is "$status $(cat "$out") $(grep -c 'nothing to build' "$err")" "0 mine 1" \
	"TestPushImage/CacheAndPushDevcontainerFeaturesOverrideOption"

env_idle "at the end"
t_done
