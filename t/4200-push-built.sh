#!/bin/sh
# push what devenv built: what moves, what is mounted, what peers make of it
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
t_need docker-registry skopeo umoci podman

requests() { # METHOD PART-OF-PATH NAME
	grep -a 'msg="response completed"' "$TMP/$3/log" |
		grep -c "http.request.method=$1 .*http.request.uri=[^ ]*$2"
}
layers() { # REF
	skopeo inspect --tls-verify=false \
		--format '{{range .Layers}}{{println .}}{{end}}' \
		"docker://$1" | sed '/^$/d'
}
digest() { # REF
	skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$1"
}
base_image() { # six layers: more than are moved at a time
	registry_image "$TMP/base" one 1 || return 1
	for i in 2 3 4 5 6; do
		mkdir -p "$TMP/more"
		head -c 300000 /dev/urandom >"$TMP/more/file"
		umoci insert --image "$TMP/base:one" "$TMP/more" "/d$i" ||
			return 1
	done
}

registry_start first
first=$registry
registry_start second
second=$registry
t_ok "a base of six layers" base_image
t_ok "the first registry has it" skopeo copy -q --dest-tls-verify=false \
	"oci:$TMP/base:one" "docker://$first/base/image:1"
mkdir "$TMP/ctx"
echo hello >"$TMP/ctx/hello"
cat >"$TMP/ctx/Dockerfile" <<END
FROM $first/base/image:1
COPY hello /hello
LABEL some=thing
END

: >"$TMP/first/log"
t_run "$DEVENV" build -q -t "$first/app/one:1" --push --digest \
	--metadata-file "$TMP/meta" --iidfile "$TMP/iid" "$TMP/ctx"
t_status 0 "build --push"
want=$(digest "$first/app/one:1")
t_out "\"digest\": \"$want\"" "the record has the digest skopeo sees"
t_ok "so has the metadata file" \
	grep -q "\"containerimage.digest\": \"$want\"" "$TMP/meta"
t_ok "and the image id is that of the configuration" \
	grep -q "\"containerimage.config.digest\": \"$(cat "$TMP/iid")\"" \
	"$TMP/meta"
t_is "$(requests PUT 'app/one/blobs/uploads' first)" 2 \
	"only its own layer and configuration were sent"
t_is "$(grep -ac '"HEAD /v2/app/one/blobs/' "$TMP/first/log")" 8 \
	"each was asked for once"
t_is "$(layers "$first/app/one:1" | head -n 6)" \
	"$(layers "$first/base/image:1")" "the layers of the base are the same"
t_ok "skopeo copies it, verifying every blob" skopeo copy -q \
	--src-tls-verify=false "docker://$first/app/one:1" "oci:$TMP/copied:x"

: >"$TMP/first/log"
t_run "$DEVENV" push "$first/app/one:1" "$first/app/one:2"
t_status 0 "push once more under another tag"
t_is "$(requests 'P[OU].*' blobs first)" 0 "moves no blob"
: >"$TMP/first/log"
t_run "$DEVENV" push "$first/app/one:1" "$first/other/name:1"
t_status 0 "push to another repository"
t_is "$(requests POST 'mount=.*status=201' first)" 7 \
	"mounts all layers, its own too"
t_is "$(requests PUT 'blobs/uploads' first)" 1 "and sends the configuration"

t_run "$DEVENV" push "$first/app/one:1" "$second/app/one:1"
t_status 0 "push to another registry"
t_err "pushing to $second/app/one: 0 B of 1\.[0-9] MB" "which is told of"
t_is "$(digest "$second/app/one:1")" "$want" "gives the same digest"
t_ok "without the blobs of the base here" sh -c "
	for d in \$(skopeo inspect --tls-verify=false \
		--format '{{range .Layers}}{{.}} {{end}}' \
		'docker://$first/base/image:1'); do
		rm '$TMP/store/blobs/sha256/'\${d#sha256:} || exit 1
	done"
t_run "$DEVENV" push "$first/app/one:1" "$second/app/again:1"
t_status 0 "push once more"
t_is "$(digest "$second/app/again:1")" "$want" \
	"gives it still: they are known by digest and place"

# Nothing but the configuration changes: the base is not fetched at all.
DEVENV_STORE=$TMP/lazy
printf 'FROM %s/base/image:1\nENV some=thing\n' "$first" >"$TMP/ctx/Dockerfile"
: >"$TMP/first/log"
t_run "$DEVENV" build -q -t "$first/app/lazy:1" --push "$TMP/ctx"
t_status 0 "build --push of a base that nothing needs"
t_is "$(requests GET 'base/image/blobs' first)" 1 \
	"fetches its configuration only"
t_is "$(requests PUT 'blobs/uploads' first)" 1 "and sends the new one"
t_is "$(find "$TMP/lazy/blobs" -size +200k | wc -l)" 0 "no layer came here"
t_run "$DEVENV" push "$first/app/lazy:1" "$second/app/lazy:1"
t_status 0 "push it to another registry"
t_is "$(requests PUT 'app/lazy/blobs/uploads' second)" 7 \
	"which gets all blobs"
t_is "$(layers "$second/app/lazy:1")" "$(layers "$first/base/image:1")" \
	"as they were: nothing is compressed again"
t_is "$(digest "$second/app/lazy:1")" "$(digest "$first/app/lazy:1")" \
	"under the same digest"
t_run "$DEVENV" push "$first/app/lazy:1" "$second/x/one:1" "$second/x/two:1"
t_status 0 "push to two repositories of it"
t_is "$(requests PUT 'x/one/blobs/uploads' second)" 7 "sends to the first"
t_is "$(requests PUT 'x/two/blobs/uploads' second)" 0 "and mounts in the second"
# A user's podman leaves a process there, to come back to its namespaces.
t_atexit 'kill "$(cat "$TMP/run/libpod/tmp/pause.pid")" 2>/dev/null'
mkdir -m 700 "$TMP/run"
t_ok "podman pulls it" env XDG_RUNTIME_DIR="$TMP/run" \
	podman --root "$TMP/podman" --runroot "$TMP/podrun" \
	--storage-driver vfs pull -q --tls-verify=false "$second/app/lazy:1"

# A base whose registry went away.
registry_start third
third=$registry
third_pid=$r_pid
t_ok "a third registry has the base" skopeo copy -q --dest-tls-verify=false \
	"oci:$TMP/base:one" "docker://$third/base/image:1"
DEVENV_STORE=$TMP/gone
printf 'FROM %s/base/image:1\nENV some=thing\n' "$third" >"$TMP/ctx/Dockerfile"
t_run "$DEVENV" build -q -t gone:1 "$TMP/ctx"
t_status 0 "build on it"
kill "$third_pid"
wait "$third_pid" 2>/dev/null
t_run "$DEVENV" push gone:1 "$second/app/lazy:2"
t_status 0 "with its registry gone, a registry that has the layers is enough"
t_run "$DEVENV" push gone:1 "$first/empty/place:1"
t_status 5 "one that has not"
t_err "layers that $first lacks: $third/base/image: 127.0.0.1: .*onnect" \
	"is told what is missing and who had it"
t_done
