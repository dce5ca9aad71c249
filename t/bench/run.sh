#!/bin/sh
# run.sh - time devenv beside the builders installed here; print the ratios
#
# usage: t/bench/run.sh [BENCHDIR]
#
#	BENCH_CASES="b1d b2c"	only these (see CASES below)
#	BENCH_RUNS=3		runs of each tool, in turn; medians are printed
#	BENCH_PEERS="buildah"	beside which tools; "" for none
#	KANIKO=/path/executor	and beside kaniko, where a cached build is timed
#
# Works on an ext4 with a journal in a file, where root may mount one: an ext4
# without a journal creates files 10 to 20 times slower after a mass delete,
# which would falsify everything. Nothing is left behind but the Debian tree in
# build/cache. With BENCHDIR the inputs go there and stay for the next time.
set -u
LC_ALL=C
export LC_ALL
TOP=$(cd "$(dirname "$0")/../.." && pwd)
HERE=$TOP/t/bench
# shellcheck disable=SC2034 # of inputs.sh
CACHE=$TOP/build/cache
DEVENV=${DEVENV:-$TOP/devenv}
RUNS=${BENCH_RUNS:-3}
CASES=${BENCH_CASES:-"start b1 b1d b1u b2c b2i b2l b3 b3l b4 b4p w1 w4 w4s probe
 warm warmr pull pullb push pushb blobin blobout blobun tarb up clone"}
KANIKO=${KANIKO:-}
JOBS=4 # independent stages that mostly wait need no processor each
SERVERS=
MOUNTED=
KEEP=
# shellcheck disable=SC2034 # of inputs.sh
ARCH=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
# shellcheck source=t/bench/inputs.sh
. "$HERE/inputs.sh"

fail() {
	echo "bench: $*" >&2
	exit 4
}

finish() {
	trap - EXIT INT TERM
	for pid in $SERVERS; do kill "$pid" 2>/dev/null; done
	wait
	[ -z "$KEEP" ] || exit "$1"
	[ -z "$MOUNTED" ] || umount "$W" || umount -l "$W"
	rm -rf "$W" "$W.img"
	exit "$1"
}
trap 'finish $?' EXIT
trap 'finish 130' INT
trap 'finish 143' TERM

# --- where to work ---

workplace() {
	if [ $# -gt 0 ]; then
		KEEP=1
		mkdir -p "$1" && W=$(cd "$1" && pwd)
		return
	fi
	mkdir -p "$TOP/build"
	W=$(mktemp -d "$TOP/build/bench.XXXXXX") || exit 4
	if [ "$(id -u)" -eq 0 ] && truncate -s 16G "$W.img" &&
		mke2fs -q -t ext4 -E lazy_itable_init=0,lazy_journal_init=0 \
			"$W.img" && mount -o loop "$W.img" "$W"; then
		MOUNTED=1
	else
		rm -f "$W.img"
		echo "bench: no loop mount here; figures are those of" \
			"$(stat -f -c %T "$W")" >&2
	fi
	chmod 755 "$W"
}

# The data generator also runs inside images: it stands alone.
programs() {
	mkdir -p "$W/bin"
	cc=${CC:-cc}
	if ! "$cc" -O2 -static -o "$W/bin/mkdata" "$HERE/mkdata.c" ||
		! "$cc" -O2 -o "$W/bin/measure" "$HERE/measure.c" ||
		! "$cc" -O2 -o "$W/bin/freeport" "$TOP/t/helper/freeport.c"; then
		fail "the helpers do not compile"
	fi
}

peers() {
	found=
	for peer in ${BENCH_PEERS-buildah docker skopeo}; do
		command -v "$peer" >/dev/null || continue
		case $peer in
		docker) docker info >/dev/null 2>&1 || continue ;;
		skopeo) command -v umoci >/dev/null || continue ;;
		esac
		found="$found $peer"
	done
	[ ! -x "$KANIKO" ] || found="$found kaniko"
	echo "$found"
}

# --- the tools, each with its own state ---

bh() { echo "buildah --root $W/bh/root --runroot $W/bh/run"; }

