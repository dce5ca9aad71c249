#!/bin/sh
# 4130-uploads-resumed.sh - what one push sent of a blob, the next adds to
. "$(dirname "$0")/lib.sh"
. "$SRC/t/helper/odd.sh"
t_need python3 curl

# An image with one layer of a megabyte, and no more.
lay=$TMP/lay
type=application/vnd.oci.image
mkdir -p "$lay/blobs/sha256"
add() { # FILE: sets $d and $n
	d=$(sha256sum "$1" | cut -d' ' -f1)
	n=$(($(wc -c <"$1")))
	mv "$1" "$lay/blobs/sha256/$d"
}
head -c 1000000 /dev/urandom >"$TMP/f"
add "$TMP/f"
layer=$d
printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers",
"diff_ids":["sha256:%s"]}}' "$d" >"$TMP/f"
add "$TMP/f"
printf '{"schemaVersion":2,"mediaType":"%s","config":{"mediaType":"%s",
"digest":"sha256:%s","size":%s},"layers":[{"mediaType":"%s",
"digest":"sha256:%s","size":1000000}]}' "$type.manifest.v1+json" \
	"$type.config.v1+json" "$d" "$n" "$type.layer.v1.tar+gzip" "$layer" \
	>"$TMP/f"
add "$TMP/f"
echo '{"imageLayoutVersion":"1.0.0"}' >"$lay/oci-layout"
printf '{"schemaVersion":2,"manifests":[{"mediaType":"%s","size":%s,
"digest":"sha256:%s"}]}' "$type.manifest.v1+json" "$n" "$d" >"$lay/index.json"

push() { # WAYS [option...]
	ways=$1
	shift
	: >"$odd_log"
	t_run timeout 60 "$DEVENV" push "$@" "oci:$lay" "$odd/$ways/app:1"
}
sound() {
	curl -sf "http://$odd/v2/$ways/app/blobs/sha256:$layer" |
		cmp - "$lay/blobs/sha256/$layer"
}
notes() { find "$DEVENV_STORE/tmp" -name 'upload-*'; }
cut_off() { # SIGNAL WAYS [option...]: a push that ends in its middle
	signal=$1
	ways=$2
	shift 2
	odd_stop
	odd_start
	"$DEVENV" push "$@" "oci:$lay" "$odd/$ways/app:1" >"$out" 2>"$err" &
	pid=$!
	t_wait grep -q ' cut$' "$odd_log"
	kill "-$signal" $pid
	wait $pid 2>/dev/null
}
again="upload of sha256:$(echo "$layer" | cut -c1-12) goes on at 200000"

cut_off KILL parts-hang
t_is "$(notes | wc -l)" 1 "a push that was killed leaves a note"
t_is "$(stat -c %a "$DEVENV_STORE")" 700 "that nobody else can read"
t_run "$DEVENV" store verify
t_status 0 "which is no damage"
t_is "$(notes | wc -l)" 1 "and stays for a while"
push parts-hang
t_status 0 "the next push"
t_err "$again" "goes on with it"
t_is "$(awk '$1 == "PATCH" { print $3, $4 }' "$odd_log")" "202 800000" \
	"with what was missing, and no more"
t_ok "the blob is sound" sound
t_is "$(notes)" "" "the note is gone"

cut_off TERM parts-hang --chunk-size 600000
t_is "$(grep -c '^DELETE' "$odd_log")" 0 \
	"an interrupted push does not take back what may be gone on with"
push parts-hang --chunk-size 300000
t_status 0 "the next push, in parts"
t_err "$again" "goes on with it"
t_is "$(awk '$1 == "PATCH" { print $4 }' "$odd_log" | tr '\n' ' ')" \
	"300000 300000 200000 " "in parts of its own"
t_ok "the blob is sound" sound

odd_stop
odd_start
"$DEVENV" push "oci:$lay" "$odd/parts-hang/app:1" >"$TMP/first" 2>&1 &
first=$!
t_wait grep -q ' cut$' "$odd_log"
push parts-hang
t_status 0 "a push of a blob that another process is sending"
t_is "$(grep -c '^PATCH\|^GET .*uploads' "$odd_log")" 0 "leaves that one alone"
t_ok "the blob is sound" sound
t_is "$(notes | wc -l)" 1 "and the note is not its own"
kill -KILL $first
wait $first 2>/dev/null
rm "$(notes)"

odd_stop
odd_start
push parts-tear
t_status 0 "a push whose connection breaks"
t_err "$again" "goes on by itself"
t_ok "the blob is sound" sound

cut_off KILL parts-hang-wrong
push parts-hang-wrong
t_status 0 "a registry that kept something else"
t_err 'what it had of sha256:[0-9a-f]{12} is of no use; sending it anew' \
	"is found out"
t_ok "the blob is sound" sound
t_is "$(notes)" "" "the note is gone"

cut_off KILL parts-hang-forget
push parts-hang-forget
t_status 0 "a registry that kept nothing"
t_is "$(awk '$1 == "PUT" && /digest/ { print $4 }' "$odd_log" | sort -n |
	tail -n 1)" 1000000 "gets all of it"
t_ok "the blob is sound" sound

cut_off KILL hang
push hang
t_status 0 "a registry that takes no parts"
t_err 'is of no use; sending it anew' "gets all of it"
t_ok "the blob is sound" sound

cut_off KILL parts-hang
echo "{}" >"$(notes)"
push parts-hang
t_status 0 "a damaged note"
t_is "$(grep -c '^PATCH' "$odd_log")" 0 "is not used"
cut_off KILL parts-hang
touch -d '2 days ago' "$(notes)"
t_run "$DEVENV" store ls
t_is "$(notes)" "" "an old one is swept away"
t_done
