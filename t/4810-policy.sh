#!/bin/sh
# 4810-policy.sh - a policy decides what is fetched, before anything is
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
. "$SRC/t/helper/webserver.sh"
. "$SRC/t/helper/gitserver.sh"
t_need root busybox docker-registry nginx skopeo umoci git jq

registry_start reg
reg=$registry
web_start
git_repo tool.git >/dev/null
git_http_start
umoci init --layout "$TMP/layout"
for tag in 1 2; do
	registry_image "$TMP/layout" $tag "text $tag"
done
put() { # TAG NAME
	skopeo copy -q --dest-tls-verify=false "oci:$TMP/layout:$1" \
		"docker://$reg/$2"
}
put 1 ok/base:1
put 1 ok/moving:latest
put 1 bad/tools:1
echo web >"$WEB_ROOT/file"
digest() {
	skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$1"
}
log_reset() { : >"$TMP/reg/log"; }
asked() { # PART: how often the registry was asked for it
	grep -c "http.request.uri=[^ ]*$1" "$TMP/reg/log"
}
policy() { cat >"$TMP/policy.yaml"; }
dv() { t_run timeout 60 "$DEVENV" --policy "$TMP/policy.yaml" "$@"; }

# Six kinds of references, of which two are allowed.
mkdir "$TMP/six"
cat >"$TMP/six/Dockerfile" <<END
# syntax=docker/dockerfile:1
FROM $reg/ok/base:1 AS base
COPY --from=$reg/bad/tools:1 /data /tools
RUN --mount=from=$reg/bad/other,target=/x true
ADD $WEB/file /file
ADD $GIT_HTTP/tool.git /tool
FROM $reg/bad/never AS unused
FROM base
END
policy <<END
images:
  - registries: $reg
    repositories: [ok/*]
urls: ["$WEB/**"]
END
log_reset
dv build "$TMP/six"
t_status 6 "4 of 6 kinds of references are refused"
t_err "Dockerfile:1:1: syntax: the policy refuses docker.io/docker/dockerfile:1: no rule allows it" \
	"the frontend"
t_err "Dockerfile:3:1: COPY --from: the policy refuses $reg/bad/tools:1" \
	"COPY --from"
t_err "Dockerfile:4:1: RUN --mount: the policy refuses $reg/bad/other:latest" \
	"a mount"
t_err "Dockerfile:6:1: ADD: the policy refuses $GIT_HTTP/tool.git" "a repository"
t_is "$(grep -c 'the policy refuses' "$err")" 4 "nothing else"
t_err "4 references of .*Dockerfile are refused" "which is summed up"
t_err "hint: what may be used is in $TMP/policy.yaml" "with the file"
t_is "$(asked /v2/)" 0 "the registry was not asked for anything"

t_run "$DEVENV" parse --print=images "$TMP/six"
t_is "$(jq -r '.[] | "\(.use) \(.kind) \(.line) \(.reachable) \(.name)"' "$out")" \
"syntax image 1 true docker.io/docker/dockerfile:1
FROM image 2 true $reg/ok/base:1
COPY --from image 3 true $reg/bad/tools:1
RUN --mount image 4 true $reg/bad/other:latest
ADD url 5 true $WEB/file
ADD git 6 true $GIT_HTTP/tool.git
FROM image 7 false $reg/bad/never:latest" "parse --print=images lists them all"

# Features are asked about together with the Dockerfile.
mkdir -p "$TMP/feat/.devcontainer"
cat >"$TMP/feat/.devcontainer/devcontainer.json" <<END
{"image": "$reg/bad/image", "features": {"$reg/bad/feature:1": {},
 "https://f.invalid/devcontainer-feature-x.tgz": {}, "./own": {}}}
END
log_reset
dv build "$TMP/feat"
t_status 6 "Features that are not allowed are refused"
t_err "devenv: feature: the policy refuses $reg/bad/feature:1" "one of a registry"
t_err "feature: the policy refuses https://f.invalid/devcontainer-feature-x.tgz" "one of a URL"
t_err "FROM: the policy refuses $reg/bad/image:latest" "and the image"
t_is "$(asked /v2/)" 0 "before anything is asked for"
t_run "$DEVENV" parse --print=images "$TMP/feat"
t_is "$(jq -r '.[] | "\(.use) \(.kind)"' "$out" | tr '\n' ';')" \
	"feature image;feature url;FROM image;" "parse --print=images has them"

# Whoever forgets to ask first is stopped where connections are made.
log_reset
for ref in bad/tools:1 "bad/tools@$(digest "$reg/bad/tools:1")"; do
	log_reset
	dv pull "$reg/$ref"
	t_status 6 "pull of $ref is refused"
	t_err "the policy refuses $reg/bad/tools" "by the policy"
	t_is "$(asked /v2/)" 0 "without a request"
done
dv clone "$GIT_HTTP/tool.git" "$TMP/clone"
t_status 6 "so is a clone"
t_err "the policy refuses $GIT_HTTP/tool.git: no rule allows it" "by the policy"
dv pull "$reg/ok/base:1"
t_status 0 "what is allowed is fetched"
t_run "$DEVENV" pull "$reg/bad/tools:1"
dv run "$reg/bad/tools:1"
t_status 125 "what was fetched without the policy is not run under it"
t_err "the policy refuses $reg/bad/tools:1: no rule allows it" "and refused"
log_reset
dv push "$reg/ok/base:1" "$reg/bad/there:1"
t_status 6 "push is refused"
t_is "$(asked /v2/bad)" 0 "before the registry hears of it"
dv pull --registry-mirror "docker.io=$reg/bad" tools:1
t_status 6 "an origin that is not allowed is not read through a mirror"
t_err "the policy refuses docker.io/library/tools" "and named itself"
put 1 bad/library/thing:1
policy <<END
images: [docker.io/library/thing]
END
log_reset
dv pull --registry-mirror "docker.io=$reg/bad" thing:1
t_err "mirror $reg does not serve .*refuses $reg/bad/library/thing" \
	"a mirror that is not allowed is not asked"
t_is "$(asked /v2/bad)" 0 "at all"

# ADD: redirects, and addresses that climb
policy <<END
urls: ["$WEB/moved/*", "$WEB/open/**"]
END
add() {
	mkdir -p "$TMP/add"
	printf 'FROM scratch\nADD %s /x\n' "$1" >"$TMP/add/Dockerfile"
	: >"$WEB_LOG"
	dv build "$TMP/add"
}
add "$WEB/moved/file"
t_status 6 "a redirect to what is not allowed is not followed"
t_err "the policy refuses $WEB/file" "and names the target"
t_is "$(grep -c 'GET /file' "$WEB_LOG")" 0 "which was not asked"
for way in .. %2e%2E .%2e; do
	add "$WEB/open/$way/file"
	t_status 6 "an address with $way is refused"
	t_err "it holds '.' or '..'" "because no pattern says where it leads"
done

# What an image has to be
one=$(digest "$reg/ok/moving:latest")
policy <<END
images:
  - repositories: ok/moving
    digests: [$one]
  - repositories: ok/base
    require: digest
  - repositories: ok/old
    max_age: 30d
END
dv pull "$reg/ok/moving"
t_status 0 "a tag that points to the digest it should is allowed"
dv run "$reg/ok/moving" true
t_err "'true' .*not|no such file|not found" "and may be run afterwards"
put 2 ok/moving:latest
printf 'FROM %s/ok/moving\n' "$reg" >"$TMP/add/Dockerfile"
dv build --pull "$TMP/add"
t_status 6 "once it points elsewhere it is refused"
t_err "refuses $reg/ok/moving:latest: $(digest "$reg/ok/moving") is not among" \
	"with the digest it has now"
t_err "hint: the rule is $TMP/policy.yaml:2" "and the rule"
log_reset
dv pull "$reg/ok/base:1"
t_status 6 "require: digest refuses a tag"
t_err "it has to be named by its digest" "and says so"
t_is "$(asked /v2/)" 0 "before it is looked up"
dv pull "$reg/ok/base@$(digest "$reg/ok/base:1")"
t_status 0 "a digest serves"
umoci config --image "$TMP/layout:2" --tag old \
	--created 2020-01-02T03:04:05Z
put old ok/old:1
dv pull "$reg/ok/old:1"
t_status 6 "max_age refuses an old image"
t_err "days old, made at 2020-01-02T03:04:05Z" "and says how old"

# Mirrors of the policy: another place, and only there
policy <<END
images: [docker.io/library/base]
mirrors: {docker.io/library: $reg/ok}
END
log_reset
dv --offline pull base:1
t_status 0 "an image is read where the policy has it"
t_is "$(asked /v2/ok/base/manifests/1)" 1 "from the mirror"
dv pull "$reg/ok/base:1"
t_status 6 "the mirror itself may not be named"

# Without rules for the rest, and where registries may send us
policy <<END
default: allow
images:
  - {registries: "$reg", repositories: "bad/**", action: deny}
END
dv pull "$reg/bad/tools:1"
t_status 6 "default: allow still has rules"
t_err "refuses $reg/bad/tools:1: it is denied" "that deny"
dv pull "$reg/ok/moving"
t_status 0 "and allows the rest"
open=$reg
registry_start tokens token
policy <<END
default: allow
redirects: []
END
: >"$TMP/tokens/tokens"
dv pull "localhost:${registry##*:}/any:1"
t_status 6 "a token server that is not among the redirects is refused"
t_err "the policy refuses http://127.0.0.1:[0-9]*/.*: a registry sends us there" \
	"and named"
t_is "$(cat "$TMP/tokens/tokens")" "" "without a request"
reg=$open

# Submodules are asked about as well.
(
	cd "$TMP" && git clone -q "$GIT_ROOT/tool.git" super && cd super &&
		git submodule --quiet add "$GIT_HTTP/tool.git" sub &&
		git commit -qm sub && git push -q "$GIT_ROOT/tool.git" HEAD:with
)
policy <<END
git:
  - {urls: "$GIT_HTTP/tool.git", action: deny}
END
t_run "$DEVENV" --policy "$TMP/policy.yaml" clone --recurse-submodules \
	-b with "$GIT_ROOT/tool.git" "$TMP/c2"
t_status 6 "a submodule that is denied is not cloned"
t_err "submodule 'sub': the policy refuses $GIT_HTTP/tool.git: it is denied" \
	"and named"

# Decisions as events
policy <<END
images: ["$reg/ok/**"]
END
dv --log-format=json pull "$reg/bad/x"
t_err '"event":"policy","decision":"deny","kind":"image","name":"'"$reg/bad/x:latest" \
	"a refusal is an event"
dv --log-format=json pull "$reg/ok/base:1"
t_is "$(grep -c '"decision":"allow","kind":"image","name":"'"$reg/ok/base\"" "$err")" \
	1 "what is allowed is one, too, however many requests it takes"

# What is wrong with the file
wrong() { # TEXT REGEX
	printf '%b' "$1" >"$TMP/policy.yaml"
	dv pull x
	t_status 3 "$(printf '%s' "$1" | head -n 1) is wrong"
	t_err "$2" "  and told: $2"
}
wrong 'image: []\n' "policy.yaml:1:1: unknown key 'image'"
wrong 'images:\n  - registrys: x\n' "policy.yaml:2:5: unknown key 'registrys'"
wrong 'images:\n  - action: permit\n' "2:13: 'action' must be 'allow' or 'deny'"
wrong 'images:\n  - digests: [abc]\n' "2:[0-9]*: 'abc' is not a digest"
wrong 'images:\n  - require: signature\n' "2:14: signatures are not verified"
wrong 'images:\n  - max_age: 3\n' "2:14: 'max_age' must be a number with"
wrong 'git: github.com\n' "1:6: 'git' must be a list"
wrong 'default: yes\n' "1:10: 'default' must be 'deny' or 'allow'"
wrong '- x\n' "1:1: expected a mapping"
t_run "$DEVENV" --policy "$TMP/none" store ls
t_status 4 "a policy that is not there is an error, whatever is done"
t_err "$TMP/none" "and named"
: >"$TMP/policy.yaml"
wrong '' "policy.yaml:1:1"

# The file of this machine, in a name space of our own
cat >"$TMP/etc.sh" <<END
mkdir -p "$TMP/up/devenv" "$TMP/wd" &&
echo 'urls: []' >"$TMP/up/devenv/policy.yaml" &&
mount -t overlay x -o lowerdir=/etc,upperdir=$TMP/up,workdir=$TMP/wd /etc &&
exec "$DEVENV" pull $reg/ok/base:1
END
t_run unshare -m sh "$TMP/etc.sh"
t_status 6 "/etc/devenv/policy.yaml counts without being named"
t_err "hint: what may be used is in /etc/devenv/policy.yaml" "and is named"

cat >"$TMP/etc.sh" <<END
mkdir -p "$TMP/up2/devenv" "$TMP/wd2" && chmod 700 "$TMP/up2/devenv" &&
mount -t overlay x -o lowerdir=/etc,upperdir=$TMP/up2,workdir=$TMP/wd2 /etc &&
exec setpriv --reuid 65534 --regid 65534 --clear-groups \
	"$DEVENV" --store "$TMP/nobody" pull $reg/ok/base:1
END
install -d -m 700 -o 65534 "$TMP/nobody"
t_run unshare -m sh "$TMP/etc.sh"
t_status 4 "one that this user may not read is no reason to do without"
t_err "'/etc/devenv/policy.yaml'.*Permission denied" "and is named"

# A rule is not got round by writing what it names in another way.
policy <<END
default: allow
images: [{registries: bad.invalid, action: deny}]
git: [{hosts: bad.invalid, repositories: evil/*, action: deny}]
END
for ref in Bad.invalid/x bad.invalid:443/x; do
	dv pull "$ref"
	t_status 6 "$ref is refused"
	t_err "the policy refuses bad.invalid/x:latest: it is denied" "as denied"
done
for url in https://bad.invalid//evil/app https://bad.invalid/evil%2fapp; do
	dv clone "$url" "$TMP/spelt"
	t_status 6 "$url is refused"
	t_err "the policy refuses https://bad.invalid/evil/app: it is denied" \
		"as denied"
done

# containers-policy.json(5)
mkdir -p "$HOME/.config/containers"
containers() { cat >"$HOME/.config/containers/policy.json"; }
containers <<END
{"default": [{"type": "reject"}],
 "transports": {"docker": {
  "$reg/ok": [{"type": "insecureAcceptAnything"}],
  "$reg/ok/moving": [{"type": "signedBy", "keyType": "GPGKeys"}]}}}
END
t_run "$DEVENV" pull "$reg/ok/base:1"
t_status 0 "policy.json: a scope that accepts anything"
t_run "$DEVENV" pull "$reg/bad/tools:2"
t_status 6 "policy.json: the default rejects"
t_err "refuses $reg/bad/tools:2: its scope 'default' is rejected" "and is named"
t_run "$DEVENV" pull "$reg/ok/moving"
t_status 6 "policy.json: a signature would have to be checked"
t_err "the requirement 'signedBy' of the scope '$reg/ok/moving' cannot be" \
	"which is said, not passed over"
echo '{}' | containers
t_run "$DEVENV" pull "$reg/ok/base:2"
t_status 3 "policy.json without a default is wrong"
t_done
