#!/bin/sh
# 9440-damage.sh - bytes of the store that flip: told, and never a wrong image
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/helper/registry.sh"

t_need docker-registry skopeo python3 busybox
registry_start plain || t_fail "a registry"
mkdir -p "$TMP/base" "$TMP/p/dir"
cp "$(command -v busybox)" "$TMP/base/busybox"
printf '%s\n' 'FROM scratch' 'COPY busybox /bin/sh' 'ENV PATH=/bin' \
	>"$TMP/base/Dockerfile"
t_ok "a base image" "$DEVENV" build --push -t "$registry/base:1" "$TMP/base"
echo one >"$TMP/p/dir/one"
echo two >"$TMP/p/dir/two"
printf '%s\n' "FROM $registry/base:1" 'COPY dir /dir' \
	'RUN ["sh", "-c", "echo made >/made"]' 'LABEL a=b' 'CMD ["sh"]' >"$TMP/p/Dockerfile"
DEVENV_STORE=$TMP/good
# What the image is: its files, and its configuration without times.
made() { # NAME
	rm -rf "$TMP/${1:?}"
	mkdir "$TMP/$1"
	timeout 60 "$DEVENV" build -t "app:1" --digest \
		--output "type=oci,tar=false,dest=$TMP/$1/oci" "$TMP/p" \
		>"$out" 2>"$err" || return
	skopeo copy -q "oci:$TMP/$1/oci:1" "dir:$TMP/$1/copy" || return 99
	timeout 60 "$DEVENV" build --output "type=local,dest=$TMP/$1/fs" \
		"$TMP/p" >"$out" 2>"$err" || return
	"$HELPER/treedump" "$TMP/$1/fs" >"$TMP/$1/is"
	skopeo inspect --raw --config "oci:$TMP/$1/oci:1" | python3 -c '
import json, sys
c = json.load(sys.stdin)
print(c["os"], c["architecture"], json.dumps(c["config"], sort_keys=True))
' >>"$TMP/$1/is"
}
made want
t_ok "an image" test -s "$TMP/want/is"
t_run "$DEVENV" store verify
t_status 0 "the store is sound"

flip() { # FILE POSITION-IN-PERCENT
	python3 -c 'import os, sys
name, part = sys.argv[1], int(sys.argv[2])
with open(name, "r+b") as f:
	at = (os.path.getsize(name) - 1) * part // 100
	f.seek(at)
	byte = f.read(1)[0]
	f.seek(at)
	f.write(bytes([byte ^ (1 << part % 8)]))' "$1" "$2"
}

# One kind of file: is damage found, and is what comes of it right?
damaged() { # KIND FILE...
	d_kind=$1
	shift
	unseen=0
	wrong=0
	for d_file; do
		for d_part in 0 37 50 81 99; do
			rm -rf "$TMP/bad"
			cp -a "$TMP/good" "$TMP/bad"
			flip "$TMP/bad/${d_file#"$TMP/good/"}" $d_part
			DEVENV_STORE=$TMP/bad
			t_run timeout 60 "$DEVENV" store verify
			[ $status = 1 ] || [ $status = 4 ] || {
				unseen=$((unseen + 1))
				echo "# $d_file at $d_part % is not found"
			}
			status=0
			made got || status=$?
			case $status in
			0)
				cmp -s "$TMP/want/is" "$TMP/got/is" && continue
				;;
			[3-6]) grep -q '^devenv: ' "$err" && continue ;;
			esac
			wrong=$((wrong + 1))
			echo "# $d_file at $d_part %: status $status"
			t_show
		done
	done
	t_ok "$d_kind: there are some" test $# -gt 0 -a -e "$d_file"
	t_is $unseen 0 "$d_kind: verify finds each flipped byte"
	t_is $wrong 0 "$d_kind: the same image or a clear error"
}
damaged "images" "$TMP/good"/images/*
damaged "steps" "$TMP/good"/cache/[0-9a-f]*
# What was found out later is not needed, so its loss is no finding.
rm -f "$TMP/good"/layers/*/info
damaged "metas of layers" "$TMP/good"/layers/*/meta
damaged "the index" "$TMP/good/index.json"
set --
for file in "$TMP/good"/blobs/sha256/*; do
	[ "$(head -c 1 "$file" | tr -d '\0')" != '{' ] || set -- "$@" "$file"
done
damaged "manifests and configurations" "$@"

t_done
