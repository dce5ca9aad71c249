#!/bin/sh
# 3420-build-reproducible.sh - the same inputs give the same image, whoever
# builds it, where, and on whatever day
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"
. "$(dirname "$0")/helper/registry.sh"

t_need root buildah skopeo jq busybox faketime setpriv
t_atexit build_peer_end
NO_FAKE_STAT=1 # faketime moves the clock, not the times of files
# A sanitizer has to be told that faketime is loaded before it.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0
export NO_FAKE_STAT ASAN_OPTIONS
build_bases busybox || t_fail "the base images can be made"
EPOCH=1000000000 # 2001-09-09T01:46:40Z
AT=2001-09-09T01:46:40Z
CTX=$TMP/ctx
mkdir -p "$CTX/d/sub" "$TMP/add/in"
chmod 755 "$CTX" "$TMP"
echo one >"$CTX/d/one"
echo ü >"$CTX/d/sub/ü"
ln "$CTX/d/one" "$CTX/d/two"
mkdir "$CTX/l"
ln -s ../d/one "$CTX/l/link"
echo added >"$TMP/add/in/file"
tar -C "$TMP/add" --mtime=@5 --owner=7 --group=8 -cf "$CTX/add.tar" in
cat >"$CTX/Dockerfile" <<X
FROM $BASE AS early
RUN echo early >/early
FROM $BASE
LABEL first=1
WORKDIR /srv/app
COPY --chown=bob:staff d ./d
COPY l /l
ADD add.tar /opt/
COPY <<Y /etc/motd
hello
Y
COPY --from=early /early /copied
RUN rm -r /var/data/old && mkdir /var/data/old && echo n >/var/data/old/new \\
	&& rm /var/data/two && chmod 4711 d/one && ln -s x d/made \\
	&& echo young >/young && touch -d @77 /old
USER bob
RUN mkdir /tmp/mine && touch /tmp/mine/f
VOLUME /b /a
EXPOSE 81 80
ENV Z=1 A=2
CMD ["x"]
X

# What is compared: digests of the manifest, the configuration and its layers.
digests() { # LAYOUT
	skopeo inspect --format '{{.Digest}}' "oci:$1" &&
		skopeo inspect --raw "oci:$1" | jq -r .config.digest &&
		skopeo inspect --raw --config "oci:$1" |
		jq -r '.rootfs.diff_ids[]'
}

config() { skopeo inspect --raw --config "oci:$1" | jq -r "$2"; }

# Layer N (from 0) of a layout as a list of its files.
layer() { # LAYOUT N
	l_blob=$(skopeo inspect "oci:$1" | jq -r ".Layers[$2]")
	TZ=UTC tar --full-time --numeric-owner \
		-tvzf "$1/blobs/sha256/${l_blob#*:}"
}

build() { # NAME COMMAND... : with the program and its first words at the end
	b_name=$1
	shift
	t_run "$@" build --output \
		"type=oci,tar=false,dest=$TMP/$b_name,rewrite-timestamp=true" \
		"$CTX"
}

build one env SOURCE_DATE_EPOCH=$EPOCH "$DEVENV" --store "$TMP/s1"
t_status 0 "[2.13] the epoch may come from the environment"
digests "$TMP/one" >"$TMP/want"
t_is "$(wc -l <"$TMP/want")" 11 "there is something to compare"
sleep 1.1

(
	umask 077
	build two env TZ=Asia/Tokyo LC_ALL=C.utf8 SOURCE_DATE_EPOCH=$EPOCH \
		faketime '2031-05-06 07:08:09' "$DEVENV" --store "$TMP/s2"
	exit "$status"
)
t_is $? 0 "built by another umask, zone, locale, day, in another store"
digests "$TMP/two" >"$TMP/have"
t_ok "[2.14] manifest, configuration and diff ids are the same" \
	diff "$TMP/want" "$TMP/have"

t_run "$DEVENV" --store "$TMP/s1" build --build-arg SOURCE_DATE_EPOCH=$EPOCH \
	-o "type=oci,tar=false,dest=$TMP/again,rewrite-timestamp=true" "$CTX"
t_err ' 0 steps run' "built again, all is known"
digests "$TMP/again" >"$TMP/have"
t_ok "[2.14] from the cache it is the same" diff "$TMP/want" "$TMP/have"

