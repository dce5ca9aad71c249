#!/bin/sh
# 3460-build-recopy.sh - a COPY takes what did not change from its last layer
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"
. "$(dirname "$0")/helper/registry.sh"

t_need root userns buildah skopeo jq busybox useradd setpriv setfattr
t_atexit build_peer_end
build_bases busybox || t_fail "the base images can be made"
cp "$DEVENV" "$TMP/devenv"

# 120 files in three directories, older than the clock's granularity.
context() { # DIR
	rm -rf "$1" && mkdir "$1" || return 1
	for c_dir in app/a app/a/deep app/b; do
		mkdir -p "$1/src/$c_dir"
		for c_i in $(seq 40); do
			echo "$c_dir $c_i" >"$1/src/$c_dir/f$c_i"
		done
	done
	chmod 755 "$1/src/app/a/f1"
	chmod 4755 "$1/src/app/a/f2"
	ln "$1/src/app/a/f3" "$1/src/app/b/same"
	ln -s f1 "$1/src/app/a/link"
	find "$1" -exec touch -h -d @1600000000 {} +
	printf 'FROM %s\nCOPY %ssrc /\n' "$BASE" "$2" >"$1/Dockerfile"
}

ran="env"
store=$TMP/warm
build() { # STORE DIR [OPTION...]
	b_store=$1
	b_dir=$2
	shift 2
	$ran "$TMP/devenv" --store "$b_store" build "$@" "$b_dir" \
		>"$out" 2>"$err" || return 1
	id=$(jq -r .image.config_digest "$out")
	diff_id=$(jq -r '.rootfs.diff_ids[-1]' \
		"$b_store/blobs/sha256/${id#sha256:}")
}

# The same context in a store that knows nothing of it.
cold() { # SENTENCE
	c_warm=$diff_id
	c_id=$id
	rm -rf "${cold:?}"
	build "$cold" "$ctx" || t_fail "$1: the cold build"
	t_is "$c_warm" "$diff_id" "$1: the same layer as a cold copy"
	diff_id=$c_warm
	id=$c_id
}

