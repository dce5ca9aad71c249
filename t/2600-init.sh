#!/bin/sh
# 2600-init.sh - templates: options, files left out, files in the way
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
t_need docker-registry python3 jq

registry_start reg
reg=$registry
src=$TMP/src
mkdir -p "$src/.devcontainer/scripts" "$src/.github"
cat >"$src/devcontainer-template.json" <<'END'
{ // comments are fine
  "id": "demo", "version": "1.0.0", "name": "Demo",
  "options": {
    "image": {"type": "string", "proposals": ["a"], "default": "debian:12"},
    "kind": {"type": "string", "enum": ["x", "y"], "default": "x"},
    "on": {"type": "boolean", "default": true},
    "off": {"type": "boolean", "default": false}},
  "optionalPaths": [".github/*", "single.txt"]}
END
cat >"$src/.devcontainer/devcontainer.json" <<'END'
{"image": "${templateOption:image}", "kind": "${templateOption: kind }",
 "on": ${templateOption:on}, "off": ${templateOption:off},
 "kept": "${localEnv:HOME} ${templateOption:no-name} ${templateOption:", "none": "[${templateOption:none}]"}
END
printf '#!/bin/sh\n' >"$src/.devcontainer/scripts/run"
chmod 755 "$src/.devcontainer/scripts/run"
printf '\377${templateOption:kind}\n' >"$src/single.txt"
printf '\377${templateOption:kind}\0\n' >"$src/.devcontainer/logo.png"
echo ci >"$src/.github/ci.yml"
echo about >"$src/README.md"
echo notes >"$src/NOTES.md"
echo mine >"$src/.devcontainer/README.md"
pack() { # ARCHIVE [TAR-OPTION...]
	p_out=$1
	shift
	tar -C "$src" -cf "$p_out" "$@" .
}
publish() { # TAGS ARCHIVE [KEY=VALUE...]
	p_tags=$1
	p_archive=$2
	shift 2
	python3 "$SRC/t/helper/feature.py" "$reg" ns/demo "$p_tags" \
		"$p_archive" - "$@" >/dev/null
}
pack "$TMP/plain.tar"
pack "$TMP/packed.tar" -z
publish 1,latest "$TMP/plain.tar"
publish packed "$TMP/packed.tar"
files() { (cd "$1" && find . -type f | sort | tr '\n' ' '); }
all="./.devcontainer/README.md ./.devcontainer/devcontainer.json ./.devcontainer/logo.png ./.devcontainer/scripts/run ./.github/ci.yml ./single.txt "

t_run "$DEVENV" init "$reg/ns/demo" "$TMP/one"
t_status 0 "init from a registry"
t_is "$(jq -r '.files[]' "$out" | tr '\n' ' ')" "$all" "prints what it wrote"
t_is "$(files "$TMP/one")" "$all" "which is all but what is about the template"
t_is "$(cat "$TMP/one/.devcontainer/devcontainer.json")" \
'{"image": "debian:12", "kind": "x",
 "on": true, "off": false,
 "kept": "${localEnv:HOME} ${templateOption:no-name} ${templateOption:", "none": "[]"}' \
	"options have their defaults, the rest of the text is as it was"
t_err "warning: the template uses the option 'none', which it does not declare" \
	"one that is not declared is named"
t_ok "binary files stay what they are" cmp "$src/.devcontainer/logo.png" \
	"$TMP/one/.devcontainer/logo.png"
t_is "$(od -An -tx1 "$TMP/one/single.txt" | tr -d ' ')" ff780a \
	"files of any bytes are replaced in"
t_is "$(stat -c %a "$TMP/one/.devcontainer/scripts/run") $(
	stat -c %a "$TMP/one/single.txt")" "755 644" "modes are kept"
t_ok "the result is a configuration" "$DEVENV" parse --print=config "$TMP/one"
for from in "$src" "$reg/ns/demo:packed"; do
	t_run "$DEVENV" init "$from" "$TMP/two"
	t_status 0 "init from $(basename "$from")"
	t_ok "  has the same files" diff -r "$TMP/one" "$TMP/two"
	rm -rf "$TMP/two"
done
mkdir "$TMP/here"
t_run "$DEVENV" -C "$TMP/here" init --option kind=y --option image='a b"$1' \
	--option off=true --omit '.github/*' --omit ./single.txt "$src"
t_status 0 "init with options, into the working directory"
t_is "$(files "$TMP/here")" "./.devcontainer/README.md ./.devcontainer/devcontainer.json ./.devcontainer/logo.png ./.devcontainer/scripts/run " \
	"--omit leaves out a directory and a file"
t_is "$(head -n 2 "$TMP/here/.devcontainer/devcontainer.json")" \
	'{"image": "a b"$1", "kind": "y",
 "on": true, "off": true,' "values are put there as they are"

# Nothing that is there is lost.
t_run "$DEVENV" init "$src" "$TMP/one"
t_status 0 "once more changes nothing"
echo changed >"$TMP/one/.github/ci.yml"
rm "$TMP/one/single.txt"
t_run "$DEVENV" init "$src" "$TMP/one"
t_status 4 "a file that differs is in the way"
t_err "files are there and differ: .github/ci.yml" "is named"
t_err "hint: --force replaces them, --omit leaves them out" "with the way out"
t_ok "and nothing was written before" test ! -e "$TMP/one/single.txt"
t_run "$DEVENV" init --force "$src" "$TMP/one"
t_is "$status $(cat "$TMP/one/.github/ci.yml")" "0 ci" "--force replaces it"

