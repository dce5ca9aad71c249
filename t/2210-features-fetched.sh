#!/bin/sh
# 2210-features-fetched.sh - Features of registries and addresses, lockfiles
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
. "$SRC/t/helper/gitserver.sh"
. "$SRC/t/helper/webserver.sh"
. "$SRC/t/build-lib.sh"
t_need root git docker-registry skopeo buildah busybox jq python3 nginx openssl \
	htpasswd

t_ok "a base image in a registry" build_bases busybox
base=$registry
P=$TMP/p
C=$P/.devcontainer/devcontainer.json
LOCK=$P/.devcontainer/devcontainer-lock.json
mkdir -p "$P/.devcontainer"
DEVENV_REGISTRY_RETRIES=1
export DEVENV_REGISTRY_RETRIES

config() { # TEXT...
	printf '%s\n' "$*" >"$C"
}
files() { # ID [MORE-PROPERTIES [SCRIPT]]: in $TMP/f/ID
	mkdir -p "$TMP/f/$1"
	printf '%s' "{\"id\":\"$1\",\"version\":\"1.2.3\",\"name\":\"$1\"${2:+,$2}}" \
		>"$TMP/f/$1/devcontainer-feature.json"
	printf '%s\n' '#!/bin/sh' "${3:-echo $1 >>/order}" \
		>"$TMP/f/$1/install.sh"
}
pack() { # ID
	tar -C "$TMP/f/$1" --owner=0 --group=0 --mtime=@0 -cf "$TMP/$1.tar" .
}
put() { # ID TAGS ARCHIVE METADATA|- [KEY=VALUE...]
	p_id=$1
	shift
	python3 "$SRC/t/helper/feature.py" "${at:-$base}" "ns/$p_id" "$@"
}
publish() { # ID [MORE-PROPERTIES [SCRIPT]]
	files "$@"
	pack "$1"
	put "$1" 1,1.2.3,latest "$TMP/$1.tar" \
		"$TMP/f/$1/devcontainer-feature.json"
}
view() { # OPTION...
	t_run "$DEVENV" "$@" parse --print=features "$P"
}
build() { # OPTION...
	rm -f "$TMP/image.tar"
	t_run timeout 60 "$DEVENV" "$@" build -o "type=tar,dest=$TMP/image.tar" \
		"$P"
	order=
	[ -e "$TMP/image.tar" ] &&
		order=$(tar -xOf "$TMP/image.tar" order | tr '\n' ' ')
}
requests() { # REGEX
	grep -a 'msg="response completed"' "$TMP/bases/log" |
		grep -Ec "http.request.uri=[^ ]*$1"
}

# --- registries ---
tool=$(publish tool "\"dependsOn\":{\"$base/ns/lib\":{\"x\":true}}" \
	'echo tool $_REMOTE_USER >>/order')
lib=$(publish lib '"legacyIds":["oldlib"]')
publish late "\"installsAfter\":[\"$base/ns/oldlib\",\"$base/gone/x\"]" >"$TMP/late"
config "{\"image\":\"$BASE\",\"features\":{\"$base/ns/late\":{},
	\"$(echo "$base" | tr '[:lower:]' '[:upper:]')/NS/Tool:1\":{}}}"
: >"$TMP/bases/log"
view
t_is "$status $(jq -r '.[].id' "$out" | tr '\n' ' ')" \
	"0 $base/ns/lib $base/ns/late $base/NS/Tool:1 " \
	"names in any case; dependencies; a former name in installsAfter"
t_is "$(requests /blobs/)" 0 "the annotation is enough: no archive is fetched"
t_run "$DEVENV" cache-probe --cache-repo "oci:$TMP/cache" "$P"
t_is "$status $(ls "$P/.devcontainer")" "1 devcontainer.json" \
	"looking writes no lockfile"
build
t_is "$status $order" "0 lib late tool root " "they are installed"
cat >"$TMP/want" <<END
{
  "features": {
    "$base/ns/late": {
      "version": "1.2.3",
      "resolved": "$base/ns/late@$(cat "$TMP/late")",
      "integrity": "$(cat "$TMP/late")"
    },
    "$base/ns/lib": {
      "version": "1.2.3",
      "resolved": "$base/ns/lib@$lib",
      "integrity": "$lib"
    },
    "$base/NS/Tool:1": {
      "version": "1.2.3",
      "resolved": "$base/ns/tool@$tool",
      "integrity": "$tool",
      "dependsOn": [
        "$base/ns/lib"
      ]
    }
  }
}
END
t_is "$(cat "$LOCK")" "$(cat "$TMP/want")" "the lockfile says what they were"
: >"$TMP/bases/log"
build
t_is "$status $(requests /ns/)" "0 0" "the second time nobody is asked for them"
t_run "$DEVENV" --offline parse --print=features "$P"
t_status 0 "nor without a network"
t_run "$DEVENV" store gc
t_run "$DEVENV" --offline build "$P"
t_status 0 "and what is kept survives a collection"
rm -rf "$TMP/repo"
cp -r "$P" "$TMP/repo"
rm "$TMP/repo/.devcontainer/devcontainer-lock.json"
git -C "$TMP/repo" init -q && git -C "$TMP/repo" add . &&
	git -C "$TMP/repo" -c user.name=n -c user.email=e commit -qm c
