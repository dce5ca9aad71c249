#!/bin/sh
# 4830-sbom.sh - the packages of an image as an SPDX document
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/registry.sh"
t_need root docker-registry skopeo jq curl rpm rpmbuild python3

registry_start reg
reg=$registry
ctx=$TMP/ctx
mkdir -p "$ctx/root/var/lib/dpkg" "$ctx/root/usr/lib" "$ctx/root/etc" \
	"$ctx/root/app/node_modules/x" "$ctx/root/old" "$ctx/root/proc"
dpkg_entry() { # NAME VERSION
	printf 'Package: %s\nStatus: install ok installed\n' "$1"
	printf 'Architecture: amd64\nVersion: %s\n\n' "$2"
}
dpkg_entry libc6 2.36-9+deb12u4 >"$ctx/root/var/lib/dpkg/status"
printf 'ID=debian\nVERSION_ID="12"\n' >"$ctx/root/usr/lib/os-release"
ln -s ../usr/lib/os-release "$ctx/root/etc/os-release"
lock() { # NAME VERSION
	printf '{"packages": {"node_modules/%s": {"version": "%s"}}}\n' "$@"
}
lock left-pad 1.3.0 >"$ctx/root/app/package-lock.json"
lock hidden 1.0.0 >"$ctx/root/app/node_modules/x/package-lock.json"
lock gone 1.0.0 >"$ctx/root/old/package-lock.json"
lock fake 1.0.0 >"$ctx/root/proc/package-lock.json"
ln -s /etc/passwd "$ctx/root/app/yarn.lock"
{
	cat "$ctx/root/var/lib/dpkg/status"
	dpkg_entry bash 5.2.15-2
} >"$ctx/status"
mkdir -p "$ctx/sub"
printf 'requests==2.31.0\n' >"$ctx/sub/requirements.txt"
cat >"$ctx/Dockerfile" <<END
FROM scratch AS base
COPY root /
FROM base
COPY status /var/lib/dpkg/status
COPY sub /srv
END
doc=$TMP/doc.spdx.json
t_run "$DEVENV" build -q -t "$reg/app:1" --sbom "$doc" \
	--build-arg SOURCE_DATE_EPOCH=1700000000 "$ctx"
t_status 0 "build --sbom"
say() { jq -r "$1" "$doc"; }
t_is "$(say '.packages[1:][] | .externalRefs[0].referenceLocator')" \
"pkg:deb/debian/bash@5.2.15-2?arch=amd64&distro=debian-12
pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64&distro=debian-12
pkg:npm/gone@1.0.0
pkg:npm/left-pad@1.3.0
pkg:pypi/requests@2.31.0" "it lists what the image holds, as its last layer has it"
t_is "$(say '.packages[] | select(.name == "requests").sourceInfo')" \
	"listed in /srv/requirements.txt" "and where it is listed"
id=$(jq -r .image.config_digest "$out")
t_is "$(say '[.spdxVersion, .dataLicense, .SPDXID, .name] | @csv')" \
	"\"SPDX-2.3\",\"CC0-1.0\",\"SPDXRef-DOCUMENT\",\"$reg/app:1\"" \
	"a document of SPDX 2.3"
t_is "$(say .documentNamespace)" "https://devenv.dev/spdx/${id#sha256:}" \
	"known by the image's id"
t_is "$(say .creationInfo.created)" 2023-11-14T22:13:20Z \
	"of the time the image has"
t_is "$(say '[.packages[].SPDXID | select(test("^SPDXRef-[A-Za-z0-9.-]+$") | not)] +
	[.relationships[] | select(.relationshipType == "CONTAINS") | .relatedSpdxElement] -
	[.packages[].SPDXID] | length')" 0 "whose parts refer to each other"
t_is "$(say '[.packages[].SPDXID] | length - (unique | length)')" 0 \
	"and have names of their own"
t_is "$(say '[.packages[] | select(.downloadLocation and
	.filesAnalyzed == false and .licenseConcluded and .copyrightText |
	not)] | length')" 0 "each with all that has to be said of it"

cp "$doc" "$TMP/first"
t_run "$DEVENV" build -q -t "$reg/app:1" --sbom "$doc" \
	--build-arg SOURCE_DATE_EPOCH=1700000000 "$ctx"
t_ok "the same image has the same document" cmp "$doc" "$TMP/first"

# What was deleted is not there; what cannot be read is named.
cat >>"$ctx/Dockerfile" <<END
COPY rpm /var/lib/rpm/rpmdb.sqlite
COPY broken /app/Pipfile.lock
END
echo 'SQLite format 3, or so' >"$ctx/rpm"
echo '{' >"$ctx/broken"
rm -rf "$ctx/root/old"
t_run "$DEVENV" build -q -t "$reg/app:2" --push --sbom "$doc" "$ctx"
t_status 0 "build --push --sbom"
t_is "$(say '[.packages[].name | select(. == "gone")] | length')" 0 \
	"a list that is not there any more counts no more"
t_err "warning: not in the list of packages: /var/lib/rpm/rpmdb.sqlite: file is not a database" \
	"a database that is not read is named"
