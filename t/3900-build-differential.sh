#!/bin/sh
# 3900-build-differential.sh - what buildah makes of the same Dockerfiles
#
# Each t/golden/build/NN-name holds a Dockerfile and, as Git keeps no owners
# or attributes, perhaps a context.sh that makes the rest of the context;
# `args` are options for both. A difference that stays is written down in
# `differs`: its reason after "#", then what diff prints ("<" is buildah).
# `rows` names the rows of t/rows that the case proves.
# Where buildah lacks a feature, Dockerfile.peer says the same without it.
# $CASES chooses some of them; $SHOW prints what is not as written down.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/build-lib.sh"
. "$(dirname "$0")/helper/registry.sh"

t_need root buildah skopeo umoci jq busybox mmdebstrap setcap setfattr
t_atexit build_peer_end
build_bases busybox debian || t_fail "the base images can be made"

# What an image says of itself; history as far as it must fit the layers.
config() { # configuration on standard input
	jq -S '
		.config as $c | .rootfs.diff_ids as $d |
		[.history[] | select(.empty_layer | not)] as $h |
		{os, architecture,
		 author: (.author // ""),
		 history_fits: (($h | length) == ($d | length)),
		 config: ({Env: [], Cmd: null, Entrypoint: null,
		 	WorkingDir: "", User: "", Labels: {},
			ExposedPorts: {}, Volumes: {}, StopSignal: "",
			Shell: null, OnBuild: null, Healthcheck: null}
			+ ($c | with_entries(select(.value != null)))
			| del(.ArgsEscaped, .Hostname, .Domainname, .Image,
			.AttachStdin, .AttachStdout, .AttachStderr, .Tty,
			.OpenStdin, .StdinOnce, .MacAddress)
			| map_values(if . == [] then null else . end))}'
}

config_of_ours() {
	skopeo inspect --config --raw "oci:$TMP/ours/$1:x"
}

# In an OCI layout buildah leaves out what only docker defines.
config_of_theirs() {
	build_peer_run inspect --type image "$1" | jq .Docker
}

unpack() { # LAYOUT:TAG BUNDLE
	umoci --log=error unpack --image "$1" "$2"
}

make_context() { # CASE DIR
	mkdir "$2" && cp -a "$1/." "$2/" || return 1
	rm -f "$2/differs" "$2/args" "$2/rows"
	[ ! -e "$2/context.sh" ] ||
		(cd "$2" && umask 022 && sh -e ./context.sh) || return 1
	rm -f "$2/context.sh"
}

ours() { # CONTEXT NAME OPTION...
	o_ctx=$1
	o_name=$2
	shift 2
	"$DEVENV" build "$@" -t "test/$o_name:x" --output \
		"type=oci,tar=false,dest=$TMP/ours/$o_name" "$o_ctx"
}

theirs() { # CONTEXT NAME OPTION...
	y_ctx=$1
	y_name=$2
	shift 2
	[ ! -e "$y_ctx/Dockerfile.peer" ] ||
		set -- -f "$y_ctx/Dockerfile.peer" "$@"
	peer "$y_ctx" "$y_name" "$@" &&
		build_peer_run push -q "$y_name" "oci:$TMP/theirs/$y_name:x"
}

differences() { # NAME
	d_name=$1
	diff "$TMP/theirs/$d_name.tree" "$TMP/ours/$d_name.tree" |
		grep '^[<>]'
	diff "$TMP/theirs/$d_name.json" "$TMP/ours/$d_name.json" |
		grep '^[<>]'
}

compare() { # CASE
	name=$(basename "$1")
	ctx=$TMP/ctx-$name
	make_context "$1" "$ctx" || {
		t_fail "$name: the context can be made"
		return
	}
	set -- "$1" --build-arg "BASE=$BASE"
	case $name in
	*debian*) set -- "$1" --build-arg "DEBIAN=$registry/debian" ;;
	esac
	# shellcheck disable=SC2046
	[ ! -e "$1/args" ] || set -- "$@" $(cat "$1/args")
	case_dir=$1
	shift
	t_run ours "$ctx" "$name" "$@"
	t_status 0 "$name: it builds"
	if ! theirs "$ctx" "$name" "$@" >"$TMP/peer.log" 2>&1; then
		t_fail "$name: buildah builds it" "$(tail -n 3 "$TMP/peer.log")"
		return
	fi
	# Places that buildah mounts something on and leaves behind.
	skip='dev proc sys run etc/hostname etc/hosts etc/resolv.conf'
	for who in theirs ours; do
		layout=$TMP/$who/$name
		"config_of_$who" "$name" | config >"$layout.json"
		[ $who = theirs ] || [ "$name" = 30-debian ] || skip=
		# shellcheck disable=SC2086
		unpack "$layout:x" "$TMP/$who/$name.b" &&
			tree "$TMP/$who/$name.b/rootfs" $skip >"$layout.tree"
		rm -rf "$TMP/$who/$name.b" "$layout"
	done
	t_ok "$name: both can be unpacked" test -s "$TMP/ours/$name.tree" \
		-a -s "$TMP/theirs/$name.tree" -a -s "$TMP/ours/$name.json"
	differences "$name" >"$TMP/$name.diff"
	grep -v '^#' "$case_dir/differs" 2>/dev/null >"$TMP/want"
	if [ -n "${SHOW:-}" ]; then
		echo "--- $name"
		diff "$TMP/want" "$TMP/$name.diff"
	fi
	t_ok "$name: files, owners and configuration are those of buildah" \
		diff "$TMP/want" "$TMP/$name.diff"
	rm -rf "$ctx"
}

mkdir "$TMP/ours" "$TMP/theirs"
for case in "$SRC"/t/golden/build/${CASES:-*}; do
	[ -d "$case" ] && compare "$case"
done
build_clean "after all of them"
t_done