t_run timeout 60 "$DEVENV" -C "$TMP" up --workspace-folder "$TMP/clone" \
	"file://$TMP/repo" -- cat /order
t_is "$status $(git -C "$TMP/clone" status --short)" "0 " \
	"a tree that was cloned stays as it is"

# --- the lockfile ---
new=$(publish tool '' 'echo newer >>/order')
build --store "$TMP/other"
t_is "$status $order" "0 lib late tool root " "another store gets what is locked"
t_run "$DEVENV" build --frozen-lockfile "$P"
t_status 0 "--frozen-lockfile, and it says all"
cp "$LOCK" "$TMP/lock"
config "{\"image\":\"$BASE\",\"features\":{\"$base/ns/tool:1\":{}}}"
t_run "$DEVENV" build --frozen-lockfile "$P"
t_status 3 "--frozen-lockfile, and it does not"
t_err 'devcontainer-lock.json: the lockfile does not match' "is told"
t_is "$(cat "$LOCK")" "$(cat "$TMP/lock")" "and nothing is changed"
t_run env DEVENV_NO_LOCKFILE=1 "$DEVENV" build "$P"
t_is "$status $(cat "$LOCK")" "0 $(cat "$TMP/lock")" "--no-lockfile leaves it alone"
rm "$LOCK"
t_run "$DEVENV" build --frozen-lockfile "$P"
t_status 3 "--frozen-lockfile without one"
t_err 'devcontainer-lock.json: the lockfile does not exist' "is told"
t_run "$DEVENV" build --no-lockfile "$P"
t_is "$(ls "$P/.devcontainer")" devcontainer.json "--no-lockfile writes none"
: >"$LOCK"
t_run "$DEVENV" parse --update-lockfile "$P"
t_is "$status $(jq -r '.features[].integrity' "$LOCK")" "0 $new" \
	"--update-lockfile looks anew and fills it"
echo '{"features":{"a":{"integrity":"x"}}}' >"$LOCK"
build
t_status 3 "a lockfile that means nothing"
t_err "devcontainer-lock.json:1:31: 'integrity' is not sha256:HEX" \
	"is named with its place"
printf '{"features":{"%s":{"integrity":"sha256:%064d"}}}\n' \
	"$base/ns/tool:1" 0 >"$LOCK"
build
t_status 6 "a digest that is not there any more"
t_err 'hint: the lockfile binds it to sha256:0000' "the lockfile is blamed"
rm "$LOCK"
mv "$C" "$P/.devcontainer.json" && rmdir "$P/.devcontainer"
build
t_ok "beside .devcontainer.json it has a dot" test -s \
	"$P/.devcontainer-lock.json"
rm "$P/.devcontainer-lock.json" && mkdir "$P/.devcontainer"
rm "$P/.devcontainer.json"

# --- artifacts of all kinds ---
one() { # ID [OPTION...]
	config "{\"image\":\"$BASE\",\"features\":{\"$base/ns/$1\":{}}}"
	shift
	build --store "$TMP/one" "$@"
}
fails() { # ID STATUS REGEX SENTENCE
	one "$1"
	t_status "$2" "$4"
	t_err "devcontainer.json:1:[0-9]+: (Feature [^ ]+ )?.*$3" \
		"$4: the message"
}
files bare && pack bare
put bare latest "$TMP/bare.tar" - >/dev/null
one bare
t_is "$status $order" "0 bare " "metadata in the archive only"
gzip -nkf "$TMP/bare.tar"
put zipped latest "$TMP/bare.tar.gz" - >/dev/null
one zipped
t_is "$status $order" "0 bare " "a compressed archive"
put wrong latest "$TMP/bare.tar" - \
	config=application/vnd.oci.image.config.v1+json >/dev/null
fails wrong 3 'ns/wrong is no Feature: its configuration is application/vnd.oci' \
	"an image"