t_err "/app/Pipfile.lock: it is not the JSON it should be" "so is a broken list"
t_is "$(say .creationInfo.comment)" \
	"not listed: /app/Pipfile.lock: it is not the JSON it should be; /var/lib/rpm/rpmdb.sqlite: file is not a database" \
	"in the document as well"

attached() { # TAG: the document that is attached, on standard output
	a_image=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' \
		"docker://$reg/app:$1")
	a_one=$(fetch "sha256-${a_image#sha256:}" | jq -r '.manifests[] |
		select(.artifactType == "application/spdx+json").digest')
	curl -s "http://$reg/v2/app/blobs/$(fetch "$a_one" |
		jq -r '.layers[0].digest')"
}
fetch() { # TAG|DIGEST
	curl -s -H 'Accept: application/vnd.oci.image.index.v1+json' \
		-H 'Accept: application/vnd.oci.image.manifest.v1+json' \
		"http://$reg/v2/app/manifests/$1"
}
attached 2 >"$TMP/attached"
t_ok "the document is attached to what was pushed" cmp "$TMP/attached" "$doc"

"$DEVENV" push "$reg/app:2" "$reg/app:3" >"$out" 2>"$err"
t_run "$DEVENV" --store "$TMP/third" pull "$reg/app:3"
t_run "$DEVENV" --store "$TMP/third" push --sbom="$TMP/pushed" "$reg/app:3" \
	"$reg/app:4"
t_status 0 "push --sbom of an image that was only pulled"
t_is "$(jq -c '[.packages[1:][].name]' "$TMP/pushed")" \
	'["bash","libc6","left-pad","requests"]' "fetches what has to be read"
# As rpm writes it, which leaves an empty log beside; a key is no package.
rpms=$TMP/rpms
db=$rpms/root/var/lib/rpm/rpmdb.sqlite
mkdir -p "$rpms/root/etc"
printf 'ID=fedora\nVERSION_ID=39\n' >"$rpms/root/etc/os-release"
a_spec() { # NAME EPOCH
	printf '%s\n' "Name: $1" "Version: 1.0" "Release: 2.fc39" \
		"Epoch: $2" "Summary: x" "License: MIT" "BuildArch: noarch" \
		"%description" "x" "%files"
}
for one in hello:0 tools:3 gpg-pubkey:0; do
	a_spec "${one%:*}" "${one#*:}" >"$rpms/${one%:*}.spec"
done
rpmbuild -bb --quiet --define "_topdir $rpms/b" "$rpms"/*.spec \
	>"$TMP/rpm.log" 2>&1
rpm --root "$rpms/root" --define '_dbpath /var/lib/rpm' -i --justdb --nodeps \
	"$rpms"/b/RPMS/noarch/*.rpm >>"$TMP/rpm.log" 2>&1
printf 'FROM scratch\nCOPY root /\n' >"$rpms/Dockerfile"
t_run "$DEVENV" build -q --sbom "$doc" "$rpms"
t_status 0 "build --sbom of an image with a database of rpm"
t_is "$(grep -c 'not in the list' "$err")" 0 "which is read as a whole"
t_is "$(say '.packages[1:][] | .externalRefs[0].referenceLocator')" \
"pkg:rpm/fedora/hello@1.0-2.fc39?arch=noarch&distro=fedora-39
pkg:rpm/fedora/tools@1.0-2.fc39?arch=noarch&distro=fedora-39&epoch=3" \
	"each package with its version, release and epoch"
# What a database defines is not run, whatever it is named.
python3 - "$db" <<'END'
import sqlite3, sys
sqlite3.connect(sys.argv[1], isolation_level=None).executescript('''
	PRAGMA journal_mode = DELETE; ALTER TABLE Packages RENAME TO P;
	CREATE VIEW Packages AS WITH RECURSIVE r(blob) AS (SELECT x'00'
	UNION ALL SELECT blob FROM r) SELECT blob FROM r;''')
END
t_run timeout 60 "$DEVENV" build -q --sbom "$doc" "$rpms"
t_status 0 "build --sbom of an image with a hostile database"
t_err "rpmdb.sqlite: it has no table Packages with a column blob" "names it"
# A computed column: millions of copies of a cell in a handful of operations.
rm "$db"
python3 - "$db" <<'END'
import sqlite3, sys
c = sqlite3.connect(sys.argv[1])
c.execute('CREATE TABLE Packages(x, blob AS (%s))' %
	  ' OR '.join(['x || x < x || x'] * 900))
c.execute('INSERT INTO Packages VALUES (?)', ('x' * (1 << 20),))
c.commit()
END
t_run timeout 60 "$DEVENV" build -q --sbom "$doc" "$rpms"
t_status 0 "build --sbom of a database that computes"
t_err "rpmdb.sqlite: database disk image is malformed" "names it"
t_run "$DEVENV" build --sbom "$doc" --platform linux/amd64,linux/arm64 "$ctx"
t_status 2 "--sbom of several platforms"
t_err "--sbom lists the packages of one image: name one platform" "is refused"
skopeo copy -q --src-tls-verify=false "docker://$reg/app:3" "oci:$TMP/lay:3"
t_run "$DEVENV" push --sbom "oci:$TMP/lay:3" "$reg/app:5"
t_status 2 "push --sbom of a layout"
t_err "--sbom lists the packages of one image of the store" "is refused"
t_done