tool_reset() { # TOOL
	case $1 in
	devenv) rm -rf "$W/store" ;;
	buildah)
		$(bh) rm -a
		$(bh) rmi -af
		rm -rf "$W/bh"
		;;
	docker)
		docker image rm -f bench
		docker image rm -f "$R1/debian:bench" "$R1/big:bench" \
			"$R1/busybox:bench"
		docker builder prune -af
		;;
	skopeo) rm -rf "$W/sk" ;;
	kaniko) rm -rf "$W/kn" ;;
	esac >>"$W/log" 2>&1
}

tool_pull() { # TOOL REF: fetched and unpacked; sets no state to be timed
	case $1 in
	devenv) echo "$DEVENV -q --store $W/store run $2 -- /bin/true" ;;
	buildah) echo "$(bh) pull -q --tls-verify=false $2" ;;
	docker) echo "docker pull -q $2" ;;
	skopeo) echo "sh $W/unpack.sh $2" ;;
	esac
}

tool_push() { # TOOL FROM TO
	case $1 in
	devenv) echo "$DEVENV -q --store $W/store push $2 $3" ;;
	buildah) echo "$(bh) push -q --tls-verify=false $2 docker://$3" ;;
	docker) echo "docker push -q $3" ;;
	skopeo) echo "skopeo copy -q --dest-tls-verify=false \
oci:$W/sk/l:x docker://$3" ;;
	esac
}

tool_build() { # TOOL CONTEXT
	case $1 in
	devenv) echo "$DEVENV -q --store $W/store build --jobs $JOBS -t bench $2" ;;
	buildah) echo "$(bh) bud -q --tls-verify=false --isolation chroot \
--network host --layers --jobs $JOBS -t bench $2" ;;
	docker) echo "docker build -q --network host -t bench $2" ;;
	kaniko) echo "unshare -m sh $W/kaniko.sh $2" ;;
	esac
}

# The blobs of an image alone, and what makes files of them.
tool_blobs() { # TOOL REF
	case $1 in
	devenv) echo "$DEVENV -q --store $W/store pull $2" ;;
	skopeo) echo "skopeo copy -q --src-tls-verify=false docker://$2 \
oci:$W/sk/l:x" ;;
	esac
}

layout_push() { # TOOL TO: remembers nothing of where blobs went before
	case $1 in
	devenv) echo "$DEVENV -q --store $W/store push oci:$W/layout $2" ;;
	skopeo) echo "env XDG_DATA_HOME=$W/sk/cache skopeo copy -q \
--dest-tls-verify=false oci:$W/layout:bench docker://$2" ;;
	esac
}

tool_unpack() { # TOOL REF; there is nothing to be run in the image
	case $1 in
	devenv) echo "sh $W/missing.sh $2" ;;
	skopeo) echo "umoci unpack --image $W/sk/l:x $W/sk/b" ;;
	esac
}

# --- measuring ---

quietly() { "$@" >>"$W/log" 2>&1; }

timed() { # CASE TOOL REPEAT COMMAND...
	t_out=$W/result/$1.$2
	t_repeat=$3
	shift 3
	sync
	if ! "$W/bin/measure" "$t_out" "$t_repeat" "$@" >>"$W/log" 2>&1; then
		echo "bench: failed: $*" >&2
		tail -n 3 "$W/log" >&2
	fi
}

# A fresh state with a base, unless this is a later run of a kept state.
with_base() { # TOOL NAME
	tool_reset "$1"
	# shellcheck disable=SC2046 # a command line
	quietly $(tool_pull "$1" "$R1/$2:bench")
}

fresh_registry() { rm -rf "$W/r2/docker"; }

touch_one() { # RUN
	echo "$1 $(date +%N)" >>"$W/b2/src/000/00/00007.c"
}