put layer latest "$TMP/bare.tar" - layer=application/vnd.oci.image.layer.v1.tar \
	>/dev/null
fails layer 3 'ns/layer has no layer of a Feature' "a layer of an image"
put big latest "$TMP/bare.tar" - size=100000000 >/dev/null
fails big 3 'ns/big is larger than 64 MiB' "a size beyond all measure"
put lie latest "$TMP/bare.tar" - size=5 >/dev/null
fails lie 5 'ns/lie' "a size that is not true"
fails nothing 6 'ns/nothing' "one that is not there"
files other && pack other
put broken latest "$TMP/other.tar" "$TMP/f/other/devcontainer-feature.json" \
	>/dev/null
blob=$(sha256sum <"$TMP/other.tar" | cut -c1-64)
cp "$TMP/bare.tar" "$TMP/bases/data/docker/registry/v2/blobs/sha256/$(echo \
	"$blob" | cut -c1-2)/$blob/data"
fails broken 5 'ns/broken.*digest' "other bytes under its digest"
config "{\"image\":\"$BASE\",\"features\":{\"127.0.0.1:$(t_port)/ns/x\":{}}}"
build --store "$TMP/one"
t_status 5 "a registry that does not answer"

# --- hostile archives ---
evil() { # NAME PYTHON: `t` is the archive, `add(name, type, link)` a member
	python3 - "$TMP/evil.tar" "$TMP/f/bare" <<END
import io, sys, tarfile
t = tarfile.open(sys.argv[1], "w")
t.add(sys.argv[2] + "/devcontainer-feature.json", "./devcontainer-feature.json")
t.add(sys.argv[2] + "/install.sh", "./install.sh")
def add(name, kind=tarfile.REGTYPE, link="", data=b"evil"):
    i = tarfile.TarInfo(name)
    i.type, i.linkname = kind, link
    i.size = len(data) if kind == tarfile.REGTYPE else 0
    t.addfile(i, io.BytesIO(data))
$2
t.close()
END
	put "$1" latest "$TMP/evil.tar" - >/dev/null
}
evil climb 'add("../../escaped")'
fails climb 3 "the archive leads out of the Feature: '../../escaped'" \
	"a member that climbs out"
evil root 'add("/etc/escaped")'
fails root 3 "leads out of the Feature: '/etc/escaped'" "an absolute one"
evil through "add('d', tarfile.SYMTYPE, '$TMP'); add('d/escaped')"
one through
t_is "$status $(ls "$TMP/escaped" 2>/dev/null)" "4 " \
	"one behind a link stays inside, where there is no such directory"
evil hard "add('h', tarfile.LNKTYPE, '/etc/passwd')"
fails hard 3 "the archive has a hard link: 'h'" "a hard link"
evil device "add('dev', tarfile.CHRTYPE)"
fails device 3 "the archive has a device or a pipe: 'dev'" "a device"
evil twice 'add("./install.sh")'
fails twice 3 "'install.sh' is there twice" "a member that comes twice"
evil many 'for i in range(10001): add("./", tarfile.DIRTYPE)'
fails many 3 'has more than 10000 files' "more members than anybody needs"
evil holes 'for n in range(2):
    i = tarfile.TarInfo("packed%d" % n)
    i.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0",
        "GNU.sparse.name": "z%d" % n, "GNU.sparse.realsize": str(200 << 20)}
    i.size = 512
    t.addfile(i, io.BytesIO(b"0\n".ljust(512, b"\0")))'
fails holes 3 'is larger than 256 MiB' "files of holes alone"
evil link "add('link', tarfile.SYMTYPE, 'install.sh')"
one link
t_is "$status $order" "0 bare " "a link inside is no fault"
python3 - "$TMP" <<'END'
import gzip, sys, tarfile
class Zeros:
    def read(self, n):
        return bytes(n)
d = sys.argv[1]
with gzip.open(d + "/bomb.tar.gz", "wb", 1) as z:
    t = tarfile.open(fileobj=z, mode="w|", bufsize=1 << 20)
    for n in "devcontainer-feature.json", "install.sh":
        t.add(d + "/f/bare/" + n, "./" + n)
    i = tarfile.TarInfo("zeros")
    i.size = 257 << 20
    t.addfile(i, Zeros())
    t.close()
END
put bomb latest "$TMP/bomb.tar.gz" - >/dev/null
fails bomb 3 'is larger than 256 MiB' "what unpacks to very much"
mkdir -p "$TMP/f/huge"
cp "$TMP/f/bare/install.sh" "$TMP/f/huge"
{ printf '{"id":"huge","name":"'; head -c 1500000 /dev/zero | tr '\0' x
	printf '"}'; } >"$TMP/f/huge/devcontainer-feature.json"
