#!/bin/sh
# 6645-envbuilder-push.sh - envbuilder's cases: registries, cached images
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env-lib.sh"
. "$(dirname "$0")/build-lib.sh"
. "$(dirname "$0")/helper/gitserver.sh"
. "$(dirname "$0")/helper/registry.sh"
. "$(dirname "$0")/envbuilder-lib.sh"

t_need root userns busybox git nginx fcgiwrap jq docker-registry skopeo \
	buildah htpasswd
t_ok "a base image in a registry" build_bases busybox
bases=$registry
envbuilder_start
DEVENV_REGISTRY_RETRIES=1
ENVBUILDER_DOCKERFILE_PATH=Dockerfile
export DEVENV_REGISTRY_RETRIES ENVBUILDER_DOCKERFILE_PATH

# --- a base image that wants a password ---
t_ok "a registry with a password" registry_start private htpasswd user s3cret-pw
private=$registry
skopeo copy -q --src-tls-verify=false --dest-tls-verify=false \
	--dest-creds user:s3cret-pw "docker://$BASE" \
	"docker://$private/busybox" || exit 1
config() { # USER:PASSWORD: a docker configuration
	printf '{"auths": {"%s": {"auth": "%s"}}, }' "$private" \
		"$(printf %s "$1" | base64 -w0)"
}
good=$(config user:s3cret-pw | base64 -w0)
bad=$(config user:wrong-pw | base64 -w0)
mkdir "$TMP/good" "$TMP/bad"
config user:s3cret-pw >"$TMP/good/config.json"
config user:wrong-pw >"$TMP/bad/config.json"
cp "$TMP/good/config.json" "$TMP/custom.json"
private() { # [VARIABLE=VALUE...]: an up of that image in an empty store
	rm -rf "$TMP/empty"
	t_run timeout 60 env "ENVBUILDER_GIT_URL=$GIT_HTTP/private.git" "$@" \
		"$DEVENV" --store "$TMP/empty" up -- cat /seen
}
put Dockerfile "FROM $private/busybox" \
	'RUN cat /.envbuilder/.docker/config.json ~/.docker/config.json "$DOCKER_CONFIG" >/seen 2>/dev/null; env >>/seen'
publish private
private
t_status 6 "TestPrivateRegistry/NoAuth"
t_err "$private.*(unauthorized|credentials|authentication)" \
	"TestPrivateRegistry/NoAuth: told"
private ENVBUILDER_DOCKER_CONFIG_BASE64="$bad"
t_status 6 "TestPrivateRegistry/InvalidAuth"
t_err "$private" "TestPrivateRegistry/InvalidAuth: told"
from() { # SENTENCE VARIABLE=VALUE...: works, and no step sees credentials
	f_name=$1
	shift
	private "$@"
	t_is "$status $(grep -ciE 'auths|docker' "$out")" "0 0" "$f_name"
}
from "TestPrivateRegistry/Auth" ENVBUILDER_DOCKER_CONFIG_BASE64="$good"
F=TestBuildFromDockerfileAndConfig
from "$F/ConfigBase64" ENVBUILDER_DOCKER_CONFIG_BASE64="$good"
from "$F/BindConfigToPath" DOCKER_CONFIG="$TMP/good"
from "$F/BindConfigToCustomFile" DOCKER_CONFIG="$TMP/custom.json"
from "$F/ConfigBase64AndBindUsesBase64" DOCKER_CONFIG="$TMP/bad" \
	ENVBUILDER_DOCKER_CONFIG_BASE64="$good"
t_ok "$F: the files are as they were" cmp "$TMP/custom.json" \
	"$TMP/good/config.json"
t_ok "$F: no credentials are kept" sh -c '! grep -rqF "$1" "$2" "$3"' - \
	"$(printf user:s3cret-pw | base64)" "$TMP/empty" "$TMP/here"