# One run of one case by one tool; shellcheck cannot see that the functions
# above print command lines.
# shellcheck disable=SC2046
one() { # CASE TOOL RUN
	case $1:$2 in
	start:devenv) timed "$1" "$2" 50 "$DEVENV" version ;;
	start:buildah) timed "$1" "$2" 10 buildah --version ;;
	start:*) timed "$1" "$2" 10 "$2" --version ;;
	b1u:devenv) rootless "$1" ;;
	up:devenv) second_up "$1" ;;
	w1:devenv) at_once "$1" 1 ;;
	w4:devenv) at_once "$1" 1 2 3 4 ;;
	w4s:devenv) at_once "$1" 1 1 1 1 ;;
	probe:devenv | warmr:devenv) from_cache "$1" "$3" ;;
	warm:devenv)
		if [ "$3" -eq 1 ]; then
			with_base "$2" debian
			quietly $(tool_build "$2" "$W/b1d")
		fi
		timed "$1" "$2" 3 $(tool_build "$2" "$W/b1d")
		;;
	probe:* | warm:* | warmr:*)
		if [ "$3" -eq 1 ]; then
			with_base "$2" debian
			quietly $(tool_build "$2" "$W/b1d")
		fi
		timed "$1" "$2" 1 $(tool_build "$2" "$W/b1d")
		;;
	clone:devenv)
		rm -rf "$W/clone"
		timed "$1" "$2" 1 "$DEVENV" -q clone \
			"$REPOSITORY" "$W/clone"
		;;
	clone:git)
		rm -rf "$W/clone"
		timed "$1" "$2" 1 git clone -q "$REPOSITORY" "$W/clone"
		;;
	tarb:devenv)
		[ "$3" -gt 1 ] || with_base "$2" big
		timed "$1" "$2" 1 "$DEVENV" -q --store "$W/store" build \
			-o "type=oci,dest=$W/out" "$W/big"
		rm -f "$W/out"
		;;
	tarb:buildah)
		[ "$3" -gt 1 ] || with_base "$2" big
		timed "$1" "$2" 1 $(bh) push -q "$R1/big:bench" \
			"oci-archive:$W/out"
		rm -f "$W/out"
		;;
	pull:* | pullb:*)
		tool_reset "$2"
		timed "$1" "$2" 1 $(tool_pull "$2" "$(base_of "$1")")
		;;
	push:* | pushb:*)
		fresh_registry
		if [ "$3" -eq 1 ] || [ "$2" = skopeo ]; then
			tool_reset "$2"
			quietly $(tool_pull "$2" "$(base_of "$1")")
		fi
		[ "$2" != docker ] ||
			docker tag "$(base_of "$1")" "$R2/pushed:bench"
		timed "$1" "$2" 1 $(tool_push "$2" "$(base_of "$1")" \
			"$R2/pushed:bench")
		;;
	blobin:*)
		tool_reset "$2"
		mkdir -p "$W/sk"
		timed "$1" "$2" 1 $(tool_blobs "$2" "$R1/one:bench")
		;;
	blobout:*)
		fresh_registry
		timed "$1" "$2" 1 $(layout_push "$2" "$R2/pushed:bench")
		;;
	blobun:*)
		tool_reset "$2"
		mkdir -p "$W/sk"
		quietly $(tool_blobs "$2" "$R1/one:bench")
		timed "$1" "$2" 1 $(tool_unpack "$2" "$R1/one:bench")
		;;
	b2i:*)
		if [ "$3" -eq 1 ]; then
			with_base "$2" debian
			quietly $(tool_build "$2" "$W/b2")
		fi
		touch_one "$3"
		timed "$1" "$2" 1 $(tool_build "$2" "$W/b2")
		;;
	b2l:* | b3l:*)
		if [ "$3" -eq 1 ]; then
			with_base "$2" debian
			quietly $(tool_build "$2" "$W/${1%l}")
			quietly $(tool_build "$2" "$W/${1%l}")
		fi
		timed "$1" "$2" 3 $(tool_build "$2" "$W/${1%l}")
		;;
	b1:* | b1d:* | b2c:* | b3:* | b4:* | b4p:*)
		with_base "$2" debian
		[ "${1#b[14]}" = d ] || [ "$1" = b2c ] || [ "$1" = b3 ] ||
			quietly $(tool_pull "$2" "$R1/busybox:bench")
		timed "$1" "$2" 1 $(tool_build "$2" "$W/${1%c}")
		;;
	esac
}

base_of() {
	case $1 in
	*b) echo "$R1/big:bench" ;;
	*) echo "$R1/debian:bench" ;;
	esac
}

# As a user with one id, in a store of that user's.
rootless() { # CASE
	[ "$(id -u)" -eq 0 ] || return 0
	rm -rf "${W:?}/home"
	install -d -o 65534 -g 65534 "$W/home"
	as="setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=$W/home"
	as="$as $DEVENV -q --store $W/home/store"
	# shellcheck disable=SC2086 # command lines
	{
		quietly $as run "$R1/debian:bench" -- /bin/true
		timed "$1" devenv 1 $as build "$W/b1d"
	}
}