pack huge
put huge latest "$TMP/huge.tar" - >/dev/null
fails huge 3 'larger than 1048576 bytes' "huge metadata"
tar -C "$TMP/f/bare" -cf "$TMP/no.tar" ./devcontainer-feature.json
put noscript latest "$TMP/no.tar" - >/dev/null
fails noscript 3 'the Feature has no install.sh' "no install.sh"
tar -C "$TMP/f/bare" -cf "$TMP/no.tar" ./install.sh
put nometa latest "$TMP/no.tar" - >/dev/null
fails nometa 3 'the archive has no devcontainer-feature.json' "no metadata"
echo 'no tar at all' >"$TMP/no.tar"
put notar latest "$TMP/no.tar" - >/dev/null
fails notar 3 'ns/notar' "no archive"
t_is "$(find / -maxdepth 2 -name escaped -not -path '/proc/*' 2>/dev/null)" "" \
	"nothing has escaped"

# --- credentials ---
registry_start private htpasswd dev s3cret-pw
at=$registry FEATURE_AUTH=dev:s3cret-pw
export FEATURE_AUTH
put bare latest "$TMP/bare.tar" - >/dev/null
config "{\"image\":\"$BASE\",\"features\":{\"$at/ns/bare\":{}}}"
view
t_status 6 "a registry that wants credentials"
t_run env DEVCONTAINERS_OCI_AUTH="x|a|b,$at|dev|wrong" "$DEVENV" parse \
	--print=features "$P"
t_status 6 "and gets wrong ones"
t_err "user 'dev' from DEVCONTAINERS_OCI_AUTH" "says where they are from"
t_is "$(grep -c wrong "$err")" 0 "and not what they are"
t_run env DEVCONTAINERS_OCI_AUTH="x|a|b,$at|dev|s3cret-pw" "$DEVENV" parse \
	--print=features "$P"
t_status 0 "DEVCONTAINERS_OCI_AUTH has them"
rm -f "$DEVENV_STORE"/cache/*
mkdir "$TMP/docker"
printf '{"auths":{"%s":{"auth":"%s"}}}' "$at" \
	"$(printf dev:s3cret-pw | base64)" >"$TMP/docker/config.json"
t_run env DOCKER_CONFIG="$TMP/docker" "$DEVENV" parse --print=features "$P"
t_status 0 "so has the Docker configuration"

# --- archives at an address ---
git_make_ca
web_start tls
mkdir -p "$WEB_ROOT/a"
cp "$TMP/bare.tar.gz" "$WEB_ROOT/a/devcontainer-feature-bare.tgz"
config "{\"image\":\"$BASE\",\"features\":{
	\"$WEB/a/devcontainer-feature-bare.tgz\":{}}}"
rm -f "$LOCK"
build
t_status 5 "a server that nobody vouches for"
SSL_CERT_FILE=$GIT_CA
export SSL_CERT_FILE
build
t_is "$status $order" "0 bare " "an archive over https"
t_is "$(jq -r '.features[].integrity' "$LOCK")" \
	"sha256:$(sha256sum <"$TMP/bare.tar.gz" | cut -c1-64)" \
	"is locked by its digest"
before=$(web_requests)
build
t_is "$status $(web_requests)" "0 $before" "and not fetched again"
cp "$TMP/other.tar" "$WEB_ROOT/a/devcontainer-feature-bare.tgz"
build --store "$TMP/web"
t_status 3 "another one at the address"
t_err 'digest mismatch for https://localhost:' "does not match the lockfile"
rm "$WEB_ROOT/a/devcontainer-feature-bare.tgz"
build --store "$TMP/web"
t_status 6 "none at the address"
t_err 'the server answered with status 404' "is what the server says"
unset SSL_CERT_FILE
port=$(t_port)
(cd "$TMP/f" && exec python3 -m http.server --bind 127.0.0.1 "$port" \
	>/dev/null 2>&1) &
t_atexit "kill $! 2>/dev/null"
cp "$TMP/bare.tar.gz" "$TMP/f/devcontainer-feature-bare.tgz"
t_wait curl -s "http://127.0.0.1:$port/"
config "{\"image\":\"$BASE\",\"features\":{
	\"https://localhost:$port/devcontainer-feature-bare.tgz\":{}}}"
rm "$LOCK"
build
t_is "$status $order" "0 bare " "localhost may do without TLS"
t_done