# --- mounts in the way of the image ---
put Dockerfile "FROM $BASE" 'RUN mkdir -p /run && rm -rf /var/run && ln -s /run /var/run'
publish secrets
mkdir "$TMP/secrets"
echo hidden >"$TMP/secrets/token"
for mode in "" :ro; do
	t_run timeout 60 "$DEVENV" up --git-url "$GIT_HTTP/secrets.git" \
		-v "$TMP/secrets:/var/run/secrets$mode" -- sh -c \
		'cat /run/secrets/token; touch /run/secrets/new'
	t_is "$(cat "$out") $(test -e "$TMP/secrets/new" && echo new)" \
		"hidden $([ "$mode" ] || echo new)" \
		"TestBuildIgnoreVarRunSecrets/Read${mode:-Write}"
	rm -f "$TMP/secrets/new"
done

# --- images in a cache ---
t_ok "a registry for a cache" registry_start cache
cache=$registry
cached() { # NAME [VARIABLE=VALUE...]: an up with nothing but the cache
	c_name=$1
	shift
	rm -rf "$TMP/fresh"
	t_run timeout 60 env "ENVBUILDER_GIT_URL=$GIT_HTTP/$c_name.git" \
		"ENVBUILDER_CACHE_REPO=$cache/$c_name" "$@" \
		"$DEVENV" --store "$TMP/fresh" up -- sh -c 'cat /out* 2>/dev/null'
}
probe() { cached "$1" ENVBUILDER_GET_CACHED_IMAGE=true; }
image() { sed -n 's/^ENVBUILDER_CACHED_IMAGE=//p' "$out"; }
latest() { # NAME: the digest of its image called latest
	skopeo inspect --tls-verify=false --format '{{.Digest}}' \
		"docker://$cache/$1:latest" 2>/dev/null
}
round() { # CASE NAME OUTPUT: probe, push, probe, run what was found
	publish "$2"
	probe "$2"
	t_is "$status $(cat "$out")" "1 " "$1: an empty registry has nothing"
	t_err 'no cache has the image of this build' "$1: which is told"
	cached "$2" ENVBUILDER_PUSH_IMAGE=true
	t_is "$status $(tr '\n' ' ' <"$out")" "0 $3" "$1: built and pushed"
	probe "$2"
	t_is "$status $(image)" "0 $cache/$2@$(latest "$2")" "$1: found"
	t_run "$DEVENV" --store "$TMP/run" run "$cache/$2@$(latest "$2")" \
		sh -c 'cat /out* 2>/dev/null'
	t_is "$status $(tr '\n' ' ' <"$out")" "0 $3" "$1: runs"
}
put Dockerfile "FROM $BASE" 'RUN echo run >/out'
round "TestPushImage/CacheAndPush" push "run "
put .devcontainer/devcontainer.json '{"image": "'"$BASE"'",
	"features": {"./f": {}}}'
put .devcontainer/f/devcontainer-feature.json \
	'{"id": "f", "version": "1.0.0", "name": "f"}'
put .devcontainer/f/install.sh '#!/bin/sh' 'echo feature >/out'
unset ENVBUILDER_DOCKERFILE_PATH
round "TestPushImage/CacheAndPushDevcontainerOnly" only "feature "
ENVBUILDER_DOCKERFILE_PATH=Dockerfile
export ENVBUILDER_DOCKERFILE_PATH
put Dockerfile "FROM $BASE" 'RUN echo run >/out' 'RUN true' 'RUN true'
round "TestPushImage/CacheAndPushWithNoChangeLayers" same "run "
mkdir "$TMP/on"
printf '%s\n' "FROM $cache/same:latest" 'RUN cat /out >/out2' 'CMD cat /out2' \
	>"$TMP/on/Dockerfile"