# Builds at once in one store that has their base.
at_once() { # CASE CONTEXT...
	t_case=$1
	shift
	rm -rf "$W/store-w"
	quietly "$DEVENV" -q --store "$W/store-w" run "$R1/busybox:bench" -- \
		/bin/true
	timed "$t_case" devenv 1 sh "$W/at-once.sh" "$@"
}

# A machine that has built nothing, and a cache that has the image.
from_cache() { # CASE RUN
	if [ "$2" -eq 1 ]; then
		tool_reset devenv
		quietly "$DEVENV" -q --store "$W/store" build --cache-repo \
			"$R2/cache" "$W/b1d"
	fi
	rm -rf "$W/store"
	what=build
	[ "$1" = warmr ] || what=cache-probe
	timed "$1" devenv 1 "$DEVENV" -q --store "$W/store" $what \
		--cache-repo "$R2/cache" "$W/b1d"
}

# In a root file system of its own, as it replaces the one it runs in.
kaniko_script() {
	cat >"$W/kaniko.sh" <<-END
		set -e
		rm -rf "$W/kn"
		mkdir -p "$W/kn/kaniko" "$W/kn/proc" "$W/kn/dev" "$W/kn/etc" \
			"$W/kn/workspace"
		cp "$KANIKO" "$W/kn/kaniko/executor"
		cp /etc/resolv.conf "$W/kn/etc"
		mount -t proc proc "$W/kn/proc"
		mknod -m 666 "$W/kn/dev/null" c 1 3
		mknod -m 666 "$W/kn/dev/urandom" c 1 9
		mount --bind "\$1" "$W/kn/workspace"
		mount -o remount,bind,ro "$W/kn/workspace"
		exec chroot "$W/kn" /kaniko/executor --force --insecure \
			--insecure-pull --context dir:///workspace \
			--cache --cache-copy-layers --cache-repo "$R2/kaniko" \
			--destination "$R2/kaniko:bench"
	END
}

# The environment of an unchanged repository, once more.
second_up() { # CASE
	rm -rf "$W/up"
	quietly git clone -q "file://$W/repository" "$W/up"
	quietly "$DEVENV" -q --store "$W/store-up" up "$W/up" -- /bin/true
	timed "$1" devenv 5 "$DEVENV" -q --store "$W/store-up" up "$W/up" -- \
		/bin/true
}

tools_of() { # CASE: tools that can do it and are here
	case $1 in
	start | b[1-4] | b1d | b2[cil] | b3l) can="buildah docker" ;;
	probe | warm | warmr) can="buildah docker kaniko" ;;
	pull* | push*) can="buildah docker skopeo" ;;
	blob*) can=skopeo ;;
	tarb) can=buildah ;;
	clone) can=git ;;
	*) can= ;;
	esac
	echo devenv
	for peer in $can; do
		case " git $PEERS " in
		*" $peer "*) echo "$peer" ;;
		esac
	done
}

measure_all() {
	kaniko_script
	rm -rf "$W/result"
	mkdir "$W/result"
	header
	cat >"$W/unpack.sh" <<-END
		mkdir -p "$W/sk" && skopeo copy -q --src-tls-verify=false \
			"docker://\$1" "oci:$W/sk/l:x" &&
			umoci unpack --image "$W/sk/l:x" "$W/sk/b"
	END
	cat >"$W/missing.sh" <<-END
		"$DEVENV" -q --store "$W/store" run "\$1" -- /none
		[ \$? -eq 127 ]
	END
	cat >"$W/at-once.sh" <<-END
		for i; do
			$DEVENV -q --store $W/store-w build $W/w/\$i &
			pids="\$pids \$!"
		done
		for pid in \$pids; do wait \$pid || exit; done
	END
	for case in $CASES; do
		echo "bench: $case" >&2
		for run in $(seq "$RUNS"); do
			for tool in $(tools_of "$case"); do
				one "$case" "$tool" "$run"
			done
		done
		for tool in $(tools_of "$case"); do tool_reset "$tool"; done
		rows "$case"
	done
}

# --- the table ---