wrong() { # STATUS REGEX ARGUMENT...
	w_status=$1
	w_regex=$2
	shift 2
	t_run "$DEVENV" init "$@" "$TMP/wrong"
	t_status "$w_status" "init $(echo "$*" | sed "s,$TMP,,g;s,$reg,,g") fails"
	t_err "$w_regex" "  and says why"
}
wrong 2 "'z' is no value of the option 'kind'" --option kind=z "$src"
t_err "hint: it takes one of x, y" "  and what there is"
wrong 2 "has no option 'kinds'" --option kinds=x "$src"
t_err "hint: did you mean 'kind'" "  and what was meant"
wrong 2 "takes true or false, not 'yes'" --option on=yes "$src"
wrong 2 "--option takes KEY=VALUE" --option on "$src"
wrong 2 "no file 'nothing' that could be left out" --omit nothing "$src"
t_err "hint: it names as optional: .github/\*, single.txt" "  and what could"
wrong 3 "it is no template: it has no devcontainer-template.json" "$TMP/one"
wrong 6 "$reg/ns/other:1" "$reg/ns/other:1"
publish image "$TMP/plain.tar" config=application/vnd.oci.image.config.v1+json
wrong 3 "it is no template: its configuration is application/vnd.oci.image" \
	"$reg/ns/demo:image"
publish big "$TMP/plain.tar" size=99999999
wrong 3 "it is larger than 64 MiB" "$reg/ns/demo:big"
sed -i 's/"kind": {/"bare": {"type": "string"}, "kind": {/' \
	"$src/devcontainer-template.json"
wrong 2 "the option 'bare' has no default" "$src"

# --- Features ---
add='[{"id": "r.io/f/x:1", "options": {"v": "2"}}, {"id": "./local"}]'
t_run "$DEVENV" init --features "$add" --option bare=1 "$src" "$TMP/features"
t_status 0 "init with Features"
t_is "$("$DEVENV" parse --print=config "$TMP/features" | jq -c .features)" \
	'{"r.io/f/x:1":{"v":"2"},"./local":{}}' "they are in the configuration"
t_is "$(head -c 21 "$TMP/features/.devcontainer/devcontainer.json")" \
	'{"image": "debian:12"' "and the rest is as it was"
wrong 2 "features: expected an array of objects with an 'id'" --option bare=1 \
	--features '{"a": {}}' "$src"
wrong 2 "features:1:2: " --option bare=1 --features '[' "$src"
wrong 2 "the template has no devcontainer.json" --option bare=1 \
	--omit .devcontainer/devcontainer.json --features "$add" "$src"

# What a stranger's archive could do
evil() { # NAME PYTHON: members of an archive, and what is said of it
	python3 - "$TMP/$1.tar" <<END
import io, sys, tarfile
t = tarfile.open(sys.argv[1], "w")
def add(name, data=b"x", **k):
    i = tarfile.TarInfo(name)
    i.size = len(data)
    for key in k: setattr(i, key, k[key])
    t.addfile(i, io.BytesIO(data))
add("devcontainer-template.json", b'{"id": "x"}')
$2
t.close()
END
	publish "$1" "$TMP/$1.tar"
	wrong 3 "$3" "$reg/ns/demo:$1"
}
evil up 'add("a/../../out")' "a file leads out of it: 'a/../../out'"
evil absolute 'add("/etc/out")' "a file leads out of it: '/?etc/out'"
evil hooks 'add("sub/.GIT/hooks/post-checkout")' "it has files of a repository"
evil link 'add("l", b"", type=tarfile.SYMTYPE, linkname="/etc")' "it has a link"
evil hard 'add("l", b"", type=tarfile.LNKTYPE, linkname="devcontainer-template.json")' \
	"it has a link"
evil pipe 'add("p", b"", type=tarfile.FIFOTYPE)' "a device or a pipe"
evil folders 'for n in range(10000): add("d%d" % n, b"", type=tarfile.DIRTYPE)' \
	"it has more than 10000 files"
evil unknown 'add("a", b"".join(b"\${templateOption:a%d}" % n for n in range(257)))' \
	"a: it uses more than 256 options that the template does not declare"
mkdir "$TMP/many" "$TMP/long"
python3 - "$TMP" <<'END'
import json, sys
def write(name, options):
    with open(sys.argv[1] + name + "/devcontainer-template.json", "w") as f:
        json.dump({"id": "x", "options": options}, f)
write("/many", {"o%d" % n: {"default": ""} for n in range(257)})
write("/long", {"o": {"default": "", "description": "x" * (1 << 20)}})
END
wrong 3 "many/devcontainer-template.json: it declares more than 256 options" "$TMP/many"
wrong 3 "long/devcontainer-template.json: it is larger than" "$TMP/long"
t_ok "none of them wrote anything" test ! -e "$TMP/wrong"
mkdir -p "$TMP/trap" "$TMP/outside"
ln -s "$TMP/outside" "$TMP/trap/.github"
t_run "$DEVENV" init --option bare=1 "$src" "$TMP/trap"
t_is "$(ls "$TMP/outside")" "" "a link in the project leads nowhere else"
t_done