for kind in range single; do
	build_user $kind
	t_run as env SOURCE_DATE_EPOCH=$EPOCH "$DEVENV" build --output \
		"type=oci,tar=false,dest=$TMP/$kind/out,rewrite-timestamp=true" \
		"$CTX"
	t_status 0 "a user with a $kind of ids builds it"
	digests "$TMP/$kind/out" >"$TMP/have"
	t_ok "[2.14] it is the same for a user with a $kind of ids" \
		diff "$TMP/want" "$TMP/have"
done

# --- what the epoch does, and what it leaves alone ---

base_history=$(skopeo inspect --tls-verify=false --raw --config \
	"docker://$BASE" | jq -c .history)
n=$(echo "$base_history" | jq length)
t_is "$(config "$TMP/one" ".history[:$n]" | jq -c .)" "$base_history" \
	"[2.9] [2.13] the base's history stays, its later times too"
t_is "$(config "$TMP/one" "[.history[$n:][].created] | unique | join(\" \")")" \
	$AT "[2.13] new entries have the epoch"
t_is "$(config "$TMP/one" .created)" $AT "[2.11] [2.13] so has the image"
base_layer=$(skopeo inspect --tls-verify=false "docker://$BASE" |
	jq -r '.Layers[0]')
t_is "$(skopeo inspect "oci:$TMP/one" | jq -r '.Layers[0]')" "$base_layer" \
	"[2.13] the base's layer is byte for byte what it was"
layer "$TMP/one" 7 >"$TMP/list"
t_ok "[2.13] a younger file is as old as the epoch" \
	grep -q '2001-09-09 01:46:40 young' "$TMP/list"
t_ok "[2.13] an older one stays older" \
	grep -q '1970-01-01 00:01:17 old' "$TMP/list"
t_ok "[2.13] [L:whiteout] a whiteout has no time" grep -Eq \
	'^---------- 0/0 +0 1970-01-01 00:00:00 var/data/\.wh\.two' "$TMP/list"
t_is "$(layer "$TMP/one" 4 | awk '{print $4, $5, $6}')" \
	"2001-09-09 01:46:40 opt/
1970-01-01 00:00:05 opt/in/
1970-01-01 00:00:05 opt/in/file" "[2.13] an archive's times are kept"

# Without rewrite-timestamp only WORKDIR follows the epoch.
t_run "$DEVENV" --store "$TMP/s3" build --build-arg SOURCE_DATE_EPOCH=$EPOCH \
	-o "type=oci,tar=false,dest=$TMP/plain" "$CTX"
t_is "$(layer "$TMP/plain" 1 | awk '{print $4, $5, $6}')" \
	"2001-09-09 01:46:40 srv/
2001-09-09 01:46:40 srv/app/" "[2.13] WORKDIR's directories have the epoch"
t_is "$(layer "$TMP/plain" 7 | grep -c '2001.* young')" 0 \
	"[2.13] a file of a RUN has its own time"
t_run "$DEVENV" --store "$TMP/s3" build --build-arg SOURCE_DATE_EPOCH=1 \
	-o "type=oci,tar=false,dest=$TMP/other" "$CTX"
t_is "$(layer "$TMP/other" 1 | awk '{print $4, $5, $6}' | tail -n 1)" \
	"1970-01-01 00:00:01 srv/app/" \
	"[2.13] another epoch is another WORKDIR, cache or not"

printf 'FROM %s\nRUN echo x >/x\n' "$BASE" >"$TMP/plain.df"
t_run env SOURCE_DATE_EPOCH=$EPOCH faketime '1999-01-02 03:04:05' \
	"$DEVENV" --store "$TMP/s4" build -f "$TMP/plain.df" \
	-o "type=oci,tar=false,dest=$TMP/early" "$CTX"
t_is "$(config "$TMP/early" .created | cut -c 1-16)" 1999-01-02T03:04 \
	"[2.13] an epoch makes nothing younger"

# --- flat outputs ---

t_run "$DEVENV" --store "$TMP/s1" build --build-arg SOURCE_DATE_EPOCH=$EPOCH \
	-o "type=tar,dest=$TMP/flat.tar,rewrite-timestamp=true" "$CTX"
TZ=UTC tar --full-time -tvf "$TMP/flat.tar" >"$TMP/list"
t_ok "[2.13] in a flat tar new files follow the epoch" \
	grep -q '2001-09-09 01:46:40 young' "$TMP/list"