describe() { # CASE: what it is, and the goal in seconds
	case $1 in
	start) echo "start-up|0.0025" ;;
	b1) echo "30 RUN on busybox|0.15" ;;
	b1d) echo "30 RUN on debian|0.15" ;;
	b1u) echo "30 RUN on debian, rootless|" ;;
	b2c) echo "COPY 20,000 files 300 MB|" ;;
	b2i) echo "the same, one file changed|" ;;
	b2l) echo "the same, all cached|0.1" ;;
	b3) echo "RUN writes 10,000 files|" ;;
	b3l) echo "the same, all cached|0.1" ;;
	b4) echo "6 stages, 3 independent|" ;;
	b4p) echo "3 stages of 1 s, a join|1.3" ;;
	w1) echo "a build with some work|" ;;
	w4) echo "4 such at once|$(share 4)" ;;
	w4s) echo "the same 4 times at once|$(share 1)" ;;
	probe) echo "cache-probe, empty store|" ;;
	warm) echo "30 RUN on debian, all cached|0.1" ;;
	warmr) echo "the same, empty store|" ;;
	pull) echo "pull, unpack 171 MB|" ;;
	pullb) echo "pull, unpack 671 MB|" ;;
	push) echo "push 171 MB|" ;;
	pushb) echo "push 671 MB|" ;;
	blobin) echo "pull one blob of 860 MB|" ;;
	blobout) echo "push it from a layout|" ;;
	blobun) echo "unpack its 1 GiB|" ;;
	tarb) echo "export 671 MB|" ;;
	up) echo "up, nothing changed|0.1" ;;
	clone) echo "clone 20,000 files|" ;;
	esac
}

# The work divided by the processors, and a tenth of it.
share() { # BUILDS
	[ ! -s "$W/result/w1.devenv" ] ||
		cut -d' ' -f1 "$W/result/w1.devenv" | median |
		awk -v n="$1" -v p="$(nproc)" \
			'{ printf "%.2f", 1.1 * $1 * (n > p ? n / p : 1) }'
}

median() { # numbers, one a line
	sort -n | awk '{ s[NR] = $1 } END {
		print NR % 2 ? s[(NR + 1) / 2] : (s[NR / 2] + s[NR / 2 + 1]) / 2 }'
}

largest() { awk '$1 > r { r = $1 } END { print r / 1024 }'; }

rss_goal=64 # MiB, of every command

header() {
	printf '%-6s %-28s %-8s %9s %8s %9s %9s %s\n' case what tool seconds \
		ratio cpu peak-MiB goal
}

# Printed as soon as they are known: what is interrupted was not in vain.
rows() { # CASE
	info=$(describe "$1")
	ours=
	for tool in $(tools_of "$1"); do
		[ -s "$W/result/$1.$tool" ] || continue
		row "$1" "$tool" "${info%|*}" "${info#*|}"
	done
}

row() { # CASE TOOL WHAT GOAL
	seconds=$(cut -d' ' -f1 "$W/result/$1.$2" | median)
	mib=$(cut -d' ' -f2 "$W/result/$1.$2" | largest)
	cpu=$(cut -d' ' -f3 "$W/result/$1.$2" | median)
	ratio=
	note=
	if [ "$2" = devenv ]; then
		ours=$seconds
		note=$(goal "$seconds" "$mib" "$4")
	elif [ -n "$ours" ]; then
		ratio=$(awk "BEGIN { printf \"%.1fx\", $seconds / $ours }")
	fi
	printf '%-6s %-28s %-8s %9.4f %8s %9.4f %9.1f %s\n' "$1" "$3" "$2" \
		"$seconds" "$ratio" "$cpu" "$mib" "$note"
}

footer() {
	echo "ratio: how many times longer than devenv it took." \
		"Medians of $RUNS runs, in turn;"
	echo "cpu: seconds of processors, steadier on a busy machine;" \
		"peak: of the largest process."
	echo "What a daemon takes is in neither."
}

goal() { # SECONDS MIB GOAL
	awk -v s="$1" -v r="$2" -v g="$3" -v m="$rss_goal" 'BEGIN {
		if (g != "") printf "%s s: %s", g, s <= g ? "met" : "MISSED"
		if (r > m) printf " %d MiB: MISSED", m }'
}

[ -x "$DEVENV" ] || fail "no $DEVENV: run make first"
workplace "$@"
programs
PEERS=$(peers)
echo "bench: making inputs in $W" >&2
inputs_make >>"$W/log" 2>&1 || { tail -n 5 "$W/log" >&2; fail "no inputs"; }
uptime >&2
measure_all
footer
