#!/bin/sh
# 3425-build-config.sh - the configuration of what was built
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/helper/registry.sh"

t_need jq skopeo busybox
registry_start config || t_fail "a registry starts"
CTX=$TMP/ctx
mkdir -p "$CTX"
cp "$(command -v busybox)" "$CTX/bb"
PATHS=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# Build what standard input says; its configuration becomes $TMP/json.
build() { # OPTION...
	cat >"$CTX/Dockerfile"
	t_run "$DEVENV" build -q "$@" --output \
		"type=oci,tar=false,dest=$TMP/oci" "$CTX"
	[ "$status" = 0 ] || {
		t_fail "it builds"
		t_show
	}
	skopeo inspect --raw --config "oci:$TMP/oci" >"$TMP/json"
	skopeo inspect --raw "oci:$TMP/oci" >"$TMP/manifest"
	rm -rf "$TMP/oci"
}
json() { jq -cS "$1" "$TMP/json"; }
said() { jq -r '.history[].created_by' "$TMP/json"; }

# An image whose configuration is $1, of one empty layer, in the registry.
base() { # NAME JSON MANIFEST-TYPE CONFIG-TYPE LAYER-TYPE
	b=$TMP/layout
	rm -rf "$b"
	mkdir -p "$b/blobs/sha256"
	head -c 1024 /dev/zero >"$b/layer"
	printf '%s' "$2" | jq -c --arg d \
		"sha256:$(sha256sum <"$b/layer" | cut -d' ' -f1)" \
		'.rootfs = {type: "layers", diff_ids: [$d]}' >"$b/config"
	gzip -n "$b/layer"
	jq -nc --arg mt "$3" --arg ct "$4" --arg lt "$5" \
		--arg c "sha256:$(sha256sum <"$b/config" | cut -d' ' -f1)" \
		--arg l "sha256:$(sha256sum <"$b/layer.gz" | cut -d' ' -f1)" \
		--argjson cs "$(wc -c <"$b/config")" \
		--argjson ls "$(wc -c <"$b/layer.gz")" \
		'{schemaVersion: 2, mediaType: $mt,
		config: {mediaType: $ct, digest: $c, size: $cs},
		layers: [{mediaType: $lt, digest: $l, size: $ls}]}' \
		>"$b/manifest"
	for b_file in config layer.gz manifest; do
		b_sum=$(sha256sum <"$b/$b_file" | cut -d' ' -f1)
		cp "$b/$b_file" "$b/blobs/sha256/$b_sum"
	done
	jq -nc --arg mt "$3" --arg d "sha256:$b_sum" \
		--argjson s "$(wc -c <"$b/manifest")" '{schemaVersion: 2,
		manifests: [{mediaType: $mt, digest: $d, size: $s}]}' \
		>"$b/index.json"
	printf '{"imageLayoutVersion":"1.0.0"}' >"$b/oci-layout"
	t_run "$DEVENV" push -q "$b" "$registry/$1:x"
	t_status 0 "the base '$1' is in the registry"
}
oci=application/vnd.oci.image
docker=application/vnd.docker
oci_base() {
	base "$1" "$2" $oci.manifest.v1+json $oci.config.v1+json \
		$oci.layer.v1.tar+gzip
}

# --- defaults ---

build <<X
FROM scratch
LABEL a=b
X
t_is "$(json .config)" \
	"{\"Env\":[\"$PATHS\"],\"Labels\":{\"a\":\"b\"},\"WorkingDir\":\"/\"}" \
	"[2.1] scratch has a PATH and the root as directory"
t_is "$(json '[.os, .rootfs]')" \
	'["linux",{"diff_ids":[],"type":"layers"}]' "[2.1] and no layers"
build --platform linux/arm64/v8 <<X
FROM scratch
COPY bb /
X
t_is "$(json '[.architecture, .variant]')" '["arm64",null]' \
	"[2.1] [2.2] scratch is of the platform asked for, normalised"

# --- what comes from the base ---