"$DEVENV" --store "$TMP/run" build -q -t on "$TMP/on" >/dev/null
t_run "$DEVENV" --store "$TMP/run" run on
t_is "$status $(cat "$out")" "0 run" "a layer that is there twice can be built on"
multi() { # WORD: two stages
	put Dockerfile "FROM $BASE AS a" \
		"RUN mkdir /d && echo $1 >/d/f && echo $1 >/file && ln -s file /link" \
		"FROM $BASE" 'COPY --from=a /d /d' 'COPY --from=a /file /out1' \
		'COPY --from=a /link /link' 'RUN cat /d/f >/out2'
}
multi one
round "TestPushImage/CacheAndPushMultistage" multi "one one "
multi two
publish changed
rm -rf "$GIT_ROOT/multi.git" "$TMP/here/multi"
mv "$GIT_ROOT/changed.git" "$GIT_ROOT/multi.git"
probe multi
t_status 1 "TestPushImage/MultistgeCacheMissAfterChange"
cached multi
t_is "$status $(tr '\n' ' ' <"$out")" "0 two two " \
	"TestPushImage/MultistgeCacheMissAfterChange: is built anew"

put Dockerfile "FROM $BASE" 'RUN echo run >/out'
publish unpushed
cached unpushed
t_is "$status $(latest unpushed)" "0 " \
	"TestPushImage/CacheWithoutPush: no image is called latest"
probe unpushed
t_is "$status" 0 "TestPushImage/CacheWithoutPush: but the cache has it"
t_run env ENVBUILDER_GIT_URL="$GIT_HTTP/push.git" ENVBUILDER_PUSH_IMAGE=true \
	"$DEVENV" up -- true
t_status 2 "TestPushImage/PushImageRequiresCache"
t_err '[-]-push-image needs --cache-repo' "TestPushImage/PushImageRequiresCache: told"

# Nothing but tags that are written before: no blob of the base is unknown.
put Dockerfile "FROM $BASE" 'RUN true' 'WORKDIR /' 'RUN true' 'RUN echo x >/out'
publish twice
cached twice ENVBUILDER_PUSH_IMAGE=true ENVBUILDER_EXIT_ON_PUSH_FAILURE=true
t_is "$status $(cat "$out")" "0 x" "TestPushImage/PushDuplicateLayersNoBlobUnknown"
t_ok "TestPushImage/PushDuplicateLayersNoBlobUnknown: others can pull it" \
	skopeo copy -q --src-tls-verify=false "docker://$cache/twice:latest" \
	"dir:$TMP/twice"

cache=127.0.0.1:1
cached push ENVBUILDER_PUSH_IMAGE=true
t_is "$status $(cat "$out")" "0 run" "TestPushImage/PushErr/NoExitOnPushFail"
t_err 'warning: .*127.0.0.1:1' "TestPushImage/PushErr/NoExitOnPushFail: told"
cached push ENVBUILDER_PUSH_IMAGE=true ENVBUILDER_EXIT_ON_PUSH_FAILURE=true
t_is "$status $(cat "$out")" "5 " "TestPushImage/PushErr/ExitOnPushFail"
t_err 'publishing in 127.0.0.1:1/push' "TestPushImage/PushErr/ExitOnPushFail: told"
cache=$private
cached push ENVBUILDER_PUSH_IMAGE=true ENVBUILDER_EXIT_ON_PUSH_FAILURE=true
t_is "$status $(cat "$out")" "6 " "TestPushImage/CacheAndPushAuthFail"
t_err "$private" "TestPushImage/CacheAndPushAuthFail: told"
cached push ENVBUILDER_PUSH_IMAGE=true ENVBUILDER_DOCKER_CONFIG_BASE64="$good"
t_is "$status $(cat "$out")" "0 run" "TestPushImage/CacheAndPushAuth"
cached push ENVBUILDER_GET_CACHED_IMAGE=true \
	ENVBUILDER_DOCKER_CONFIG_BASE64="$good"
t_is "$status $(image | sed 's/@.*//')" "0 $private/push" \
	"TestPushImage/CacheAndPushAuth: found"

env_idle "at the end"
t_done