# How many files of the newest layer are in an older one as well.
shared() {
	# shellcheck disable=SC2012 # names are digits
	s_meta=$(ls -t "$store"/layers/*/meta | head -n 1)
	find "${s_meta%/meta}/fs/app" -type f -links +1 | grep -vc -e '/b/same$' -e '/a/f3$' -e '/a/f4\(too\)*$'
}

again() { # SENTENCE SHARED
	sleep 0.1
	build "$store" "$ctx" || t_fail "$1: the build"
	cold "$1"
	t_is "$(shared)" "$2" "$1: files that are shared"
}

round() { # WHO
	ctx=$TMP/ctx.$1
	cold=$TMP/$1/cold
	store=$TMP/$1/warm
	mkdir -p "$TMP/$1"
	[ "$1" = root ] || chown "$build_user" "$TMP/$1"
	context "$ctx" "$2"
	sleep 0.1
	build "$store" "$ctx" || t_fail "$1: the first build"
	t_is "$(shared)" 0 "$1: the first copy shares nothing"
	first=$diff_id
	echo more >>"$ctx/src/app/a/f9"
	again "$1: one file changed" 117
	echo "app/b 7" | tr 7 8 >"$ctx/src/app/b/f7"
	touch -d @1600000000 "$ctx/src/app/b/f7"
	again "$1: content of the same size and time" 117
	chmod 604 "$ctx/src/app/a/f10"
	again "$1: a mode" 117
	touch -d @1600000001 "$ctx/src/app/a/f11"
	echo more >>"$ctx/src/app/a/f12"
	again "$1: a time, which alone does not count" 116
	rm "$ctx/src/app/b/f1"
	again "$1: a file removed" 117
	mv "$ctx/src/app/b/f2" "$ctx/src/app/b/renamed"
	again "$1: a file renamed" 116
	mv "$ctx/src/app/a/deep" "$ctx/src/app/c"
	again "$1: a directory renamed" 77
	ln "$ctx/src/app/a/f4" "$ctx/src/app/a/f4too"
	again "$1: a file got a second name" 117
	rm "$ctx/src/app/a/f4too"
	echo more >>"$ctx/src/app/a/f13"
	again "$1: and lost it" 116
	rm "$ctx/src/app/a/f5" && ln -s f4 "$ctx/src/app/a/f5"
	again "$1: a file became a link" 116
	setfattr -n user.mark -v 1 "$ctx/src/app/a/f6"
	again "$1: an attribute" 115
	echo more >>"$ctx/src/app/a/f9"
	again "$1: a file with an attribute is copied" 114
	t_is "$($ran "$TMP/devenv" --store "$store" store du --json |
		jq .layers)" "$(du -s -B 1 "$store/layers" | cut -f 1)" \
		"$1: what is shared takes room once"
	t_ok "$1: the store is sound" \
		$ran "$TMP/devenv" --store "$store" store verify
}

round root ""
build_user single
ran=as
round single ""
ran="env"

# The first layer is what it was, also when one on top was written to.
ctx=$TMP/ctx.root
store=$TMP/root/warm
cold=$TMP/root/cold
printf 'FROM %s\nCOPY src /\nRUN echo x >>/app/a/f20; chmod 600 /app/a/f21
' "$BASE" >"$ctx/Dockerfile"
echo more >>"$ctx/src/app/a/f9"
sleep 0.1
build "$store" "$ctx" || t_fail "a RUN on shared files"
t_is "$(find "$store"/layers/*/fs/app/a/f20 -type f -exec cat {} + |
	grep -c x)" 1 "a step on top writes to its own copy of a shared file"
t_is "$(find "$store"/layers/*/fs/app/a/f21 -perm 600 | grep -c .)" 1 \
	"and gives a mode to that only"

# What is found when older layers went.
before=$(find "$store"/layers/*/fs/app/a/f22 | grep -c .)
"$DEVENV" --store "$store" build "$ctx" -t kept >"$out" 2>"$err"
find "$store/cache" "$store"/images/id-* -exec touch -d '2 days ago' {} +
"$DEVENV" --store "$store" build "$ctx" >"$out" 2>"$err"
t_ok "old layers go" "$DEVENV" --store "$store" store gc --keep-age 1d
t_is "$([ "$before" -gt 2 ] && find "$store"/layers/*/fs/app/a/f22 |
	grep -c .)" 1 "one of them stays"
t_run "$DEVENV" --store "$store" run kept -- cat /app/a/f22 /app/a/f20
t_is "$(tr '\n' ' ' <"$out")" "app/a 22 app/a 20 x " \
	"and has its files, which it shared"

# Owners by name mean what the image says; modes what --chmod says.
context "$ctx" "--chown=bob --chmod=640 "
sleep 0.1
rm -rf "$store"
build "$store" "$ctx" || t_fail "--chown"
echo more >>"$ctx/src/app/a/f9"
again "--chown and --chmod" 117
printf 'FROM %s\nRUN sed -i s/bob:x:1000/bob:x:1234/ /etc/passwd
COPY --chown=bob --chmod=640 src /\n' "$BASE" >"$ctx/Dockerfile"
again "another owner by the same name" 0
printf 'FROM %s\nCOPY --link src /\n' "$BASE" >"$ctx/Dockerfile"
again "--link: the first" 0
echo more >>"$ctx/src/app/a/f9"
again "--link" 117
printf 'FROM %s\nRUN mkdir /app\nCOPY src /\n' "$BASE" >"$ctx/Dockerfile"
again "a directory that was there" 118
printf 'FROM %s\nRUN mkdir -p /srv/b /app; ln -s ../srv/b /app/b; \
 touch -d @1 /srv /srv/b /app
COPY src /\n' "$BASE" >"$ctx/Dockerfile"
again "a link in the way" 78

# --no-cache trusts nothing; few files and those of /etc keep one name.
context "$ctx" ""
rm -rf "$store"
sleep 0.1
build "$store" "$ctx" || t_fail "once more"
build "$store" "$ctx" --no-cache || t_fail "--no-cache"
t_is "$(shared)" 0 "--no-cache shares nothing"
mv "$ctx/src/app" "$ctx/src/etc"
build "$store" "$ctx" || t_fail "a copy to /etc"
echo more >>"$ctx/src/etc/a/f9"
sleep 0.1
build "$store" "$ctx" || t_fail "a copy to /etc once more"
t_is "$(find "$store"/layers/*/fs/etc/a -name 'f[124-9]*' -links +1 |
	grep -c .)" 0 "files below /etc have one name"
rm -rf "$ctx/src"
mkdir -p "$ctx/src/few"
echo 1 >"$ctx/src/few/1"
echo 2 >"$ctx/src/few/2"
sleep 0.1
build "$store" "$ctx" || t_fail "a few files"
echo 3 >"$ctx/src/few/2"
build "$store" "$ctx" || t_fail "a few files once more"
t_is "$(find "$store"/layers/*/fs/few -type f -links +1 | grep -c .)" 0 \
	"a few files are copied"

t_done