oci_base odd '{"architecture":"x86_64","os":"linux","created":
 "2031-01-01T00:00:00Z","author":"somebody","moby.buildkit.x":{"b":1,"a":[2]},
 "config":{"Env":["FIRST=1","A=2"],"User":"u","StopSignal":"SIGINT","Shell":
 ["/sh","-x"],"WorkingDir":"/w","Cmd":["old"],"ExposedPorts":{"9/udp":{}},
 "Volumes":{"/v":{}},"Labels":{"base":"1","over":"base","x":"base"},
 "MacAddress":"m","ArgsEscaped":true,"OnBuild":["ENV TRIGGER=$A"],
 "Healthcheck":{"Test":["CMD","h"],"Interval":5}},"history":[{"created":
 "2020-01-02T03:04:05.678901234+01:00","created_by":"x","comment":"kept",
 "author":"z","empty_layer":true},{"created_by":"y"}]}'
build --label over=cli --label new=cli <<X
FROM $registry/odd:x
LABEL over=file
ENV A=\$A\$TRIGGER B=\$A
ENV a=lower
X
t_is "$(json '.config.Env')" \
	"[\"FIRST=1\",\"A=22\",\"$PATHS\",\"TRIGGER=2\",\"B=2\",\"a=lower\"]" \
	"[2.1] [2.3] a PATH is added, values replaced in place or appended"
t_is "$(json '.config.Labels')" \
	'{"base":"1","new":"cli","over":"cli","x":"base"}' \
	"[2.2] [2.15] [I17] labels are inherited, --label wins"
t_is "$(json '.config | [.User, .StopSignal, .Shell, .WorkingDir]')" \
	'["u","SIGINT",["/sh","-x"],"/w"]' "[2.8] the base's values stay"
t_is "$(json .author)" '"somebody"' "[2.8] so does the author"
t_is "$(json '[.["moby.buildkit.x"], .config.MacAddress]')" \
	'[{"a":[2],"b":1},"m"]' "[2.11] unknown members are carried through"
t_is "$(json '.config.ArgsEscaped')" true "[2.4] [2.11] also in 'config'"
t_is "$(json '.config.OnBuild')" null "[2.7] triggers are used up"
t_is "$(json '.history[:2]')" '[{"author":"z","comment":"kept","created":"2020-01-02T03:04:05.678901234+01:00","created_by":"x","empty_layer":true},{"created_by":"y"}]' \
	"[2.9] the base's history stays as it is"
t_is "$(json '.history[2:] | map([.created_by, .comment])[0]')" \
	'["ENV TRIGGER=2","buildkit.dockerfile.v0"]' \
	"[2.2] [2.9] triggers come first"
t_is "$(json .created)" '"2020-01-02T03:04:05.678901234+01:00"' \
	"[2.11] the newest entry dates the image, not the base's own date"
t_is "$(json .architecture)" '"amd64"' "[2.2] the platform is normalised"
t_is "$(json '.config.Healthcheck')" '{"Interval":5,"Test":["CMD","h"]}' \
	"[2.6] the check is inherited"

# --- each instruction ---

build <<X
FROM $registry/odd:x
HEALTHCHECK --start-interval=2s --retries=3 CMD a b
EXPOSE 8000-8001/tcp 443 53/UDP
VOLUME /v /u
USER bob:staff
STOPSIGNAL 9
MAINTAINER me
ONBUILD RUN x
X
t_is "$(json '.config.Healthcheck')" \
	'{"Retries":3,"StartInterval":2000000000,"Test":["CMD-SHELL","a b"]}' \
	"[2.6] a check is replaced as a whole, zeros are left out"
t_is "$(json '.config.ExposedPorts | keys')" \
	'["443/tcp","53/udp","8000/tcp","8001/tcp","9/udp"]' \
	"[2.5] ports are added to the base's"
t_is "$(json '.config.Volumes | keys')" '["/u","/v"]' "[2.5] volumes as well"
t_is "$(json '.config | [.User, .StopSignal]')" '["bob:staff","9"]' \
	"[2.8] USER is kept as it was written"
t_is "$(json '[.author, .config.OnBuild]')" '["me",["RUN x"]]' \
	"[2.7] [2.8] only this stage's triggers are there"
t_is "$(said | tail -n 6)" \
	'HEALTHCHECK &{["CMD-SHELL" "a b"] "0s" "0s" "0s" "2s" '"'\\x03'"'}