t_ok "[2.13] and the base's do not" \
	grep -q '2023-11-14 22:13:20 etc/group' "$TMP/list"

# --- the words ---

t_run "$DEVENV" build -o type=oci,dest=/dev/null,rewrite-timestamp=true "$CTX"
t_status 2 "rewriting without an epoch is refused"
t_err 'rewrite-timestamp=true needs a time' "by name"
t_run "$DEVENV" build -o type=oci,rewrite-timestamp=maybe "$CTX"
t_status 2 "rewrite-timestamp is true or false"
t_run env SOURCE_DATE_EPOCH=yesterday "$DEVENV" build "$CTX"
t_status 2 "[A08] the environment's epoch is a number, too"
t_err 'invalid SOURCE_DATE_EPOCH: yesterday' "what is wrong is named"
t_run env SOURCE_DATE_EPOCH=yesterday "$DEVENV" --store "$TMP/s3" build \
	--build-arg SOURCE_DATE_EPOCH=$EPOCH "$CTX"
t_status 0 "[A08] a build argument wins over the environment"
printf 'ARG SOURCE_DATE_EPOCH=%s\nFROM %s\nARG SOURCE_DATE_EPOCH\nRUN %s\n' \
	$EPOCH "$BASE" "echo \$SOURCE_DATE_EPOCH >/e" >"$TMP/arg.df"
t_run "$DEVENV" build -f "$TMP/arg.df" \
	-o "type=oci,tar=false,dest=$TMP/arg" "$CTX"
t_is "$(config "$TMP/arg" .created)" $AT \
	"[A08] the value may be a default in the file"
t_run "$DEVENV" build --build-arg SOURCE_DATE_EPOCH=context \
	-f "$TMP/plain.df" "$CTX"
t_status 0 "[A08] a local context has no time"
t_err 'SOURCE_DATE_EPOCH=context: a local directory has no time' \
	"which a warning says"

# Nothing but text: no day is in it.
printf 'FROM %s\nLABEL a=b\n' "$BASE" >"$TMP/text.df"
t_run "$DEVENV" build -q -f "$TMP/text.df" --iidfile "$TMP/id1" "$CTX"
t_run faketime '2031-05-06' "$DEVENV" --store "$TMP/s5" build -q \
	-f "$TMP/text.df" --iidfile "$TMP/id2" "$CTX"
t_is "$(cat "$TMP/id2")" "$(cat "$TMP/id1")" \
	"[2.11] without new layers the image is the same on any day"
# A cache keeps the seconds of a time only, and no layer knows which of those
# below it came from one.
for time in 3 7; do
	echo same >"$CTX/$time"
	touch -d "@1600000000.$time" "$CTX/$time"
done
cat >"$TMP/twice.df" <<X
FROM $BASE AS one
COPY 3 /file
COPY 3 /same
FROM one AS two
COPY 3 /same
FROM two AS three
COPY 3 /same
COPY 7 /file
FROM three
RUN cmp /file /same
X
twice() { # STORE TARGET OPTION...
	w_store=$1
	w_target=$2
	shift 2
	rm -rf "$TMP/twice"
	t_run "$DEVENV" --store "$TMP/$w_store" build -f "$TMP/twice.df" \
		--target "$w_target" --build-arg SOURCE_DATE_EPOCH=1500000000 "$@" \
		-o "type=oci,tar=false,dest=$TMP/twice,rewrite-timestamp=true" \
		"$CTX"
	t_status 0 "files that are copied twice: $w_store"
	digests "$TMP/twice" >"$TMP/have"
}
twice s6 three --cache-to "oci:$TMP/all"
mv "$TMP/have" "$TMP/want"
twice s7 three --cache-from "oci:$TMP/all"
t_err 'is this build' "from a cache"
t_ok "all layers of a cache are packed as they were" \
	diff "$TMP/want" "$TMP/have"
twice s7 '' --cache-from "oci:$TMP/all"
twice s10 '' --cache-from "oci:$TMP/all"
t_err '1 step run, 5 cached' "on layers of a cache, two of which are the same"
twice s8 one --cache-to "oci:$TMP/some"
twice s8 two
mv "$TMP/have" "$TMP/want"
twice s9 two --cache-from "oci:$TMP/some"
t_err '1 step run, 2 cached' "with some of them from a cache"
t_ok "those on layers of a cache are no others" diff "$TMP/want" "$TMP/have"
build_clean "after all of them"
t_done