EXPOSE [443/tcp 53/udp 8000/tcp 8001/tcp]
VOLUME [/v /u]
USER bob:staff
STOPSIGNAL 9
MAINTAINER me' "[2.5] [2.7] [2.9] the history's words; ONBUILD has none"

build <<X
FROM scratch
HEALTHCHECK NONE
CMD []
X
t_is "$(json '.config | [.Healthcheck, .Cmd]')" '[{"Test":["NONE"]},[]]' \
	"[2.4] [2.6] NONE disables, an empty CMD counts as one"

build <<X
FROM $registry/odd:x AS one
ENTRYPOINT run me
FROM scratch AS two
CMD ["c"]
FROM two
ENTRYPOINT ["e"]
X
t_is "$(json '.config | [.Entrypoint, .Cmd]')" '[["e"],["c"]]' \
	"[2.4] ENTRYPOINT keeps the CMD of a stage it stands on"
build --target one <<X
FROM $registry/odd:x AS one
ENTRYPOINT run me
X
t_is "$(json '.config | [.Entrypoint, .Cmd]')" \
	'[["/sh","-x","run me"],null]' \
	"[2.4] it clears that of an image, and uses SHELL"

# --- history and layers ---

build --build-arg B=two <<'X'
FROM scratch
ARG A=1 B
COPY --chown=1:2 --chmod=755 bb /bin/busybox
RUN ["/bin/busybox", "true"]
ENV K=v L="a b"
WORKDIR /w
WORKDIR /
WORKDIR /w
CMD ["a", "b\"c"]
SHELL ["/bin/busybox", "sh", "-c"]
RUN true
X
t_is "$(said)" 'ARG A=1 B
COPY --chown=1:2 --chmod=755 bb /bin/busybox # buildkit
RUN |2 A=1 B=two /bin/busybox true # buildkit
ENV K=v L=a b
WORKDIR /w
WORKDIR /
WORKDIR /w
CMD ["a" "b\"c"]
SHELL [/bin/busybox sh -c]
RUN |2 A=1 B=two /bin/busybox sh -c true # buildkit' \
	"[2.9] one entry per instruction, in BuildKit's words"
t_is "$(json '[.history[] | .empty_layer // false]')" \
	'[true,false,false,true,false,true,false,true,true,false]' \
	"[2.9] those without a layer say so; WORKDIR has one unless it is /"
t_is "$(json '([.history[] | select(.empty_layer | not)] | length) ==
	(.rootfs.diff_ids | length)')" true "[2.9] the rest are the layers"
t_is "$(json '[.history[] | .created] | index(null)')" null \
	"[2.9] each has a time"
t_is "$(json '.created == .history[-1].created')" true \
	"[2.11] the last one's is the image's"
empty=$(head -c 1024 /dev/zero | sha256sum | cut -d' ' -f1)
t_is "$(json '.rootfs.diff_ids[1]')" "\"sha256:$empty\"" \
	"[L:empty] [2.10] a step that changes nothing is an empty layer"

# --- media types ---

types() {
	jq -r '[.mediaType, .config.mediaType, .layers[].mediaType] |
		map(if startswith("'$oci'.") then "oci" else . end) |
		unique | join(" ")' "$TMP/manifest"
}
for kind in oci docker; do
	if [ $kind = oci ]; then
		oci_base family '{"architecture":"amd64","os":"linux"}'
	else
		base family '{"architecture":"amd64","os":"linux"}' \
			$docker.distribution.manifest.v2+json \
			$docker.container.image.v1+json \
			$docker.image.rootfs.diff.tar.gzip
	fi
	build --pull <<X
FROM $registry/family:x
COPY bb /
X
	t_is "$(types)" oci \
		"[2.12] on a base of $kind types all types are OCI's"
done
build <<X
FROM scratch
COPY bb /
HEALTHCHECK CMD x
SHELL ["/s"]
ONBUILD RUN y
X
t_is "$(json '.config | [.Healthcheck, .Shell, .OnBuild] | index(null)')" \
	null "[2.12] what OCI does not define is written all the same"
t_is "$(jq -cS . "$TMP/manifest")" "$(cat "$TMP/manifest")" \
	"[2.13] keys of the manifest are in order"
t_done
